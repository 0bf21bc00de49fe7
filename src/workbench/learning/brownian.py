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
