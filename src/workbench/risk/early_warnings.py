"""Early warnings: what is near or past a threshold, since when, whom it touches, and what to do about it.

Nothing rings for one noisy day. A warning on holdings or on the market is on where its value was beyond the threshold
at each of the last five closes; correlations are of ranks, and a volatility leaves out its wildest day. The age of
data needs no such rule, for an age cannot be noise. Earlier values are those of the holdings of their day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from workbench.errors import ParameterError
from workbench.risk._readings import PERSISTENCE, Reading
from workbench.risk.concentration_warnings import CONCENTRATION, Exposures, exposures
from workbench.risk.data_warnings import DATA, profile_age
from workbench.risk.limits import Limit, Limits, load_limits
from workbench.risk.market_warnings import MARKET
from workbench.risk.score import HouseholdScores
from workbench.risk.watched import Watched

#: Whole months of history shown.
MONTHS = 12
State = Literal["on", "clear", "not measured"]
_RULES: Mapping[str, Callable[[Watched, Limit, Exposures], Reading]] = {**CONCENTRATION, **MARKET, **DATA}


@dataclass(frozen=True, eq=False)
class EarlyWarning:
    """One warning: what is measured, its value now and before, and whom it touches.

    `state` is "on", "clear" or "not measured" (then `reason` says why and `value` is None). `subject` is what the value
    is of, such as a company or a household. `threshold` is in force today. `since` is the first day known of the
    present run beyond the threshold; `since_at_least` where that run may be older than the history. `history` holds
    month-ends and the as-of date. `affected` has account_id, household_id and dollars at stake, the most first.
    `unknown` names what could not be measured, and the value is without it.
    """

    limit: Limit
    state: State
    value: float | None
    threshold: float
    subject: str
    since: pd.Timestamp | None
    since_at_least: bool
    history: pd.Series
    affected: pd.DataFrame
    unknown: tuple[str, ...] = ()
    reason: str = ""

    @property
    def id(self) -> str:
        """The warning's id in `warnings.yml`."""
        return self.limit.id

    @property
    def accounts(self) -> int:
        """How many accounts it touches."""
        return int(self.affected["account_id"].nunique())

    @property
    def households(self) -> int:
        """How many households it touches."""
        return int(self.affected["household_id"].nunique())

    @property
    def dollars(self) -> float:
        """Dollars at stake."""
        return float(self.affected["dollars"].sum())


@dataclass(frozen=True, eq=False)
class EarlyWarnings:
    """All warnings, those that are on first, then in the order of `warnings.yml`."""

    as_of: pd.Timestamp
    warnings: tuple[EarlyWarning, ...] = field(default_factory=tuple)

    def __iter__(self) -> Iterator[EarlyWarning]:
        return iter(self.warnings)

    def __getitem__(self, id: str) -> EarlyWarning:
        for warning in self.warnings:
            if warning.id == id:
                return warning
        raise ParameterError(f"there is no warning {id!r}; known are {', '.join(w.id for w in self.warnings)}", "id")

    @property
    def on(self) -> tuple[EarlyWarning, ...]:
        """Those that are on."""
        return tuple(warning for warning in self.warnings if warning.state == "on")

    def to_frame(self) -> pd.DataFrame:
        """One row a warning: id, title, level, state, subject, value, threshold, unit, since, accounts, households,
        dollars, unknown, reason, action, source.
        """
        return pd.DataFrame(
            [
                {
                    "id": warning.id,
                    "title": warning.limit.title,
                    "level": warning.limit.level,
                    "state": warning.state,
                    "subject": warning.subject,
                    "value": warning.value,
                    "threshold": warning.threshold,
                    "unit": warning.limit.unit,
                    "since": warning.since,
                    "accounts": warning.accounts,
                    "households": warning.households,
                    "dollars": warning.dollars,
                    "unknown": ", ".join(warning.unknown),
                    "reason": warning.reason,
                    "action": warning.limit.action,
                    "source": warning.limit.source,
                }
                for warning in self.warnings
            ]
        )


