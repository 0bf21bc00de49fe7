"""From the interior point's answer to the exact one: zero trades are zero, bounds are met, prices fit to rounding.

The interior point tells which bounds and rows bind. On that working set the optimality conditions are linear: lines are
eliminated by a pivot column each, columns with curvature by it, and a small dense system in the binding rows and the
remaining columns is left, solved with partial pivoting and refined. Whatever then leaves its bounds or has a price of
the wrong sign changes sides and the system is solved again (Hintermüller, Ito and Kunisch 2002, The primal-dual active
set strategy), after a few rounds one change at a time. Convex conditions that hold are proof of optimality, however the
working set was found; so a search may begin from the working set of a near problem.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.rebalance.solver._interior import Iterate
from workbench.rebalance.solver._presolve import EQUALITY, RANGE, Program, line_of
from workbench.rebalance.solver._vertex import FREE, HIGH, LOW, Face, fill_in_order, reduced, to_corner
from workbench.rebalance.solver.problem import Floats, Ints

#: How far a value may leave its bounds, a price its sign, and a line or row its limit, in scaled units.
_VALUE, _PRICE, _FEASIBLE = 1e-11, 1e-10, 1e-11
_DAMPING = 1e-11
_REFINEMENTS = 6


@njit(cache=True, nogil=True, error_model="numpy")
def identify(p: Program, n: int, s: Iterate, face: Face) -> None:
    """Read the working set off an interior point: a bound binds where its price exceeds the distance to it."""
    for j in range(n + len(p.row_kind)):
        face.state[j] = FREE
        if j >= n and p.row_kind[j - n] == EQUALITY:
            face.state[j] = LOW
        elif s.z_low[j] > s.gap_low[j]:
            face.state[j] = LOW
            s.v[j] = p.lower[j]
        elif s.z_high[j] > s.gap_high[j]:
            face.state[j] = HIGH
            s.v[j] = p.upper[j]
    for k in range(len(p.row_kind)):
        if face.state[n + k] == FREE:
            s.w[k] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def take_as_is(p: Program, n: int, s: Iterate, face: Face) -> None:
    """Accept an interior point at its tightest: for programs so nearly singular that no working set settles.

    What is within rounding of a bound is put on it; everything else keeps its value. What binds keeps its price.
    """
    for j in range(n + len(p.row_kind)):
        face.state[j] = FREE
        s.dual[j] = s.z_low[j] - s.z_high[j]
        if s.z_low[j] > s.gap_low[j]:
            face.state[j] = LOW
            if s.gap_low[j] < _VALUE:
                s.v[j] = p.lower[j]
        elif s.z_high[j] > s.gap_high[j]:
            face.state[j] = HIGH
            if s.gap_high[j] < _VALUE:
                s.v[j] = p.upper[j]


@njit(cache=True, nogil=True, error_model="numpy")
def polish(p: Program, n: int, s: Iterate, face: Face, rounds: int) -> bool:
    """Find the exact solution from the working set at hand; False if `rounds` were not enough to settle it."""
    fill_in_order(p, s, face)
    for turn in range(rounds):
        count = to_corner(p, n, s, face)
        _keep(p, n, s, True)
        if _solve_face(p, n, s, face, count) > 10.0 * _FEASIBLE:
            # Too much is at a bound for the rows and lines to be met: go back and free what matters least.
            _keep(p, n, s, False)
            _face_residuals(p, n, s, face)
            if not _free_weakest(p, n, s, face):
                return False
            continue
        _price_closed_lines(p, n, s, face)
        if _change_sides(p, n, s, face, turn >= 5) == 0:
            return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
def _keep(p: Program, n: int, s: Iterate, save: bool) -> None:
    """Save `v`, `y`, `w` in scratch of the interior point, or bring them back."""
    for j in range(n + len(p.row_kind)):
        if save:
            s.gap_low[j] = s.v[j]
        else:
            s.v[j] = s.gap_low[j]
    for r in range(len(p.target)):
        if save:
            s.line_sum[r] = s.y[r]
        else:
            s.y[r] = s.line_sum[r]
    for k in range(len(p.row_kind)):
        if save:
            s.dense[k] = s.w[k]
        else:
            s.w[k] = s.dense[k]


@njit(cache=True, nogil=True, error_model="numpy")
def _free_weakest(p: Program, n: int, s: Iterate, face: Face) -> bool:
    """Free the bound with the least price, as it is the likeliest not to bind; False where none is left."""
    least, at = np.inf, -1
    for j in range(n + len(p.row_kind)):
        if (face.state[j] == LOW or face.state[j] == HIGH) and (j < n or p.row_kind[j - n] == RANGE):
            price = abs(s.dual[j] if j < n else s.w[j - n])
            if price < least:
                least, at = price, j
    if at < 0:
        return False
    face.state[at] = FREE
    if at >= n:
        s.w[at - n] = 0.0
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _face_residuals(p: Program, n: int, s: Iterate, face: Face) -> float:
    """Fill `dual` of free columns, and the residuals of lines and binding rows; return the greatest."""
    R, K = len(p.target), len(p.row_kind)
    worst = 0.0
    for k in range(K):
        j = n + k
        s.row_residual[k] = p.upper[j] if face.state[j] == HIGH else p.lower[j]
        if face.state[j] == FREE:
            s.row_residual[k] = 0.0
    for r in range(R + 1):
        left = p.target[r] if r < R else 0.0
        y = s.y[r] if r < R else 0.0
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            v = s.v[j]
            left -= p.coefficient[j] * v
            d = p.quadratic[j] * v + p.linear[j] - p.coefficient[j] * y
            for e in range(p.ptr[j], p.ptr[j + 1]):
                s.row_residual[p.row[e]] -= p.entry[e] * v
                d -= p.entry[e] * s.w[p.row[e]]
            s.dual[j] = d
            if face.state[j] == FREE:
                worst = max(worst, abs(d))
        if r < R:
            s.line_residual[r] = left
            worst = max(worst, abs(left))
    for k in range(K):
        if face.state[n + k] != FREE:
            worst = max(worst, abs(s.row_residual[k]))
    return worst


@njit(cache=True, nogil=True, error_model="numpy")
def _solve_face(p: Program, n: int, s: Iterate, face: Face, count: int) -> float:
    """Solve the optimality conditions on the working set into `v`, `y`, `w`; return the residual that is left."""
    K = len(p.row_kind)
    worst = _face_residuals(p, n, s, face)
    bind = 0
    for k in range(K):
        face.place[k] = -1
        if face.state[n + k] != FREE:
            face.place[k] = bind
            bind += 1
    size = bind + count
    _assemble(p, n, face, bind, count)
    _decompose(face.matrix, size, face.order)
    for turn in range(_REFINEMENTS):
        _right_side(p, n, s, face, bind, count)
        _substitute(face.matrix, size, face.order, face.right)
        _expand(p, n, s, face, bind, count)
        before, worst = worst, _face_residuals(p, n, s, face)
        if worst <= 1e-13 or (turn > 0 and worst > 0.1 * before):
            break
    return worst


@njit(cache=True, nogil=True, error_model="numpy")
def _assemble(p: Program, n: int, face: Face, bind: int, count: int) -> None:
    """Form the system: curvature carried to the binding rows, bordered by the chosen columns without curvature."""
    R, K = len(p.target), len(p.row_kind)
    M, b, size = face.matrix, face.dense, bind + count
    for i in range(size):
        for m in range(size):
            M[i, m] = 0.0
    for r in range(R + 1):
        pivot = face.pivot[r] if r < R else 0
        total = 0.0
        if pivot < 0:
            face.second[:] = 0.0
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            q = p.quadratic[j]
            if face.state[j] != FREE or q == 0.0 or (r < R and j == pivot):
                continue
            if pivot >= 0:
                reduced(p, n, face, r, j, b)
            else:
                total += p.coefficient[j] ** 2 / q
                b[:] = 0.0
                for e in range(p.ptr[j], p.ptr[j + 1]):
                    if face.place[p.row[e]] >= 0:
                        b[p.row[e]] += p.entry[e]
                        face.second[p.row[e]] += p.entry[e] * p.coefficient[j] / q
            _outer(p, face, b, 1.0 / q)
        if pivot < 0 and total > 0.0:
            _outer(p, face, face.second, -1.0 / total)
    for i in range(count):
        j = face.chosen[i]
        r = line_of(p, j)
        reduced(p, n, face, r, j, b)
        for k in range(K):
            if face.place[k] >= 0:
                M[face.place[k], bind + i] = b[k]
                M[bind + i, face.place[k]] = b[k]
        M[bind + i, bind + i] = -_DAMPING
    for i in range(bind):
        M[i, i] += _DAMPING


@njit(cache=True, nogil=True, error_model="numpy")
def _outer(p: Program, face: Face, b: Floats, weight: float) -> None:
    """Add `weight` b b' to the rows' block."""
    listed = 0
    for k in range(len(p.row_kind)):
        if b[k] != 0.0 and face.place[k] >= 0:
            face.touched[listed] = k
            listed += 1
    for i in range(listed):
        k = face.touched[i]
        for m in range(listed):
            face.matrix[face.place[k], face.place[face.touched[m]]] += weight * b[k] * b[face.touched[m]]


@njit(cache=True, nogil=True, error_model="numpy")
def _decompose(M: Floats, size: int, order: Ints) -> None:
    """Factorise in place by Gaussian elimination with partial pivoting; `order` lists the rows' exchanges."""
    for i in range(size):
        best, at = abs(M[i, i]), i
        for m in range(i + 1, size):
            if abs(M[m, i]) > best:
                best, at = abs(M[m, i]), m
        order[i] = at
        if at != i:
            for m in range(size):
                M[i, m], M[at, m] = M[at, m], M[i, m]
        if best == 0.0:
            M[i, i] = 1e64
        over = 1.0 / M[i, i]
        for m in range(i + 1, size):
            f = M[m, i] * over
            M[m, i] = f
            if f != 0.0:
                for c in range(i + 1, size):
                    M[m, c] -= f * M[i, c]


