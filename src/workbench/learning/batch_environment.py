"""Thousands of rebalancing episodes as one environment of stable-baselines3, over the kernel of the single one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import MissingToolError, ParameterError
from workbench.learning import _step
from workbench.learning.environment import as_numbers, check_paid, spaces_of
from workbench.learning.task import Task

try:
    from stable_baselines3.common.vec_env import VecEnv
except ImportError as missing:
    raise MissingToolError("the batch environment needs stable-baselines3: `make lab` installs it") from missing


class BatchRebalanceEnv(VecEnv):
    """`size` episodes of one task side by side; episode i is bit for bit a `RebalanceEnv` seeded with `seed + i`.

    After each step `report` (size x columns of the kernel) holds reward, cost, estimated and realised tracking loss
    (bp), projection distance, turnover and growth of every episode. To keep steps cheap, infos hold something only
    where an episode ended: `terminal_observation` and `TimeLimit.truncated`, as stable-baselines3 asks.
    """

    def __init__(self, task: Task, size: int, seed: int | None = None) -> None:
        if size < 1:
            raise ParameterError(f"size is {size}: a batch has at least 1 episode", "size")
        self.task = task
        self.render_mode = None
        actions, observations = spaces_of(task)
        super().__init__(size, observations, actions)
        self._world, self._terms, self._batch = task.world(), task.terms(), task.batch(size)
        self._seen = np.zeros((size, len(task.observation_names)), np.float32)
        self.report = np.zeros((size, _step.COLUMNS))
        self._rngs: list[np.random.Generator] = []
        self._actions = np.zeros((size, task.action_size), np.float32)
        self.seed(seed)

    def reset(self) -> NDArray[np.float32]:
        """Start every episode; seeds given since the last reset are used now."""
        if not self._rngs:
            self._rngs = [np.random.default_rng(seed) for seed in self._seeds]
        for i, seed in enumerate(self._seeds):
            if seed is not None:
                self._rngs[i] = np.random.default_rng(seed)
        self._begin(np.arange(self.num_envs))
        self.reset_infos = [{} for _ in range(self.num_envs)]
        self._reset_seeds()
        self._reset_options()
        return self._seen.copy()

    def step_async(self, actions: np.ndarray) -> None:
        """Take the actions (size x A) of the next step."""
        self._actions = as_numbers(self.task, actions, self.num_envs)

    def step_wait(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Advance every episode; the ones that ended begin again."""
        _step.step(self._world, self._terms, self._batch, self._actions, self._seen, self.report)
        check_paid(self.report)
        done = self._batch.looks >= self.task.periods
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        if done.any():
            ended = np.flatnonzero(done)
            last = self._seen[ended]
            for row, i in enumerate(ended):
                infos[i] = {"TimeLimit.truncated": True, "terminal_observation": last[row]}
            self._begin(ended)
        return self._seen.copy(), self.report[:, _step.REWARD].astype(np.float32), done, infos

    def close(self) -> None:
        """Nothing is held open."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the batch, once an episode asked for."""
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of the whole batch; episodes have none of their own."""
        if len(list(self._get_indices(indices))) != self.num_envs:
            raise ParameterError(f"{attr_name} cannot be set for some episodes only", "indices")
        setattr(self, attr_name, value)

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        """Call a method of the batch, once an episode asked for."""
        return [getattr(self, method_name)(*args, **kwargs) for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """No episode is wrapped."""
        return [False for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[np.ndarray | None]:
        """No pictures."""
        return [None for _ in range(self.num_envs)]

    def _begin(self, which: NDArray[np.int64]) -> None:
        for i in which:
            self.task.draw(self._batch, int(i), self._rngs[i])
        _step.begin(self._world, self._terms, self._batch, which, float(self.task.costs.wealth), self._seen)
