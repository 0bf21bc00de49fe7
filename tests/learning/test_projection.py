"""The nearest feasible portfolio, against cvxpy and by its own conditions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ParameterError
from workbench.learning.projection import project


def problem(seed, m, cap):
    rng = np.random.default_rng(seed)
    target = rng.dirichlet(np.ones(m))
    lower = np.maximum(target - rng.uniform(0, 0.2, m), 0)
    upper = np.minimum(target + rng.uniform(0.01, 0.2, m), 1)
    held = np.abs(target * np.exp(rng.normal(0, 0.4, m)))
    return target + rng.normal(0, 0.3, m), held / held.sum(), lower, upper, cap


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 12), st.floats(0, 0.6))
def test_weights_keep_every_limit(seed, m, cap):
    asked, held, lower, upper, cap = problem(seed, m, cap)
    found = project(asked, held, lower, upper, cap)
    assert found.weight.sum() == pytest.approx(1, abs=1e-12)
    assert (found.weight >= lower - 1e-15).all()
    assert (found.weight <= upper + 1e-15).all()
    assert found.forced or found.turnover <= cap + 1e-12
    assert found.distance == pytest.approx(np.linalg.norm(found.weight - asked))


@pytest.mark.parametrize("seed", range(12))
def test_agrees_with_cvxpy(seed):
    cvxpy = pytest.importorskip("cvxpy")
    asked, held, lower, upper, cap = problem(seed, 3 + seed % 6, [0.02, 0.1, 0.3, 1.0][seed % 4])
    found = project(asked, held, lower, upper, cap)
    y = cvxpy.Variable(len(asked))
    limits = [cvxpy.sum(y) == 1, y >= lower, y <= upper]
    least = cvxpy.Problem(cvxpy.Minimize(cvxpy.norm1(y - held) / 2), limits).solve(solver="CLARABEL")
    assert found.forced == (least > cap + 1e-7)
    within = [cvxpy.norm1(y - held) / 2 <= max(cap, least + 1e-9)]
    cvxpy.Problem(cvxpy.Minimize(cvxpy.sum_squares(y - asked)), limits + within).solve(solver="CLARABEL")
    assert found.weight == pytest.approx(y.value, abs=3e-6)


def test_what_is_feasible_stays_and_a_cap_of_zero_holds():
    held = np.array([0.5, 0.3, 0.2])
    asked = np.array([0.4, 0.4, 0.2])
    inside = project(asked, held, np.zeros(3), np.ones(3), 0.1)
    assert inside.weight == pytest.approx(asked, abs=1e-15)
    assert inside.distance < 1e-14
    assert project(asked, held, np.zeros(3), np.ones(3), 0.0).weight == pytest.approx(held, abs=1e-13)


def test_limits_go_before_the_cap_and_it_says_so():
    found = project(np.array([0.9, 0.1]), np.array([0.9, 0.1]), np.zeros(2), np.array([0.6, 1.0]), 0.05)
    assert found.forced
    assert found.weight == pytest.approx([0.6, 0.4])
    assert found.turnover == pytest.approx(0.3)


def test_impossible_limits_are_named():
    half = np.array([0.5, 0.5])
    with pytest.raises(ParameterError, match="no portfolio fits"):
        project(half, half, np.zeros(2), np.array([0.4, 0.5]))
    with pytest.raises(ParameterError, match="position 1"):
        project(half, half, np.array([0.0, 0.7]), np.array([1.0, 0.6]))
    with pytest.raises(ParameterError, match="not finite"):
        project(np.array([np.nan, 1.0]), half, np.zeros(2), np.ones(2))
    with pytest.raises(ParameterError, match="turnover cap"):
        project(half, half, np.zeros(2), np.ones(2), -0.1)
