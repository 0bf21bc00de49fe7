"""Scenes to train on from prices: paths of a universe cut at its looks, with what its signals knew at each of them."""

from __future__ import annotations

import numpy as np
import torch

from workbench.backtest import Signals, Universe, block_bootstrap, signals
from workbench.errors import MarketDataError
from workbench.learning.brownian import natural_cost
from workbench.learning.pathwise import Scene

YEAR = 252


def scene_of(universe: Universe, known: Signals, every: int = 21, risk_aversion: float = 5.0) -> Scene:
    """Every path of a universe from the first session with signals, looked at every `every` sessions.

    What is decided at a close is traded there (the engines trade a close later; the difference is small beside a
    month). Dividends are part of growth. Raises `MarketDataError` where no look and the sessions after it fit.
    """
    looks = (len(universe.sessions) - 1 - known.first) // every
    if looks < 1:
        raise MarketDataError(f"{universe.name}: {len(universe.sessions)} sessions hold no look of {every} sessions")
    at = known.first + every * np.arange(looks)
    total = np.ones_like(universe.price)
    total[:, 1:] = (universe.price[:, 1:] + universe.dividend[:, 1:]) / universe.price[:, :-1]
    if universe.with_cash:
        total = np.concatenate([total, 1.0 + universe.cash_return[:, :, None]], axis=2)
    after = at[:, None] + 1 + np.arange(every)
    growth = np.cumprod(total[:, after], axis=2)
    n, m = len(universe.assets), universe.positions
    covariance = np.zeros((universe.paths, looks, m, m))
    covariance[:, :, :n, :n] = known.covariance[:, known.covariance_at[at]]
    ratio = np.zeros((universe.paths, looks, m))
    ratio[:, :, :n] = known.asset[:, at, known.asset_names.index("volatility_ratio")]
    target = np.tile(universe.target_positions, (universe.paths, 1))
    cost = np.zeros((universe.paths, m))
    cost[:, :n] = universe.half_spread
    aversion = np.full(universe.paths, float(risk_aversion))
    scale = natural_cost(covariance.mean(axis=1), target, cost, aversion)
    return Scene(
        growth=torch.from_numpy(growth),
        target=torch.from_numpy(target),
        covariance=torch.from_numpy(covariance),
        cost=torch.from_numpy(cost),
        risk_aversion=torch.from_numpy(aversion),
        volatility_ratio=torch.from_numpy(known.market[:, at, known.market_names.index("volatility_ratio")].copy()),
        asset_ratio=torch.from_numpy(ratio),
        years=every / YEAR,
        scale=torch.from_numpy(scale),
    )


def bootstrap_scene(
    history: Universe,
    paths: int,
    years: int,
    seed: int | np.random.Generator,
    every: int = 21,
    risk_aversion: float = 5.0,
) -> Scene:
    """Histories that could have been, drawn in blocks from one that was: the worlds a window's policy is trained in."""
    world = block_bootstrap(history, paths, (years + 1) * YEAR + 1, seed)
    return scene_of(world, signals(world), every, risk_aversion)
