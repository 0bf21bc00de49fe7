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
        return _tilted.tilted(numbers, weight, target, asset, wanted, scratch)
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
def band(numbers: Floats, weight: Floats, target: Floats, wanted: Floats) -> bool:
    """Trade where a weight strays further than the trigger, back to the destination; numbers: both, and whether relative."""
    trigger, destination, relative = numbers[0], numbers[1], numbers[2] > 0.5
    outside = False
    for i in range(len(weight)):
        width = trigger * (target[i] if relative else 1.0)
        outside = outside or abs(weight[i] - target[i]) > width
    if not outside:
        return False
    wanted[:] = target
    return True
