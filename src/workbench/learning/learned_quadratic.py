"""Training of the learned MPC: a network that starts at the one-step rule and is moved by pathwise gradients."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from workbench.backtest import LearnedQuadratic, learned
from workbench.learning.network import AssetNetwork
from workbench.learning.pathwise import Decision, OneStep, Scene, Static, features, total_cost

Floats = NDArray[np.float64]


def steered(network: AssetNetwork, horizon: float) -> Decision:
    """The decision of `backtest._learned.learned_quadratic` with one member, differentiable."""

    def decide(static: Static, look: int, weight: torch.Tensor, scene: Scene) -> torch.Tensor:
        live, band = static.live[:, look], static.band[:, look]
        raw = network(features(static, look, weight, scene)) * live[..., None]
        pooled = raw[..., 0].sum(-1) / live.sum(-1)
        log_horizon = _limited(pooled, learned.HORIZON_LIMIT)
        scale = _limited(raw[..., 1], learned.SCALE_LIMIT).exp()
        perceived = scene.cost * _limited(raw[..., 2], learned.SCALE_LIMIT).exp()
        shift = _limited(raw[..., 3], learned.AIM_LIMIT) * band
        aim = scene.target + (shift - scene.target * shift.sum(-1, keepdim=True))
        strength = horizon * log_horizon.exp() * scene.risk_aversion
        risk = scene.covariance[:, look] * (scale[:, :, None] * scale[:, None, :]) * strength[:, None, None]
        return OneStep.apply(weight, aim, risk, perceived)

    return decide


def banded(network: AssetNetwork) -> Decision:
    """The decision of `backtest._learned.band_network` with one member, differentiable."""

    def decide(static: Static, look: int, weight: torch.Tensor, scene: Scene) -> torch.Tensor:
        live, band = static.live[:, look], static.band[:, look]
        raw = network(features(static, look, weight, scene)) * live[..., None]
        width = band * _limited(raw[..., 0], learned.SCALE_LIMIT).exp()
        shift = _limited(raw[..., 1], learned.BAND_AIM_LIMIT) * band
        aim = scene.target + (shift - scene.target * shift.sum(-1, keepdim=True))
        edge = scene.cost.clamp_min(learned.SMALL_COST) / torch.where(live > 0, width, 1.0) * live
        return OneStep.apply(weight, aim, torch.diag_embed(edge), scene.cost)

    return decide


def _limited(x: torch.Tensor, limit: float) -> torch.Tensor:
    return limit * torch.tanh(x / limit)


@dataclass(frozen=True)
class Training:
    """How a network is trained: Adam steps, learning rate (falls to a tenth along a cosine), hidden units, looks of
    burn-in, steps between validation checks, and the part each step moves the running average of the weights that is
    judged and kept (Polyak and Juditsky 1992).
    """

    steps: int = 300
    rate: float = 0.02
    hidden: int = 8
    burn_in: int = 12
    check_every: int = 25
    smoothing: float = 0.03


@dataclass(frozen=True)
class Trained:
    """One seed: its packed network, validation cost at every check (relative to the start), and the step kept."""

    seed: int
    member: tuple[float, ...]
    checks: tuple[float, ...]
    kept: int


def train_learned_quadratic(
    scenes: Callable[[int], Scene],
    validation: Iterable[Scene],
    horizon: float,
    seed: int,
    training: Training = Training(),
    start: Sequence[float] | None = None,
) -> Trained:
    """Train one network from the one-step rule of this horizon; validation picks the step, the start included.

    `scenes(step)` hands each step its paths. The loss of a path is divided by its `scale`. A network is kept only
    where it lowers the mean validation cost; else the one returned answers zero, which is the rule itself.
    With `start`, an earlier member, training goes on from there, and falls back to it.
    """
    policy = partial(steered, horizon=horizon)
    return train(policy, learned.OUTPUTS, scenes, validation, seed, training, start)


def train_band_network(
    scenes: Callable[[int], Scene],
    validation: Iterable[Scene],
    seed: int,
    training: Training = Training(),
) -> Trained:
    """Train one network with a band of its own from the natural band of each asset alone; else as the learned MPC."""
    return train(banded, learned.BAND_OUTPUTS, scenes, validation, seed, training)


def train(
    policy: Callable[[AssetNetwork], Decision],
    outputs: int,
    scenes: Callable[[int], Scene],
    validation: Iterable[Scene],
    seed: int,
    training: Training,
    start: Sequence[float] | None = None,
) -> Trained:
    """The training loop of both: Adam on pathwise gradients, a running average of weights, validation picks."""
    network = AssetNetwork(training.hidden, outputs, torch.Generator().manual_seed(seed))
    if start is not None:
        network.load(np.asarray(start, float))
    smooth = copy.deepcopy(network)
    decide, judged = policy(network), policy(smooth)
    optimiser = torch.optim.Adam(network.parameters(), lr=training.rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, training.steps, training.rate / 10)
    validation = tuple(validation)
    checks, kept, best = [_mean_cost(judged, validation, training.burn_in)], 0, smooth.packed()
    for step in range(1, training.steps + 1):
        scene = scenes(step)
        optimiser.zero_grad()
        loss = (total_cost(decide, scene, training.burn_in) / scene.scale).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        _average(smooth, network, max(1 / step, training.smoothing))
        if step % training.check_every == 0:
            checks.append(_mean_cost(judged, validation, training.burn_in))
            if checks[-1] < checks[kept]:
                kept, best = len(checks) - 1, smooth.packed()
    relative = tuple(float(check / checks[0]) for check in checks)
    member = best if kept or start is not None else np.zeros_like(best)
    return Trained(seed, tuple(member.tolist()), relative, kept * training.check_every)


def _average(smooth: AssetNetwork, network: AssetNetwork, part: float) -> None:
    with torch.no_grad():
        for kept, new in zip(smooth.parameters(), network.parameters(), strict=True):
            kept.lerp_(new, part)


def _mean_cost(decide: Decision, scenes: tuple[Scene, ...], burn_in: int) -> float:
    with torch.no_grad():
        return float(np.mean([(total_cost(decide, scene, burn_in) / scene.scale).mean().item() for scene in scenes]))


def ensemble(
    trained: Iterable[Trained], horizon: float, hidden: int = 8, name: str = "learned quadratic"
) -> LearnedQuadratic:
    """All seeds deployed together: the mean of their log multiples."""
    return LearnedQuadratic(horizon, tuple(one.member for one in trained), hidden, name=name)
