"""A watch score from 0 to 100 for each household, against what its profile tolerates. It looks back, not ahead.

Five components, each on a fixed scale of its own:

- volatility: 100 h(s, 15 %), s the volatility a year of what is held now over the last 63 sessions;
- regime: 100 s^2 / (s^2 + l^2), l the volatility over three years: 50 in ordinary times, 80 where s is twice l;
- drawdown: 100 h(d, 15 %), d the larger of two falls from the highest value of a year: of what is held now, and of
  the household's own assets, flows taken out;
- correlation: 100 (1 - q) / ((1 - q) + (1 - r)), r the average correlation of the holdings over 63 sessions and q over
  three years: 50 as ever, towards 100 as they become one;
- concentration: 50 h(w, 10 %) + 50 h(c, 0.02), w the weight of the largest company, c the sum of squared weights of
  companies. Funds are not looked through and count as no company.

h(x, half) = x / (x + half) is never full. The score is the weighted mean; a component that is not known is left out,
the others weigh more, and `reason` says so. All figures are constants of `warnings.yml`: a score means the same in
every firm and quarter, and rises whenever one of s, d, r, w or c does.

The tolerated score is that of a portfolio with the volatility that the household's level allows, a fall of as much, a
regime a quarter above normal, usual correlation and four companies of 5 %. The level is the lower of tolerance and
capacity, at most 2 for a short horizon and at most 3 where much liquidity is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.risk.household_measures import LEAST_SESSIONS, holdings_on, moments, value_drawdown_on
from workbench.risk.limits import Limits, load_limits
from workbench.risk.watched import Floats, Watched

COMPONENTS = ("volatility", "regime", "drawdown", "correlation", "concentration")
#: What a household is, next to what it tolerates.
VERDICTS = ("within", "above", "well above", "not assessable")


@dataclass(frozen=True, eq=False)
class HouseholdScores:
    """The watch score of each household today and at earlier quarter-ends.

    `table`, one row a household, those furthest above what they tolerate first: household_id, name, advisor_id, value,
    score, the five components, tolerated, excess (points), verdict, level, and behind them recent_volatility,
    long_volatility, holdings_drawdown, value_drawdown, average_correlation, long_correlation, diversification_ratio,
    largest_issuer, issuer_weight, herfindahl, effective_number (of all holdings, a fund being one), covered, change
    (points in four quarters), reason. `history` is quarter-end by household_id, with the score of today as its last
    row. `limits` are the settings used.
    """

    table: pd.DataFrame
    history: pd.DataFrame
    limits: Limits

    def to_frame(self) -> pd.DataFrame:
        """The table."""
        return self.table


def score_households(
    watched: Watched,
    limits: Limits | None = None,
    *,
    value_drawdown: pd.DataFrame | None = None,
    quarters: int = 8,
) -> HouseholdScores:
    """Score every household on the as-of date and at the last `quarters` quarter-ends before it.

    `value_drawdown` is what `drawdown_of_value` gives; without it, falls are those of what is held alone. A day's score
    uses prices and bookings up to that day. A household without assets, prices or a valid profile is not assessable,
    and `reason` says why. Raises `ParameterError` for a negative number of quarters or weights that sum to zero.
    """
    if quarters < 0:
        raise ParameterError(f"quarters is {quarters}; give 0 or more", "quarters")
    limits = limits or load_limits()
    days = [*watched.quarter_ends(quarters), watched.last]
    frames = [score_at(watched, day, limits, value_drawdown=value_drawdown) for day in days]
    table = _against_tolerance(watched, frames[-1], limits)
    ids = watched.households["household_id"]
    history = pd.DataFrame(
        np.array([frame["score"].to_numpy() for frame in frames]),
        index=pd.DatetimeIndex(watched.sessions[days], name="date"),
        columns=pd.Index(ids, name="household_id"),
    )
    year_ago = history.iloc[-5].to_numpy() if len(history) >= 5 else np.full(len(ids), np.nan)
    table["change"] = table["score"] - year_ago
    order = {verdict: place for place, verdict in enumerate(("well above", "above", "within", "not assessable"))}
    table = table.assign(order=table["verdict"].map(order)).sort_values(
        ["order", "excess", "household_id"], ascending=[True, False, True], ignore_index=True
    )
    return HouseholdScores(table.drop(columns="order"), history, limits)


def score_at(
    watched: Watched, session: int, limits: Limits, *, value_drawdown: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Components and score of every household at the close of a session, in the order of the households.

    Columns as in `HouseholdScores.table`, without the comparison to the profile.
    """
    setting = {id: limit.value for id, limit in limits.score.items()}
    frame = holdings_on(watched, session)
    measured = moments(watched, session, frame, int(setting["recent_sessions"]), int(setting["long_sessions"]))
    frame = frame.assign(**measured)
    uncovered = frame["reason"].isna() & ~(frame["covered"] >= setting["covered_weight"])
    thin = session < LEAST_SESSIONS
    frame.loc[uncovered, "reason"] = (
        f"fewer than {LEAST_SESSIONS} sessions of prices" if thin else "holdings without a full price history"
    )
    frame["value_drawdown"] = value_drawdown_on(watched, session, value_drawdown)
    frame = frame.assign(**components(frame, setting))
    known = frame["reason"].isna().to_numpy()
    frame["score"] = np.where(known, weighted_score(frame, setting), np.nan)
    frame.loc[~known, list(COMPONENTS)] = np.nan
    return frame


