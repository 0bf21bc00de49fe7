"""Tilts, compiled: the target moved by a signal of each asset, within a limit, before a rule acts on it."""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.backtest.universe import Floats

#: Rows of `Observation.asset` that tilts read.
VOLATILITY_RATIO, TREND = 0, 2


@njit(cache=True)
def move(numbers: Floats, target: Floats, asset: Floats, moved: Floats) -> None:
    """Write the moved target (m) to `moved`; `numbers` are the signal's row, the limit and what makes a full tilt.

    Every position with a target has a score a within -1 and 1 and asks for target + limit / 2 x (a - mean of a).
    What that would leave below the floor, the target less the limit and at least 0, is met by the others in equal
    parts: the weights nearest to those asked for (Euclidean) that keep floor and sum. As the others only give, and
    asked for no more than the limit, none ends above it. A signal that is missing makes every weight NaN.
    """
    mean, count, m = 0.0, 0, len(target)
    for i in range(m):
        if target[i] > 0.0:
            moved[i] = score(numbers, asset, i)
            mean += moved[i]
            count += 1
    if not np.isfinite(mean):
        moved[:] = np.nan
        return
    limit = numbers[1]
    for i in range(m):
        moved[i] = target[i] + 0.5 * limit * (moved[i] - mean / count) if target[i] > 0.0 else 0.0
    # Michelot's algorithm: a position once at its floor stays there, so m rounds are enough.
    for _ in range(m):
        excess, free = 0.0, 0
        for i in range(m):
            moved[i] = max(moved[i], target[i] - limit, 0.0)
            excess += moved[i] - target[i]
            free += moved[i] > max(target[i] - limit, 0.0)
        if free == 0 or excess <= 1e-15:
            return
        for i in range(m):
            if moved[i] > max(target[i] - limit, 0.0):
                moved[i] -= excess / free


@njit(cache=True)
def score(numbers: Floats, asset: Floats, i: int) -> float:
    """How much to hold of position i, from -1 to 1: calmer than usual, or risen. 0 for cash, which has no signal."""
    row, full = int(numbers[0]), numbers[2]
    if row >= len(asset):
        return np.nan
    value = asset[row, i]
    if row == VOLATILITY_RATIO:
        value = -np.log2(value) if value != 0.0 else 0.0
    if np.isnan(value):
        return np.nan
    return min(max(value / full, -1.0), 1.0)
