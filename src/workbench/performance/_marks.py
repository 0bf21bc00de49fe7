"""Prices of holdings where the market gives none that day: carried over splits, or the account's own trade price.

A close that is missing is the last known one. Two holdings need more. Where a split was booked on a day without a
close, the old close is divided by the split. Where no close is known yet (a new issue, a private holding), the price is
the last one at which the account itself traded or received the security, which may be its cost. Fair value by the best
information at hand: GIPS 2020 for firms, section 2 (the recommended hierarchy of valuation).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workbench.performance.daily import Floats, Ints, Offsets

if TYPE_CHECKING:
    from workbench.performance._ledger import Book


def mark(book: Book, slot_security: Ints, slot_of_row: Offsets, quantity: Floats) -> tuple[Floats, Ints]:
    """Return each slot's price at each close (K x T+1) and the first close at which one is needed and unknown (K).

    -1 where none is. A price that is neither known nor needed is 0.
    """
    rows = book.rows
    price = book.close[slot_security]
    moved = np.flatnonzero((slot_of_row >= 0) & (rows.day > 0))
    stale_split = rows.is_split[moved] & (book.age[rows.security[moved], rows.day[moved]] != 0)
    # Only what was held or moved without a close, or split without one, needs a second look.
    needed = np.zeros(len(slot_security), dtype=bool)
    unknown = np.isnan(book.close)
    some = np.flatnonzero(np.asarray(unknown.any(axis=1))[slot_security])
    needed[some] = ((quantity[some] != 0.0) & unknown[slot_security[some]]).any(axis=1)
    shares = moved[rows.quantity[moved] != 0.0]
    needed[slot_of_row[shares[unknown[rows.security[shares], rows.day[shares]]]]] = True
    special = needed
    special[slot_of_row[moved[stale_split]]] = True
    unpriced = np.full(len(slot_security), -1, dtype=np.int32)
    chosen = np.flatnonzero(special)
    if len(chosen):
        own = _own(book, chosen, slot_security, slot_of_row, quantity)
        price[chosen] = own
        used = quantity[chosen] != 0.0
        place = np.full(len(slot_security), -1)
        place[chosen] = np.arange(len(chosen))
        mine = shares[place[slot_of_row[shares]] >= 0]
        used[place[slot_of_row[mine]], rows.day[mine]] = True
        lacking = used & np.isnan(own)
        unpriced[chosen] = np.where(lacking.any(axis=1), lacking.argmax(axis=1), -1)
    if unknown.any():
        np.nan_to_num(price, copy=False, nan=0.0)
    return price, unpriced


def _own(book: Book, chosen: Offsets, slot_security: Ints, slot_of_row: Offsets, quantity: Floats) -> Floats:
    """Prices of some slots: observed closes, before the first one own trade prices, carried forward over splits."""
    rows = book.rows
    place = np.full(len(slot_security), -1)
    place[chosen] = np.arange(len(chosen))
    mine = np.flatnonzero(np.where(slot_of_row >= 0, place[slot_of_row], -1) >= 0)
    slot, day = place[slot_of_row[mine]], rows.day[mine]
    close, age = book.close[slot_security[chosen]], book.age[slot_security[chosen]]
    seen = np.where(age == 0, close, np.nan)
    seen[:, 0] = close[:, 0]
    traded = ~rows.is_split[mine] & (rows.quantity[mine] != 0.0) & (rows.price[mine] > 0.0)
    traded &= np.isnan(close[slot, day])
    seen[slot[traded], day[traded]] = rows.price[mine][traded]
    ratio = _split_ratio(slot, day, np.where(rows.is_split[mine], rows.quantity[mine], 0.0), quantity[chosen])
    seen *= ratio
    last = np.maximum.accumulate(np.where(np.isnan(seen), 0, np.arange(seen.shape[1])), axis=1)
    return np.asarray(np.take_along_axis(seen, last, axis=1) / ratio, dtype=np.float64)


def _split_ratio(slot: Offsets, day: Ints, extra: Floats, quantity: Floats) -> Floats:
    """New shares for one of the first close, at each close (slots x T+1), from the shares that splits brought."""
    brought = np.zeros_like(quantity)
    np.add.at(brought, (slot, day), extra)
    before = np.concatenate([quantity[:, :1], quantity[:, :-1]], axis=1)
    growth = np.ones_like(quantity)
    split = (brought != 0.0) & (before > 0.0) & (before + brought > 0.0)
    growth[split] += brought[split] / before[split]
    growth[:, 0] = 1.0
    return np.asarray(np.cumprod(growth, axis=1), dtype=np.float64)
