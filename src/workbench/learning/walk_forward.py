"""Learned against tuned, walk-forward: each year both are set on what was known before it, then judged on what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.backtest import LearnedQuadratic, Policy, Quadratic, Runs, Signals, Universe, evidence, learned, simulate
from workbench.backtest import signals as make_signals
from workbench.backtest.evidence import Interval, Window, windows
from workbench.errors import PolicyError
from workbench.learning.universes import until

if TYPE_CHECKING:
    from workbench.learning.learned_quadratic import Trained, Training

Floats = NDArray[np.float64]
#: Horizons tried, in years; the same for the rule and as a multiple for the learned policy.
HORIZONS = tuple(float(np.round(h, 4)) for h in np.exp(np.linspace(np.log(0.15), np.log(6.0), 17)))
#: Start offsets that tuning averages over, so that no lucky day of the month decides.
OFFSETS = (0, 10)
#: Sessions a policy runs before a validation span, so that it does not start at its target.
BURN_IN = 504


@dataclass(frozen=True)
class Setting:
    """How a learned policy is put to work on one universe: what of it is tuned on training years, and the gate.

    `horizons` are tried for the rule and the policy alike; `strengths` multiply the network's answers (1: as trained,
    0: the rule itself), and the pair that was cheapest in the training years is taken. `gated`: the tuned rule acts
    instead where the pair tuned without the validation years was dearer than the rule in them.
    """

    strengths: tuple[float, ...] = (1.0,)
    gated: bool = True
    horizons: tuple[float, ...] = HORIZONS


@dataclass(frozen=True)
class Chosen:
    """What one window's training years chose: the tuned rule, the tuned policy, and which of them acts."""

    rule: Quadratic
    tuned: LearnedQuadratic
    strength: float
    kept: bool

    @property
    def acting(self) -> Policy:
        """The policy where it is kept, else the rule."""
        return self.tuned if self.kept else self.rule


@dataclass(frozen=True, eq=False)
class WalkForward:
    """Test years of one universe: total cost (bp) of the tuned rule and of the learned policy, and what was chosen.

    `table` has a row a window: test start and end, `rule_horizon`, `learned_horizon`, `strength`, `kept` (whether the
    learned policy acts), `rule_bp`, `learned_bp` (as it acts) and `unchecked_bp` (learned, whatever the gate said).
    `gain` is what acting saves against the rule, day by day (bp a year), the mean of all start days.
    """

    universe: str
    table: pd.DataFrame
    gain: Floats

    @property
    def rule_bp(self) -> float:
        """Mean total cost of the tuned rule, bp a year."""
        return float(self.table.rule_bp.mean())

    @property
    def learned_bp(self) -> float:
        """Mean total cost of the learned policy, bp a year."""
        return float(self.table.learned_bp.mean())

    @property
    def excess(self) -> float:
        """Learned over rule, as a part of the rule's cost: negative is cheaper."""
        return self.learned_bp / self.rule_bp - 1.0

    def interval(self, seed: int = 0) -> Interval:
        """What acting saves (bp a year) with its 95 % interval from resampled blocks of days, paired by day."""
        return evidence.mean_interval(self.gain, seed=seed)


def walk_forward(
    universe: Universe,
    policy: LearnedQuadratic | Mapping[Window, LearnedQuadratic],
    cut: Sequence[Window] | None = None,
    setting: Setting = Setting(),
    *,
    risk_aversion: float = 5.0,
    every: int = 21,
) -> WalkForward:
    """Judge a learned policy whose network saw nothing of this universe, or one a window that saw its training years.

    Each window's choices are made on copies that end with its training. Test costs are those of the engine with
    decisions traded a close later, the mean of all start days, after a year of burn-in, rule and policy alike.
    """
    known = make_signals(universe)
    cut = windows(universe.sessions, first=known.first) if cut is None else cut
    chosen = {}
    for window in cut:
        one = policy if isinstance(policy, LearnedQuadratic) else policy[window]
        chosen[universe.sessions[window.train[1] - 1]] = choose(
            evidence.training(universe, known, window), replace(one, every=every), setting, risk_aversion
        )

    def daily(which: str) -> Floats:
        track = evidence.walk_forward(
            universe,
            known,
            lambda training: getattr(chosen[training.universe.sessions[-1]], which),
            cut,
            name=which,
            risk_aversion=risk_aversion,
            cost_multiples=(1.0,),
            delays=(1,),
        )
        return track.total[track.base]

    costs = {which: daily(which) for which in ("rule", "acting", "tuned")}
    return WalkForward(universe.name, _table(universe, cut, chosen, costs), costs["rule"] - costs["acting"])


