"""The whole evidence of one comparison: rules chosen on training data against candidates, on the same test sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from workbench.backtest.evidence.bootstrap import mean_interval, sharpe_difference, stationary_interval
from workbench.backtest.evidence.ledger import Trial, TrialLedger
from workbench.backtest.evidence.overfitting import overfitting
from workbench.backtest.evidence.regimes import by_regime, kinds
from workbench.backtest.evidence.result import (
    MEASURES,
    Case,
    Control,
    DeflatedSharpe,
    Evidence,
    Interval,
    Overfitting,
    Seeds,
    Stress,
    Superiority,
    Surrogate,
    TimingLuck,
)
from workbench.backtest.evidence.sharpe import deflate
from workbench.backtest.evidence.superiority import superiority
from workbench.backtest.evidence.track import Record, Setting, Track, gain, records, stitch, worth
from workbench.backtest.evidence.windows import YEAR, Fit, Window, fit_all, windows
from workbench.backtest.policy import Policy
from workbench.backtest.universe import Costs, Floats, Signals, Universe
from workbench.errors import MarketDataError, ParameterError

#: Sessions a fitted policy holds its own portfolio before its test, so that none is charged or spared a fresh start.
BURN_IN = YEAR
#: Sessions summed to one observation of the deflated Sharpe ratio: days that hang together must not count as many.
MONTH = 21


@dataclass(frozen=True, eq=False)
class Candidate:
    """Who claims to beat the rules: a fixed policy, or a `Fit` that makes one for each window from training data.

    - `seeds`: the same trained from each seed alone (the candidate itself is the ensemble, never the best seed).
    - `deterministic`: nothing in its making is random, so that there are no seeds to compare.
    - `surrogate`: a rule of one parameter to put in its place, fixed or fitted; `portfolios` it is to serve.
    - `trained_until`: a fixed policy's last training day; windows whose test begins within 21 sessions are not used.
    """

    name: str
    policy: Policy | Fit
    seeds: Mapping[int, Policy | Fit] = field(default_factory=dict)
    deterministic: bool = False
    surrogate: Policy | Fit | None = None
    portfolios: int | None = None
    trained_until: pd.Timestamp | None = None


def pack(
    universe: Universe,
    signals: Signals,
    rules: Sequence[Policy],
    candidates: Sequence[Candidate],
    *,
    seed: int,
    measure: str = "total_bp",
    test_windows: Sequence[Window] | None = None,
    offsets: Sequence[int] | Literal["all"] = "all",
    cost_multiples: Sequence[float] = (0.5, 1.0, 2.0),
    delays: Sequence[int] = (1, 2),
    costs: Costs | None = None,
    risk_aversion: float = 5.0,
    controls: Sequence[Control] = (),
    ledger: TrialLedger | None = None,
    replications: int = 4_999,
    search: bool = True,
) -> Evidence:
    """Compare candidates with the best rule chosen on each window's training data, and test the difference every way.

    `measure` is what the claim is about, said beforehand: "total_bp" (trading cost and tracking loss) or "sharpe".
    Every figure is the mean over start offsets, so that no date decides; the opponent is, window by window, the rule of
    `rules` with the best training years. `test_windows` are those of `windows` with its defaults where None. With
    `ledger` this comparison is recorded in it and all trials in it count; without, only those handed in do. `search`
    off leaves SPA and StepM out, which are most of the time and no criterion. Same arguments, same bits.

    Raises `ParameterError` for an unknown measure, no rules, names given twice, or a candidate trained on every window;
    `MarketDataError` for too few sessions; `PolicyError` for policies that cannot be run.
    """
    _check(rules, candidates, measure)
    setting = Setting(
        universe,
        signals,
        costs or Costs(),
        risk_aversion,
        tuple(cost_multiples),
        tuple(delays),
        offsets if offsets == "all" else tuple(int(offset) for offset in offsets),
    )
    found = tuple(test_windows) if test_windows is not None else windows(universe.sessions, first=signals.first + 1)
    found = _unseen(found, universe, candidates)
    span = found[0].test[0], found[-1].test[1]
    by_rule = records(setting, rules, signals.first, span[1], span)
    chosen = [_best(measure, setting, by_rule, window) for window in found]
    opponent = stitch("best rule chosen beforehand", setting, [by_rule[i] for i in chosen], found)
    tracks = [stitch(record.policy.name, setting, [record] * len(found), found) for record in by_rule]
    players = [_track(c.name, setting, c.policy, found) for c in candidates]
    seeds = [{s: _track(c.name, setting.only_base(), p, found) for s, p in c.seeds.items()} for c in candidates]
    trials, head, variance = _counted(universe, measure, tracks, players, seeds, opponent, span, ledger)
    judge = _Judge(setting, measure, found, opponent, seed, replications, trials, variance)
    cases = tuple(judge.case(c, p, s) for c, p, s in zip(candidates, players, seeds, strict=True))
    return Evidence(
        universe=universe.name,
        source=universe.source,
        survivorship=universe.survivorship,
        measure=measure,
        first=universe.sessions[span[0]],
        last=universe.sessions[span[1] - 1],
        risk_aversion=risk_aversion,
        runs=pd.concat([track.runs for track in (*tracks, *players)], ignore_index=True),
        rules=_rules_frame(measure, tracks, rules, chosen),
        windows=_windows_frame(universe, found, [rules[i].name for i in chosen]),
        daily=_daily_frame(universe, span, opponent, players),
        superiority=_superiority(measure, tracks, players, opponent, seed) if search else None,
        overfitting=_overfitting(measure, tracks, players),
        cases=cases,
        controls=tuple(controls),
        trials=trials,
        ledger=head,
    )


def _check(rules: Sequence[Policy], candidates: Sequence[Candidate], measure: str) -> None:
    if measure not in MEASURES:
        raise ParameterError(f"measure is {measure!r}: one of {', '.join(MEASURES)}", "measure")
    if not rules or not candidates:
        raise ParameterError("at least one rule and one candidate are needed for a comparison", "rules")
    names = [candidate.name for candidate in candidates] + [rule.name for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParameterError(f"two policies are called {twice[0]!r}: name them apart", "candidates")
    for candidate in candidates:
        if candidate.seeds and candidate.deterministic:
            raise ParameterError(f"{candidate.name} cannot be deterministic and have seeds", "seeds")


def _unseen(found: tuple[Window, ...], universe: Universe, candidates: Sequence[Candidate]) -> tuple[Window, ...]:
    """The windows whose test comes an embargo after every candidate's training; the same for all of them."""
    until = [candidate.trained_until for candidate in candidates if candidate.trained_until is not None]
    if not found:
        raise ParameterError("there is no test window", "test_windows")
    if not until:
        return found
    start = int(universe.sessions.searchsorted(max(until), side="right")) + MONTH
    left = tuple(window for window in found if window.test[0] >= start)
    if not left:
        raise ParameterError(
            f"a candidate was trained until {max(until):%Y-%m-%d}, and no test window begins 21 sessions after it: "
            "take data it has not seen, or hand in how it is fitted.",
            "trained_until",
        )
    return left


