"""The shipped set: trained members joined, judged on data they never saw, and written as policy folders with cards."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np

from workbench.backtest import LearnedQuadratic, Policy, Quadratic, Universe, fixed_target, learned, signals, tuning
from workbench.backtest.evidence import windows
from workbench.learning import registry
from workbench.learning.card import Card, Check, Data, Familiar, Feature, Window
from workbench.learning.familiarity import familiar
from workbench.learning.judged import data_of
from workbench.learning.universes import EMBEDDED, embedded
from workbench.learning.walk_forward import WalkForward, walk_forward

FEATURES = (
    Feature("volatility_ratio", "market", 1, "volatility of the target portfolio, last month over last year"),
    Feature("volatility_ratio", "asset", 1, "the same of each asset"),
)
MAKER = "The project, by its training command"
COMMAND = "python -m workbench.learning.train"


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


def real_windows(universe: Universe, policy: LearnedQuadratic) -> WalkForward:
    """Walk-forward with the standard windows; four years of training where a history is too short for eight."""
    long = len(universe.sessions) > 252 * 11
    cut = (
        windows(universe.sessions, first=252)
        if long
        else windows(universe.sessions, 4, 1, first=252, longest_train_years=5)
    )
    return walk_forward(universe, policy, cut)


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
    particular is also walked forward on the embedded universes. Its verdict is `shadow` at best: whether it may be
    deployed is for a firm's own evidence to say.
    """
    general = len(problems) > 1
    singles = [LearnedQuadratic(policy.horizon, (member,), policy.hidden) for member in policy.members]
    tests = []
    for problem in problems:
        excess = reference_excess(policy, problem)
        each = [100 * reference_excess(single, problem, 250).ratio for single in singles]
        tests.append(
            Check(
                f"cost over the tuned rule, {problem}",
                100 * excess.ratio,
                0.0,
                excess.interval[1] < 0,
                f"On {problem} it costs {100 * excess.ratio:+.1f} % against the tuned quadratic rule (95 % interval "
                f"{100 * excess.interval[0]:+.1f} to {100 * excess.interval[1]:+.1f} %); single seeds: interquartile "
                f"mean {interquartile_mean(each):+.1f} %, from {min(each):+.1f} to {max(each):+.1f} %.",
            )
        )
    judged = [(embedded(name), real_windows(embedded(name), policy)) for name in EMBEDDED] if general else []
    rows = tuple(row for universe, result in judged for row in _rows(universe, result))
    for _, result in judged:
        tests.append(
            Check(
                f"cost over the tuned rule, {result.universe}",
                100 * result.excess,
                0.0,
                result.excess <= 0,
                f"Walk-forward on {result.universe} it costs {result.learned_bp:.2f} bp a year, the tuned rule "
                f"{result.rule_bp:.2f} bp.",
            )
        )
    card = Card(
        name=policy.name,
        purpose="Keeps a portfolio near its target at the least sum of trading cost and tracking loss. It forecasts "
        "nothing: it only judges which trades are worth their cost."
        + ("" if general else f" Made for the reference problem {problems[0]} alone, to measure the method."),
        maker=maker,
        made_on=made_on.isoformat(),
        expires=made_on.replace(year=made_on.year + 2).isoformat(),
        data=(_made_up(policy, made_on), *(data_of(universe, "to judge, not to train") for universe, _ in judged)),
        features=FEATURES,
        costs="Proportional: 1 to 120 bp an asset in training. Tests: 10 to 50 bp."
        if general
        else "20 bp, proportional.",
        seeds=tuple(seeds),
        trials=trials,
        windows=rows,
        tests=tuple(tests),
        controls=(),
        verdict="shadow",
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


def _familiar() -> Familiar:
    universe = embedded("sectors")
    known = signals(universe)
    names = ("volatility_ratio",)
    return familiar(known, known.first, len(universe.sessions), market=names, asset=names)


def _rows(universe: Universe, result: WalkForward) -> tuple[Window, ...]:
    return tuple(
        Window(
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
