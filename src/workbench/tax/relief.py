"""Lot relief: which lots a sale takes, by specific choice, first or last in, highest cost, or least tax.

26 CFR 1.1012-1(c): first in, first out unless the lots are identified by the settlement date; every other method here
is a standing way of identifying them.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import BadRow, FirmDataError, ParameterError
from workbench.tax.holding import days, is_long_term

Floats = NDArray[np.float64]
Method = Literal["fifo", "lifo", "highest_cost", "min_tax", "specific"]
METHODS = ("fifo", "lifo", "highest_cost", "min_tax", "specific")


def relieve(
    lots: pd.DataFrame,
    sales: pd.DataFrame,
    method: Method,
    *,
    short_rate: float | Floats | None = None,
    long_rate: float | Floats | None = None,
) -> pd.DataFrame:
    """Say how many shares of which lot each sale takes, for many sales at once.

    `lots`: `sale_id` (whose sale may take it), `lot_id`, `shares`, `basis` (dollars a share, adjusted for wash sales),
    `holding_start`, `acquired_on` (order of purchase; default: holding_start); for "specific" also `rank` (order in
    which to take; missing: never). `sales`, one row a sale:
    `sale_id`, `shares`, `price`, `sold_on`. "min_tax" takes the lots of least tax a share first, rate times gain with
    `short_rate` and `long_rate` (one number, or one a sale): the deepest losses at the highest rate, then what costs
    least. "highest_cost" looks at basis alone. Ties go by date, earlier first (last in, first out: later first), then
    by lot_id. A lot of unknown basis comes last where basis matters.

    Returns the lots taken: `sale_id`, `lot_id`, `shares`, `proceeds`, `basis`, `gain`, `long` and, where rates are
    given, `tax`. Raises `FirmDataError` where a sale asks for more shares than its lots hold, `ParameterError` for an
    unknown method or missing rates.
    """
    if method not in METHODS:
        raise ParameterError(f"lot relief method {method!r} is unknown; give one of {', '.join(METHODS)}", "method")
    if method == "min_tax" and (short_rate is None or long_rate is None):
        raise ParameterError(
            "min_tax needs short_rate and long_rate; give the household's rates on gains", "short_rate"
        )
    if sales["sale_id"].duplicated().any():
        raise ParameterError("sale_id is not unique in sales; give each sale its own", "sale_id")
    place = pd.Index(sales["sale_id"]).get_indexer(lots["sale_id"])
    rows = lots[place >= 0].reset_index(drop=True)
    place = place[place >= 0]
    price = sales["price"].to_numpy(np.float64)[place]
    gain = price - rows["basis"].to_numpy(np.float64)
    long = is_long_term(rows["holding_start"], sales["sold_on"].to_numpy()[place])
    tax = np.full(len(rows), np.nan)
    if short_rate is not None and long_rate is not None:
        short_rates, long_rates = np.broadcast_to(short_rate, len(sales)), np.broadcast_to(long_rate, len(sales))
        tax = np.where(long, long_rates[place], short_rates[place]) * gain
    if method == "specific":
        chosen = rows["rank"].notna().to_numpy()
        rows, place, price, gain, long, tax = rows[chosen], *(v[chosen] for v in (place, price, gain, long, tax))
    order = np.lexsort((*_keys(rows, method, tax), place))
    taken = _take(rows["shares"].to_numpy(np.float64)[order], place[order], sales)
    keep = taken > 0
    order, taken = order[keep], taken[keep]
    frame = rows[["sale_id", "lot_id"]].iloc[order].reset_index(drop=True)
    frame["shares"], frame["proceeds"] = taken, taken * price[order]
    frame["basis"] = taken * rows["basis"].to_numpy(np.float64)[order]
    frame["gain"], frame["long"] = taken * gain[order], long[order]
    if short_rate is not None and long_rate is not None:
        frame["tax"] = taken * tax[order]
    return frame


def _keys(rows: pd.DataFrame, method: Method, tax: Floats) -> list[NDArray[np.generic]]:
    """Sort keys within a sale, the last one first in rank."""
    name = np.argsort(np.argsort(rows["lot_id"].to_numpy(dtype=object), kind="stable"), kind="stable")
    date = days(rows["acquired_on" if "acquired_on" in rows else "holding_start"]).astype(np.int64)
    basis = rows["basis"].to_numpy(np.float64)
    if method == "fifo":
        return [name, date]
    if method == "lifo":
        return [name, -date]
    if method == "highest_cost":
        return [name, date, np.where(np.isnan(basis), np.inf, -basis)]
    if method == "specific":
        return [name, date, rows["rank"].to_numpy(np.float64)]
    return [name, date, np.where(np.isnan(tax), np.inf, tax)]


def _take(shares: Floats, sale: NDArray[np.intp], sales: pd.DataFrame) -> Floats:
    """Fill each sale from its lots in the order given."""
    wanted = sales["shares"].to_numpy(np.float64)
    through = np.cumsum(shares)
    first = np.searchsorted(sale, np.arange(len(sales)))
    before = np.concatenate([[0.0], through])[first]
    held = np.bincount(sale, shares, len(sales))
    short = np.flatnonzero(wanted > held * (1 + 1e-12) + 1e-9)
    if len(short):
        named = sales["sale_id"].iloc[short]
        bad = [
            BadRow("sales", int(i), str(key), "shares", f"{wanted[i]:g}", f"only {held[i]:g} in its lots", "sell fewer")
            for i, key in zip(short, named)
        ]
        listed = ", ".join(map(str, named[:5]))
        raise FirmDataError(f"sales {listed} ask for more shares than their lots hold; sell fewer, or add lots", bad)
    return np.clip(wanted[sale] - (through - shares - before[sale]), 0.0, shares)
