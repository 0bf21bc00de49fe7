"""The part of a problem that can move: columns of some width, gathered by line, in units near one.

Fixed columns (`lower == upper`) go to the right-hand sides, so that a search that fixes columns makes the program
smaller. Values are divided by one number, prices by another, and every line and row by its greatest coefficient.
The slack of row k is kept as column `n + k` of the vectors, so that one loop serves bounds and ranges.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from workbench.rebalance.solver.problem import Floats, Ints

#: A row of the program: without effect, an equality, or a range with a slack.
FREE_ROW, EQUALITY, RANGE = 0, 1, 2
OPTIMAL, INFEASIBLE, UNBOUNDED, STALLED = 0, 1, 2, 3

#: Narrower than this (in units of the problem's own scale) a column counts as fixed and a range as an equality.
WIDTH = 1e-13


class Program(NamedTuple):
    """n columns, R lines, K rows. Columns of line r are `line_ptr[r]:line_ptr[r + 1]`, those of no line come last.

    `lower`, `upper`, `quadratic` and `linear` have n + K places in use, the last K for the slacks of rows. `touched`
    lists the rows that the columns of line r enter, `touched_ptr[r]:touched_ptr[r + 1]`; `place` is where a column of
    the problem went, -1 for a fixed one.
    """

    column: Ints
    quadratic: Floats
    linear: Floats
    lower: Floats
    upper: Floats
    coefficient: Floats
    ptr: Ints
    row: Ints
    entry: Floats
    line_ptr: Ints
    target: Floats
    row_kind: Ints
    touched_ptr: Ints
    touched: Ints
    line_scale: Floats
    row_scale: Floats
    place: Ints


def program_size(columns: int, lines: int, rows: int, entries: int) -> tuple[int, int]:
    """Return how many floats and integers a Program takes from the workspace."""
    return 5 * (columns + rows) + entries + 2 * lines + rows, 3 * columns + 3 * lines + 2 * entries + 2 * rows + 8


@njit(cache=True, nogil=True, error_model="numpy")
def carve(columns: int, lines: int, rows: int, entries: int, floats: Floats, integers: Ints) -> Program:
    """Lay a Program out in the head of the workspace; nothing is allocated."""
    total = columns + rows
    f = 0
    quadratic = floats[f : f + total]
    f += total
    linear = floats[f : f + total]
    f += total
    lower = floats[f : f + total]
    f += total
    upper = floats[f : f + total]
    f += total
    coefficient = floats[f : f + total]
    f += total
    entry = floats[f : f + entries]
    f += entries
    target = floats[f : f + lines]
    f += lines
    line_scale = floats[f : f + lines]
    f += lines
    row_scale = floats[f : f + rows]
    i = 0
    column = integers[i : i + columns]
    i += columns
    ptr = integers[i : i + columns + 1]
    i += columns + 1
    place = integers[i : i + columns]
    i += columns
    line_ptr = integers[i : i + lines + 2]
    i += lines + 2
    touched_ptr = integers[i : i + lines + 1]
    i += lines + 1
    row = integers[i : i + entries]
    i += entries
    touched = integers[i : i + entries]
    i += entries
    row_kind = integers[i : i + rows]
    return Program(
        column, quadratic, linear, lower, upper, coefficient, ptr, row, entry, line_ptr, target, row_kind,
        touched_ptr, touched, line_scale, row_scale, place,
    )  # fmt: skip


@njit(cache=True, nogil=True, error_model="numpy")
def scales(
    quadratic: Floats, linear: Floats, lower: Floats, upper: Floats, line_target: Floats, low: Floats, high: Floats,
    wide: bool,
) -> tuple[float, float]:  # fmt: skip
    """Return the size of a typical value and of a typical price: what both are divided by.

    With `wide`, the value is the greatest of all targets, limits and bounds instead of the greatest target, and of
    curvatures the geometric mean counts instead of the greatest: targets may be far smaller than what is moved to meet
    them, and a column a thousand times as curved as the others would have all their prices lost in the tolerance.
    """
    value, limit, room = 0.0, 0.0, 0.0
    for r in range(len(line_target)):
        value = max(value, abs(line_target[r]))
    for k in range(len(low)):
        if np.isfinite(low[k]):
            limit = max(limit, abs(low[k]))
        if np.isfinite(high[k]):
            limit = max(limit, abs(high[k]))
    for c in range(len(linear)):
        if np.isfinite(lower[c]) and np.isfinite(upper[c]):
            room = max(room, upper[c] - lower[c])
    if wide:
        value = max(value, limit, room)
    elif value == 0.0:
        value = limit if limit > 0.0 else room
    if value == 0.0:
        value = 1.0
    total, count, curve, logs, curved = 0.0, 0, 0.0, 0.0, 0
    for c in range(len(linear)):
        if linear[c] != 0.0:
            total += abs(linear[c])
            count += 1
        if quadratic[c] > 0.0:
            curve = max(curve, quadratic[c])
            logs += np.log(quadratic[c]) if wide else 0.0
            curved += 1
    if wide and curved:
        curve = np.exp(logs / curved)
    price = max(total / count if count else 0.0, curve * value)
    return value, price if price > 0.0 else 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def gather(
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
    value: float,
    price: float,
    p: Program,
    mark: Ints,
) -> tuple[int, bool]:
    """Fill `p` with the columns that can move; return how many, and False if what is fixed breaks a line or row.

    `value` and `price` are the scales; `mark` is scratch of R + K + 2 integers.
    """
    C, R, K = len(linear), len(line_target), len(row_low)
    width = WIDTH * value
    for i in range(R + 2):
        p.line_ptr[i] = 0
    for c in range(C):
        if lower[c] > upper[c] + width:
            return 0, False
        if upper[c] - lower[c] > width:
            r = line[c] if line[c] >= 0 and line_coefficient[c] != 0.0 else R
            p.line_ptr[r + 1] += 1
    for r in range(R + 1):
        p.line_ptr[r + 1] += p.line_ptr[r]
        mark[r] = p.line_ptr[r]
    for r in range(R):
        p.line_scale[r] = 0.0
        p.target[r] = line_target[r]
    low, high = p.lower[C:], p.upper[C:]
    size = mark[R + 1 :]
    for k in range(K):
        p.row_scale[k] = 0.0
        low[k], high[k] = row_low[k], row_high[k]
        size[k] = 0
    for c in range(C):
        p.place[c] = -1
        r = line[c] if line[c] >= 0 and line_coefficient[c] != 0.0 else R
        if upper[c] - lower[c] > width:
            j = mark[r]
            mark[r] += 1
            p.column[j] = c
            p.place[c] = j
            if r < R:
                p.line_scale[r] = max(p.line_scale[r], abs(line_coefficient[c]))
            for e in range(column_ptr[c], column_ptr[c + 1]):
                if entry[e] != 0.0:
                    p.row_scale[entry_row[e]] = max(p.row_scale[entry_row[e]], abs(entry[e]))
        elif lower[c] != 0.0:
            if r < R:
                p.target[r] -= line_coefficient[c] * lower[c]
            for e in range(column_ptr[c], column_ptr[c + 1]):
                low[entry_row[e]] -= entry[e] * lower[c]
                high[entry_row[e]] -= entry[e] * lower[c]
    n = p.line_ptr[R + 1]

    slack = 1e-10 * value
    for r in range(R):
        if p.line_scale[r] == 0.0:
            if abs(p.target[r]) > slack:
                return n, False
            p.line_scale[r] = 1.0
        p.line_scale[r] = 1.0 / p.line_scale[r]
        p.target[r] *= p.line_scale[r] / value
    for k in range(K):
        if p.row_scale[k] == 0.0:
            if low[k] > slack or high[k] < -slack:
                return n, False
            p.row_kind[k] = FREE_ROW
            p.row_scale[k] = 1.0
        elif low[k] == -np.inf and high[k] == np.inf:
            p.row_kind[k] = FREE_ROW
        else:
            p.row_kind[k] = EQUALITY if high[k] - low[k] <= width else RANGE
            if high[k] < low[k] - width:
                return n, False
        p.row_scale[k] = 1.0 / p.row_scale[k]
        low[k] *= p.row_scale[k] / value
        high[k] *= p.row_scale[k] / value

    at = 0
    for k in range(K):
        size[k] = -1
    touched = 0
    for r in range(R + 1):
        if r < R:
            p.touched_ptr[r] = touched
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            c = p.column[j]
            p.quadratic[j] = quadratic[c] * value / price
            p.linear[j] = linear[c] / price
            p.lower[j] = lower[c] / value
            p.upper[j] = upper[c] / value
            p.coefficient[j] = line_coefficient[c] * p.line_scale[r] if r < R else 0.0
            p.ptr[j] = at
            for e in range(column_ptr[c], column_ptr[c + 1]):
                k = entry_row[e]
                if entry[e] == 0.0 or p.row_kind[k] == FREE_ROW:
                    continue
                p.row[at] = k
                p.entry[at] = entry[e] * p.row_scale[k]
                at += 1
                if r < R and size[k] != r:
                    size[k] = r
                    p.touched[touched] = k
                    touched += 1
    p.touched_ptr[R] = touched
    p.ptr[n] = at
    for k in range(K):
        p.lower[n + k], p.upper[n + k] = low[k], high[k]
        p.quadratic[n + k] = 0.0
        p.linear[n + k] = 0.0
    return n, True


@njit(cache=True, nogil=True, error_model="numpy")
def line_of(p: Program, j: int) -> int:
    """Return the line of column j; R for a column of no line."""
    return int(np.searchsorted(p.line_ptr, j, side="right")) - 1
