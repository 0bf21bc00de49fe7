"""What the data can prove, as facts of the memo: who falls short of the models, whether a policy earns its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from workbench.attribution.implementation import Effect, Study
from workbench.drafting.facts import EntityKind
from workbench.drafting.sheets.gathering import Gathering, Reading, either

if TYPE_CHECKING:
    from workbench.drafting.sheets.committee import Policies

TABLES = ("accounts", "lots", "model_targets", "models", "positions", "prices", "restrictions", "transactions")
STUDY = Reading("attribution.implementation.study", TABLES)
PACK = Reading("backtest.evidence.pack", ("accounts", "model_targets", "models", "prices", "securities"))
#: Basis points as a fraction, and the confidence of every interval here.
BP, CONFIDENCE = 1e-4, 0.95
#: What a verdict decides, as part of an identifier.
_STATES = {"deploy": "deploy", "shadow": "shadow", "do not deploy": "keep"}


def add_implementation(facts: Gathering, study: Study, people: pd.Series | None, slug: Callable[[object], str]) -> None:
    """Add whoever falls short of the models with the interval, and what was tested; in basis points a month."""
    total = study.total
    facts.fact("implementation.confidence", "percent", CONFIDENCE, "confidence", STUDY, "level", decimals=0)
    for name, kind, value in (
        ("tests", "implementation_tests", total.tests),
        ("custodians", "custodians_tested", len(total.custodians)),
        ("advisors", "advisors_tested", len(total.advisors)),
        ("accounts", "accounts_compared", len(total.fit.panel.accounts)),
        ("months", "months_compared", len(total.fit.panel.months)),
    ):
        facts.fact(f"implementation.{name}", "count", value, kind, STUDY, name, of=("firm",))
    for effect in total.blamed:
        _effect(facts, effect, people, slug)
    mean = total.systemic
    state = "systemic" if total.systemic_found else "chance" if mean.p > total.alpha else "slight"
    _interval(facts, f"implementation.{state}", mean.value, mean.low, mean.high, "mean_gap", "all accounts", ("firm",))


def _effect(facts: Gathering, effect: Effect, people: pd.Series | None, slug: Callable[[object], str]) -> None:
    """Add one custodian's or advisor's shortfall."""
    kind: EntityKind = "custodian" if effect.kind == "custodian" else "advisor"
    name = effect.key if people is None else str(people.get(effect.key, effect.key))
    entity = facts.entity(f"{kind}:{effect.key}", kind, name, effect.key)
    prefix = f"implementation.blamed.{kind}-{slug(effect.key)}"
    facts.named(f"{prefix}.name", entity, STUDY, effect.key)
    found = effect.estimate if kind == "custodian" or effect.unshrunken is None else effect.unshrunken
    facts.fact(
        f"{prefix}.accounts", "count", effect.accounts, "accounts_there", STUDY, f"{effect.key}, accounts", of=(entity,)
    )
    # A shortfall and its interval read as sizes: the words say that it is one.
    low, high = sorted((-found.low, -found.high))
    _interval(facts, prefix, found.value, low, high, "shortfall", effect.key, (entity,))


def _interval(
    facts: Gathering, prefix: str, value: float, low: float, high: float, metric: str, row: str, of: tuple[str, ...]
) -> None:
    """Add an estimate in basis points a month, and the ends of its interval."""
    facts.fact(
        f"{prefix}.value",
        "bps",
        BP * value,
        metric,
        STUDY,
        row,
        of=of,
        way=either(value, "ahead", "behind"),
        decimals=1,
    )
    for end, figure, way in (("low", low, "before"), ("high", high, "after")):
        cell = f"{row}, {end} end of the interval"
        facts.fact(f"{prefix}.{end}", "bps", BP * figure, "interval", STUDY, cell, of=of, way=(way,), decimals=1)


def add_policies(facts: Gathering, policies: Policies, slug: Callable[[object], str]) -> None:
    """Add each candidate's gain over the rule with its interval, its criteria, and how often it was tried."""
    evidence = policies.evidence
    facts.fact("policy.confidence", "percent", CONFIDENCE, "confidence", PACK, "level", decimals=0)
    facts.fact("policy.trials", "count", evidence.trials, "trials", PACK, "trials", of=("firm",))
    facts.fact("policy.windows", "count", len(evidence.windows), "test_years", PACK, "windows", of=("firm",))
    for name, day, way in (("first", evidence.first, "before"), ("last", evidence.last, "after")):
        facts.fact(f"policy.{name}", "date", str(day.date()), "test_days", PACK, f"{name} day", way=(way,))
    rule = facts.entity("policy:rule", "policy", policies.rule)
    facts.named("policy.rule.name", rule, PACK, "opponent of the last window")
    if evidence.measure != "total_bp":
        return
    for verdict in policies.verdicts:
        case, key = evidence.case(verdict.candidate), slug(verdict.candidate)
        entity, prefix = facts.entity(f"policy:{key}", "policy", verdict.candidate), f"policy.{key}"
        cell, of = verdict.candidate, (entity,)
        facts.named(f"{prefix}.name", entity, PACK, cell)
        gain = case.gain
        sides = either(gain.estimate, "gain", "loss")
        facts.fact(
            f"{prefix}.gain",
            "bps",
            BP * gain.estimate,
            "policy_gain",
            PACK,
            f"{cell}, gain",
            of=of,
            way=sides,
            decimals=2,
        )
        for end, figure, side in (("low", gain.low, "before"), ("high", gain.high, "after")):
            id, where = f"{prefix}.gain.{end}", f"{cell}, {end} end of the interval"
            facts.fact(id, "bps", BP * float(figure), "interval", PACK, where, of=of, way=(side,), decimals=2)
        passed = len(verdict.criteria) - len(verdict.failed)
        facts.fact(f"{prefix}.passed", "count", passed, "criteria_passed", PACK, f"{cell}, passed", of=of)
        facts.fact(f"{prefix}.criteria", "count", len(verdict.criteria), "criteria", PACK, f"{cell}, criteria", of=of)
        seen = any(one.name == "unseen years" and not one.passed for one in verdict.criteria)
        state = "seen" if seen else _STATES[verdict.decision]
        facts.named(f"policy.{state}.{key}.name", entity, PACK, f"{cell}, decision")
