"""One account by itself with diagonal risk: exact, by the price of its cash. Many accounts in one compiled call.

Of a position with target t, curvature q and weight w the account pays 1/2 q (w - t)^2, a cost a unit bought, and a cost
plus tax a unit sold of each lot. Lots sold in order of tax make this convex and piecewise quadratic in w, so that for a
given price of cash each position has one best weight: the first lot whose tax the deviation does not repay stops the
sale. The cash left falls in step with that price and is piecewise linear in it; a bracketed Newton iteration ends on
the very piece, hence exactly. A position costs its lots a step, and there are about five steps.

Source: Boyd and Vandenberghe (2004), Convex Optimization, 5.5.5 (separable problems by their dual); a position between
its costs is the no-trade region of Davis and Norman (1990).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from workbench.errors import ParameterError
from workbench.rebalance.solver.problem import Flags, Floats, Ints

_STEPS = 200


@dataclass(frozen=True, eq=False)
class Accounts:
    """A accounts, P positions and L lots in compressed rows: positions of account a are `position_ptr[a:a + 2]`.

    All weights are fractions of the account. By position: `target`, `curvature` (above zero), `buy_cost` and
    `sell_cost` a unit traded, `share` the value of one share (0: fractions may be traded) and `minimum` the least trade
    (closing a position may be smaller); with `harvest` a lot whose loss repays selling it and buying a substitute is
    sold whole, and the position's buys are of the substitute; without, a loss never makes a sale that the target does
    not want, as buying back would wash it. By lot: `size` and `tax` a unit sold (rate times gain; below zero for a
    loss). By account: `cash` now and what it may be after, `cash_low` to `cash_high`. A ticket's fee is a cost a trade,
    not a unit, and enters as a least trade.
    """

    position_ptr: Ints
    lot_ptr: Ints
    target: Floats
    curvature: Floats
    buy_cost: Floats
    sell_cost: Floats
    share: Floats
    minimum: Floats
    harvest: Flags
    size: Floats
    tax: Floats
    cash: Floats
    cash_low: Floats
    cash_high: Floats


@dataclass(frozen=True, eq=False)
class AccountTrades:
    """Bought by position (P), sold by lot (L), and by account the price of cash and whether its range could be met.

    `cash_price` is what one unit more of the cash limit that binds costs (positive: a floor, negative: a ceiling, zero:
    neither), before rounding to shares. An account that cannot be met has NaN trades.
    """

    buy: Floats
    sale: Floats
    cash_price: Floats
    feasible: Flags


def solve_accounts(accounts: Accounts) -> AccountTrades:
    """Solve every account by itself; positions of no curvature, unordered limits or missing numbers raise.

    Raises ParameterError naming the array and its first bad place.
    """
    _check(accounts)
    a = accounts
    trades = AccountTrades(
        np.zeros(len(a.target)), np.zeros(len(a.size)), np.zeros(len(a.cash)), np.zeros(len(a.cash), bool)
    )
    work, order = single_workspace(a)
    solve_range(
        0, len(a.cash), a.position_ptr, a.lot_ptr, a.target, a.curvature, a.buy_cost, a.sell_cost, a.share, a.minimum,
        a.harvest, a.size, a.tax, a.cash, a.cash_low, a.cash_high, trades.buy, trades.sale, trades.cash_price,
        trades.feasible, work, order,
    )  # fmt: skip
    return trades


def single_workspace(accounts: Accounts) -> tuple[Floats, Ints]:
    """Allocate what `solve_range` works in: enough for the greatest account."""
    ptr = np.asarray(accounts.position_ptr)
    positions = int(np.max(np.diff(ptr), initial=0))
    lots = int(np.max(np.diff(accounts.lot_ptr[ptr]), initial=0))
    return np.zeros(4 * positions + 2 * lots), np.zeros(lots, np.int32)


@njit(cache=True, nogil=True, error_model="numpy")
def solve_range(
    first: int,
    last: int,
    position_ptr: Ints,
    lot_ptr: Ints,
    target: Floats,
    curvature: Floats,
    buy_cost: Floats,
    sell_cost: Floats,
    share: Floats,
    minimum: Floats,
    harvest: Flags,
    size: Floats,
    tax: Floats,
    cash: Floats,
    cash_low: Floats,
    cash_high: Floats,
    buy: Floats,
    sale: Floats,
    cash_price: Floats,
    feasible: Flags,
    work: Floats,
    order: Ints,
) -> None:
    """Solve accounts `first` to `last` into the four outputs; ranges that do not overlap may run side by side."""
    for a in range(first, last):
        p, end = position_ptr[a], position_ptr[a + 1]
        l0, l1 = lot_ptr[p], lot_ptr[end]
        n = end - p
        pos_lots = lot_ptr[p : end + 1]
        t, q = target[p:end], curvature[p:end]
        cb, cs = buy_cost[p:end], sell_cost[p:end]
        m = l1 - l0
        held, weight, low, high = work[:n], work[n : 2 * n], work[2 * n : 3 * n], work[3 * n : 4 * n]
        s, x = work[4 * n : 4 * n + m], work[4 * n + m : 4 * n + 2 * m]
        _sort_lots(pos_lots, l0, tax[l0:l1], order)
        total = 0.0
        for i in range(n):
            held[i] = 0.0
            for j in range(pos_lots[i] - l0, pos_lots[i + 1] - l0):
                repaid = tax[l0 + j] < -(cb[i] + cs[i])
                s[j] = 0.0 if repaid and harvest[p + i] else size[l0 + j]
                x[j] = -(cb[i] + cs[i]) if repaid else tax[l0 + j]
                held[i] += s[j]
                total += size[l0 + j]
            low[i], high[i] = 0.0, np.inf
        # Weights that leave the account's cash within its range.
        most, least = total + cash[a] - cash_low[a], total + cash[a] - cash_high[a]
        met, price = _meet(n, l0, pos_lots, order, s, x, t, q, cb, cs, held, low, high, least, most, weight)
        if met and _hold_small_trades(n, minimum[p:end], held, weight, low, high):
            met, price = _meet(n, l0, pos_lots, order, s, x, t, q, cb, cs, held, low, high, least, most, weight)
        cash_price[a] = price
        if met:
            met = _whole_shares(
                n, l0, pos_lots, order, s, x, t, q, cb, cs, held, share[p:end], minimum[p:end], least, most, weight
            )
        feasible[a] = met
        for i in range(n):
            left = held[i] - weight[i]
            buy[p + i] = max(-left, 0.0) if met else np.nan
            for m in range(pos_lots[i] - l0, pos_lots[i + 1] - l0):
                j = order[m]
                taken = min(max(left, 0.0), s[j])
                left -= taken
                sale[l0 + j] = taken + (size[l0 + j] - s[j]) if met else np.nan


@njit(cache=True, nogil=True, error_model="numpy")
def _sort_lots(lot_ptr: Ints, l0: int, tax: Floats, order: Ints) -> None:
    """Order each position's lots by tax a unit; of equal ones the earlier comes first."""
    for i in range(len(lot_ptr) - 1):
        for j in range(lot_ptr[i] - l0, lot_ptr[i + 1] - l0):
            m = j
            while m > lot_ptr[i] - l0 and tax[order[m - 1]] > tax[j]:
                order[m] = order[m - 1]
                m -= 1
            order[m] = j


