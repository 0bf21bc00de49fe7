"""Wash sides and least trades of a large household: decide from the continuous solution, fix, solve again.

`solver.integral` searches; its cost grows faster than the columns do. A household of many lots has so much choice that
fixing costs it little, and the convex solver is fast on it, so that above `SEARCHED` columns sides are fixed instead:
first a side of every wash group at once, by what each is worth, and the most doubtful of them the other way round;
then positions that trade both ways, then trades below the least. Whole shares are left to the rounding of orders.
"""

from __future__ import annotations

import numpy as np

from workbench.errors import ParameterError
from workbench.rebalance._relaxed import Resolver
from workbench.rebalance.household import Flags, Floats
from workbench.rebalance.solver.problem import BUY, DEVIATION, SELL, Integrality, Problem, Solution

#: Columns up to which a household is searched.
SEARCHED = 120
#: Wash groups whose other side is tried as well, those of most value first.
TRIED = 2
#: Trades below these parts of their least trade are settled in turn, so that what is left can grow beyond it.
PARTS = (0.5, 1.0)
_NOTHING = 1e-9
#: Turns of giving up small trades before no other may take their place.
_ROUNDS = 4
#: Sides that cost less than this altogether (a hundredth of a basis point of value) are not doubted.
_CERTAIN = 1e-6
#: Where raising trades to their least costs more than this, giving them all up is tried as well.
_DEAR = 2e-5


def fixed(problem: Problem, integrality: Integrality, relaxed: Solution) -> Solution:
    """Return a solution that keeps wash sides, position sides and least trades; shares are still fractional.

    A trade below its least is given up, or made as large where that costs less. So cash that only a sale below the
    least would raise, or only a purchase below it would spend, is missing or left over in the solution, at its price
    in the objective; what is owed is then sold whatever its size when orders are rounded. Giving everything up keeps
    every rule, so that there always is a solution; raises `ParameterError` where the solver finds none.
    """
    program = Resolver(problem)
    lower, upper = problem.lower.copy(), problem.upper.copy()
    solution = _one_way(program, integrality, lower, upper, relaxed)
    return _least(program, integrality, lower, upper, solution)


def _one_way(program: Resolver, integrality: Integrality, lower: Floats, upper: Floats, solution: Solution) -> Solution:
    """Close sides in `upper` until every wash group takes one side and every position is traded one way.

    What is closed in one place may be done in another, in a group that had one side until now; each turn closes
    something that was traded, so the turns end.
    """
    problem = program.problem
    while True:
        groups = washed_groups(problem, integrality, solution.values)
        if groups:
            solution = _sides(program, integrality, lower, upper, solution, groups)
            continue
        closed = both_ways(problem, integrality, solution.values)
        if not closed.any():
            return solution
        upper[closed] = 0.0
        solution = program.solve(np.minimum(lower, upper), upper, solution)


def _least(program: Resolver, integrality: Integrality, lower: Floats, upper: Floats, solution: Solution) -> Solution:
    """Give up trades below the least, or raise them to it where that costs less."""
    problem = program.problem
    for part in PARTS:
        small = small_positions(problem, integrality, solution.values, part)
        if len(small):
            solution = _settled(program, integrality, lower, upper, solution, small)
            solution = _one_way(program, integrality, lower, upper, solution)
    turns = 0
    while len(small := small_positions(problem, integrality, solution.values, 1.0 - 1e-9)):
        upper[np.isin(integrality.position, small)] = 0.0
        if turns >= _ROUNDS:
            # The same few dollars go from one position to the next: leave them, and keep to what is traded.
            upper[_untraded(integrality, solution.values)] = 0.0
        solution = program.solve(np.minimum(lower, upper), upper, solution)
        solution = _one_way(program, integrality, lower, upper, solution)
        turns += 1
    return solution


def _settled(
    program: Resolver, integrality: Integrality, lower: Floats, upper: Floats, solution: Solution, small: np.ndarray
) -> Solution:
    """Raise some small positions in `lower` and close the others in `upper`; close all of them where that is better."""
    raised, added = _raises(program.problem, integrality, upper, solution, small)
    higher = lower.copy()
    higher[added > 0] = np.maximum(lower, solution.values + added)[added > 0]
    fewer = np.where(np.isin(integrality.position, np.setdiff1d(small, raised)), 0.0, upper)
    found = _try(program, np.minimum(higher, fewer), fewer, solution)
    if len(raised) and (found is None or found.objective > solution.objective + _DEAR):
        none = np.where(np.isin(integrality.position, small), 0.0, upper)
        other = _try(program, np.minimum(lower, none), none, solution)
        if other is not None and (found is None or other.objective < found.objective):
            found, higher, fewer = other, lower, none
    if found is None:
        return solution
    lower[:], upper[:] = np.minimum(higher, fewer), fewer
    return found


def _try(program: Resolver, lower: Floats, upper: Floats, near: Solution) -> Solution | None:
    try:
        found = program.solve(lower, upper, near)
    except ParameterError:
        return None
    return found if found.status == "optimal" else None


