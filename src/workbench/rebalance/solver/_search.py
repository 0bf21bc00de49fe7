"""The search over sides and whole shares of one household, compiled: branch, round, improve.

What must be chosen are sides of wash groups (realise losses or buy), sides of positions (sell or buy, never both), and
amounts of **units**: a unit is all purchases or all sales of one position, which trades nothing, a whole number of
shares from the least trade up, or closes. All choices are bounds of single variables of a linear program, so that each
is one warm re-solve (`_simplex`), whose reduced costs say which moves cannot help: a move of nonbasic variables by
delta costs at least reduced cost x delta, by weak duality, whatever else adjusts.

1. branch: depth first over wash sides, position sides and least trades, the better child first, cut by the incumbent;
2. round: the relaxed solution of the incumbent's sides, one unit after another to whole shares, dearest share first;
3. improve: single units and pairs moved to the next amounts below and above, while that helps.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from workbench.rebalance.solver._simplex import OPTIMAL, Tableau, reoptimise
from workbench.rebalance.solver.problem import Floats, Ints

#: Amounts below this fraction of the household are nothing ($0.002 of $2m).
NOTHING = 1e-9
#: A branch is given up when it cannot improve by more than this (0.01 bp of value).
WORTH = 1e-6
#: Moves that are paired with each other, the most promising.
MOST_PAIRED = 150
#: Smaller improvements of a rounded solution are not looked for (0.0001 bp).
STEP = 1e-8
LOSSES, PURCHASES, AT_MOST, AT_LEAST = range(4)


class Units(NamedTuple):
    """U units: the `variable` that holds the amount, value of a `share` (0: any amount), `least` amount, amount that
    closes (`close`, inf for purchases and for positions that cannot be closed), and the position's other unit (-1)."""

    variable: Ints
    share: Floats
    least: Floats
    close: Floats
    twin: Ints


@njit(cache=True, nogil=True)
def below(units: Units, u: int, x: float) -> float:
    """The largest amount unit `u` may trade that is not above `x`."""
    close = units.close[u]
    if x >= close - NOTHING:
        return close
    if x < units.least[u] - NOTHING:
        return 0.0
    share = units.share[u]
    if share <= 0.0:
        return x
    return np.floor(x / share + 1e-6) * share


@njit(cache=True, nogil=True)
def above(units: Units, u: int, x: float) -> float:
    """The smallest amount unit `u` may trade that is not below `x` (may exceed its bound)."""
    if x <= NOTHING:
        return 0.0
    share = units.share[u]
    y = max(x, units.least[u])
    if share > 0.0:
        y = np.ceil(y / share - 1e-6) * share
    return min(y, units.close[u]) if x <= units.close[u] + NOTHING else y


@njit(cache=True, nogil=True)
def _whole(units: Units, u: int, x: float) -> bool:
    return abs(x - below(units, u, x)) <= NOTHING or abs(x - above(units, u, x)) <= NOTHING


@njit(cache=True, nogil=True)
def _conflict(t: Tableau, units: Units, wash: Ints, selling: Ints, groups: int, whole: bool) -> tuple[int, int]:
    """What the point violates most, in order: a wash group (0, group), a position's sides (1, unit), a least trade
    (2, unit) and, with `whole`, a whole share, the dearest first (3, unit); (-1, -1) for nothing."""
    if groups > 0:
        sold = np.zeros(groups)
        bought = np.zeros(groups)
        for c in range(wash.size):
            if wash[c] >= 0:
                if selling[c]:
                    sold[wash[c]] += t.value[c]
                else:
                    bought[wash[c]] += t.value[c]
        worst, at = NOTHING, -1
        for g in range(groups):
            if min(sold[g], bought[g]) > worst:
                worst, at = min(sold[g], bought[g]), g
        if at >= 0:
            return 0, at
    worst, at, kind = NOTHING, -1, -1
    for u in range(units.variable.size):
        x = t.value[units.variable[u]]
        if x <= NOTHING:
            continue
        other = units.twin[u]
        if other > u and min(x, t.value[units.variable[other]]) > NOTHING:
            return 1, u
        if x < units.least[u] - NOTHING and x < units.close[u] - NOTHING:
            miss = min(x, units.least[u] - x)
            if miss > worst:
                worst, at, kind = miss, u, 2
    if kind < 0 and whole:
        for u in range(units.variable.size):
            if units.share[u] > worst and not _whole(units, u, t.value[units.variable[u]]):
                worst, at, kind = units.share[u], u, 3
    return kind, at


