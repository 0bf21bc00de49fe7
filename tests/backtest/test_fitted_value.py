"""The fitted value: near the optimum where that is known, better than its start where it is not."""

import numpy as np
import pytest

from workbench.backtest import Observation, Quadratic
from workbench.backtest.fitted_value import fit
from workbench.backtest.fixed_target import PROBLEMS, evaluate
from workbench.errors import ParameterError, PolicyError


def test_within_a_percent_or_so_of_the_optimum_of_three_assets():
    found = evaluate("n3_20", fit("n3_20", 0.844, paths=500))
    assert found.mean == pytest.approx(1.474, rel=0.013)  # dynamic programming on the same paths


def test_below_the_tuned_quadratic_rule_of_five_assets():
    rule = evaluate("n5_20", Quadratic(0.866))
    assert evaluate("n5_20", fit("n5_20", 0.866, paths=500)).over(rule).interval[1] < -0.02


def test_without_iterations_it_is_the_quadratic_rule():
    start = fit("n3_20", 0.844, iterations=0, paths=10)
    rule = evaluate("n3_20", Quadratic(0.844), paths=20)
    assert evaluate("n3_20", start, paths=20).total == pytest.approx(rule.total, rel=1e-9)


def test_never_worse_than_its_start_on_training_paths():
    for horizon in (0.3, 3.0):
        fitted = evaluate("n2_10", fit("n2_10", horizon, paths=200, seed=9), paths=200, seed=9)
        assert fitted.mean <= evaluate("n2_10", Quadratic(horizon), paths=200, seed=9).mean


def test_same_seed_same_policy_and_it_is_convex():
    first, second = fit("n3_50", 1.44, paths=100), fit("n3_50", 1.44, paths=100)
    assert (first.matrix == second.matrix).all()
    assert (first.centre == second.centre).all()
    assert np.linalg.eigvalsh(first.matrix)[1] > 0.0  # one direction, that of the budget, is flat
    assert first.centre.sum() == pytest.approx(1.0)


def test_as_a_policy():
    policy = fit("n2_10", 0.52, paths=50)
    rows = (np.eye(2), np.full(2, 1e-3), np.zeros(4), np.zeros((3, 2)))
    target = np.array(PROBLEMS["n2_10"].target)
    assert policy.decide(Observation(0, target, target, *rows)) is None
    assert policy.decide(Observation(0, np.array([0.8, 0.2]), target, *rows))[0] < 0.7
    with pytest.raises(PolicyError, match="find it for this one"):
        policy.decide(Observation(0, target, np.array([0.5, 0.5]), *rows))


def test_wrong_settings_are_refused():
    with pytest.raises(ParameterError, match="horizon"):
        fit("n2_10", 0.0)
    with pytest.raises(ParameterError, match="samples"):
        fit("n5_20", 0.866, samples=50)
