"""A `Problem` with its `Integrality` as the tableau the search works on, compiled.

Rows are the lines, the rows, and one total for each position whose sales are more than one lot, so that a unit's
amount is a single variable. A quadratic column becomes segments above and below a centre, each linear with the
secant's slope (separable programming: Charnes and Lemke, 1954): exact at the breaks, and refined by centring again
with narrower segments.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.rebalance.solver._search import Units
from workbench.rebalance.solver._simplex import Tableau, tableau
from workbench.rebalance.solver.problem import BUY, SELL, Floats, Ints

#: Segments on each side of a quadratic column's centre; each is twice as wide as the one before, the last is open.
SEGMENTS = 7


@njit(cache=True, nogil=True)
def units_of(
    kind: Ints, upper: Floats, position: Ints, share: Floats, held: Floats, minimum: Floats
) -> tuple[Units, Ints, int]:
    """Units in order of position, purchases first; the total row of each column (-1: none) and how many there are.

    A unit of several columns is the activity of total row t, written as -1 - t until `tableau_of` counts columns.
    """
    positions, columns = share.size, kind.size
    count = np.zeros((positions, 2), np.int32)
    one = np.full((positions, 2), -1, np.int32)
    most = np.zeros(positions)
    for c in range(columns):
        p = position[c]
        if p >= 0 and (kind[c] == BUY or kind[c] == SELL):
            side = 1 if kind[c] == SELL else 0
            count[p, side] += 1
            one[p, side] = c
            if side == 1:
                most[p] += upper[c]
    total = np.full((positions, 2), -1, np.int32)
    totals, number = 0, 0
    for p in range(positions):
        for side in range(2):
            if count[p, side] > 0:
                number += 1
            if count[p, side] > 1:
                total[p, side] = totals
                totals += 1
    units = Units(
        np.empty(number, np.int32), np.empty(number), np.empty(number), np.empty(number), np.full(number, -1, np.int32)
    )
    u = 0
    for p in range(positions):
        for side in range(2):
            if count[p, side] == 0:
                continue
            units.variable[u] = one[p, side] if count[p, side] == 1 else -1 - total[p, side]
            units.share[u] = share[p]
            least = minimum[p]
            if share[p] > 0.0:
                least = max(np.ceil(least / share[p] - 1e-6), 1.0) * share[p]
            units.least[u] = least
            units.close[u] = np.inf
            if side == 1:
                # All lots together may miss what is held by rounding only; with lots that may not be sold it is more.
                units.close[u] = min(held[p], most[p]) if most[p] > held[p] * (1 - 1e-9) else np.inf
                if count[p, 0] > 0:
                    units.twin[u], units.twin[u - 1] = u - 1, u
            u += 1
    total_row = np.full(columns, -1, np.int32)
    for c in range(columns):
        if position[c] >= 0 and (kind[c] == BUY or kind[c] == SELL):
            total_row[c] = total[position[c], 1 if kind[c] == SELL else 0]
    return units, total_row, totals


@njit(cache=True, nogil=True)
def tableau_of(
    quadratic: Floats, linear: Floats, lower: Floats, upper: Floats, line: Ints, line_coefficient: Floats,
    column_ptr: Ints, entry_row: Ints, entry: Floats, line_target: Floats, row_low: Floats, row_high: Floats,
    total_row: Ints, totals: int, units: Units, centre: Floats, width: Floats,
) -> tuple[Tableau, Units, int]:  # fmt: skip
    """The tableau, the units with their variables in it, and how many columns it has.

    The first C columns are the problem's own; a quadratic one then stands for its distance above `centre` within
    `width` (C), and its other segments follow.
    """
    columns, lines, rows = linear.size, line_target.size, row_low.size
    curved = 0
    for c in range(columns):
        if quadratic[c] > 0.0:
            curved += 1
    wide = columns + curved * (2 * SEGMENTS - 1)
    deep = lines + rows + totals
    matrix = np.zeros((deep, wide))
    cost = np.zeros(wide)
    low, high = np.zeros(wide + deep), np.zeros(wide + deep)
    low[wide : wide + lines] = line_target
    high[wide : wide + lines] = line_target
    low[wide + lines : wide + lines + rows] = row_low
    high[wide + lines : wide + lines + rows] = row_high
    high[wide + lines + rows :] = np.inf
    extra = columns
    for c in range(columns):
        if line[c] >= 0:
            matrix[line[c], c] = line_coefficient[c]
        for e in range(column_ptr[c], column_ptr[c + 1]):
            matrix[lines + entry_row[e], c] += entry[e]
        if total_row[c] >= 0:
            matrix[lines + rows + total_row[c], c] = 1.0
        if not quadratic[c] > 0.0:
            cost[c], low[c], high[c] = linear[c], lower[c], upper[c]
            continue
        z = centre[c]
        for i in range(deep):
            if matrix[i, c] != 0.0:
                low[wide + i] -= matrix[i, c] * z
                high[wide + i] -= matrix[i, c] * z
        for side in range(2):
            sign = 1.0 if side == 0 else -1.0
            room = upper[c] - z if side == 0 else z - lower[c]
            start, step = 0.0, width[c]
            for s in range(SEGMENTS):
                if side == 0 and s == 0:
                    at = c
                else:
                    at = extra
                    extra += 1
                    matrix[:, at] = sign * matrix[:, c]
                cost[at] = sign * (linear[c] + quadratic[c] * (z + sign * (start + 0.5 * step)))
                high[at] = max(room - start, 0.0) if s == SEGMENTS - 1 else min(step, max(room - start, 0.0))
                start += step
                step *= 2.0
    variable = units.variable.copy()
    for u in range(variable.size):
        if variable[u] < 0:
            variable[u] = wide + lines + rows - 1 - variable[u]
            high[variable[u]] = units.close[u]
    named = Units(variable, units.share, units.least, units.close, units.twin)
    return tableau(matrix, cost, low, high), named, wide


@njit(cache=True, nogil=True)
def values_of(t: Tableau, quadratic: Floats, centre: Floats, lower: Floats, upper: Floats) -> Floats:
    """The problem's columns at the tableau's point; what is within rounding of a bound is put on it."""
    columns = quadratic.size
    values = np.empty(columns)
    extra = columns
    for c in range(columns):
        x = t.value[c]
        if quadratic[c] > 0.0:
            x += centre[c]
            for s in range(SEGMENTS - 1):
                x += t.value[extra + s]
            for s in range(SEGMENTS - 1, 2 * SEGMENTS - 1):
                x -= t.value[extra + s]
            extra += 2 * SEGMENTS - 1
        if abs(x - lower[c]) < 1e-9:
            x = lower[c]
        elif abs(x - upper[c]) < 1e-9:
            x = upper[c]
        values[c] = x
    return values


@njit(cache=True, nogil=True)
def prices_of(t: Tableau, wide: int, lines: int, rows: int) -> tuple[Floats, Floats]:
    """Prices of lines and rows: the reduced costs of their activities."""
    slope = np.zeros(t.lower.size)
    for k in range(t.nonbasic.size):
        slope[t.nonbasic[k]] = t.reduced[k]
    return slope[wide : wide + lines].copy(), slope[wide + lines : wide + lines + rows].copy()


@njit(cache=True, nogil=True)
def gradient_left(
    quadratic: Floats, linear: Floats, line: Ints, line_coefficient: Floats, column_ptr: Ints, entry_row: Ints,
    entry: Floats, values: Floats, line_price: Floats, row_price: Floats,
) -> Floats:  # fmt: skip
    """What bounds must hold against: the objective's gradient less the prices of lines and rows."""
    left = linear + quadratic * values
    for c in range(linear.size):
        if line[c] >= 0:
            left[c] -= line_coefficient[c] * line_price[line[c]]
        for e in range(column_ptr[c], column_ptr[c + 1]):
            left[c] -= entry[e] * row_price[entry_row[e]]
    return left
