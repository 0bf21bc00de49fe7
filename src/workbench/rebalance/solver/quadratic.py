"""The convex program of a household, solved exactly: an interior point finds the face, an active set the point on it.

`solve` takes a Problem and gives a Solution. A search that solves the same household many times with other bounds
calls `minimise`, the compiled kernel below it, with one `workspace` kept for all calls; it holds no lock and allocates
nothing.

A solve costs time linear in the columns for a given number of rows, and grows with the cube of the rows (see
`_interior`). CPU time of `solve`, and of the same household in linear form (`linear.LinearModel`, built and solved,
then re-solved after one bound changed):

    household                           columns  lines  rows  steps   quadratic    linear   re-solved
    reference, 3 accounts, 60 lots          125     15     9     12     0.14 ms    1.3 ms     0.3 ms
    10 accounts, 30 assets                  875     30    16     18     1.1 ms     2.8 ms     0.6 ms
    40 accounts, 30 assets                3,275     30    46     25     5.7 ms     6.9 ms     0.9 ms
    direct index, 500 lines, 2,000 lots   3,005    500     7     12     3.0 ms      18 ms     1.5 ms
    the same with two accounts more       5,005    500     9     17     5.5 ms      25 ms     2.1 ms
"""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.errors import ParameterError
from workbench.rebalance.solver._interior import Iterate, carve_iterate, descend, iterate_size
from workbench.rebalance.solver._polish import identify, polish, take_as_is
from workbench.rebalance.solver._presolve import (
    EQUALITY,
    FREE_ROW,
    INFEASIBLE,
    OPTIMAL,
    RANGE,
    STALLED,
    UNBOUNDED,
    Program,
    carve,
    gather,
    program_size,
    scales,
)
from workbench.rebalance.solver._vertex import FREE, HIGH, LOW, Face, carve_face, face_size
from workbench.rebalance.solver.problem import Floats, Ints, Problem, Solution

__all__ = ["INFEASIBLE", "OPTIMAL", "STALLED", "UNBOUNDED", "minimise", "solve", "workspace"]


def workspace(columns: int, lines: int, rows: int, entries: int) -> tuple[Floats, Ints]:
    """Allocate what `minimise` works in: enough for any problem of at most this size in each direction."""
    program_floats, program_integers = program_size(columns, lines, rows, entries)
    face_floats, face_integers = face_size(columns, lines, rows)
    floats = program_floats + iterate_size(columns, lines, rows, entries) + face_floats
    return np.empty(floats), np.empty(program_integers + face_integers + lines + rows + 2, np.int32)