@njit(cache=True, nogil=True, error_model="numpy")
def _weights(
    n: int,
    l0: int,
    lot_ptr: Ints,
    order: Ints,
    size: Floats,
    tax: Floats,
    target: Floats,
    curvature: Floats,
    buy_cost: Floats,
    sell_cost: Floats,
    held: Floats,
    low: Floats,
    high: Floats,
    price: float,
    weight: Floats,
) -> tuple[float, float]:
    """Set the best weight of every position at a price of cash; return their sum and how fast it falls with price."""
    total, slope = 0.0, 0.0
    for i in range(n):
        q = curvature[i]
        w = target[i] - (price + buy_cost[i]) / q
        moving = w > held[i]
        if not moving:
            w = held[i]
            for m in range(lot_ptr[i] - l0, lot_ptr[i + 1] - l0):
                j = order[m]
                best = target[i] - (price - sell_cost[i] - tax[j]) / q
                if best >= w:
                    break
                w = w - size[j]
                if best > w:
                    w, moving = best, True
                    break
            if w < 0.0:
                w = 0.0  # rounding of the sum of lots
        if w < low[i]:
            w, moving = low[i], False
        elif w > high[i]:
            w, moving = high[i], False
        weight[i] = w
        total += w
        if moving:
            slope += 1.0 / q
    return total, slope