def _best(measure: str, setting: Setting, by_rule: Sequence[Record], window: Window) -> int:
    """The rule with the best training years; the first of equals."""
    start, stop = window.train
    days = slice(max(start - by_rule[0].begin, 0), stop - by_rule[0].begin)
    values = [
        float(worth(measure, record.excess[setting.base, days], record.total[setting.base, days])) for record in by_rule
    ]
    return int(np.nanargmax(values))


def _track(name: str, setting: Setting, policy: Policy | Fit, found: Sequence[Window]) -> Track:
    """A candidate's test sessions: a fixed policy run through, or one policy a window, each after a burn-in."""
    span = found[0].test[0], found[-1].test[1]
    least = setting.signals.first
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


def _counted(
    universe: Universe,
    measure: str,
    tracks: Sequence[Track],
    players: Sequence[Track],
    seeds: Sequence[Mapping[int, Track]],
    opponent: Track,
    span: tuple[int, int],
    ledger: TrialLedger | None,
) -> tuple[int, str, float | None]:
    """How many trials there were, the ledger's head, and the variance of their Sharpe ratios.

    Rules count as trials, for they were looked at; their ratios do not enter the variance, which is one of claims.
    """
    sessions = universe.sessions
    window = f"{sessions[span[0]]:%Y-%m-%d}/{sessions[span[1] - 1]:%Y-%m-%d}"
    claims: list[tuple[Track, int | None]] = [(player, None) for player in players]
    claims += [(track, made_from) for by_seed in seeds for made_from, track in by_seed.items()]
    trials = [Trial(track.name, universe.name, window, None, measure, None) for track in tracks]
    for track, made_from in claims:
        ratio = _ratio(monthly(gain(measure, track, opponent, track.base, opponent.base)))
        trials.append(Trial(track.name, universe.name, window, made_from, measure, ratio))
    if ledger is None:
        known = [trial.sharpe for trial in trials if trial.sharpe is not None]
        return len(trials), "", float(np.var(known, ddof=1)) if len(known) > 1 else None
    head = ledger.record(trials)
    return ledger.count(), head, ledger.sharpe_variance(universe=universe.name, window=window, measure=measure)


