"""The compiled engine: many runs over the same days at once, units held and not weights, statistics on the way.

Runs are walked in blocks of up to `LANES` that share a path and a kind of policy. State is kept as arrays over
lanes, so that a day's valuation is one multiply-add an asset for all lanes together. Weights are made, and a policy is
asked, only on the days it looks. `walk.walk` is the same engine in plain Python; tests hold one against the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from workbench.backtest import _decide
from workbench.backtest._arrays import (
    ACTIVE,
    ACTIVE_SQUARED,
    COST,
    DRAWDOWN,
    DUST,
    ENDED_AT,
    ENDING,
    EXCESS,
    EXCESS_SQUARED,
    FIGURES,
    NET,
    NET_SQUARED,
    NO_WEALTH,
    OFF_SIMPLEX,
    RAN,
    TRADES,
    TURNOVER,
    UNPAYABLE,
    WEALTH,
    Batch,
    Kept,
    Market,
)
from workbench.backtest._settlement import UNTRADED, Terms, on_simplex, settle, write_order
from workbench.backtest.universe import Floats, Ints

#: Runs that are walked side by side.
LANES = 32


@njit(cache=True, error_model="numpy")
def simulate(market: Market, batch: Batch, terms: Terms, kept: Kept) -> None:
    """Walk every run from the close of `terms.first`, where it holds its target, to the close of `terms.last`."""
    for block in range(len(batch.block) - 1):
        _walk_block(market, batch, terms, kept, batch.block[block], batch.block[block + 1])


class Lanes(NamedTuple):
    """The state of a block of runs over the same path, by lane."""

    run: Ints
    units: Floats  # n x lanes
    cash: Floats
    value: Floats
    before: Floats  # value at the last close
    growth: Floats  # value today over value at the last close
    peak: Floats
    order: Floats  # lanes x m: weights ordered, -1 where a position is left alone
    due: Ints  # session of the order's execution, `Terms.last` + 1 where there is none
    look: Ints  # session of the next look
    every: Ints  # sessions between looks
    width: Floats  # m x lanes, of bands
    base: Floats  # what weights are fractions of
    strayed: Floats  # how far the worst position is beyond its band, dollars
    net: Floats
    net_squared: Floats
    excess: Floats
    excess_squared: Floats
    active: Floats
    active_squared: Floats
    drawdown: Floats
    sums: Floats  # FIGURES x lanes; the above are written to it in the end


class Desk(NamedTuple):
    """Room to work in, made once a block: what a policy sees, what it wishes, and what a settlement needs."""

    weight: Floats
    wish: Floats
    cost: Floats
    covariance: Floats
    asset: Floats
    scratch: Floats
    held: Floats
    share: Floats
    traded: Floats


@njit(cache=True, error_model="numpy")
def _walk_block(market: Market, batch: Batch, terms: Terms, kept: Kept, start: int, stop: int) -> None:
    path, first, last = batch.path[start], terms.first, terms.last
    size, n, m = stop - start, market.price.shape[2], len(market.target)
    goal = np.empty(m)
    set_goal(goal, market.target, market.bankrupt_from[path], first)
    # Made here and nowhere else: the compiler sees that no two of them overlap, and works on several lanes at once.
    lanes = Lanes(
        run=np.arange(start, stop),
        units=np.zeros((n, size)),
        cash=np.zeros(size),
        value=np.zeros(size),
        before=np.full(size, terms.wealth),
        growth=np.ones(size),
        peak=np.full(size, terms.wealth),
        order=np.empty((size, m)),
        due=np.full(size, last + 1),
        look=np.full(size, last + 1),
        every=batch.every[start:stop].copy(),
        width=np.zeros((m, size)),
        base=np.zeros(size),
        strayed=np.zeros(size),
        net=np.zeros(size),
        net_squared=np.zeros(size),
        excess=np.zeros(size),
        excess_squared=np.zeros(size),
        active=np.zeros(size),
        active_squared=np.zeros(size),
        drawdown=np.zeros(size),
        sums=np.zeros((len(FIGURES), size)),
    )
    _start(lanes, market, batch, terms, goal)
    banded = batch.kind[start] == _decide.BAND
    if banded:
        _set_widths(lanes, batch, goal)
    desk = Desk(
        weight=np.zeros(m),
        wish=np.zeros(m),
        cost=np.zeros(m),
        covariance=np.zeros((m, m)),
        asset=np.zeros((market.asset.shape[2], m)),
        scratch=np.zeros(_decide.scratch_size(m)),
        held=np.zeros(n),
        share=np.zeros(n),
        traded=np.zeros(n),
    )
    for t in range(first + 1, last + 1):
        _mark(lanes, market, path, t)
        if _somebody_died(market.bankrupt_from, path, t):
            set_goal(goal, market.target, market.bankrupt_from[path], t)
            if banded:
                _set_widths(lanes, batch, goal)
            _end_the_penniless(lanes, terms.wealth, t, last)
        if _any_at(lanes.due, t):
            _execute(lanes, desk, market, batch, terms, kept, path, t)
        _measure(lanes, market.cash_return[path, t])
        if kept.keep_returns or kept.keep_paths:
            _keep(lanes, market.price[path, t], batch, kept, t - first - 1)
        if _any_at(lanes.look, t):
            if banded:
                _pass_inside(lanes, market, goal, path, t)
            if not banded or _any_at(lanes.look, t):
                _ask(lanes, desk, market, batch, terms, goal, path, t)
    _write(lanes, batch, kept)


@njit(cache=True, error_model="numpy")
def _start(lanes: Lanes, market: Market, batch: Batch, terms: Terms, goal: Floats) -> None:
    """Every lane at its target at the close of the first session, with its first look."""
    n, m = market.price.shape[2], len(goal)
    first = terms.first
    lanes.sums[ENDED_AT] = -1.0
    for lane in range(len(lanes.run)):
        run = lanes.run[lane]
        if batch.kind[run] != _decide.HOLD:
            lanes.look[lane] = first + 1 + (batch.offset[run] - first - 1) % batch.every[run]
        for i in range(n):
            if goal[i] > 0.0:
                lanes.units[i, lane] = goal[i] * terms.wealth / market.price[batch.path[run], first, i]
        if m > n:
            lanes.cash[lane] = goal[n] * terms.wealth


@njit(cache=True, error_model="numpy")
def _write(lanes: Lanes, batch: Batch, kept: Kept) -> None:
    """Write the figures of every lane to the row of its run."""
    sums = lanes.sums
    sums[NET], sums[NET_SQUARED], sums[WEALTH] = lanes.net, lanes.net_squared, lanes.value
    sums[EXCESS], sums[EXCESS_SQUARED], sums[DRAWDOWN] = lanes.excess, lanes.excess_squared, lanes.drawdown
    sums[ACTIVE], sums[ACTIVE_SQUARED] = lanes.active, lanes.active_squared
    for lane in range(len(lanes.run)):
        kept.figures[batch.row[lanes.run[lane]]] = sums[:, lane]


@njit(cache=True, error_model="numpy", inline="always")
def _mark(lanes: Lanes, market: Market, path: int, t: int) -> None:
    """Cash earns, dividends come in, units are valued; the day before trading against the target without costs."""
    units, cash, value, before, growth = lanes.units, lanes.cash, lanes.value, lanes.before, lanes.growth
    active, active_squared = lanes.active, lanes.active_squared
    n, size = lanes.units.shape
    earned = 1.0 + market.cash_return[path, t]
    for lane in range(size):
        cash[lane] *= earned
    if market.pays[path, t]:
        for i in range(n):
            dividend = market.dividend[path, t, i]
            for lane in range(size):
                cash[lane] += units[i, lane] * dividend
    for lane in range(size):
        value[lane] = cash[lane]
    for i in range(n):
        close = market.price[path, t, i]
        for lane in range(size):
            value[lane] += units[i, lane] * close
    reference = market.target_return[path, t]
    for lane in range(size):
        growth[lane] = value[lane] / before[lane]
        gap = growth[lane] - 1.0 - reference
        active[lane] += gap
        active_squared[lane] += gap * gap


@njit(cache=True, error_model="numpy", inline="always")
def _measure(lanes: Lanes, riskless: float) -> None:
    """Statistics of the day's net return; the day becomes the one before."""
    value, before, growth, peak = lanes.value, lanes.before, lanes.growth, lanes.peak
    net, net_squared, drawdown = lanes.net, lanes.net_squared, lanes.drawdown
    excess, excess_squared = lanes.excess, lanes.excess_squared
    for lane in range(len(value)):
        gain = growth[lane] - 1.0
        net[lane] += gain
        net_squared[lane] += gain * gain
        over = gain - riskless
        excess[lane] += over
        excess_squared[lane] += over * over
    for lane in range(len(value)):
        peak[lane] = value[lane] if value[lane] > peak[lane] else peak[lane]
        below = value[lane] / peak[lane] - 1.0
        drawdown[lane] = below if below < drawdown[lane] else drawdown[lane]
        before[lane] = value[lane]


