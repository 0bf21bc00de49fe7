"""Drift of many accounts at once: a model over all its accounts, and the firm.

A deviation that a model's accounts share is the model's business (prices moved everybody, a change was not carried
out); one that only some have is theirs. `systemic_share` tells the two apart: the part of the mean square deviation
that the common one explains, mean^2 / (mean^2 + variance), value-weighted. 1: every account deviates alike; 0: they
scatter around the target.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.drift.inputs import ON_THE_LINE, Floats, Ints, Offsets
from workbench.drift.result import Drift

#: From this systemic share on, a deviation counts as the model's rather than the accounts'.
SYSTEMIC_FROM = 0.5


@dataclass(frozen=True, eq=False)
class Aggregate:
    """The drift of models and the firm.

    `models` has one row a model, `firm` is the same over all accounts. `by_key` has one row for each model, level and
    key: model_id, level, key, target, weight and deviation (value-weighted means), dispersion (value-weighted standard
    deviation), out_of_band and accounts (counts of accounts with weight or target there), share_out, systemic_share,
    systemic.
    """

    models: pd.DataFrame
    firm: pd.Series
    by_key: pd.DataFrame


def aggregate(drift: Drift) -> Aggregate:
    """Sum drift up to the model and the firm.

    `models` and `firm`: accounts, value, out_of_band (accounts with any breach), share_out (of accounts),
    value_share_out (of value), active_share and tracking_error (value-weighted means, fractions; missing where one
    account's is), breaches, turnover_to_correct, cost_to_correct and tax_to_correct (account currency; a missing tax
    is counted in tax_unknown and left out of the sum).
    """
    accounts = drift.accounts
    models = pd.DataFrame(
        [
            {"model_id": model, **_summary(rows)}
            for model, rows in accounts.groupby("model_id", observed=True, sort=True)
        ]
    )
    return Aggregate(models, pd.Series(_summary(accounts)), pd.concat(_keys(drift), ignore_index=True))


def _summary(rows: pd.DataFrame) -> dict[str, float]:
    value, out = rows["value"].to_numpy(), rows["breaches"].to_numpy() > 0
    total = float(value.sum())

    def mean(column: str) -> float:
        return float((rows[column].to_numpy() * value).sum() / total) if total > 0 else np.nan

    return {
        "accounts": len(rows),
        "value": total,
        "out_of_band": int(out.sum()),
        "share_out": float(out.mean()) if len(rows) else np.nan,
        "value_share_out": float(value[out].sum() / total) if total > 0 else np.nan,
        "active_share": mean("active_share"),
        "tracking_error": mean("tracking_error"),
        "breaches": int(rows["breaches"].sum()),
        "turnover_to_correct": float(rows["turnover_to_correct"].sum()),
        "cost_to_correct": float(rows["cost_to_correct"].sum()),
        "tax_to_correct": float(rows["tax_to_correct"].sum()),
        "tax_unknown": int(rows["tax_to_correct"].isna().sum()),
    }


def _keys(drift: Drift) -> list[pd.DataFrame]:
    """One frame a level: deviations of each model's accounts by key."""
    model = drift.inputs.model
    frames = []
    for name in drift.levels:
        level = drift.inputs.levels[name]
        place: Ints | Offsets
        key: Ints | Offsets
        if name == "security":
            rows = drift.rows
            place, key, weight = rows.account, rows.security, rows.weight
        else:
            place, key = np.nonzero((drift.weights[name] != 0) | (level.target[model] != 0))
            weight = drift.weights[name][place, key]
        frames.append(_by_key(drift, name, model[place], key, drift.value[place], weight))
    return frames


def _by_key(drift: Drift, name: str, model: Ints, key: Ints | Offsets, value: Floats, weight: Floats) -> pd.DataFrame:
    """Moments of the deviations of one level; an account without a row has neither weight nor target: no deviation."""
    level, inputs = drift.inputs.levels[name], drift.inputs
    shape = level.target.shape
    place = model.astype(np.int64) * shape[1] + key
    deviation = weight - level.target[model, key]
    out = level.outside(model, key, weight)

    def total(amount: Floats | None) -> Floats:
        counts = np.bincount(place, weights=amount, minlength=shape[0] * shape[1]).astype(np.float64)
        return counts.reshape(shape)

    worth = np.bincount(inputs.model, weights=drift.value, minlength=shape[0])[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total(value * deviation) / worth
        square = total(value * deviation**2) / worth
        variance = np.maximum(square - mean**2, 0.0)
        systemic = np.where(square > ON_THE_LINE**2, mean**2 / (mean**2 + variance), np.nan)
        average = total(value * weight) / worth
    count = total(None)
    m, g = np.nonzero(count)
    outside = total(out.astype(np.float64))[m, g].astype(np.int64)
    frame = pd.DataFrame(
        {
            "model_id": np.array(inputs.model_ids, dtype=object)[m],
            "level": name,
            "key": np.array(level.keys, dtype=object)[g],
            "target": level.target[m, g],
            "weight": average[m, g],
            "deviation": mean[m, g],
            "dispersion": np.sqrt(variance[m, g]),
            "accounts": count[m, g].astype(np.int64),
            "out_of_band": outside,
            "share_out": outside / np.bincount(inputs.model, minlength=shape[0])[m],
            "systemic_share": systemic[m, g],
            "systemic": systemic[m, g] >= SYSTEMIC_FROM,
        }
    )
    return frame