def _table(
    universe: Universe, cut: Sequence[Window], chosen: Mapping[pd.Timestamp, Chosen], costs: Mapping[str, Floats]
) -> pd.DataFrame:
    rows, at = [], 0
    for window, one in zip(cut, chosen.values(), strict=True):
        days = slice(at, at + window.test[1] - window.test[0])
        at = days.stop
        rows.append(
            {
                "test_start": universe.sessions[window.test[0]],
                "test_end": universe.sessions[window.test[1] - 1],
                "rule_horizon": one.rule.horizon,
                "learned_horizon": one.tuned.horizon,
                "strength": one.strength,
                "kept": one.kept,
                "rule_bp": float(costs["rule"][days].mean()),
                "learned_bp": float(costs["acting"][days].mean()),
                "unchecked_bp": float(costs["tuned"][days].mean()),
            }
        )
    return pd.DataFrame(rows)


def choose(
    training: evidence.Training, policy: LearnedQuadratic, setting: Setting, risk_aversion: float = 5.0
) -> Chosen:
    """Tune rule and policy on training years, and let the gate decide which of them acts."""
    rules = [Quadratic(horizon, every=policy.every) for horizon in setting.horizons]
    grid = [(horizon, strength) for strength in setting.strengths for horizon in setting.horizons]
    tried = [
        replace(weakened(policy, strength), horizon=horizon, name=f"learned {horizon:g} {strength:g}")
        for horizon, strength in grid
    ]
    both: list[Policy] = [*rules, *tried]
    end = len(training.universe.sessions)

    def best(costs: Floats) -> tuple[int, int]:
        return int(costs[: len(rules)].argmin()), len(rules) + int(costs[len(rules) :].argmin())

    def cost(policies: Sequence[Policy], span: tuple[int, int]) -> Floats:
        return span_cost(training.universe, training.signals, policies, span, risk_aversion)

    kept = True
    if setting.gated:
        early = best(cost(both, (0, training.fit_end)))
        checked = cost([both[i] for i in early], (training.validation_start, end))
        kept = bool(checked[1] <= checked[0])
    rule, candidate = best(cost(both, (0, end)))
    place = candidate - len(rules)
    return Chosen(rules[rule], tried[place], grid[place][1], kept)


def weakened(policy: LearnedQuadratic, strength: float) -> LearnedQuadratic:
    """The policy whose networks answer `strength` times as much; 0 is the rule. Raises `PolicyError` outside [0, 1]."""
    if not 0.0 <= strength <= 1.0:
        raise PolicyError(f"{policy.name}: the strength is {strength}; give 0 (the rule) to 1 (as trained)")
    kept = policy.hidden * (learned.INPUTS + 1)
    members = tuple((*member[:kept], *(strength * number for number in member[kept:])) for member in policy.members)
    return replace(policy, members=members)


def train_window(
    training: evidence.Training,
    horizon: float,
    seed: int,
    settings: Training,
    *,
    start: Sequence[float] | None = None,
    paths: int = 16,
    years: int = 4,
    risk_aversion: float = 5.0,
) -> Trained:
    """Train one network on one window: worlds are blocks of its fit years, those of its validation years choose.

    With `start`, a member trained before, training goes on from there and falls back to it. Needs torch (`make lab`).
    """
    from workbench.learning.learned_quadratic import train_learned_quadratic
    from workbench.learning.scenes import bootstrap_scene

    fit = until(training.universe, training.fit_end)
    validation = until(training.universe, len(training.universe.sessions), training.validation_start)
    checks = bootstrap_scene(
        validation, 4 * paths, years, np.random.default_rng((5, seed)), risk_aversion=risk_aversion
    )
    return train_learned_quadratic(
        lambda step: bootstrap_scene(
            fit, paths, years, np.random.default_rng((6, seed, step)), risk_aversion=risk_aversion
        ),
        (checks,),
        horizon,
        seed,
        settings,
        start,
    )


def span_cost(
    universe: Universe,
    known: Signals,
    policies: Sequence[Policy],
    span: tuple[int, int],
    risk_aversion: float = 5.0,
) -> Floats:
    """Total cost (bp a year) of each policy in sessions [start, stop), averaged over offsets, after burn-in.

    Cost and tracking loss add up over time, so those of the span are those up to its end without those before it.
    """
    start, stop = span
    begin = max(known.first, start - BURN_IN)
    runs = Runs.product(list(policies), offsets=OFFSETS)

    def up_to(last: int) -> Floats:
        if last <= begin:
            return np.zeros(len(policies))
        table = simulate(universe, known, runs, risk_aversion=risk_aversion, first=begin, last=last).statistics
        return table.total_bp.to_numpy().reshape(len(policies), len(OFFSETS)).mean(axis=1) * (last - begin)

    return (up_to(stop - 1) - up_to(start - 1)) / (stop - 1 - max(start - 1, begin))