def components(measures: pd.DataFrame, setting: dict[str, float]) -> dict[str, Floats]:
    """The five components from 0 to 100 of given measures, by name; missing where a measure is.

    `measures` has recent_volatility, long_volatility, holdings_drawdown, value_drawdown (either may be missing),
    average_correlation, long_correlation, issuer_weight and herfindahl. Each component is monotone in its measure.
    """
    values = {name: measures[name].to_numpy(np.float64) for name in _MEASURES}
    recent, usual = values["recent_volatility"] ** 2, values["long_volatility"] ** 2
    fall = np.fmax(values["holdings_drawdown"], values["value_drawdown"])
    apart, usually_apart = 1.0 - values["average_correlation"], 1.0 - values["long_correlation"]
    companies = _filled(values["issuer_weight"], setting["issuer_half"])
    squared = _filled(values["herfindahl"], setting["herfindahl_half"])
    return {
        "volatility": 100.0 * _filled(values["recent_volatility"], setting["volatility_half"]),
        "regime": 100.0 * _share(recent, usual),
        "drawdown": 100.0 * _filled(fall, setting["drawdown_half"]),
        "correlation": 100.0 * _share(usually_apart, apart),
        "concentration": 50.0 * companies + 50.0 * squared,
    }


def weighted_score(parts: pd.DataFrame, setting: dict[str, float]) -> Floats:
    """The weighted mean of the components that are known. Raises `ParameterError` where all weights are zero."""
    weights = np.array([setting[f"{name}_weight"] for name in COMPONENTS])
    if weights.sum() <= 0:
        raise ParameterError("the weights of the score's components are all 0; give one above", "volatility_weight")
    values = parts[list(COMPONENTS)].to_numpy(np.float64)
    used = weights * ~np.isnan(values)
    total = used.sum(axis=1)
    return np.divide(
        (np.nan_to_num(values) * used).sum(axis=1), total, out=np.full(len(values), np.nan), where=total > 0
    )


def tolerated_scores(limits: Limits | None = None) -> Floats:
    """The score that each level from 1 to 5 tolerates: that of its reference portfolio (5)."""
    setting = {id: limit.value for id, limit in (limits or load_limits()).score.items()}
    volatility = np.array([setting[f"tolerated_volatility_{level}"] for level in range(1, 6)])
    reference = pd.DataFrame(
        {
            "recent_volatility": volatility,
            "long_volatility": volatility / setting["tolerated_regime"],
            "holdings_drawdown": volatility,
            "value_drawdown": volatility,
            "average_correlation": 0.0,
            "long_correlation": 0.0,
            "issuer_weight": setting["tolerated_issuer"],
            "herfindahl": setting["tolerated_herfindahl"],
        }
    )
    return weighted_score(reference.assign(**components(reference, setting)), setting)


def levels(profiles: pd.DataFrame, as_of: pd.Timestamp, limits: Limits | None = None) -> pd.DataFrame:
    """The level from 1 to 5 that a profile allows (0: none), and why there is none.

    `profiles` has the columns of the table, missing where a household has no profile. Columns: level, reason.
    """
    setting = {id: limit.value for id, limit in (limits or load_limits()).score.items()}
    level = np.minimum(profiles["risk_tolerance"].astype("float64"), profiles["risk_capacity"].astype("float64"))
    level = level.mask(profiles["horizon_years"] < setting["short_horizon"], level.clip(upper=2))
    level = level.mask(profiles["liquidity_need"] == "high", level.clip(upper=3))
    reason = pd.Series(pd.NA, index=profiles.index, dtype="string")
    reviewed = pd.to_datetime(profiles["reviewed_on"])
    old = (as_of - reviewed).dt.days > setting["profile_days"]
    reason[old] = "profile reviewed on " + reviewed[old].dt.strftime("%Y-%m-%d") + ", too long ago"
    reason[level.isna()] = "no profile"
    return pd.DataFrame({"level": level.where(reason.isna(), 0.0).astype("int64"), "reason": reason})


_MEASURES = (
    "recent_volatility", "long_volatility", "holdings_drawdown", "value_drawdown", "average_correlation",
    "long_correlation", "issuer_weight", "herfindahl",
)  # fmt: skip


def _against_tolerance(watched: Watched, frame: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """The score beside what the profile tolerates."""
    allowed = levels(watched.households, watched.as_of, limits)
    tolerated = np.concatenate([[np.nan], tolerated_scores(limits)])[allowed["level"]]
    excess = frame["score"].to_numpy() - tolerated
    reason = frame["reason"].fillna(allowed["reason"])
    verdict = np.where(
        np.isnan(excess),
        "not assessable",
        np.where(excess > limits.setting("score", "well_above"), "well above", np.where(excess > 0, "above", "within")),
    )
    missing = frame["score"].notna() & frame["correlation"].isna()
    reason = reason.mask(reason.isna() & missing, "without correlation: practically one holding moves")
    return frame.assign(
        name=watched.households["name"],
        advisor_id=watched.households["advisor_id"],
        level=allowed["level"],
        tolerated=tolerated,
        excess=excess,
        verdict=verdict,
        reason=reason,
    )


def _filled(values: Floats, half: float) -> Floats:
    """x / (x + half): 0 at 0, one half at `half`, never full."""
    return values / (values + half)


def _share(part: Floats, other: Floats) -> Floats:
    """part / (part + other), missing where both are zero."""
    total = part + other
    return np.divide(part, total, out=np.full(np.shape(total), np.nan), where=total > 0)
