"""Who should be looked at first: three scores from 0 to 100 and their weighted mean.

- drift = 50 min(1, u / 2) + 30 min(1, n / 10) + 20 min(1, s / 20 %): u the furthest deviation in units of its band,
  n the breaches over all levels, s the active share. An account at the edge of its widest-used band has 25 of the 50.
- risk = 100 min(1, tracking error / 4 %).
- tax_efficiency = 100 TE / (TE + tax / value): what correcting removes in tracking error against what it costs in tax.
  100 where correcting is free or saves tax, 50 where a basis point of risk costs a basis point of value; 0 where
  there is no risk to remove.

Every scale is fixed, so that a score means the same in every firm and quarter and no account's score depends on the
others. A part that is not known (no covariance, lots missing) is left out, the rest is weighted anew, and `reason`
says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.drift.inputs import Floats
from workbench.drift.measure import Drift
from workbench.drift.words import percentage_points
from workbench.errors import ParameterError

SCORES = ("drift_score", "risk_score", "tax_efficiency_score")


@dataclass(frozen=True)
class Scale:
    """Weights of the three scores and the figures at which each part is full. Fractions, except where counted."""

    drift: float = 0.5
    risk: float = 0.3
    tax_efficiency: float = 0.2
    full_band_use: float = 2.0
    full_breaches: float = 10.0
    full_active_share: float = 0.20
    full_tracking_error: float = 0.04

    def __post_init__(self) -> None:
        if min(self.drift, self.risk, self.tax_efficiency) < 0 or self.drift + self.risk + self.tax_efficiency <= 0:
            raise ParameterError("weights of a scale must not be negative, and one must be above 0", "scale")
        if min(self.full_band_use, self.full_breaches, self.full_active_share, self.full_tracking_error) <= 0:
            raise ParameterError("figures at which a score is full must be above 0", "scale")


def rank(drift: Drift, *, scale: Scale | None = None, drivers: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the accounts in the order in which they should be reviewed, ties by value, then by identifier.

    Columns: rank, account_id, household_id, advisor_id, model_id, value, score, drift_score, risk_score,
    tax_efficiency_score, band_use, breaches, active_share, tracking_error, tax_to_correct, reason. `drivers` (from
    `drift.drivers`) puts the cause of the furthest deviation into the reason.
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
    result["reason"] = [_reason(row, texts.get(row.account_id)) for row in result.itertuples()]
    result = result.sort_values(
        ["score", "value", "account_id"], ascending=[False, False, True], na_position="last", ignore_index=True
    )
    result.insert(0, "rank", np.arange(1, len(result) + 1))
    return result


def _drift_score(frame: pd.DataFrame, scale: Scale) -> Floats:
    use = np.minimum(1.0, frame["band_use"].to_numpy() / scale.full_band_use)
    breaches = np.minimum(1.0, frame["breaches"].to_numpy() / scale.full_breaches)
    share = np.minimum(1.0, frame["active_share"].to_numpy() / scale.full_active_share)
    return 50.0 * use + 30.0 * breaches + 20.0 * share


def _risk_score(frame: pd.DataFrame, scale: Scale) -> Floats:
    return 100.0 * np.minimum(1.0, frame["tracking_error"].to_numpy() / scale.full_tracking_error)


def _tax_score(frame: pd.DataFrame) -> Floats:
    error = frame["tracking_error"].to_numpy()
    cost = np.maximum(frame["tax_to_correct"].to_numpy() / frame["value"].to_numpy(), 0.0)
    with np.errstate(invalid="ignore"):
        return np.where(error == 0, 0.0, 100.0 * error / (error + cost))


def _reason(row: object, driver: str | None) -> str:
    """Say in a sentence or two what puts the account where it is."""
    use, breaches = float(row.band_use), int(row.breaches)  # type: ignore[attr-defined]
    error, tax = float(row.tracking_error), float(row.tax_to_correct)  # type: ignore[attr-defined]
    if breaches:
        far = "outside a band of zero" if np.isinf(use) else f"the furthest at {use:.1f} times its band"
        parts = [f"{breaches} {'breach' if breaches == 1 else 'breaches'}, {far}"]
    else:
        parts = [f"Within all bands, the furthest using {use:.0%} of its own"]
    if np.isnan(error):
        parts.append("tracking error not known")
    else:
        parts.append(f"tracking error {percentage_points(error).removesuffix(' pp')} %")
    if np.isnan(tax):
        parts.append("tax of correcting not known")
    elif tax < -0.5:
        parts.append(f"correcting realises losses worth ${-tax:,.0f} of tax")
    else:
        parts.append(f"correcting costs ${max(tax, 0.0):,.0f} of tax")
    text = "; ".join(parts) + "."
    return f"{driver} {text}" if driver else text
