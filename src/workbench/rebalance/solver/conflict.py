"""Demands that cannot all hold: a smallest set of limits in conflict, and the least violation that mends it.

Two answers to an infeasible program, both by linear programs. The **elastic** program lets every limit give way at a
price and says how far which ones must (Chinneck, Feasibility and Infeasibility in Optimization, 2008, chapter 6). The
**irreducible** set is infeasible as it stands and feasible with any member taken away; a deletion filter finds it: drop
one limit after another, and put back those without which the rest is feasible (Chinneck and Dravnieks, 1991). What may
never give way (that nothing is sold which is not held) is the ground both stand on, and is not named.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from workbench.errors import ParameterError
from workbench.rebalance.solver.linear import LinearModel, constraint_matrix
from workbench.rebalance.solver.problem import CASH, Flags, Floats, Problem

Kind = Literal["line", "row_low", "row_high", "lower", "upper"]
#: Violations up to this are rounding.
_TOUCHED = 1e-9


@dataclass(frozen=True)
class Limit:
    """A line's target, one limit of a row, or one bound of a column, by its place in the problem."""

    kind: Kind
    index: int


@dataclass(frozen=True)
class Violation:
    """How far a limit gives way: `amount` is signed and added to the limit."""

    limit: Limit
    amount: float


@dataclass(frozen=True, eq=False)
class Infeasibility:
    """`members` cannot all hold, and any of them left out would mend that; `violations` are the least weighted way to
    make the whole problem feasible (which may hold further conflicts), and `relaxed` is the problem with these limits
    moved by just as much.
    """

    members: tuple[Limit, ...]
    violations: tuple[Violation, ...]
    relaxed: Problem


@dataclass(frozen=True, eq=False)
class Rigidity:
    """What a unit of violation costs: lines (R), rows (K), lower and upper bounds (C). Infinite: never to be moved.

    A restriction that should be named but moved last of all has a price far above the others.
    """

    line: Floats
    row: Floats
    lower: Floats
    upper: Floats

    @staticmethod
    def of(problem: Problem) -> Rigidity:
        """Rows give way at price 1; lines and bounds hold: no target is redefined and no lot oversold."""
        columns, lines = len(problem.linear), len(problem.line_target)
        never = np.full(columns, np.inf)
        return Rigidity(np.full(lines, np.inf), np.ones(len(problem.row_low)), never, never.copy())


def explain(problem: Problem, rigidity: Rigidity | None = None) -> Infeasibility | None:
    """Why a problem is infeasible and what would mend it with the least weighted violation; None where it is feasible.

    `rigidity` says what may give way and how dearly (`Rigidity.of`: rows only). The objective of the problem plays no
    part. Raises ParameterError where what may give way is not enough, with the limits that conflict regardless in its
    message.
    """
    rigidity = rigidity or Rigidity.of(problem)
    program = _Elastic(problem, rigidity)
    violations = program.least_violation()
    if violations is None:
        names = ", ".join(f"{m.kind} {m.index}" for m in program.irreducible(np.ones(2 * program.count, np.bool_)))
        raise ParameterError(
            f"no permitted change of limits makes the problem feasible, as these conflict: {names}; give one of them a "
            "finite price in rigidity",
            "rigidity",
        )
    if not violations:
        return None
    return Infeasibility(program.irreducible(program.movable), violations, relax(problem, violations))


def relax(problem: Problem, violations: tuple[Violation, ...]) -> Problem:
    """The problem with each violated limit moved by its amount and, but for targets, a billionth more for rounding."""
    target, lower, upper = problem.line_target.copy(), problem.lower.copy(), problem.upper.copy()
    row_low, row_high = problem.row_low.copy(), problem.row_high.copy()
    for violation in violations:
        k, amount = violation.limit.index, violation.amount
        slack = np.copysign(1e-9, amount)
        if violation.limit.kind == "line":
            target[k] += amount
        elif violation.limit.kind == "lower":
            lower[k] += amount + slack
        elif violation.limit.kind == "upper":
            upper[k] += amount + slack
        elif violation.limit.kind == "row_low":
            row_low[k] += amount + slack
        else:
            row_high[k] += amount + slack
    return replace(problem, line_target=target, lower=lower, upper=upper, row_low=row_low, row_high=row_high)


