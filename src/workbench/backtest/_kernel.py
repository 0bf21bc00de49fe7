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
    volatility: Floats  # P x T x n, daily; of size 0 where no cost asks for it


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


@njit(cache=True, error_model="numpy")
def _walk_block(market: Market, batch: Batch, terms: Terms, kept: Kept, start: int, stop: int) -> None:
    lanes = stop - start
    path = batch.path[start]
    n = market.price.shape[2]
    m = len(market.target)
    with_cash = m > n
    first, last = terms.first, terms.last
    goal, scratch = np.empty(m), np.empty(_decide.scratch_size(m))
    weight, wish, cost_rate, traded = np.empty(m), np.empty(m), np.zeros(m), np.zeros(n)
    covariance = np.zeros((m, m))
    asset = np.zeros((market.asset.shape[2], m))
    covariance_of = -1
    set_goal(goal, market.target, market.bankrupt_from[path], first)

    units, cash = np.zeros((n, lanes)), np.zeros(lanes)
    wanted, touched = np.zeros((lanes, m)), np.zeros((lanes, m), np.bool_)
    before, value, growth = np.full(lanes, terms.wealth), np.zeros(lanes), np.ones(lanes)
    peak, lowest = np.full(lanes, terms.wealth), np.ones(lanes)
    net, net2, excess, excess2 = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
    active, active2 = np.zeros(lanes), np.zeros(lanes)
    turnover, paid, trades = np.zeros(lanes), np.zeros(lanes), np.zeros(lanes)
    due, look = np.full(lanes, last + 1), np.full(lanes, last + 1)
    ending, ended_at = np.zeros(lanes, np.int64), np.full(lanes, -1)
    strayed = np.zeros(lanes)
    # Bands are told apart for all lanes at once, without making weights; only those near or beyond it are asked.
    width, banded = np.zeros((m, lanes)), True
    for lane in range(lanes):
        run = start + lane
        banded = banded and batch.kind[run] == _decide.BAND
        if batch.kind[run] != _decide.HOLD:
            look[lane] = first + 1 + (batch.offset[run] - first - 1) % batch.every[run]
        for i in range(n):
            units[i, lane] = goal[i] * terms.wealth / market.price[path, first, i] if goal[i] > 0.0 else 0.0
        cash[lane] = goal[n] * terms.wealth if with_cash else 0.0
    if banded:
        _set_widths(width, goal, batch, start)

    for t in range(first + 1, last + 1):
        price = market.price[path, t]
        died = False
        for i in range(n):
            died = died or market.bankrupt_from[path, i] == t
        earned = 1.0 + market.cash_return[path, t]
        for lane in range(lanes):
            cash[lane] *= earned
        if market.pays[path, t]:
            for i in range(n):
                dividend = market.dividend[path, t, i]
                for lane in range(lanes):
                    cash[lane] += units[i, lane] * dividend
        for lane in range(lanes):
            value[lane] = cash[lane]
        for i in range(n):
            close = price[i]
            for lane in range(lanes):
                value[lane] += units[i, lane] * close
        reference = market.target_return[path, t]
        for lane in range(lanes):
            growth[lane] = value[lane] / before[lane]
            gap = growth[lane] - 1.0 - reference
            active[lane] += gap
            active2[lane] += gap * gap
        if died:
            set_goal(goal, market.target, market.bankrupt_from[path], t)
            if banded:
                _set_widths(width, goal, batch, start)
            for lane in range(lanes):
                if value[lane] <= 0.0 and ending[lane] == RAN:
                    ending[lane], ended_at[lane] = NO_WEALTH, t
                    due[lane], look[lane] = last + 1, last + 1

        for lane in range(lanes):
            if due[lane] == t:
                due[lane] = last + 1
                run = start + lane
                left, spread, count = _settle(
                    units[:, lane], cash[lane], value[lane], wanted[lane], touched[lane], price, market.volatility,
                    path, t, terms, batch.multiple[run], traded,
                )  # fmt: skip
                if left <= 0.0:
                    ending[lane], ended_at[lane] = UNPAYABLE, t
                    look[lane] = last + 1
                elif count > 0:
                    bought = 0.0
                    moved = 0.0
                    for i in range(n):
                        bought += traded[i]
                        moved += abs(traded[i])
                    cash[lane] -= bought + spread
                    after = cash[lane]
                    for i in range(n):
                        after += units[i, lane] * price[i]
                    turnover[lane] += 0.5 * (moved + abs(bought)) / value[lane]
                    paid[lane] += spread / value[lane]
                    trades[lane] += count
                    if kept.keep_paths:
                        for i in range(n):
                            kept.trades[batch.row[run], t - first - 1, i] = traded[i] / value[lane]
                        kept.costs[batch.row[run], t - first - 1] = spread / value[lane]
                    growth[lane] *= after / value[lane]
                    value[lane] = after

        riskless = earned - 1.0
        for lane in range(lanes):
            gain = growth[lane] - 1.0
            over = gain - riskless
            net[lane] += gain
            net2[lane] += gain * gain
            excess[lane] += over
            excess2[lane] += over * over
            peak[lane] = value[lane] if value[lane] > peak[lane] else peak[lane]
            level = value[lane] / peak[lane]
            lowest[lane] = level if level < lowest[lane] else lowest[lane]
            before[lane] = value[lane]
        if kept.keep_returns:
            for lane in range(lanes):
                kept.returns[batch.row[start + lane], t - first - 1] = growth[lane] - 1.0
        if kept.keep_paths:
            for lane in range(lanes):
                row = batch.row[start + lane]
                for i in range(n):
                    kept.weights[row, t - first - 1, i] = units[i, lane] * price[i] / value[lane]
                kept.weights[row, t - first - 1, n] = cash[lane] / value[lane]

        looking = False
        for lane in range(lanes):
            looking = looking or look[lane] == t
        if not looking:
            continue
        if banded:
            _stray(strayed, units, cash, value, price, goal, width, with_cash)
        for lane in range(lanes):
            if look[lane] != t:
                continue
            run = start + lane
            look[lane] = t + batch.every[run]
            # One order at a time: a policy with an order on its way is not asked.
            if due[lane] <= last or (banded and strayed[lane] < -1e-9 * value[lane]):
                continue
            invested = value[lane] if with_cash else value[lane] - cash[lane]
            for i in range(n):
                weight[i] = units[i, lane] * price[i] / invested
                cost_rate[i] = terms.rate[i] * batch.multiple[run]
            if with_cash:
                weight[n] = cash[lane] / invested
            if batch.kind[run] > _decide.BAND:
                if market.covariance_at[t] != covariance_of:
                    covariance_of = market.covariance_at[t]
                    covariance[:n, :n] = market.covariance[path, covariance_of]
                asset[:, :n] = market.asset[path, t]
            numbers = batch.numbers[batch.begin[run] : batch.end[run]]
            if not _decide.decide(
                batch.kind[run], numbers, weight, goal, covariance, cost_rate, market.market[path, t], asset,
                terms.risk_aversion, wish, scratch,
            ):  # fmt: skip
                continue
            total, least = 0.0, 0.0
            for i in range(m):
                total += wish[i]
                least = min(least, wish[i])
            if not (abs(total - 1.0) <= SIMPLEX and least >= -SIMPLEX):
                ending[lane], ended_at[lane] = OFF_SIMPLEX, t
                look[lane] = last + 1
                continue
            if t + batch.delay[run] <= last:
                due[lane] = t + batch.delay[run]
                wanted[lane] = wish
                for i in range(m):
                    touched[lane, i] = abs(wish[i] - weight[i]) > UNTRADED

    for lane in range(lanes):
        figures = kept.figures[batch.row[start + lane]]
        figures[NET], figures[NET_SQUARED] = net[lane], net2[lane]
        figures[EXCESS], figures[EXCESS_SQUARED] = excess[lane], excess2[lane]
        figures[ACTIVE], figures[ACTIVE_SQUARED] = active[lane], active2[lane]
        figures[DRAWDOWN], figures[TURNOVER] = lowest[lane] - 1.0, turnover[lane]
        figures[COST], figures[TRADES], figures[WEALTH] = paid[lane], trades[lane], value[lane]
        figures[ENDING], figures[ENDED_AT] = ending[lane], ended_at[lane]


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
def _set_widths(width: Floats, goal: Floats, batch: Batch, start: int) -> None:
    for lane in range(width.shape[1]):
        numbers = batch.numbers[batch.begin[start + lane] : batch.end[start + lane]]
        for i in range(len(goal)):
            width[i, lane] = numbers[0] * (goal[i] if numbers[2] > 0.5 else 1.0)