@njit(cache=True, nogil=True)
def _bound(t: Tableau, variable: int, low: float, high: float, trail_of: Ints, trail: Floats, length: int) -> int:
    """Set bounds of a variable, remembering the old ones."""
    trail_of[length] = variable
    trail[length, 0] = t.lower[variable]
    trail[length, 1] = t.upper[variable]
    t.lower[variable] = low
    t.upper[variable] = high
    return length + 1


@njit(cache=True, nogil=True)
def _undo(t: Tableau, trail_of: Ints, trail: Floats, length: int, to: int) -> int:
    while length > to:
        length -= 1
        t.lower[trail_of[length]] = trail[length, 0]
        t.upper[trail_of[length]] = trail[length, 1]
    return length


@njit(cache=True, nogil=True)
def _decide(
    t: Tableau, units: Units, wash: Ints, selling: Ints, option: int, at: int, amount: float,
    trail_of: Ints, trail: Floats, length: int,
) -> int:  # fmt: skip
    """Apply one option: a side of wash group `at`, or unit `at` not at all, at most or at least `amount`."""
    if option in (LOSSES, PURCHASES):
        for c in range(wash.size):
            if wash[c] == at and (selling[c] != 0) == (option == PURCHASES):
                length = _bound(t, c, t.lower[c], min(t.upper[c], 0.0), trail_of, trail, length)
        return length
    v = units.variable[at]
    if option == AT_MOST:
        return _bound(t, v, t.lower[v], min(t.upper[v], amount), trail_of, trail, length)
    return _bound(t, v, max(t.lower[v], amount), t.upper[v], trail_of, trail, length)


@njit(cache=True, nogil=True)
def _options(t: Tableau, units: Units, kind: int, at: int, option: Ints, what: Ints, amount: Floats) -> int:
    """Write the two ways out of a conflict, each a bound; return how many."""
    option[0], option[1] = AT_MOST, AT_LEAST
    what[0] = what[1] = at
    if kind == 0:
        option[0], option[1] = LOSSES, PURCHASES
    elif kind == 1:
        option[1] = AT_MOST
        what[1] = units.twin[at]
        amount[0] = amount[1] = 0.0
    else:
        x = t.value[units.variable[at]]
        amount[0], amount[1] = below(units, at, x), above(units, at, x)
    return 2


@njit(cache=True, nogil=True)
def branch(
    t: Tableau, units: Units, wash: Ints, selling: Ints, groups: int, best: float, limit: int, whole: bool
) -> tuple[float, Floats, Floats, int]:
    """Depth-first branch and bound over sides and least trades, and with `whole` over shares too.

    Looks for what is better than `best` by more than WORTH. Returns the best objective (as given: none was found), the
    bounds of its leaf, and the number of re-solves: at most about `limit` once there is a best, 50 times that before.
    """
    variables = t.lower.size
    best_lower, best_upper = t.lower.copy(), t.upper.copy()
    room = 64 * variables + 1024
    trail_of = np.empty(room, np.int32)
    trail = np.empty((room, 2))
    stack = np.empty((room, 3), np.int32)  # length of the trail, option, what
    stack_amount = np.zeros(room)
    floor = np.empty(room)
    option, what, amount = np.empty(2, np.int32), np.empty(2, np.int32), np.zeros(2)
    length, solves = 0, 0
    stack[0, 0], stack[0, 1], stack[0, 2], floor[0] = 0, -1, 0, -np.inf
    top = 1
    while top > 0:
        top -= 1
        length = _undo(t, trail_of, trail, length, stack[top, 0])
        if floor[top] > best - WORTH or solves > (limit if best < np.inf else 50 * limit):
            continue
        if stack[top, 1] >= 0:
            length = _decide(
                t, units, wash, selling, stack[top, 1], stack[top, 2], stack_amount[top], trail_of, trail, length
            )
        status, objective = reoptimise(t, best - WORTH)
        solves += 1
        if status != OPTIMAL:
            continue
        kind, at = _conflict(t, units, wash, selling, groups, whole)
        if kind < 0:
            best = objective
            best_lower[:], best_upper[:] = t.lower, t.upper
            continue
        if length + 4 * wash.size + 8 > room or top + 2 > room:
            continue
        first = top
        for o in range(_options(t, units, kind, at, option, what, amount)):
            after = _decide(t, units, wash, selling, option[o], what[o], amount[o], trail_of, trail, length)
            status, objective = reoptimise(t, best - WORTH)
            solves += 1
            _undo(t, trail_of, trail, after, length)
            if status != OPTIMAL:
                continue
            place = top
            if top > first and floor[first] < objective:  # the better child on top
                stack[top], stack_amount[top], floor[top] = stack[first], stack_amount[first], floor[first]
                place = first
            stack[place, 0], stack[place, 1], stack[place, 2] = length, option[o], what[o]
            stack_amount[place], floor[place] = amount[o], objective
            top += 1
    return best, best_lower, best_upper, solves