class _Elastic:
    """The problem's limits as one linear program in which each can give way, at a price, for nothing, or not at all.

    Each of N limits is a row, bounds included, with one column of violation downwards (below its low side) and one
    upwards. Sides are numbered 0..N-1 for the low and N..2N-1 for the high.
    """

    def __init__(self, problem: Problem, rigidity: Rigidity) -> None:
        from scipy.sparse import csc_array, eye_array, hstack, vstack

        self.columns = len(problem.linear)
        lines, rows = len(problem.line_target), len(problem.row_low)
        bounded = np.flatnonzero(np.isfinite(problem.lower) | np.isfinite(problem.upper))
        low = np.concatenate([problem.line_target, problem.row_low, problem.lower[bounded]])
        high = np.concatenate([problem.line_target, problem.row_high, problem.upper[bounded]])
        self.count = len(low)
        self.names = [
            *(Limit("line", r) for r in range(lines)),
            *(Limit("row_low", k) for k in range(rows)),
            *(Limit("lower", int(c)) for c in bounded),
            *(Limit("line", r) for r in range(lines)),
            *(Limit("row_high", k) for k in range(rows)),
            *(Limit("upper", int(c)) for c in bounded),
        ]
        self.price = np.concatenate(
            [rigidity.line, rigidity.row, rigidity.lower[bounded], rigidity.line, rigidity.row, rigidity.upper[bounded]]
        )
        self.movable = np.isfinite(self.price) & np.isfinite(np.concatenate([low, high]))

        rows_of_bounds = csc_array(eye_array(self.columns, format="csr")[bounded])
        body = vstack([constraint_matrix(problem), rows_of_bounds], format="csc")
        give = eye_array(self.count, format="csc")
        matrix = hstack([body, give, -give], format="csc")
        total = self.columns + 2 * self.count
        self.model = LinearModel(
            Problem(
                quadratic=np.zeros(total),
                linear=np.zeros(total),
                lower=np.concatenate([np.full(self.columns, -np.inf), np.zeros(2 * self.count)]),
                upper=np.full(total, np.inf),
                line=np.full(total, -1, np.int32),
                line_coefficient=np.zeros(total),
                column_ptr=matrix.indptr.astype(np.int32),
                entry_row=matrix.indices.astype(np.int32),
                entry=matrix.data,
                line_target=np.zeros(0),
                row_low=low,
                row_high=high,
                kind=np.full(total, CASH, np.int32),
            )
        )

    def least_violation(self) -> tuple[Violation, ...] | None:
        """The violations of least total price; empty where none is needed, None where what is movable is not enough."""
        amounts = self._solve(np.where(self.movable, self.price, 0.0), self.movable)
        if amounts is None:
            return None
        signed = np.where(np.arange(2 * self.count) < self.count, -amounts, amounts)
        return tuple(Violation(self.names[side], float(signed[side])) for side in np.flatnonzero(amounts > _TOUCHED))

    def irreducible(self, candidates: Flags) -> tuple[Limit, ...]:
        """The deletion filter over the sides that are candidates; all other sides hold throughout."""
        free = np.zeros(2 * self.count, np.bool_)
        for side in np.flatnonzero(candidates)[::-1]:
            free[side] = True
            if self._solve(np.zeros(2 * self.count), free) is not None:
                free[side] = False
        kept = [self.names[side] for side in np.flatnonzero(candidates & ~free)]
        return tuple(dict.fromkeys(kept))

    def _solve(self, price: Floats, free: Flags) -> Floats | None:
        """Violations (2N) of least price with only the `free` sides giving way; None where that is infeasible."""
        upper = np.concatenate([np.full(self.columns, np.inf), np.where(free, np.inf, 0.0)])
        solution = self.model.solve(upper=upper, linear=np.concatenate([np.zeros(self.columns), price]))
        return solution.values[self.columns :] if solution.status == "optimal" else None
