"""Tuning: finds the best number, on training data alone."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from workbench.backtest import Costs, Quadratic, gbm, known_signals
from workbench.backtest.fixed_target import TEST_SEED, evaluate
from workbench.backtest.policies import Band
from workbench.backtest.tuning import FAMILIES, Family, Tuning, _search, tune_problem, tune_universe, tuned
from workbench.errors import ParameterError


def test_search_finds_the_bottom_of_a_curve():
    family = Family("made up", lambda x: Quadratic(x), (0.5, 1.0, 2.0, 4.0))
    found = _search(family, lambda xs: [(np.log(x) - 0.5) ** 2 + 3.0 for x in xs], None)
    assert found.number == pytest.approx(np.exp(0.5), abs=0.02)
    assert found.cost_bp == pytest.approx(3.0, abs=1e-3)
    assert not found.at_the_end
    assert found.to_frame()["best"].sum() == 1


def test_search_says_when_the_grid_is_too_narrow():
    family = Family("made up", lambda x: Quadratic(x), (1.0, 2.0, 3.0), between=False)
    found = _search(family, lambda xs: [x for x in xs], None)
    assert found.number == 1.0
    assert found.at_the_end


def test_tuned_rules_reach_the_published_figures_or_better():
    edge, quadratic = tune_problem("n3_20", "band to edge", paths=500), tune_problem("n3_20", "quadratic", paths=500)
    assert evaluate("n3_20", edge.policy).mean <= 1.475 * 1.046 + 0.002
    assert evaluate("n3_20", quadratic.policy).mean <= 1.475 * 1.040 + 0.002
    assert quadratic.number == pytest.approx(0.85, abs=0.06)


def test_a_horizon_at_least_matches_its_grid():
    found = tune_problem("n2_10", "quadratic", grid=(0.3, 0.6, 0.9), paths=100)
    costs = dict(found.tried)
    assert found.cost_bp == min(costs.values())
    assert {0.3, 0.6, 0.9} <= set(costs)


def test_calendars_stay_whole_months():
    found = tune_problem("n3_20", "calendar", paths=100)
    assert {number for number, _ in found.tried} == set(map(float, FAMILIES["calendar"].grid))


def test_the_test_paths_are_refused():
    with pytest.raises(ParameterError, match="tune on another"):
        tune_problem("n2_10", "quadratic", seed=TEST_SEED)
    with pytest.raises(ParameterError, match="band to edge"):
        tune_problem("n2_10", "edges")
    with pytest.raises(ParameterError, match="empty"):
        tune_problem("n2_10", "quadratic", grid=())


@pytest.fixture(scope="module")
def world():
    covariance = np.array([[0.0289, 0.001], [0.001, 0.0036]])
    universe = gbm(np.array([0.08, 0.035]), covariance, np.array([0.6, 0.4]), paths=2, sessions=1500, seed=3)
    return universe, known_signals(universe, covariance)


def test_tuning_on_a_universe_sees_the_window_alone(world):
    universe, signals = world
    price = universe.price.copy()
    price[:, 1001:] *= np.linspace(1.0, 3.0, 499)[:, None] ** np.array([1.0, -1.0])
    later = replace(universe, price=price)

    def tuning(of) -> Tuning:
        return tune_universe(of, signals, "quadratic", (0.2, 0.5, 1.0, 2.0), last=1000, offsets=(0, 10), paths=(0, 1))

    first, second = tuning(universe), tuning(later)
    assert first.number == second.number
    assert first.tried == second.tried
    assert 0.2 <= first.number <= 2.0


def test_dearer_trades_want_wider_bands(world):
    universe, signals = world
    numbers = [
        tune_universe(universe, signals, "band to edge", cost_multiple=multiple, offsets=(0,)).number
        for multiple in (1.0, 8.0)
    ]
    assert numbers[0] < numbers[1]


def test_tuned_gives_the_policy(world):
    universe, signals = world
    policy = tuned(universe, "band to target", signals=signals, costs=Costs(commission=0.001), offsets=(0,))
    assert isinstance(policy, Band)
    assert isinstance(tuned("n2_10", "quadratic", paths=50), Quadratic)


def test_a_grid_that_costs_no_number_is_refused():
    @dataclass(frozen=True)
    class Broken:
        number: float

    family = Family("broken", Broken, (1.0, 2.0), between=False)
    with pytest.raises(ParameterError, match="check the data"):
        _search(family, lambda xs: [float("nan")] * len(xs), None)
