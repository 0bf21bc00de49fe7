"""The shipped set: trained members joined, judged on data they never saw, and written as policy folders with cards."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from workbench.backtest import (
    LearnedQuadratic,
    Policy,
    Quadratic,
    Universe,
    evidence,
    fixed_target,
    learned,
    signals,
    tuning,
)
from workbench.backtest.evidence import Window, windows
from workbench.learning import registry
from workbench.learning.card import Card, Check, Data, Familiar, Feature
from workbench.learning.card import Window as Year
from workbench.learning.familiarity import familiar
from workbench.learning.judged import data_of, judged
from workbench.learning.universes import EMBEDDED, embedded
from workbench.learning.walk_forward import HORIZONS, Setting, WalkForward, choose, walk_forward

FEATURES = (
    Feature("volatility_ratio", "market", 1, "volatility of the target portfolio, last month over last year"),
    Feature("volatility_ratio", "asset", 1, "the same of each asset"),
)
MAKER = "The project, by its training command"
COMMAND = "python -m workbench.learning.train"
#: How the policy for any problem is put to work: horizon and strength tuned on training years, strength 0 among them,
#: which is the rule. Chosen on worlds drawn from the years before any test year (docs/learned_policies.md).
DEPLOYED = Setting(strengths=(0.0, 0.25, 0.5, 0.75, 1.0), gated=False)
#: Seed of the intervals on cards, and the universe whose windows are enough for a verdict.
SEED, JUDGED_ON = 0, "sectors"


def shipped(name: str) -> registry.RegisteredPolicy:
    """A policy of the shipped set by name. Raises `PolicyError` where its folder was changed."""
    return registry.load(Path(__file__).parent / "shipped" / name)


def learned_of(policy: registry.RegisteredPolicy) -> LearnedQuadratic:
    """The learned policy of a folder as its own class, so that its horizon can be tuned again."""
    numbers = policy.learned.stored.numbers
    members, hidden = int(numbers[1]), int(numbers[2])
    size = learned.member_size(hidden, learned.OUTPUTS)
    parts = tuple(numbers[3 + size * e : 3 + size * (e + 1)] for e in range(members))
    return LearnedQuadratic(numbers[0], parts, hidden, policy.learned.stored.every, policy.name)


def real_cut(universe: Universe) -> tuple[Window, ...]:
    """The standard windows; four years of training where a history is too short for eight."""
    if len(universe.sessions) > 252 * 11:
        return windows(universe.sessions, first=252)
    return windows(universe.sessions, 4, 1, first=252, longest_train_years=5)


def real_windows(universe: Universe, policy: LearnedQuadratic, setting: Setting = DEPLOYED) -> WalkForward:
    """Walk-forward of a policy as it is put to work, with the windows of `real_cut`."""
    return walk_forward(universe, policy, real_cut(universe), setting)


def singles(policy: LearnedQuadratic) -> tuple[LearnedQuadratic, ...]:
    """Each seed of an ensemble as a policy of its own: never shipped, only compared."""
    return tuple(LearnedQuadratic(policy.horizon, (member,), policy.hidden) for member in policy.members)


def real_evidence(universe: Universe, policy: LearnedQuadratic, seeds: Sequence[int]) -> evidence.Evidence:
    """The evidence for a policy against the one-step rule, every horizon of it, tuned on each window's training years.

    The surrogate of one parameter is that rule, its horizon fitted anew. Nothing random is left in the making of the
    windows' policies but the seeds of their networks.
    """

    def fit(one: LearnedQuadratic) -> evidence.Fit:
        return lambda training: choose(training, one, DEPLOYED).acting

    by_seed = {seed: fit(one) for seed, one in zip(seeds, singles(policy), strict=True)}
    candidate = evidence.Candidate(
        policy.name, fit(policy), by_seed, surrogate=lambda training: choose(training, policy, DEPLOYED).rule
    )
    rules = [Quadratic(horizon) for horizon in HORIZONS]
    known = signals(universe)
    return evidence.pack(universe, known, rules, [candidate], seed=SEED, test_windows=real_cut(universe), search=False)


@cache
def tuned_rule(problem: str) -> Policy:
    """The one-step rule at the horizon that is best on a reference problem; tuning sees paths of its own."""
    return tuning.tune_problem(problem, "quadratic", paths=600).policy


def reference_excess(policy: LearnedQuadratic, problem: str, paths: int = 1000) -> fixed_target.Excess:
    """Cost over the tuned one-step rule, on common paths that neither was made from."""
    rule = fixed_target.evaluate(problem, tuned_rule(problem), paths)
    return fixed_target.evaluate(problem, policy, paths).over(rule)


def interquartile_mean(values: Sequence[float]) -> float:
    """The mean of the middle half of the seeds, linear at its edges (Agarwal et al. 2021)."""
    ordered = np.sort(np.asarray(values, float))
    edges = np.linspace(0.0, 1.0, len(ordered) + 1)
    share = np.clip(np.minimum(edges[1:], 0.75) - np.maximum(edges[:-1], 0.25), 0.0, None)
    return float(ordered @ share / share.sum())


def write(
    policy: LearnedQuadratic,
    folder: Path,
    seeds: Sequence[int],
    problems: Sequence[str],
    made_on: date,
    trials: int,
    maker: str = MAKER,
) -> str:
    """Judge an ensemble and write it with its card; returns the content hash.

    `problems` are the reference problems it is held against the tuned rule on; a policy made for none of them in
    particular is also walked forward on the embedded universes. The verdict is the one its evidence gives by the house
    rule; a policy without evidence on real prices has earned none and says "do not deploy". `trials` are those made
    before: trainings, pilots and settings; the rules and the candidate of the evidence are added.
    """
    general = len(problems) > 1
    tests = [_reference_check(policy, problem) for problem in problems]
    walked = {name: real_windows(embedded(name), policy) for name in EMBEDDED} if general else {}
    found = real_evidence(embedded(JUDGED_ON), policy, seeds) if general else None
    tests += [_real_check(result, _real_seeds(policy, result, found)) for result in walked.values()]
    rows = tuple(row for name, result in walked.items() for row in _rows(embedded(name), result))
    card = Card(
        name=policy.name,
        purpose="Keeps a portfolio near its target at the least sum of trading cost and tracking loss. It forecasts "
        "nothing: it only judges which trades are worth their cost."
        + ("" if general else f" Made for the reference problem {problems[0]} alone, to measure the method."),
        maker=maker,
        made_on=made_on.isoformat(),
        expires=made_on.replace(year=made_on.year + 2).isoformat(),
        data=(_made_up(policy, made_on), *(data_of(embedded(name), "to judge") for name in walked)),
        features=FEATURES,
        costs="Proportional: 1 to 120 bp an asset in training. Tests: 10 to 50 bp."
        if general
        else "20 bp, proportional.",
        seeds=tuple(seeds),
        trials=trials,
        windows=rows,
        tests=tuple(tests),
        controls=(),
        verdict="do not deploy",
        known_failures=(
            "Trained on proportional costs: it does not know of tickets, impact or taxes.",
            "Trained for looks a month apart; at another rhythm tune the horizon again.",
            "On one history the horizon that suits best differs from the one on made-up prices; tune it on past years.",
        ),
        fallback=registry.fallback_of(Quadratic(0.85)),
        command=f"{COMMAND} FOLDER {folder.name}",
        familiar=_familiar() if general else Familiar(),
        notes=("No real price was used in training; real universes served to judge.",),
    )
    if found is not None:
        card = judged(card, found, embedded(JUDGED_ON))
        note = _years_note(walked[JUDGED_ON])
        card = replace(card, windows=rows, trials=trials + found.trials - len(seeds), notes=(*card.notes, note))
    size = learned.member_size(policy.hidden, learned.OUTPUTS)
    return registry.save(
        folder,
        policy,
        card,
        market=("volatility_ratio",),
        asset=("volatility_ratio",),
        positions=0 if general else fixed_target.PROBLEMS[problems[0]].assets,
        members=len(policy.members),
        layout=(("header", (3,)), ("members", (len(policy.members), size))),
    )


def _reference_check(policy: LearnedQuadratic, problem: str) -> Check:
    """Cost over the tuned rule on a reference problem, with its interval and what single seeds reach."""
    excess = reference_excess(policy, problem)
    return Check(
        f"cost over the tuned rule, {problem}",
        float(100 * excess.ratio),
        0.0,
        bool(excess.interval[1] < 0),
        f"On {problem} it costs {100 * excess.ratio:+.1f} % against the tuned quadratic rule (95 % interval "
        f"{100 * excess.interval[0]:+.1f} to {100 * excess.interval[1]:+.1f} %); "
        + _spread([100 * reference_excess(one, problem, 250).ratio for one in singles(policy)]),
    )


def _real_seeds(policy: LearnedQuadratic, result: WalkForward, found: evidence.Evidence | None) -> list[float]:
    """Cost of each seed alone over the tuned rule in percent; out of the evidence where that has them."""
    if found is not None and found.universe == result.universe:
        seeds = found.case(policy.name).seeds
        assert seeds is not None
        return [-100 * saved / result.rule_bp for saved in seeds.gains]
    return [100 * real_windows(embedded(result.universe), one).excess for one in singles(policy)]


def _real_check(result: WalkForward, seeds: Sequence[float]) -> Check:
    """Cost over the tuned rule on a real universe; passed where its interval is below zero, not where the mean is."""
    saved = result.interval(SEED)
    return Check(
        f"cost over the tuned rule, {result.universe}",
        float(100 * result.excess),
        0.0,
        bool(saved.low > 0),
        f"Walk-forward on {result.universe}, {len(result.table)} test years, it costs {result.learned_bp:.2f} bp a "
        f"year, the tuned rule {result.rule_bp:.2f} bp (95 % interval of the difference {-saved.high:+.2f} to "
        f"{-saved.low:+.2f} bp); " + _spread(seeds),
    )


def _years_note(result: WalkForward) -> str:
    """Years cheaper and dearer with the same start for both, unlike the evidence's rule, which is run through."""
    apart = result.table.learned_bp - result.table.rule_bp
    return (
        f"On {result.universe}, rule and policy started on the same day: {int((apart < 0).sum())} years cheaper, "
        f"{int((apart > 0).sum())} dearer, in {int((apart == 0).sum())} training chose the rule itself. The evidence "
        "runs the rule through, which tells apart years in which both are the same rule; the table above does not."
    )


