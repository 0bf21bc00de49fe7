"""One client's rebalancing as a gymnasium environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.backtest import Floats, Observation, Policy
from workbench.errors import MissingToolError, ParameterError
from workbench.learning import _step
from workbench.learning.task import Task

try:
    import gymnasium
    from gymnasium import spaces
except ImportError as missing:
    raise MissingToolError("environments need gymnasium: `make lab` installs it") from missing


def spaces_of(task: Task) -> tuple[spaces.Space, spaces.Box]:
    """Spaces of actions and observations: (A) within -1 and 1 or discrete, and (D) within -10 and 10."""
    action: spaces.Space = spaces.Box(-1.0, 1.0, (task.action_size,), np.float32)
    if task.levels is not None:
        action = spaces.Discrete(task.levels)
    return action, spaces.Box(-_step.LIMIT, _step.LIMIT, (len(task.observation_names),), np.float32)


def as_numbers(task: Task, actions: Any, size: int) -> NDArray[np.float32]:
    """Actions of any space as the kernel reads them (size x A). Raises `ParameterError` for a number not finite."""
    if task.levels is not None:
        actions = 2.0 * np.asarray(actions) / (task.levels - 1) - 1.0
    numbers: NDArray[np.float32] = np.asarray(actions, np.float32).reshape(size, task.action_size)
    if not np.isfinite(numbers).all():
        raise ParameterError("an action is not finite: the policy is broken, do not train it further", "action")
    return numbers


def check_paid(report: Floats) -> None:
    """Raise `ParameterError` where an episode could not pay for its trades (`report` is B x columns of the kernel)."""
    broke = np.flatnonzero(~np.isfinite(report[:, _step.REWARD]))
    if len(broke):
        raise ParameterError(
            f"episode {broke[0]} cannot pay for its trades: costs are too high, or its wealth is too small for "
            "its tickets",
            "costs",
        )


class RebalanceEnv(gymnasium.Env):
    """One account of one client, looked at every `task.every` sessions; observations, actions and rewards as in `Task`.

    The info of a step holds, in bp of wealth: `cost_bp`, `tracking_loss_bp` (estimated), `realised_loss_bp`; and
    `projection_distance` (of the compliance limits), `turnover` (one-way), `growth` (of wealth over the period),
    `path` and `session`. Episodes end by time only, so they are truncated and never terminated.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - gymnasium's own form

    def __init__(self, task: Task) -> None:
        self.task = task
        self.render_mode = None
        self.action_space, self.observation_space = spaces_of(task)
        self._world, self._terms, self._batch = task.world(), task.terms(), task.batch(1)
        self._seen = np.zeros((1, len(task.observation_names)), np.float32)
        self._report = np.zeros((1, _step.COLUMNS))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Start an episode at the target weights.

        `options` may fix what is drawn otherwise: `path`, `session` (position of the first look), `cost_multiple`,
        `risk_aversion`. Raises `ParameterError` for another key or a value out of range.
        """
        super().reset(seed=seed)
        self.task.draw(self._batch, 0, self.np_random)
        self._fix(options or {})
        _step.begin(
            self._world, self._terms, self._batch, np.zeros(1, np.int64), float(self.task.costs.wealth), self._seen
        )
        return self._seen[0].copy(), self._where()

    def step(self, action: Any) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Act, and go on to the next look."""
        self._check_running()
        _step.step(self._world, self._terms, self._batch, as_numbers(self.task, action, 1), self._seen, self._report)
        return self._outcome()

    def step_to(self, wanted: Floats | None) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Go on to the next look with weights wanted (m) in place of an action; None leaves the portfolio alone."""
        self._check_running()
        weight = np.empty((1, self.task.universe.positions))
        _step.weigh(self._world, self._batch, weight)
        asked = weight.copy() if wanted is None else np.array(wanted, float).reshape(1, -1)
        trades = np.array([wanted is not None])
        _step.step_to(self._world, self._terms, self._batch, weight, asked, trades, self._seen, self._report)
        return self._outcome()

    def follow(self, policy: Policy) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Go on to the next look as any policy of the backtest says."""
        return self.step_to(policy.decide(self.seen()))

    def seen(self) -> Observation:
        """What a policy of the backtest sees at this look, unscaled."""
        universe, signals, batch = self.task.universe, self.task.signals, self._batch
        path, session, n = int(batch.path[0]), int(batch.session[0]), len(universe.assets)
        weight = np.empty((1, universe.positions))
        _step.weigh(self._world, batch, weight)
        covariance = np.zeros((universe.positions, universe.positions))
        covariance[:n, :n] = signals.covariance[path, signals.covariance_at[session]]
        asset = np.zeros((len(signals.asset_names), universe.positions))
        asset[:, :n] = signals.asset[path, session]
        cost = np.zeros(universe.positions)
        cost[:n] = batch.cost_multiple[0] * (universe.half_spread + self.task.costs.commission)
        return Observation(
            session=session,
            weight=weight[0],
            target=universe.target_positions,
            covariance=covariance,
            cost=cost,
            market=signals.market[path, session].copy(),
            asset=asset,
            risk_aversion=float(batch.risk_aversion[0]),
            day=universe.sessions[session],
        )

    def _fix(self, options: dict[str, Any]) -> None:
        task, batch = self.task, self._batch
        last = len(task.universe.sessions) - 1 - task.every * task.periods
        ranges = {
            "path": (0, task.universe.paths - 1),
            "session": (task.signals.first, last),
            "cost_multiple": (0.0, np.inf),
            "risk_aversion": (0.0, np.inf),
        }
        for key, value in options.items():
            if key not in ranges:
                raise ParameterError(f"no option {key!r}; there are {', '.join(ranges)}", key)
            low, high = ranges[key]
            if not low <= value <= high:
                raise ParameterError(f"{key} is {value}: it must lie within {low:g} and {high:g}", key)
            getattr(batch, key)[0] = value

    def _check_running(self) -> None:
        if self._batch.looks[0] >= self.task.periods:
            raise ParameterError("the episode is over: call reset()", "step")

    def _where(self) -> dict[str, Any]:
        return {"path": int(self._batch.path[0]), "session": int(self._batch.session[0])}

    def _outcome(self) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        check_paid(self._report)
        report = self._report[0]
        info = self._where() | {
            "cost_bp": float(report[_step.COST]),
            "tracking_loss_bp": float(report[_step.TRACKING]),
            "realised_loss_bp": float(report[_step.REALISED]),
            "projection_distance": float(report[_step.DISTANCE]),
            "turnover": float(report[_step.TURNOVER]),
            "growth": float(report[_step.GROWTH]),
        }
        over = bool(self._batch.looks[0] >= self.task.periods)
        return self._seen[0].copy(), float(report[_step.REWARD]), False, over, info
