"""Pathwise gradients: a simulator of rebalancing whose total cost is differentiable in every number of a policy.

The one-step rule's answer is continuous and piecewise smooth in all that goes in (a strictly convex programme with an
L1 cost), and so is the cost of a path. Its derivative along simulated paths is then an unbiased estimate of the
derivative of the expected cost (Glasserman 2004, chapter 7.2): the no-trade region needs no smoothing. The derivative
of each decision comes from the conditions of optimality on the positions that trade (Amos and Kolter 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from workbench.backtest import learned
from workbench.learning._layer import adjoint_batch, solve_batch


class OneStep(torch.autograd.Function):
    """The one-step rule as a differentiable layer: weight, aim, cost (B x m), risk (B x m x m) in, weights out."""

    @staticmethod
    def forward(
        ctx: Any,
        weight: torch.Tensor,
        aim: torch.Tensor,
        risk: torch.Tensor,
        cost: torch.Tensor,
    ) -> torch.Tensor:
        """Solve every state with the compiled rule."""
        parts = [part.detach().contiguous().numpy() for part in (weight, aim, risk, cost)]
        wanted = torch.from_numpy(solve_batch(*parts))
        ctx.save_for_backward(weight, aim, risk, wanted)
        return wanted

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Differentiate the conditions of optimality."""
        parts = [part.detach().contiguous().numpy() for part in (*ctx.saved_tensors, gradient)]
        to_weight, to_aim, to_risk, to_cost = adjoint_batch(*parts)
        return tuple(torch.from_numpy(part) for part in (to_weight, to_aim, to_risk, to_cost))


@dataclass(frozen=True)
class Scene:
    """What B paths of K looks bring: all of it known before any decision, so that only weights flow through a path.

    `growth` (B x K x D x m): gross growth from each look to each of the D sessions after it (D = 1: only the next
    look); `target`, `cost` (B x m); `covariance` (B x K x m x m, yearly, zero for cash); `risk_aversion` (B);
    `volatility_ratio` (B x K) and `asset_ratio` (B x K x m): short over long volatility, 0 where unknown;
    `years` between looks; `scale` (B): what each path's cost is divided by in training. `true_covariance`
    (B x K x m x m): what tracking loss is taken from until the next look, where it is not the estimate that is seen.
    """

    growth: torch.Tensor
    target: torch.Tensor
    covariance: torch.Tensor
    cost: torch.Tensor
    risk_aversion: torch.Tensor
    volatility_ratio: torch.Tensor
    asset_ratio: torch.Tensor
    years: float
    scale: torch.Tensor
    true_covariance: torch.Tensor | None = None

    @property
    def looks(self) -> int:
        """Decisions on a path."""
        return self.growth.shape[1]


@dataclass(frozen=True)
class Static:
    """Features that no decision changes, and the natural band of each asset: (B x K x m x INPUTS), (B x K x m)."""

    features: torch.Tensor
    band: torch.Tensor
    live: torch.Tensor


def static_features(scene: Scene) -> Static:
    """All features but drift, for every look at once; the same numbers as `backtest._learned.features`."""
    S, t = scene.covariance, scene.target[:, None, :]
    own = torch.diagonal(S, dim1=-2, dim2=-1)
    live = (own > 0).double()
    own = torch.where(own > 0, own, 1.0)
    sd = own.sqrt()
    with_target = (S @ t[..., None])[..., 0]
    variance = (with_target * t).sum(-1, keepdim=True).clamp_min(learned.SMALL_VARIANCE)
    cost = scene.cost[:, None, :].clamp_min(learned.SMALL_COST).expand_as(own)
    held = t.clamp_min(learned.SMALL_WEIGHT).expand_as(own)
    count = live.sum(-1, keepdim=True)

    def mean(x: torch.Tensor) -> torch.Tensor:
        return (x * live).sum(-1, keepdim=True) / count

    log_sd, log_cost, log_held = sd.log(), cost.log(), held.log()
    pairs = S / (sd[..., :, None] * sd[..., None, :])
    others = pairs.sum(-1) - torch.diagonal(pairs, dim1=-2, dim2=-1)
    correlation = others / (count - 1).clamp_min(1)
    spread = (own - 2 * with_target + variance).clamp_min(learned.SMALL_VARIANCE) * held**2
    aversion = scene.risk_aversion[:, None, None]
    band = (1.5 * cost * spread / (aversion * own)) ** (1 / 3) * live
    empty = torch.zeros_like(own)
    one = torch.ones_like(own)
    columns = [
        log_sd - mean(log_sd),
        log_cost - mean(log_cost),
        log_held - mean(log_held),
        with_target / (sd * variance.sqrt()),
        correlation,
        empty,
        empty,
        empty,
        empty,
        (mean(log_cost) - np.log(1e-3)) * one,
        (aversion / 5.0).log() * one,
        (mean(log_sd) - np.log(0.15)) * one,
        (count / 5.0).log() * one,
        _log_ratio(scene.volatility_ratio[..., None]) * one,
        _log_ratio(scene.asset_ratio),
        mean(correlation) * one,
    ]
    return Static(torch.stack(columns, -1) * live[..., None], band, live)


