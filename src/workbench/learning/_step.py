"""The kernel of the environments: many worlds advanced by one decision period at once, and what each of them shows.

Sessions run as in the backtest engine: a decision at the close of t is executed at the close of t + delay at the prices
of that close; units are held; cash earns its return and takes the dividends. Every kernel loops over the batch (B) by
itself: handing an episode's arrays to a function of its own costs more than the episode.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.backtest import Floats, compiled
from workbench.learning.projection import project_into

Ints = NDArray[np.int64]

INTENSITY, BAND, TILT = range(3)
#: Columns of what a step reports.
REWARD, COST, TRACKING, REALISED, DISTANCE, TURNOVER, GROWTH = range(7)
COLUMNS = 7
#: Observations are clipped to plus and minus this.
LIMIT = 10.0
#: Episodes advanced together, so that what they read stays in the processor's cache from one kernel to the next.
CHUNK = 64


class World(NamedTuple):
    """What does not change within an episode: the arrays of a universe and its signals, limits of each position."""

    price: Floats
    dividend: Floats
    cash_return: Floats
    target_return: Floats
    covariance: Floats
    covariance_at: Ints
    market: Floats
    asset: Floats
    target: Floats
    rate: Floats
    volatility: Floats
    lower: Floats
    upper: Floats


class Terms(NamedTuple):
    """Numbers of the task."""

    action: int
    every: int
    delay: int
    sessions_a_year: float
    costs: compiled.Settlement
    dividends: bool
    widest_band: float
    tilt_limit: float
    limited: bool
    turnover_cap: float
    realised: bool
    log_return: bool


class Batch(NamedTuple):
    """The state of B episodes; the kernels write to it. `session` is the close of the last look."""

    path: Ints
    session: Ints
    looks: Ints
    units: Floats
    cash: Floats
    cost_multiple: Floats
    risk_aversion: Floats
    shown: Floats  # B x 2: both as the agent sees them


@njit(cache=True, error_model="numpy")
def step(
    world: World, terms: Terms, batch: Batch, actions: NDArray[np.float32], seen: NDArray[np.float32], report: Floats
) -> None:
    """Advance every episode by one period: `actions` (B x A) in; `seen` (B x D) and `report` (B x COLUMNS) out."""
    for start in range(0, len(batch.path), CHUNK):
        stop = min(start + CHUNK, len(batch.path))
        part = Batch(
            batch.path[start:stop], batch.session[start:stop], batch.looks[start:stop], batch.units[start:stop],
            batch.cash[start:stop], batch.cost_multiple[start:stop], batch.risk_aversion[start:stop],
            batch.shown[start:stop],
        )  # fmt: skip
        weight = np.empty((stop - start, len(world.target)))
        asked, trades = np.empty_like(weight), np.zeros(stop - start, np.bool_)
        weigh(world, part, weight)
        interpret(world.target, terms, actions[start:stop], weight, asked, trades)
        step_to(world, terms, part, weight, asked, trades, seen[start:stop], report[start:stop])


@njit(cache=True, error_model="numpy")
def step_to(
    world: World, terms: Terms, batch: Batch, weight: Floats, asked: Floats, trades: NDArray[np.bool_],
    seen: NDArray[np.float32], report: Floats,
) -> None:  # fmt: skip
    """Advance every episode by one period, from `weight` to the weights `asked` for (B x m) where it `trades`."""
    wanted = asked.copy()
    report[:] = 0.0
    if terms.limited:
        restrict(world, terms, weight, asked, trades, wanted, report)
    wealth = batch.cash.copy()
    for b in range(len(wealth)):
        for i in range(world.price.shape[2]):
            wealth[b] += batch.units[b, i] * world.price[batch.path[b], batch.session[b], i]
        report[b, GROWTH] = 1.0 / wealth[b]
    live(world, terms, batch, terms.delay, wealth, report)
    trade(world, terms.costs, batch, weight, wanted, trades, wealth, report)
    live(world, terms, batch, terms.every - terms.delay, wealth, report)
    conclude(terms, batch, wealth, report)
    observe(world, terms, batch, np.arange(len(weight)), seen)


@njit(cache=True, error_model="numpy")
def begin(world: World, terms: Terms, batch: Batch, which: Ints, wealth: float, seen: NDArray[np.float32]) -> None:
    """Start the episodes `which` at their target weights, at their path and session; write what is seen (B x D)."""
    n = world.price.shape[2]
    for b in which:
        batch.cash[b] = world.target[n] * wealth if len(world.target) > n else 0.0
        batch.looks[b] = 0
        batch.shown[b, 0] = np.log2(batch.risk_aversion[b] / 5.0)
        batch.shown[b, 1] = np.log2(batch.cost_multiple[b])
        for i in range(n):
            batch.units[b, i] = world.target[i] * wealth / world.price[batch.path[b], batch.session[b], i]
    observe(world, terms, batch, which, seen)


@njit(cache=True, error_model="numpy")
def weigh(world: World, batch: Batch, weight: Floats) -> None:
    """Write the weights of all positions (B x m) at the last close; stray cash belongs to no position."""
    n, m = world.price.shape[2], len(world.target)
    for b in range(len(batch.path)):
        invested = 0.0
        for i in range(n):
            weight[b, i] = batch.units[b, i] * world.price[batch.path[b], batch.session[b], i]
            invested += weight[b, i]
        if m > n:
            weight[b, n] = batch.cash[b]
            invested += batch.cash[b]
        for i in range(m):
            weight[b, i] /= invested


@njit(cache=True, error_model="numpy")
def interpret(
    target: Floats, terms: Terms, actions: NDArray[np.float32], weight: Floats, asked: Floats,
    trades: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Write the weights that actions (each number within -1 and 1) ask for, and whether they ask for a trade."""
    numbers = np.zeros(3)
    for b in range(len(weight)):
        level = 0.5 * (min(max(float(actions[b, 0]), -1.0), 1.0) + 1.0)
        if terms.action == BAND:
            numbers[0] = numbers[1] = terms.widest_band * level
            trades[b] = compiled.band(numbers, weight[b], target, asked[b])
        elif terms.action == TILT:
            trades[b], mean = True, 0.0
            for i in range(len(target)):
                asked[b, i] = min(max(float(actions[b, i]), -1.0), 1.0)
                mean += asked[b, i] / len(target)
            for i in range(len(target)):
                asked[b, i] = target[i] + 0.5 * terms.tilt_limit * (asked[b, i] - mean)
        else:
            trades[b] = level > 0.0
            for i in range(len(target)):
                asked[b, i] = weight[b, i] + level * (target[i] - weight[b, i])


