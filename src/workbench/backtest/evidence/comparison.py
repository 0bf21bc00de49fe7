"""The whole evidence of one comparison: rules chosen on training data against candidates, on the same test sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from workbench.backtest.evidence.candidate import Candidate, make_setting, tested
from workbench.backtest.evidence.case import MONTH, Judge, monthly, ratio, timing_luck
from workbench.backtest.evidence.ledger import Trial, TrialLedger
from workbench.backtest.evidence.overfitting import overfitting
from workbench.backtest.evidence.result import (
    MEASURES,
    Control,
    Evidence,
    Overfitting,
    Superiority,
)
from workbench.backtest.evidence.superiority import superiority
from workbench.backtest.evidence.track import Record, Setting, Track, gain, records, stitch, worth
from workbench.backtest.evidence.windows import Window, check_windows, windows
from workbench.backtest.policy import Policy
from workbench.backtest.universe import Costs, Signals, Universe
from workbench.errors import MarketDataError, ParameterError


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
    off leaves SPA and StepM out, which take long and are no criterion. A policy in plain Python is walked once for each
    start, cost and delay: give few `offsets`. Same arguments, same bits.

    Raises `ParameterError` for an unknown measure, no rules, names given twice, or a candidate trained on every window;
    `MarketDataError` for too few sessions; `PolicyError` for policies that cannot be run.
    """
    _check(rules, candidates, measure)
    setting = make_setting(universe, signals, costs, risk_aversion, offsets, cost_multiples, delays)
    found = tuple(test_windows) if test_windows is not None else windows(universe.sessions, first=signals.first + 1)
    check_windows(found, len(universe.sessions))
    found = _unseen(found, universe, candidates)
    span = found[0].test[0], found[-1].test[1]
    by_rule = records(setting, rules, signals.first, span[1], span)
    chosen = [_best(measure, setting, by_rule, window) for window in found]
    opponent = stitch("best rule chosen beforehand", setting, [by_rule[i] for i in chosen], found)
    tracks = [stitch(record.policy.name, setting, [record] * len(found), found) for record in by_rule]
    players = [tested(c.name, setting, c.policy, found) for c in candidates]
    seeds = [{s: tested(c.name, setting.only_base(), p, found) for s, p in c.seeds.items()} for c in candidates]
    trials, head, variance = _counted(universe, measure, tracks, players, seeds, opponent, span, ledger)
    judge = Judge(setting, measure, found, opponent, seed, replications, trials, variance)
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
        for made in (candidate.policy, *candidate.seeds.values()):
            if not (isinstance(made, Policy | Track) or callable(made)):
                raise ParameterError(f"{candidate.name}: {made!r} is no policy, fit or track", "candidates")
        if candidate.seeds and candidate.deterministic:
            raise ParameterError(f"{candidate.name} cannot be deterministic and have seeds", "seeds")


def _unseen(found: tuple[Window, ...], universe: Universe, candidates: Sequence[Candidate]) -> tuple[Window, ...]:
    """The windows whose test comes an embargo after every candidate's training; the same for all of them."""
    until = [candidate.trained_until for candidate in candidates if candidate.trained_until is not None]
    if any(day is pd.NaT for day in until):
        raise ParameterError("a candidate's trained_until is no date; give its last training day", "trained_until")
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
    if np.isnan(values).all():
        raise MarketDataError("no rule has a Sharpe ratio on its training years: nothing moves there. Check the data.")
    return int(np.nanargmax(values))


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
        months = monthly(gain(measure, track, opponent, track.base, opponent.base))
        trials.append(Trial(track.name, universe.name, window, made_from, measure, ratio(months)))
    if ledger is None:
        known = [trial.sharpe for trial in trials if trial.sharpe is not None]
        return len(trials), "", float(np.var(known, ddof=1)) if len(known) > 1 else None
    head = ledger.record(trials)
    return ledger.count(), head, ledger.sharpe_variance(universe=universe.name, window=window, measure=measure)


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
