"""A tracking error that may not be exceeded: the convex program under a quadratic limit, by its multiplier.

    minimise the problem's objective   subject to   sum of risk[c] v[c]^2 <= most

The limit's Lagrangian at a multiplier m is the same program with 2 m risk[c] added to the curvature of column c, which
`quadratic.minimise` solves exactly, each time from the last optimum. Its variance falls as m rises. On one working set
the risky columns are affine in s = 1/(m + what the objective itself asks of risk), so that two points of the path give
the third by a quadratic equation: most searches end after three to five re-solves, at the limit to 1e-12 of it.
By weak duality the Lagrangian's value less m `most` is a lower bound at any m, which a search over sides can prune
with. (Markowitz 1956, the critical line; Boyd and Vandenberghe 2004, 5.5.)
"""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.errors import ParameterError
from workbench.rebalance.solver.problem import Floats, Ints, Problem, Solution
from workbench.rebalance.solver.quadratic import INFEASIBLE, OPTIMAL, STALLED, minimise, workspace

#: How near the limit is near enough, and the greatest multiplier, in units of the objective's own scale.
NEAR, GREATEST = 1e-12, 1e10
_TURNS = 60


@njit(cache=True, nogil=True, error_model="numpy")
def variance_of(risk: Floats, values: Floats) -> float:
    """Return the sum of risk[c] v[c]^2."""
    total = 0.0
    for c in range(len(risk)):
        if risk[c] != 0.0:
            total += risk[c] * values[c] * values[c]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _meet(risk: Floats, one: Floats, two: Floats, most: float) -> float:
    """Return t with variance `most` at one + t (two - one); NaN where the line does not meet it."""
    a, b, c = 0.0, 0.0, -most
    for j in range(len(risk)):
        if risk[j] != 0.0:
            d = two[j] - one[j]
            a += risk[j] * d * d
            b += risk[j] * d * one[j]
            c += risk[j] * one[j] * one[j]
    root = b * b - a * c
    if a <= 0.0 or root < 0.0:
        return np.nan
    # `one` is inside and `two` outside: the crossing between them is the positive root.
    return -c / (b + np.sqrt(root)) if b >= 0.0 else (np.sqrt(root) - b) / a


@njit(cache=True, nogil=True, error_model="numpy")
def minimise_within(
    quadratic: Floats, linear: Floats, lower: Floats, upper: Floats, line: Ints, line_coefficient: Floats,
    column_ptr: Ints, entry_row: Ints, entry: Floats, line_target: Floats, row_low: Floats, row_high: Floats,
    risk: Floats, most: float, multiplier: float, warm: bool, values: Floats, line_price: Floats, row_price: Floats,
    bound_price: Floats, inside: Floats, outside: Floats, curvature: Floats, floats: Floats, integers: Ints,
) -> tuple[int, int, float, float]:  # fmt: skip
    """Solve under the limit into `values` and the prices; (status, re-solves, objective, multiplier).

    Begins at `multiplier` (0: the program without the limit), `warm` from the values and prices given. `inside`,
    `outside` and `curvature` (C each) are scratch; the rest is as in `quadratic.minimise`. The objective is the
    problem's own, without the multiplier's term. INFEASIBLE: the program is, or its least variance exceeds `most`.
    """
    own, scale = 0.0, 0.0
    for c in range(len(risk)):
        scale = max(scale, abs(linear[c]))
        if risk[c] > 0.0:
            own = max(own, 0.5 * quadratic[c] / risk[c])
    own = max(own, 1e-12)
    scale = max(own, scale / np.sqrt(most)) if most > 0.0 else own
    s = 1.0 / (multiplier + own)
    low, high = 0.0, np.inf  # of s: variance is at most `most` at low, above it at high
    for turn in range(_TURNS):
        m = max(1.0 / s - own, 0.0)
        for c in range(len(risk)):
            curvature[c] = quadratic[c] + 2.0 * m * risk[c]
        status, _steps, objective = minimise(
            curvature, linear, lower, upper, line, line_coefficient, column_ptr, entry_row, entry, line_target,
            row_low, row_high, warm or turn > 0, values, line_price, row_price, bound_price, floats, integers,
        )  # fmt: skip
        if status != OPTIMAL:
            return status, turn + 1, np.nan, m
        variance = variance_of(risk, values)
        if abs(variance - most) <= NEAR * most or (variance <= most and m == 0.0):
            return OPTIMAL, turn + 1, objective - m * variance, m
        if variance < most:
            low = s
            inside[:] = values
        else:
            high = s
            outside[:] = values
        if low > 0.0 and high < np.inf:
            if high - low <= 1e-15 * high:
                break
            t = _meet(risk, inside, outside, most)
            if not 1e-3 < t < 1.0 - 1e-3 and turn % 3 == 2:
                t = 0.5
            s = low + min(max(t, 1e-12), 1.0 - 1e-12) * (high - low)
        elif low > 0.0:
            s = min(1.01 * s * np.sqrt(most / variance), 1.0 / own) if variance > 0.0 else 1.0 / own
        else:
            if m > GREATEST * scale:
                return INFEASIBLE, turn + 1, np.nan, m
            s *= 0.99 * np.sqrt(most / variance) if turn < 6 else 1e-3
    if low == 0.0:
        return STALLED, _TURNS, np.nan, 0.0
    values[:] = inside
    objective = 0.0
    for c in range(len(risk)):
        objective += values[c] * (0.5 * quadratic[c] * values[c] + linear[c])
    return OPTIMAL, _TURNS, objective, max(1.0 / low - own, 0.0)


def solve_within(problem: Problem, risk: Floats, most: float) -> tuple[Solution, float]:
    """Minimise a household's program with tracking variance at most `most`; the solution and the limit's price.

    `risk` (C) weighs the squares of columns, >= 0. The price is what a unit more of variance saves (0: not binding).
    Status "infeasible" where the least variance that the other limits allow is more. Raises ParameterError for a
    negative limit or risk, and where the program cannot be solved to its tolerance.
    """
    C, R, K, E = len(problem.linear), len(problem.line_target), len(problem.row_low), len(problem.entry)
    if len(risk) != C or not (np.isfinite(risk).all() and (risk >= 0).all()):
        raise ParameterError(f"risk needs {C} numbers that are not below zero", "risk")
    if not most > 0:
        raise ParameterError("give a tracking variance above zero", "most")
    values, line_price, row_price, bound_price = np.empty(C), np.empty(R), np.empty(K), np.empty(C)
    status, solves, objective, multiplier = minimise_within(
        problem.quadratic, problem.linear, problem.lower, problem.upper, problem.line, problem.line_coefficient,
        problem.column_ptr, problem.entry_row, problem.entry, problem.line_target, problem.row_low, problem.row_high,
        np.asarray(risk, np.float64), float(most), 0.0, False, values, line_price, row_price, bound_price,
        np.empty(C), np.empty(C), np.empty(C), *workspace(C, R, K, E),
    )  # fmt: skip
    if status == INFEASIBLE:
        nothing = [np.full(size, np.nan) for size in (C, R, K, C)]
        return Solution(nothing[0], np.nan, nothing[1], nothing[2], nothing[3], "infeasible", solves), np.nan
    if status != OPTIMAL:
        raise ParameterError("the program under its tracking limit could not be solved; check amounts and bounds")
    return Solution(values, objective, line_price, row_price, bound_price, "optimal", solves), multiplier
