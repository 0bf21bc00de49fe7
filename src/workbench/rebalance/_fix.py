"""Wash sides and least trades of a large household: decide from the continuous solution, fix, solve again.

`solver.integral` searches; its cost grows faster than the columns do. A household of many lots has so much choice that
fixing costs it little, and the convex solver is fast on it, so that above `SEARCHED` columns sides are fixed instead:
first a side of every wash group at once, by what each is worth, and the most doubtful of them the other way round;
then positions that trade both ways, then trades below the least. Whole shares are left to the rounding of orders.
"""

from __future__ import annotations

import numpy as np

from workbench.rebalance._relaxed import Resolver
from workbench.rebalance.household import Flags, Floats
from workbench.rebalance.solver.problem import BUY, SELL, Integrality, Problem, Solution

#: Columns up to which a household is searched.
SEARCHED = 120
#: Wash groups whose other side is tried as well, those of most value first.
TRIED = 6
_NOTHING = 1e-9
_ROUNDS = 4


def fixed(problem: Problem, integrality: Integrality, relaxed: Solution) -> Solution:
    """Return a solution that keeps wash sides, position sides and least trades; shares are still fractional."""
    program = Resolver(problem, relaxed)
    upper = problem.upper.copy()
    solution = relaxed
    for _ in range(_ROUNDS):
        groups = washed_groups(problem, integrality, solution.values)
        if not groups:
            break
        solution = _sides(program, integrality, upper, solution, groups)
    for part in (0.0, 0.5, 1.0, 1.0):
        closed = _both_ways(problem, integrality, solution.values) | _small(problem, integrality, solution.values, part)
        closed &= upper > 0
        if closed.any():
            upper[closed] = 0.0
            solution = program.solve(upper, solution)
    return solution


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
    program: Resolver, integrality: Integrality, upper: Floats, solution: Solution, groups: list[int]
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
    best = program.solve(upper, solution)
    for closed, open_ in choices[:TRIED]:
        bounds = upper.copy()
        bounds[closed], bounds[open_] = before[closed], 0.0
        other = program.solve(bounds, best)
        if other.objective < best.objective - 1e-12:
            upper[:], best = bounds, other
    return best


def _both_ways(problem: Problem, integrality: Integrality, values: Floats) -> Flags:
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


def _small(problem: Problem, integrality: Integrality, values: Floats, part: float) -> Flags:
    """Columns of positions that trade less than a part of their least trade without being closed."""
    position = integrality.position
    of = np.flatnonzero(position >= 0)
    at, amount, sells = position[of], values[of], problem.kind[of] == SELL
    size = len(integrality.share)
    total = np.bincount(at, amount, size)
    closes = np.bincount(at[sells], amount[sells], size) >= integrality.held - _NOTHING
    small = (total > _NOTHING) & (total < part * integrality.minimum) & ~(closes & (integrality.held > 0))
    result = np.zeros(len(values), bool)
    result[of] = small[at]
    return result
