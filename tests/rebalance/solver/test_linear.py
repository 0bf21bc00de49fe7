"""The reused HiGHS model: the same answers as a fresh solve, prices that mean what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from benchmarks.reference_household import full, linear, qp
from workbench.errors import ParameterError
from workbench.rebalance.solver.linear import LinearModel, constraint_matrix
from workbench.rebalance.solver.problem import Problem


def independent(problem: Problem) -> float:
    limits = LinearConstraint(
        constraint_matrix(problem),
        np.concatenate([problem.line_target, problem.row_low]),
        np.concatenate([problem.line_target, problem.row_high]),
    )
    result = milp(problem.linear, constraints=limits, bounds=Bounds(problem.lower, problem.upper))
    return np.inf if result.x is None else float(result.fun)


def violation(problem: Problem, values: np.ndarray) -> float:
    """The worst violation of any line, row or bound."""
    lines = len(problem.line_target)
    activity = constraint_matrix(problem) @ values
    return max(
        float(np.abs(activity[:lines] - problem.line_target).max(initial=0.0)),
        float((problem.row_low - activity[lines:]).max(initial=0.0)),
        float((activity[lines:] - problem.row_high).max(initial=0.0)),
        float((problem.lower - values).max()),
        float((values - problem.upper).max()),
    )


def test_changed_bounds_solved_from_the_last_basis_agree_with_a_fresh_solve() -> None:
    problem = linear(3)
    model = LinearModel(problem)
    rng = np.random.default_rng(5)
    for _ in range(25):
        upper = np.where(rng.random(len(problem.upper)) < 0.2, np.maximum(problem.lower, 0.0), problem.upper)
        warm = model.solve(upper=upper)
        assert warm.objective == pytest.approx(independent(replace(problem, upper=upper)), abs=1e-10)
        if warm.status == "optimal":
            assert violation(replace(problem, upper=upper), warm.values) < 1e-8
    assert model.solve().objective == pytest.approx(independent(problem), abs=1e-10)


def test_prices_are_the_change_of_the_objective_for_one_unit_more_of_a_limit() -> None:
    problem = linear(0)
    base = LinearModel(problem).solve()
    step = 1e-6
    for k in np.flatnonzero(np.abs(base.row_price) > 1e-9):
        moved = replace(problem, row_low=problem.row_low.copy(), row_high=problem.row_high.copy())
        moved.row_low[k] += step
        moved.row_high[k] += step
        assert (independent(moved) - base.objective) / step == pytest.approx(base.row_price[k], abs=1e-6)
    for r in range(len(problem.line_target)):
        target = problem.line_target.copy()
        target[r] += step
        up = (independent(replace(problem, line_target=target)) - base.objective) / step
        assert up >= base.line_price[r] - 1e-6
    at_upper = (base.values == problem.upper) & (problem.upper > problem.lower)
    at_lower = (base.values == problem.lower) & (problem.upper > problem.lower)
    assert np.all(base.bound_price[at_upper & ~at_lower] <= 1e-9)
    assert np.all(base.bound_price[at_lower & ~at_upper] >= -1e-9)


def test_gradient_less_prices_is_the_bound_price() -> None:
    problem = linear(7)
    s = LinearModel(problem).solve()
    left = problem.linear - constraint_matrix(problem).T @ np.concatenate([s.line_price, s.row_price])
    np.testing.assert_allclose(left, s.bound_price, atol=1e-10)


def test_no_trade_is_exactly_zero() -> None:
    values = LinearModel(linear(1)).solve().values
    assert np.all((values == 0.0) | (np.abs(values) > 1e-9))


def test_infeasible_bounds_are_said_not_solved() -> None:
    problem = linear(2)
    model = LinearModel(problem)
    lower = problem.lower.copy()
    lower[0] = 0.9
    answer = model.solve(lower=lower)
    assert answer.status == "infeasible"
    assert np.isnan(answer.values).all()
    assert model.solve().status == "optimal"


def test_quadratic_terms_are_refused_and_an_unbounded_objective_is_named() -> None:
    with pytest.raises(ParameterError, match="quadratic"):
        LinearModel(qp(0))
    problem, _ = full(0)
    free = replace(problem, linear=np.where(np.arange(len(problem.linear)) >= 105, -1.0, problem.linear))
    with pytest.raises(ParameterError, match="upper bound"):
        LinearModel(free).solve()
