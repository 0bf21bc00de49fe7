"""One look ahead with proportional costs, solved exactly: which trades pay for themselves within a horizon.

    minimise over y:  cost'|y - w| + 1/2 strength (y - w*)' A (y - w*)    with sum y = sum w, y >= 0

An active-set method. Every position is on one side: bought, sold, kept where it is, or sold out. Those that move make
a small quadratic program with one equality, solved by Cholesky in the differences to one of them; a step ends at the
first kink (back at its weight, or nothing left), and then the position whose price is most wrong may move too. Every
step lowers the objective, so no set of sides comes back and the method ends; kept positions keep their bits.

`A` may be any symmetric positive semi-definite matrix; cash has a row of zeros and a cost of zero. Where two answers
are equally good (two assets with the same row), a ridge of 1e-10 of the mean diagonal takes the one nearer the target.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from workbench.backtest.universe import Floats

Sides = NDArray[np.int8]

#: Sides of a position: sold but not out, kept, bought, sold out.
SOLD, KEPT, BOUGHT, OUT = -1, 0, 1, 2
#: Ridge, as a part of the mean of the diagonal: small enough not to be seen, large enough to break ties.
RIDGE = 1e-10
#: A price is wrong when it is off by more than this part of costs and gradients.
TOLERANCE = 1e-12


@njit(cache=True)
def quadratic(
    numbers: Floats,
    weight: Floats,
    target: Floats,
    covariance: Floats,
    cost: Floats,
    risk_aversion: float,
    wanted: Floats,
    scratch: Floats,
) -> bool:
    """The rule of `Quadratic`; numbers: horizon in years, risk multiplier, and the gain below which nothing is done."""
    strength = numbers[0] * numbers[1] * risk_aversion
    gain = solve(weight, target, covariance, cost, strength, wanted, scratch)
    return gain > numbers[2] and gain > 0.0


@njit(cache=True)
def solve(
    weight: Floats, target: Floats, matrix: Floats, cost: Floats, strength: float, wanted: Floats, scratch: Floats
) -> float:
    """Write the best weights to `wanted` and their sides to `scratch[:m]`; return the gain over not trading (>= 0).

    The gain is in the objective's unit: a fraction of wealth. `scratch` needs m * m + 6 m floats.
    """
    m = len(weight)
    side, gradient, step = scratch[:m], scratch[m : 2 * m], scratch[2 * m : 3 * m]
    free, right, factor = scratch[3 * m : 4 * m], scratch[4 * m : 5 * m], scratch[5 * m : 5 * m + m * m]
    ridge = 0.0
    for i in range(m):
        wanted[i] = weight[i]
        side[i] = KEPT
        ridge += RIDGE * matrix[i, i] / m
    scale = _gradient(wanted, target, matrix, strength, ridge, gradient)
    before = _risk(wanted, target, gradient)
    for i in range(m):
        scale = max(scale, cost[i])
    solved, moved = True, False
    for _ in range(50 + 20 * m):  # a bound that is never met: far above the number of sides that can change
        if solved:
            if not _release(weight, gradient, cost, TOLERANCE * scale, side):
                break
            moved = True
        _direction(matrix, strength, ridge, gradient, cost, side, free, right, factor, step)
        solved = _advance(weight, side, step, wanted)
        _gradient(wanted, target, matrix, strength, ridge, gradient)
    if not moved:
        return 0.0
    gain = before - _risk(wanted, target, gradient)
    for i in range(m):
        gain -= cost[i] * abs(wanted[i] - weight[i])
    return max(gain, 0.0)


@njit(cache=True)
def _gradient(wanted: Floats, target: Floats, matrix: Floats, strength: float, ridge: float, gradient: Floats) -> float:
    """Gradient of the risk term; returns its largest absolute value."""
    largest = 0.0
    for i in range(len(wanted)):
        total = ridge * (wanted[i] - target[i])
        for j in range(len(wanted)):
            total += matrix[i, j] * (wanted[j] - target[j])
        gradient[i] = strength * total
        largest = max(largest, abs(gradient[i]))
    return largest


@njit(cache=True)
def _risk(wanted: Floats, target: Floats, gradient: Floats) -> float:
    """The risk term, from its gradient."""
    total = 0.0
    for i in range(len(wanted)):
        total += 0.5 * (wanted[i] - target[i]) * gradient[i]
    return total


@njit(cache=True)
def _release(weight: Floats, gradient: Floats, cost: Floats, tolerance: float, side: Floats) -> bool:
    """Let the position move whose price is most wrong (a pair, when none moves yet); False where all prices are right.

    The price of a moving position is its gradient and cost of moving on; at the optimum all moving ones have the same.
    A kept one must not be cheaper to raise, nor dearer to lower, than that.
    """
    m = len(weight)
    price, moving = 0.0, 0
    raised, lowered = -1, -1
    cheapest, dearest = np.inf, -np.inf
    for i in range(m):
        if side[i] == BOUGHT or side[i] == SOLD:
            price += gradient[i] + side[i] * cost[i]
            moving += 1
            continue
        up = gradient[i] + (-cost[i] if side[i] == OUT else cost[i])
        if up < cheapest:
            cheapest, raised = up, i
        if side[i] == KEPT and weight[i] > 0.0 and gradient[i] - cost[i] > dearest:
            dearest, lowered = gradient[i] - cost[i], i
    if moving == 0:
        if raised < 0 or lowered < 0 or not dearest - cheapest > tolerance:
            return False
        side[lowered] = SOLD
        side[raised] = SOLD if side[raised] == OUT else BOUGHT
        return True
    price /= moving
    if price - cheapest >= dearest - price:
        if raised < 0 or not price - cheapest > tolerance:
            return False
        side[raised] = SOLD if side[raised] == OUT else BOUGHT
        return True
    if not dearest - price > tolerance:
        return False
    side[lowered] = SOLD
    return True


@njit(cache=True)
def _direction(
    matrix: Floats,
    strength: float,
    ridge: float,
    gradient: Floats,
    cost: Floats,
    side: Floats,
    free: Floats,
    right: Floats,
    factor: Floats,
    step: Floats,
) -> None:
    """Step to the optimum over the moving positions at their present sides, adding up to zero.

    In differences to the last moving position p the curvature is A_ij - A_ip - A_pj + A_pp: well conditioned also
    where cash (a row of zeros) is among them.
    """
    m, moving = len(side), 0
    for i in range(m):
        step[i] = 0.0
        if side[i] == BOUGHT or side[i] == SOLD:
            free[moving] = i
            moving += 1
    if moving < 2:
        return
    last = int(free[moving - 1])
    price = gradient[last] + side[last] * cost[last]
    n = moving - 1
    for a in range(n):
        i = int(free[a])
        right[a] = price - gradient[i] - side[i] * cost[i]
        for b in range(a + 1):
            j = int(free[b])
            value = matrix[i, j] - matrix[i, last] - matrix[last, j] + matrix[last, last] + ridge
            if a == b:
                value += ridge
            factor[a * m + b] = strength * value
    _cholesky_solve(factor, m, n, strength * ridge, right)
    for a in range(n):
        step[int(free[a])] = right[a]
        step[last] -= right[a]


@njit(cache=True)
def _cholesky_solve(factor: Floats, stride: int, n: int, least: float, right: Floats) -> None:
    """Solve in place; the lower triangle is stored by rows of `stride`; pivots are at least `least`."""
    for a in range(n):
        for b in range(a + 1):
            total = factor[a * stride + b]
            for k in range(b):
                total -= factor[a * stride + k] * factor[b * stride + k]
            if a == b:
                factor[a * stride + a] = np.sqrt(max(total, least))
            else:
                factor[a * stride + b] = total / factor[b * stride + b]
    for a in range(n):
        total = right[a]
        for k in range(a):
            total -= factor[a * stride + k] * right[k]
        right[a] = total / factor[a * stride + a]
    for a in range(n - 1, -1, -1):
        total = right[a]
        for k in range(a + 1, n):
            total -= factor[k * stride + a] * right[k]
        right[a] = total / factor[a * stride + a]


@njit(cache=True)
def _advance(weight: Floats, side: Floats, step: Floats, wanted: Floats) -> bool:
    """Walk along the step to its end or to the first kink, where positions stop; True where the end was reached."""
    m = len(weight)
    length = 1.0
    for i in range(m):
        length = min(length, _to_kink(weight[i], side[i], step[i], wanted[i]))
    whole = True
    for i in range(m):
        if side[i] == KEPT or side[i] == OUT:
            continue
        if _to_kink(weight[i], side[i], step[i], wanted[i]) <= length * (1.0 + 1e-14):
            whole = False
            out = side[i] == SOLD and step[i] < 0.0
            wanted[i] = min(0.0, weight[i]) if out else weight[i]
            side[i] = OUT if out else KEPT
        else:
            wanted[i] += length * step[i]
    return whole


@njit(cache=True)
def _to_kink(weight: float, side: float, step: float, wanted: float) -> float:
    """Part of the step after which a moving position meets its next kink; infinite where it meets none."""
    if side == SOLD and step < 0.0:
        return max((min(0.0, weight) - wanted) / step, 0.0)
    if (side == SOLD and step > 0.0) or (side == BOUGHT and step < 0.0):
        return max((weight - wanted) / step, 0.0)
    return np.inf


@njit(cache=True)
def one_step_batch(
    weight: Floats, target: Floats, matrix: Floats, cost: Floats, strength: Floats
) -> tuple[Floats, Sides, Floats]:
    """K programs at once: wanted weights (K x m), sides (K x m) and gains (K).

    `weight`, `target` and `cost` are K x m, `matrix` is K x m x m and `strength` K: each row has its own.
    """
    rows, m = weight.shape
    wanted, side, gain = np.empty((rows, m)), np.empty((rows, m), np.int8), np.empty(rows)
    scratch = np.empty(m * m + 6 * m)
    for k in range(rows):
        gain[k] = solve(weight[k], target[k], matrix[k], cost[k], strength[k], wanted[k], scratch)
        for i in range(m):
            side[k, i] = np.int8(scratch[i])
    return wanted, side, gain
