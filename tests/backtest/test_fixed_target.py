"""The reference problem: its published figures, its paths, and one answer for every form of policy."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from workbench.backtest import Observation, Quadratic, fixed_target
from workbench.backtest.fixed_target import BURN_IN, PROBLEMS, evaluate
from workbench.backtest.policies import Band, BuyAndHold, Calendar
from workbench.backtest.reference_problem import monthly_growth
from workbench.errors import ParameterError, PolicyError

MONTH, QUARTER, YEAR = Calendar(21), Calendar(63), Calendar(252)


@dataclass(frozen=True)
class Plain:
    """A policy of a user: the same answer as a compiled one, asked day by day."""

    of: object
    name: str = "plain"
    every: int = 21

    def decide(self, seen):
        return self.of.decide(seen)


@pytest.mark.parametrize(
    ("problem", "policy", "published"),
    [
        ("n2_10", MONTH, 2.320),
        ("n2_10", QUARTER, 1.459),
        ("n2_10", YEAR, 1.291),
        ("n3_10", MONTH, 2.730),
        ("n3_20", QUARTER, 3.278),
        ("n3_20", Band(0.05, 0.0, every=21), 1.941),
        ("n3_50", YEAR, 4.665),
        ("n3_50", Band(0.05, 0.0, every=21), 4.148),
        ("n5_20", MONTH, 5.986),
        ("n5_20", Band(0.05, 0.0, every=21), 2.132),
        ("n3_20", Quadratic(9 / 12), 1.534),
        ("n5_20", Quadratic(1.0), 1.642),
    ],
)
def test_published_figures(problem, policy, published):
    assert evaluate(problem, policy).mean == pytest.approx(published, abs=0.0011)


def test_by_hand_on_three_paths():
    # An independent loop over paths and months with the same growth.
    problem = PROBLEMS["n3_20"]
    growth = monthly_growth(problem, 3, BURN_IN + 120, 5)
    target, covariance = np.array(problem.target), problem.covariance
    totals = []
    for path in growth:
        weight, total = target.copy(), 0.0
        for month, relatives in enumerate(path):
            cost = 0.0
            if month % 3 == 0:
                cost, weight = problem.cost * np.abs(weight - target).sum(), target.copy()
            if month >= BURN_IN:
                total += cost + 0.5 * 5.0 * (weight - target) @ covariance @ (weight - target) / 12
            weight = weight * relatives / (weight @ relatives)
        totals.append(1e4 * total / 10)
    found = evaluate("n3_20", QUARTER, paths=3, seed=5)
    assert found.total == pytest.approx(totals, rel=1e-12)


def test_growth_has_the_drift_and_covariance_stated():
    problem = PROBLEMS["n5_20"]
    logs = np.log(monthly_growth(problem, 2000, 144, 1)).reshape(-1, 5)
    assert 12 * np.cov(logs.T) == pytest.approx(problem.covariance, abs=3e-4)
    assert 12 * np.exp(logs).mean(axis=0) - 12 == pytest.approx(problem.drift, abs=3e-3)
    assert not monthly_growth(problem, 2000, 144, 1).flags.writeable


def test_correlations_of_five_assets():
    found = np.array(PROBLEMS["n5_20"].correlation)
    assert (found[:3, :3] == 0.7 + 0.3 * np.eye(3)).all()
    assert (found[3:, 3:] == 0.5 + 0.5 * np.eye(2)).all()
    assert (found[:3, 3:] == 0.1).all()
    assert (found == found.T).all()


@pytest.mark.parametrize("policy", [MONTH, Band(0.03, 0.03), Quadratic(0.8)])
def test_compiled_and_plain_policies_cost_the_same(policy):
    compiled = evaluate("n3_20", policy, paths=4, years=3)
    plain = evaluate("n3_20", Plain(policy), paths=4, years=3)
    assert (compiled.total == plain.total).all()


def test_buy_and_hold_costs_tracking_alone():
    found = evaluate("n2_10", BuyAndHold(), paths=20)
    assert (found.trading == 0.0).all()
    assert (found.turnover == 0.0).all()
    assert (found.tracking > 0.0).all()


def test_monthly_costs_trading_alone_in_proportion_to_cost():
    cheap, dear = evaluate("n3_10", MONTH, paths=50), evaluate("n3_50", MONTH, paths=50)
    assert (cheap.tracking == 0.0).all()
    assert dear.total == pytest.approx(5.0 * cheap.total, rel=1e-12)
    assert cheap.trading == pytest.approx(1e4 * 0.0010 * 2.0 * cheap.turnover, rel=1e-12)


def test_same_seed_same_bits_and_another_seed_other_paths():
    first = evaluate("n3_20", Quadratic(0.8), paths=10, seed=3)
    monthly_growth.cache_clear()
    assert (first.total == evaluate("n3_20", Quadratic(0.8), paths=10, seed=3).total).all()
    assert (first.total != evaluate("n3_20", Quadratic(0.8), paths=10, seed=4).total).any()


def test_paired_differences():
    base, other = evaluate("n3_20", Quadratic(0.8), paths=300), evaluate("n3_20", YEAR, paths=300)
    excess = other.over(base)
    assert excess.ratio == pytest.approx(other.mean / base.mean - 1.0)
    assert excess.bp == pytest.approx(other.mean - base.mean)
    low, high = excess.interval
    assert low < excess.ratio < high
    apart = other.total - base.total
    assert excess.bp_error == pytest.approx(apart.std(ddof=1) / np.sqrt(300))
    same = base.over(base)
    assert (same.ratio, same.ratio_error, same.bp_error) == (0.0, 0.0, 0.0)
    for elsewhere in (evaluate("n3_10", YEAR, paths=300), evaluate("n3_20", YEAR, paths=300, seed=3)):
        with pytest.raises(ParameterError, match="same paths"):
            base.over(elsewhere)


def test_ratio_error_agrees_with_a_bootstrap():
    base, other = evaluate("n3_20", Quadratic(0.8), paths=400), evaluate("n3_20", YEAR, paths=400)
    rows = np.random.default_rng(0).integers(0, 400, (2000, 400))
    ratios = other.total[rows].mean(axis=1) / base.total[rows].mean(axis=1)
    assert other.over(base).ratio_error == pytest.approx(ratios.std(ddof=1), rel=0.1)


def test_table_has_a_row_a_policy():
    frame = fixed_target.compare("n2_10", [MONTH, YEAR], paths=20)
    assert frame["policy"].tolist() == [MONTH.name, YEAR.name]
    assert frame["excess"].iloc[0] == 0.0
    assert frame["total_bp"].to_numpy() == pytest.approx((frame["trading_bp"] + frame["tracking_bp"]).to_numpy())


@dataclass(frozen=True)
class Leveraged:
    name: str = "leveraged"
    every: int = 21

    def decide(self, seen):
        return np.array([1.2, -0.2])


def test_weights_off_the_simplex_are_refused():
    with pytest.raises(PolicyError, match="leveraged asks for weights off the simplex in month 0"):
        evaluate("n2_10", Leveraged(), paths=2)


def test_wrong_names_and_schedules_are_refused():
    with pytest.raises(ParameterError, match="n2_10, n3_10"):
        evaluate("n4_10", MONTH)
    with pytest.raises(ParameterError, match="at least one"):
        evaluate("n2_10", MONTH, paths=0)
    with pytest.raises(ParameterError, match="take a multiple"):
        evaluate("n2_10", Calendar(30), paths=2)


class ToTarget:
    """Back to target, in an array of its own or in the one it was shown."""

    every, name = 21, "to target"

    def __init__(self, scribbles: bool, many: bool) -> None:
        self.scribbles = scribbles
        if many:
            self.decide_many = self._many

    def decide(self, seen: Observation) -> np.ndarray:
        if not self.scribbles:
            return seen.target
        seen.weight[:] = seen.target
        seen.covariance[:] = 0.0
        return seen.weight

    def _many(self, weights: np.ndarray) -> np.ndarray:
        wanted = weights if self.scribbles else weights.copy()
        wanted[:] = [0.6, 0.4]
        return wanted


@pytest.mark.parametrize("many", [True, False])
def test_writing_over_what_was_shown_is_no_free_trade(many):
    honest, other = (fixed_target.evaluate("n2_10", ToTarget(scribbles, many), 20) for scribbles in (False, True))
    assert honest.mean > 0
    np.testing.assert_allclose(other.total, honest.total, rtol=1e-12)


def test_an_answer_of_another_shape_is_refused():
    class One:
        every, name = 21, "one number"

        def decide(self, seen: Observation) -> float:
            return 0.5

    with pytest.raises(PolicyError, match="one number answers with shape"):
        fixed_target.evaluate("n2_10", One(), 5)
    One.decide = lambda self, seen: 1 / 0
    with pytest.raises(PolicyError, match="one number raised ZeroDivisionError"):
        fixed_target.evaluate("n2_10", One(), 5)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"cost": -0.001}, "0 or more"),
        ({"target": (0.5, 0.6)}, "sum to 1.1"),
        ({"correlation": ((1.0, 2.0), (2.0, 1.0))}, "no covariance"),
        ({"drift": (0.1,)}, "unlike length"),
    ],
)
def test_problems_that_are_none_are_refused(changed, said):
    with pytest.raises(ParameterError, match=said):
        replace(PROBLEMS["n2_10"], **changed)