@njit(cache=True, error_model="numpy")
def restrict(
    world: World, terms: Terms, weight: Floats, asked: Floats, trades: NDArray[np.bool_], wanted: Floats,
    report: Floats,
) -> None:  # fmt: skip
    """Write the feasible weights nearest to what was asked, and their distance; leaving alone asks for what is held."""
    for b in range(len(weight)):
        if not trades[b]:
            asked[b] = weight[b]
        project_into(asked[b], weight[b], world.lower, world.upper, terms.turnover_cap, wanted[b])
        distance = 0.0
        for i in range(len(world.target)):
            distance += (wanted[b, i] - asked[b, i]) ** 2
        report[b, DISTANCE] = np.sqrt(distance)
        trades[b] = trades[b] or report[b, DISTANCE] > 1e-12


@njit(cache=True, error_model="numpy")
def live(world: World, terms: Terms, batch: Batch, sessions: int, wealth: Floats, report: Floats) -> None:
    """Hold every episode for so many sessions; add their tracking variance and squared active return to the report.

    The variance of a session is that of the weights it begins with; the active return is against the target held
    without drift or cost.
    """
    n = world.price.shape[2]
    active = np.empty(n)
    for b in range(len(wealth)):
        path, since = batch.path[b], batch.session[b]
        cash, value, tracking, realised = batch.cash[b], wealth[b], 0.0, 0.0
        for s in range(since + 1, since + sessions + 1):
            estimate = world.covariance_at[s - 1]
            per_dollar = 1.0 / value
            variance = 0.0
            cash *= 1.0 + world.cash_return[path, s]
            if terms.dividends:
                for i in range(n):
                    cash += batch.units[b, i] * world.dividend[path, s, i]
            value = cash
            for i in range(n):
                active[i] = batch.units[b, i] * world.price[path, s - 1, i] * per_dollar - world.target[i]
                row = 0.5 * world.covariance[path, estimate, i, i] * active[i]
                for j in range(i):
                    row += world.covariance[path, estimate, i, j] * active[j]
                variance += row * active[i]
                value += batch.units[b, i] * world.price[path, s, i]
            gap = value * per_dollar - 1.0 - world.target_return[path, s]
            tracking += 2.0 * variance
            realised += gap * gap
        batch.session[b] = since + sessions
        batch.cash[b], wealth[b] = cash, value
        report[b, TRACKING] += tracking
        report[b, REALISED] += realised


