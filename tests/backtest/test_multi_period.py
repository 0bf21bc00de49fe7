"""The multi-period rule: one period is the quadratic rule, a plan is optimal, waiting pays where impact says so."""

import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from workbench.backtest import Costs, MultiPeriod, Observation, Policy, Quadratic, Universe, multi_period, signals, walk
from workbench.errors import MissingToolError, ParameterError, PolicyError

pytest.importorskip("cvxpy")


def at(day, weight, covariance=None):
    covariance = day.covariance if covariance is None else np.array(covariance)
    return Observation(0, np.array(weight), day.target, covariance, day.cost, day.market, day.asset)


def off_target(day, *by):
    return day.target + np.array(by)


def seen(seed, m=None, cost=0.002):
    rng = np.random.default_rng(seed)
    m = m or int(rng.integers(2, 7))
    loadings = rng.normal(0.0, 0.15, (m, m))
    covariance = loadings @ loadings.T / m + 0.003 * np.eye(m)
    weight, target = rng.dirichlet(np.ones(m)), rng.dirichlet(np.full(m, 5.0))
    return Observation(0, weight, target, covariance, np.full(m, cost), np.zeros(4), np.zeros((3, m)))


def wanted(policy, day):
    answer = policy.decide(day)
    return day.weight if answer is None else answer


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 3.0), st.floats(0.5, 2.0))
def test_one_period_is_the_quadratic_rule(seed, horizon, risk):
    day = seen(seed)
    one_step = wanted(Quadratic(horizon, risk), day)
    np.testing.assert_allclose(wanted(MultiPeriod(horizon, 1, risk=risk), day), one_step, atol=3e-6)
    # Without impact and drift nothing is gained by waiting: more periods change nothing.
    np.testing.assert_allclose(wanted(MultiPeriod(horizon, 2, risk=risk), day), one_step, atol=3e-6)


def test_what_is_near_the_target_is_left_alone_to_the_bit():
    day = seen(1, m=3)
    assert MultiPeriod(0.5, 3).decide(at(day, off_target(day, 1e-3, -1e-3, 0.0))) is None
    far = at(day, off_target(day, 0.1, -0.1, 0.0), 0.03 * np.eye(3))
    answer = MultiPeriod(0.5, 3).decide(far)
    assert answer[2] == far.weight[2]
    assert 0.0 < answer[0] - far.target[0] < 0.1


def plan_value(plans, day, policy, impact, drift):
    """The objective of the class's docstring, written out."""
    plans = plans.reshape(policy.periods, len(day.weight))
    length = policy.every / 252
    total, before = 0.0, day.weight
    for k, y in enumerate(plans):
        size = np.abs(y - before)
        off = y - day.target
        span = length if k < policy.periods - 1 else policy.horizon - (policy.periods - 1) * length
        total += day.cost @ size + (impact * np.sqrt(np.diag(day.covariance) / 252)) @ size**1.5
        total += span * 0.5 * policy.risk * day.risk_aversion * off @ day.covariance @ off
        drifted = y * (drift - drift @ day.target) - day.target * (drift @ (y - day.target))
        before = y + length * drifted
    return total


@pytest.mark.parametrize("seed", range(4))
def test_the_plan_is_optimal_in_its_own_words(seed):
    day = seen(seed, m=3, cost=1e-4)
    drift, impact = np.array([0.12, 0.02, 0.06]), np.array([0.5, 0.2, 0.8])
    policy = MultiPeriod(0.6, 3, tuple(impact), tuple(drift), every=21)
    first = wanted(policy, day)

    def best(**fixed):
        """Least value over all plans, and over those that begin with the policy's answer."""
        rows = [{"type": "eq", "fun": lambda p: p.reshape(3, 3).sum(axis=1) - 1.0}]
        if fixed:
            rows[0] = {"type": "eq", "fun": lambda p: p.reshape(3, 3)[1:].sum(axis=1) - 1.0}
            rows.append({"type": "eq", "fun": lambda p: p[:2] - first[:2]})
            rows.append({"type": "eq", "fun": lambda p: p[2:3] - first[2:]})
        found = minimize(
            lambda p: 1e4 * plan_value(p, day, policy, impact, drift), np.tile(first, 3), method="SLSQP",
            bounds=[(0.0, 1.0)] * 9, constraints=rows, options={"ftol": 1e-13, "maxiter": 1000},
        )  # fmt: skip
        return found.fun

    assert best(fixed=True) <= best() + 1e-4 * abs(best())


