"""The compiled engine: many runs over the same days at once, units held and not weights, statistics on the way.

Runs are walked in blocks of up to `LANES` that share a path and, mostly, a kind of policy. State is kept as arrays over
lanes, so that a day's valuation is one multiply-add an asset for all lanes together. Weights are made, and a policy is
asked, only on the days it looks. `walk.walk` is the same engine in plain Python; tests hold one against the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.backtest import _decide
from workbench.backtest.universe import Floats, Ints

LANES = 32
#: Weights that a policy asks for may miss the simplex by this much, in sum and below zero.
SIMPLEX = 1e-9
#: A wanted weight this close to the weight held is no wish to trade.
UNTRADED = 1e-12

#: What is left of a portfolio is nothing below this part of what it began with: rounding leaves cents of cents.
DUST = 1e-12

#: How a run ended.
RAN, NO_WEALTH, UNPAYABLE, OFF_SIMPLEX = range(4)

#: Columns of `Kept.figures`: sums over days and what else statistics are made of.
FIGURES = (
    "net", "net_squared", "excess", "excess_squared", "active", "active_squared", "drawdown", "turnover", "cost",
    "trades", "wealth", "ending", "ended_at",
)  # fmt: skip
(
    NET, NET_SQUARED, EXCESS, EXCESS_SQUARED, ACTIVE, ACTIVE_SQUARED, DRAWDOWN, TURNOVER, COST,
    TRADES, WEALTH, ENDING, ENDED_AT,
) = range(len(FIGURES))  # fmt: skip


class Market(NamedTuple):
    """What all runs share: P paths, T sessions, n assets, m positions; shapes as in `Universe` and `Signals`."""

    price: Floats
    dividend: Floats
    pays: NDArray[np.bool_]  # P x T: whether any asset pays
    cash_return: Floats
    bankrupt_from: Ints  # P x n
    target: Floats  # m
    target_return: Floats  # P x T: of the target held without costs
    covariance: Floats
    covariance_at: Ints
    market: Floats
    asset: Floats
    volatility: Floats  # P x T x n, daily


class Batch(NamedTuple):
    """The runs, in the order in which they are walked; `row` is where each one's results go."""

    path: Ints
    kind: Ints
    every: Ints
    offset: Ints
    delay: Ints
    multiple: Floats
    begin: Ints  # of a run's numbers
    end: Ints
    numbers: Floats
    row: Ints
    block: Ints  # where each block of lanes begins; the last entry is the number of runs


class Terms(NamedTuple):
    """Costs before a run's multiple, the client's risk aversion, and the sessions from start to end."""

    rate: Floats  # n: half spread and commission
    daily_value: Floats  # n
    impact: float
    ticket: float
    wealth: float
    risk_aversion: float
    first: int
    last: int


class Kept(NamedTuple):
    """Where results are written: always `figures`; the others only where their flag says so (else of size 0)."""

    figures: Floats  # R x FIGURES
    keep_returns: bool
    returns: Floats  # R x T', net
    keep_paths: bool
    weights: Floats  # R x T' x (n + 1), of wealth after trading, cash last
    trades: Floats  # R x T' x n, fractions of wealth before the day's costs
    costs: Floats  # R x T', the same


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
def on_simplex(wish: Floats) -> bool:
    """Whether weights are 0 or more and sum to 1, within `SIMPLEX`."""
    total, least = 0.0, 0.0
    for i in range(len(wish)):
        total += wish[i]
        least = min(least, wish[i])
    return abs(total - 1.0) <= SIMPLEX and least >= -SIMPLEX


@njit(cache=True)
def write_order(order: Floats, wish: Floats, weight: Floats, goal: Floats) -> bool:
    """Turn wanted weights into an order and return whether it trades anything: -1 is a position left alone.

    A position wanted as it is held is left alone, so that the days until execution do not make it trade. Who wants the
    target wants all of it, also where a weight stands there already. A rounding below zero is zero.
    """
    whole, trades = True, False
    for i in range(len(wish)):
        whole = whole and abs(wish[i] - goal[i]) <= UNTRADED
    for i in range(len(wish)):
        moves = whole or abs(wish[i] - weight[i]) > UNTRADED
        order[i] = max(wish[i], 0.0) if moves else -1.0
        trades = trades or moves
    return trades


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


@njit(cache=True, error_model="numpy")
def settle(
    held: Floats,
    cash: float,
    order: Floats,
    lane: int,
    price: Floats,
    volatility: Floats,
    least: float,
    terms: Terms,
    multiple: float,
    share: Floats,
    traded: Floats,
) -> tuple[float, float, int]:
    """Trade dollars to the wanted weights and pay for it: wealth of the traded positions, cost, number of trades.

    Positions that the order leaves alone keep their units. The others share what they are worth now (`held` (n), and
    cash), costs taken off, in the proportions wanted; cash that is no position is spent with them. Costs depend on
    trades and trades on what costs leave, x + cost(x) = pool: convex in x, so Newton's steps from the pool fall to the
    root and find it to rounding, at proportional costs in two or three. `share` and `traded` (n) are written; a trade
    below `least` dollars costs no ticket. The wealth is 0 where the pool cannot pay.
    """
    n, m = len(held), order.shape[1]
    pool, shares = 0.0, 0.0
    for i in range(n):
        share[i] = order[lane, i] if price[i] > 0.0 else -1.0
        traded[i] = 0.0
        if share[i] >= 0.0:
            pool += held[i]
            shares += share[i]
    if m == n:
        pool += cash
    elif order[lane, n] >= 0.0:
        pool += cash
        shares += order[lane, n]
    if shares <= 0.0 or pool <= 0.0:
        return 1.0, 0.0, 0  # nothing to buy with, or nothing left to buy: the order lapses
    scale, count = 1.0 / shares, 0
    for i in range(n):
        if share[i] >= 0.0:
            share[i] *= scale
            count += abs(share[i] * pool - held[i]) > least
    fixed = terms.ticket * multiple * count
    left = pool
    for _ in range(60):
        cost, slope = _cost(held, share, left, volatility, terms)
        cost = multiple * cost + fixed
        excess, slope = left + cost - pool, 1.0 + multiple * slope
        if excess <= 4e-16 * pool:
            break
        left = left - excess / slope if slope > 0.0 else 0.0
        if left <= 0.0:
            return 0.0, 0.0, count
    for i in range(n):
        if share[i] >= 0.0:
            traded[i] = share[i] * left - held[i]
    return left, cost, count


@njit(cache=True, error_model="numpy")
def _cost(held: Floats, share: Floats, left: float, volatility: Floats, terms: Terms) -> tuple[float, float]:
    """Cost of trading to `share` of `left` dollars, before multiple and tickets, and its slope in `left`."""
    cost, slope = 0.0, 0.0
    for i in range(len(held)):
        if share[i] < 0.0:
            continue
        size = share[i] * left - held[i]
        steep = share[i] if size > 0.0 else -share[i]
        size = abs(size)
        cost += terms.rate[i] * size
        slope += terms.rate[i] * steep
        if terms.impact > 0.0:
            price = terms.impact * volatility[i] * np.sqrt(size / terms.daily_value[i])
            cost += price * size
            slope += 1.5 * price * steep
    return cost, slope
