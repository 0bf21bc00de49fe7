"""A household's program with what must be whole: wash sides, least trades and whole shares.

Linear forms are solved as they stand. A quadratic form is searched as a separable one: its quadratic columns become
segments, first coarse ones to choose sides, then ever finer ones around the solution, until the error of a segment is
far below the value of a share; the objective reported is the problem's own. They are cut around the relaxed program's
solution, which the interior point finds.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from workbench.errors import ParameterError
from workbench.rebalance.solver import quadratic
from workbench.rebalance.solver._assemble import (
    gradient_left,
    prices_of,
    tableau_of,
    units_of,
    values_of,
)
from workbench.rebalance.solver._search import branch, choose_as, fix_units, improve, round_shares, settle
from workbench.rebalance.solver._simplex import OPTIMAL, Tableau, reoptimise
from workbench.rebalance.solver.problem import SELL, Floats, Integrality, Ints, Problem, Solution

#: Re-solves spent on sides once a solution is known, and on moves of single shares.
BRANCHES, MOVES = 400, 150
#: Where whole shares cost more than this (0.3 bp of value), re-solves spent on branching on shares as well; 50 times as
#: many while nothing is found.
DEAR, BRANCHES_WHOLE = 3e-5, 2_000
#: Entries of a tableau above which these efforts shrink in proportion, so that a household of forty accounts takes
#: seconds: the reference household has 6,000.
LARGE = 100_000
#: First segment of a quadratic column: a fraction of the household; then eight times finer each time it is centred.
COARSE, FINER, ROUNDS = 1e-3, 0.125, 3


def solve(
    problem: Problem,
    integrality: Integrality,
    relaxed: Solution | None = None,
    near: Floats | None = None,
    branches: int = BRANCHES,
) -> Solution:
    """The household's best found solution that is whole where `integrality` says so.

    Every position buys or sells, never both; it trades nothing, at least its minimum in whole shares, or closes; every
    wash group takes one side. `relaxed` is the solution without integrality, where the caller has it; `near` (C) are
    values that keep sides and least trades, of any number of shares: the search begins from their choices and finds
    better ones or none. `branches` is its effort: re-solves spent on sides, and others in proportion. `line_price`,
    `row_price` and `bound_price` are those of the program with the chosen sides and least trades and any number of
    shares, which are the prices a reader can act on. `iterations` counts re-solves. `status` is "infeasible" when
    nothing was found: with the relaxed program infeasible, or after 100,000 re-solves. The same input gives the same
    output to the last bit. Raises ParameterError where shapes of the two parts differ.
    """
    _check(problem, integrality)
    centre = np.clip(np.zeros(len(problem.linear)), problem.lower, problem.upper)
    if (problem.quadratic > 0).any():
        relaxed = relaxed or _relaxed(problem)
        if relaxed is not None and relaxed.status == "infeasible":
            return relaxed
        if relaxed is not None and np.isfinite(relaxed.values).all():
            centre = relaxed.values
    # A trade is one variable for its side and its least amount, so it cannot be cut into segments: its own curvature
    # (impact, slight beside that of tracking) is taken at its slope in the relaxed solution.
    traded = (integrality.position >= 0) | (integrality.wash_group >= 0)
    slope = problem.linear + np.where(traded, problem.quadratic * centre, 0.0)
    curve = np.where(traded, 0.0, problem.quadratic)
    found, values, objective, line_price, row_price, bound_price, solves = whole_solution(
        curve, slope, problem.lower, problem.upper, problem.line, problem.line_coefficient,
        problem.column_ptr, problem.entry_row, problem.entry, problem.line_target, problem.row_low, problem.row_high,
        problem.kind, integrality.position, integrality.share, integrality.held, integrality.minimum,
        integrality.wash_group, centre, np.empty(0) if near is None else near, branches,
    )  # fmt: skip
    if found:
        objective = float(values @ (problem.linear + 0.5 * problem.quadratic * values))
    if near is not None:
        known = float(near @ (problem.linear + 0.5 * problem.quadratic * near))
        if not found or objective > known + 10 * DEAR:
            # Whole shares do not fit the choices it began from: begin from nothing, with all the effort.
            other = solve(problem, integrality, relaxed)
            if not found or other.objective < objective:
                return other
    return Solution(values, objective, line_price, row_price, bound_price, "optimal" if found else "infeasible", solves)


def _relaxed(problem: Problem) -> Solution | None:
    """The solution without integrality; None where the interior point stalls, which the search does not need."""
    try:
        return quadratic.solve(problem)
    except ParameterError as error:
        if error.parameter is not None:
            raise
        return None


def _check(problem: Problem, integrality: Integrality) -> None:
    columns, positions = len(problem.linear), len(integrality.share)
    wanted = {"position": columns, "wash_group": columns, "held": positions, "minimum": positions}
    for name, count in wanted.items():
        got = len(getattr(integrality, name))
        if got != count:
            raise ParameterError(f"integrality.{name} has {got} entries; give {count}", name)
    if integrality.position.max(initial=-1) >= positions:
        raise ParameterError(
            f"integrality.position names {integrality.position.max()}; positions are 0 to {positions - 1}", "position"
        )


@njit(cache=True, nogil=True)
def whole_solution(
    quadratic: Floats, linear: Floats, lower: Floats, upper: Floats, line: Ints, line_coefficient: Floats,
    column_ptr: Ints, entry_row: Ints, entry: Floats, line_target: Floats, row_low: Floats, row_high: Floats,
    kind: Ints, position: Ints, share: Floats, held: Floats, minimum: Floats, wash_group: Ints, centre: Floats,
    near: Floats, most_branches: int,
) -> tuple[bool, Floats, float, Floats, Floats, Floats, int]:  # fmt: skip
    """`solve` on arrays, for callers that are compiled or run several households side by side.

    `centre` is where quadratic columns are first cut into segments: the solution of the relaxed program. Segments
    around anything else are too coarse where a household trades much. `near` may be empty.
    """
    columns, lines, rows = linear.size, line_target.size, row_low.size
    selling = (kind == SELL).astype(np.int32)
    groups = 0
    for c in range(columns):
        groups = max(groups, wash_group[c] + 1)
    curved = False
    for c in range(columns):
        curved = curved or quadratic[c] > 0.0
    units, total_row, totals = units_of(kind, upper, position, share, held, minimum)
    width = np.full(columns, COARSE)
    centre = np.where(quadratic > 0.0, centre, np.minimum(np.maximum(np.zeros(columns), lower), upper))

    t, named, wide = tableau_of(
        quadratic, linear, lower, upper, line, line_coefficient, column_ptr, entry_row, entry, line_target,
        row_low, row_high, total_row, totals, units, centre, width,
    )  # fmt: skip
    effort = min(1.0, LARGE / t.body.size) * most_branches / BRANCHES
    branches, moves = int(BRANCHES * effort) + 20, int(MOVES * effort) + 10
    start_lower, start_upper = t.lower.copy(), t.upper.copy()
    first = np.inf
    near_lower, near_upper = start_lower, start_upper
    if near.size == columns:
        first = choose_as(t, named, near, total_row, wide + lines + rows, wash_group, selling, groups)
        near_lower, near_upper = t.lower.copy(), t.upper.copy()
        _take(t, start_lower, start_upper)
    best, leaf_lower, leaf_upper, solves = branch(t, named, wash_group, selling, groups, first, branches, False)
    if best == first:
        leaf_lower, leaf_upper = near_lower, near_upper
    values = np.full(columns, np.nan)
    line_price, row_price, bound_price = np.full(lines, np.nan), np.full(rows, np.nan), np.full(columns, np.nan)
    if best == np.inf:
        return False, values, np.inf, line_price, row_price, bound_price, solves
    _take(t, leaf_lower, leaf_upper)
    reoptimise(t, np.inf)
    settle(t, named, wash_group, selling, groups)
    status, _objective = reoptimise(t, np.inf)
    if status != OPTIMAL:
        # A side was taken by less than what counts as nothing; leave it open.
        _take(t, leaf_lower, leaf_upper)
        reoptimise(t, np.inf)
    if curved:
        for _ in range(ROUNDS):
            values = values_of(t, quadratic, centre, lower, upper)
            nearer = np.where(quadratic > 0.0, values, centre)
            width *= FINER
            finer, fine_named, fine_wide = tableau_of(
                quadratic, linear, lower, upper, line, line_coefficient, column_ptr, entry_row, entry, line_target,
                row_low, row_high, total_row, totals, units, nearer, width,
            )  # fmt: skip
            _free(finer, t.lower, t.upper, quadratic, totals)
            status, _objective = reoptimise(finer, np.inf)
            solves += 1
            if status != OPTIMAL:
                break
            t, named, wide, centre = finer, fine_named, fine_wide, nearer
    _status, floor = reoptimise(t, np.inf)
    sides_lower, sides_upper = t.lower.copy(), t.upper.copy()
    line_price, row_price = prices_of(t, wide, lines, rows)
    relaxed = values_of(t, quadratic, centre, lower, upper)
    bound_price = gradient_left(
        quadratic, linear, line, line_coefficient, column_ptr, entry_row, entry, relaxed, line_price, row_price
    )

    good, objective, more = round_shares(t, named, BRANCHES)
    solves += more
    if good:
        fix_units(t, named)
        _status, objective = reoptimise(t, np.inf)
        objective, more = improve(t, named, objective, moves)
        solves += more
    if not good or objective - floor > DEAR:
        # Rounding costs something one would see, or found nothing: branch on whole shares as well, from the start.
        rounded_lower, rounded_upper = t.lower.copy(), t.upper.copy()
        _take(t, sides_lower, sides_upper)
        _free(t, start_lower, start_upper, quadratic, totals)
        best, leaf_lower, leaf_upper, more = branch(
            t, named, wash_group, selling, groups, objective, int(BRANCHES_WHOLE * effort) + 20, True
        )
        solves += more
        if best < objective:
            _take(t, leaf_lower, leaf_upper)
            _status, best = reoptimise(t, np.inf)
            fix_units(t, named)
            _status, objective = reoptimise(t, np.inf)
            objective, more = improve(t, named, objective, moves)
            solves += more
        elif good:
            _take(t, rounded_lower, rounded_upper)
            reoptimise(t, np.inf)
        else:
            return False, np.full(columns, np.nan), np.inf, line_price, row_price, bound_price, solves
    status, _objective = reoptimise(t, np.inf)
    if status != OPTIMAL:
        return False, np.full(columns, np.nan), np.inf, line_price, row_price, bound_price, solves
    values = values_of(t, quadratic, centre, lower, upper)
    exact = 0.0
    for c in range(columns):
        exact += (linear[c] + 0.5 * quadratic[c] * values[c]) * values[c]
    return True, values, exact, line_price, row_price, bound_price, solves


@njit(cache=True, nogil=True)
def _take(t: Tableau, lower: Floats, upper: Floats) -> None:
    t.lower[:], t.upper[:] = lower, upper


@njit(cache=True, nogil=True)
def _free(t: Tableau, lower: Floats, upper: Floats, quadratic: Floats, totals: int) -> None:
    """Take bounds of what is not quadratic, and of the totals of lots, from another tableau's; others keep theirs."""
    for c in range(quadratic.size):
        if not quadratic[c] > 0.0:
            t.lower[c], t.upper[c] = lower[c], upper[c]
    if totals > 0:
        t.lower[-totals:], t.upper[-totals:] = lower[-totals:], upper[-totals:]
