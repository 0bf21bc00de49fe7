"""Mehrotra's predictor-corrector on a household's program, with the lines eliminated one by one.

Bounds and ranges of rows enter by barriers, so a step needs one factorisation of the normal matrix. A column belongs to
one line at most: the block of the lines is diagonal, and what is left is a dense K x K Schur complement of the rows.
A step costs O(columns + sum over lines of (rows touched)^2 + K^3), hence linear in columns for given rows; there are
10 to 20 steps. The first place to look when a program is slow is K.

Sources: Mehrotra (1992), On the implementation of a primal-dual interior point method; Nocedal and Wright (2006),
Numerical Optimization, 14.2 and 16.6.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from workbench.rebalance.solver._presolve import (
    EQUALITY,
    FREE_ROW,
    INFEASIBLE,
    OPTIMAL,
    RANGE,
    STALLED,
    UNBOUNDED,
    Program,
)
from workbench.rebalance.solver.problem import Floats

#: No value is looked for beyond this many units of the problem's scale: it bounds the certificate of infeasibility.
REACH = 1e5
STEPS = 60
_PROXIMAL = 1e-10
_FARTHEST = 1.1
_START_PRICE = 0.1


class Iterate(NamedTuple):
    """Where the method stands. Vectors over columns have n + K places (slacks last), `y` is over lines, `w` over rows.

    `gap_low`, `gap_high` are distances to the bounds, `z_low`, `z_high` their prices; the rest is scratch of a step.
    """

    v: Floats
    gap_low: Floats
    gap_high: Floats
    z_low: Floats
    z_high: Floats
    y: Floats
    w: Floats
    dual: Floats
    inverse: Floats
    right: Floats
    dv: Floats
    dz_low: Floats
    dz_high: Floats
    line_residual: Floats
    line_sum: Floats
    line_mean: Floats
    row_residual: Floats
    dw: Floats
    cross: Floats
    dense: Floats
    schur: Floats


def iterate_size(columns: int, lines: int, rows: int, entries: int) -> int:
    """Return how many floats an Iterate takes from the workspace."""
    return 11 * (columns + rows) + 4 * lines + 4 * rows + entries + rows * rows


@njit(cache=True, nogil=True, error_model="numpy")
def carve_iterate(columns: int, lines: int, rows: int, entries: int, floats: Floats) -> Iterate:
    """Lay an Iterate out in `floats`; nothing is allocated."""
    total = columns + rows
    vectors = floats[: 11 * total].reshape((11, total))
    i = 11 * total
    by_line = floats[i : i + 4 * lines].reshape((4, lines))
    i += 4 * lines
    by_row = floats[i : i + 4 * rows].reshape((4, rows))
    i += 4 * rows
    cross = floats[i : i + entries]
    i += entries
    schur = floats[i : i + rows * rows].reshape((rows, rows))
    return Iterate(
        vectors[0], vectors[1], vectors[2], vectors[3], vectors[4], by_line[0], by_row[0], vectors[5], vectors[6],
        vectors[7], vectors[8], vectors[9], vectors[10], by_line[1], by_line[2], by_line[3], by_row[1], by_row[2],
        cross, by_row[3], schur,
    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def start(p: Program, n: int, s: Iterate) -> int:
    """Set the first iterate, well inside every bound; return how many bounds there are."""
    bounds = 0
    for j in range(n + len(p.row_kind)):
        s.z_low[j] = 0.0
        s.z_high[j] = 0.0
        s.gap_low[j] = 1.0
        s.gap_high[j] = 1.0
        s.v[j] = 0.0
        s.inverse[j] = 0.0
        s.dv[j] = 0.0
        if j >= n and p.row_kind[j - n] != RANGE:
            s.v[j] = p.lower[j] if p.row_kind[j - n] == EQUALITY else 0.0
            continue
        low, high = p.lower[j], p.upper[j]
        has_low, has_high = low > -np.inf, high < np.inf
        if has_low and has_high:
            half = min(0.5 * (high - low), 0.5)
            s.v[j] = low + half if abs(low) <= abs(high) else high - half
        elif has_low:
            s.v[j] = low + 0.5
        elif has_high:
            s.v[j] = high - 0.5
        if has_low:
            s.gap_low[j] = s.v[j] - low
            s.z_low[j] = _START_PRICE
            bounds += 1
        if has_high:
            s.gap_high[j] = high - s.v[j]
            s.z_high[j] = _START_PRICE
            bounds += 1
    s.y[:] = 0.0
    s.w[:] = 0.0
    return bounds


@njit(cache=True, nogil=True, error_model="numpy")
def residuals(p: Program, n: int, s: Iterate) -> tuple[float, float, float, float]:
    """Fill dual, line and row residuals; return their greatest sizes, the complementarity sum and the objective."""
    R, K = len(p.target), len(p.row_kind)
    gap, objective, dual = 0.0, 0.0, 0.0
    for k in range(K):
        s.row_residual[k] = s.v[n + k]
    for r in range(R + 1):
        y = s.y[r] if r < R else 0.0
        left = p.target[r] if r < R else 0.0
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            v = s.v[j]
            slope = p.quadratic[j] * v
            objective += (0.5 * slope + p.linear[j]) * v
            d = slope + p.linear[j] - p.coefficient[j] * y
            left -= p.coefficient[j] * v
            for e in range(p.ptr[j], p.ptr[j + 1]):
                d -= p.entry[e] * s.w[p.row[e]]
                s.row_residual[p.row[e]] -= p.entry[e] * v
            d -= s.z_low[j] - s.z_high[j]
            s.dual[j] = d
            dual = max(dual, abs(d))
            gap += s.z_low[j] * s.gap_low[j] + s.z_high[j] * s.gap_high[j]
        if r < R:
            s.line_residual[r] = left
    primal = 0.0
    for r in range(R):
        primal = max(primal, abs(s.line_residual[r]))
    for k in range(K):
        j = n + k
        if p.row_kind[k] == FREE_ROW:
            s.row_residual[k] = 0.0
            continue
        primal = max(primal, abs(s.row_residual[k]))
        if p.row_kind[k] == RANGE:
            s.dual[j] = s.w[k] - s.z_low[j] + s.z_high[j]
            dual = max(dual, abs(s.dual[j]))
            gap += s.z_low[j] * s.gap_low[j] + s.z_high[j] * s.gap_high[j]
    # Prices of rows that nothing inside satisfies grow without end: rounding is then relative to them.
    price = 1.0
    for r in range(R):
        price = max(price, abs(s.y[r]))
    for k in range(K):
        price = max(price, abs(s.w[k]))
    return primal, dual / price, gap, objective


@njit(cache=True, nogil=True, error_model="numpy")
def factor(p: Program, n: int, s: Iterate) -> None:
    """Form the Schur complement of the rows in `schur` and factorise it (lower triangle, in place)."""
    R, K = len(p.target), len(p.row_kind)
    S, g = s.schur, s.dense
    for k in range(K):
        g[k] = 0.0
        for m in range(k + 1):
            S[k, m] = 0.0
    for r in range(R + 1):
        total = 0.0
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            inverse = 1.0 / (p.quadratic[j] + s.z_low[j] / s.gap_low[j] + s.z_high[j] / s.gap_high[j] + _PROXIMAL)
            s.inverse[j] = inverse
            weighted = p.coefficient[j] * inverse
            total += p.coefficient[j] * weighted
            for e in range(p.ptr[j], p.ptr[j + 1]):
                k, b = p.row[e], p.entry[e]
                g[k] += weighted * b
                b *= inverse
                for f in range(p.ptr[j], e + 1):
                    m = p.row[f]
                    if m <= k:
                        S[k, m] += b * p.entry[f]
                    else:
                        S[m, k] += b * p.entry[f]
        if r == R:
            break
        total += _PROXIMAL
        s.line_sum[r] = total
        over = 1.0 / total
        start, end = p.touched_ptr[r], p.touched_ptr[r + 1]
        for e in range(start, end):
            s.cross[e] = g[p.touched[e]]
            g[p.touched[e]] = 0.0
        for e in range(start, end):
            k, b = p.touched[e], s.cross[e] * over
            for f in range(start, e + 1):
                m = p.touched[f]
                if m <= k:
                    S[k, m] -= b * s.cross[f]
                else:
                    S[m, k] -= b * s.cross[f]
    for k in range(K):
        j = n + k
        if p.row_kind[k] == RANGE:
            s.inverse[j] = 1.0 / (s.z_low[j] / s.gap_low[j] + s.z_high[j] / s.gap_high[j] + _PROXIMAL)
            S[k, k] += s.inverse[j]
        S[k, k] += _PROXIMAL if p.row_kind[k] != FREE_ROW else 1.0
    cholesky(S, K)


@njit(cache=True, nogil=True, error_model="numpy")
def cholesky(S: Floats, K: int) -> None:
    """Factorise the lower triangle in place; a pivot lost to rounding (a dependent row) is made infinite."""
    for k in range(K):
        before = S[k, k]
        for m in range(k):
            t = S[k, m]
            for i in range(m):
                t -= S[k, i] * S[m, i]
            S[k, m] = t / S[m, m]
        t = before
        for i in range(k):
            t -= S[k, i] * S[k, i]
        S[k, k] = np.sqrt(t) if t > 1e-15 * before and t > 0.0 else 1e64


@njit(cache=True, nogil=True, error_model="numpy")
def step(p: Program, n: int, s: Iterate) -> None:
    """Solve for the step `dv`, `line_mean` (dy) and `dw` from `right` and the residuals, with the factor at hand."""
    R, K = len(p.target), len(p.row_kind)
    S, dw = s.schur, s.dw
    for k in range(K):
        dw[k] = s.row_residual[k]
        if p.row_kind[k] == RANGE:
            dw[k] += s.right[n + k] * s.inverse[n + k]
    for r in range(R + 1):
        left = 0.0
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            move = s.right[j] * s.inverse[j]
            left += p.coefficient[j] * move
            for e in range(p.ptr[j], p.ptr[j + 1]):
                dw[p.row[e]] -= p.entry[e] * move
        if r < R:
            left = (s.line_residual[r] - left) / s.line_sum[r]
            s.line_mean[r] = left
            for e in range(p.touched_ptr[r], p.touched_ptr[r + 1]):
                dw[p.touched[e]] -= s.cross[e] * left
    for k in range(K):
        t = dw[k]
        for m in range(k):
            t -= S[k, m] * dw[m]
        dw[k] = t / S[k, k]
    for k in range(K - 1, -1, -1):
        t = dw[k]
        for m in range(k + 1, K):
            t -= S[m, k] * dw[m]
        dw[k] = t / S[k, k]
    for r in range(R + 1):
        dy = 0.0
        if r < R:
            dy = s.line_mean[r]
            t = 0.0
            for e in range(p.touched_ptr[r], p.touched_ptr[r + 1]):
                t += s.cross[e] * dw[p.touched[e]]
            dy -= t / s.line_sum[r]
            s.line_mean[r] = dy
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            t = s.right[j] + p.coefficient[j] * dy
            for e in range(p.ptr[j], p.ptr[j + 1]):
                t += p.entry[e] * dw[p.row[e]]
            s.dv[j] = t * s.inverse[j]
    for k in range(K):
        j = n + k
        s.dv[j] = (s.right[j] - dw[k]) * s.inverse[j] if p.row_kind[k] == RANGE else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _aim(p: Program, n: int, s: Iterate, centre: float) -> None:
    """Set `right` for complementarity `centre` less the second-order terms held in `dz_low` and `dz_high`."""
    for j in range(n + len(p.row_kind)):
        t = -s.dual[j]
        if s.z_low[j] > 0.0:
            t += (centre - s.dz_low[j]) / s.gap_low[j] - s.z_low[j]
        if s.z_high[j] > 0.0:
            t -= (centre - s.dz_high[j]) / s.gap_high[j] - s.z_high[j]
        s.right[j] = t


@njit(cache=True, nogil=True, error_model="numpy")
def _reach(p: Program, n: int, s: Iterate, centre: float) -> float:
    """Turn `dz_low`, `dz_high` from second-order terms into steps; return the longest step that keeps signs.

    One length serves values and prices: with curvature, the dual residual falls only when both move together.
    """
    length = _FARTHEST
    for j in range(n + len(p.row_kind)):
        dv = s.dv[j]
        if s.z_low[j] > 0.0:
            dz = (centre - s.dz_low[j] - s.z_low[j] * dv) / s.gap_low[j] - s.z_low[j]
            s.dz_low[j] = dz
            if s.gap_low[j] + length * dv < 0.0:
                length = -s.gap_low[j] / dv
            if s.z_low[j] + length * dz < 0.0:
                length = -s.z_low[j] / dz
        if s.z_high[j] > 0.0:
            dz = (centre - s.dz_high[j] + s.z_high[j] * dv) / s.gap_high[j] - s.z_high[j]
            s.dz_high[j] = dz
            if s.gap_high[j] - length * dv < 0.0:
                length = s.gap_high[j] / dv
            if s.z_high[j] + length * dz < 0.0:
                length = -s.z_high[j] / dz
    return length


@njit(cache=True, nogil=True, error_model="numpy")
def _second_order(p: Program, n: int, s: Iterate, length: float, weight: float) -> float:
    """Return complementarity after the predictor's step of `length`; leave its products in `dz_low`, `dz_high`.

    The products are those of a whole step, times `weight`.
    """
    gap = 0.0
    for j in range(n + len(p.row_kind)):
        dv = s.dv[j]
        if s.z_low[j] > 0.0:
            gap += (s.gap_low[j] + length * dv) * (s.z_low[j] + length * s.dz_low[j])
            s.dz_low[j] *= weight * dv
        if s.z_high[j] > 0.0:
            gap += (s.gap_high[j] - length * dv) * (s.z_high[j] + length * s.dz_high[j])
            s.dz_high[j] *= -weight * dv
    return gap


@njit(cache=True, nogil=True, error_model="numpy")
def _move(p: Program, n: int, s: Iterate, length: float) -> float:
    """Go `length` along the step; return the greatest value and so notice a program without a floor."""
    greatest = 0.0
    for j in range(n + len(p.row_kind)):
        move = length * s.dv[j]
        s.v[j] += move
        greatest = max(greatest, abs(s.v[j]))
        if s.z_low[j] > 0.0:
            s.gap_low[j] += move
            s.z_low[j] += length * s.dz_low[j]
        if s.z_high[j] > 0.0:
            s.gap_high[j] -= move
            s.z_high[j] += length * s.dz_high[j]
    for r in range(len(p.target)):
        s.y[r] += length * s.line_mean[r]
    for k in range(len(p.row_kind)):
        s.w[k] += length * s.dw[k]
    return greatest


@njit(cache=True, nogil=True, error_model="numpy")
def proves_infeasible(p: Program, n: int, s: Iterate) -> bool:
    """Tell whether the prices `y`, `w` are a Farkas certificate: their combination of rows exceeds what bounds allow.

    Missing bounds count as `REACH`, so that the proof reads: no solution within that distance.
    """
    R, K = len(p.target), len(p.row_kind)
    proof, size = 0.0, 0.0
    for r in range(R + 1):
        y = s.y[r] if r < R else 0.0
        if r < R:
            proof += y * p.target[r]
            size += abs(y * p.target[r])
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            g = p.coefficient[j] * y
            for e in range(p.ptr[j], p.ptr[j + 1]):
                g += p.entry[e] * s.w[p.row[e]]
            most = g * (min(p.upper[j], REACH) if g > 0.0 else max(p.lower[j], -REACH))
            proof -= most
            size += abs(most)
    for k in range(K):
        if p.row_kind[k] != FREE_ROW:
            w = s.w[k]
            most = -w * (max(p.lower[n + k], -REACH) if w > 0.0 else min(p.upper[n + k], REACH))
            proof -= most
            size += abs(most)
    return proof > 1e-9 * size


@njit(cache=True, nogil=True, error_model="numpy")
def descend(p: Program, n: int, s: Iterate, tolerance: float, careful: bool) -> tuple[int, int]:
    """Run the method from `start` to `tolerance` (residuals and complementarity, in scaled units); status and steps.

    Where a predictor is cut short, its second-order terms, which are those of a whole step, can send the iterates round
    in a circle. `careful` weights them by the square of its length and keeps nearer the central path, a few steps more.
    """
    bounds = start(p, n, s)
    for steps in range(STEPS):
        primal, dual, gap, objective = residuals(p, n, s)
        if not (np.isfinite(primal) and np.isfinite(dual) and np.isfinite(gap)):
            return STALLED, steps
        if primal <= tolerance and dual <= tolerance and gap <= tolerance * (1.0 + abs(objective)):
            return OPTIMAL, steps
        if steps > 3 and primal > 1e-9 and proves_infeasible(p, n, s):
            return INFEASIBLE, steps
        factor(p, n, s)
        for j in range(n + len(p.row_kind)):
            s.dz_low[j] = 0.0
            s.dz_high[j] = 0.0
        centre = 0.0
        if bounds:
            _aim(p, n, s, 0.0)
            step(p, n, s)
            length = min(_reach(p, n, s, 0.0), 1.0)
            after = _second_order(p, n, s, length, length * length if careful else 1.0)
            centre = max((after / gap) ** 3, 0.1 if careful else 0.0) * gap / bounds
        _aim(p, n, s, centre)
        step(p, n, s)
        length = _reach(p, n, s, centre)
        length = min(1.0, length * max(0.99, min(0.9999, 1.0 - gap / bounds))) if bounds else 1.0
        greatest = _move(p, n, s, length)
        if greatest > 10.0 * REACH and primal <= 1e-6 * greatest:
            return UNBOUNDED, steps
    return STALLED, STEPS
