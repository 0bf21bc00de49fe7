"""How often proposals are followed, how long that takes, what is overridden and why something was not done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from workbench.exhibits.decisions import BASIS
from workbench.exhibits.decisions_origin import Source, between, counted
from workbench.exhibits.drift_facts import absent
from workbench.governance.lessons.acceptance import STEPS, Acceptance, Group, acceptance, overrides, reasons, turnaround
from workbench.governance.lessons.proportions import FEW, share
from workbench.governance.lessons.working_hours import CONVENTION
from workbench.report import Column, Exhibit, Fact, Missing, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Cell

_LABELS = {"policy": "Policy", "advisor": "Advisor", "rule": "Rule with a finding"}
_TITLES = {"policy": "Followed by policy", "advisor": "Followed by advisor", "rule": "Followed where a rule spoke"}
#: Characters of a person's reason that are quoted.
_QUOTED = 90
_NAME = 60


def followed_figure(source: Source, by: str) -> Exhibit:
    """Released of decided signals by policy, advisor or rule, with intervals; in the order of name, never ranked."""
    found = acceptance(source.decisions, by)
    shown = [group for group in found.groups if group.released.cases]
    id, title = f"decisions-by-{by}", _TITLES[by]
    if not shown:
        return absent(id, title, "No signal was released or rejected.")
    rows: list[tuple[Cell, ...]] = []
    facts: list[Fact] = []
    for group in found.groups:
        cells, more = _cells(source, by, group)
        rows.append(cells)
        facts += more
    columns = (
        Column("name", _LABELS[by], emphasis=True),
        Column("decided", "Decided", "count"),
        Column("released", "Released", "percent", digits=0),
        Column("interval", "Interval"),
        Column("unchanged", "As proposed", "percent", digits=0, note="neither returned nor revised"),
        Column("others", "Not decided", "count", note="expired, superseded or open"),
        Column("reading", "Reading"),
    )
    takeaway = _takeaway(found, shown)
    table = TableBody(columns, tuple(rows))
    many = [group for group in shown if not group.released.few]
    settings = source.settings(f"{BASIS}; Wilson's intervals, 95 %", ("signals", "findings"))
    if not many:
        return Exhibit(id, title, table, takeaway, settings, tuple(facts))
    body = figures.intervals(
        [named(group.key) for group in many],
        {"Released": _interval(many)},
        alt=takeaway, unit="percent", digits=0, axis_title="Released, of signals decided", data=table,
    )  # fmt: skip
    return Exhibit(id, title, body, takeaway, settings, tuple(facts))


def _cells(source: Source, by: str, group: Group) -> tuple[tuple[Cell, ...], list[Fact]]:
    slug = f"{by}.{source.slug(group.key)}"
    facts = [source.fact(f"{slug}.decided", group.released.cases, "count", "lessons.acceptance")]
    few = Missing(f"fewer than {FEW} cases")
    figures_: list[Cell] = [few, few]
    if not group.released.few:
        facts += [
            source.fact(f"{slug}.{name}", part.value, "percent", "lessons.acceptance", digits=0)
            for name, part in (("released", group.released), ("unchanged", group.unchanged))
        ]
        figures_ = [fact.ref() for fact in facts[1:]]
    reading = "Too few to tell" if group.released.few else ""
    return (
        named(group.key), facts[0].ref(), figures_[0],
        counted(group.released) if group.released.few else between(group.released), figures_[1], group.undecided,
        reading,
    ), facts  # fmt: skip


def _interval(groups: Sequence[Group]) -> figures.Interval:
    parts = [group.released for group in groups]
    return figures.Interval([p.value for p in parts], [p.low for p in parts], [p.high for p in parts])


def _takeaway(found: Acceptance, shown: Sequence[Group]) -> str:
    if found.by == "rule":
        return "A signal stands under every rule that found something on it, so that the rows overlap."
    what = {"policy": "Policies", "advisor": "Advisors"}[found.by]
    if found.chance is None:
        return f"There is one {found.by} only: nothing to compare."
    chance = fmt.number(found.chance, 2) if found.chance >= 0.005 else "below 0.01"
    if found.chance >= 0.05:
        return f"{what} differ by no more than chance gives (p {chance})."
    cases = " What their clients and cases have in common is not taken out." if found.by == "advisor" else ""
    return f"{what} differ by more than chance gives (p {chance}).{cases}"


def turnaround_table(source: Source) -> Exhibit:
    """Working hours of each step, of signals that were released."""
    id, title = "decisions-turnaround", "From proposal to release"
    hours = turnaround(source.decisions)
    whole = hours["In all"].dropna()
    if whole.empty:
        return absent(id, title, "No signal was released at a known time.")
    columns = (
        Column("step", "Step", emphasis=True), Column("signals", "Signals", "count"),
        Column("median", "Half within", "number", digits=1, note="working hours"),
        Column("most", "Nine in ten within", "number", digits=1, note="working hours"),
        Column("mean", "Mean", "number", digits=1, note="working hours"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    facts: list[Fact] = []
    for step in STEPS:
        part = hours[step].dropna()
        if part.empty:
            continue
        slug = f"turnaround.{source.slug(step)}"
        figures_ = (("median", part.median()), ("most", part.quantile(0.9)), ("mean", part.mean()))
        made = [source.fact(f"{slug}.{n}", v, "number", "lessons.turnaround", digits=1) for n, v in figures_]
        facts += made
        rows.append((step, len(part), *(fact.ref() for fact in made)))
    half = fmt.number(whole.median(), 1)
    takeaway = f"Half of the released signals were out within {half} working hours of being proposed."
    note = "What is done in the evening or at a weekend takes no working hours."
    settings = source.settings(CONVENTION, ("signals",))
    return Exhibit(id, title, TableBody(columns, tuple(rows), note=note), takeaway, settings, tuple(facts))


def overrides_table(source: Source) -> Exhibit:
    """Which rules' blocks were overridden, how often and by which role, with the last reason given."""
    id, title = "decisions-overrides", "What was overridden"
    found = overrides(source.decisions)
    if found.empty:
        return absent(id, title, "No block was overridden.")
    findings = source.decisions["findings"]
    columns = (
        Column("rule", "Rule", emphasis=True), Column("role", "By role"), Column("overridden", "Overridden", "count"),
        Column("share", "Of its blocks"), Column("interval", "Interval"), Column("people", "People", "count"),
        Column("rejected", "Rejected later", "count"), Column("reason", "Last reason given"),
    )  # fmt: skip
    rows, facts = [], []
    for row in found.itertuples(index=False):
        part = share(int(row.overridden), int(row.findings))
        slug = f"overridden.{source.slug(row.rule_id)}.{source.slug(row.role)}"
        facts.append(source.fact(slug, part.hits, "count", "lessons.overrides"))
        mine = findings[(findings["rule_id"] == row.rule_id) & findings["overridden"]]
        mine = mine[mine["role"].fillna("") == row.role].sort_values("overridden_at")
        reason = mine["override_reason"].dropna()
        rows.append(
            (
                named(row.rule_id), row.role.replace("_", " ") or Missing("not on record"),
                facts[-1].ref(), counted(part), between(part), int(row.people), int(row.rejected),
                quoted(reason.iloc[-1]) if len(reason) else Missing("none given"),
            )
        )  # fmt: skip
    first = found.iloc[0]
    takeaway = f"Most often overridden: {named(first['rule_id'])}, {first['overridden']} of {first['findings']} blocks."
    note = "A block needs an override to go on, a warning does not; warnings are not counted here."
    settings = source.settings(
        "blocks of rules that may be overridden; Wilson's intervals, 95 %", ("findings", "decisions")
    )
    return Exhibit(id, title, TableBody(columns, tuple(rows), note=note), takeaway, settings, tuple(facts))