@njit(cache=True, nogil=True, error_model="numpy")
def _substitute(M: Floats, size: int, order: Ints, x: Floats) -> None:
    """Solve with the factors of `_decompose`, in place."""
    for i in range(size):
        x[i], x[order[i]] = x[order[i]], x[i]
    for i in range(size):
        t = x[i]
        for m in range(i):
            t -= M[i, m] * x[m]
        x[i] = t
    for i in range(size - 1, -1, -1):
        t = x[i]
        for m in range(i + 1, size):
            t -= M[i, m] * x[m]
        x[i] = t / M[i, i]


@njit(cache=True, nogil=True, error_model="numpy")
def _right_side(p: Program, n: int, s: Iterate, face: Face, bind: int, count: int) -> None:
    """Carry the residuals of lines and columns to the small system's right-hand side.

    With rd the dual residual and ~ for "less the pivot's share": column c with curvature moves (b~'dw - rd~) / q.
    """
    R, K = len(p.target), len(p.row_kind)
    rhs = s.dw
    for k in range(K):
        rhs[k] = s.row_residual[k]
    for r in range(R + 1):
        pivot = face.pivot[r] if r < R else 0
        if r < R and pivot >= 0:
            # What the pivot takes over from the line's residual, it does to the rows.
            move = s.line_residual[r] / p.coefficient[pivot]
            for e in range(p.ptr[pivot], p.ptr[pivot + 1]):
                rhs[p.row[e]] -= p.entry[e] * move
        total, left = 0.0, s.line_residual[r] if r < R else 0.0
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            q = p.quadratic[j]
            if face.state[j] != FREE or q == 0.0 or (r < R and j == pivot):
                continue
            if pivot < 0:
                total += p.coefficient[j] ** 2 / q
                left += p.coefficient[j] * s.dual[j] / q
                move = -s.dual[j] / q
                for e in range(p.ptr[j], p.ptr[j + 1]):
                    rhs[p.row[e]] -= p.entry[e] * move
                continue
            ratio = p.coefficient[j] / p.coefficient[pivot] if r < R else 0.0
            move = -(s.dual[j] - (ratio * s.dual[pivot] if r < R else 0.0)) / q
            for e in range(p.ptr[j], p.ptr[j + 1]):
                rhs[p.row[e]] -= p.entry[e] * move
            if r < R:
                for e in range(p.ptr[pivot], p.ptr[pivot + 1]):
                    rhs[p.row[e]] += ratio * p.entry[e] * move
        if r < R and pivot < 0 and total > 0.0:
            # Several curved columns share the line: dy = (left - sum of (a/q) b'dw) / total.
            dy = left / total
            for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
                if face.state[j] == FREE:
                    move = p.coefficient[j] * dy / p.quadratic[j]
                    for e in range(p.ptr[j], p.ptr[j + 1]):
                        rhs[p.row[e]] -= p.entry[e] * move
    for k in range(K):
        if face.place[k] >= 0:
            face.right[face.place[k]] = rhs[k]
    for i in range(count):
        j = face.chosen[i]
        r = line_of(p, j)
        d = s.dual[j]
        if r < R:
            d -= p.coefficient[j] / p.coefficient[face.pivot[r]] * s.dual[face.pivot[r]]
        face.right[bind + i] = d