def test_impact_makes_it_trade_in_parts():
    day = seen(5, m=3, cost=0.0)
    at_once = np.abs(wanted(MultiPeriod(1.0, 6), day) - day.weight).sum()
    patient = np.abs(wanted(MultiPeriod(1.0, 6, impact=1.0), day) - day.weight).sum()
    assert patient < 0.8 * at_once


def test_a_drift_that_brings_weights_back_saves_the_trade():
    day = seen(5, m=2, cost=2e-3)
    off = at(day, off_target(day, 0.08, -0.08), np.diag([0.03, 0.01]))
    back, away = MultiPeriod(0.6, 6, drift=(-0.5, 0.5)), MultiPeriod(0.6, 6, drift=(0.5, -0.5))
    assert wanted(back, off)[0] > wanted(away, off)[0]


def universe(sessions=330):
    rng = np.random.default_rng(3)
    price = 40.0 * np.cumprod(1.0 + rng.normal(3e-4, 0.02, (1, sessions, 3)), axis=1)
    return Universe(
        name="made up", sessions=pd.bdate_range("2015-01-01", periods=sessions), assets=tuple("ABC"), price=price,
        dividend=np.zeros_like(price), cash_return=np.zeros((1, sessions)), target=np.array([0.4, 0.3, 0.2]),
        half_spread=np.full(3, 1e-4), daily_value=np.full(3, 1e8),
    )  # fmt: skip


def test_it_walks_a_universe_with_cash():
    data = universe()
    costs = Costs(impact=0.5, wealth=1e7)
    impact = tuple(np.append(0.5 * np.sqrt(1e7 / data.daily_value), 0.0))
    policy = MultiPeriod(1.0, 3, impact)
    assert isinstance(policy, Policy)
    result = walk(data, signals(data), policy, costs=costs)
    assert (result.statistics["trades"] > 0).all()
    assert np.isfinite(result.returns).all()


@pytest.mark.parametrize(
    ("numbers", "parameter"),
    [
        ({"horizon": float("nan")}, "horizon"),
        ({"horizon": 1.0, "periods": 0}, "periods"),
        ({"horizon": 1.0, "periods": 1.5}, "periods"),
        ({"horizon": 0.1, "periods": 3}, "horizon"),
        ({"horizon": 1.0, "impact": -1.0}, "impact"),
        ({"horizon": 1.0, "impact": (0.1, float("nan"))}, "impact"),
        ({"horizon": 1.0, "drift": (float("inf"), 0.0)}, "drift"),
        ({"horizon": 1.0, "every": 0}, "every"),
    ],
)
def test_wrong_numbers_are_refused(numbers, parameter):
    with pytest.raises(ParameterError, match=parameter) as caught:
        MultiPeriod(**numbers)
    assert caught.value.parameter == parameter


@pytest.mark.parametrize("covariance", [np.full((3, 3), np.nan), -np.eye(3)])
def test_a_covariance_that_is_none_is_a_policy_error(covariance):
    day = seen(2, m=3)
    with pytest.raises(PolicyError, match="session 0"):
        MultiPeriod(1.0).decide(Observation(0, day.weight, day.target, covariance, day.cost, day.market, day.asset))


def test_a_solver_that_fails_is_a_policy_error_with_its_status(monkeypatch):
    monkeypatch.setattr(multi_period, "_solved", lambda problem, plan: (None, "infeasible"))
    with pytest.raises(PolicyError, match="'infeasible'"):
        MultiPeriod(1.0).decide(seen(2))


def test_numbers_of_other_positions_are_refused():
    with pytest.raises(PolicyError, match="impact is of 2 positions, there are 3"):
        MultiPeriod(1.0, impact=(0.1, 0.1)).decide(seen(2, m=3))


def test_without_cvxpy_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cvxpy", None)
    multi_period._program.cache_clear()
    with pytest.raises(MissingToolError, match="cvxpy"):
        MultiPeriod(1.0).decide(seen(2))
