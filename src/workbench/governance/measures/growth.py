"""Growth of assets from clients and clients leaving, from the book of record at two dates: markets kept out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from workbench.errors import FirmDataError, ParameterError

_YEAR = 365.0


@dataclass(frozen=True)
class Growth:
    """Yearly net flows as a fraction of opening assets with their spread, and households leaving a year.

    `growth_spread` is such that `growth_spread / sqrt(households)` is the standard error of `growth` (ratio estimator,
    Cochran 1977, 6.4). `household_days` is what `leaving` was observed over: a household that left counts half of it.
    """

    growth: float
    growth_spread: float
    households: int
    left: int
    leaving: float
    household_days: int
    new: int


def client_growth(opening: pd.Series, closing: pd.Series, flows: pd.Series, start: date, end: date) -> Growth:
    """Measure growth and leaving between two dates.

    `opening` and `closing` hold assets in dollars by household at the two dates, `flows` deposits less withdrawals and
    transfers in less out by household in between; a household without flows may be left out of it. Households without
    assets at the beginning are new: their flows count as growth, and they cannot leave.

    Raises `ParameterError` for dates in the wrong order, `FirmDataError` for missing assets or a household named twice.
    """
    days = (end - start).days
    if days <= 0:
        raise ParameterError(f"the period {start} to {end} has no days; exchange its dates", "end")
    for name, series in (("opening", opening), ("closing", closing), ("flows", flows)):
        if series.index.has_duplicates:
            twice = series.index[series.index.duplicated()][0]
            raise FirmDataError(f"{name}: household {twice} comes twice; give one figure a household")
        if not np.isfinite(series.to_numpy(dtype=float)).all():
            raise FirmDataError(
                f"{name}: a household's figure is missing; value every household or leave it out of all"
            )
    everybody = opening.index.union(flows.index)
    before = opening.reindex(everybody).fillna(0.0).to_numpy(dtype=float)
    moved = flows.reindex(everybody).fillna(0.0).to_numpy(dtype=float)
    clients = opening.index[opening.to_numpy(dtype=float) > 0.0]
    if not len(clients):
        raise FirmDataError("no household had assets at the beginning; choose a later first day")
    growth = moved.sum() / before.sum()
    rest, many = moved - growth * before, len(everybody)
    spread = float(np.sqrt((rest**2).sum() / (many - 1)) / before.mean()) if many > 1 else float("nan")
    after = closing.reindex(clients).fillna(0.0).to_numpy(dtype=float)
    left = int((after <= 0.0).sum())
    observed = round((len(clients) - left / 2) * days)
    scale = _YEAR / days
    new = len(closing.index[closing.to_numpy(dtype=float) > 0.0].difference(clients))
    return Growth(
        float(growth * scale), spread * scale, many, left, left * _YEAR / observed, observed, new
    )  # fmt: skip
