"""Natural cubic B-splines on an even grid of one or two dimensions, for value functions: smooth, with derivatives."""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.backtest.universe import Floats


def to_coefficients(points: int) -> Floats:
    """Matrix (points + 2 x points) from values on an even grid to B-spline coefficients, ends without curvature.

    A grid of one point stands for a dimension that is not there: the spline is constant along it.
    """
    if points == 1:
        return np.ones((4, 1))
    collocation = np.zeros((points + 2, points + 2))
    collocation[0, :3] = collocation[-1, -3:] = (1.0, -2.0, 1.0)
    for i in range(points):
        collocation[i + 1, i : i + 3] = (1 / 6, 4 / 6, 1 / 6)
    inverse: Floats = np.asarray(np.linalg.inv(collocation), dtype=np.float64)
    return inverse[:, 1:-1]


@njit(cache=True)
def locate(position: float, low: float, spacing: float, points: int) -> tuple[int, float]:
    """Cell of a position on a grid, and the part of the cell that lies before it."""
    if points == 1:
        return 0, 0.0
    scaled = (position - low) / spacing
    cell = min(max(int(scaled), 0), points - 2)
    return cell, scaled - cell


@njit(cache=True)
def basis(part: float, weights: Floats) -> None:
    """The four B-splines that live on a cell: their values, slopes and curvatures (3 x 4), in units of the spacing."""
    rest = 1.0 - part
    weights[0, 0], weights[0, 3] = rest * rest * rest / 6.0, part * part * part / 6.0
    weights[0, 1] = (3.0 * part * part * part - 6.0 * part * part + 4.0) / 6.0
    weights[0, 2] = (3.0 * rest * rest * rest - 6.0 * rest * rest + 4.0) / 6.0
    weights[1, 0], weights[1, 3] = -0.5 * rest * rest, 0.5 * part * part
    weights[1, 1] = 1.5 * part * part - 2.0 * part
    weights[1, 2] = 2.0 * rest - 1.5 * rest * rest
    weights[2, 0], weights[2, 3] = rest, part
    weights[2, 1] = 3.0 * part - 2.0
    weights[2, 2] = 3.0 * rest - 2.0


@njit(cache=True)
def value(coefficients: Floats, x: float, y: float, low: Floats, spacing: Floats, points: Floats) -> float:
    """The spline at (x, y)."""
    first, second = np.empty((3, 4)), np.empty((3, 4))
    row, part = locate(x, low[0], spacing[0], int(points[0]))
    basis(part, first)
    column, part = locate(y, low[1], spacing[1], int(points[1]))
    basis(part, second)
    total = 0.0
    for a in range(4):
        for b in range(4):
            total += first[0, a] * second[0, b] * coefficients[row + a, column + b]
    return total


@njit(cache=True)
def derivatives(
    coefficients: Floats, x: float, y: float, low: Floats, spacing: Floats, points: Floats, out: Floats
) -> None:
    """Slopes and curvatures at (x, y): d/dx, d/dy, d2/dx2, d2/dxdy, d2/dy2 to `out` (5)."""
    first, second = np.empty((3, 4)), np.empty((3, 4))
    row, part = locate(x, low[0], spacing[0], int(points[0]))
    basis(part, first)
    column, part = locate(y, low[1], spacing[1], int(points[1]))
    basis(part, second)
    out[:] = 0.0
    for a in range(4):
        for b in range(4):
            c = coefficients[row + a, column + b]
            out[0] += first[1, a] * second[0, b] * c
            out[1] += first[0, a] * second[1, b] * c
            out[2] += first[2, a] * second[0, b] * c
            out[3] += first[1, a] * second[1, b] * c
            out[4] += first[0, a] * second[2, b] * c
    out[0] /= spacing[0]
    out[1] /= spacing[1]
    out[2] /= spacing[0] * spacing[0]
    out[3] /= spacing[0] * spacing[1]
    out[4] /= spacing[1] * spacing[1]