@njit(cache=True, error_model="numpy")
def _keep(lanes: Lanes, price: Floats, batch: Batch, kept: Kept, day: int) -> None:
    """Write returns and paths of the day, where they are asked for."""
    n, size = lanes.units.shape
    for lane in range(size):
        row = batch.row[lanes.run[lane]]
        if kept.keep_returns:
            kept.returns[row, day] = lanes.growth[lane] - 1.0
        if kept.keep_paths:
            for i in range(n):
                kept.weights[row, day, i] = lanes.units[i, lane] * price[i] / lanes.value[lane]
            kept.weights[row, day, n] = lanes.cash[lane] / lanes.value[lane]


@njit(cache=True)
def _any_at(sessions: Ints, t: int) -> bool:
    found = 0
    for lane in range(len(sessions)):
        found += sessions[lane] == t
    return found > 0


@njit(cache=True)
def _somebody_died(bankrupt_from: Ints, path: int, t: int) -> bool:
    died = False
    for i in range(bankrupt_from.shape[1]):
        died = died or bankrupt_from[path, i] == t
    return died


@njit(cache=True)
def _end(lanes: Lanes, lane: int, ending: int, t: int, last: int) -> None:
    lanes.sums[ENDING, lane], lanes.sums[ENDED_AT, lane] = ending, t
    lanes.due[lane] = lanes.look[lane] = last + 1


