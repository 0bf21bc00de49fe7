"""The referee: a household's linear program with all that must be whole, as a mixed-integer program for HiGHS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from workbench.rebalance.solver.problem import BUY, SELL, Integrality, Problem

#: No purchase exceeds the household's value.
MOST = 1.0


@dataclass(frozen=True, eq=False)
class Verdict:
    """`objective` of the best point, the proven lower `bound`, the `values`; `feasible` is None where time ran out."""

    feasible: bool | None
    objective: float
    bound: float
    values: NDArray[np.float64]


def referee(problem: Problem, integrality: Integrality, *, gap: float = 1e-7, seconds: float = 60.0) -> Verdict:
    """Solve the linear form with binaries and integers to a relative gap of `gap`.

    A position either buys or sells; it trades nothing, a whole number of shares of at least `minimum`, or all it
    holds. A wash group realises losses or is bought.
    """
    if np.any(problem.quadratic):
        raise ValueError("the referee takes linear forms; quadratic has nonzero entries")
    columns = len(problem.linear)
    cost, lower, upper = list(problem.linear), list(problem.lower), list(problem.upper)
    whole = [0] * columns
    entries: list[tuple[int, int, float]] = []
    low: list[float] = []
    high: list[float] = []

    def variable(most: float) -> int:
        cost.append(0.0)
        lower.append(0.0)
        upper.append(most)
        whole.append(1)
        return len(cost) - 1

    def row(terms: list[tuple[int, float]], least: float, most: float) -> None:
        entries.extend((len(low), c, a) for c, a in terms if a != 0.0)
        low.append(least)
        high.append(most)

    of = np.repeat(np.arange(columns), np.diff(problem.column_ptr))
    for r, target in enumerate(problem.line_target):
        at = np.flatnonzero(problem.line == r)
        row([(int(c), float(problem.line_coefficient[c])) for c in at], target, target)
    for k in range(len(problem.row_low)):
        at = np.flatnonzero(problem.entry_row == k)
        row([(int(of[e]), float(problem.entry[e])) for e in at], problem.row_low[k], problem.row_high[k])

    for p in range(len(integrality.share)):
        side: list[int] = []
        for kind in (BUY, SELL):
            members = [int(c) for c in np.flatnonzero((integrality.position == p) & (problem.kind == kind))]
            if not members:
                continue
            share, held, least = integrality.share[p], integrality.held[p], integrality.minimum[p]
            active = variable(1.0)
            side.append(active)
            most = MOST if kind == BUY else float(held)
            total = [(c, 1.0) for c in members]
            if kind == SELL:
                closing = variable(1.0)
                side.append(closing)
                total.append((closing, -float(held)))
            row([*total, (active, -most)], -np.inf, 0.0)
            row([*total, (active, -least)], 0.0, np.inf)
            if share > 0:
                count = variable(np.floor(most / share + 1e-9))
                row([*total, (count, -share)], 0.0, 0.0)
        row([(c, 1.0) for c in side], -np.inf, 1.0)
    for g in range(int(integrality.wash_group.max(initial=-1)) + 1):
        sells = variable(1.0)
        for c in np.flatnonzero(integrality.wash_group == g):
            if problem.kind[c] == SELL:
                row([(int(c), 1.0), (sells, -float(problem.upper[c]))], -np.inf, 0.0)
            else:
                row([(int(c), 1.0), (sells, MOST)], -np.inf, MOST)

    at_row, at_column, coefficient = zip(*entries, strict=True)
    matrix = coo_array((coefficient, (at_row, at_column)), shape=(len(low), len(cost))).tocsr()
    options = {"mip_rel_gap": gap, "time_limit": seconds}
    result = milp(
        cost, constraints=LinearConstraint(matrix, low, high), bounds=Bounds(lower, upper), integrality=whole,
        options=options,
    )  # fmt: skip
    if result.x is None:
        return Verdict(False if result.status == 2 else None, np.inf, np.inf, np.full(columns, np.nan))
    return Verdict(True, float(result.fun), float(result.mip_dual_bound), result.x[:columns])
