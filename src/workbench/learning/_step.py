"""The kernel of the environments: many worlds advanced by one decision period at once, and what each of them shows.

Sessions run as in the backtest engine: a decision at the close of t is executed at the close of t + delay at the prices
of that close; units are held; cash earns its return and takes the dividends. All arrays are structures of arrays over
the batch (B).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.backtest import Floats, band
from workbench.learning.projection import project_into

Ints = NDArray[np.int64]

INTENSITY, BAND, TILT = range(3)
#: Columns of what a step reports.
REWARD, COST, TRACKING, REALISED, DISTANCE, TURNOVER, GROWTH = range(7)
COLUMNS = 7
#: Observations are clipped to plus and minus this.
LIMIT = 10.0


class World(NamedTuple):
    """What does not change within an episode: the arrays of a universe and its signals, limits of each position."""

    price: Floats
    dividend: Floats
    cash_return: Floats
    covariance: Floats
    covariance_at: Ints
    market: Floats
    asset: Floats
    target: Floats
    half_spread: Floats
    daily_value: Floats
    lower: Floats
    upper: Floats


class Terms(NamedTuple):
    """Numbers of the task."""

    action: int
    every: int
    delay: int
    sessions_a_year: float
    commission: float
    impact: float
    ticket: float
    widest_band: float
    tilt_limit: float
    limited: bool
    turnover_cap: float
    realised: bool
    log_return: bool


class Batch(NamedTuple):
    """The state of B episodes; the kernel writes to it. `session` is the close of the last look."""

    path: Ints
    session: Ints
    looks: Ints
    units: Floats
    cash: Floats
    cost_multiple: Floats
    risk_aversion: Floats


@njit(cache=True)
def weigh(world: World, batch: Batch, b: int, weight: Floats) -> float:
    """Write the weights of all positions (m) at the last close; return wealth. Stray cash belongs to no position."""
    price = world.price[batch.path[b], batch.session[b]]
    n = len(price)
    invested = 0.0
    for i in range(n):
        weight[i] = batch.units[b, i] * price[i]
        invested += weight[i]
    wealth = invested + batch.cash[b]
    if len(world.target) > n:
        weight[n] = batch.cash[b]
        invested = wealth
    for i in range(len(weight)):
        weight[i] /= invested
    return wealth


@njit(cache=True)
def observe(world: World, terms: Terms, batch: Batch, b: int, weight: Floats, seen: NDArray[np.float32]) -> None:
    """Write what the agent sees at the last close, in the order of `Task.observation_names`."""
    weigh(world, batch, b, weight)
    path, t = batch.path[b], batch.session[b]
    n, m = world.price.shape[2], len(weight)
    risk, cost, k = 0.0, 0.0, m
    covariance = world.covariance[path, world.covariance_at[t]]
    for i in range(m):
        seen[i] = 20.0 * (weight[i] - world.target[i])
        if i < n:
            row = 0.0
            for j in range(n):
                row += covariance[i, j] * (weight[j] - world.target[j])
            risk += row * (weight[i] - world.target[i])
            cost += (batch.cost_multiple[b] * world.half_spread[i] + terms.commission) * abs(
                weight[i] - world.target[i]
            )
    seen[k] = 0.1 * 1e4 * 0.5 * batch.risk_aversion[b] * risk
    seen[k + 1] = 1e4 * cost
    seen[k + 2] = np.log2(batch.risk_aversion[b] / 5.0)
    seen[k + 3] = np.log2(batch.cost_multiple[b])
    k += 4
    for f in range(world.market.shape[2]):
        seen[k] = world.market[path, t, f]
        k += 1
    for g in range(world.asset.shape[2]):
        for i in range(n):
            seen[k] = world.asset[path, t, g, i]
            k += 1
    for i in range(k):
        seen[i] = min(max(seen[i], np.float32(-LIMIT)), np.float32(LIMIT))


@njit(cache=True)
def interpret(
    world: World, terms: Terms, action: NDArray[np.float32], weight: Floats, wanted: Floats, numbers: Floats
) -> bool:
    """Write the weights an action (each number within -1 and 1) asks for; return whether it asks for a trade."""
    first = min(max(float(action[0]), -1.0), 1.0)
    level = 0.5 * (first + 1.0)
    if terms.action == BAND:
        numbers[0] = terms.widest_band * level
        numbers[1] = numbers[0]
        numbers[2] = 0.0
        return band(numbers, weight, world.target, wanted)
    if terms.action == TILT:
        mean = 0.0
        for i in range(len(weight)):
            wanted[i] = min(max(float(action[i]), -1.0), 1.0)
            mean += wanted[i] / len(weight)
        for i in range(len(weight)):
            wanted[i] = world.target[i] + 0.5 * terms.tilt_limit * (wanted[i] - mean)
        return True
    for i in range(len(weight)):
        wanted[i] = weight[i] + level * (world.target[i] - weight[i])
    return level > 0.0


@njit(cache=True)
def restrict(world: World, terms: Terms, weight: Floats, asked: Floats, trades: bool, wanted: Floats) -> tuple:
    """Write the feasible weights nearest to what was asked; return whether to trade and the distance between them."""
    if not terms.limited:
        wanted[:] = asked
        return trades, 0.0
    if not trades:
        asked[:] = weight
    project_into(asked, weight, world.lower, world.upper, terms.turnover_cap, wanted)
    distance = 0.0
    for i in range(len(wanted)):
        distance += (wanted[i] - asked[i]) ** 2
    distance = np.sqrt(distance)
    return trades or distance > 1e-12, distance


@njit(cache=True)
def trade(world: World, terms: Terms, batch: Batch, b: int, s: int, wealth: float, wanted: Floats) -> tuple:
    """Trade to the wanted weights at close s; return the cost in dollars and the one-way turnover.

    Costs come out of cash where the target holds some, and else out of what is bought: the weights are then those of
    the wealth left after costs, found by iteration (each step shrinks the error by the cost rate).
    """
    price, units = world.price[batch.path[b], s], batch.units[b]
    with_cash = len(world.target) > len(price)
    cost, traded = 0.0, 0.0
    for _ in range(1 if with_cash else 30):
        before, cost, traded = cost, 0.0, 0.0
        for i in range(len(price)):
            dollars = abs(wanted[i] * (wealth - before) - units[i] * price[i])
            traded += dollars
            if dollars > 0.0:
                rate = batch.cost_multiple[b] * world.half_spread[i] + terms.commission
                cost += rate * dollars + terms.ticket
        if abs(cost - before) <= 1e-15 * wealth:
            break
    left = wealth if with_cash else wealth - cost
    spent = 0.0
    for i in range(len(price)):
        units[i] = wanted[i] * left / price[i]
        spent += wanted[i] * left
    batch.cash[b] = wealth - cost - spent if with_cash else 0.0
    return cost, 0.5 * traded / wealth


@njit(cache=True)
def advance(
    world: World, terms: Terms, batch: Batch, b: int, weight: Floats, wanted: Floats, trades: bool, out: Floats
) -> None:
    """Advance one episode to its next look and write the columns of the report; `weight` is scratch."""
    path, n = batch.path[b], world.price.shape[2]
    t = batch.session[b]
    for k in range(COLUMNS):
        out[k] = 0.0
    wealth = weigh(world, batch, b, weight)
    start = wealth
    if trades and terms.delay == 0:
        cost, out[TURNOVER] = trade(world, terms, batch, b, t, wealth, wanted)
        out[COST] += cost / wealth
        wealth -= cost
    scale = 0.5 * batch.risk_aversion[b]
    for s in range(t + 1, t + terms.every + 1):
        before, now = world.price[path, s - 1], world.price[path, s]
        covariance = world.covariance[path, world.covariance_at[s - 1]]
        for i in range(n):
            weight[i] = batch.units[b, i] * before[i] / wealth - world.target[i]
        variance, target_return, target_cash = 0.0, 0.0, 1.0
        cash = batch.cash[b] * (1.0 + world.cash_return[path, s])
        value = 0.0
        for i in range(n):
            row = 0.0
            for j in range(n):
                row += covariance[i, j] * weight[j]
            variance += row * weight[i]
            income = world.dividend[path, s, i]
            cash += batch.units[b, i] * income
            value += batch.units[b, i] * now[i]
            target_return += world.target[i] * ((now[i] + income) / before[i] - 1.0)
            target_cash -= world.target[i]
        batch.cash[b] = cash
        value += cash
        out[TRACKING] += scale * variance / terms.sessions_a_year
        if len(world.target) > n:
            target_return += target_cash * world.cash_return[path, s]
        net = value
        if trades and s == t + terms.delay:
            cost, out[TURNOVER] = trade(world, terms, batch, b, s, value, wanted)
            out[COST] += cost / value
            net -= cost
        out[REALISED] += scale * (net / wealth - 1.0 - target_return) ** 2
        wealth = net
    batch.session[b] = t + terms.every
    batch.looks[b] += 1
    out[GROWTH] = wealth / start
    out[COST] *= 1e4
    out[TRACKING] *= 1e4
    out[REALISED] *= 1e4
    loss = out[REALISED] if terms.realised else out[TRACKING]
    out[REWARD] = 1e4 * np.log(out[GROWTH]) - loss if terms.log_return else -(out[COST] + loss)


@njit(cache=True)
def step(
    world: World,
    terms: Terms,
    batch: Batch,
    actions: NDArray[np.float32],
    seen: NDArray[np.float32],
    report: Floats,
) -> None:
    """Advance every episode by one period: `actions` (B x A) in; `seen` (B x D) and `report` (B x COLUMNS) out."""
    m = len(world.target)
    weight, asked, wanted, numbers = np.empty(m), np.empty(m), np.empty(m), np.empty(3)
    for b in range(len(batch.path)):
        weigh(world, batch, b, weight)
        trades = interpret(world, terms, actions[b], weight, asked, numbers)
        trades, distance = restrict(world, terms, weight, asked, trades, wanted)
        advance(world, terms, batch, b, weight, wanted, trades, report[b])
        report[b, DISTANCE] = distance
        observe(world, terms, batch, b, weight, seen[b])


@njit(cache=True)
def step_to(
    world: World, terms: Terms, batch: Batch, b: int, asked: Floats, trades: bool, seen: NDArray[np.float32], out: Floats
) -> None:
    """Advance one episode whose wanted weights come from outside, in place of an action."""
    weight, wanted = np.empty(len(asked)), np.empty(len(asked))
    weigh(world, batch, b, weight)
    trades, distance = restrict(world, terms, weight, asked, trades, wanted)
    advance(world, terms, batch, b, weight, wanted, trades, out)
    out[DISTANCE] = distance
    observe(world, terms, batch, b, weight, seen)


@njit(cache=True)
def begin(world: World, terms: Terms, batch: Batch, which: Ints, wealth: float, seen: NDArray[np.float32]) -> None:
    """Start the episodes `which` at their target weights, at their path and session; write what is seen (B x D)."""
    weight = np.empty(len(world.target))
    for b in which:
        price = world.price[batch.path[b], batch.session[b]]
        batch.cash[b] = wealth
        for i in range(len(price)):
            batch.units[b, i] = world.target[i] * wealth / price[i]
            batch.cash[b] -= world.target[i] * wealth
        if len(world.target) == len(price):
            batch.cash[b] = 0.0
        batch.looks[b] = 0
        observe(world, terms, batch, b, weight, seen[b])
