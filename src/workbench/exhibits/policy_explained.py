"""A learned policy explained on a firm's model: its map, which inputs matter, and how well a simple rule stands in."""

from __future__ import annotations

import numpy as np

from workbench import backtest
from workbench.errors import FirmDataError, MarketDataError, PolicyError
from workbench.exhibits import policy_facts as words
from workbench.exhibits import policy_learned
from workbench.exhibits.drift_facts import absent
from workbench.exhibits.origin import Origin
from workbench.exhibits.policy_review import money_following, most_followed
from workbench.firm import Firm
from workbench.learning import importance as inputs
from workbench.learning import surrogate
from workbench.learning.registry import RegisteredPolicy
from workbench.learning.surrogate import Fidelity
from workbench.report import Column, Exhibit, Fact, Settings, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Cell

#: Part of the sessions on which stand-ins are fitted; they are judged on the rest.
_FITTED = 0.6
#: Shuffles of each input, and the seed of their order.
_SHUFFLES, _SEED = 5, 11
_ID = "policy-explained"


def exhibits(firm: Firm, policy: RegisteredPolicy | None, model: str, origin: Origin) -> list[Exhibit]:
    """The map, what the rule would do, inputs' importance and stand-ins; or why there is none of it."""
    if policy is None:
        return []
    title = f"{words.upper(policy.name)} explained"
    if policy.expired:
        return [
            absent(_ID, title, f"{words.upper(policy.name)} has expired and does not act: there is nothing to explain.")
        ]
    chosen = most_followed(firm, model)
    try:
        universe = backtest.load_universe(firm, chosen)
        signals = backtest.signals(universe)
        policy.check(signals, universe.positions)
    except (FirmDataError, MarketDataError, PolicyError) as error:
        return [absent(_ID, title, f"{words.upper(policy.name)} could not be run on the model {chosen}: {error}")]
    days = f"{universe.sessions[signals.first]:%Y-%m-%d} to {universe.sessions[-1]:%Y-%m-%d}"
    settings = origin.settings(f"{universe.name}, {days}, risk aversion 5, half spreads alone", words.TABLES)
    rule = policy.fallback
    look = policy_learned.last_look(universe, signals, rule)
    wealth = money_following(firm, chosen)
    found = inputs.importance(
        universe, signals, policy, np.random.default_rng(_SEED), shuffles=_SHUFFLES, first=signals.first
    )
    return [
        policy_learned.action_map(policy, signals, look, settings, origin, _ID),
        policy_learned.rule_instead(policy, rule, look, wealth, settings, origin, _ID),
        policy_learned.shares(policy, look, settings, origin, _ID),
        importance_figure(policy.name, found, settings, origin),
        stand_ins(policy.name, fidelities(universe, signals, policy), settings, origin, _ID),
    ]


def fidelities(
    universe: backtest.Universe, signals: backtest.Signals, policy: RegisteredPolicy
) -> tuple[Fidelity, ...]:
    """A line, a tree and a rule of one number, fitted on the first sessions and judged on the later ones."""
    split = signals.first + int(_FITTED * (len(universe.sessions) - signals.first))
    seen = surrogate.looks(universe, signals, policy, offsets=(0, 7, 14), first=signals.first, last=split)
    made = (
        surrogate.one_number(universe, signals, first=signals.first, last=split),
        surrogate.fit_tree(seen, policy),
        surrogate.fit_linear(seen, policy),
    )
    return tuple(surrogate.fidelity(universe, signals, policy, each, first=split) for each in made)


def importance_figure(name: str, found: tuple[inputs.Importance, ...], settings: Settings, origin: Origin) -> Exhibit:
    """What the policy's cost rises by when one input is taken from another day."""
    id, title = "policy-importance", f"Which inputs {name} needs"
    used = [one for one in found if one.rise_bp != 0.0]
    if not used:
        return absent(
            id, title, f"{words.upper(name)} costs the same whatever input is shuffled: it reads none of them here."
        )
    facts = [
        words.bp(f"policy.importance.{origin.slug(one.input)}", one.rise_bp, origin, "learning.importance")
        for one in used
    ]
    columns = (Column("input", "Input", emphasis=True), Column("rise", "Cost rises by", "bp", digits=2))
    rows = tuple((words.upper(one.input.replace("_", " ")), fact.ref()) for one, fact in zip(used, facts))
    first = used[0].input.replace("_", " ")
    takeaway = f"{words.upper(name)} would cost {facts[0].text} a year more with {first} from another day."
    if used[0].rise_bp <= 0.0:
        takeaway = f"No input makes {name} dearer when it is shuffled: its inputs earn nothing here."
    rises = words.BP * np.array([one.rise_bp for one in used])
    reach = words.BP * np.array([one.deviation_bp for one in used])
    body = figures.intervals(
        [words.upper(one.input.replace("_", " ")) for one in used],
        {"Rise": figures.Interval(rises.tolist(), (rises - reach).tolist(), (rises + reach).tolist())},
        alt=takeaway, digits=2, axis_title="Rise of cost a year when shuffled; the line is one standard deviation",
        data=TableBody(columns, rows, note=f"{found[0].shuffles} shuffles of whole months; inputs not read left out."),
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, settings, tuple(facts))


def stand_ins(
    name: str, found: tuple[Fidelity, ...], settings: Settings, origin: Origin, part: str = "policy"
) -> Exhibit:
    """How much is lost by using a simple stand-in, in cost and in returns; `part` begins identifiers."""
    rows: list[tuple[Cell, ...]] = []
    facts: list[Fact] = []
    for one in found:
        slug = f"{part}.stand-in.{origin.slug(name)}.{origin.slug(one.surrogate)}"
        made = [
            words.bp(f"{slug}.cost", one.surrogate_bp, origin, "learning.surrogate"),
            words.bp(f"{slug}.policy", one.policy_bp, origin, "learning.surrogate"),
            words.bp(f"{slug}.path", one.path_bp, origin, "learning.surrogate"),
        ]
        facts += made
        saved = fmt.percent(one.advantage, 1, signed=True) if np.isfinite(one.advantage) else "not known"
        rows.append((words.upper(one.surrogate), *(fact.ref() for fact in made), saved))
    columns = (
        Column("stand-in", "Stand-in", emphasis=True), Column("cost", "Its cost", "bp", digits=2),
        Column("policy", fmt.clipped(words.upper(name), 24), "bp", digits=2),
        Column("path", "Apart in returns", "bp", digits=2, note="yearly standard deviation of the difference"),
        Column("saved", "The policy saves"),
    )  # fmt: skip
    best = min(found, key=lambda one: one.surrogate_bp)
    takeaway = f"The best stand-in is {best.surrogate}; {name} costs {abs(best.advantage):.1%} "
    takeaway += "less." if best.advantage >= 0 else "more: the simple rule does better."
    note = f"Fitted on the first {_FITTED:.0%} of the sessions, judged on the rest."
    return Exhibit(
        f"{part}-stand-ins-{origin.slug(name)}", f"Can a simple rule stand in for {name}?",
        TableBody(columns, tuple(rows), note=note), takeaway, settings, tuple(facts),
    )  # fmt: skip
