"""Environment steps a second: the batch environment against a numpy gymnasium environment under DummyVecEnv.

    python -m benchmarks.environments            # a table
    python -m benchmarks.environments --json     # one object, for a machine

One thread. A step is a month: 21 sessions marked one by one, one order paid for, tracking loss and observation. Both
run the same task on the same worlds (five assets and cash, 19 features, 32 worlds) and their rewards are compared
before anything is timed. The numpy environment is written as one would write it: vectorised over sessions and assets,
with everything that can be prepared prepared.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from typing import Any

os.environ.setdefault("NUMBA_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import gymnasium
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv

from workbench.backtest import block_bootstrap, compiled, gbm, signals
from workbench.learning.batch_environment import BatchRebalanceEnv
from workbench.learning.task import Task

ASSETS, WORLDS, PERIODS, EVERY = 5, 32, 120, 21
BATCH, NUMPY_ENVS = 4096, 16


class NumpyRebalanceEnv(gymnasium.Env):
    """The intensity task in plain numpy, for positions that include cash and costs that are half spreads alone."""

    def __init__(self, task: Task) -> None:
        self.task, universe, signals_ = task, task.universe, task.signals
        self.price, self.cash_return = universe.price, universe.cash_return
        self.rate, self.target = universe.half_spread, universe.target_positions
        self.target_return = compiled.target_returns(universe, compiled.total_returns(universe))
        self.cash_growth = np.cumprod(1.0 + universe.cash_return, axis=1)
        flat = signals_.asset.reshape(*signals_.asset.shape[:2], -1)
        self.features = np.concatenate([signals_.market, flat], axis=2)
        self.covariance, self.covariance_at = signals_.covariance, signals_.covariance_at
        size = len(self.target) + 4 + self.features.shape[2]
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.observation_space = spaces.Box(-10.0, 10.0, (size,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        task, uniform = self.task, self.np_random.random(4)
        starts = len(task.universe.sessions) - task.every * task.periods - task.signals.first
        self.path, self.session = int(uniform[0] * task.universe.paths), task.signals.first + int(uniform[1] * starts)
        (low, high), (careful, careless) = task.cost_multiple, task.risk_aversion
        self.multiple = low * (high / low) ** uniform[2]
        self.risk_aversion = careful * (careless / careful) ** uniform[3]
        self.units = self.target[:-1] / self.price[self.path, self.session]
        self.cash, self.looks = self.target[-1], 0
        return self.observe(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        path, t, end = self.path, self.session, self.session + EVERY
        level = 0.5 * (min(max(float(action[0]), -1.0), 1.0) + 1.0)
        asked = self.weight + level * (self.target - self.weight)
        loss = self.live(t, t + 1)
        cost = 0.0
        if level > 0.0:
            held = self.units * self.price[path, t + 1]
            wealth = left = held.sum() + self.cash
            for _ in range(3):
                cost = self.multiple * (self.rate @ np.abs(asked[:-1] * left - held))
                left = wealth - cost
            self.units = asked[:-1] * left / self.price[path, t + 1]
            self.cash = asked[-1] * left
            cost /= wealth
        loss += self.live(t + 1, end)
        self.session, self.looks = end, self.looks + 1
        reward = -1e4 * (cost + 0.5 * self.risk_aversion * loss / 252.0)
        return self.observe(), reward, False, self.looks >= PERIODS, {}

    def live(self, since: int, until: int) -> float:
        growth = self.cash_growth[self.path, since : until + 1] / self.cash_growth[self.path, since]
        dollars = self.units * self.price[self.path, since : until + 1]
        cash = self.cash * growth
        active = dollars[:-1] / (dollars.sum(axis=1) + cash)[:-1, None] - self.target[:-1]
        self.cash = cash[-1]
        covariance = self.covariance[self.path, self.covariance_at[since:until]]
        return float(((covariance @ active[:, :, None])[:, :, 0] * active).sum())

    def observe(self) -> np.ndarray:
        held = np.append(self.units * self.price[self.path, self.session], self.cash)
        self.weight = held / held.sum()
        active = self.weight - self.target
        covariance = self.covariance[self.path, self.covariance_at[self.session]]
        state = (
            1e3 * 0.5 * self.risk_aversion * (active[:-1] @ covariance @ active[:-1]),
            1e4 * self.multiple * (self.rate @ np.abs(active[:-1])),
            np.log2(self.risk_aversion / 5.0),
            np.log2(self.multiple),
        )
        seen = np.concatenate((20.0 * active, state, self.features[self.path, self.session]))
        return np.clip(seen, -10.0, 10.0).astype(np.float32)


def build() -> Task:
    """The task that both run."""
    deviation = np.array([0.17, 0.20, 0.22, 0.06, 0.08])
    covariance = np.outer(deviation, deviation) * (0.3 + 0.7 * np.eye(ASSETS))
    target = np.array([0.3, 0.15, 0.15, 0.28, 0.1])
    mean = np.array([0.08, 0.08, 0.075, 0.04, 0.03])
    history = gbm(mean, covariance, target, paths=1, sessions=2520, seed=1, half_spread=0.001, cash_rate=0.02)
    universe = block_bootstrap(history, paths=WORLDS, sessions=252 + PERIODS * EVERY + 252, seed=2)
    return Task(universe, signals(universe), periods=PERIODS, every=EVERY)


def check_same(task: Task, steps: int = 60) -> float:
    """Largest difference in reward (bp) between the two over some steps; raises where they are not the same task."""
    ours = BatchRebalanceEnv(task, 4, seed=5)
    theirs = DummyVecEnv([lambda: NumpyRebalanceEnv(task)] * 4)
    theirs.seed(5)
    rng = np.random.default_rng(0)
    worst = float(np.abs(ours.reset() - np.asarray(theirs.reset())).max())
    for _ in range(steps):
        actions = rng.uniform(-1, 1, (4, 1)).astype(np.float32)
        worst = max(worst, float(np.abs(ours.step(actions)[1] - theirs.step(actions)[1]).max()))
    if worst > 1e-4:
        raise AssertionError(f"the two environments differ by {worst:g} bp: they are not the same task")
    return worst


def rate(env: Any, size: int, steps: int, repeats: int = 3) -> float:
    """Steps a second through `step`, all episodes together: the median of `repeats` timings, resets included."""
    actions = np.random.default_rng(0).uniform(-1, 1, (steps, size, 1)).astype(np.float32)
    env.reset()
    env.step(actions[0])
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        for each in actions:
            env.step(each)
        seconds.append(time.perf_counter() - start)
    return size * steps / float(np.median(seconds))


def measure() -> dict[str, float]:
    """Steps a second of the batch environment, of the numpy one, and their ratio."""
    task = build()
    worst = check_same(task)
    batch = rate(BatchRebalanceEnv(task, BATCH, seed=1), BATCH, 2 * PERIODS)
    plain = DummyVecEnv([lambda: NumpyRebalanceEnv(task)] * NUMPY_ENVS)
    plain.seed(1)
    slow = rate(plain, NUMPY_ENVS, 2 * PERIODS)
    return {
        "env_steps_per_s": batch,
        "gym_numpy_steps_per_s": slow,
        "ratio_gym_numpy": batch / slow,
        "env_reward_difference_bp": worst,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    figures = measure()
    if arguments.json:
        print(json.dumps(figures))
        return
    print(f"batch environment          {figures['env_steps_per_s'] / 1e6:8.2f} m steps/s")
    print(f"numpy under DummyVecEnv    {figures['gym_numpy_steps_per_s'] / 1e3:8.1f} k steps/s")
    print(f"ratio                      {figures['ratio_gym_numpy']:8.0f}")


if __name__ == "__main__":
    main()
