"""Learned policies in the compiled engines: an untrained one is the rule it starts from, and all are portfolios."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.backtest import LearnedQuadratic, Observation, Quadratic
from workbench.backtest._learned import BAND_OUTPUTS, INPUTS, OUTPUTS, features, member_size
from workbench.backtest.learned import BandNetwork
from workbench.errors import PolicyError

HIDDEN = 4
ZERO = (0.0,) * member_size(HIDDEN, OUTPUTS)


def observation(seed: int, m: int, cash: bool = False) -> Observation:
    rng = np.random.default_rng(seed)
    n = m - cash
    root = rng.standard_normal((n, n + 2)) * rng.uniform(0.02, 0.15, (n, 1))
    covariance, cost = np.zeros((m, m)), np.zeros(m)
    covariance[:n, :n] = root @ root.T
    cost[:n] = rng.uniform(1e-4, 5e-3, n)
    target = rng.dirichlet(np.full(m, 3.0))
    weight = target * np.exp(0.3 * rng.standard_normal(m))
    asset = np.zeros((3, m))
    asset[0, :n] = rng.uniform(0.5, 2.0, n)
    market = np.array([rng.uniform(0.5, 2.0), 0.3, -0.1, 0.5])
    return Observation(0, weight / weight.sum(), target, covariance, cost, market, asset, float(rng.uniform(1, 20)))


def member(seed: int, outputs: int, size: float = 0.5) -> tuple[float, ...]:
    return tuple((size * np.random.default_rng(seed).standard_normal(member_size(HIDDEN, outputs))).tolist())


@given(seed=st.integers(0, 10_000), m=st.integers(2, 8), horizon=st.floats(0.05, 5.0), cash=st.booleans())
@settings(max_examples=60, deadline=None)
def test_a_network_that_answers_zero_is_the_tuned_rule_to_the_bit(
    seed: int, m: int, horizon: float, cash: bool
) -> None:
    seen = observation(seed, m, cash)
    rule, learned = Quadratic(horizon).decide(seen), LearnedQuadratic(horizon, (ZERO, ZERO), HIDDEN).decide(seen)
    assert (rule is None) == (learned is None)
    if rule is not None and learned is not None:
        np.testing.assert_array_equal(rule, learned)


@given(seed=st.integers(0, 10_000), m=st.integers(2, 8), cash=st.booleans(), size=st.sampled_from([0.1, 1.0, 30.0]))
@settings(max_examples=60, deadline=None)
def test_whatever_the_numbers_the_answer_is_a_portfolio(seed: int, m: int, cash: bool, size: float) -> None:
    seen = observation(seed, m, cash)
    policies = (
        LearnedQuadratic(0.5, (member(seed, OUTPUTS, size),), HIDDEN),
        BandNetwork((member(seed, BAND_OUTPUTS, size),), HIDDEN),
    )
    for policy in policies:
        wanted = policy.decide(seen)
        if wanted is not None:
            assert (wanted >= 0).all()
            assert wanted.sum() == pytest.approx(1.0, abs=1e-9)


@given(seed=st.integers(0, 10_000), m=st.integers(2, 7))
@settings(max_examples=40, deadline=None)
def test_the_order_of_assets_does_not_matter(seed: int, m: int) -> None:
    seen = observation(seed, m)
    order = np.random.default_rng(seed).permutation(m)
    other = Observation(
        0,
        seen.weight[order],
        seen.target[order],
        np.ascontiguousarray(seen.covariance[np.ix_(order, order)]),
        seen.cost[order],
        seen.market,
        np.ascontiguousarray(seen.asset[:, order]),  # in the layout that engines hand in: no second compilation
        seen.risk_aversion,
    )
    for policy in (
        LearnedQuadratic(0.5, (member(1, OUTPUTS, 0.2), member(2, OUTPUTS, 0.2)), HIDDEN),
        BandNetwork((member(1, BAND_OUTPUTS, 0.2),), HIDDEN),
    ):
        one, two = policy.decide(seen), policy.decide(other)
        one = seen.weight if one is None else one
        two = other.weight if two is None else two
        np.testing.assert_allclose(one[order], two, atol=1e-8)


def test_an_ensemble_of_the_same_network_is_that_network() -> None:
    seen = observation(3, 5)
    one = LearnedQuadratic(0.5, (member(1, OUTPUTS, 0.2),), HIDDEN).decide(seen)
    three = LearnedQuadratic(0.5, (member(1, OUTPUTS, 0.2),) * 3, HIDDEN).decide(seen)
    assert one is not None
    assert three is not None
    np.testing.assert_allclose(one, three, atol=1e-12)


def test_an_untrained_band_network_keeps_what_is_inside_the_natural_band() -> None:
    """Two equal, independent assets: the band of one alone is (3 c Q / 2 g s^2)^(1/3)."""
    target, covariance, cost = np.array([0.5, 0.5]), np.diag([0.04, 0.04]), np.full(2, 1e-3)
    spread = 0.25 * (0.04 - 2 * 0.02 + 0.02)
    band = np.cbrt(1.5 * 1e-3 * spread / (5 * 0.04))
    policy = BandNetwork(((0.0,) * member_size(HIDDEN, BAND_OUTPUTS),), HIDDEN)

    def at(off: float) -> np.ndarray | None:
        weight = target + np.array([off, -off])
        return policy.decide(Observation(0, weight, target, covariance, cost, np.ones(4), np.ones((3, 2))))

    assert at(0.99 * band) is None
    wanted = at(1.5 * band)
    assert wanted is not None
    assert wanted[0] == pytest.approx(0.5 + band, abs=1e-9)


def test_features_have_no_unit_of_cost_risk_or_time() -> None:
    """Costs and risk aversion times the same number leave every natural band, and so every feature of drift, alone."""
    seen = observation(5, 4)
    first, second = (np.empty((4, INPUTS)), np.empty(4)), (np.empty((4, INPUTS)), np.empty(4))
    given_ = (seen.weight, seen.target, seen.covariance)
    features(*given_, seen.cost, seen.market, seen.asset, seen.risk_aversion, *first)
    features(*given_, 3 * seen.cost, seen.market, seen.asset, 3 * seen.risk_aversion, *second)
    np.testing.assert_allclose(first[1], second[1], rtol=1e-12)
    np.testing.assert_allclose(first[0][:, :9], second[0][:, :9], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("members", "said"),
    [((), "at least one member"), ((ZERO[:-1],), "its network needs"), (((*ZERO[:-1], np.nan),), "not finite")],
)
def test_numbers_that_are_no_network_are_refused(members: tuple[tuple[float, ...], ...], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        LearnedQuadratic(0.5, members, HIDDEN)


@pytest.mark.parametrize("horizon", [0.0, -1.0, np.nan, np.inf])
def test_a_horizon_must_be_positive(horizon: float) -> None:
    with pytest.raises(PolicyError, match="horizon"):
        LearnedQuadratic(horizon, (ZERO,), HIDDEN)
