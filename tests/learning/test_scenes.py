"""Scenes from prices: growth, features and costs of an episode are those of the universe they were cut from."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training policies needs torch: make lab")

from workbench.backtest import signals  # noqa: E402
from workbench.errors import MarketDataError  # noqa: E402
from workbench.learning.pathwise import total_cost  # noqa: E402
from workbench.learning.scenes import bootstrap_scene, scene_of  # noqa: E402
from workbench.learning.universes import embedded, until  # noqa: E402


@pytest.fixture(scope="module")
def history():
    return until(embedded("sectors"), 900)


def test_growth_and_signals_are_those_of_the_look(history) -> None:
    known = signals(history)
    scene = scene_of(history, known)
    look = 3
    at = known.first + 21 * look
    np.testing.assert_allclose(
        scene.growth[0, look, -1, :6].numpy(), history.price[0, at + 21] / history.price[0, at], rtol=1e-12
    )
    assert scene.growth[0, look, 0, 6].item() == pytest.approx(1 + history.cash_return[0, at + 1])
    np.testing.assert_array_equal(
        scene.covariance[0, look, :6, :6].numpy(), known.covariance[0, known.covariance_at[at]]
    )
    assert not scene.covariance[0, look, 6].any()
    assert scene.volatility_ratio[0, look].item() == known.market[0, at, 0]
    assert scene.cost[0, 6].item() == 0


def test_holding_the_target_fresh_each_month_costs_what_it_trades(history) -> None:
    scene = scene_of(history, signals(history))
    cost = total_cost(lambda static, look, weight, scene: scene.target, scene).item()
    grown = scene.target[0] * scene.growth[0, :-1, -1]
    traded = (scene.cost[0] * (scene.target[0] - grown / grown.sum(-1, keepdim=True)).abs()).sum().item()
    assert cost > traded / (scene.looks * scene.years)


def test_bootstrapped_worlds_hold_nothing_but_the_days_of_their_history(history) -> None:
    scene = bootstrap_scene(history, paths=2, years=1, seed=3)
    days = (scene.growth[:, :, 0, :6] - 1).reshape(-1, 6).numpy()
    known = history.price[0, 1:] / history.price[0, :-1] - 1
    nearest = np.abs(days[:, None] - known[None]).max(axis=2).min(axis=1)
    assert nearest.max() < 1e-9


def test_a_history_without_a_whole_look_is_refused(history) -> None:
    short = until(history, 262)
    with pytest.raises(MarketDataError, match="no look"):
        scene_of(short, signals(short))