@njit(cache=True, nogil=True)
def choose_as(
    t: Tableau, units: Units, near: Floats, total_row: Ints, first_total: int, wash: Ints, selling: Ints, groups: int
) -> float:
    """Bound units and wash sides as the point `near` (C) chose them; the objective, inf if it breaks a rule itself.

    Variable `first_total` + i is the total of the columns whose `total_row` is i.
    """
    amount = np.zeros(t.lower.size)
    for c in range(near.size):
        amount[c] = near[c]
        if total_row[c] >= 0:
            amount[first_total + total_row[c]] += near[c]
    for u in range(units.variable.size):
        v = units.variable[u]
        x = amount[v]
        if x <= NOTHING:
            t.upper[v] = min(t.upper[v], max(t.lower[v], 0.0))
        elif x >= units.close[u] - NOTHING:
            t.lower[v] = max(t.lower[v], min(units.close[u], t.upper[v]))
        elif x >= units.least[u] - NOTHING:
            t.lower[v] = max(t.lower[v], min(units.least[u], t.upper[v]))
        else:
            # Whole shares make the least trade a little more than its dollars: nearly enough is enough.
            t.lower[v] = max(t.lower[v], min(units.least[u], t.upper[v])) if 2.0 * x >= units.least[u] else t.lower[v]
    sold = np.zeros(max(groups, 1), np.bool_)
    for c in range(near.size):
        if wash[c] >= 0 and selling[c] and near[c] > NOTHING:
            sold[wash[c]] = True
    for c in range(near.size):
        if wash[c] >= 0 and (selling[c] != 0) != sold[wash[c]]:
            t.upper[c] = min(t.upper[c], max(t.lower[c], 0.0))
    status, objective = reoptimise(t, np.inf)
    if status != OPTIMAL or _conflict(t, units, wash, selling, groups, False)[0] >= 0:
        return np.inf
    return objective


@njit(cache=True, nogil=True)
def settle(t: Tableau, units: Units, wash: Ints, selling: Ints, groups: int) -> None:
    """Forbid, in the bounds, the side that the present point does not take (sales where it takes none)."""
    selling_group = np.zeros(max(groups, 1), np.bool_)
    for c in range(wash.size):
        if wash[c] >= 0 and selling[c] and t.value[c] > NOTHING:
            selling_group[wash[c]] = True
    for c in range(wash.size):
        if wash[c] >= 0 and (selling[c] != 0) != selling_group[wash[c]]:
            t.upper[c] = min(t.upper[c], 0.0)
    for u in range(units.variable.size):
        other = units.twin[u]
        if other > u:
            loser = other if t.value[units.variable[u]] > NOTHING else u
            v = units.variable[loser]
            t.upper[v] = min(t.upper[v], 0.0)


@njit(cache=True, nogil=True)
def round_shares(t: Tableau, units: Units, limit: int) -> tuple[bool, float, int]:
    """Fix every unit to an amount it may trade, dearest share first, the nearer amount first; go back where stuck."""
    count = units.variable.size
    status, objective = reoptimise(t, np.inf)
    solves = 1
    if status != OPTIMAL:
        return False, np.inf, solves
    order = np.argsort(-units.share, kind="mergesort")
    chosen = np.empty(count, np.int32)
    second = np.empty(count)
    saved = np.empty((count, 2))
    depth = 0
    done = np.zeros(count, np.bool_)
    while True:
        pick = -1
        for k in range(count):
            u = order[k]
            if not done[u] and not _whole(units, u, t.value[units.variable[u]]):
                pick = u
                break
        if pick < 0:
            return True, objective, solves
        v = units.variable[pick]
        x = t.value[v]
        low, high = below(units, pick, x), above(units, pick, x)
        near, far = (low, high) if x - low <= high - x else (high, low)
        chosen[depth], second[depth] = pick, far
        saved[depth, 0], saved[depth, 1] = t.lower[v], t.upper[v]
        done[pick] = True
        depth += 1
        target = near
        while True:
            u = chosen[depth - 1]
            v = units.variable[u]
            status = 1
            if target <= saved[depth - 1, 1] + NOTHING and target >= saved[depth - 1, 0] - NOTHING:
                t.lower[v], t.upper[v] = target, target
                status, objective = reoptimise(t, np.inf)
                solves += 1
            if status == OPTIMAL:
                break
            # Stuck: take the other amount of the last unit that still has one.
            while depth > 0 and np.isnan(second[depth - 1]):
                depth -= 1
                u = chosen[depth]
                done[u] = False
                t.lower[units.variable[u]], t.upper[units.variable[u]] = saved[depth, 0], saved[depth, 1]
            if depth == 0 or solves > limit:
                return False, np.inf, solves
            target = second[depth - 1]
            second[depth - 1] = np.nan


