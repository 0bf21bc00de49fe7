"""Who should be looked at first: three scores from 0 to 100 and their weighted mean.

- drift = 50 h(u, 1) + 30 h(n, 5) + 20 h(s, 10 %): u the furthest deviation in units of its band, n the breaches over
  all levels, s the active share. An account at the edge of its widest-used band has 25 of the 50.
- risk = 100 h(tracking error, 2 %).
- tax_efficiency = 100 TE / (TE + tax / value): what correcting removes in tracking error against what it costs in tax.
  100 where correcting is free or saves tax, 50 where a basis point of risk costs a basis point of value; 0 where
  there is no risk to remove.

h(x, half) = x / (x + half) is 0 at 0, one half at `half` and never full, so that of two bad accounts the worse one
still scores higher.

Every scale is fixed, so that a score means the same in every firm and quarter and no account's score depends on the
others. A part that is not known (no covariance, lots missing) is left out, the rest is weighted anew, and `reason`
says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.drift.inputs import Floats
from workbench.drift.result import Drift
from workbench.errors import ParameterError

#: An account in which correcting everything would trade less than this, in account currency, comes after the others.
SMALLEST_TRADE = 250.0
SCORES = ("drift_score", "risk_score", "tax_efficiency_score")


@dataclass(frozen=True)
class Scale:
    """Weights of the three scores and the figures at which each part is half full. Fractions, except where counted."""

    drift: float = 0.5
    risk: float = 0.3
    tax_efficiency: float = 0.2
    half_band_use: float = 1.0
    half_breaches: float = 5.0
    half_active_share: float = 0.10
    half_tracking_error: float = 0.02

    def __post_init__(self) -> None:
        if min(self.drift, self.risk, self.tax_efficiency) < 0 or self.drift + self.risk + self.tax_efficiency <= 0:
            raise ParameterError("weights of a scale must not be negative, and one must be above 0", "scale")
        if min(self.half_band_use, self.half_breaches, self.half_active_share, self.half_tracking_error) <= 0:
            raise ParameterError("figures at which a score is half full must be above 0", "scale")


def rank(
    drift: Drift,
    *,
    scale: Scale | None = None,
    drivers: pd.DataFrame | None = None,
    smallest_trade: float = SMALLEST_TRADE,
) -> pd.DataFrame:
    """Return the accounts in the order in which they should be reviewed, ties by value, then by identifier.

    An account in which there is less than `smallest_trade` (account currency) to trade keeps its score and comes after
    all others, and `reason` says so: a few dollars left behind are no business of a committee's.

    Columns: rank, account_id, household_id, advisor_id, model_id, value, score, drift_score, risk_score,
    tax_efficiency_score, band_use, breaches, active_share, tracking_error, tax_to_correct, driver, reason. `drivers`
    (from `drift.drivers`) gives the sentence on the furthest deviation and its cause; without it `driver` is missing.
    """
    scale = scale or Scale()
    frame = drift.accounts
    scores = np.column_stack([_drift_score(frame, scale), _risk_score(frame, scale), _tax_score(frame)])
    weights = np.array([scale.drift, scale.risk, scale.tax_efficiency]) * ~np.isnan(scores)
    total = weights.sum(axis=1)
    summed = (np.nan_to_num(scores) * weights).sum(axis=1)
    result = frame[["account_id", "household_id", "advisor_id", "model_id", "value"]].copy()
    result["score"] = np.divide(summed, total, out=np.full(len(frame), np.nan), where=total > 0)
    result[list(SCORES)] = scores
    carried = ["band_use", "breaches", "active_share", "tracking_error", "tax_to_correct"]
    result[carried] = frame[carried]
    texts = {} if drivers is None else dict(zip(drivers["account_id"], drivers["text"]))
    result["driver"] = result["account_id"].map(texts)
    figures = (frame[name] for name in ("band_use", "breaches", "tracking_error", "tax_to_correct"))
    small = frame["turnover_to_correct"] < smallest_trade
    last = f" Less than ${smallest_trade:,.0f} to trade, so it comes last."
    result["reason"] = [_reason(*row) + last * few for *row, few in zip(*figures, small)]
    order = result.assign(small=small).sort_values(
        ["small", "score", "value", "account_id"], ascending=[True, False, False, True], na_position="last"
    )
    result = result.loc[order.index].reset_index(drop=True)
    result.insert(0, "rank", np.arange(1, len(result) + 1))
    return result


def _drift_score(frame: pd.DataFrame, scale: Scale) -> Floats:
    use = _filled(frame["band_use"], scale.half_band_use)
    breaches = _filled(frame["breaches"], scale.half_breaches)
    share = _filled(frame["active_share"], scale.half_active_share)
    return 50.0 * use + 30.0 * breaches + 20.0 * share


def _risk_score(frame: pd.DataFrame, scale: Scale) -> Floats:
    return 100.0 * _filled(frame["tracking_error"], scale.half_tracking_error)


def _filled(values: pd.Series, half: float) -> Floats:
    """How full a part is: x / (x + half); 1 for a deviation from a band of zero, which is infinitely far out."""
    figures = values.to_numpy(np.float64)
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(figures), 1.0, figures / (figures + half))


def _tax_score(frame: pd.DataFrame) -> Floats:
    error = frame["tracking_error"].to_numpy()
    cost = np.maximum(frame["tax_to_correct"].to_numpy() / frame["value"].to_numpy(), 0.0)
    with np.errstate(invalid="ignore"):
        return np.where(error == 0, 0.0, 100.0 * error / (error + cost))


def _reason(use: float, breaches: int, error: float, tax: float) -> str:
    """Say in a sentence what puts the account where it is: band use, breaches, tracking error, tax of correcting."""
    if breaches:
        far = "outside a band of zero" if np.isinf(use) else f"the furthest at {use:.1f} times its band"
        parts = [f"{breaches} {'breach' if breaches == 1 else 'breaches'}, {far}"]
    else:
        parts = [f"Within all bands, the furthest using {use:.0%} of its own"]
    if np.isnan(error):
        parts.append("tracking error not known")
    else:
        parts.append(f"tracking error {error:.1%}")
    if np.isnan(tax):
        parts.append("tax of correcting not known")
    elif tax < -0.5:
        parts.append(f"correcting realises losses worth ${-tax:,.0f} of tax")
    else:
        parts.append(f"correcting costs ${max(tax, 0.0):,.0f} of tax")
    return "; ".join(parts) + "."