@njit(cache=True, nogil=True, error_model="numpy")
def _meet(
    n: int,
    l0: int,
    lot_ptr: Ints,
    order: Ints,
    size: Floats,
    tax: Floats,
    target: Floats,
    curvature: Floats,
    buy_cost: Floats,
    sell_cost: Floats,
    held: Floats,
    low: Floats,
    high: Floats,
    least: float,
    most: float,
    weight: Floats,
) -> tuple[bool, float]:
    """Find the price of cash at which the weights sum to between `least` and `most`; False where none does."""
    slack = 1e-12 * (1.0 + abs(most))
    if most < least - slack:
        return False, 0.0
    price = 0.0
    total, slope = _weights(
        n, l0, lot_ptr, order, size, tax, target, curvature, buy_cost, sell_cost, held, low, high, price, weight
    )
    if least <= total <= most:
        return True, 0.0
    aim = most if total > most else least
    left, right = (0.0, np.inf) if total > most else (-np.inf, 0.0)  # the sum falls with the price
    reach = 1.0
    for _step in range(_STEPS):
        if abs(total - aim) <= 1e-15 * (1.0 + abs(aim)):
            break
        guess = price + (total - aim) / slope if slope > 0.0 else np.inf
        if not left < guess < right:
            if np.isfinite(left) and np.isfinite(right):
                guess = 0.5 * (left + right)
                if not left < guess < right:
                    break
            else:
                reach *= 4.0
                guess = price + reach if total > aim else price - reach
                if reach > 1e30:
                    break
        price = guess
        total, slope = _weights(
            n, l0, lot_ptr, order, size, tax, target, curvature, buy_cost, sell_cost, held, low, high, price, weight
        )
        if total > aim:
            left = price
        else:
            right = price
    return abs(total - aim) <= slack, price


@njit(cache=True, nogil=True, error_model="numpy")
def _hold_small_trades(n: int, minimum: Floats, held: Floats, weight: Floats, low: Floats, high: Floats) -> bool:
    """Fix positions whose trade is smaller than its minimum, unless it closes them; tell whether there are any."""
    found = False
    for i in range(n):
        trade = abs(weight[i] - held[i])
        if 0.0 < trade < minimum[i] and weight[i] > 0.0:
            low[i] = high[i] = held[i]
            found = True
    return found


@njit(cache=True, nogil=True, error_model="numpy")
def _cost(
    i: int,
    l0: int,
    lot_ptr: Ints,
    order: Ints,
    size: Floats,
    tax: Floats,
    target: Floats,
    curvature: Floats,
    buy_cost: Floats,
    sell_cost: Floats,
    held: Floats,
    w: float,
) -> float:
    """Return what position i pays at weight w."""
    cost = 0.5 * curvature[i] * (w - target[i]) ** 2
    left = held[i] - w
    if left <= 0.0:
        return cost - left * buy_cost[i]
    for m in range(lot_ptr[i] - l0, lot_ptr[i + 1] - l0):
        taken = min(left, size[order[m]])
        cost += taken * (sell_cost[i] + tax[order[m]])
        left -= taken
    return cost