@njit(cache=True, nogil=True, error_model="numpy")
def _expand(p: Program, n: int, s: Iterate, face: Face, bind: int, count: int) -> None:
    """Turn the small system's solution into steps of all free columns, lines and binding rows, and take them."""
    R, K = len(p.target), len(p.row_kind)
    for k in range(K):
        s.dw[k] = face.right[face.place[k]] if face.place[k] >= 0 else 0.0
        s.w[k] += s.dw[k]
    for j in range(n):
        s.dv[j] = 0.0
    for i in range(count):
        s.dv[face.chosen[i]] = face.right[bind + i]
    for r in range(R + 1):
        pivot = face.pivot[r] if r < R else -1
        dy = 0.0
        if r < R and pivot >= 0:
            dy = s.dual[pivot] - _along(p.ptr, p.row, p.entry, s.dw, pivot)
            if p.quadratic[pivot] > 0.0:
                s.dv[pivot] = s.line_residual[r] / p.coefficient[pivot]
                dy += p.quadratic[pivot] * s.dv[pivot]
            dy /= p.coefficient[pivot]
        elif r < R:
            total, left = 0.0, s.line_residual[r]
            for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
                if face.state[j] == FREE:
                    over = p.coefficient[j] / p.quadratic[j]
                    total += p.coefficient[j] * over
                    left += over * (s.dual[j] - _along(p.ptr, p.row, p.entry, s.dw, j))
            dy = left / total if total > 0.0 else 0.0
        left = s.line_residual[r] if r < R else 0.0
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            if face.state[j] == FREE and j != pivot:
                if p.quadratic[j] > 0.0:
                    s.dv[j] = (
                        p.coefficient[j] * dy + _along(p.ptr, p.row, p.entry, s.dw, j) - s.dual[j]
                    ) / p.quadratic[j]
                left -= p.coefficient[j] * s.dv[j]
        if r < R:
            s.y[r] += dy
            if pivot >= 0:
                s.dv[pivot] = left / p.coefficient[pivot]
    for j in range(n):
        s.v[j] += s.dv[j]