def find_warnings(
    watched: Watched, limits: Limits | None = None, *, scores: HouseholdScores | None = None
) -> EarlyWarnings:
    """Measure every warning on the as-of date; without `scores` the one on tolerance is not measured.

    What the data do not allow to measure is a warning of state "not measured" with its reason, never a silent "clear".
    """
    limits = limits or load_limits()
    last_closes = range(max(watched.last - PERSISTENCE + 1, watched.first), watched.last + 1)
    found = exposures(watched, sorted({*watched.month_ends(MONTHS), *last_closes}))
    readings = {
        "above_tolerance": _above_tolerance(watched, scores),
        "profile_age": profile_age(watched, limits.setting("score", "profile_days")),
    }
    readings |= {id: rule(watched, limits.warnings[id], found) for id, rule in _RULES.items()}
    warnings = [_judged(watched, limit, readings[id]) for id, limit in limits.warnings.items()]
    warnings.sort(key=lambda warning: ("on", "not measured", "clear").index(warning.state))
    return EarlyWarnings(watched.as_of, tuple(warnings))


def _judged(watched: Watched, limit: Limit, reading: Reading) -> EarlyWarning:
    """Hold a reading against its threshold."""
    empty = pd.DataFrame({"account_id": [], "household_id": [], "dollars": []})
    threshold = limit.value if reading.threshold is None else reading.threshold
    if reading.reason:
        nothing = pd.Series(dtype="float64")
        return EarlyWarning(
            limit, "not measured", None, threshold, "", None, False, nothing, empty, reading.unknown, reading.reason
        )
    values = reading.values
    if not (len(values) and np.isfinite(values.iloc[-1]) and np.isfinite(threshold)):
        # A correlation or a ratio of what does not move is no number.
        return _judged(watched, limit, Reading.unmeasured("prices did not move enough for a figure", reading.unknown))
    beyond = reading.beyond
    if beyond is None:
        beyond = (values > threshold) if limit.side == "above" else (values < threshold)
    recent = beyond.iloc[-reading.persistence :]
    on = bool(recent.all())
    since, at_least = None, False
    if on:
        clear = np.flatnonzero(~beyond.to_numpy(bool))
        first = int(clear[-1]) + 1 if len(clear) else 0
        since, at_least = pd.Timestamp(beyond.index[first]), first == 0
    return EarlyWarning(
        limit=limit,
        state="on" if on else "clear",
        value=float(values.iloc[-1]),
        threshold=float(threshold),
        subject=reading.subject,
        since=since,
        since_at_least=at_least,
        history=_month_ends(watched, values),
        affected=_affected(watched, reading) if on else empty,
        unknown=reading.unknown,
    )


def _month_ends(watched: Watched, values: pd.Series) -> pd.Series:
    """The values at month-ends and on the last day; of quarters where only those were measured."""
    ends = set(watched.sessions[watched.month_ends(MONTHS)]) | {values.index[-1]}
    return values[values.index.isin(ends)]


def _affected(watched: Watched, reading: Reading) -> pd.DataFrame:
    touched = np.flatnonzero(reading.touched)
    frame = pd.DataFrame(
        {
            "account_id": watched.accounts["account_id"].to_numpy()[touched],
            "household_id": watched.accounts["household_id"].to_numpy()[touched],
            "dollars": reading.dollars[touched],
        }
    )
    return frame.sort_values(["dollars", "account_id"], ascending=[False, True], ignore_index=True)


def _above_tolerance(watched: Watched, scores: HouseholdScores | None) -> Reading:
    """Share of the assessable households whose score is above what their profile allows, at each quarter-end too."""
    if scores is None:
        return Reading.unmeasured("no watch score was computed")
    table = scores.table
    assessed = table[table["tolerated"].notna() & table["score"].notna()]
    if assessed.empty:
        return Reading.unmeasured("no household has a score and a valid profile")
    tolerated = assessed.set_index("household_id")["tolerated"]
    history = scores.history[tolerated.index]
    known = history.notna().sum(axis=1)
    share = ((history - tolerated) > 0).sum(axis=1) / known.where(known > 0)
    above = set(assessed.loc[assessed["excess"] > 0, "household_id"])
    touched = watched.accounts["household_id"].isin(above).to_numpy(bool)
    return Reading(
        values=share.dropna(),
        subject=f"{len(above)} of {len(assessed)} households",
        touched=touched,
        dollars=watched.account_value,
        persistence=1,
    )
