"""Compiled passes of the wash-sale matching: which lots a sale takes, and which purchases replace what it lost.

Lots stand in order of acquisition within their group (household and substantially identical securities), fills in
order of disposition. Days are whole numbers. Both passes are linear in trades and in the blocks they give out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.tax.wash import WASH_DAYS

Floats = NDArray[np.float64]
Longs = NDArray[np.int64]
Flags = NDArray[np.bool_]

#: Share counts below this are rounding, not shares.
DUST = 1e-9
WINDOW = WASH_DAYS


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
def _room(values: Any, needed: int) -> Any:
    """`values` (rows x columns) with room for row number `needed`: twice as long where it was full."""
    if needed < len(values):
        return values
    grown = np.empty((2 * len(values) + 16, values.shape[1]), values.dtype)
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


# columns of the tables below
SHARES, COST, DISALLOWED, PERMANENT = 0, 1, 2, 3
START, NEXT = 0, 1


@njit(cache=True)
def match(
    group_ptr: Longs,
    lot_day: Longs,
    lot_start: Longs,
    lot_free: Floats,
    lot_cost: Floats,
    lot_taxed: Flags,
    used_lot: Longs,
    used_shares: Floats,
    used_cost: Floats,
    used_start: Longs,
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
    and `free` shares that may still become some. `used_...` are the pieces there are at the beginning, in the order of
    each lot's queue. Returns blocks (fill, shares, basis a share, start, loss disallowed,
    of it lost for good), matches (block, lot, shares) and the pieces left open (lot, shares, basis a share, start,
    whether they are replacements). A cost that is not a number gives a gain that is none, and matches nothing.
    """
    n_lots = len(lot_day)
    free = lot_free.copy()
    after = np.arange(n_lots + 1)  # a lot points to itself while it has free shares, else onwards
    head = np.full(n_lots, -1, np.int64)
    tail = np.full(n_lots, -1, np.int64)
    pieces = len(used_lot)
    size = len(fill_lot) + n_lots + pieces + 16
    piece, piece_at = np.empty((size, 2)), np.empty((size, 2), np.int64)
    block, block_at = np.empty((size, 4)), np.empty((size, 2), np.int64)
    matched, matched_at = np.empty((size, 1)), np.empty((size, 2), np.int64)
    blocks = matches = 0
    for p in range(pieces):
        lot = used_lot[p]
        piece[p, SHARES], piece[p, COST] = used_shares[p], used_cost[p]
        piece_at[p, START], piece_at[p, NEXT] = used_start[p], -1
        if head[lot] >= 0:
            piece_at[tail[lot], NEXT] = p
        else:
            head[lot] = p
        tail[lot] = p
    for lot in range(n_lots):
        if free[lot] <= DUST:
            free[lot], after[lot] = 0.0, lot + 1

    for g in range(len(group_ptr) - 1):
        window, end = group_ptr[g], group_ptr[g + 1]
        for f in range(fill_ptr[g], fill_ptr[g + 1]):
            sold, day, need = fill_lot[f], fill_day[f], fill_shares[f]
            while window < end and lot_day[window] < day - WINDOW:
                window += 1
            while need > DUST:
                # one block: a replacement piece of the lot while there are any, then its free shares
                first = head[sold]
                if first >= 0:
                    take, cost, start = min(need, piece[first, SHARES]), piece[first, COST], piece_at[first, START]
                    piece[first, SHARES] -= take
                    if piece[first, SHARES] <= DUST:
                        head[sold] = piece_at[first, NEXT]
                else:
                    take, cost, start = min(need, free[sold]), lot_cost[sold], lot_start[sold]
                    if take <= 0.0:
                        break
                    free[sold] -= take
                    if free[sold] <= DUST:
                        free[sold], after[sold] = 0.0, sold + 1
                need -= take
                block, block_at = _room(block, blocks), _room(block_at, blocks)
                block_at[blocks, 0], block_at[blocks, 1] = f, start
                block[blocks, SHARES], block[blocks, COST] = take, cost
                block[blocks, DISALLOWED] = block[blocks, PERMANENT] = 0.0
                blocks += 1
                loss = cost - fill_price[f]
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
                    if free[lot] <= DUST:
                        free[lot], after[lot] = 0.0, lot + 1
                    # the matched shares leave the free ones and queue as a piece of their own
                    piece, piece_at = _room(piece, pieces), _room(piece_at, pieces)
                    piece[pieces, SHARES], piece_at[pieces, NEXT] = shares, -1
                    block[blocks - 1, DISALLOWED] += shares * loss
                    if lot_taxed[lot]:
                        piece[pieces, COST] = lot_cost[lot] + loss
                        piece_at[pieces, START] = lot_start[lot] - (day - start + 1)
                    else:
                        piece[pieces, COST], piece_at[pieces, START] = lot_cost[lot], lot_start[lot]
                        block[blocks - 1, PERMANENT] += shares * loss
                    if head[lot] >= 0:
                        piece_at[tail[lot], NEXT] = pieces
                    else:
                        head[lot] = pieces
                    tail[lot] = pieces
                    pieces += 1
                    matched, matched_at = _room(matched, matches), _room(matched_at, matches)
                    matched[matches, 0], matched_at[matches, 0], matched_at[matches, 1] = shares, blocks - 1, lot
                    matches += 1
                    lot = _available(after, lot)

    return (
        (
            block_at[:blocks, 0].copy(),
            block[:blocks, SHARES].copy(),
            block[:blocks, COST].copy(),
            block_at[:blocks, 1].copy(),
            block[:blocks, DISALLOWED].copy(),
            block[:blocks, PERMANENT].copy(),
        ),
        (matched_at[:matches, 0].copy(), matched_at[:matches, 1].copy(), matched[:matches, 0].copy()),
        _still_open(head, piece, piece_at, pieces, free, lot_cost, lot_start),
    )


@njit(cache=True)
def _still_open(
    head: Longs,
    piece: Floats,
    piece_at: Longs,
    pieces: int,
    free: Floats,
    lot_cost: Floats,
    lot_start: Longs,
) -> tuple[Longs, Floats, Floats, Longs, Flags]:
    """Lot, shares, basis a share, start and whether they are replacements, of all shares that were not sold."""
    size = len(head) + pieces
    open_lot, open_start = np.empty(size, np.int64), np.empty(size, np.int64)
    open_shares, open_cost = np.empty(size), np.empty(size)
    replacement = np.empty(size, np.bool_)
    rows = 0
    for lot in range(len(head)):
        p = head[lot]
        while p >= 0:
            open_lot[rows], open_shares[rows], replacement[rows] = lot, piece[p, SHARES], True
            open_cost[rows], open_start[rows] = piece[p, COST], piece_at[p, START]
            rows += 1
            p = piece_at[p, NEXT]
        if free[lot] > 0.0:
            open_lot[rows], open_shares[rows], replacement[rows] = lot, free[lot], False
            open_cost[rows], open_start[rows] = lot_cost[lot], lot_start[lot]
            rows += 1
    return open_lot[:rows], open_shares[:rows], open_cost[:rows], open_start[:rows], replacement[:rows]
