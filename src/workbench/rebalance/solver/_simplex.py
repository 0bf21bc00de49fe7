"""A bounded dual simplex on a dense tableau, compiled: the re-solve inside the search over sides and whole shares.

Every row i gets a variable of its own, its activity, so that the program is  activity = A v  with bounds on both. The
tableau holds the basic variables as linear functions of the nonbasic ones, `body @ x_nonbasic`; a pivot exchanges one
of each (Jordan exchange). The search only ever changes bounds: any basis that was optimal stays dual feasible, so a
re-solve takes a few pivots from wherever the last one ended, and the objective of an unfinished re-solve is a lower
bound that cuts it short. Ratio test with bound flipping (Maros, Computational Techniques of the Simplex Method, 2003,
chapter 10). Costs are perturbed by about 1e-10 so that ties end and always end in the same way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from workbench.rebalance.solver.problem import Floats, Ints

OPTIMAL, INFEASIBLE, CUT, STALLED = range(4)

FEASIBLE = 1e-10
PIVOT = 1e-8
#: Stands for an infinite bound wherever a variable would rest on one: a hundred times the household.
FAR = 100.0
REFRESH = 250


class Tableau(NamedTuple):
    """C columns and M rows; variables 0..C-1 are columns, C + i is the activity of row i. Arrays are changed in place.

    `body` (M, C), `reduced` (C), `basic` (M) and `nonbasic` (C) name the variables, `where` (C + M) is the row of a
    basic variable or -1 - its place among the nonbasic ones, `lower`/`upper` (C + M) the bounds, `value` (C + M) the
    point. `matrix`, `cost` are the data; `counter` holds pivots since the last refresh and in all.
    """

    body: Floats
    reduced: Floats
    basic: Ints
    nonbasic: Ints
    where: Ints
    lower: Floats
    upper: Floats
    value: Floats
    matrix: Floats
    cost: Floats
    counter: Ints
    flips: Ints


@njit(cache=True, nogil=True)
def tableau(matrix: Floats, cost: Floats, lower: Floats, upper: Floats) -> Tableau:
    """The tableau of the basis of activities: `matrix` (M, C), `cost` (C), bounds (C + M)."""
    rows, columns = matrix.shape
    perturbed = cost.copy()
    for j in range(columns):
        perturbed[j] += 1e-10 * (1.0 + (j * 0.6180339887498949) % 1.0)
    result = Tableau(
        np.empty((rows, columns)),
        np.empty(columns),
        np.empty(rows, np.int32),
        np.empty(columns, np.int32),
        np.empty(rows + columns, np.int32),
        lower.copy(),
        upper.copy(),
        np.zeros(rows + columns),
        matrix,
        perturbed,
        np.zeros(2, np.int32),
        np.empty(columns, np.int32),
    )
    _reset(result)
    return result


@njit(cache=True, nogil=True)
def _reset(t: Tableau) -> None:
    rows, columns = t.matrix.shape
    t.body[:] = t.matrix
    t.reduced[:] = t.cost
    for j in range(columns):
        t.nonbasic[j] = j
        t.where[j] = -1 - j
    for i in range(rows):
        t.basic[i] = columns + i
        t.where[columns + i] = i
    t.counter[0] = 0


@njit(cache=True, nogil=True)
def _exchange(t: Tableau, row: int, place: int) -> None:
    """Let the basic variable of `row` and the nonbasic one at `place` change roles."""
    rows, columns = t.body.shape
    inverse = 1.0 / t.body[row, place]
    pivot_row = t.body[row]
    for k in range(columns):
        pivot_row[k] *= -inverse
    pivot_row[place] = inverse
    for i in range(rows):
        factor = t.body[i, place]
        if i != row and factor != 0.0:
            line = t.body[i]
            line[place] = 0.0
            for k in range(columns):
                line[k] += factor * pivot_row[k]
    factor = t.reduced[place]
    t.reduced[place] = 0.0
    for k in range(columns):
        t.reduced[k] += factor * pivot_row[k]
    leaving, entering = t.basic[row], t.nonbasic[place]
    t.basic[row], t.nonbasic[place] = entering, leaving
    t.where[entering], t.where[leaving] = row, -1 - place
    t.counter[0] += 1
    t.counter[1] += 1


@njit(cache=True, nogil=True)
def _refresh(t: Tableau) -> None:
    """Rebuild the tableau of the same basis from the data, largest pivot first."""
    rows, columns = t.body.shape
    wanted = np.zeros(columns, np.bool_)
    for i in range(rows):
        if t.basic[i] < columns:
            wanted[t.basic[i]] = True
    staying = np.zeros(rows, np.bool_)
    for i in range(rows):
        if t.basic[i] >= columns:
            staying[t.basic[i] - columns] = True
    _reset(t)
    while True:
        best, best_row, best_place = PIVOT, -1, -1
        for i in range(rows):
            if staying[i] or t.basic[i] < columns:
                continue
            for k in range(columns):
                if wanted[k] and t.nonbasic[k] == k and abs(t.body[i, k]) > best:
                    best, best_row, best_place = abs(t.body[i, k]), i, k
        if best_row < 0:
            break
        _exchange(t, best_row, best_place)
    t.counter[0] = 0


@njit(cache=True, nogil=True)
def _place(t: Tableau) -> float:
    """Put nonbasic variables on the bound their reduced cost asks for; compute the basic ones; return the objective."""
    rows, columns = t.body.shape
    objective = 0.0
    at = np.empty(columns)
    for k in range(columns):
        variable = t.nonbasic[k]
        low, high, price = t.lower[variable], t.upper[variable], t.reduced[k]
        if price > 1e-13:
            x = low if low > -np.inf else -FAR
        elif price < -1e-13:
            x = high if high < np.inf else FAR
        elif low == -np.inf and high == np.inf:
            x = 0.0
        else:
            # Indifferent: the bound it is nearer to, so that what leaves the basis rests where it left.
            x = low if t.value[variable] - low <= high - t.value[variable] else high
        at[k] = x
        t.value[variable] = x
        objective += price * x
    # Most trades are none: over few that are not, gathering them is faster than whole rows.
    moved = np.flatnonzero(at)
    few = 4 * moved.size < columns
    for i in range(rows):
        line = t.body[i]
        total = 0.0
        if few:
            for m in moved:
                total += line[m] * at[m]
        else:
            for k in range(columns):
                total += line[k] * at[k]
        t.value[t.basic[i]] = total
    return objective


@njit(cache=True, nogil=True)
def _leaving(t: Tableau, first: bool) -> int:
    """Row of the basic variable furthest outside its bounds (with `first`, the lowest-numbered one outside)."""
    worst, row, number = FEASIBLE, -1, t.where.size
    for i in range(t.basic.size):
        variable = t.basic[i]
        x = t.value[variable]
        outside = max(t.lower[variable] - x, x - t.upper[variable])
        if first:
            if outside > FEASIBLE and variable < number:
                number, row = variable, i
        elif outside > worst:
            worst, row = outside, i
    return row


@njit(cache=True, nogil=True)
def _entering(t: Tableau, row: int) -> int:
    """Place of the entering variable: the smallest ratio at which flipping bounds no longer mends the row, or -1."""
    variable = t.basic[row]
    x = t.value[variable]
    sign = 1.0 if x < t.lower[variable] else -1.0
    slope = t.lower[variable] - x if sign > 0 else x - t.upper[variable]
    line = t.body[row]
    columns = line.size
    count = 0
    for k in range(columns):
        entry = sign * line[k]
        if abs(entry) <= PIVOT:
            continue
        other = t.nonbasic[k]
        low, high = max(t.lower[other], -FAR), min(t.upper[other], FAR)
        if low == high:
            continue
        # Moving up mends the row when its entry is positive, and is allowed unless it rests on its upper bound.
        resting_high = t.value[other] >= high
        resting_low = t.value[other] <= low
        if (entry > 0 and not resting_high) or (entry < 0 and not resting_low):
            t.flips[count] = k
            count += 1
    chosen = -1
    while count > 0:
        best, at = np.inf, -1
        for c in range(count):
            k = t.flips[c]
            ratio = abs(t.reduced[k]) / abs(line[k])
            if ratio < best - 1e-13 or (ratio < best + 1e-13 and at >= 0 and abs(line[k]) > abs(line[t.flips[at]])):
                best, at = min(ratio, best), c
        chosen = t.flips[at]
        other = t.nonbasic[chosen]
        slope -= abs(line[chosen]) * (min(t.upper[other], FAR) - max(t.lower[other], -FAR))
        if not slope > FEASIBLE:
            return chosen
        count -= 1
        t.flips[at] = t.flips[count]
    if slope > FEASIBLE and chosen >= 0:
        return -1
    return chosen


@njit(cache=True, nogil=True)
def reoptimise(t: Tableau, cutoff: float) -> tuple[int, float]:
    """Solve with the present bounds; return the status and the objective, which is a lower bound where it was CUT."""
    rows, columns = t.body.shape
    for v in range(rows + columns):
        if t.lower[v] > t.upper[v] + FEASIBLE:
            return INFEASIBLE, np.inf
    limit = 40 * (rows + 20)
    patience = 2 * rows + 50
    for step in range(limit):
        # A long walk is a sign of rounding in the tableau: look again from the data, with the same basis.
        if t.counter[0] > REFRESH or step % patience == patience - 1:
            _refresh(t)
        objective = _place(t)
        if objective > cutoff:
            return CUT, objective
        row = _leaving(t, step > limit // 2)
        if row < 0:
            return OPTIMAL, objective
        place = _entering(t, row)
        if place < 0:
            return INFEASIBLE, np.inf
        _exchange(t, row, place)
    return STALLED, np.inf
