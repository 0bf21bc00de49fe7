"""The stated baselines: ordinary reinforcement learning (PPO, SAC of stable-baselines3) on one number, the intensity.

They are here to be compared with, not to be deployed. Three settings make PPO fail on this task without a word, and
are avoided below:

- a discount of 0.97 a month, which forgets drift after three years; here 0.995;
- few large updates; here a rollout is 2,048 steps, so that 0.4 million steps make 195 updates of 10 epochs;
- much exploration noise in training and none in the test: where the noise is large, the mean action is never tried;
  here it starts at 0.37 (of a range of 2) and is learned down while the learning rate falls to zero.

SAC has the same discount, network and falling learning rate, a buffer of 200,000 steps and one update per 16 steps.
These were not searched: docs/environments.md says what one seed of it reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.backtest import Floats, Observation
from workbench.errors import MissingToolError, ParameterError, PolicyError
from workbench.learning._step import LIMIT
from workbench.learning.task import Task

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm

Learner = Literal["ppo", "sac"]
HIDDEN = (64, 64)


@dataclass(frozen=True, eq=False)
class IntensityNetwork:
    """A trained network as plain arrays: what is seen to the share of the way to the target that is traded.

    `layers` are matrices (out x in) and biases; between them is tanh (PPO) or the positive part (SAC, whose last
    number goes through tanh as well). `rate` (n) is what a dollar traded cost at a multiple of 1 in training.
    Inference is numpy alone. It serves the assets and features it was trained on and no others.
    """

    name: str
    every: int
    layers: tuple[tuple[Floats, Floats], ...]
    rate: Floats
    market_features: int
    asset_features: int
    learner: Learner = "ppo"

    def intensity(self, seen: Observation) -> float:
        """Share of the way to the target to trade, 0 to 1."""
        value = features(seen, self.rate, self.market_features, self.asset_features)
        for depth, (matrix, bias) in enumerate(self.layers):
            if depth:
                value = np.tanh(value) if self.learner == "ppo" else np.maximum(value, 0.0)
            value = matrix @ value + bias
        number = float(np.tanh(value[0]) if self.learner == "sac" else value[0])
        return 0.5 * (min(max(number, -1.0), 1.0) + 1.0)

    def decide(self, seen: Observation) -> Floats | None:
        """Weights between the ones held and the target, or None. Raises `PolicyError` for a world of another size."""
        level = self.intensity(seen)
        return seen.weight + level * (seen.target - seen.weight) if level > 0.0 else None


def features(seen: Observation, rate: Floats, market_features: int, asset_features: int) -> Floats:
    """What the environments show (`Task.observation_names`), made from what a policy of the backtest sees.

    Raises `PolicyError` where the number of assets or features is not the one trained on.
    """
    n, active = len(rate), seen.weight - seen.target
    if not n <= len(active) <= n + 1 or len(seen.market) < market_features or len(seen.asset) < asset_features:
        raise PolicyError(
            f"the network knows {n} assets, {market_features} market and {asset_features} asset features; it was shown "
            f"{len(active)} positions, {len(seen.market)} and {len(seen.asset)}: train one for this universe"
        )
    state = [
        1e3 * 0.5 * seen.risk_aversion * (active @ seen.covariance @ active),
        1e4 * (seen.cost @ np.abs(active)),
        np.log2(seen.risk_aversion / 5.0),
        np.log2(seen.cost[:n].sum() / rate.sum()),
    ]
    asset = seen.asset[:asset_features, :n].ravel()
    return np.clip(np.concatenate([20.0 * active, state, seen.market[:market_features], asset]), -LIMIT, LIMIT)


def train(
    task: Task, seed: int, steps: int = 400_000, *, learner: Learner = "ppo", envs: int = 32, name: str = ""
) -> IntensityNetwork:
    """Train on `envs` episodes side by side for so many steps (looks) in all; the same seed gives the same bits.

    One torch thread. The task's action must be `intensity` without levels or limits: other actions are for those who
    use the environments with their own learners. Raises `ParameterError` for another task or too few steps,
    `MissingToolError` without stable-baselines3.
    """
    if task.action != "intensity" or task.levels is not None or task.limited:
        raise ParameterError("baselines are trained on the plain intensity action", "task")
    if steps < envs or envs < 1:
        raise ParameterError(f"{steps} steps in {envs} environments: at least one step each", "steps")
    with one_torch_thread():
        model = _model(task, seed, steps, learner, envs)
        model.learn(steps)
        layers = tuple(_layers(model, learner))
    return IntensityNetwork(
        name=name or f"{learner.upper()}, seed {seed}",
        every=task.every,
        layers=layers,
        rate=task.universe.half_spread + task.costs.commission,
        market_features=len(task.signals.market_names),
        asset_features=len(task.signals.asset_names),
        learner=learner,
    )


def _model(task: Task, seed: int, steps: int, learner: Learner, envs: int) -> BaseAlgorithm:
    try:
        from stable_baselines3 import PPO, SAC
    except ImportError as missing:
        raise MissingToolError("baselines need stable-baselines3: `make lab` installs it") from missing
    from workbench.learning.batch_environment import BatchRebalanceEnv

    batch = BatchRebalanceEnv(task, envs, seed)
    if learner == "ppo":
        rollout = max(1, 2048 // envs)
        return PPO(
            "MlpPolicy", batch, learning_rate=lambda left: 1e-3 * left, n_steps=rollout, batch_size=256, n_epochs=10,
            gamma=0.995, gae_lambda=0.95, seed=seed, device="cpu",
            policy_kwargs={"net_arch": list(HIDDEN), "log_std_init": -1.0},
        )  # fmt: skip
    if learner == "sac":
        return SAC(
            "MlpPolicy", batch, learning_rate=lambda left: 1e-3 * left, batch_size=256, gamma=0.995, train_freq=1,
            gradient_steps=max(1, envs // 16), learning_starts=min(2048, steps // 4), buffer_size=min(steps, 200_000),
            seed=seed, device="cpu", policy_kwargs={"net_arch": list(HIDDEN)},
        )  # fmt: skip
    raise ParameterError(f"learner is {learner!r}; choose ppo or sac", "learner")


def _layers(model: BaseAlgorithm, learner: Learner) -> Iterator[tuple[Floats, Floats]]:
    """Linear layers from observation to mean action, as float64 arrays."""
    from torch import nn

    policy: Any = model.policy
    if learner == "ppo":
        parts = [*policy.mlp_extractor.policy_net, policy.action_net]
    else:
        parts = [*policy.actor.latent_pi, policy.actor.mu]
    for part in parts:
        if isinstance(part, nn.Linear):
            yield part.weight.detach().numpy().astype(float), part.bias.detach().numpy().astype(float)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """One thread of torch, as it was before afterwards: more add up in another order, and so to other bits."""
    try:
        import torch
    except ImportError as missing:
        raise MissingToolError("training needs torch: `make lab` installs it") from missing
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
