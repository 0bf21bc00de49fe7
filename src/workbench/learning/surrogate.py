"""What is lost by a policy's stand-in: line, tree and rule of one number, each held against it in return space.

A stand-in runs through the same engine over the same days, and its total cost and daily returns are held against the
policy's. A close fit of actions that costs more is not a close fit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from workbench.backtest import Costs, Policy, Runs, Signals, Universe, simulate, tune_universe
from workbench.backtest.evidence import Window
from workbench.errors import ParameterError
from workbench.learning.stand_in import (
    LinearSurrogate,
    Looks,
    Recorder,
    TreeSurrogate,
    feature_names,
    features,
    fit_linear,
    fit_tree,
    looks,
)

__all__ = [
    "Fidelity",
    "LinearSurrogate",
    "Looks",
    "TreeSurrogate",
    "by_window",
    "feature_names",
    "features",
    "fidelity",
    "fit_linear",
    "fit_tree",
    "looks",
    "one_number",
    "to_frame",
]

#: Half spreads alone.
_PLAIN = Costs()
#: The rules of one number that may stand in, by their names as families in tuning.
ONE_NUMBER = ("quadratic", "band to edge")


@dataclass(frozen=True, eq=False)
class Fidelity:
    """A stand-in against its policy over the same days.

    `policy_bp` and `surrogate_bp` are total cost (bp a year). `path_bp` is the yearly standard deviation of the
    difference of daily net returns, `return_correlation` that of the two paths of returns; `action_r2` is the part of
    the variance of the policy's trades that the stand-in explains on the same looks (NaN where it never trades).
    """

    surrogate: str
    first: str
    last: str
    policy_bp: float
    surrogate_bp: float
    path_bp: float
    return_correlation: float
    action_r2: float
    policy: str = field(default="")

    @property
    def advantage(self) -> float:
        """What the policy saves against the stand-in, as a part of the stand-in's total cost; below 0 it loses."""
        return (self.surrogate_bp - self.policy_bp) / self.surrogate_bp if self.surrogate_bp > 0 else math.nan

    @property
    def sentence(self) -> str:
        """The comparison for a reader without a glossary."""
        better = "less" if self.advantage >= 0 else "more"
        return (
            f"{self.surrogate} for {self.policy}: {self.surrogate_bp:.2f} against {self.policy_bp:.2f} bp a year; "
            f"the policy costs {abs(self.advantage):.1%} {better}."
        )


def one_number(
    universe: Universe,
    signals: Signals,
    *,
    first: int,
    last: int,
    costs: Costs = _PLAIN,
    risk_aversion: float = 5.0,
    families: Sequence[str] = ONE_NUMBER,
) -> Policy:
    """The rule of one tuned number that does best on the training sessions: the stand-in of the kill criterion.

    It sees what the policy's training saw and nothing later; the policy has to beat it by more than 1 % afterwards.
    """
    made = [
        tune_universe(
            universe, signals, family, first=first, last=last, costs=costs, risk_aversion=risk_aversion, offsets=(0,)
        )
        for family in families
    ]
    return min(made, key=lambda tuning: tuning.cost_bp).policy


def fidelity(
    universe: Universe,
    signals: Signals,
    policy: Policy,
    surrogate: Policy,
    *,
    first: int | None = None,
    last: int | None = None,
    offset: int = 0,
    path: int = 0,
    costs: Costs = _PLAIN,
    risk_aversion: float = 5.0,
) -> Fidelity:
    """Run policy and stand-in through the engine over the same sessions and hold them against each other.

    Raises `ParameterError` where both have one name, and as `backtest.simulate` does.
    """
    recorder = Recorder(policy)
    both = []
    for one in (recorder, surrogate):
        runs = Runs.product([one], [min(offset, one.every - 1)], paths=[path])
        both.append(
            simulate(
                universe,
                signals,
                runs,
                costs=costs,
                risk_aversion=risk_aversion,
                keep_returns=True,
                first=first,
                last=last,
            )
        )
    mine, other = (np.asarray(results.returns)[0] for results in both)
    total = [float(results.statistics["total_bp"].iloc[0]) for results in both]
    return Fidelity(
        surrogate=surrogate.name,
        first=str(both[0].days[0].date()),
        last=str(both[0].days[-1].date()),
        policy_bp=total[0],
        surrogate_bp=total[1],
        path_bp=1e4 * float((mine - other).std(ddof=1)) * math.sqrt(252),
        return_correlation=float(np.corrcoef(mine, other)[0, 1]),
        action_r2=_action_r2(recorder, surrogate),
        policy=policy.name,
    )


def by_window(
    universe: Universe,
    signals: Signals,
    policies: Sequence[Policy],
    windows: Sequence[Window],
    *,
    offsets: Sequence[int] = (0, 7, 14),
    costs: Costs = _PLAIN,
    risk_aversion: float = 5.0,
) -> tuple[Fidelity, ...]:
    """Line, tree and rule of one number of each window: fitted on its training sessions, judged on its test sessions.

    `policies` has the policy of each window, as it was trained for it. More `offsets` give more looks to fit on. Raises
    `ParameterError` where the counts differ, and as `looks` and `fidelity` do.
    """
    if len(policies) != len(windows):
        raise ParameterError(f"{len(policies)} policies for {len(windows)} windows; give one a window", "policies")
    found = []
    for policy, window in zip(policies, windows):
        (first, end), (test, test_end) = window.train, window.test
        terms: dict[str, Any] = {"costs": costs, "risk_aversion": risk_aversion}
        seen = looks(universe, signals, policy, offsets=offsets, first=first, last=end - 1, **terms)
        rule = one_number(universe, signals, first=first, last=end - 1, **terms)
        for stand_in in (fit_linear(seen, policy), fit_tree(seen, policy), rule):
            found.append(fidelity(universe, signals, policy, stand_in, first=test, last=test_end - 1, **terms))
    return tuple(found)


def to_frame(found: Sequence[Fidelity]) -> pd.DataFrame:
    """A row a stand-in and window: costs, advantage, deviation of returns, correlation, share of actions explained."""
    return pd.DataFrame([{**vars(one), "advantage": one.advantage} for one in found])


def _action_r2(recorder: Recorder, surrogate: Policy) -> float:
    trades = np.array(recorder.trades)
    guessed = []
    for seen in recorder.seen:
        wanted = surrogate.decide(seen)
        guessed.append(np.zeros_like(seen.weight) if wanted is None else wanted - seen.weight)
    spread = float(((trades - trades.mean(axis=0)) ** 2).sum())
    return 1.0 - float(((trades - np.array(guessed)) ** 2).sum()) / spread if spread > 0 else math.nan
