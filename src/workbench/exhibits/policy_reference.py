"""How close each policy comes to the best there is: made-up problems where it is known, two real histories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from workbench import backtest
from workbench.backtest import (
    EVERY,
    Band,
    Calendar,
    Floats,
    Policy,
    Quadratic,
    Universe,
    dynamic_programming,
    evidence,
    fixed_target,
)
from workbench.backtest import tuning as tunings
from workbench.backtest.evidence import Evidence
from workbench.errors import MissingToolError, ParameterError, PolicyError
from workbench.exhibits import policy_facts as words
from workbench.exhibits.drift_facts import absent
from workbench.exhibits.origin import Origin
from workbench.exhibits.policy_review import fitting_windows, members
from workbench.learning import ship, universes
from workbench.learning.registry import RegisteredPolicy
from workbench.report import Column, Exhibit, Fact, Missing, Settings, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Cell

_FUNCTION = "backtest.fixed_target.evaluate"
#: Beyond this excess over the optimum a policy is in the table alone: its mark would hide the differences that matter.
_DRAWN = 0.6
#: Points a dimension and nodes of the grid: its optimum differs from that of 81 x 81 by less than 0.01 %.
_GRID = (41, 5)
#: Paths that rules are tuned on, of a seed of their own.
_TUNING_PATHS = 100
#: An interval wider than this, as part of the cost, says only that nothing is known.
_WIDE = 2.0
#: Problems solved for a chapter: all but three assets at 10 bp, which lies between its neighbours.
SOLVED = ("n2_10", "n3_20", "n3_50", "n5_20")
#: The problem that the figure draws.
_DRAWN_PROBLEM = "n3_20"
BEST, TUNED, EDGE = "the best possible", "tuned quadratic", "tuned band to edge"
#: The row of policies that were each trained on one reference problem, shown on that problem.
ALONE = "learned on this problem alone"
#: Rules that committees know; they look once a month at most.
_KNOWN: tuple[Policy, ...] = (
    *(Calendar(EVERY[name]) for name in ("month", "quarter", "year")),
    Band(0.05, every=EVERY["month"]),
)
#: How a learned rule is called whose horizon was chosen on training years, and evidence's name for rules so chosen.
_TUNED_TOO, _OPPONENT = "{}, horizon tuned", "best rule chosen beforehand"
#: Draws and seed of the comparison on real prices.
_REPLICATIONS, _SEED = 999, 11


@dataclass(frozen=True)
class Excess:
    """Cost over the base's as a part of it, and half of its 95 % interval."""

    ratio: float
    reach: float


@dataclass(frozen=True)
class Compared:
    """One problem or history: what the base costs (bp a year), each policy's excess over it, `why` some have none."""

    name: str
    label: str
    base: str
    base_bp: float
    excess: Mapping[str, Excess]
    why: Mapping[str, str] = field(default_factory=dict)


def measure(policies: Sequence[Policy], problems: Sequence[str] = SOLVED, paths: int = 400) -> tuple[Compared, ...]:
    """Policies beside tuned and well-known rules on reference problems, over the optimum where that is known.

    The optimum comes from dynamic programming for two and three assets; with five the tuned quadratic rule is the
    base. All are simulated on the same paths; rules are tuned on other ones. A policy that a problem cannot ask is left
    out there, with the reason.
    """
    return tuple(_on_problem(fixed_target.reference(name), policies, paths) for name in problems)


def _on_problem(problem: fixed_target.Problem, policies: Sequence[Policy], paths: int) -> Compared:
    rules: dict[str, Policy] = {
        TUNED: tunings.tune_problem(problem, "quadratic", paths=_TUNING_PATHS).policy,
        EDGE: tunings.tune_problem(problem, "band to edge", paths=_TUNING_PATHS).policy,
    }
    if problem.assets <= 3:
        rules[BEST] = dynamic_programming.solve(problem, *_GRID)
    rules |= {policy.name: policy for policy in (*_KNOWN, *policies) if not _positions(policy)}
    alone = next((policy for policy in policies if _positions(policy) and _made_for(problem) in policy.name), None)
    rules |= {ALONE: alone} if alone else {}
    costs, why = {}, {}
    for name, policy in rules.items():
        try:
            costs[name] = fixed_target.evaluate(problem, policy, paths)
        except (ParameterError, PolicyError) as error:
            why[name] = str(error)
    base = BEST if BEST in costs else TUNED
    found = {name: cost.over(costs[base]) for name, cost in costs.items() if name != base}
    label = f"{problem.assets} assets, {1e4 * problem.cost:g} bp"
    excess = {name: Excess(each.ratio, 1.96 * each.ratio_error) for name, each in found.items()}
    return Compared(problem.name, label, base, costs[base].mean, excess, why)