def reasons_table(source: Source) -> Exhibit:
    """Why signals were returned, rejected or revised, and drafts edited: reasons counted."""
    id, title = "decisions-reasons", "Why people decided otherwise"
    found = reasons(source.decisions)
    if found.empty:
        return absent(id, title, "Nothing was returned, rejected or revised with a reason.")
    acts = sorted(found["action"].unique())
    total = found.groupby("reason_code")["times"].sum().sort_values(ascending=False, kind="stable")
    counts = found.pivot(index="reason_code", columns="action", values="times")
    columns = (
        Column("reason", "Reason", emphasis=True), *(Column(act, _words(act), "count") for act in acts),
        Column("all", "In all", "count"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    facts: list[Fact] = []
    for code in total.index:
        cells: list[Cell] = []
        for act in (*acts, "all"):
            times = int(total[code]) if act == "all" else _whole(counts.loc[code, act])
            facts.append(
                source.fact(f"reason.{source.slug(act)}.{source.slug(code)}", times, "count", "lessons.reasons")
            )
            cells.append(facts[-1].ref())
        rows.append((_words(str(code)), *cells))
    takeaway = f"The reason given most often is “{_words(str(total.index[0])).lower()}”, {int(total.iloc[0]):,} times."
    settings = source.settings("one reason an act, chosen from a list by the person who acted", ("decisions",))
    return Exhibit(id, title, TableBody(columns, tuple(rows)), takeaway, settings, tuple(facts))


def _whole(times: Any) -> int:
    """A count that is missing where an act was never done for that reason: none."""
    return 0 if times is pd.NA or times != times else int(times)


def named(key: str) -> str:
    """A rule's, policy's or advisor's name: in one line, clipped, with invisible characters spelled out."""
    return fmt.clipped(fmt.visible(key), _NAME)


def quoted(text: str) -> str:
    """A person's words as a quotation: in one line, clipped, with invisible characters spelled out."""
    return f"“{fmt.clipped(fmt.visible(text), _QUOTED)}”"


def _words(code: str) -> str:
    return named(code).replace("_", " ").capitalize()
