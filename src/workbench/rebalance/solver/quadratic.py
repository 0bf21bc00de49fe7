"""The convex program of a household, solved exactly: an interior point finds the face, an active set the point on it.

`solve` takes a Problem and gives a Solution. A search that solves the same household many times with other bounds calls
`minimise`, the compiled kernel below it, with one `workspace` kept for all calls; it holds no lock and allocates nothing.

A solve costs time linear in the columns for a given number of rows, and grows with the cube of the rows (see
`_interior`).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.errors import ParameterError
from workbench.rebalance.solver._interior import carve_iterate, descend, iterate_size
from workbench.rebalance.solver._program import (
    INFEASIBLE,
    OPTIMAL,
    STALLED,
    UNBOUNDED,
    carve,
    gather,
    program_size,
    scales,
)
from workbench.rebalance.solver.problem import Floats, Ints, Problem, Solution

__all__ = ["INFEASIBLE", "OPTIMAL", "STALLED", "UNBOUNDED", "minimise", "solve", "workspace"]

_TOLERANCE = 1e-9


def workspace(columns: int, lines: int, rows: int, entries: int) -> tuple[Floats, Ints]:
    """Allocate what `minimise` works in: enough for any problem of at most this size in each direction."""
    floats, integers = program_size(columns, lines, rows, entries)
    return (
        np.zeros(floats + iterate_size(columns, lines, rows, entries)),
        np.zeros(integers + lines + rows + 2 + 4 * (columns + rows), np.int32),
    )


@njit(cache=True, nogil=True)
def minimise(
    quadratic: Floats,
    linear: Floats,
    lower: Floats,
    upper: Floats,
    line: Ints,
    line_coefficient: Floats,
    column_ptr: Ints,
    entry_row: Ints,
    entry: Floats,
    line_target: Floats,
    row_low: Floats,
    row_high: Floats,
    warm: bool,
    values: Floats,
    line_price: Floats,
    row_price: Floats,
    bound_price: Floats,
    floats: Floats,
    integers: Ints,
) -> tuple[int, int, float]:
    """Solve the arrays of a Problem (in its order) into `values` and the three prices; (status, steps, objective).

    With `warm`, `values` and the prices hold the solution of a near problem (other bounds, limits or targets) to begin
    from. `floats` and `integers` come from `workspace`. Status OPTIMAL is exact; otherwise the outputs mean nothing.
    A column with `lower == upper` has exactly that value and leaves the program.
    """
    C, R, K, E = len(linear), len(line_target), len(row_low), len(entry)
    p = carve(C, R, K, E, floats, integers)
    used = 5 * (C + K) + E + 2 * R + K  # floats of the Program before it
    value, price = scales(quadratic, linear, lower, upper, line_target, row_low, row_high)
    marks = integers[3 * C + 3 * R + 2 * E + 2 * K + 8 :]
    n, possible = gather(
        quadratic, linear, lower, upper, line, line_coefficient, column_ptr, entry_row, entry, line_target,
        row_low, row_high, value, price, p, marks,
    )  # fmt: skip
    if not possible:
        return INFEASIBLE, 0, np.nan
    s = carve_iterate(C, R, K, E, floats[used:])
    status, steps = descend(p, n, s, _TOLERANCE)
    if status != OPTIMAL:
        return status, steps, np.nan
    for k in range(K):
        row_price[k] = s.w[k] * p.row_scale[k] * price if p.row_kind[k] != 0 else 0.0
    for r in range(R):
        line_price[r] = s.y[r] * p.line_scale[r] * price
    objective = 0.0
    for c in range(C):
        j = p.place[c]
        values[c] = lower[c] if j < 0 else s.v[j] * value
        slope = quadratic[c] * values[c] + linear[c]
        objective += values[c] * (slope - 0.5 * quadratic[c] * values[c])
        if line[c] >= 0:
            slope -= line_coefficient[c] * line_price[line[c]]
        for e in range(column_ptr[c], column_ptr[c + 1]):
            slope -= entry[e] * row_price[entry_row[e]]
        bound_price[c] = slope
    return status, steps, objective


def solve(problem: Problem) -> Solution:
    """Minimise one household's program; `status` is "optimal" (exact to rounding) or "infeasible", with NaN values.

    Raises ParameterError for arrays that do not fit together, negative curvature, numbers that are missing, and a
    program whose objective has no floor (it then names the column whose bound is missing).
    """
    C, R, K, E = len(problem.linear), len(problem.line_target), len(problem.row_low), len(problem.entry)
    floats, integers = workspace(C, R, K, E)
    values, line_price, row_price, bound_price = np.empty(C), np.empty(R), np.empty(K), np.empty(C)
    status, steps, objective = minimise(
        problem.quadratic, problem.linear, problem.lower, problem.upper, problem.line, problem.line_coefficient,
        problem.column_ptr, problem.entry_row, problem.entry, problem.line_target, problem.row_low, problem.row_high,
        False, values, line_price, row_price, bound_price, floats, integers,
    )  # fmt: skip
    if status == STALLED:
        raise ParameterError("the program could not be solved to 1e-9: its scales lie too far apart; check amounts")
    if status == UNBOUNDED:
        raise ParameterError("the program's objective has no floor: give every column a bound or a curvature")
    if status == INFEASIBLE:
        nothing = [np.full(size, np.nan) for size in (C, R, K, C)]
        return Solution(nothing[0], np.nan, nothing[1], nothing[2], nothing[3], "infeasible", steps)
    return Solution(values, objective, line_price, row_price, bound_price, "optimal", steps)
