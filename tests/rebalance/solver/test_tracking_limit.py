"""The tracking limit against a second-order cone program in cvxpy, on reference households and small ones."""

from __future__ import annotations

from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from benchmarks.reference_household import qp
from workbench.errors import ParameterError
from workbench.rebalance.solver import quadratic
from workbench.rebalance.solver.linear import constraint_matrix
from workbench.rebalance.solver.problem import SELL, Problem
from workbench.rebalance.solver.tracking_limit import solve_within, variance_of


def by_cone(p: Problem, risk: np.ndarray, most: float) -> float:
    matrix = constraint_matrix(p)
    v = cp.Variable(len(p.linear))
    at = matrix @ v
    low, high = np.r_[p.line_target, p.row_low], np.r_[p.line_target, p.row_high]
    objective = 0.5 * cp.sum_squares(cp.multiply(np.sqrt(p.quadratic), v)) + p.linear @ v
    limits = [cp.norm(cp.multiply(np.sqrt(risk), v)) <= np.sqrt(most)]
    for given, expression, sign in ((low, at, 1), (high, at, -1), (p.lower, v, 1), (p.upper, v, -1)):
        on = np.flatnonzero(np.isfinite(given))
        limits.append(sign * expression[on] >= sign * given[on])
    problem = cp.Problem(cp.Minimize(objective), limits)
    problem.solve(solver=cp.CLARABEL)
    return float(problem.value)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("part", [0.3, 0.7, 1.5])
def test_the_optimum_is_that_of_the_cone_program(seed: int, part: float) -> None:
    p = qp(seed)
    risk = 0.05 * p.quadratic
    free = quadratic.solve(p)
    most = part * variance_of(risk, free.values)
    found, price = solve_within(p, risk, most)
    if found.status == "infeasible":
        assert part < 1
        return
    assert variance_of(risk, found.values) <= most * (1 + 1e-9)
    assert found.objective == pytest.approx(by_cone(p, risk, most), abs=2e-8)
    assert (price == 0) == (part > 1)


def test_the_price_is_the_slope_of_the_objective() -> None:
    p = qp(3)
    risk = 0.05 * p.quadratic
    most = 0.8 * variance_of(risk, quadratic.solve(p).values)
    _, price = solve_within(p, risk, most)
    step = 1e-4 * most
    slope = (solve_within(p, risk, most + step)[0].objective - solve_within(p, risk, most - step)[0].objective) / step
    assert price == pytest.approx(-slope / 2, rel=1e-3)


def test_less_variance_than_any_trade_reaches_is_infeasible() -> None:
    p = qp(0)
    shut = replace(p, upper=np.where(p.kind <= SELL, 0.0, p.upper))
    risk = 0.05 * p.quadratic
    least = variance_of(risk, quadratic.solve(shut).values)
    assert solve_within(shut, risk, 0.9 * least)[0].status == "infeasible"
    assert solve_within(shut, risk, 1.1 * least)[0].status == "optimal"


def test_what_makes_no_limit_is_refused() -> None:
    p = qp(0)
    with pytest.raises(ParameterError, match="variance"):
        solve_within(p, p.quadratic, 0.0)
    with pytest.raises(ParameterError, match="risk"):
        solve_within(p, -p.quadratic, 1.0)
