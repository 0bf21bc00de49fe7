"""Who claims to beat the rules, and its test sessions window by window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import pandas as pd

from workbench.backtest.evidence.track import Setting, Track, records, stitch
from workbench.backtest.evidence.windows import YEAR, Fit, Window, check_windows, fit_all
from workbench.backtest.policy import Policy
from workbench.backtest.universe import Costs, Signals, Universe
from workbench.errors import ParameterError

#: Sessions a fitted policy holds its own portfolio before its test, so that none is charged or spared a fresh start.
BURN_IN = YEAR


@dataclass(frozen=True, eq=False)
class Candidate:
    """Who claims to beat the rules: a fixed policy, a `Fit` that makes one for each window from training data, or what
    `walk_forward` found for one, so that it is not trained again.

    - `seeds`: the same trained from each seed alone (the candidate itself is the ensemble, never the best seed).
    - `deterministic`: nothing in its making is random, so that there are no seeds to compare.
    - `surrogate`: a rule of one parameter to put in its place, fixed or fitted; `portfolios` it is to serve.
    - `trained_until`: a fixed policy's last training day; windows whose test begins within 21 sessions are not used.
    """

    name: str
    policy: Policy | Fit | Track
    seeds: Mapping[int, Policy | Fit | Track] = field(default_factory=dict)
    deterministic: bool = False
    surrogate: Policy | Fit | Track | None = None
    portfolios: int | None = None
    trained_until: pd.Timestamp | None = None


def walk_forward(
    universe: Universe,
    signals: Signals,
    fit: Fit,
    test_windows: Sequence[Window],
    *,
    name: str,
    costs: Costs | None = None,
    risk_aversion: float = 5.0,
    offsets: Sequence[int] | Literal["all"] = "all",
    cost_multiples: Sequence[float] = (0.5, 1.0, 2.0),
    delays: Sequence[int] = (1, 2),
) -> Track:
    """Fit a policy for each window from its training data only, and stitch its test sessions together.

    Each policy holds its own portfolio for a year before its test. Raises as `pack`.
    """
    setting = make_setting(universe, signals, costs, risk_aversion, offsets, cost_multiples, delays)
    check_windows(test_windows, len(universe.sessions))
    return tested(name, setting, fit, test_windows)


def make_setting(
    universe: Universe,
    signals: Signals,
    costs: Costs | None,
    risk_aversion: float,
    offsets: Sequence[int] | Literal["all"],
    cost_multiples: Sequence[float],
    delays: Sequence[int],
) -> Setting:
    """A `Setting` from what callers write."""
    starts = offsets if isinstance(offsets, str) else tuple(int(offset) for offset in offsets)
    return Setting(universe, signals, costs or Costs(), risk_aversion, tuple(cost_multiples), tuple(delays), starts)


def tested(name: str, setting: Setting, policy: Policy | Fit | Track, found: Sequence[Window]) -> Track:
    """The test sessions of a fixed policy run through, or of one policy a window, each after a burn-in."""
    span = found[0].test[0], found[-1].test[1]
    least = setting.signals.first
    if isinstance(policy, Track):
        return _checked(name, setting, policy, found)
    if isinstance(policy, Policy):
        (record,) = records(setting, [policy], least, span[1], span)
        by_window = [record] * len(found)
    else:
        made = fit_all(setting.universe, setting.signals, policy, tuple(found))
        by_window = [
            records(setting, [each], max(window.test[0] - 1 - BURN_IN, least), window.test[1], window.test)[0]
            for each, window in zip(made, found, strict=True)
        ]
    return stitch(name, setting, by_window, found)


def _checked(name: str, setting: Setting, track: Track, found: Sequence[Window]) -> Track:
    """A track made before, where it covers the same windows at the costs and delays asked for."""
    missing = [pair for pair in setting.combinations if pair not in track.combinations]
    if track.windows != tuple(found) or missing:
        raise ParameterError(f"{name} was walked forward over other windows, costs or delays: do it again.", "policy")
    if track.basis != setting.basis:
        raise ParameterError(
            f"{name} was walked forward on other data or signals, or with other costs, risk aversion or start offsets: "
            "do it again.",
            "policy",
        )
    rows = [track.combinations.index(pair) for pair in setting.combinations]
    return replace(
        track,
        name=name,
        combinations=setting.combinations,
        net=track.net[rows],
        excess=track.excess[rows],
        total=track.total[rows],
        runs=track.runs.assign(policy=name),
    )