def measure_real(policies: Sequence[Policy]) -> tuple[Compared, ...]:
    """The same on the two real histories of skfolio, test year after test year, over the tuned quadratic rule.

    The rule's horizon is the best of each test's training years; a learned one-step rule is shown as it is and with its
    horizon chosen the same way. Without skfolio there is none.
    """
    try:
        known = [universes.embedded(name) for name in universes.EMBEDDED]
    except MissingToolError:
        known = []
    return tuple(_on_history(universe, policies) for universe in known)


def _on_history(universe: Universe, policies: Sequence[Policy]) -> Compared:
    signals = backtest.signals(universe)
    windows = fitting_windows(universe, signals)
    grid = tunings.FAMILIES["quadratic"].grid
    rules = [Quadratic(horizon) for horizon in grid]
    tuned = {rule.name for rule in rules}
    known = {policy.name: policy for policy in (*_KNOWN, *policies)}
    fit = [policy for policy in known.values() if not _positions(policy) and policy.name not in tuned]
    why = dict.fromkeys(tuned, "the tuned rule is one of its kind")

    def against(rules: Sequence[Policy], policies: Sequence[Policy]) -> Evidence:
        return evidence.pack(
            universe, signals, rules,
            [evidence.Candidate(policy.name, policy, deterministic=True) for policy in policies],
            seed=_SEED, test_windows=windows, cost_multiples=(1.0,), delays=(1,), replications=_REPLICATIONS,
            search=False,
        )  # fmt: skip

    found = against(rules, fit)
    base = -found.cases[0].opponent_worth
    excess = {case.candidate: _of_base(case.cost, base) for case in found.cases}
    for policy in fit:
        if learned := retuned(policy, grid):
            other = against(learned, [Quadratic(1.0)])
            gain = _daily(found) - _daily(other)
            interval = evidence.mean_interval(gain, seed=_SEED, replications=_REPLICATIONS)
            excess[_TUNED_TOO.format(policy.name)] = _of_base(interval, base)
    label = f"{universe.name}, {found.first:%Y} to {found.last:%Y}"
    return Compared(universe.name, words.upper(label), TUNED, base, excess, why)


def retuned(policy: Policy, horizons: Sequence[float]) -> list[Policy]:
    """A learned one-step rule at other horizons; none for another policy."""
    if not isinstance(policy, RegisteredPolicy) or not members(policy):
        return []
    plain = ship.learned_of(policy)
    return [replace(plain, horizon=horizon, name=f"{policy.name}, {horizon:g} y") for horizon in horizons]


def _of_base(gain: evidence.Interval, base: float) -> Excess:
    return Excess(-gain.estimate / base, (gain.high - gain.low) / 2 / base)


def _daily(found: Evidence) -> Floats:
    """Daily cost of the rules chosen on training years, in bp a year."""
    return found.daily[_OPPONENT, "total_bp"].to_numpy(float)


def _positions(policy: Policy) -> int:
    """How many positions a policy of the registry was made for; 0 for any number, as for every rule."""
    return policy.spec.positions if isinstance(policy, RegisteredPolicy) else 0


def _made_for(problem: fixed_target.Problem) -> str:
    """What the name of a policy ends with that was trained on one reference problem."""
    return problem.name.replace("_", " ")


def gaps_figure(found: Sequence[Compared], paths: int, origin: Origin) -> Exhibit:
    """Each policy's excess over the optimum of one problem, with its interval."""
    id, title = "policy-gaps", "Against the best there is, where it is known"
    one = next((each for each in found if each.name == _DRAWN_PROBLEM and each.base == BEST), None)
    if one is None or not one.excess:
        return absent(id, title, "No policy was put to a problem whose best is known.")
    order = sorted(one.excess, key=lambda name: one.excess[name].ratio)
    drawn = [name for name in order if one.excess[name].ratio <= _DRAWN] or order[:3]
    facts = {
        name: origin.fact(f"policy.gap.{origin.slug(name)}", one.excess[name].ratio, "percent", _FUNCTION, (one.name,))
        for name in order
    }
    takeaway = (
        f"{words.upper(order[0])} comes nearest, {_over(one.excess[order[0]].ratio)} the least possible cost; "
        f"{order[-1]} costs {_over(one.excess[order[-1]].ratio)} it."
    )
    left = [name for name in order if name not in drawn]
    note = f"Further off than drawn: {words.sentence(left)}." if left else ""
    rows = tuple((words.upper(name), facts[name].ref()) for name in order)
    columns = (Column("policy", "Policy", emphasis=True), Column("excess", "Over the best", "percent", digits=1))
    ratios = np.array([one.excess[name].ratio for name in drawn])
    reach = np.array([one.excess[name].reach for name in drawn])
    body = figures.intervals(
        [words.upper(name) for name in drawn],
        {"Over the best": figures.Interval(ratios.tolist(), (ratios - reach).tolist(), (ratios + reach).tolist())},
        alt=takeaway, unit="percent", digits=1, axis_title="Cost over the least possible",
        data=TableBody(columns, rows, note=note),
    )  # fmt: skip
    basis = f"{one.label} a dollar traded, ten years after two of running in, monthly looks, dynamic programming"
    return Exhibit(id, title, body, takeaway, _settings(basis, paths, origin), tuple(facts.values()))


