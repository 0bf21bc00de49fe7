"""Wash sides and least trades of a large household: decide from the continuous solution, fix, solve again.

`solver.integral` searches; its cost grows faster than the columns do. A household of many lots has so much choice that
fixing costs it little, and the convex solver is fast on it, so that above `SEARCHED` columns sides are fixed instead:
first the side of each wash group that is worth more, then positions that trade both ways, then trades below the least.
Whole shares are left to the rounding of orders.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from workbench.rebalance._relaxed import relaxed as optimum
from workbench.rebalance.household import Floats
from workbench.rebalance.solver.problem import BUY, SELL, Integrality, Problem, Solution

#: Columns up to which a household is searched.
SEARCHED = 120
#: Wash groups whose other side is tried as well, those of most value first.
TRIED = 4
_NOTHING = 1e-9
_ROUNDS = 4


def fixed(problem: Problem, integrality: Integrality, relaxed: Solution) -> Solution:
    """Return a solution that keeps wash sides, position sides and least trades; shares are still fractional."""
    upper = problem.upper.copy()
    solution = relaxed
    for _ in range(_ROUNDS):
        groups = washed_groups(problem, integrality, solution.values)
        if not groups:
            break
        for rank, group in enumerate(groups):
            solution = _side(problem, integrality, upper, solution, group, rank < TRIED)
    for part in (0.0, 0.5, 1.0, 1.0):
        closed = _both_ways(problem, integrality, solution.values) | _small(problem, integrality, solution.values, part)
        closed &= upper > 0
        if closed.any():
            upper[closed] = 0.0
            solution = _solve(problem, upper)
    return solution


def washed_groups(problem: Problem, integrality: Integrality, values: Floats) -> list[int]:
    """Wash groups of which both sides are traded, largest first."""
    wash = integrality.wash_group
    if (wash < 0).all():
        return []
    size = int(wash.max()) + 1
    traded = (wash >= 0) & (values > _NOTHING)
    sold = np.bincount(wash[traded & (problem.kind == SELL)], values[traded & (problem.kind == SELL)], size)
    bought = np.bincount(wash[traded & (problem.kind == BUY)], values[traded & (problem.kind == BUY)], size)
    both = np.minimum(sold, bought)
    found = np.flatnonzero(both > _NOTHING)
    return [int(group) for group in found[np.argsort(-both[found], kind="stable")]]


def _side(
    problem: Problem, integrality: Integrality, upper: Floats, solution: Solution, group: int, tried: bool
) -> Solution:
    """Close one side of a wash group in `upper`: the worse where both are tried, else the one worth less."""
    mine = integrality.wash_group == group
    sales, purchases = mine & (problem.kind == SELL), mine & (problem.kind == BUY)
    saved = -float((problem.linear[sales] * solution.values[sales]).sum())
    line = problem.line[purchases]
    worth = float((np.abs(solution.line_price[line]) * solution.values[purchases]).sum())
    order = (purchases, sales) if saved >= worth else (sales, purchases)
    results = []
    for closed in order if tried else order[:1]:
        bounds = upper.copy()
        bounds[closed] = 0.0
        results.append((_solve(problem, bounds), closed))
    best, closed = min(results, key=lambda result: result[0].objective)
    upper[closed] = 0.0
    return best


def _both_ways(problem: Problem, integrality: Integrality, values: Floats) -> np.ndarray:
    """Columns of the smaller side of positions that are bought and sold at once."""
    position = integrality.position
    traded = (position >= 0) & (values > _NOTHING)
    size = len(integrality.share)
    buys, sales = traded & (problem.kind == BUY), traded & (problem.kind == SELL)
    bought, sold = np.bincount(position[buys], values[buys], size), np.bincount(position[sales], values[sales], size)
    both = np.minimum(bought, sold) > _NOTHING
    at = np.maximum(position, 0)
    weaker = np.where(problem.kind == BUY, bought[at] < sold[at], bought[at] >= sold[at])
    return (position >= 0) & both[at] & weaker & np.isin(problem.kind, (BUY, SELL))


def _small(problem: Problem, integrality: Integrality, values: Floats, part: float) -> np.ndarray:
    """Columns of positions that trade less than a part of their least trade without being closed."""
    position = integrality.position
    of = position >= 0
    size = len(integrality.share)
    total = np.bincount(position[of], values[of], size)
    closes = np.bincount(position[of & (problem.kind == SELL)], values[of & (problem.kind == SELL)], size)
    closes = closes >= integrality.held - _NOTHING
    small = (total > _NOTHING) & (total < part * integrality.minimum) & ~(closes & (integrality.held > 0))
    return of & small[np.maximum(position, 0)]


def _solve(problem: Problem, upper: Floats) -> Solution:
    return optimum(replace(problem, upper=upper))
