"""Dynamic programming: against an independent recursion, its own simulation, finer grids, and every rule."""

import numpy as np
import pytest

from workbench.backtest import Observation, Quadratic, _spline
from workbench.backtest.dynamic_programming import solve
from workbench.backtest.fixed_target import PROBLEMS, Problem, evaluate
from workbench.backtest.policies import Band, Calendar
from workbench.errors import ParameterError, PolicyError


@pytest.fixture(scope="module")
def two():
    return solve("n2_10", points=81)


@pytest.fixture(scope="module")
def three():
    return solve("n3_20", points=31, nodes=5)


def lattice_cost(problem, points=1201, nodes=15):
    """Two assets on a lattice: trades between its points only, linear interpolation, plain value iteration."""
    grid = np.linspace(problem.target[0] - 0.12, problem.target[0] + 0.12, points)
    volatility = np.array(problem.volatility)
    mean = (np.array(problem.drift) - volatility**2 / 2) / 12
    apart = problem.covariance[0, 0] + problem.covariance[1, 1] - 2 * problem.covariance[0, 1]
    at, weight = np.polynomial.hermite_e.hermegauss(nodes)
    relative = np.exp(mean[0] - mean[1] + np.sqrt(apart / 12) * at)
    moved = np.clip(grid[:, None] * relative / (grid[:, None] * relative + 1 - grid[:, None]), grid[0], grid[-1])
    index = np.clip(np.searchsorted(grid, moved) - 1, 0, points - 2)
    part = (moved - grid[index]) / (grid[1] - grid[0])
    loss = 0.5 * 5.0 / 12 * apart * (grid - problem.target[0]) ** 2
    slope = 2 * problem.cost * (grid - grid[0])
    value = np.zeros(points)
    for _ in range(400):
        after = loss + (value[index] * (1 - part) + value[index + 1] * part) @ (weight / weight.sum())
        bought = np.minimum.accumulate((after + slope)[::-1])[::-1] - slope  # cheapest way up
        sold = np.minimum.accumulate(after - slope) + slope  # cheapest way down
        swept = np.minimum(bought, sold)
        change = swept - value
        value = swept - swept.mean()
    return 1e4 * 12 * 0.5 * (change.min() + change.max())


def test_agrees_with_an_independent_lattice(two):
    assert two.cost_bp == pytest.approx(lattice_cost(PROBLEMS["n2_10"]), rel=1e-3)


def test_published_optimum(two, three):
    assert evaluate("n2_10", two).mean == pytest.approx(0.786, abs=0.002)
    assert evaluate("n3_20", three).mean == pytest.approx(1.475, abs=0.003)


def test_simulation_confirms_the_recursion(two, three):
    # Other paths than figures are quoted on; after two years of burn-in the average is a little below the stationary.
    for policy in (two, three):
        found = evaluate(policy.problem, policy, paths=1000, seed=11)
        assert found.mean == pytest.approx(policy.cost_bp, abs=3.5 * found.standard_error)


def test_grid_is_fine_enough(three):
    assert three.cost_bp == pytest.approx(solve("n3_20", points=41).cost_bp, rel=2e-3)


def test_no_rule_is_cheaper(two, three):
    for optimum, width, horizon in ((two, 0.0252, 0.52), (three, 0.0333, 0.844)):
        best = evaluate(optimum.problem, optimum, paths=500)
        for rule in (
            Calendar(21),
            Calendar(252),
            Band(0.05, every=21),
            Band(width, width, every=21),
            Quadratic(horizon),
        ):
            assert evaluate(optimum.problem, rule, paths=500).over(best).interval[0] > 0.0, rule.name


def test_inside_nothing_is_traded_and_outside_to_the_edge(three):
    target = np.array(PROBLEMS["n3_20"].target)
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(300 * target, 400)
    wanted = three.decide_many(weights)
    traded = np.abs(wanted - weights).sum(axis=1) > 0.0
    assert 0.1 < traded.mean() < 0.9
    assert (three.decide_many(target[None]) == target).all()
    assert wanted.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert np.abs(three.decide_many(wanted) - wanted).max() < 1e-6  # the edge is not traded again


def test_symmetric_assets_have_a_symmetric_region():
    alike = Problem("alike", (0.05, 0.05), (0.15, 0.15), ((1.0, 0.2), (0.2, 1.0)), (0.5, 0.5), 0.001)
    policy = solve(alike, points=61)
    high, low = policy.decide_many(np.array([[0.62, 0.38], [0.38, 0.62]]))
    assert high == pytest.approx(low[::-1], abs=1e-7)


def test_as_a_policy(two):
    def seen(weight, target=(0.6, 0.4)):
        return Observation(
            0, np.array(weight), np.array(target), np.eye(2), np.full(2, 1e-3), np.zeros(4), np.zeros((3, 2))
        )

    assert two.decide(seen((0.605, 0.395))) is None
    assert two.decide(seen((0.95, 0.05)))[0] == pytest.approx(
        two.decide(seen((0.70, 0.30)))[0], abs=1e-9
    )  # off the grid
    with pytest.raises(PolicyError, match="find it for this one"):
        two.decide(seen((0.5, 0.5), (0.5, 0.5)))


def test_weights_far_off_the_grid_are_brought_back_to_the_region(three):
    wanted = three.decide_many(np.eye(3))
    off = np.abs(wanted - np.array(PROBLEMS["n3_20"].target))
    assert off.max() < 0.06
    assert np.abs(three.decide_many(wanted) - wanted).max() < 1e-6


def test_frame_of_the_grid(three):
    frame = three.to_frame()
    assert len(frame) == 31 * 31
    assert frame[["w1", "w2", "w3"]].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert (frame["traded"] >= 0.0).all()


def test_what_cannot_be_solved_is_refused():
    with pytest.raises(ParameterError, match="2 or 3 assets"):
        solve("n5_20")
    with pytest.raises(ParameterError, match="points"):
        solve("n2_10", points=5)
    with pytest.raises(ParameterError, match="sweeps"):
        solve("n2_10", sweeps=3)


def test_spline_has_the_values_slopes_and_curvatures_of_a_cubic():
    low, spacing, points = np.array([0.0, 1.0]), np.array([0.1, 0.25]), np.array([21.0, 17.0])
    x, y = (a + h * np.arange(int(n)) for a, h, n in zip(low, spacing, points))
    values = np.sin(2 * x)[:, None] * np.exp(-0.5 * y)
    coefficients = _spline.to_coefficients(21) @ values @ _spline.to_coefficients(17).T
    slope = np.empty(5)
    _spline.derivatives(coefficients, 0.97, 2.6, low, spacing, points, slope)
    sin, cos, decay = np.sin(1.94), np.cos(1.94), np.exp(-1.3)
    assert _spline.value(coefficients, 0.97, 2.6, low, spacing, points) == pytest.approx(sin * decay, abs=1e-5)
    exact = [2 * cos * decay, -0.5 * sin * decay, -4 * sin * decay, -cos * decay, 0.25 * sin * decay]
    assert slope == pytest.approx(exact, abs=5e-3)
    assert _spline.value(coefficients, 0.3, 2.0, low, spacing, points) == pytest.approx(
        np.sin(0.6) * np.exp(-1.0), abs=1e-12
    )