@njit(cache=True)
def _end_the_penniless(lanes: Lanes, wealth: float, t: int, last: int) -> None:
    for lane in range(len(lanes.value)):
        if lanes.value[lane] <= DUST * wealth and lanes.sums[ENDING, lane] == RAN:
            _end(lanes, lane, NO_WEALTH, t, last)


@njit(cache=True, error_model="numpy")
def _execute(
    lanes: Lanes, desk: Desk, market: Market, batch: Batch, terms: Terms, kept: Kept, path: int, t: int
) -> None:
    """Trade the orders due at this close, and take their costs from the day's growth."""
    n, size = lanes.units.shape
    price, volatility = market.price[path, t], market.volatility[path, t]
    held, share, traded = desk.held, desk.share, desk.traded
    for lane in range(size):
        if lanes.due[lane] != t:
            continue
        lanes.due[lane] = terms.last + 1
        run, value = lanes.run[lane], lanes.value[lane]
        for i in range(n):
            held[i] = lanes.units[i, lane] * price[i]
        left, cost, count = settle(
            held, lanes.cash[lane], lanes.order, lane, price, volatility, UNTRADED * value, terms, batch.multiple[run],
            share, traded,
        )  # fmt: skip
        if left <= 0.0:
            _end(lanes, lane, UNPAYABLE, t, terms.last)
        if count == 0 or left <= 0.0:
            continue
        bought, moved, after = 0.0, 0.0, 0.0
        for i in range(n):
            bought += traded[i]
            moved += abs(traded[i])
            held[i] += traded[i]
            after += held[i]
            if share[i] >= 0.0:
                lanes.units[i, lane] = held[i] / price[i]
        lanes.cash[lane] -= bought + cost
        lanes.value[lane] = after + lanes.cash[lane]
        lanes.growth[lane] *= lanes.value[lane] / value
        lanes.sums[TURNOVER, lane] += 0.5 * (moved + abs(bought)) / value
        lanes.sums[COST, lane] += cost / value
        lanes.sums[TRADES, lane] += count
        if kept.keep_paths:
            day = t - terms.first - 1
            for i in range(n):
                kept.trades[batch.row[run], day, i] = traded[i] / value
            kept.costs[batch.row[run], day] = cost / value