@njit(cache=True, nogil=True, error_model="numpy")
def _whole_shares(
    n: int,
    l0: int,
    lot_ptr: Ints,
    order: Ints,
    size: Floats,
    tax: Floats,
    target: Floats,
    curvature: Floats,
    buy_cost: Floats,
    sell_cost: Floats,
    held: Floats,
    share: Floats,
    minimum: Floats,
    least: float,
    most: float,
    weight: Floats,
) -> bool:
    """Round trades to whole shares (a position may be closed whole) and bring cash back into its range.

    Each repair trades the one share that costs least a unit of cash. A least trade is dropped or kept, never undercut.
    """
    total, whole = 0.0, False
    for i in range(n):
        if share[i] > 0.0 and weight[i] != held[i]:
            whole = True
            shares = np.rint((weight[i] - held[i]) / share[i])
            while 0.0 < abs(shares) * share[i] < minimum[i]:
                shares += np.sign(shares)
            w = held[i] + shares * share[i]
            weight[i] = 0.0 if weight[i] == 0.0 or w < 0.5 * share[i] else w
        total += weight[i]
    slack = 1e-12 * (1.0 + abs(most))
    if not whole:
        return True
    for _step in range(20 * n + 20):
        if least - slack <= total <= most + slack:
            return True
        sign = -1.0 if total > most else 1.0
        best, at, to = np.inf, -1, 0.0
        for i in range(n):
            unit = share[i] if share[i] > 0.0 else (total - most if sign < 0 else least - total)
            w = weight[i] + sign * unit
            if 0.0 < abs(w - held[i]) < minimum[i]:
                # Across the gap around what is held: to no trade at all, or to the least trade.
                away = (w - weight[i]) * (w - held[i]) > 0.0 and weight[i] == held[i]
                steps = np.ceil(minimum[i] / unit)
                w = held[i] + sign * steps * unit if away else held[i]
            if w < 0.0:
                w = 0.0
            if w == weight[i]:
                continue
            rise = _cost(i, l0, lot_ptr, order, size, tax, target, curvature, buy_cost, sell_cost, held, w) - _cost(
                i, l0, lot_ptr, order, size, tax, target, curvature, buy_cost, sell_cost, held, weight[i]
            )
            after = total + w - weight[i]
            if (sign < 0.0 and after < least - slack) or (sign > 0.0 and after > most + slack):
                continue
            rise /= abs(w - weight[i])
            if rise < best:
                best, at, to = rise, i, w
        if at < 0:
            return False
        total += to - weight[at]
        weight[at] = to
    return False


def _check(a: Accounts) -> None:
    """Raise ParameterError for arrays that do not fit together or numbers that have no meaning."""
    positions, lots, accounts = len(a.target), len(a.size), len(a.cash)
    for name, length in (("position_ptr", accounts + 1), ("lot_ptr", positions + 1)):
        ptr = getattr(a, name)
        last = positions if name == "position_ptr" else lots
        if len(ptr) != length or ptr[0] != 0 or ptr[-1] != last or np.any(np.diff(ptr) < 0):
            raise ParameterError(f"{name} must rise from 0 to {last} over {length} places", name)
    for names, length in (
        (("curvature", "buy_cost", "sell_cost", "share", "minimum", "harvest"), positions),
        (("tax",), lots),
        (("cash_low", "cash_high"), accounts),
    ):
        for name in names:
            if len(getattr(a, name)) != length:
                raise ParameterError(f"{name} has {len(getattr(a, name))} places, {length} are needed", name)
    for name in ("target", "curvature", "buy_cost", "sell_cost", "share", "minimum", "size", "tax", "cash"):
        values = getattr(a, name)
        bad = ~np.isfinite(values)
        if name not in ("target", "tax", "cash"):
            bad |= values < 0.0
        if name == "curvature":
            bad |= values <= 0.0
        if bad.any():
            at = int(np.argmax(bad))
            raise ParameterError(f"{name}[{at}] is {values[at]}: give a number, and one that has the right sign", name)
    for name in ("cash_low", "cash_high"):
        if np.isnan(getattr(a, name)).any():
            raise ParameterError(f"{name} has a missing value: give -inf or inf for no limit", name)
