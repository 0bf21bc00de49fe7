"""From a point inside the optimal face to one of its corners: of equally priced columns, at most one stays partly used.

An interior point spreads a sale over all lots of one price. Where columns without curvature depend on each other (the
same line and rows, or a cycle of trades that costs nothing), they are moved along the dependence, which changes neither
rows nor objective, until one meets a bound. The later column gives way: the first of two equal lots is sold first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from workbench.rebalance.solver._interior import Iterate
from workbench.rebalance.solver._presolve import RANGE, Program, line_of
from workbench.rebalance.solver.problem import Floats, Ints

#: Where a column or a row's slack stands; HELD is free but kept at its value, as nothing determines it.
FREE, LOW, HIGH, HELD = 0, -1, 1, 2

_DEPENDENT = 1e-9
_TIE = 1e-14


class Face(NamedTuple):
    """The working set, and scratch to solve on it.

    `state` of the n columns and K slacks; a row binds unless its slack is FREE. `pivot` is the column that a line
    eliminates, or -1; `place` of a row among those that bind; `chosen` the independent columns without curvature that
    are no pivots, `leading` the row each was told apart by. `basis` and `combination` share storage with `matrix`.
    """

    state: Ints
    pivot: Ints
    place: Ints
    chosen: Ints
    leading: Ints
    touched: Ints
    order: Ints
    matrix: Floats
    basis: Floats
    combination: Floats
    right: Floats
    dense: Floats
    weight: Floats
    second: Floats


def face_size(columns: int, lines: int, rows: int) -> tuple[int, int]:
    """Return how many floats and integers a Face takes from the workspace."""
    return 4 * rows * rows + 5 * rows, columns + lines + 7 * rows


@njit(cache=True, nogil=True, error_model="numpy")
def carve_face(columns: int, lines: int, rows: int, floats: Floats, integers: Ints) -> Face:
    """Lay a Face out; nothing is allocated."""
    square = rows * rows
    i = columns + rows
    pivot = integers[i : i + lines]
    i += lines
    f = 4 * square
    return Face(
        integers[: columns + rows],
        pivot,
        integers[i : i + rows],
        integers[i + rows : i + 2 * rows],
        integers[i + 2 * rows : i + 3 * rows],
        integers[i + 3 * rows : i + 4 * rows],
        integers[i + 4 * rows : i + 6 * rows],
        floats[:f].reshape((2 * rows, 2 * rows)),
        floats[:square].reshape((rows, rows)),
        floats[square : 2 * square].reshape((rows, rows)),
        floats[f : f + 2 * rows],
        floats[f + 2 * rows : f + 3 * rows],
        floats[f + 3 * rows : f + 4 * rows],
        floats[f + 4 * rows : f + 5 * rows],
    )


@njit(cache=True, nogil=True, error_model="numpy")
def choose_pivots(p: Program, face: Face) -> None:
    """Give every line its first free column without curvature, or its only free column; -1 where there is neither."""
    for r in range(len(p.target)):
        pivot, free, curved = -1, 0, -1
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            if face.state[j] == FREE:
                free += 1
                if p.quadratic[j] > 0.0:
                    curved = j
                elif pivot < 0:
                    pivot = j
        face.pivot[r] = pivot if pivot >= 0 or free != 1 else curved


@njit(cache=True, nogil=True, error_model="numpy")
def reduced(p: Program, n: int, face: Face, r: int, j: int, b: Floats) -> None:
    """Write to `b` (K) what a unit of column j does to the binding rows while its line's pivot makes up for it."""
    b[:] = 0.0
    for e in range(p.ptr[j], p.ptr[j + 1]):
        if face.state[n + p.row[e]] != FREE:
            b[p.row[e]] += p.entry[e]
    if r < len(p.target):
        i = face.pivot[r]
        ratio = p.coefficient[j] / p.coefficient[i]
        for e in range(p.ptr[i], p.ptr[i + 1]):
            if face.state[n + p.row[e]] != FREE:
                b[p.row[e]] -= ratio * p.entry[e]


@njit(cache=True, nogil=True, error_model="numpy")
def fill_in_order(p: Program, s: Iterate, face: Face) -> None:
    """Among free columns that are equal but for their bounds, use the earlier one up before the next is touched."""
    for r in range(len(p.target) + 1):
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            for i in range(p.line_ptr[r + 1] - 1, j, -1):
                if face.state[j] != FREE or p.quadratic[j] > 0.0:
                    break
                if face.state[i] == FREE and _equal(p, i, j):
                    room, left = p.upper[j] - s.v[j], s.v[i] - p.lower[i]
                    if left <= room + _TIE and left < np.inf:
                        s.v[j] += left
                        s.v[i] = p.lower[i]
                        face.state[i] = LOW
                    elif room < np.inf:
                        s.v[i] -= room
                    if room <= left + _TIE and room < np.inf:
                        s.v[j] = p.upper[j]
                        face.state[j] = HIGH