def _spread(percent: Sequence[float]) -> str:
    """What single seeds reach, in words."""
    return (
        f"{len(percent)} single seeds: interquartile mean {interquartile_mean(percent):+.1f} %, "
        f"from {min(percent):+.1f} to {max(percent):+.1f} %."
    )


def _familiar() -> Familiar:
    universe = embedded("sectors")
    known = signals(universe)
    names = ("volatility_ratio",)
    return familiar(known, known.first, len(universe.sessions), market=names, asset=names)


def _rows(universe: Universe, result: WalkForward) -> tuple[Year, ...]:
    return tuple(
        Year(
            universe.name,
            str(row.test_start.date()),
            str(row.test_end.date()),
            round(row.learned_bp, 4),
            f"quadratic, {row.rule_horizon:g} y",
            round(row.rule_bp, 4),
        )
        for row in result.table.itertuples()
    )


def _made_up(policy: LearnedQuadratic, made_on: date) -> Data:
    day = made_on.isoformat()
    numbers = np.array(policy.rule().numbers).tobytes()
    return Data(
        "made-up problems",
        "drawn from seeds by workbench.learning.brownian: no market's prices (the hash is that of the numbers trained)",
        day,
        day,
        0,
        "nothing survives or dies in made-up prices",
        hashlib.sha256(numbers).hexdigest(),
    )
