"""Which lots of a ledger a sale takes, by a standing method of relief."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.rebalance._books import Lot, TaxRates
from workbench.rebalance.household import Floats
from workbench.tax import ReliefMethod, relieve


def lots_sold(
    day: int,
    wanted: Mapping[tuple[int, int], float],
    lots: Sequence[Lot],
    method: ReliefMethod,
    price: Floats | None = None,
    rates: TaxRates | None = None,
) -> list[tuple[Lot, float]]:
    """Shares to sell by account and security, as sales of lots; not more than the lots hold.

    "min_tax" needs `price` (net proceeds a share, by security) and `rates`. Errors as `tax.relieve`.
    """
    if not wanted:
        return []
    keys = {key: row for row, key in enumerate(wanted)}
    able = [lot for lot in lots if (lot.account, lot.security) in keys]
    frame = pd.DataFrame(
        {
            "sale_id": [keys[lot.account, lot.security] for lot in able], "lot_id": np.arange(len(able)),
            "shares": [lot.shares for lot in able], "basis": [lot.basis for lot in able],
            "holding_start": np.array([lot.start for lot in able], np.int64).astype("datetime64[D]"),
            "acquired_on": np.array([lot.acquired for lot in able], np.int64).astype("datetime64[D]"),
        }
    )  # fmt: skip
    held = np.bincount(frame["sale_id"], frame["shares"], minlength=len(keys))
    asked = pd.DataFrame(
        {
            "sale_id": list(keys.values()), "shares": np.minimum(list(wanted.values()), held),
            "price": np.nan if price is None else price[[security for _, security in keys]],
            "sold_on": np.datetime64(day, "D"),
        }
    )  # fmt: skip
    short, long = (rates.short, rates.long) if rates else (None, None)
    taken = relieve(frame, asked, method, short_rate=short, long_rate=long)
    return [(able[lot], float(shares)) for lot, shares in zip(taken["lot_id"], taken["shares"], strict=True)]


def first_in_first_out(day: int, sales: Sequence[tuple[Lot, float]], lots: Sequence[Lot]) -> list[tuple[Lot, float]]:
    """The same shares sold, but from the oldest lots of each position."""
    wanted: dict[tuple[int, int], float] = {}
    for lot, shares in sales:
        wanted[lot.account, lot.security] = wanted.get((lot.account, lot.security), 0.0) + shares
    return lots_sold(day, wanted, lots, "fifo")
