"""What an agent is asked to do: a world, how often it looks, what it may do, what it pays, and what it sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from workbench.backtest import Costs, Floats, Signals, Universe, compiled
from workbench.errors import MarketDataError, ParameterError
from workbench.learning import _step
from workbench.learning.projection import NO_CAP, check_limits

Action = Literal["intensity", "band", "tilt"]
Reward = Literal["cost", "realised cost", "log return"]
ACTIONS: dict[str, int] = {"intensity": _step.INTENSITY, "band": _step.BAND, "tilt": _step.TILT}


@dataclass(frozen=True, eq=False)
class Task:
    """One rebalancing task over a universe of one or many paths.

    Each number of an action lies within -1 and 1:

    - `intensity` (one number a): trade the share (a + 1) / 2 of the way to the target; -1 leaves alone.
    - `band` (one number a): with band `widest_band` x (a + 1) / 2, where a weight is outside trade to its edge.
    - `tilt` (m numbers): hold the target plus `tilt_limit` / 2 x (a - mean of a); -1 and 1 are the ends of the limit.

    `levels` makes an action of one number discrete: that many steps from -1 to 1.

    Rewards are in basis points a period: `cost` is minus (trading cost + half the risk aversion times the tracking
    variance that the covariance estimate gives to each session), `realised cost` takes the squared active return of
    each session instead (same expectation, noisier), `log return` is the net log return minus the estimated tracking
    loss. An episode lasts `periods` looks of `every` sessions; a decision at a close is executed `delay` closes later.

    At its start an episode draws a path, a first session, a multiple of the half spreads and a risk aversion, both
    log-uniform within their range, so that one policy serves every client and does not trust one cost figure.

    `lower`, `upper` (m) and `turnover_cap` (one-way, a look) are the compliance limits that every action is projected
    on. Raises `ParameterError` or `MarketDataError` for what cannot be run.
    """

    universe: Universe
    signals: Signals
    action: Action = "intensity"
    every: int = 21
    periods: int = 120
    delay: int = 1
    costs: Costs = field(default_factory=Costs)
    cost_multiple: tuple[float, float] = (0.5, 2.0)
    risk_aversion: tuple[float, float] = (2.5, 10.0)
    reward: Reward = "cost"
    widest_band: float = 0.10
    tilt_limit: float = 0.10
    lower: Floats | None = None
    upper: Floats | None = None
    turnover_cap: float = NO_CAP
    levels: int | None = None
    sessions_a_year: float = 252.0

    def __post_init__(self) -> None:
        universe, name = self.universe, self.universe.name
        if self.action not in ACTIONS:
            raise ParameterError(f"action is {self.action!r}; choose one of {', '.join(ACTIONS)}", "action")
        if self.reward not in ("cost", "realised cost", "log return"):
            raise ParameterError(f"reward is {self.reward!r}; choose cost, realised cost or log return", "reward")
        if self.every < 1 or self.periods < 1 or not 0 <= self.delay <= self.every:
            raise ParameterError(
                f"every {self.every}, periods {self.periods}, delay {self.delay}: an order is done by the next look",
                "delay",
            )
        for parameter, (low, high) in (("cost_multiple", self.cost_multiple), ("risk_aversion", self.risk_aversion)):
            if not 0 < low <= high < np.inf:
                raise ParameterError(f"{parameter} ranges from {low} to {high}: 0 < low <= high is needed", parameter)
        if self.levels is not None and (self.action == "tilt" or self.levels < 2):
            raise ParameterError("levels need an action of one number and at least 2 steps", "levels")
        if not 0 <= self.widest_band <= 1 or not 0 <= self.tilt_limit <= 1:
            raise ParameterError("widest_band and tilt_limit are weights, between 0 and 1", "widest_band")
        if len(universe.sessions) - 1 - self.signals.first < self.every * self.periods:
            raise MarketDataError(
                f"{name} has {len(universe.sessions) - self.signals.first} sessions with signals: an episode of "
                f"{self.periods} looks every {self.every} needs {self.every * self.periods + 1}; draw longer paths."
            )
        bad = ~(np.isfinite(universe.price) & (universe.price > 0)).all(axis=(0, 1))
        if bad.any():
            asset = universe.assets[int(np.argmax(bad))]
            raise MarketDataError(f"{asset} of {name} has a price that is missing or not positive: leave it out.")
        lower, upper = self.limits
        check_limits(lower, upper, self.turnover_cap)
        if lower.shape != (universe.positions,):
            raise ParameterError(f"limits of {len(lower)} positions; {name} has {universe.positions}", "lower")
        if self.action == "tilt" and not self.limited and (universe.target_positions < self.tilt_limit).any():
            raise ParameterError("tilts can leave the simplex: lower tilt_limit or give `lower` limits", "tilt_limit")

    @property
    def limited(self) -> bool:
        """Whether actions are projected on compliance limits."""
        return self.lower is not None or self.upper is not None or self.turnover_cap < NO_CAP

    @property
    def limits(self) -> tuple[Floats, Floats]:
        """Lower and upper limits of each position (m); 0 and 1 where none are given."""
        m = self.universe.positions
        lower = np.zeros(m) if self.lower is None else np.asarray(self.lower, float)
        return lower, np.ones(m) if self.upper is None else np.asarray(self.upper, float)

    @property
    def action_size(self) -> int:
        """Numbers of an action."""
        return self.universe.positions if self.action == "tilt" else 1

    @property
    def observation_names(self) -> tuple[str, ...]:
        """What each number of an observation is; all are known at the close of the look and clipped to +-10."""
        universe, signals = self.universe, self.signals
        positions = (*universe.assets, "cash") if universe.with_cash else universe.assets
        return (
            *(f"{position}: weight minus target, in 5 %" for position in positions),
            "tracking loss at these weights, in 10 bp a year",
            "cost of trading to the target, in bp",
            "risk aversion, in doublings of 5",
            "cost multiple, in doublings",
            *signals.market_names,
            *(f"{asset}: {name}" for name in signals.asset_names for asset in universe.assets),
        )

    def world(self) -> _step.World:
        """Arrays as the kernel reads them."""
        universe, signals = self.universe, self.signals
        volatility = compiled.daily_volatility(signals) if self.costs.impact > 0 else np.zeros((0, 0, 0))
        lower, upper = self.limits
        world = _step.World(
            price=universe.price,
            dividend=universe.dividend,
            cash_return=universe.cash_return,
            target_return=compiled.target_returns(universe, compiled.total_returns(universe)),
            covariance=signals.covariance,
            covariance_at=signals.covariance_at,
            market=signals.market,
            asset=signals.asset,
            target=universe.target_positions,
            rate=universe.half_spread + self.costs.commission,
            volatility=volatility,
            lower=lower,
            upper=upper,
        )
        return _step.World._make(np.ascontiguousarray(values) for values in world)

    def terms(self) -> _step.Terms:
        """Numbers as the kernel reads them."""
        return _step.Terms(
            ACTIONS[self.action],
            self.every,
            self.delay,
            float(self.sessions_a_year),
            compiled.Settlement(
                rate=self.universe.half_spread + self.costs.commission,
                daily_value=np.asarray(self.universe.daily_value, float),
                impact=float(self.costs.impact),
                ticket=float(self.costs.ticket),
                wealth=float(self.costs.wealth),
                risk_aversion=5.0,
                first=0,
                last=len(self.universe.sessions) - 1,
            ),
            bool(self.universe.dividend.any()),
            float(self.widest_band),
            float(self.tilt_limit),
            self.limited,
            float(self.turnover_cap),
            self.reward == "realised cost",
            self.reward == "log return",
        )

    def batch(self, size: int) -> _step.Batch:
        """Room for the state of `size` episodes."""
        n = len(self.universe.assets)
        path, session, looks = np.zeros((3, size), np.int64)
        return _step.Batch(
            path=path,
            session=session,
            looks=looks,
            units=np.zeros((size, n)),
            cash=np.zeros(size),
            cost_multiple=np.ones(size),
            risk_aversion=np.full(size, 5.0),
            shown=np.zeros((size, 2)),
        )

    def draw(self, batch: _step.Batch, b: int, rng: np.random.Generator) -> None:
        """Draw path, first session, cost multiple and risk aversion of one episode."""
        uniform = rng.random(4)
        starts = len(self.universe.sessions) - self.every * self.periods - self.signals.first
        batch.path[b] = int(uniform[0] * self.universe.paths)
        batch.session[b] = self.signals.first + int(uniform[1] * starts)
        for values, (low, high), u in (
            (batch.cost_multiple, self.cost_multiple, uniform[2]),
            (batch.risk_aversion, self.risk_aversion, uniform[3]),
        ):
            values[b] = low * (high / low) ** u