@njit(cache=True, error_model="numpy")
def _ask(lanes: Lanes, desk: Desk, market: Market, batch: Batch, terms: Terms, goal: Floats, path: int, t: int) -> None:
    """Ask the policies that look at this close, and keep what they order."""
    n, m = len(lanes.units), len(goal)
    weight, wish, cost = desk.weight, desk.wish, desk.cost
    seen = False
    for lane in range(len(lanes.value)):
        if lanes.look[lane] != t:
            continue
        run = lanes.run[lane]
        kind = batch.kind[run]
        lanes.look[lane] = t + lanes.every[lane]
        executed = t + batch.delay[run]
        # One order at a time: a policy with an order on its way is not asked, nor one whose order would come too late.
        if lanes.due[lane] <= terms.last or executed > terms.last:
            continue
        if kind == _decide.TARGET:
            lanes.due[lane] = executed
            for i in range(m):
                lanes.order[lane, i] = goal[i]
            continue
        if kind > _decide.BAND and not seen:
            seen = True
            desk.covariance[:n, :n] = market.covariance[path, market.covariance_at[t]]
            desk.asset[:, :n] = market.asset[path, t]
        invested = lanes.value[lane] - (0.0 if m > n else lanes.cash[lane])
        for i in range(n):
            weight[i] = lanes.units[i, lane] * market.price[path, t, i] / invested
            cost[i] = terms.rate[i] * batch.multiple[run]
        if m > n:
            weight[n] = lanes.cash[lane] / invested
        numbers = batch.numbers[batch.begin[run] : batch.end[run]]
        if not _decide.decide(
            kind, numbers, weight, goal, desk.covariance, cost, market.market[path, t], desk.asset,
            terms.risk_aversion, wish, desk.scratch,
        ):  # fmt: skip
            continue
        if not on_simplex(wish):
            _end(lanes, lane, OFF_SIMPLEX, t, terms.last)
        elif write_order(lanes.order[lane], wish, weight, goal):
            lanes.due[lane] = executed


@njit(cache=True)
def set_goal(goal: Floats, target: Floats, bankrupt_from: Ints, t: int) -> None:
    """Target of the day: what a bankrupt asset would have had goes to the other positions in proportion."""
    total = 0.0
    for i in range(len(goal)):
        gone = i < len(bankrupt_from) and bankrupt_from[i] <= t
        goal[i] = 0.0 if gone else target[i]
        total += goal[i]
    if total > 0.0:
        for i in range(len(goal)):
            goal[i] /= total


@njit(cache=True)
def _set_widths(lanes: Lanes, batch: Batch, goal: Floats) -> None:
    for lane in range(len(lanes.run)):
        numbers = batch.numbers[batch.begin[lanes.run[lane]] : batch.end[lanes.run[lane]]]
        for i in range(len(goal)):
            lanes.width[i, lane] = numbers[0] * (goal[i] if numbers[2] > 0.5 else 1.0)


@njit(cache=True, inline="always")
def _pass_inside(lanes: Lanes, market: Market, goal: Floats, path: int, t: int) -> None:
    """Lanes that are inside their band need not be asked: |u P - w V| > b V for all at once, without division."""
    look, every = lanes.look, lanes.every
    units, cash, width, base, strayed = lanes.units, lanes.cash, lanes.width, lanes.base, lanes.strayed
    n, size = units.shape
    with_cash = len(goal) > n
    for lane in range(size):
        base[lane] = lanes.value[lane] if with_cash else lanes.value[lane] - cash[lane]
        strayed[lane] = -base[lane]
    for i in range(n):
        close, share = market.price[path, t, i], goal[i]
        for lane in range(size):
            beyond = abs(units[i, lane] * close - share * base[lane]) - width[i, lane] * base[lane]
            strayed[lane] = beyond if beyond > strayed[lane] else strayed[lane]
    for i in range(n, len(goal)):
        for lane in range(size):
            beyond = abs(cash[lane] - goal[i] * base[lane]) - width[i, lane] * base[lane]
            strayed[lane] = beyond if beyond > strayed[lane] else strayed[lane]
    for lane in range(size):
        look[lane] = t + every[lane] if look[lane] == t and strayed[lane] < 0.0 else look[lane]
