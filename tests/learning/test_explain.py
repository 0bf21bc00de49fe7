"""Explanations add up: shares of inputs to the trade, differences to bp and money, the map to what the policy does."""

from dataclasses import replace

import numpy as np
import pytest

from workbench.backtest import Band, Calendar, Observation, Quadratic, gbm, signals
from workbench.errors import ParameterError
from workbench.learning import explain, importance

NAMES = {"market_names": ("volatility_ratio", "trend"), "asset_names": ("volatility",)}


def look(weight, market=(1.0, 0.0), volatility=(0.2, 0.1, 0.15), cost=0.001):
    sd = np.array(volatility)
    return Observation(
        session=0,
        weight=np.array(weight),
        target=np.array([0.5, 0.3, 0.2]),
        covariance=np.outer(sd, sd) * (0.3 + 0.7 * np.eye(3)),
        cost=np.full(3, cost),
        market=np.array(market),
        asset=sd[None],
    )


class Formula:
    """Trades by a formula of its inputs; the market's trend and the costs are never read."""

    name, every = "formula", 21

    def decide(self, seen):
        speed = 0.5 * seen.market[0] * seen.asset[0, 0]
        return seen.weight + min(1.0, speed) * (seen.target - seen.weight)


SEEN = look((0.7, 0.2, 0.1), market=(1.8, 2.0), volatility=(0.4, 0.2, 0.3))
REFERENCE = [look((0.5, 0.3, 0.2)), look((0.4, 0.4, 0.2), cost=0.002), look((0.55, 0.25, 0.2), market=(0.8, 1.0))]


def test_shares_sum_to_the_trade_less_that_of_the_reference():
    for policy in (Formula(), Quadratic(0.5), Band(0.1)):
        made = explain.contributions(policy, SEEN, REFERENCE, **NAMES)
        trade = policy.decide(SEEN) - SEEN.weight
        np.testing.assert_allclose(made.action, trade, atol=1e-15)
        np.testing.assert_allclose(made.values.sum(axis=0), trade - made.base, atol=1e-12)
        np.testing.assert_allclose(made.values.sum(axis=1), 0.0, atol=1e-12)  # what is bought was sold


def test_inputs_that_are_not_read_have_no_share():
    made = explain.contributions(Formula(), SEEN, REFERENCE, **NAMES).to_frame()
    for name in ("costs", "market trend", "covariance"):
        np.testing.assert_array_equal(made.loc[name], 0.0)
    assert made.loc["weights"].abs().sum() > 0
    assert made.index[0] == "weights"


def test_the_shares_are_those_of_the_package_shap():
    shap = pytest.importorskip("shap", reason="shap is not installed")
    policy, (reference, *_), inputs = Formula(), REFERENCE, 6

    def action(known):
        """The trade of asset 0 where a row's ones are today's inputs."""
        return np.array(
            [
                explain._trade_where(policy, SEEN, [reference], int(sum(1 << i for i in np.flatnonzero(row))), 2)[0]
                for row in known
            ]
        )

    found = shap.explainers.Exact(action, np.zeros((1, inputs)))(np.ones((1, inputs))).values[0]
    made = explain.contributions(policy, SEEN, [reference], **NAMES)
    np.testing.assert_allclose(made.values[:, 0], found, atol=1e-12)


def test_no_reference_and_too_many_inputs_are_refused():
    with pytest.raises(ParameterError, match="reference"):
        explain.contributions(Formula(), SEEN, [], **NAMES)
    with pytest.raises(ParameterError, match="evaluations"):
        explain.contributions(Formula(), SEEN, REFERENCE, market_names=[f"m{i}" for i in range(20)], asset_names=())


