"""Gradients through rebalancing: against finite differences, and the simulator against the compiled engines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="training policies needs torch: make lab")

from workbench.backtest import LearnedQuadratic, Observation  # noqa: E402
from workbench.backtest._learned import BAND_OUTPUTS, INPUTS, OUTPUTS, member_size  # noqa: E402
from workbench.backtest._learned import features as compiled_features  # noqa: E402
from workbench.backtest.fixed_target import PROBLEMS, evaluate  # noqa: E402
from workbench.backtest.learned import BandNetwork  # noqa: E402
from workbench.learning.brownian import brownian_scene, natural_cost, random_scene  # noqa: E402
from workbench.learning.learned_quadratic import banded, steered  # noqa: E402
from workbench.learning.network import AssetNetwork  # noqa: E402
from workbench.learning.pathwise import OneStep, Scene, features, static_features, total_cost  # noqa: E402

HIDDEN = 3


def network(outputs: int, seed: int = 0, size: float = 0.2) -> AssetNetwork:
    made = AssetNetwork(HIDDEN, outputs, torch.Generator().manual_seed(seed))
    made.load(size * np.random.default_rng(seed).standard_normal(member_size(HIDDEN, outputs)))
    return made


def small_scene(m: int = 4, looks: int = 6, seed: int = 1) -> Scene:
    return random_scene(m, 5, looks, np.random.default_rng(seed))


def seen_by(scene: Scene, weight: np.ndarray, path: int, look: int) -> Observation:
    ratios = scene.asset_ratio[path, look].numpy()
    return Observation(
        look,
        weight,
        scene.target[path].numpy(),
        scene.covariance[path, look].numpy(),
        scene.cost[path].numpy(),
        np.array([scene.volatility_ratio[path, look].item(), 0.0, 0.0, 0.0]),
        np.stack([ratios, ratios, ratios]),
        scene.risk_aversion[path].item(),
    )


@pytest.mark.parametrize("m", [2, 3, 6])
def test_features_are_those_of_the_compiled_engines(m: int) -> None:
    scene = small_scene(m)
    static = static_features(scene)
    rng = np.random.default_rng(0)
    weight = rng.dirichlet(np.ones(m), len(scene.target))
    for look in (0, 5):
        found = features(static, look, torch.from_numpy(weight), scene).numpy()
        for path in range(len(weight)):
            seen = seen_by(scene, weight[path], path, look)
            one, band = np.empty((m, INPUTS)), np.empty(m)
            compiled_features(
                seen.weight,
                seen.target,
                seen.covariance,
                seen.cost,
                seen.market,
                seen.asset,
                seen.risk_aversion,
                one,
                band,
            )
            np.testing.assert_allclose(found[path], one, atol=1e-12)
            np.testing.assert_allclose(static.band[path, look].numpy(), band, rtol=1e-12)


@pytest.mark.parametrize("m", [2, 5])
def test_decisions_are_those_of_the_compiled_policies(m: int) -> None:
    scene = small_scene(m, seed=m)
    static = static_features(scene)
    weight = np.random.default_rng(1).dirichlet(np.full(m, 4.0), len(scene.target))
    horizon_network, band_network = network(OUTPUTS), network(BAND_OUTPUTS)
    pairs = (
        (steered(horizon_network, 0.7), LearnedQuadratic(0.7, (tuple(horizon_network.packed()),), HIDDEN)),
        (banded(band_network), BandNetwork((tuple(band_network.packed()),), HIDDEN)),
    )
    for decide, policy in pairs:
        with torch.no_grad():
            wanted = decide(static, 2, torch.from_numpy(weight), scene).numpy()
        for path in range(len(weight)):
            answer = policy.decide(seen_by(scene, weight[path], path, 2))
            np.testing.assert_allclose(wanted[path], weight[path] if answer is None else answer, atol=1e-9)


@given(seed=st.integers(0, 10_000), m=st.integers(2, 6))
@settings(max_examples=40, deadline=None)
def test_the_layer_has_the_derivative_of_finite_differences(seed: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((1, m, m))
    parts = (
        rng.dirichlet(np.full(m, 3.0), 1),
        rng.dirichlet(np.full(m, 3.0), 1),
        root @ root.transpose(0, 2, 1) + 0.3 * np.eye(m),
        rng.uniform(0.01, 0.2, (1, m)),
    )
    direction = [rng.standard_normal(part.shape) for part in parts]
    direction[0] -= direction[0].mean()
    direction[2] = direction[2] + direction[2].transpose(0, 2, 1)
    pull = rng.standard_normal((1, m))

    def value(step: float) -> float:
        moved = [torch.from_numpy(part + step * way) for part, way in zip(parts, direction, strict=True)]
        return float((OneStep.apply(*moved) * torch.from_numpy(pull)).sum())

    inputs = [torch.from_numpy(part.copy()).requires_grad_() for part in parts]
    (OneStep.apply(*inputs) * torch.from_numpy(pull)).sum().backward()
    slope = sum(float((one.grad.numpy() * way).sum()) for one, way in zip(inputs, direction, strict=True))
    left, right = (value(0.0) - value(-1e-6)) / 1e-6, (value(1e-6) - value(0.0)) / 1e-6
    assert min(left, right) - 1e-4 * (1 + abs(left)) <= slope <= max(left, right) + 1e-4 * (1 + abs(right))


@pytest.mark.parametrize("policy", ["steered", "banded"])
def test_the_cost_of_a_path_has_the_derivative_of_finite_differences(policy: str) -> None:
    scene = small_scene(3, looks=24, seed=5)
    made = network(OUTPUTS if policy == "steered" else BAND_OUTPUTS, seed=2)
    decide = steered(made, 0.8) if policy == "steered" else banded(made)
    loss = (total_cost(decide, scene) / scene.scale).mean()
    loss.backward()
    gradient = np.concatenate([part.grad.numpy().ravel() for part in made.parameters()])
    start, way = made.packed(), np.random.default_rng(3).standard_normal(gradient.size)

    def at(step: float) -> float:
        made.load(start + step * way)
        with torch.no_grad():
            return float((total_cost(decide, scene) / scene.scale).mean())

    assert gradient @ way == pytest.approx((at(1e-6) - at(-1e-6)) / 2e-6, rel=1e-3)


def test_the_simulator_costs_what_the_reference_problem_says() -> None:
    """Same problem, other paths: within three standard errors; and to rounding on one look from the target."""
    problem = PROBLEMS["n3_20"]
    made = network(OUTPUTS, seed=4, size=0.1)

    def many(values: object) -> np.ndarray:
        return np.tile(np.asarray(values, float), (400, 1))

    scene = brownian_scene(
        many(problem.drift),
        np.tile(problem.covariance, (400, 1, 1)),
        many(problem.target),
        np.full((400, 3), problem.cost),
        np.full(400, problem.risk_aversion),
        84,
        np.random.default_rng(8),
    )
    with torch.no_grad():
        mine = 1e4 * total_cost(steered(made, 0.8), scene, 24).numpy()
    theirs = evaluate(problem, LearnedQuadratic(0.8, (tuple(made.packed()),), HIDDEN), paths=400)
    apart = np.hypot(mine.std() / 20, theirs.standard_error)
    assert abs(mine.mean() - theirs.mean) < 3 * apart


def test_realised_tracking_loss_is_that_of_its_definition() -> None:
    """One path, one month of three sessions, written out."""
    growth = np.array([[1.02, 0.99], [1.01, 1.00], [1.05, 0.97]])
    target, weight = np.array([0.6, 0.4]), np.array([0.5, 0.5])
    scene = Scene(
        growth=torch.from_numpy(growth[None, None]),
        target=torch.from_numpy(target[None]),
        covariance=torch.from_numpy(np.diag([0.04, 0.01])[None, None]),
        cost=torch.from_numpy(np.full((1, 2), 0.01)),
        risk_aversion=torch.tensor([4.0], dtype=torch.float64),
        volatility_ratio=torch.ones(1, 1, dtype=torch.float64),
        asset_ratio=torch.ones(1, 1, 2, dtype=torch.float64),
        years=3 / 252,
        scale=torch.ones(1, dtype=torch.float64),
    )
    loss, before, value = 0.0, np.ones(2), 1.0
    for now in growth:
        held = weight * before / value
        loss += 0.5 * 4.0 * float((held - target) @ (now / before - 1)) ** 2
        before, value = now, float(weight @ now)
    spent = 0.01 * np.abs(weight - target).sum()
    to_weight = torch.from_numpy(weight[None])
    cost = total_cost(lambda *_: to_weight, scene).item()
    assert cost == pytest.approx((loss + spent) * 252 / 3, rel=1e-12)


def test_burn_in_takes_no_cost_and_no_gradient() -> None:
    scene = small_scene(3, looks=4)
    made = network(OUTPUTS)
    assert not total_cost(steered(made, 0.5), scene, burn_in=4).requires_grad


def test_the_natural_cost_scales_as_theory_says() -> None:
    """Cost of a band goes with cost^(2/3) and risk aversion^(1/3)."""
    covariance, target = np.diag([0.04, 0.01])[None], np.array([[0.5, 0.5]])
    one = natural_cost(covariance, target, np.full((1, 2), 1e-3), np.array([5.0]))
    assert natural_cost(covariance, target, np.full((1, 2), 8e-3), np.array([5.0])) == pytest.approx(4 * one)
    assert natural_cost(covariance, target, np.full((1, 2), 1e-3), np.array([40.0])) == pytest.approx(2 * one)