@njit(cache=True, nogil=True, error_model="numpy")
def _equal(p: Program, i: int, j: int) -> bool:
    """Tell whether two columns of one line cost and do the same a unit."""
    entries = p.ptr[i + 1] - p.ptr[i]
    if abs(p.linear[i] - p.linear[j]) > 1e-13 or p.quadratic[i] > 0.0 or entries != p.ptr[j + 1] - p.ptr[j]:
        return False
    if p.coefficient[i] != p.coefficient[j]:
        return False
    for e in range(entries):
        if p.row[p.ptr[i] + e] != p.row[p.ptr[j] + e] or p.entry[p.ptr[i] + e] != p.entry[p.ptr[j] + e]:
            return False
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _spread(p: Program, face: Face, r: int, j: int, amount: float, dv: Floats) -> None:
    """Add `amount` of column j to the direction, made up for by its line's pivot."""
    dv[j] += amount
    if r < len(p.target):
        i = face.pivot[r]
        dv[i] -= amount * p.coefficient[j] / p.coefficient[i]


@njit(cache=True, nogil=True, error_model="numpy")
def to_corner(p: Program, n: int, s: Iterate, face: Face) -> int:
    """Move `s.v` along dependences of free columns until none is left; return how many `chosen` columns remain.

    Columns that nothing bounds in either direction are HELD where they are.
    """
    R = len(p.target)
    choose_pivots(p, face)
    count = 0
    r = 0
    while r <= R:
        j = p.line_ptr[r]
        again = False
        while j < p.line_ptr[r + 1]:
            skip = face.state[j] != FREE or p.quadratic[j] > 0.0 or (r < R and j == face.pivot[r])
            if not skip and not _independent(p, n, face, r, j, count):
                blocked = _push(p, n, s, face, r, j, count)
                if blocked != j:
                    again = True
                    break
            elif not skip:
                face.chosen[count] = j
                count += 1
            j += 1
        if again:
            choose_pivots(p, face)
            count, r = 0, 0
        else:
            r += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _independent(p: Program, n: int, face: Face, r: int, j: int, count: int) -> bool:
    """Tell whether column j is independent of those chosen; if so add it to the basis, if not leave its combination.

    The combination of chosen columns that cancels it is left in `weight`.
    """
    b, weight, K = face.dense, face.weight, len(p.row_kind)
    reduced(p, n, face, r, j, b)
    weight[:] = 0.0
    size = 0.0
    for k in range(K):
        size = max(size, abs(b[k]))
    for i in range(count):
        f = b[face.leading[i]] / face.basis[i, face.leading[i]]
        if f != 0.0:
            for k in range(K):
                b[k] -= f * face.basis[i, k]
            b[face.leading[i]] = 0.0
            for m in range(i + 1):
                weight[m] -= f * face.combination[i, m]
    best, lead = 0.0, -1
    for k in range(K):
        if abs(b[k]) > best:
            best, lead = abs(b[k]), k
    if best <= _DEPENDENT * max(1.0, size) or count == K:
        return False
    for k in range(K):
        face.basis[count, k] = b[k]
        face.combination[count, k] = weight[k]
    face.combination[count, count] = 1.0
    face.leading[count] = lead
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _push(p: Program, n: int, s: Iterate, face: Face, r: int, j: int, count: int) -> int:
    """Move along the dependence of column j as far as bounds and free rows allow; return what stopped it.

    Down in column j, unless that raises the objective. The column or slack that stops it takes its bound.
    """
    K, dv = len(p.row_kind), s.dv
    for i in range(n + K):
        dv[i] = 0.0
    _spread(p, face, r, j, 1.0, dv)
    for i in range(count):
        if face.weight[i] != 0.0:
            _spread(p, face, line_of(p, face.chosen[i]), face.chosen[i], face.weight[i], dv)
    cost, size = 0.0, 0.0
    for i in range(n):
        if dv[i] != 0.0:
            if abs(dv[i]) < 1e-12:
                dv[i] = 0.0
                continue
            cost += p.linear[i] * dv[i]
            size += abs(p.linear[i] * dv[i])
            for e in range(p.ptr[i], p.ptr[i + 1]):
                if face.state[n + p.row[e]] == FREE:
                    dv[n + p.row[e]] += p.entry[e] * dv[i]
    down = cost > -1e-12 * size
    for _attempt in range(2):
        sign = -1.0 if down else 1.0
        length, stop, side = np.inf, -1, LOW
        for i in range(n + K):
            rate = sign * dv[i]
            if abs(rate) < 1e-11 or (i >= n and (p.row_kind[i - n] != RANGE or face.state[i] != FREE)):
                continue
            room = p.upper[i] - s.v[i] if rate > 0.0 else s.v[i] - p.lower[i]
            room = max(room, 0.0) / abs(rate)
            if room == np.inf:
                continue
            if room < length - _TIE or (room <= length + _TIE and i == j):
                length, stop, side = room, i, HIGH if rate > 0.0 else LOW
        if stop >= 0:
            for i in range(n + K):
                s.v[i] += sign * length * dv[i]
            s.v[stop] = p.upper[stop] if side == HIGH else p.lower[stop]
            face.state[stop] = side
            return stop
        down = not down
    face.state[j] = HELD
    return j
