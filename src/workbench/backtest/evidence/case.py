"""The case of one candidate: every figure on the difference between it and the best rule chosen beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.backtest.evidence.bootstrap import mean_interval, sharpe_difference, stationary_interval
from workbench.backtest.evidence.candidate import Candidate, tested
from workbench.backtest.evidence.regimes import by_regime, kinds
from workbench.backtest.evidence.result import (
    Case,
    DeflatedSharpe,
    Interval,
    Seeds,
    Stress,
    Surrogate,
    TimingLuck,
)
from workbench.backtest.evidence.sharpe import deflate
from workbench.backtest.evidence.track import Setting, Track, gain, worth
from workbench.backtest.evidence.windows import Window
from workbench.backtest.runs import distinct_offsets
from workbench.backtest.universe import Floats

#: Sessions summed to one observation of the deflated Sharpe ratio: days that hang together must not count as many.
MONTH = 21


@dataclass(frozen=True, eq=False)
class Judge:
    """What every case is measured against, and how."""

    setting: Setting
    measure: str
    found: tuple[Window, ...]
    opponent: Track
    seed: int
    replications: int
    trials: int
    variance: float | None

    def case(self, candidate: Candidate, player: Track, seeds: Mapping[int, Track]) -> Case:
        """Everything on one candidate."""
        row = player.base
        daily = gain(self.measure, player, self.opponent, row)
        sharpe = self._interval("sharpe", player)
        cost = self._interval("total_bp", player)
        second = stationary_interval(daily, seed=self.seed, replications=min(self.replications, 1_000))
        frame = self._windows(player)
        span = self.found[0].test[0], self.found[-1].test[1]
        return Case(
            candidate=candidate.name,
            worth=float(worth(self.measure, player.excess[row], player.total[row])),
            opponent_worth=float(worth(self.measure, self.opponent.excess[row], self.opponent.total[row])),
            gain=sharpe if self.measure == "sharpe" else cost,
            second=second,
            sharpe=sharpe,
            cost=cost,
            deflated=self._deflated(daily),
            windows=frame,
            wins=float(frame["won"].mean()),
            luck=timing_luck(self.measure, player),
            opponent_luck=timing_luck(self.measure, self.opponent),
            stresses=tuple(self._stresses(player)),
            regimes=by_regime(daily, kinds(self.setting.universe, *span)),
            seeds=self._seeds(candidate, seeds, float(daily.mean())),
            surrogate=self._surrogate(candidate, player),
            portfolios=candidate.portfolios,
        )

    def _interval(self, measure: str, player: Track) -> Interval:
        row = player.base
        if measure == "sharpe":
            first, second = player.excess[row], self.opponent.excess[row]
            return sharpe_difference(first, second, seed=self.seed, replications=self.replications)
        return mean_interval(gain(measure, player, self.opponent, row), seed=self.seed, replications=self.replications)

    def _deflated(self, daily: Floats) -> DeflatedSharpe | None:
        """Of monthly gains; trials cannot be closer to each other than chance alone would have them."""
        months = monthly(daily)
        if len(months) < 3 or np.ptp(months) == 0:
            return None
        return deflate(months, self.trials, max(self.variance or 0.0, 1.0 / (len(months) - 1)))

    def _windows(self, player: Track) -> pd.DataFrame:
        rows, start = [], 0
        sessions, row = self.setting.universe.sessions, player.base
        for i, window in enumerate(self.found):
            days = slice(start, start + window.test[1] - window.test[0])
            start = days.stop
            mine = float(worth(self.measure, player.excess[row, days], player.total[row, days]))
            theirs = float(worth(self.measure, self.opponent.excess[row, days], self.opponent.total[row, days]))
            rows.append(
                {
                    "first": sessions[window.test[0]],
                    "last": sessions[window.test[1] - 1],
                    "policy": player.policies[i].name,
                    "opponent": self.opponent.policies[i].name,
                    "worth": mine,
                    "opponent_worth": theirs,
                    "gain": mine - theirs,
                    "won": mine > theirs,
                }
            )
        return pd.DataFrame(rows)

    def _stresses(self, player: Track) -> list[Stress]:
        return [
            Stress(multiple, delay, float(gain(self.measure, player, self.opponent, row).mean()))
            for row, (multiple, delay) in enumerate(player.combinations)
        ]

    def _seeds(self, candidate: Candidate, seeds: Mapping[int, Track], own: float) -> Seeds | None:
        if candidate.deterministic:
            return Seeds((own,), float(own > 0), own, own, own, deterministic=True)
        if not seeds:
            return None
        values = np.array(
            [
                gain(self.measure, track, self.opponent, track.base, self.opponent.base).mean()
                for track in seeds.values()
            ]
        )
        low, high = np.quantile(values, [0.25, 0.75])
        return Seeds(
            tuple(float(value) for value in values),
            float((values > 0).mean()),
            interquartile_mean(values),
            float(low),
            float(high),
        )

    def _surrogate(self, candidate: Candidate, player: Track) -> Surrogate | None:
        if candidate.surrogate is None:
            return None
        track = tested("surrogate", self.setting.only_base(), candidate.surrogate, self.found)
        theirs = float(worth(self.measure, track.excess[track.base], track.total[track.base]))
        mine = float(worth(self.measure, player.excess[player.base], player.total[player.base]))
        names = dict.fromkeys(policy.name for policy in track.policies)
        name = next(iter(names)) if len(names) == 1 else "the refitted rule"
        return Surrogate(name, theirs, (mine - theirs) / abs(theirs) if theirs else float("nan"))


def interquartile_mean(values: Floats) -> float:
    """Mean of the middle half, the outermost of it counted in part (Agarwal et al. 2021)."""
    ordered = np.sort(np.asarray(values, float))
    count = len(ordered)
    edges = np.clip(np.arange(count + 1) / count, 0.25, 0.75)
    return float(np.diff(edges) @ ordered / 0.5)


def timing_luck(measure: str, track: Track) -> TimingLuck:
    """Worth over the start days of one policy, or of the opponent whose rules move by the same part of their cycle."""
    values = worth(measure, track.excess_of, track.total_of)
    deviation = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    tranche = float(worth(measure, track.excess[track.base], track.total[track.base]))
    starts = max(distinct_offsets(policy) for policy in track.policies)
    return TimingLuck(track.name, len(values), float(values.min()), float(values.max()), deviation, tranche, starts)


def monthly(daily: Floats) -> Floats:
    """Means of 21 sessions each; the oldest odd days are left out."""
    count = len(daily) // MONTH
    return np.asarray(daily[len(daily) - count * MONTH :].reshape(count, MONTH).mean(axis=1))


def ratio(values: Floats) -> float | None:
    """The Sharpe ratio of one period; None where nothing changes."""
    return float(values.mean() / values.std(ddof=1)) if len(values) > 2 and np.ptp(values) > 0 else None