def monthly(daily: Floats) -> Floats:
    """Means of 21 sessions each; the oldest odd days are left out."""
    count = len(daily) // MONTH
    return np.asarray(daily[len(daily) - count * MONTH :].reshape(count, MONTH).mean(axis=1))


def _ratio(values: Floats) -> float | None:
    return float(values.mean() / values.std(ddof=1)) if len(values) > 2 and np.ptp(values) > 0 else None


@dataclass(frozen=True, eq=False)
class _Judge:
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
        track = _track("surrogate", self.setting.only_base(), candidate.surrogate, self.found)
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
    return TimingLuck(track.name, len(values), float(values.min()), float(values.max()), deviation, tranche)


def _superiority(
    measure: str, tracks: Sequence[Track], players: Sequence[Track], opponent: Track, seed: int
) -> Superiority | None:
    everyone = [*tracks, *players]
    gains = np.column_stack([gain(measure, track, opponent, track.base) for track in everyone])
    if not (np.ptp(gains, axis=0) > 0).any():
        return None
    return superiority(gains, [track.name for track in everyone], seed=seed)


def _overfitting(measure: str, tracks: Sequence[Track], players: Sequence[Track]) -> Overfitting | None:
    everyone = [*tracks, *players]
    daily = [track.excess[track.base] if measure == "sharpe" else -track.total[track.base] for track in everyone]
    try:
        return overfitting(np.column_stack(daily), sharpe=measure == "sharpe")
    except MarketDataError:
        return None


def _rules_frame(measure: str, tracks: Sequence[Track], rules: Sequence[Policy], chosen: Sequence[int]) -> pd.DataFrame:
    rows = []
    for i, (track, rule) in enumerate(zip(tracks, rules, strict=True)):
        luck = timing_luck(measure, track)
        rows.append(
            {
                "policy": rule.name,
                "worth": luck.tranche,
                "worst_start": luck.worst,
                "best_start": luck.best,
                "deviation": luck.deviation,
                "starts": luck.offsets,
                "windows_chosen": sum(index == i for index in chosen),
            }
        )
    return pd.DataFrame(rows).set_index("policy")


def _windows_frame(universe: Universe, found: Sequence[Window], names: Sequence[str]) -> pd.DataFrame:
    day = universe.sessions
    return pd.DataFrame(
        {
            "train_first": [day[window.train[0]] for window in found],
            "validation_first": [day[window.validation[0]] for window in found],
            "train_last": [day[window.train[1] - 1] for window in found],
            "test_first": [day[window.test[0]] for window in found],
            "test_last": [day[window.test[1] - 1] for window in found],
            "opponent": list(names),
        }
    )


def _daily_frame(universe: Universe, span: tuple[int, int], opponent: Track, players: Sequence[Track]) -> pd.DataFrame:
    columns = {}
    for track in (opponent, *players):
        columns[track.name, "net_return"] = track.net[track.base]
        columns[track.name, "total_bp"] = track.total[track.base]
    frame = pd.DataFrame(columns, index=universe.sessions[span[0] : span[1]])
    frame.columns.names = ["policy", "figure"]
    return frame
