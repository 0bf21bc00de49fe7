"""Compiled passes of the wash-sale matching: which lots a sale takes, and which purchases replace what it lost.

Lots stand in order of acquisition within their group (household and substantially identical securities), fills in
order of disposition. Days are whole numbers. Both passes are linear in trades and in the blocks they give out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Share counts below this are rounding, not shares.
DUST = 1e-9
WINDOW = 30


@njit(cache=True)
def fill_sales(
    bucket_ptr: Longs,
    bucket_lot: Longs,
    lot_day: Longs,
    lot_shares: Floats,
    sale_bucket: Longs,
    sale_day: Longs,
    sale_shares: Floats,
    sale_lot: Longs,
) -> tuple[Longs, Longs, Floats, Longs]:
    """Say which lots each sale takes: the one it names (`sale_lot`), or first in first out where that is -1.

    `bucket_lot[bucket_ptr[b]:bucket_ptr[b + 1]]` are the lots of one security in one account by acquisition. Returns
    sale, lot and shares of every fill, and the sales that found too few shares.
    """
    n = len(sale_lot)
    left = lot_shares.copy()
    first = bucket_ptr[:-1].copy()
    fill_sale = np.empty(n + len(lot_day), np.int64)
    fill_lot = np.empty(n + len(lot_day), np.int64)
    fill_shares = np.empty(n + len(lot_day))
    short = np.empty(n, np.int64)
    count = 0
    missing = 0
    for s in range(n):
        need = sale_shares[s]
        lot = sale_lot[s]
        tolerance = max(DUST, 1e-12 * need)
        if lot >= 0:
            if lot_day[lot] > sale_day[s] or left[lot] < need - tolerance:
                short[missing] = s
                missing += 1
                continue
            left[lot] = max(left[lot] - need, 0.0)
            fill_sale[count], fill_lot[count], fill_shares[count] = s, lot, need
            count += 1
            continue
        b = sale_bucket[s]
        at = first[b]
        while need > tolerance:
            while at < bucket_ptr[b + 1] and left[bucket_lot[at]] <= DUST:
                at += 1
            first[b] = at
            if at == bucket_ptr[b + 1] or lot_day[bucket_lot[at]] > sale_day[s]:
                short[missing] = s
                missing += 1
                break
            lot = bucket_lot[at]
            take = min(need, left[lot])
            left[lot] -= take
            need -= take
            fill_sale[count], fill_lot[count], fill_shares[count] = s, lot, take
            count += 1
    return fill_sale[:count], fill_lot[:count], fill_shares[:count], short[:missing]


@njit(cache=True)
def _longer(values: Any, needed: int) -> Any:
    if needed < len(values):
        return values
    grown = np.empty(2 * len(values) + 16, values.dtype)
    grown[: len(values)] = values
    return grown


@njit(cache=True)
def _available(after: Longs, lot: int) -> int:
    """The first lot at or after `lot` with shares that may still replace, shortening the path walked."""
    root = lot
    while after[root] != root:
        root = after[root]
    while after[lot] != root:
        after[lot], lot = root, after[lot]
    return root


@njit(cache=True)
def match(
    group_ptr: Longs,
    lot_day: Longs,
    lot_start: Longs,
    lot_shares: Floats,
    lot_cost: Floats,
    lot_taxed: Flags,
    lot_used: Floats,
    fill_ptr: Longs,
    fill_lot: Longs,
    fill_day: Longs,
    fill_shares: Floats,
    fill_price: Floats,
) -> tuple[
    tuple[Longs, Floats, Floats, Longs, Floats, Floats],
    tuple[Longs, Longs, Floats],
    tuple[Longs, Floats, Floats, Longs, Flags],
]:
    """Work through the fills of each group and hand each loss on to the purchases that replace the shares.

    A lot is a queue of pieces that already are replacements (each with its own basis a share and start), sold first,
    and `free` shares that may still become some. Returns blocks (fill, shares, basis a share, start, loss disallowed,
    of it lost for good), matches (block, lot, shares) and the pieces left open (lot, shares, basis a share, start,
    whether they are replacements). A cost that is not a number gives a gain that is none, and matches nothing.
    """
    n_lots = len(lot_day)
    free = np.maximum(lot_shares - lot_used, 0.0)
    after = np.arange(n_lots + 1)
    head = np.full(n_lots, -1, np.int64)
    tail = np.full(n_lots, -1, np.int64)

    size = len(fill_lot) + n_lots + 16
    piece_shares, piece_cost = np.empty(size), np.empty(size)
    piece_start, piece_next = np.empty(size, np.int64), np.empty(size, np.int64)
    pieces = 0
    block_fill, block_start = np.empty(size, np.int64), np.empty(size, np.int64)
    block_shares, block_cost = np.empty(size), np.empty(size)
    block_disallowed, block_permanent = np.empty(size), np.empty(size)
    blocks = 0
    match_block, match_lot, match_shares = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size)
    matches = 0

    for lot in range(n_lots):
        if lot_used[lot] > DUST:
            piece_shares[pieces] = min(lot_used[lot], lot_shares[lot])
            piece_cost[pieces], piece_start[pieces], piece_next[pieces] = lot_cost[lot], lot_start[lot], -1
            head[lot] = tail[lot] = pieces
            pieces += 1
        if free[lot] <= DUST:
            free[lot] = 0.0
            after[lot] = lot + 1

    for g in range(len(group_ptr) - 1):
        window, end = group_ptr[g], group_ptr[g + 1]
        for f in range(fill_ptr[g], fill_ptr[g + 1]):
            sold, day, need = fill_lot[f], fill_day[f], fill_shares[f]
            while window < end and lot_day[window] < day - WINDOW:
                window += 1
            while need > 0.0:
                if head[sold] >= 0:
                    p = head[sold]
                    take = min(need, piece_shares[p])
                    cost, start = piece_cost[p], piece_start[p]
                    piece_shares[p] -= take
                    if piece_shares[p] <= DUST:
                        head[sold] = piece_next[p]
                        if head[sold] < 0:
                            tail[sold] = -1
                else:
                    take = min(need, free[sold])
                    cost, start = lot_cost[sold], lot_start[sold]
                    free[sold] -= take
                    if free[sold] <= DUST:
                        free[sold] = 0.0
                        after[sold] = sold + 1
                        if need - take <= DUST:
                            take = need
                need -= take
                if take <= 0.0:
                    break
                loss = cost - fill_price[f]
                block_fill = _longer(block_fill, blocks)
                block_start = _longer(block_start, blocks)
                block_shares = _longer(block_shares, blocks)
                block_cost = _longer(block_cost, blocks)
                block_disallowed = _longer(block_disallowed, blocks)
                block_permanent = _longer(block_permanent, blocks)
                block_fill[blocks], block_shares[blocks] = f, take
                block_cost[blocks], block_start[blocks] = cost, start
                block_disallowed[blocks] = block_permanent[blocks] = 0.0
                blocks += 1
                # less than a billionth of the price is rounding, not a loss
                if not (lot_taxed[sold] and loss > 1e-9 * cost):
                    continue
                lot = _available(after, window)
                while take > DUST and lot < end and lot_day[lot] <= day + WINDOW:
                    if lot == sold:
                        lot = _available(after, lot + 1)
                        continue
                    shares = min(take, free[lot])
                    take -= shares
                    free[lot] -= shares
                    piece_shares = _longer(piece_shares, pieces)
                    piece_cost = _longer(piece_cost, pieces)
                    piece_start = _longer(piece_start, pieces)
                    piece_next = _longer(piece_next, pieces)
                    piece_shares[pieces], piece_next[pieces] = shares, -1
                    block_disallowed[blocks - 1] += shares * loss
                    if lot_taxed[lot]:
                        piece_cost[pieces] = lot_cost[lot] + loss
                        piece_start[pieces] = lot_start[lot] - (day - start + 1)
                    else:
                        piece_cost[pieces], piece_start[pieces] = lot_cost[lot], lot_start[lot]
                        block_permanent[blocks - 1] += shares * loss
                    if tail[lot] >= 0:
                        piece_next[tail[lot]] = pieces
                    else:
                        head[lot] = pieces
                    tail[lot] = pieces
                    pieces += 1
                    match_block = _longer(match_block, matches)
                    match_lot = _longer(match_lot, matches)
                    match_shares = _longer(match_shares, matches)
                    match_block[matches], match_lot[matches], match_shares[matches] = blocks - 1, lot, shares
                    matches += 1
                    if free[lot] <= DUST:
                        free[lot] = 0.0
                        after[lot] = lot + 1
                    lot = _available(after, lot)

    open_lot, open_start = np.empty(n_lots + pieces, np.int64), np.empty(n_lots + pieces, np.int64)
    open_shares, open_cost = np.empty(n_lots + pieces), np.empty(n_lots + pieces)
    open_used = np.empty(n_lots + pieces, np.bool_)
    rows = 0
    for lot in range(n_lots):
        p = head[lot]
        while p >= 0:
            open_lot[rows], open_shares[rows], open_used[rows] = lot, piece_shares[p], True
            open_cost[rows], open_start[rows] = piece_cost[p], piece_start[p]
            rows += 1
            p = piece_next[p]
        if free[lot] > 0.0:
            open_lot[rows], open_shares[rows], open_used[rows] = lot, free[lot], False
            open_cost[rows], open_start[rows] = lot_cost[lot], lot_start[lot]
            rows += 1
    return (
        (
            block_fill[:blocks],
            block_shares[:blocks],
            block_cost[:blocks],
            block_start[:blocks],
            block_disallowed[:blocks],
            block_permanent[:blocks],
        ),
        (match_block[:matches], match_lot[:matches], match_shares[:matches]),
        (open_lot[:rows], open_shares[:rows], open_cost[:rows], open_start[:rows], open_used[:rows]),
    )
