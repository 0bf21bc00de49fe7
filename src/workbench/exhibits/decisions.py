"""The monthly review of decisions: what is asked of the committee, and the month in figures."""

from __future__ import annotations

import pandas as pd

from workbench.exhibits.decisions_origin import Source, between
from workbench.exhibits.drift_facts import absent, plural
from workbench.governance.lessons.acceptance import acceptance, errors_caught, turnaround
from workbench.governance.lessons.thresholds import RulesReview
from workbench.governance.lessons.wording import WordingProposal
from workbench.governance.measures import Due
from workbench.report import CalloutBody, Exhibit, Fact, Kpi, KpiBody, ProseBody, Strong
from workbench.report import format as fmt
from workbench.report.exhibit import Paragraph, Tone

BASIS = "signals by how they ended up to this day; a signal counts as decided where a person released or rejected it"
_TABLES = ("signals", "decisions", "findings")


def review_box(
    source: Source, rules: RulesReview, wording: tuple[WordingProposal, ...], missing: tuple[Due, ...]
) -> Exhibit:
    """The box at the top: which changes are proposed, and what is overdue. Nothing is changed by it."""
    lines: list[Paragraph] = []
    facts: list[Fact] = []
    for row in rules.proposals:
        slug = f"proposed.{source.slug(row.rule_id)}.{source.slug(row.parameter)}"
        old = source.fact(f"{slug}.old", row.old, "number", "lessons.propose_limits", digits=4)
        new = source.fact(f"{slug}.new", row.new, "number", "lessons.propose_limits", digits=4)
        facts += [old, new]
        lines.append(
            (
                Strong(f"{row.rule_id}: "), f"move {row.parameter} from ", old.ref(_short(row.old)), " to ",
                new.ref(_short(row.new)), f". {row.tested.overridden} of {row.tested.cases} blocks were overridden, by "
                f"{plural(row.tested.people, 'person', 'people')}; the new limit would have spared {row.spared}, of "
                f"which {row.upheld} had been upheld.",
            )
        )  # fmt: skip
    for phrase in wording:
        lines.append(
            (
                Strong("Wording: "),
                f"leave out “{fmt.clipped(fmt.visible(phrase.phrase), 80)}”, taken out for {phrase.deleted_in} of the "
                f"{phrase.offered_in} households it was written for.",
            )
        )
    late = [item for item in missing if item.standing in ("overdue", "lost")]
    titles = {measure.measure_id: measure.title for measure in source.measures()[0]}
    for item in late:
        lines.append((Strong(f"{titles[item.measure_id]}: "), item.words))
    if rules.proposals or wording:
        lines.append(
            ("Nothing changes by this page: a person adopts the change, and the rulebook gets a new version.",)
        )
    elif not late:
        lines.append(("No limit is overridden and no phrase is taken out often enough to propose a change.",))
    tone: Tone = "decision" if rules.proposals or wording else "warning" if late else "neutral"
    asked = len(rules.proposals) + len(wording)
    title = f"{plural(asked, 'change')} to decide on" if asked else "No change is proposed"
    return Exhibit("decisions-review", title, CalloutBody(tone, tuple(lines)), "", None, tuple(facts))


def summary(source: Source) -> Exhibit:
    """Key figures; also on the index page."""
    decisions = source.decisions
    group = acceptance(decisions).groups[0]
    if not group.released.cases:
        return absent("decisions-summary", "Decisions in figures", "No signal was released or rejected up to this day.")
    hours = turnaround(decisions)["In all"].dropna()
    caught = errors_caught(decisions)
    drafts = decisions["drafts"]
    facts = {
        "decided": source.fact("decided", group.released.cases, "count", "lessons.acceptance"),
        "released": source.fact("released", group.released.value, "percent", "lessons.acceptance", digits=0),
        "unchanged": source.fact("unchanged", group.unchanged.value, "percent", "lessons.acceptance", digits=0),
        "caught": source.fact("errors_caught", caught.value, "percent", "lessons.errors_caught", digits=0),
    }
    items = [
        Kpi(
            "Signals decided",
            facts["decided"].ref(),
            f"{group.undecided:,} others expired, were superseded or are open",
        ),
        Kpi("Released", facts["released"].ref(), f"of those decided, {between(group.released)}"),
        Kpi(
            "Released as proposed",
            facts["unchanged"].ref(),
            f"neither returned nor revised, {between(group.unchanged)}",
        ),
        Kpi("Errors caught", facts["caught"].ref(), f"of those decided, {between(caught)}"),
    ]
    if len(hours):
        facts["hours"] = source.fact("turnaround", hours.median(), "number", "lessons.turnaround", digits=1)
        items.append(Kpi("Turnaround", facts["hours"].ref(), "working hours from proposal to release, median"))
    if len(drafts):
        edited = int(drafts["edited"].sum())
        facts["edited"] = source.fact("drafts.edited", edited / len(drafts), "percent", "lessons.edit", digits=0)
        items.append(Kpi("Drafts edited", facts["edited"].ref(), f"{edited:,} of {len(drafts):,}"))
    return Exhibit(
        "decisions-summary", "Decisions in figures", KpiBody(tuple(items)), "",
        source.settings(BASIS + "; intervals 95 %", _TABLES), tuple(facts.values()), index=True,
    )  # fmt: skip


def notes(source: Source) -> Exhibit:
    """What the export does not hold, and whose words are quoted."""
    since = source.decisions["signals"]["created_at"].min()
    first = "no signal" if pd.isna(since) else fmt.long_date(str(since)[:10])
    lines = [
        f"Decisions from {first} to {fmt.long_date(source.as_of)}. People are shown by role; clients are not shown.",
        *source.decisions.notes,
    ]
    return Exhibit("decisions-notes", "What this rests on", ProseBody(tuple(lines), bullets=True))


def _short(value: float) -> str:
    return f"{value:.6g}"
