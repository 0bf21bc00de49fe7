"""The compiled form of every policy: one function an engine calls at a look; kinds are numbers, one file a family."""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.backtest import _learned, _one_step, _tilted
from workbench.backtest.universe import Floats

HOLD, TARGET, BAND, QUADRATIC, TILTED, LEARNED_QUADRATIC, BAND_NETWORK = range(7)


@njit(cache=True)
def scratch_size(positions: int) -> int:
    """Floats of scratch that `decide` may write to, for m positions."""
    return 16 * positions * positions + 64 * positions + 1024


@njit(cache=True)
def decide(
    kind: int,
    numbers: Floats,
    weight: Floats,
    target: Floats,
    covariance: Floats,
    cost: Floats,
    market: Floats,
    asset: Floats,
    risk_aversion: float,
    wanted: Floats,
    scratch: Floats,
) -> bool:
    """Write the wanted weights (m) to `wanted` and return whether to trade; arguments are those of `Observation`."""
    if kind == TARGET:
        wanted[:] = target
        return True
    if kind == BAND:
        return band(numbers, weight, target, wanted)
    if kind == QUADRATIC:
        return _one_step.quadratic(numbers, weight, target, covariance, cost, risk_aversion, wanted, scratch)
    if kind == TILTED:
        return tilted(numbers, weight, target, asset, wanted, scratch)
    if kind == LEARNED_QUADRATIC:
        return _learned.learned_quadratic(
            numbers, weight, target, covariance, cost, market, asset, risk_aversion, wanted, scratch
        )
    if kind == BAND_NETWORK:
        return _learned.band_network(
            numbers, weight, target, covariance, cost, market, asset, risk_aversion, wanted, scratch
        )
    return False


@njit(cache=True)
def tilted(numbers: Floats, weight: Floats, target: Floats, asset: Floats, wanted: Floats, scratch: Floats) -> bool:
    """Move the target by a signal, then trade to it as a calendar or a band would.

    `numbers` are the three of `_tilted.move`, the kind of the rule that acts on the moved target, and its numbers.
    """
    moved = scratch[: len(target)]
    _tilted.move(numbers[:3], target, asset, moved)
    if numbers[3] == BAND and np.isfinite(moved[0]):
        return band(numbers[4:], weight, moved, wanted)
    wanted[:] = moved
    return True


@njit(cache=True)
def band(numbers: Floats, weight: Floats, target: Floats, wanted: Floats) -> bool:
    """Trade once a weight strays further than the trigger, back to the destination.

    `numbers` are trigger, destination (distances from the target) and whether they are fractions of the target.
    Positions outside the destination go to its edge. What that leaves over or short is met on the other side: its edge
    is drawn in, the furthest positions first, until the trades sum to zero. So no position crosses its target, none
    moves away from it, and no other way back trades less.
    """
    trigger, destination, relative = numbers[0], numbers[1], numbers[2] > 0.5
    outside = False
    for i in range(len(weight)):
        width = trigger * (target[i] if relative else 1.0)
        # A position put on the edge is inside, whatever rounding makes of it.
        outside = outside or abs(weight[i] - target[i]) > width + 1e-9
    if not outside:
        return False
    if destination == 0.0:
        wanted[:] = target
        return True
    left = 0.0
    for i in range(len(weight)):
        edge = destination * (target[i] if relative else 1.0)
        wanted[i] = min(max(weight[i] - target[i], -edge), edge)
        left += wanted[i]
    side = 1.0 if left < 0.0 else -1.0
    share = _drawn_edge(numbers, target, wanted, side)
    for i in range(len(weight)):
        edge = share * destination * (target[i] if relative else 1.0)
        if side * wanted[i] < -edge:
            wanted[i] = -side * edge
        wanted[i] += target[i]
    return True


@njit(cache=True)
def _drawn_edge(numbers: Floats, target: Floats, deviation: Floats, side: float) -> float:
    """Share s of the edge at which the sum of max(side x deviation, -s x edge) is zero.

    The sum is convex and falls in s, so Newton's steps from s = 0 climb to the root and end after m of them at most.
    """
    destination, relative = numbers[1], numbers[2] > 0.5
    share = 0.0
    for _ in range(len(deviation) + 1):
        total, slope = 0.0, 0.0
        for i in range(len(deviation)):
            edge = destination * (target[i] if relative else 1.0)
            if side * deviation[i] < -share * edge:
                slope += edge
            else:
                total += side * deviation[i]
        following = total / slope if slope > 0.0 else share
        if following <= share:
            break
        share = following
    return share