@njit(cache=True, nogil=True, error_model="numpy")
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
    from. `floats` and `integers` come from `workspace`. Status OPTIMAL is exact (to 1e-9 of the scale where the
    program is nearly singular); otherwise the outputs mean nothing.
    A column with `lower == upper` has exactly that value and leaves the program.
    """
    C, R, K, E = len(linear), len(line_target), len(row_low), len(entry)
    p = carve(C, R, K, E, floats, integers)
    i, j = 5 * (C + K) + E + 2 * R + K, 3 * C + 3 * R + 2 * E + 2 * K + 8  # as in program_size
    s = carve_iterate(C, R, K, E, floats[i:])
    i += 11 * (C + K) + 4 * R + 4 * K + E + K * K  # as in iterate_size
    face = carve_face(C, R, K, floats[i:], integers[j:])
    steps, status, verdict = 0, STALLED, STALLED
    # A few programs in a thousand need the second scale, or are so nearly singular that no working set settles.
    for wide, exact in ((False, True), (True, True), (True, False), (False, False)):
        value, price = scales(quadratic, linear, lower, upper, line_target, row_low, row_high, wide)
        n, possible = gather(
            quadratic, linear, lower, upper, line, line_coefficient, column_ptr, entry_row, entry, line_target,
            row_low, row_high, value, price, p, integers[j + C + R + 7 * K :],
        )  # fmt: skip
        if not possible:
            return INFEASIBLE, steps, np.nan
        if warm and exact and not wide:
            _resume(p, n, s, face, value, price, values, line_price, row_price, bound_price)
            status = OPTIMAL if polish(p, n, s, face, 10) else STALLED
        if status != OPTIMAL:
            status, more = _attempt(p, n, s, face, wide, exact)
            steps += more
        if status == OPTIMAL or (wide and status != STALLED):
            break
        if status != STALLED:
            verdict = status  # the second scale has the last word, unless it has none
    if status != OPTIMAL:
        return verdict if status == STALLED else status, steps, np.nan
    for k in range(K):
        row_price[k] = s.w[k] * p.row_scale[k] * price
    for r in range(R):
        line_price[r] = s.y[r] * p.line_scale[r] * price
    objective = 0.0
    for c in range(C):
        j = p.place[c]
        if j < 0 or s.v[j] == p.lower[j]:
            values[c] = lower[c]
        elif s.v[j] == p.upper[j]:
            values[c] = upper[c]
        else:
            values[c] = s.v[j] * value
        objective += values[c] * (0.5 * quadratic[c] * values[c] + linear[c])
        if j >= 0:
            bound_price[c] = 0.0 if face.state[j] == FREE else s.dual[j] * price
            continue
        slope = quadratic[c] * values[c] + linear[c]
        if line[c] >= 0:
            slope -= line_coefficient[c] * line_price[line[c]]
        for e in range(column_ptr[c], column_ptr[c + 1]):
            slope -= entry[e] * row_price[entry_row[e]]
        bound_price[c] = slope
    return OPTIMAL, steps, objective


@njit(cache=True, nogil=True, error_model="numpy")
def _attempt(p: Program, n: int, s: Iterate, face: Face, wide: bool, exact: bool) -> tuple[int, int]:
    """Solve at the scale at hand; status (STALLED where no working set settles) and steps.

    Exact from the point of a loose tolerance nearly always, else of a tight one; or the tightest point as it is.
    """
    steps = 0
    for tolerance in (1e-7, 1e-11) if exact else (1e-11, 1e-9):
        status, more = descend(p, n, s, tolerance, wide or not exact)
        steps += more
        if status == OPTIMAL and not exact:
            take_as_is(p, n, s, face)
            return OPTIMAL, steps
        if status == OPTIMAL:
            identify(p, n, s, face)
            if polish(p, n, s, face, 30):
                return OPTIMAL, steps
        elif status != STALLED:
            return status, steps
    return STALLED, steps


@njit(cache=True, nogil=True, error_model="numpy")
def _resume(
    p: Program,
    n: int,
    s: Iterate,
    face: Face,
    value: float,
    price: float,
    values: Floats,
    line_price: Floats,
    row_price: Floats,
    bound_price: Floats,
) -> None:
    """Take the working set and prices of an earlier solution, whose values may break bounds that are new."""
    for j in range(n):
        v = values[p.column[j]] / value
        d = bound_price[p.column[j]]
        s.v[j] = min(max(v, p.lower[j]), p.upper[j])
        face.state[j] = FREE
        if v < p.lower[j] or (d > 0.0 and p.lower[j] > -np.inf) or v == p.lower[j]:
            face.state[j] = LOW
            s.v[j] = p.lower[j]
        elif v > p.upper[j] or (d < 0.0 and p.upper[j] < np.inf) or v == p.upper[j]:
            face.state[j] = HIGH
            s.v[j] = p.upper[j]
    for r in range(len(p.target)):
        s.y[r] = line_price[r] / (p.line_scale[r] * price)
    for k in range(len(p.row_kind)):
        s.w[k] = row_price[k] / (p.row_scale[k] * price) if p.row_kind[k] != FREE_ROW else 0.0
        face.state[n + k] = FREE
        if p.row_kind[k] == EQUALITY or (p.row_kind[k] == RANGE and s.w[k] > 0.0 and p.lower[n + k] > -np.inf):
            face.state[n + k] = LOW
        elif p.row_kind[k] == RANGE and s.w[k] < 0.0 and p.upper[n + k] < np.inf:
            face.state[n + k] = HIGH
        else:
            s.w[k] = 0.0
        s.v[n + k] = 0.0
    for j in range(n):
        for e in range(p.ptr[j], p.ptr[j + 1]):
            s.v[n + p.row[e]] += p.entry[e] * s.v[j]


def solve(problem: Problem) -> Solution:
    """Minimise one household's program; `status` is "optimal" (exact to rounding) or "infeasible", with NaN values.

    Raises ParameterError for arrays that do not fit together, negative curvature, numbers that are missing, and a
    program whose objective has no floor (it then names the column whose bound is missing).
    """
    C, R, K, E = len(problem.linear), len(problem.line_target), len(problem.row_low), len(problem.entry)
    _check(problem)
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


def _check(p: Problem) -> None:
    """Raise ParameterError, naming the array, for arrays that do not fit together or numbers without meaning."""
    C, K, E = len(p.linear), len(p.row_low), len(p.entry)
    lengths = (
        ("quadratic", C), ("lower", C), ("upper", C), ("line", C), ("line_coefficient", C), ("column_ptr", C + 1),
        ("entry_row", E), ("row_high", K),
    )  # fmt: skip
    for name, length in lengths:
        if len(getattr(p, name)) != length:
            raise ParameterError(f"{name} has {len(getattr(p, name))} places, {length} are needed", name)
    sound = _sound(
        p.quadratic, p.linear, p.lower, p.upper, p.line, p.line_coefficient, p.column_ptr, p.entry_row, p.entry,
        p.line_target, p.row_low, p.row_high,
    )  # fmt: skip
    if not sound:
        _explain(p)


@njit(cache=True, nogil=True, error_model="numpy")
def _sound(
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
) -> bool:
    """Tell whether every pointer points somewhere and every number has a meaning; what is wrong, `_explain` says."""
    C, R, K, E = len(linear), len(line_target), len(row_low), len(entry)
    good = column_ptr[0] == 0 and column_ptr[C] == E
    for c in range(C):
        good &= column_ptr[c] <= column_ptr[c + 1] and -1 <= line[c] < R and quadratic[c] >= 0.0
        good &= np.isfinite(quadratic[c]) and np.isfinite(linear[c]) and np.isfinite(line_coefficient[c])
        good &= not (np.isnan(lower[c]) or np.isnan(upper[c]))
    for e in range(E):
        good &= 0 <= entry_row[e] < K and np.isfinite(entry[e])
    for r in range(R):
        good &= np.isfinite(line_target[r])
    for k in range(K):
        good &= not (np.isnan(row_low[k]) or np.isnan(row_high[k]))
    return bool(good)


def _explain(p: Problem) -> None:
    """Raise for the first array that `_sound` does not accept."""
    R, K, E = len(p.line_target), len(p.row_low), len(p.entry)
    if p.column_ptr[0] != 0 or p.column_ptr[-1] != E or (np.diff(p.column_ptr) < 0).any():
        raise ParameterError(f"column_ptr must rise from 0 to {E}", "column_ptr")
    if ((p.entry_row < 0) | (p.entry_row >= K)).any():
        raise ParameterError(f"entry_row must lie between 0 and {K - 1}, the rows there are", "entry_row")
    if ((p.line < -1) | (p.line >= R)).any():
        raise ParameterError(f"line must lie between -1 (no line) and {R - 1}, the lines there are", "line")
    for name in ("quadratic", "linear", "line_coefficient", "entry", "line_target"):
        if not np.isfinite(getattr(p, name)).all():
            raise ParameterError(f"{name} has a missing or infinite value: give every place a number", name)
    for name in ("lower", "upper", "row_low", "row_high"):
        if np.isnan(getattr(p, name)).any():
            raise ParameterError(f"{name} has a missing value: give -inf or inf for no limit", name)
    at = int(p.quadratic.argmin())
    raise ParameterError(f"quadratic[{at}] is below zero: the program would not be convex", "quadratic")
