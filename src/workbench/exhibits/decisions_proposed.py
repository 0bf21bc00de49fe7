"""Changes that are proposed: limits tested, the rulebook's diff, and wording that people take out."""

from __future__ import annotations

import math

from workbench.exhibits.decisions_origin import Source
from workbench.exhibits.drift_facts import absent, plural
from workbench.governance.lessons.thresholds import ALPHA, BASE, CASES, RulesReview
from workbench.governance.lessons.wording import WordingProposal
from workbench.report import Column, Exhibit, Missing, TableBody, figures
from workbench.report import format as fmt
from workbench.report.exhibit import Cell

_NAME = 60
#: Lines of a diff on the page; the file holds all of it.
_LINES = 60


def tested_table(source: Source, rules: RulesReview) -> Exhibit:
    """Every limit that may be moved: its cases, how often it was overridden, and why a change is proposed or not."""
    id, title = "decisions-limits", "Limits that were tested"
    if not rules.tested:
        return absent(id, title, "No limit was declared as one that may be moved, so that none was tested.")
    columns = (
        Column("rule", "Rule", emphasis=True), Column("parameter", "Limit"), Column("cases", "Blocks", "count"),
        Column("overridden", "Overridden", "count"), Column("people", "People", "count"),
        Column("lowest", "At least", "percent", digits=0, note="lower end of the exact interval"),
        Column("p", "Chance", note="adjusted for all limits tested"), Column("left_out", "Left out", "count"),
        Column("why", "What came of it"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    facts = []
    for row in rules.tested:
        slug = f"limit.{source.slug(row.rule_id)}.{source.slug(row.parameter)}"
        lowest: Cell = Missing("no case")
        if row.cases:
            facts.append(source.fact(f"{slug}.lowest", row.lowest, "percent", "lessons.propose_limits", digits=0))
            lowest = facts[-1].ref()
        chance: Cell = Missing("not tested") if math.isnan(row.p) else _chance(row.p)
        rows.append((
            fmt.clipped(fmt.visible(row.rule_id), _NAME), fmt.clipped(fmt.visible(row.parameter), _NAME), row.cases,
            row.overridden, row.people, lowest, chance,
            row.left_out, row.why,
        ))  # fmt: skip
    takeaway = (
        f"A change is proposed for {len(rules.proposals)} of {plural(len(rules.tested), 'limit')} that may be moved."
    )
    basis = (
        "blocks on decided signals at the present version and limit; overridden in more than "
        f"{fmt.percent(BASE, 0)} of at least {CASES}, exact binomial test, Holm's adjustment, {fmt.percent(ALPHA, 0)}"
    )
    note = "Left out: findings under another version or limit, whose figure is no number, or on the other side."
    settings = source.settings(basis, ("findings", "signals"))
    return Exhibit(id, title, TableBody(columns, tuple(rows), note=note), takeaway, settings, tuple(facts))


def diff_table(source: Source, rules: RulesReview) -> Exhibit:
    """The rulebook's diff, line by line, to be reviewed and adopted by a person."""
    id, title = "decisions-diff", "The rulebook's diff"
    if not rules.diff:
        return absent(id, title, "There is no change of the rulebook to review.")
    lines = rules.diff.splitlines()
    kinds = {"+": "in", "-": "out"}
    rows = tuple(
        (kinds.get(line[:1], "") if not line.startswith(("+++", "---")) else "", _indented(fmt.visible(line)))
        for line in lines[:_LINES]
    )
    left = len(lines) - len(rows)
    columns = (Column("change", "Line"), Column("text", "Rulebook"))
    takeaway = "; ".join(
        f"{row.rule_id}: {row.old:.6g} to {row.new:.6g}, {plural(row.spared, 'finding')} judged differently"
        for row in rules.proposals
    )
    note = f"{left} more lines are in the file." if left else ""
    settings = source.settings("past findings at their recorded figures; not a new pre-flight", ("findings",))
    return Exhibit(id, title, TableBody(columns, rows, note=note), takeaway + ".", settings)


def edits_figure(source: Source) -> Exhibit:
    """How much of the drafts people changed: the distribution over drafts that were edited at all."""
    id, title = "decisions-edits", "How much of a draft is changed"
    drafts = source.decisions["drafts"]
    edited = drafts[drafts["edited"] & (drafts["length"] > 0)]
    if edited.empty:
        return absent(id, title, "No draft was edited." if len(drafts) else "No draft was written.")
    parts = (edited["distance"] / edited["length"]).astype(float)
    fact = source.fact("drafts.median_edit", parts.median(), "percent", "lessons.edit", digits=0)
    takeaway = (
        f"{len(edited):,} of {len(drafts):,} drafts were edited; in half of these less than {fact.text} of the words "
        "were changed."
    )
    body = figures.histogram(
        list(parts), alt=takeaway, unit="percent", bins=20, axis_title="Words changed", count_title="Drafts"
    )
    basis = "Levenshtein's distance over words, as a share of the longer text; untouched drafts are not in the figure"
    return Exhibit(id, title, body, takeaway, source.settings(basis, ("drafts",)), (fact,))


def wording_table(source: Source, proposals: tuple[WordingProposal, ...]) -> Exhibit:
    """Phrases to leave out, each for so many households that it is no client's."""
    id, title = "decisions-wording", "Wording that is taken out"
    if not proposals:
        return absent(id, title, "No phrase was taken out for more than half of the households it was written for.")
    columns = (
        Column("phrase", "Leave out", emphasis=True), Column("out", "Taken out for", "count"),
        Column("of", "Of households", "count"), Column("lowest", "At least", "percent", digits=0),
        Column("p", "Chance", note="adjusted for all phrases"),
    )  # fmt: skip
    rows, facts = [], []
    for place, row in enumerate(proposals):
        facts.append(
            source.fact(f"wording.{place + 1}.lowest", row.lowest, "percent", "lessons.propose_wording", digits=0)
        )
        phrase = f"“{fmt.clipped(fmt.visible(row.phrase), _NAME)}”"
        rows.append((phrase, row.deleted_in, row.offered_in, facts[-1].ref(), _chance(row.p)))
    takeaway = f"{plural(len(proposals), 'phrase')} that people take out again and again."
    basis = "phrases of two to eight words, counted by household; exact binomial test, Holm's adjustment"
    settings = source.settings(basis, ("phrases",))
    return Exhibit(id, title, TableBody(columns, tuple(rows)), takeaway, settings, tuple(facts))


def _indented(line: str) -> str:
    """A line whose indentation a page does not swallow."""
    bare = line[1:].lstrip(" ")
    return line[:1] + "\u00a0" * (len(line) - 1 - len(bare)) + bare if line else " "


def _chance(p: float) -> str:
    return "below 0.001" if p < 0.001 else fmt.number(p, 3)
