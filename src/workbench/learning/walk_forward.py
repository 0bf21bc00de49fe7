"""Learned against tuned, walk-forward: each year both are set on what was known before it, then judged on what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from workbench.backtest import LearnedQuadratic, Policy, Quadratic, Runs, Signals, Universe, signals, simulate
from workbench.backtest.evidence import Window, windows
from workbench.learning.universes import until

if TYPE_CHECKING:
    from workbench.learning.learned_quadratic import Trained, Training

Floats = NDArray[np.float64]
#: Horizons tried, in years; the same for the rule and as a multiple for the learned policy.
HORIZONS = tuple(float(np.round(h, 4)) for h in np.exp(np.linspace(np.log(0.15), np.log(6.0), 17)))
#: Start offsets that every figure is averaged over, so that no lucky day of the month decides.
OFFSETS = (0, 10)
#: Sessions a policy runs before those it is judged on, so that it does not start at its target.
BURN_IN = 504


@dataclass(frozen=True, eq=False)
class WalkForward:
    """Test years of one universe: total cost (bp) of the tuned rule and of the learned policy, and what was chosen.

    `table` has a row a window: test start and end, `rule_horizon`, `learned_horizon`, `kept` (whether validation kept
    the learned policy or went back to the rule), `rule_bp`, `learned_bp` (as kept) and `unchecked_bp` (learned,
    whatever validation said).
    """

    universe: str
    table: pd.DataFrame

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


def walk_forward(
    universe: Universe,
    policy: LearnedQuadratic,
    cut: Sequence[Window] | None = None,
    *,
    risk_aversion: float = 5.0,
    horizons: Sequence[float] = HORIZONS,
    every: int = 21,
) -> WalkForward:
    """Judge a learned policy whose network saw nothing of this universe, or only what came before its windows.

    In each window the horizon of both is tuned on training and validation together; the learned policy replaces the
    rule only where its horizon, tuned on training alone, was at least as cheap as the rule's on validation. Costs are
    those of the engine with decisions traded a close later, after two years of burn-in.
    """
    known = signals(universe)
    cut = windows(universe.sessions, first=known.first) if cut is None else cut
    rows = [_window(universe, known, policy, window, risk_aversion, horizons, every) for window in cut]
    return WalkForward(universe.name, pd.DataFrame(rows))


def train_window(
    universe: Universe,
    window: Window,
    horizon: float,
    seed: int,
    training: Training,
    *,
    start: Sequence[float] | None = None,
    paths: int = 16,
    years: int = 4,
    risk_aversion: float = 5.0,
) -> Trained:
    """Train one network on one window: worlds are blocks of its fit years, those of its validation years choose.

    Nothing after the window's validation is handed to training. Needs torch (`make lab`).
    """
    from workbench.learning.learned_quadratic import train_learned_quadratic
    from workbench.learning.scenes import bootstrap_scene

    fit, validation = (until(universe, stop, first) for first, stop in (window.fit, window.validation))
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
        training,
        start,
    )


def _window(
    universe: Universe,
    known: Signals,
    policy: LearnedQuadratic,
    window: Window,
    risk_aversion: float,
    horizons: Sequence[float],
    every: int,
) -> dict[str, object]:
    rules = [Quadratic(horizon, every=every) for horizon in horizons]
    learned = [replace(policy, horizon=horizon, every=every, name=f"learned {horizon:g}") for horizon in horizons]
    both: list[Policy] = [*rules, *learned]

    def cost(policies: Sequence[Policy], span: tuple[int, int]) -> Floats:
        return span_cost(universe, known, policies, span, risk_aversion)

    count = len(rules)
    train = cost(both, window.fit)
    tried = int(train[:count].argmin()), count + int(train[count:].argmin())
    checked = cost([both[tried[0]], both[tried[1]]], window.validation)
    kept = bool(checked[1] <= checked[0])
    whole = cost(both, window.train)
    rule, candidate = rules[int(whole[:count].argmin())], learned[int(whole[count:].argmin())]
    test = cost([rule, candidate], window.test)
    return {
        "test_start": universe.sessions[window.test[0]],
        "test_end": universe.sessions[window.test[1] - 1],
        "rule_horizon": rule.horizon,
        "learned_horizon": candidate.horizon,
        "kept": kept,
        "rule_bp": float(test[0]),
        "learned_bp": float(test[1] if kept else test[0]),
        "unchecked_bp": float(test[1]),
    }


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