def costs_table(
    made_up: Sequence[Compared], real: Sequence[Compared], policies: Sequence[Policy], paths: int, origin: Origin
) -> Exhibit:
    """Every policy on every problem and history: its cost over the best possible or, where unknown, the tuned rule."""
    id, title = "policy-problems", "The same question on made-up problems and on real prices"
    found = (*made_up, *real)
    if not found:
        return absent(id, title, "No problem was solved here.")
    mine = [policy.name for policy in policies if not _positions(policy)]
    mine = [name for each in mine for name in (each, _TUNED_TOO.format(each))]
    order = [BEST, ALONE, *mine, TUNED, EDGE, *(rule.name for rule in reversed(_KNOWN))]
    facts: list[Fact] = []
    rows = []
    for name in dict.fromkeys(order):
        cells = [_cell(name, each, origin, facts) for each in found]
        if not all(isinstance(cell, Missing) for cell in cells):
            rows.append((words.upper(name), *cells))
    columns = (
        Column("policy", "Policy", emphasis=True),
        *(Column(each.name.replace("_", "-"), each.label, "number", note=f"over {each.base}") for each in found),
    )
    note = (
        f"In each column the entry in bp a year is what the others are measured against: {BEST} (dynamic programming) "
        f"where it can be computed, otherwise the {TUNED} rule. After the plus-minus sign: half of the 95% interval of "
        "the difference on the same paths, or days."
    )
    basis = "cost and tracking loss a year, rules tuned on other paths, or on the years before each test year"
    return Exhibit(
        id, title, TableBody(columns, tuple(rows), note=note), _said(policies, made_up, real),
        _settings(basis, paths, origin, real), tuple(facts),
    )  # fmt: skip


def _cell(name: str, each: Compared, origin: Origin, facts: list[Fact]) -> Cell:
    key = f"policy.problem.{origin.slug(each.name)}.{origin.slug(name)}"
    if name == each.base:
        facts.append(words.bp(key, each.base_bp, origin, _FUNCTION))
        return facts[-1].ref()
    excess = each.excess.get(name)
    if excess is None:
        return Missing(each.why.get(name, "not known" if name == BEST else "not run here"))
    reach = f"{100 * excess.reach:.1f}" if excess.reach < _WIDE else f"over {100 * _WIDE:.0f}"
    text = f"{fmt.percent(excess.ratio, 1, signed=True)} \N{PLUS-MINUS SIGN} {reach}"
    facts.append(origin.fact(key, excess.ratio, "percent", _FUNCTION, (each.name,), text=text))
    return facts[-1].ref()


def _said(policies: Sequence[Policy], made_up: Sequence[Compared], real: Sequence[Compared]) -> str:
    """What the table says of the first policy that all problems could ask, against the tuned rule."""
    first = next((p.name for p in policies if all(p.name in each.excess for each in made_up)), None)
    if first is None:
        return "One tuned number brings a plain rule near the best possible; a calendar costs a multiple of it."
    cheaper = sum(_ratio(each, first) < _ratio(each, TUNED) for each in made_up)
    sure = [each for each in real if first in each.excess and abs(each.excess[first].ratio) > each.excess[first].reach]
    better = [each for each in sure if each.excess[first].ratio < 0]
    said = f"{words.upper(first)} costs less than the tuned rule in {cheaper} of {len(made_up)} problems"
    if not real:
        return f"{said}."
    return f"{said}; on real prices the difference is beyond chance in {len(sure)} of {len(real)}" + (
        f", {len(better)} in its favour." if sure else "."
    )


def _ratio(each: Compared, name: str) -> float:
    return 0.0 if name == each.base else each.excess[name].ratio


def _settings(basis: str, paths: int, origin: Origin, real: Sequence[Compared] = ()) -> Settings:
    source = f"reference problems, {paths:,} paths of seed {fixed_target.TEST_SEED}"
    if real:
        source += "; skfolio's price sets of sectors and factor funds at a half spread of 10 bp"
    return Settings(origin.as_of, basis, source, "every price of a reference problem")


def _over(excess: float) -> str:
    return f"{100 * excess:.1f}% over" if excess > 0 else f"{-100 * excess:.1f}% under, within the error of,"
