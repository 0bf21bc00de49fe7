"""Bands: how far a weight may stand from its target before it is out of tolerance.

A tolerance states an absolute half-width, one relative to the target, or both; where both are given the tighter one
rules. A row for the very key beats the model's `*` row whole. A relative width says nothing about a target of zero:
there the absolute width rules alone, and where only a relative one is given nothing may be held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.drift.inputs import Floats
from workbench.errors import BadRow, FirmDataError

ANY_KEY = "*"


def half_width(absolute: Floats, relative: Floats, target: Floats) -> Floats:
    """Return the half-width of each band: the tighter of `absolute` and `relative` x target; NaN inputs mean not
    given, and +inf is returned where neither is.
    """
    scaled = relative * np.abs(target)
    scaled = np.where((target == 0) & ~np.isnan(absolute), np.nan, scaled)
    width = np.fmin(absolute, scaled)
    return np.where(np.isnan(width), np.inf, width)


def resolve(
    level: str, keys: Sequence[str], target: Floats, tolerances: pd.DataFrame, model_ids: Sequence[str]
) -> tuple[Floats, Floats]:
    """Return the lower and upper limits (M x G) of a level from the tolerances table.

    Raises `FirmDataError` naming each tolerance whose key does not exist at this level.
    """
    model_of = {model: row for row, model in enumerate(model_ids)}
    key_of = {key: column for column, key in enumerate(keys)}
    rows = tolerances[(tolerances["level"] == level) & tolerances["model_id"].isin(model_of)]
    _refuse_unknown_keys(rows, level, key_of)
    absolute, relative = np.full(target.shape, np.nan), np.full(target.shape, np.nan)
    general = rows["key"] == ANY_KEY
    for row in rows[general].itertuples():
        absolute[model_of[row.model_id]] = row.absolute
        relative[model_of[row.model_id]] = row.relative
    for row in rows[~general].itertuples():
        absolute[model_of[row.model_id], key_of[row.key]] = row.absolute
        relative[model_of[row.model_id], key_of[row.key]] = row.relative
    width = half_width(absolute, relative, target)
    return target - width, target + width


def override(lower: Floats, upper: Floats, target: Floats, model_targets: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return security-level limits with the model's own `lower` and `upper` put over the tolerances.

    `model_targets` has model (row), security (column), target, lower, upper. For a security that stands in several
    sleeves the limits add up; a sleeve that states none brings its share of the tolerance.
    """
    rows = model_targets
    for name, limits in (("lower", lower), ("upper", upper)):
        own = rows[name].to_numpy(np.float64)
        if np.isnan(own).all():
            continue
        at = (rows["model"].to_numpy(), rows["security"].to_numpy())
        count = np.zeros(target.shape)
        np.add.at(count, at, 1.0)
        total = target[at]
        part = np.divide(rows["target"].to_numpy(np.float64), total, out=1.0 / count[at], where=total > 0)
        width = limits[at] - total
        without = rows["target"].to_numpy(np.float64) + np.where(part > 0, part, 1.0) * width
        summed = np.zeros(target.shape)
        np.add.at(summed, at, np.where(np.isnan(own), without, own))
        stated = np.zeros(target.shape, dtype=bool)
        stated[tuple(index[~np.isnan(own)] for index in at)] = True
        limits = np.where(stated, summed, limits)
        lower, upper = (limits, upper) if name == "lower" else (lower, limits)
    return lower, upper


def _refuse_unknown_keys(rows: pd.DataFrame, level: str, key_of: Mapping[str, int]) -> None:
    unknown = rows[(rows["key"] != ANY_KEY) & ~rows["key"].isin(key_of)]
    if unknown.empty:
        return
    bad = [
        BadRow("tolerances", int(row), f"{model}, {level}", "key", str(key), f"no such {level}",
               f"correct the key, or use {ANY_KEY} for every {level}")
        for row, model, key in zip(unknown.index, unknown["model_id"], unknown["key"])
    ]  # fmt: skip
    raise FirmDataError(
        f"tolerances: {len(bad)} rows name a {level} that does not exist, first {bad[0].value!r} of model "
        f"{unknown['model_id'].iloc[0]}; correct the key, or use {ANY_KEY} for every {level}",
        bad,
    )