def _raises(
    problem: Problem, integrality: Integrality, upper: Floats, solution: Solution, small: np.ndarray
) -> tuple[np.ndarray, Floats]:
    """Which small positions are better raised to their least trade than given up, and what each column then adds.

    By the prices at hand: what is sold to the last share has a price of its own, which giving up loses; what is raised
    pays the reduced cost of what is added; both move the line, at its curvature.
    """
    curvature = np.zeros(len(problem.line_target))
    of = problem.kind == DEVIATION
    curvature[problem.line[of]] = problem.quadratic[of]
    added = np.zeros(len(problem.linear))
    raised = []
    values, price = solution.values, solution.bound_price
    columns = np.flatnonzero(np.isin(integrality.position, small) & (upper > 0))
    for position in small.tolist():
        mine = columns[integrality.position[columns] == position]
        now = float(values[mine].sum())
        missing = float(integrality.minimum[position]) * (1 + 1e-7) - now
        sells = problem.kind[mine] == SELL
        # A position is traded one way, the way it goes.
        mine = mine[sells] if values[mine[sells]].sum() > values[mine[~sells]].sum() else mine[~sells]
        room = upper[mine] - values[mine]
        if room.sum() < missing:
            continue
        bend = curvature[problem.line[mine[0]]]
        lost = float((np.maximum(-price[mine], 0.0) * values[mine]).sum()) + 0.5 * bend * now**2
        order = np.argsort(price[mine], kind="stable")
        more = np.zeros(len(mine))
        more[order] = np.clip(missing - (np.cumsum(room[order]) - room[order]), 0.0, room[order])
        if float((np.maximum(price[mine], 0.0) * more).sum()) + 0.5 * bend * missing**2 < lost:
            raised.append(position)
            # Lots already sold stay sold, so that all of them together make the least trade.
            added[mine] = np.where(values[mine] + more > 0, np.maximum(more, 1e-300), 0.0)
    return np.array(raised, np.int64), added


def washed_groups(problem: Problem, integrality: Integrality, values: Floats) -> list[int]:
    """Wash groups of which both sides are traded, largest first."""
    wash = integrality.wash_group
    traded = np.flatnonzero((wash >= 0) & (values > _NOTHING))
    if not len(traded):
        return []
    group, amount, sells = wash[traded], values[traded], problem.kind[traded] == SELL
    size = int(group.max()) + 1
    both = np.minimum(np.bincount(group[sells], amount[sells], size), np.bincount(group[~sells], amount[~sells], size))
    found = np.flatnonzero(both > _NOTHING)
    return [int(group) for group in found[np.argsort(-both[found], kind="stable")]]


def _sides(
    program: Resolver, integrality: Integrality, lower: Floats, upper: Floats, solution: Solution, groups: list[int]
) -> Solution:
    """Close one side of each wash group in `upper`: the one worth less, unless the other proves better."""
    problem = program.problem
    choices = []
    for group in groups:
        mine = np.flatnonzero(integrality.wash_group == group)
        sells = problem.kind[mine] == SELL
        sales, purchases = mine[sells], mine[~sells]
        saved = -float((problem.linear[sales] * solution.values[sales]).sum())
        worth = float((np.abs(solution.line_price[problem.line[purchases]]) * solution.values[purchases]).sum())
        closed, open_ = (purchases, sales) if saved >= worth else (sales, purchases)
        choices.append((closed, open_))
    before = upper.copy()
    for closed, _ in choices:
        upper[closed] = 0.0
    best = program.solve(np.minimum(lower, upper), upper, solution)
    for closed, open_ in choices[:TRIED]:
        if best.objective - solution.objective <= _CERTAIN:
            break
        bounds = upper.copy()
        bounds[closed], bounds[open_] = before[closed], 0.0
        other = _try(program, np.minimum(lower, bounds), bounds, best)
        if other is not None and other.objective < best.objective - 1e-12:
            upper[:], best = bounds, other
    return best


def both_ways(problem: Problem, integrality: Integrality, values: Floats) -> Flags:
    """Columns of the smaller side of positions that are bought and sold at once."""
    position = integrality.position
    of = np.flatnonzero((position >= 0) & (values > _NOTHING))
    at, amount, sells = position[of], values[of], problem.kind[of] == SELL
    size = len(integrality.share)
    bought, sold = np.bincount(at[~sells], amount[~sells], size), np.bincount(at[sells], amount[sells], size)
    both = np.minimum(bought, sold) > _NOTHING
    result = np.zeros(len(values), bool)
    if both.any():
        at = np.maximum(position, 0)
        weaker = np.where(problem.kind == BUY, bought[at] < sold[at], bought[at] >= sold[at])
        result = (position >= 0) & both[at] & weaker & (problem.kind <= SELL)
    return result


def _untraded(integrality: Integrality, values: Floats) -> Flags:
    """Columns of positions that are not traded."""
    of = integrality.position >= 0
    total = np.bincount(integrality.position[of], values[of], len(integrality.share))
    return of & (total[np.maximum(integrality.position, 0)] <= _NOTHING)


def small_positions(problem: Problem, integrality: Integrality, values: Floats, part: float) -> np.ndarray:
    """Positions that trade less than a part of their least trade without being closed."""
    of = np.flatnonzero((integrality.position >= 0) & (values > 0))
    at, amount, sells = integrality.position[of], values[of], problem.kind[of] == SELL
    size = len(integrality.share)
    total = np.bincount(at, amount, size)
    closes = np.bincount(at[sells], amount[sells], size) >= integrality.held - _NOTHING
    small = (total > _NOTHING) & (total < part * integrality.minimum) & ~(closes & (integrality.held > 0))
    return np.flatnonzero(small)