def test_the_difference_in_bp_and_money_as_by_hand():
    made = explain.against_rule(Band(0.5), Calendar(63), SEEN, wealth=3e6, assets=("a", "b", "c"))
    off = SEEN.weight - SEEN.target
    loss = 1e4 * 2.5 * off @ SEEN.covariance @ off
    cost = 1e4 * 0.001 * np.abs(off).sum()
    assert made.policy.loss_bp == pytest.approx(loss)
    assert not made.policy.trades
    assert made.rule.cost_bp == pytest.approx(cost)
    assert made.rule.turnover == pytest.approx(0.2)
    assert made.years == Band(0.5).every / 252
    assert made.bp == pytest.approx(loss * made.years - cost)
    assert made.money == pytest.approx(made.bp * 300)
    frame = made.to_frame()
    assert list(frame.index) == ["a", "b", "c"]
    assert frame["difference"].sum() == pytest.approx(0.0)
    assert frame.loc["a", "money"] == pytest.approx(0.2 * 3e6)
    assert "leaves alone" in made.sentence


def test_the_same_decision_is_called_the_same():
    same = explain.against_rule(Calendar(21), Calendar(63), SEEN, wealth=1.0)
    assert (same.bp, same.sentence) == (0.0, "every month and every quarter do the same.")


@pytest.mark.parametrize("wealth", [0.0, -1.0, np.nan])
def test_wealth_that_is_none_is_refused(wealth):
    with pytest.raises(ParameterError, match="wealth"):
        explain.against_rule(Calendar(21), Calendar(63), SEEN, wealth=wealth)


def test_the_map_shows_target_band_and_volatility():
    grid = {"asset": 0, "drifts": (-0.1, -0.02, 0.02, 0.1), "volatilities": (0.5, 1.0, 2.0), **NAMES}
    np.testing.assert_allclose(explain.policy_map(Calendar(21), SEEN, **grid).closed, 1.0)
    np.testing.assert_allclose(explain.policy_map(Band(0.05), SEEN, **grid).closed[:, 1], [1, 0, 0, 1])
    quadratic = explain.policy_map(Quadratic(0.5), SEEN, **grid)
    assert (np.diff(quadratic.closed, axis=1) >= -1e-12).all()  # the wilder the market, the more is worth trading back
    formula = explain.policy_map(Formula(), replace(SEEN, market=np.array([1.0, 0.0])), **grid)
    np.testing.assert_allclose(formula.closed[0], [0.05, 0.2, 0.8])  # both signals double: four times the speed
    assert formula.to_frame().shape == (4, 3)


@pytest.mark.parametrize("changes", [{"drifts": (0.0,)}, {"drifts": (0.9,)}, {"volatilities": (0.0,)}])
def test_a_map_of_nothing_is_refused(changes):
    grid = {"asset": 0, "drifts": (0.1,), "volatilities": (1.0,)} | changes
    with pytest.raises(ParameterError):
        explain.policy_map(Calendar(21), SEEN, **grid)


@pytest.fixture(scope="module")
def market():
    universe = gbm(np.full(2, 0.05), np.diag([0.04, 0.01]), np.full(2, 0.5), paths=1, sessions=1300, seed=2)
    return universe, signals(universe)


def test_importance_of_what_is_not_read_is_exactly_nothing(market):
    found = importance.importance(*market, Quadratic(0.5), np.random.default_rng(3), shuffles=2)
    rises = importance.to_frame(found)["rise_bp"]
    assert set(rises.drop("covariance")) == {0.0}
    assert rises["covariance"] != 0.0


def test_importance_of_what_is_read_is_found(market):
    """A policy that trades back only where the market's trend, made to follow its drift, tells it to."""
    universe, given = market

    class Follows:
        name, every = "follows", 21

        def decide(self, seen):
            return seen.target.copy() if seen.market[3] > 0 else None

    moved = given.market.copy()
    ratio = universe.price[0, :, 0] / universe.price[0, :, 1]
    moved[0, :, 3] = np.abs(np.log(ratio / ratio[0])) > 0.1
    found = importance.importance(
        universe, replace(given, market=moved), Follows(), np.random.default_rng(3), shuffles=3
    )
    others = {one.input: one.rise_bp for one in found}
    assert others.pop("market trend") != 0.0
    assert set(others.values()) == {0.0}
    with pytest.raises(ParameterError, match="at least 1"):
        importance.importance(universe, given, Follows(), np.random.default_rng(3), shuffles=0)


def test_the_same_generator_gives_the_same_importance(market):
    made = [importance.importance(*market, Quadratic(0.5), np.random.default_rng(8), shuffles=2) for _ in range(2)]
    assert made[0] == made[1]
