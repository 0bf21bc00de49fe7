"""Bellman's operator on a grid, compiled: the value to expect of the weights that come, and each point's best trade.

Points, splines and shapes are those of `dynamic_programming`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.backtest import _one_step, _spline
from workbench.backtest.universe import Floats


@njit(cache=True)
def expect(
    before: Floats,
    growth: Floats,
    probability: Floats,
    cost: float,
    coefficients: Floats,
    low: Floats,
    spacing: Floats,
    points: Floats,
) -> Floats:
    """E V of the weights that each grid point drifts to; off the grid, V of its edge and the cost of getting there."""
    count, n = before.shape
    expected, moved, edge = np.zeros(count), np.empty(n), np.zeros(2)
    high = low + spacing * (points - 1.0)
    for k in range(count):
        for q in range(len(probability)):
            total, away, rest = 0.0, 0.0, 0.0
            for i in range(n):
                moved[i] = before[k, i] * growth[q, i]
                total += moved[i]
            for i in range(n - 1):
                weight = moved[i] / total
                edge[i] = min(max(weight, low[i]), high[i])
                away += abs(edge[i] - weight)
                rest += edge[i] - weight
            inside = _spline.value(coefficients, edge[0], edge[1], low, spacing, points)
            expected[k] += probability[q] * (inside + cost * (away + abs(rest)))
    return expected


@njit(cache=True)
def at(weights: Floats, coefficients: Floats, low: Floats, spacing: Floats, points: Floats) -> Floats:
    """The spline at many weights."""
    found = np.empty(len(weights))
    for k in range(len(weights)):
        second = weights[k, 1] if weights.shape[1] > 2 else 0.0
        found[k] = _spline.value(coefficients, weights[k, 0], second, low, spacing, points)
    return found


@njit(cache=True)
def nearest(weights: Floats, low: Floats, spacing: Floats, shape: tuple[int, int], destination: Floats) -> Floats:
    """Where the nearest grid point trades to: a start for `improve`."""
    start = np.empty_like(weights)
    for k in range(len(weights)):
        index = 0
        for i in range(2):
            at = 0
            if shape[i] > 1:
                at = min(max(round((weights[k, i] - low[i]) / spacing[i]), 0), shape[i] - 1)
            index = index * shape[i] + at
        start[k] = destination[index]
    return start


@njit(cache=True)
def improve(
    weights: Floats, start: Floats, costs: Floats, coefficients: Floats, low: Floats, spacing: Floats, points: Floats
) -> Floats:
    """The best weights after trading from each of `weights` (K x n), by Newton steps from `start`, or from half way
    or all the way to the target where that is cheaper (at the grid's rim curvature says little).

    J is replaced by its second-order expansion, the one-step program solved, and the step halved until it pays.
    """
    count, n = weights.shape
    wanted = start.copy()
    scratch, slope = np.empty(n * n + 6 * n), np.empty(5)
    matrix, centre, trial, newton = np.zeros((n, n)), np.empty(n), np.empty(n), np.empty(n)
    high = low + spacing * (points - 1.0)
    for k in range(count):
        here = _objective(weights[k], wanted[k], costs, coefficients, low, spacing, points)
        for part in (0.5, 1.0):
            trial[n - 1] = 1.0
            for i in range(n - 1):
                trial[i] = start[k, i] + part * (0.5 * (low[i] + high[i]) - start[k, i])
                trial[n - 1] -= trial[i]
            there = _objective(weights[k], trial, costs, coefficients, low, spacing, points)
            if there < here:
                here = there
                wanted[k] = trial
        for _ in range(12):
            second = wanted[k, 1] if n > 2 else 0.0
            _spline.derivatives(coefficients, wanted[k, 0], second, low, spacing, points, slope)
            _expand(slope, wanted[k], matrix, centre)
            _one_step.solve(weights[k], centre, matrix, costs, 1.0, newton, scratch)
            size, better = 1.0, False
            for _ in range(8):
                inside = True
                for i in range(n):
                    trial[i] = newton[i] if size == 1.0 else wanted[k, i] + size * (newton[i] - wanted[k, i])
                for i in range(n - 1):
                    inside = inside and low[i] <= trial[i] <= high[i]
                if inside:
                    there = _objective(weights[k], trial, costs, coefficients, low, spacing, points)
                    if there < here:
                        better = here - there > 1e-16
                        here = there
                        wanted[k] = trial
                        break
                size *= 0.5
            if not better:
                break
    return wanted


@njit(cache=True)
def _expand(slope: Floats, at: Floats, matrix: Floats, centre: Floats) -> None:
    """The quadratic with these derivatives as a matrix and a centre, the last asset's row and column being zero."""
    n = len(at)
    xx, xy, yy = slope[2], slope[3], slope[4]
    centre[:] = at
    if n == 2:
        matrix[0, 0] = max(xx, 1e-8)
        centre[0] = at[0] - slope[0] / matrix[0, 0]
        centre[1] = 1.0 - centre[0]
        return
    half, gap = 0.5 * (xx + yy), np.sqrt(0.25 * (xx - yy) ** 2 + xy * xy)
    lift = max(1e-8 - (half - gap), 0.0)  # keeps the least eigenvalue positive where the spline ripples
    xx, yy = xx + lift, yy + lift
    matrix[0, 0], matrix[1, 1] = xx, yy
    matrix[0, 1] = matrix[1, 0] = xy
    determinant = xx * yy - xy * xy
    centre[0] = at[0] - (yy * slope[0] - xy * slope[1]) / determinant
    centre[1] = at[1] - (xx * slope[1] - xy * slope[0]) / determinant
    centre[2] = 1.0 - centre[0] - centre[1]


@njit(cache=True)
def _objective(
    weight: Floats,
    wanted: Floats,
    costs: Floats,
    coefficients: Floats,
    low: Floats,
    spacing: Floats,
    points: Floats,
) -> float:
    """Cost of the trade and J after it."""
    second = wanted[1] if len(wanted) > 2 else 0.0
    total = _spline.value(coefficients, wanted[0], second, low, spacing, points)
    for i in range(len(weight)):
        total += costs[i] * abs(wanted[i] - weight[i])
    return total
