"""The committee's chapter on rebalancing policies, section by section; each says so where nothing could be compared."""

from __future__ import annotations

from workbench.exhibits import (
    policy_costs,
    policy_data,
    policy_evidence,
    policy_explained,
    policy_folder,
    policy_learned,
    policy_luck,
    policy_reference,
    policy_verdict,
)
from workbench.exhibits.drift_facts import absent
from workbench.exhibits.origin import Origin
from workbench.exhibits.policy_review import TUNED, NotCompared, Review
from workbench.report import Badge, Exhibit

#: Policies named on the frontier and followed through dearer trading, besides candidates: what committees know.
_KNOWN = ("every month", "every year", "5 % band to target", "200/175 band")


def verdict(review: Review | NotCompared, origin: Origin) -> list[Exhibit]:
    """The box, the key figures, and every criterion of each candidate."""
    if isinstance(review, NotCompared):
        return [absent("policy-verdict", "No verdict", review.reason)]
    first = review.evidence.case(review.verdicts[0].candidate)
    return [
        policy_verdict.verdict(
            review.evidence, review.verdicts, origin, _notes(review), review.money, review.opponent.name
        ),
        policy_verdict.summary(review.evidence, first, origin),
        *(policy_verdict.criteria(found, review.evidence, origin) for found in review.verdicts),
    ]


def _notes(review: Review) -> tuple[str, ...]:
    """What a reader must know beside the verdicts: what was refused or not run, and where guardrails would act."""
    return (*review.notes, *(each.sentence for each in review.watched if each.stopped))


def costs(review: Review | NotCompared, origin: Origin) -> list[Exhibit]:
    """Cost and risk first: the frontier, the table behind it, dearer and later trading."""
    if isinstance(review, NotCompared):
        return []
    runs, settings = review.evidence.runs, review.settings(origin)
    table = policy_costs.tranches(runs, review.evidence.risk_aversion)
    candidates = [found.candidate for found in review.verdicts]
    named = [*candidates, review.opponent.name, *(name for name in _KNOWN if name in table.index)]
    followed = [*named, str(table["total_bp"].idxmin())]
    roles = {review.opponent.name: Badge("the rule to keep")} | {name: Badge("candidate") for name in candidates}
    return [
        policy_costs.frontier(
            table, policy_costs.families(review.policies) | {TUNED: "Quadratic"}, named, settings, origin
        ),
        policy_costs.rules_table(table, runs, settings, origin, roles=roles),
        policy_costs.stressed(runs, followed, review.evidence.risk_aversion, settings, origin),
    ]


def luck(review: Review | NotCompared, origin: Origin) -> list[Exhibit]:
    """The Sharpe ratio with the band of noise around it."""
    if isinstance(review, NotCompared):
        return []
    settings = review.settings(origin)
    found = policy_luck.started_every_day(
        review.universe, review.signals, costs=review.plan.costs, risk_aversion=review.plan.risk_aversion,
        first=review.first,
    )  # fmt: skip
    return [policy_luck.fan(found, settings, origin), policy_luck.sharpe_strip(review.evidence.runs, settings, origin)]


def candidates(review: Review | NotCompared, origin: Origin) -> list[Exhibit]:
    """For each candidate: tests, years, dearer and later trading, kinds of market, trainings."""
    if isinstance(review, NotCompared):
        return []
    forms = (
        policy_evidence.tests_table, policy_evidence.windows_figure, policy_evidence.stresses_table,
        policy_evidence.regimes_figure, policy_evidence.seeds_figure,
    )  # fmt: skip
    cases = [review.evidence.case(found.candidate) for found in review.verdicts]
    return [form(case, review.evidence, origin) for case in cases for form in forms]


def learned(review: Review | NotCompared, origin: Origin) -> list[Exhibit]:
    """What each learned policy does, and what the rule would have done in its place."""
    if isinstance(review, NotCompared):
        return []
    settings = review.settings(origin)
    if not review.learned:
        why = review.notes[0] if review.notes else "No folder of learned policies was named."
        return [absent("policy-map", "What a learned policy does", f"No learned policy was run. {why}")]
    rule = review.opponent
    look = policy_learned.last_look(
        review.universe, review.signals, rule, costs=review.plan.costs, risk_aversion=review.plan.risk_aversion
    )
    made = []
    for policy in review.learned:
        stand_ins = policy_explained.fidelities(review.universe, review.signals, policy)
        made += [
            policy_learned.action_map(policy, review.signals, look, settings, origin),
            policy_learned.rule_instead(policy, rule, look, review.money, settings, origin),
            policy_learned.shares(policy, look, settings, origin),
            policy_explained.stand_ins(policy.name, stand_ins, settings, origin),
        ]
    return made


def reference(review: Review | NotCompared, origin: Origin, paths: int = 400) -> list[Exhibit]:
    """How near each policy comes to the best there is where that is known, and the same question on real prices."""
    if isinstance(review, NotCompared):
        return []
    policies = list({policy.name: policy for policy in (*review.learned, *review.elsewhere, review.opponent)}.values())
    made_up, real = (
        policy_reference.measure(policies, paths=paths),
        policy_reference.measure_real(policies),
    )
    return [
        policy_reference.gaps_figure(made_up, paths, origin),
        policy_reference.costs_table(made_up, real, policies, paths, origin),
    ]


def trust(review: Review | NotCompared, origin: Origin) -> list[Exhibit]:
    """Whether all this can be believed: controls, trials counted, data, windows, events."""
    if isinstance(review, NotCompared):
        return []
    settings = review.settings(origin)
    return [
        policy_evidence.controls_table(review.evidence, origin),
        policy_verdict.trials(review.evidence, review.verdicts, origin, review.told),
        policy_data.data_table(review, origin),
        policy_data.windows_table(review, origin),
        policy_folder.events_table(
            [*review.events, *(event for each in review.watched for event in each.events)],
            review.refused,
            settings,
            [each.sentence for each in review.watched],
        ),
    ]


__all__ = ["TUNED", "candidates", "costs", "learned", "luck", "reference", "trust", "verdict"]