@njit(cache=True, error_model="numpy")
def trade(
    world: World, costs: compiled.Settlement, batch: Batch, weight: Floats, wanted: Floats, trades: NDArray[np.bool_],
    wealth: Floats, report: Floats,
) -> None:  # fmt: skip
    """Trade at the current close to what was wanted at the look, by the engine's own code; what is left alone stays."""
    n, m = world.price.shape[2], len(world.target)
    order, traded, share, held = np.empty((1, m)), np.empty(n), np.empty(n), np.empty(n)
    for b in range(len(wealth)):
        if not (trades[b] and compiled.write_order(order[0], wanted[b], weight[b], world.target)):
            continue
        path, s = batch.path[b], batch.session[b]
        for i in range(n):
            held[i] = batch.units[b, i] * world.price[path, s, i]
        left, cost, count = compiled.settle(
            held, batch.cash[b], order, 0, world.price[path, s],
            world.volatility[path, s] if costs.impact > 0.0 else world.rate,
            compiled.UNTRADED * wealth[b], costs, batch.cost_multiple[b], share, traded,
        )  # fmt: skip
        if left <= 0.0:
            cost = np.nan
        elif count == 0:
            continue
        bought, moved, after = 0.0, 0.0, 0.0
        for i in range(n):
            bought += traded[i]
            moved += abs(traded[i])
            held[i] += traded[i]
            after += held[i]
            if share[i] >= 0.0:
                batch.units[b, i] = held[i] / world.price[path, s, i]
        batch.cash[b] -= bought + cost
        report[b, COST] = cost / wealth[b]
        report[b, TURNOVER] = 0.5 * (moved + abs(bought)) / wealth[b]
        wealth[b] = after + batch.cash[b]


@njit(cache=True, error_model="numpy")
def conclude(terms: Terms, batch: Batch, wealth: Floats, report: Floats) -> None:
    """From sums over a period to basis points and the reward."""
    for b in range(len(wealth)):
        batch.looks[b] += 1
        scale = 1e4 * 0.5 * batch.risk_aversion[b]
        report[b, COST] *= 1e4
        report[b, TRACKING] *= scale / terms.sessions_a_year
        report[b, REALISED] *= scale
        report[b, GROWTH] *= wealth[b]
        if terms.log_return:
            report[b, REWARD] = 1e4 * np.log(report[b, GROWTH]) - report[b, TRACKING]
        else:
            report[b, REWARD] = -(report[b, COST] + report[b, REALISED if terms.realised else TRACKING])


@njit(cache=True, error_model="numpy")
def observe(world: World, terms: Terms, batch: Batch, which: Ints, seen: NDArray[np.float32]) -> None:
    """Write what the agents see at the last close (B x D), in the order of `Task.observation_names`."""
    n, m = world.price.shape[2], len(world.target)
    features, traits = world.market.shape[2], world.asset.shape[2]
    active = np.zeros(m)
    for b in which:
        path, t = batch.path[b], batch.session[b]
        invested = batch.cash[b] if m > n else 0.0
        for i in range(n):
            active[i] = batch.units[b, i] * world.price[path, t, i]
            invested += active[i]
        if m > n:
            active[n] = batch.cash[b]
        for i in range(m):
            active[i] = active[i] / invested - world.target[i]
            seen[b, i] = 20.0 * active[i]
        risk, cost, estimate = 0.0, 0.0, world.covariance_at[t]
        for i in range(n):
            row = 0.5 * world.covariance[path, estimate, i, i] * active[i]
            for j in range(i):
                row += world.covariance[path, estimate, i, j] * active[j]
            risk += 2.0 * row * active[i]
            cost += world.rate[i] * abs(active[i])
        seen[b, m] = 1e3 * 0.5 * batch.risk_aversion[b] * risk
        seen[b, m + 1] = 1e4 * batch.cost_multiple[b] * cost
        seen[b, m + 2] = batch.shown[b, 0]
        seen[b, m + 3] = batch.shown[b, 1]
        k = m + 4
        for f in range(features):
            seen[b, k + f] = world.market[path, t, f]
        k += features
        for g in range(traits):
            for i in range(n):
                seen[b, k + g * n + i] = world.asset[path, t, g, i]
        for k in range(seen.shape[1]):
            seen[b, k] = min(max(seen[b, k], np.float32(-LIMIT)), np.float32(LIMIT))
