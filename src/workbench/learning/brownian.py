"""Scenes to train on where the truth is known: Brownian prices of one stated problem, or of many drawn at random."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.learning.pathwise import Scene

Floats = NDArray[np.float64]
MONTH = 1 / 12


def brownian_scene(
    mean: Floats,
    covariance: Floats,
    target: Floats,
    cost: Floats,
    risk_aversion: Floats,
    looks: int,
    generator: np.random.Generator,
) -> Scene:
    """Monthly looks at Brownian prices, one problem a path: mean, target, cost (B x m), covariance (B x m x m), yearly.

    Pairs of paths share their shocks with the sign turned (antithetic), which takes out half of the noise of drift.
    `scale` is each problem's natural cost, see `natural_cost`.
    """
    batch, m = mean.shape
    half = generator.standard_normal(((batch + 1) // 2, looks, m))
    shock = np.concatenate([half, -half])[:batch] if batch > 1 else half
    root = np.linalg.cholesky(covariance + 1e-18 * np.eye(m))
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    moves = np.einsum("bij,bkj->bki", root, shock) * np.sqrt(MONTH)
    growth = np.exp((mean - 0.5 * variance)[:, None, :] * MONTH + moves)
    return Scene(
        growth=torch.from_numpy(growth[:, :, None, :]),
        target=torch.from_numpy(target),
        covariance=torch.from_numpy(np.repeat(covariance[:, None], looks, axis=1)),
        cost=torch.from_numpy(cost),
        risk_aversion=torch.from_numpy(risk_aversion),
        volatility_ratio=torch.ones(batch, looks, dtype=torch.float64),
        asset_ratio=torch.ones(batch, looks, m, dtype=torch.float64),
        years=MONTH,
        scale=torch.from_numpy(natural_cost(covariance, target, cost, risk_aversion)),
    )


def natural_cost(covariance: Floats, target: Floats, cost: Floats, risk_aversion: Floats) -> Floats:
    """What rebalancing costs by its order of magnitude (B): the sum over assets of (c^2 Q^2 g s^2)^(1/3).

    The best band of one asset alone is (3 c Q / 2 g s^2)^(1/3) wide each way, and its cost in proportion to this.
    """
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    with_target = np.einsum("bij,bj->bi", covariance, target)
    whole = np.einsum("bi,bi->b", with_target, target)[:, None]
    spread = np.maximum(variance - 2 * with_target + whole, 0.0) * target**2
    return np.cbrt(cost**2 * spread**2 * risk_aversion[:, None] * variance).sum(axis=1)


def random_scene(m: int, batch: int, looks: int, generator: np.random.Generator) -> Scene:
    """Paths of `batch` problems drawn at random, two antithetic paths each (2 x batch x looks): what one policy serves.

    Volatilities 3 to 35 %, one or two common factors, targets Dirichlet(3), costs 2 to 60 bp with a spread between
    assets, risk aversion 1 to 20; in three of ten the last position is cash. Volatility wanders (log-normal, monthly
    persistence 0.85, common and own parts, its size drawn too) and what is seen of it lags: covariance is averaged
    with a half-life of six months, ratios compare the last month with the last twelve. Drift is never a signal.
    """
    cash = bool(generator.random() < 0.3) and m > 2
    n = m - cash
    sd = np.exp(generator.uniform(np.log(0.03), np.log(0.35), (batch, n)))
    first, second = generator.uniform(0.0, 0.95, (batch, n)), generator.uniform(-0.6, 0.6, (batch, n))
    second *= np.sqrt(1 - first**2)
    correlation = first[:, :, None] * first[:, None] + second[:, :, None] * second[:, None]
    correlation[:, np.arange(n), np.arange(n)] = 1.0
    covariance, mean, cost = np.zeros((batch, m, m)), np.full((batch, m), 0.02), np.zeros((batch, m))
    covariance[:, :n, :n] = correlation * sd[:, :, None] * sd[:, None]
    mean[:, :n] += sd * generator.normal(0.3, 0.15, (batch, n))
    target = np.maximum(generator.dirichlet(np.full(m, 3.0), batch), 0.02)
    target /= target.sum(axis=1, keepdims=True)
    level = np.exp(generator.uniform(np.log(2e-4), np.log(6e-3), (batch, 1)))
    cost[:, :n] = level * np.exp(generator.uniform(-0.7, 0.7, (batch, n)))
    aversion = np.exp(generator.uniform(np.log(1.0), np.log(20.0), batch))
    volatility = _wandering(batch, looks, m, generator)
    return _wandering_scene(mean, covariance, target, cost, aversion, volatility, generator)


def _wandering(batch: int, looks: int, m: int, generator: np.random.Generator, before: int = 12) -> Floats:
    """Multiples of volatility (batch x (before + looks + 1) x m), near 1, from a year before the first look on."""
    months = before + looks + 1
    size = generator.uniform(0.0, 0.5, (batch, 1, 1))
    shocks = generator.standard_normal((batch, months, m + 1))
    state = np.empty_like(shocks)
    state[:, 0] = shocks[:, 0]
    for month in range(1, months):
        state[:, month] = 0.85 * state[:, month - 1] + np.sqrt(1 - 0.85**2) * shocks[:, month]
    both = np.sqrt(0.75) * state[..., :1] + np.sqrt(0.25) * state[..., 1:]
    return np.exp(size * both - size**2)


def _wandering_scene(
    mean: Floats,
    covariance: Floats,
    target: Floats,
    cost: Floats,
    aversion: Floats,
    volatility: Floats,
    generator: np.random.Generator,
    before: int = 12,
) -> Scene:
    batch, months, m = volatility.shape
    looks = months - before - 1
    true = covariance[:, None] * volatility[:, :, :, None] * volatility[:, :, None, :]
    seen = np.empty((batch, looks, m, m))
    running = true[:, 0]
    for month in range(1, before + looks):
        running = running + (1 - 0.5 ** (1 / 6)) * (true[:, month] - running)
        if month >= before:
            seen[:, month - before] = running
    variance = np.concatenate(
        [np.diagonal(true, axis1=2, axis2=3), np.einsum("bi,bkij,bj->bk", target, true, target)[..., None]], axis=2
    )
    total = np.cumsum(variance, axis=1)
    ratio = np.sqrt(
        variance[:, before:-1] / np.maximum((total[:, before:-1] - total[:, : -before - 1]) / before, 1e-18)
    )
    ratio[variance[:, before:-1] <= 0] = 1.0
    ahead = true[:, before + 1 :]
    root = np.linalg.cholesky(covariance + 1e-18 * np.eye(m))
    moves = np.einsum("bij,bkj->bki", root, generator.standard_normal((batch, looks, m))) * np.sqrt(MONTH)
    moves = np.concatenate([moves, -moves]) * np.tile(volatility[:, before + 1 :], (2, 1, 1))
    drift = (np.tile(mean[:, None], (2, 1, 1)) - 0.5 * np.tile(np.diagonal(ahead, axis1=2, axis2=3), (2, 1, 1))) * MONTH

    def twice(values: Floats) -> torch.Tensor:
        return torch.from_numpy(np.concatenate([values, values]))

    return Scene(
        growth=torch.from_numpy(np.exp(drift + moves)[:, :, None, :]),
        target=twice(target),
        covariance=twice(seen),
        cost=twice(cost),
        risk_aversion=twice(aversion),
        volatility_ratio=twice(ratio[..., -1]),
        asset_ratio=twice(ratio[..., :-1]),
        years=MONTH,
        scale=twice(natural_cost(covariance, target, cost, aversion)),
        true_covariance=twice(ahead),
    )
