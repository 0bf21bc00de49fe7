"""The committee's quarter as facts: one sheet from the results that the chapters of the quarterly book show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from workbench.attribution.implementation import Study
from workbench.backtest.evidence import Evidence, Verdict
from workbench.drafting.facts import FactSheet
from workbench.drafting.sheets import committee_drift, committee_evidence, committee_risk, performance
from workbench.drafting.sheets.gathering import Gathering, Reading, either
from workbench.drafting.sheets.performance import Record, SleeveEffects
from workbench.drift import Review
from workbench.firm.reconcile import Findings
from workbench.risk import EarlyWarnings, Overview

BOOK = Reading("firm.open_at", ("snapshot",))
RETURNS = Reading("market.total_returns", ("prices", "positions"))
#: The subjects that a memo can leave out, each a chapter of the book.
SUBJECTS = ("performance", "sleeve_attribution", "implementation_variance", "risk_and_stress", "policy_backtest")


@dataclass(frozen=True, eq=False)
class Policies:
    """What the comparison of rebalancing policies found, and the rule that stands today."""

    evidence: Evidence
    verdicts: tuple[Verdict, ...]
    rule: str


@dataclass(frozen=True, eq=False)
class Quarter:
    """The results that a memo is made of; a subject of `SUBJECTS` that was not asked for or has no figures is None.

    `classes` has asset_class and quarter, the return since `since`. `slug` makes a key of the firm part of an
    identifier, as the chapters do. `models` and `people` are names by key. `records` are all accounts together first,
    then the models. `reads` are the subjects that were asked for.
    """

    firm: str
    as_of: str
    snapshot: str
    slug: Callable[[object], str]
    review: Review
    findings: Findings
    classes: pd.DataFrame
    since: str
    models: pd.Series
    records: tuple[Record, ...] | None = None
    sleeves: SleeveEffects | None = None
    study: Study | None = None
    people: pd.Series | None = None
    risk: Overview | None = None
    warnings: EarlyWarnings | None = None
    policies: Policies | None = None
    reads: frozenset[str] = frozenset()


def sheet(quarter: Quarter) -> FactSheet:
    """Return everything that the memo on a quarter may state."""
    facts = Gathering("memo", quarter.as_of, quarter.as_of, quarter.snapshot)
    house = facts.entity("firm", "firm", quarter.firm)
    facts.fact("as_of", "date", quarter.as_of, "as_of", BOOK, "as of")
    facts.named("firm.name", house, BOOK, "name")
    for subject in sorted(quarter.reads):
        facts.fact(f"reads.{subject}", "count", 1, "chapters_read", BOOK, f"{subject}, asked for")
    _markets(facts, quarter)
    committee_drift.add(facts, quarter.review, quarter.models, quarter.slug)
    committee_drift.add_findings(facts, quarter.findings)
    if quarter.records:
        _records(facts, quarter.records, house)
    if quarter.sleeves is not None:
        performance.attribution(facts, quarter.sleeves, (house,))
    if quarter.study is not None:
        committee_evidence.add_implementation(facts, quarter.study, quarter.people, quarter.slug)
    if quarter.risk is not None:
        committee_risk.add(facts, quarter.risk)
    if quarter.warnings is not None:
        committee_risk.add_warnings(facts, quarter.warnings, quarter.slug)
    if quarter.policies is not None:
        committee_evidence.add_policies(facts, quarter.policies, quarter.slug)
    # The section on what drove the difference names its period once.
    about = (house,) if quarter.sleeves is None else (house, f"period:{quarter.sleeves.period}")
    return facts.sheet(about)


def _markets(facts: Gathering, quarter: Quarter) -> None:
    """Add what each asset class returned since the quarter began, best first."""
    record = quarter.records[0].period("quarter") if quarter.records else None
    words = "the quarter to date" if record is None else record.words
    when = performance.declare(facts, "quarter", words, quarter.since)
    for name, value in zip(quarter.classes["asset_class"], quarter.classes["quarter"], strict=True):
        slug = quarter.slug(name)
        entity = facts.entity(f"asset_class:{slug}", "asset_class", str(name))
        facts.named(f"market.class.{slug}.name", entity, RETURNS, f"{name}, name")
        facts.fact(
            f"market.quarter.{slug}", "percent", value, "class_return", RETURNS, f"{name}, quarter", of=(entity, when),
            way=either(value, "gain", "loss"),
        )  # fmt: skip


def _records(facts: Gathering, records: tuple[Record, ...], house: str) -> None:
    """Add the record of all accounts together, and of each model over the same periods."""
    together, *models = records
    performance.returns(facts, together, (house,))
    performance.money(facts, together, (house,))
    for record in models:
        entity = facts.entity(f"model:{record.key}", "model", record.name, record.key)
        facts.named(f"model.{record.slug}.name", entity, Reading("firm.table", ("models",)), f"{record.key}, name")
        performance.returns(facts, record, (entity,))