@njit(cache=True)
def _stray(
    strayed: Floats, units: Floats, cash: Floats, value: Floats, price: Floats, goal: Floats, width: Floats,
    with_cash: bool,
) -> None:  # fmt: skip
    """How far (dollars) each lane's worst position is beyond its band: |u P - w V| > b V needs no division."""
    n, lanes = units.shape
    for lane in range(lanes):
        strayed[lane] = -value[lane]
    for i in range(n):
        close, share = price[i], goal[i]
        for lane in range(lanes):
            base = value[lane] if with_cash else value[lane] - cash[lane]
            beyond = abs(units[i, lane] * close - share * base) - width[i, lane] * base
            strayed[lane] = beyond if beyond > strayed[lane] else strayed[lane]
    if with_cash:
        for lane in range(lanes):
            beyond = abs(cash[lane] - goal[n] * value[lane]) - width[n, lane] * value[lane]
            strayed[lane] = beyond if beyond > strayed[lane] else strayed[lane]


@njit(cache=True, error_model="numpy")
def _settle(
    units: Floats, cash: float, value: float, wanted: Floats, touched: NDArray[np.bool_], price: Floats,
    volatility: Floats, path: int, t: int, terms: Terms, multiple: float, traded: Floats,
) -> tuple[float, float, int]:  # fmt: skip
    """Trade to the wanted weights and pay for it: wealth of the traded positions, cost, trades; units are set.

    Positions that the policy left alone keep their units. The others share what they are worth now, costs taken off,
    in the proportions wanted; cash that is no position is spent with them. Costs depend on trades and trades on what
    costs leave: a fixed point, found to rounding. The wealth is 0 where costs eat it up, -1 where nothing converges.
    """
    n, m = len(units), len(wanted)
    pool, shares = 0.0, 0.0
    for i in range(n):
        traded[i] = 0.0
        if touched[i]:
            pool += units[i] * price[i]
            if price[i] > 0.0:
                shares += wanted[i]
    if m == n:
        pool += cash
    elif touched[n]:
        pool += cash
        shares += wanted[n]
    if shares <= 0.0:
        return value, 0.0, 0
    scale = 1.0 / shares
    count = 0
    for i in range(n):
        if touched[i] and price[i] > 0.0 and abs(wanted[i] * scale * pool - units[i] * price[i]) > UNTRADED * value:
            count += 1
    fixed = terms.ticket * multiple * count
    left, cost, change = pool, 0.0, 0.0
    for _ in range(200):
        cost = fixed
        for i in range(n):
            if touched[i] and price[i] > 0.0:
                size = abs(wanted[i] * scale * left - units[i] * price[i])
                cost += terms.rate[i] * multiple * size
                if terms.impact > 0.0:
                    cost += (
                        terms.impact * multiple * volatility[path, t, i] * size * np.sqrt(size / terms.daily_value[i])
                    )
        following = pool - cost
        if not following > 0.0:
            return 0.0, cost, count
        change = abs(following - left)
        left = following
        if change <= 1e-15 * pool:
            break
    if change > 1e-9 * pool:
        return -1.0, cost, count
    for i in range(n):
        if touched[i] and price[i] > 0.0:
            holding = wanted[i] * scale * left
            traded[i] = holding - units[i] * price[i]
            units[i] = holding / price[i]
    return left, cost, count
