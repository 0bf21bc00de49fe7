"""Fair allocation of what was filled: pro rata, whole lots by largest remainder, one average price for everybody.

A block of orders that is filled in part is shared in proportion to what each account ordered (pro rata), rounded down
to its lot, and the shares left over go one lot at a time to the largest remainders (Hamilton's method), ties by account
identifier. No account gets more than it ordered, and what is given out is exactly what was filled: the arithmetic is
in whole numbers of a smallest unit. Every account of a block pays or receives the average price of its fills.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.errors import ParameterError
from workbench.rebalance.trading.orders import BLOCK, require_columns, require_sides

#: The finest part of a share that is told apart: custodians keep no more than six decimals.
UNITS_A_SHARE = 1_000_000

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
#: Above this a product of two whole numbers leaves int64, and Python's own integers take over.
_SAFE = int(np.iinfo(np.int64).max)


def allocate(orders: pd.DataFrame, fills: pd.DataFrame, *, lot: float = 1.0, minimum: float = 0.0) -> pd.DataFrame:
    """Share the fills of each block among the accounts that ordered, fairly and to the last share.

    `orders` has account_id, security_id, side and shares (above zero), one row an account and block, and may have its
    own `lot` (the smallest step the account can take: 1 for whole shares, 0.001 where fractions are kept). `fills` has
    security_id, side, shares and price, any number of rows a block, all that was filled so far. `minimum`, in shares:
    an account gets at least that (or all it ordered), or nothing; the largest orders are served first. Pass all fills
    of a block together: the shares of earlier days are part of them.

    Returns the orders' account_id, security_id and side with `ordered`, `allocated`, `price` (missing where nothing
    was filled), `amount` = allocated x price, and `exception`: "" or why a rule had to yield so that no share is left
    over: "odd_lot" (less than a lot had to go somewhere), "below_minimum". Rows are in order of security, side and
    account. Raises `ParameterError` for a fill without orders or beyond them, a repeated order, or bad numbers.
    """
    require_columns(orders, ["account_id", *BLOCK, "shares"], "orders")
    require_columns(fills, [*BLOCK, "shares", "price"], "fills")
    require_sides(orders, "orders")
    require_sides(fills, "fills")
    orders = orders.sort_values([*BLOCK, "account_id"], kind="stable", ignore_index=True)
    _refuse_repeats(orders)
    filled = _average(fills)
    blocks = orders[BLOCK].drop_duplicates(ignore_index=True)
    known = blocks.merge(filled, on=BLOCK, how="outer", indicator=True)
    if (known["_merge"] == "right_only").any():
        row = known[known["_merge"] == "right_only"].iloc[0]
        raise ParameterError(
            f"fills: {row['security_id']} {row['side']} was filled but nobody ordered it; give its orders",
            "fills",
        )
    block = orders.groupby(BLOCK, sort=False).ngroup().to_numpy(np.int64)
    per_block = blocks.merge(filled, on=BLOCK, how="left")
    lots = orders["lot"].to_numpy(np.float64) if "lot" in orders else np.full(len(orders), float(lot))
    allocated, exception = allocate_shares(
        block,
        orders["shares"].to_numpy(np.float64),
        per_block["shares"].fillna(0.0).to_numpy(np.float64),
        lot=lots,
        minimum=minimum,
    )
    price = per_block["price"].to_numpy(np.float64)[block]
    return pd.DataFrame(
        {
            "account_id": orders["account_id"],
            "security_id": orders["security_id"],
            "side": orders["side"],
            "ordered": orders["shares"].astype(np.float64),
            "allocated": allocated,
            "price": price,
            "amount": np.where(allocated > 0, allocated * price, 0.0),
            "exception": exception,
        }
    )


def allocate_shares(
    block: Ints, ordered: Floats, filled: Floats, *, lot: Floats | float = 1.0, minimum: float = 0.0
) -> tuple[Floats, NDArray[Any]]:
    """Share `filled` (one a block) among orders; `block` (N) is each order's block and must not fall.

    Within a block ties go to the earlier row. Returns the shares of each order and its exception (see `allocate`).
    Amounts are rounded to a millionth of a share, the finest unit told apart. Raises `ParameterError` for orders that
    are not above zero, fills below zero or above what was ordered, a lot or minimum that makes no sense.
    """
    lots = np.broadcast_to(np.asarray(lot, np.float64), ordered.shape)
    _check_numbers(ordered, filled, lots, minimum)
    whole = all(bool((values == np.rint(values)).all()) for values in (ordered, filled, lots, np.array([minimum])))
    scale = 1 if whole else UNITS_A_SHARE
    want, fill, step, least = (
        np.rint(np.asarray(values, np.float64) * scale).astype(np.int64) for values in (ordered, filled, lots, minimum)
    )
    total = _sum(want, block, len(fill))
    if (fill > total).any():
        worst = int(np.argmax(fill - total))
        raise ParameterError(
            f"fills: block {worst} was filled with {filled[worst]:g} shares but only {total[worst] / scale:g} were "
            "ordered; correct the fill or add the orders",
            "fills",
        )
    given, odd = allocate_units(block, np.where(_served(block, want, fill, int(least)), want, 0), fill, step)
    short = (given > 0) & (given < np.minimum(want, least))
    exception = np.where(short, "below_minimum", np.where(odd, "odd_lot", ""))
    return given / scale, exception


def allocate_units(block: Ints, want: Ints, fill: Ints, step: Ints) -> tuple[Ints, NDArray[np.bool_]]:
    """Largest-remainder allocation in whole units: the core, vectorised over blocks.

    `want` (N) are units ordered, `fill` units to give to each block (no more than ordered), `step` (N) the units an
    order takes at a time; its last step may be smaller. Returns units given and whether an order was given part of a
    step because no order of the block could take a whole one.
    """
    given = np.zeros_like(want)
    lot = step = np.maximum(step, 1)
    left = fill.copy()
    while True:
        rest = want - given
        able = (rest > 0) & (np.minimum(step, rest) <= left[block])
        stuck = (left > 0) & (_sum(able.astype(np.int64), block, len(fill)) == 0)
        if stuck.any():  # less than anybody's lot is left: shares do not vanish, one account takes an odd lot
            step = np.where(stuck[block], left[block], step)
            continue
        rows = np.flatnonzero(able)
        if not len(rows):
            break
        given[rows] += _round(block[rows], rest[rows], left, step[rows])
        left = fill - _sum(given, block, len(fill))
    return given, (given % lot != 0) & (given < want)


def _round(block: Ints, rest: Ints, left: Ints, step: Ints) -> Ints:
    """One round: pro rata rounded down to the step, then a step each to the largest remainders while units last."""
    total = _sum(rest, block, len(left))
    share = np.minimum(left, total)
    exact: Any = np.int64 if _fits(rest, share) else object
    scaled = rest.astype(exact) * share[block].astype(exact)
    of = total[block].astype(exact)
    given = ((scaled // of) // step * step).astype(np.int64)
    # What is missing to the exact share, in steps, times the block's total (the same for all rows compared).
    missing = scaled - given.astype(exact) * of
    remainder = missing / step if exact is np.int64 else np.array([float(m) / s for m, s in zip(missing, step)])
    more = np.minimum(step, rest - given)
    spare = (left - _sum(given, block, len(left)))[block]
    open_rows = np.flatnonzero((more > 0) & (more <= spare))
    order = open_rows[np.lexsort((open_rows, -remainder[open_rows], block[open_rows]))]
    taken = order[_running(more[order], block[order]) <= spare[order]]
    given[taken] += more[taken]
    return given


def _served(block: Ints, want: Ints, fill: Ints, minimum: int) -> NDArray[np.bool_]:
    """Which orders take part where a minimum is asked: the largest ones, as many as can each be given the minimum.

    Order k of a block, largest first, can be served when its share of the fill among the first k is its minimum (or
    all it wants); shares only fall as k grows, so that the first failure ends it. Enough orders are kept to take the
    whole fill, and one at least.
    """
    if minimum <= 0:
        return np.ones(len(want), bool)
    order = np.lexsort((np.arange(len(want)), -want, block))
    size, of = want[order], block[order]
    running = _running(size, of)
    fits = size * (fill[of] / running) >= np.minimum(minimum, size) * (1 - 1e-12)
    failures = _running((~fits).astype(np.int64), of)
    served = np.zeros(len(want), bool)
    served[order] = (failures == 0) | (running - size < fill[of])
    return served


def _average(fills: pd.DataFrame) -> pd.DataFrame:
    """Shares filled and their average price, one row a block."""
    shares, price = fills["shares"].to_numpy(np.float64), fills["price"].to_numpy(np.float64)
    bad = ~(np.isfinite(price) & (price > 0)) & (shares > 0)
    if bad.any() or not np.isfinite(shares).all() or (shares < 0).any():
        row = fills[bad | ~(shares >= 0)].iloc[0]
        raise ParameterError(
            f"fills: {row['security_id']} {row['side']} has {row['shares']} shares at {row['price']}; "
            "give shares of 0 or more and a price above 0",
            "fills",
        )
    frame = fills[BLOCK].assign(shares=shares, amount=np.where(shares > 0, shares * price, 0.0))
    sums = frame.sort_values([*BLOCK, "shares", "amount"], kind="stable").groupby(BLOCK, as_index=False).sum()
    return sums.assign(price=(sums["amount"] / sums["shares"].where(sums["shares"] > 0))).drop(columns="amount")


def _refuse_repeats(orders: pd.DataFrame) -> None:
    repeated = orders.duplicated([*BLOCK, "account_id"])
    if repeated.any():
        row = orders[repeated].iloc[0]
        raise ParameterError(
            f"orders: account {row['account_id']} has two orders to {row['side']} {row['security_id']}; "
            "add them into one",
            "orders",
        )


def _check_numbers(ordered: Floats, filled: Floats, lot: Floats, minimum: float) -> None:
    if not (np.isfinite(ordered).all() and (ordered > 0).all()):
        raise ParameterError("orders: every order needs shares above 0; leave out the others", "orders")
    if not (np.isfinite(filled).all() and (filled >= 0).all()):
        raise ParameterError("fills: shares filled must be 0 or more", "fills")
    if not (np.isfinite(lot).all() and (lot >= 1 / UNITS_A_SHARE).all()):
        raise ParameterError(f"lot must be at least {1 / UNITS_A_SHARE:g} of a share", "lot")
    if not (np.isfinite(minimum) and minimum >= 0):
        raise ParameterError("minimum must be 0 shares or more", "minimum")


def _sum(values: Ints, block: Ints, n_blocks: int) -> Ints:
    """Whole-number sums by block, exact (bincount would add floats)."""
    sums = np.zeros(n_blocks, np.int64)
    if len(values):
        first = np.flatnonzero(np.diff(block, prepend=-1))
        sums[block[first]] = np.add.reduceat(values, first)
    return sums


def _running(values: Ints, block: Ints) -> Ints:
    """Running sums within each block; rows of a block stand together."""
    if not len(values):
        return values
    total = np.cumsum(values)
    first = np.flatnonzero(np.diff(block, prepend=-1))
    before = total[first] - values[first]
    return total - np.repeat(before, np.diff(np.append(first, len(values))))


def _fits(rest: Ints, share: Ints) -> bool:
    return int(rest.max(initial=0)) * int(share.max(initial=0)) <= _SAFE