def _log_ratio(ratio: torch.Tensor) -> torch.Tensor:
    return torch.where(ratio > 0, ratio.clamp_min(0.1).log(), 0.0)


def squash(x: torch.Tensor) -> torch.Tensor:
    """A smooth odd map to (-1, 1), with slope 1/3 at zero."""
    return x / torch.sqrt(9.0 + x * x)


def features(static: Static, look: int, weight: torch.Tensor, scene: Scene) -> torch.Tensor:
    """Features of one look (B x m x INPUTS) at the weights held."""
    live, band = static.live[:, look], static.band[:, look]
    off = weight - scene.target
    safe = torch.where(live > 0, band, 1.0)
    S = scene.covariance[:, look]
    own = torch.where(live > 0, torch.diagonal(S, dim1=-2, dim2=-1), 1.0)
    drift = squash(off / safe) * live
    square = drift**2
    marginal = squash((S @ off[..., None])[..., 0] / (own * safe)) * live
    pooled = square.sum(-1, keepdim=True) / live.sum(-1, keepdim=True) * live
    moving = torch.stack([drift, square, marginal, pooled], -1)
    fixed = static.features[:, look]
    return torch.cat([fixed[..., :5], moving, fixed[..., 9:]], -1)


Decision = Callable[[Static, int, torch.Tensor, Scene], torch.Tensor]


def total_cost(decide: Decision, scene: Scene, burn_in: int = 0, static: Static | None = None) -> torch.Tensor:
    """Trading cost and tracking loss of each path (B), a fraction of wealth a year, from the target on.

    The loss is half the risk aversion times the variance of return against the target: expected from the covariance
    where D = 1, as realised session by session (zero mean, against the target held fresh every session) otherwise.
    Looks before `burn_in` move the weights, and no cost or gradient is taken from them.
    """
    static = static or static_features(scene)
    weight = scene.target.clone()
    spent = torch.zeros(len(weight), dtype=torch.float64)
    for look in range(scene.looks):
        with torch.set_grad_enabled(torch.is_grad_enabled() and look >= burn_in):
            wanted = decide(static, look, weight, scene)
            if look >= burn_in:
                spent = spent + (scene.cost * (wanted - weight).abs()).sum(-1)
                spent = spent + tracking_loss(wanted, look, scene)
            grown = wanted * scene.growth[:, look, -1]
            weight = grown / grown.sum(-1, keepdim=True)
    return spent / ((scene.looks - burn_in) * scene.years)


def tracking_loss(wanted: torch.Tensor, look: int, scene: Scene) -> torch.Tensor:
    """Loss from one look to the next (B)."""
    growth = scene.growth[:, look]
    if growth.shape[1] == 1:
        off = wanted - scene.target
        covariance = scene.covariance if scene.true_covariance is None else scene.true_covariance
        variance = (off[:, None, :] @ covariance[:, look] @ off[..., None])[:, 0, 0] * scene.years
        return 0.5 * scene.risk_aversion * variance
    before = torch.cat([torch.ones_like(growth[:, :1]), growth[:, :-1]], 1)
    held = wanted[:, None, :] * before
    held = held / held.sum(-1, keepdim=True)
    active = ((held - scene.target[:, None, :]) * (growth / before)).sum(-1)
    return 0.5 * scene.risk_aversion * (active**2).sum(-1)