@njit(cache=True, nogil=True)
def _slope(t: Tableau, v: int) -> float:
    place = t.where[v]
    return t.reduced[-1 - place] if place < 0 else 0.0


@njit(cache=True, nogil=True)
def improve(t: Tableau, units: Units, objective: float, limit: int) -> tuple[float, int]:
    """Move single units and pairs of units to neighbouring amounts while the objective falls.

    Every unit is fixed (lower = upper = amount) on entry and on return. Only moves whose reduced costs promise an
    improvement are tried, the most promising first.
    """
    count = units.variable.size
    moves = np.empty((2 * count, 2))  # unit, change
    promise = np.empty(2 * count)
    solves = 0
    while solves < limit:
        number = 0
        for u in range(count):
            v = units.variable[u]
            x = t.lower[v]
            share = units.share[u]
            nudge = share if share > 0.0 else 0.0
            if nudge == 0.0 or x <= NOTHING:
                continue
            for sign in (-1.0, 1.0):
                y = below(units, u, x - 0.5 * nudge) if sign < 0 else above(units, u, x + 0.5 * nudge)
                if y > units.close[u] + NOTHING or y < 0.0 or abs(y - x) <= NOTHING:
                    continue
                moves[number, 0], moves[number, 1] = u, y - x
                promise[number] = _slope(t, v) * (y - x)
                number += 1
        gained = False
        if number > MOST_PAIRED:
            best = np.argsort(promise[:number], kind="mergesort")[:MOST_PAIRED]
            moves[:MOST_PAIRED], promise[:MOST_PAIRED] = moves[best], promise[best]
            number = MOST_PAIRED
        # Candidate moves: singles then pairs, by promise.
        total = number + number * (number - 1) // 2
        first = np.empty(total, np.int32)
        second = np.empty(total, np.int32)
        worth = np.empty(total)
        kept = 0
        for a in range(number):
            if promise[a] < -STEP:
                first[kept], second[kept], worth[kept] = a, -1, promise[a]
                kept += 1
        for a in range(number):
            for b in range(a + 1, number):
                if moves[a, 0] != moves[b, 0] and promise[a] + promise[b] < -STEP:
                    first[kept], second[kept], worth[kept] = a, b, promise[a] + promise[b]
                    kept += 1
        order = np.argsort(worth[:kept], kind="mergesort")
        for k in order:
            if solves >= limit:
                break
            a, b = first[k], second[k]
            va = units.variable[int(moves[a, 0])]
            old_a = t.lower[va]
            t.lower[va] = t.upper[va] = old_a + moves[a, 1]
            vb, old_b = -1, 0.0
            if b >= 0:
                vb = units.variable[int(moves[b, 0])]
                old_b = t.lower[vb]
                t.lower[vb] = t.upper[vb] = old_b + moves[b, 1]
            status, value = reoptimise(t, objective - STEP)
            solves += 1
            if status == OPTIMAL:
                objective = value
                gained = True
                break
            t.lower[va] = t.upper[va] = old_a
            if vb >= 0:
                t.lower[vb] = t.upper[vb] = old_b
        if not gained:
            break
    reoptimise(t, np.inf)
    return objective, solves + 1


@njit(cache=True, nogil=True)
def fix_units(t: Tableau, units: Units) -> None:
    """Fix every unit at the amount it trades at the present point, exactly."""
    for u in range(units.variable.size):
        v = units.variable[u]
        x = t.value[v]
        low, high = below(units, u, x), above(units, u, x)
        t.lower[v] = t.upper[v] = low if x - low <= high - x else high