@njit(cache=True, nogil=True, error_model="numpy")
def _along(ptr: Ints, row: Ints, entry: Floats, dw: Floats, j: int) -> float:
    """Return b'dw of column j."""
    t = 0.0
    for e in range(ptr[j], ptr[j + 1]):
        t += entry[e] * dw[row[e]]
    return t


@njit(cache=True, nogil=True, error_model="numpy")
def _price_closed_lines(p: Program, n: int, s: Iterate, face: Face) -> None:
    """Price a line without free columns: of the values that every column at a bound accepts, the one nearest zero.

    The price at hand may be of any size, as nothing held it: prices of columns are told anew, not by the difference.
    """
    for r in range(len(p.target)):
        if face.pivot[r] >= 0:
            continue
        low, high, free = -np.inf, np.inf, False
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            free = free or face.state[j] == FREE
            edge = _unpriced(p, s, j) / p.coefficient[j]
            if (face.state[j] == LOW) == (p.coefficient[j] > 0.0):
                high = min(high, edge)
            else:
                low = max(low, edge)
        if free or low > high:
            continue
        s.y[r] = min(max(0.0, low), high)
        for j in range(p.line_ptr[r], p.line_ptr[r + 1]):
            s.dual[j] = _unpriced(p, s, j) - p.coefficient[j] * s.y[r]


@njit(cache=True, nogil=True, error_model="numpy")
def _unpriced(p: Program, s: Iterate, j: int) -> float:
    """Return the price of column j before its line's price."""
    return p.quadratic[j] * s.v[j] + p.linear[j] - _along(p.ptr, p.row, p.entry, s.w, j)


@njit(cache=True, nogil=True, error_model="numpy")
def _side(state: int, value: float, lower: float, upper: float, price: float) -> int:
    """Return the side that a column or slack should take, by its value if it is free, by its price if it is not."""
    if state == FREE:
        if lower - value > _VALUE:
            return LOW
        if value - upper > _VALUE:
            return HIGH
    elif (state != HIGH and price < -_PRICE) or (state != LOW and price > _PRICE):
        return FREE
    return state


@njit(cache=True, nogil=True, error_model="numpy")
def _change_sides(p: Program, n: int, s: Iterate, face: Face, one: bool) -> int:
    """Move what is on the wrong side (only the first, if `one`), set the rest exactly on bounds; count the moves."""
    changed = 0
    for k in range(len(p.row_kind)):
        if face.state[n + k] == FREE:
            s.v[n + k] = -s.row_residual[k]
    for j in range(n + len(p.row_kind)):
        if j >= n and p.row_kind[j - n] != RANGE:
            continue
        state = face.state[j]
        price = s.dual[j] if j < n else s.w[j - n]
        side = _side(state, s.v[j], p.lower[j], p.upper[j], price)
        if side != state and not (one and changed):
            changed += 1
            face.state[j] = side
            state = side
            if side == FREE and j >= n:
                s.w[j - n] = 0.0
        if state == LOW or (state == FREE and s.v[j] - p.lower[j] <= _VALUE):
            s.v[j] = p.lower[j]
        elif state == HIGH or (state == FREE and p.upper[j] - s.v[j] <= _VALUE):
            s.v[j] = p.upper[j]
    return changed
