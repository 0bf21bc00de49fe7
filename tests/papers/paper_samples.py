"""Drafts for the tests of rendering, made without the verifier: every placeholder counts as supported."""

import hashlib

from workbench.drafting import Draft, Entity, Fact, FactSheet, Source, Span, Verdict, Verification, Writing
from workbench.drafting.placeholders import fill

SNAPSHOT = "5e1f" * 16


def source(cell, function="drift.measure", tables=("accounts", "positions", "prices")):
    return Source(function, tables, cell, SNAPSHOT)


NOTE = "Please keep the *shares* of <Acme> | for now."
HOUSEHOLD = Entity("household:H-1", "household", ("Smith household", "H-1"))
FACTS = (
    Fact("name", "name", "Smith household", "named", ("household:H-1",), source("row H-1", "firm", ("households",))),
    Fact("day", "date", "2022-12-28", "as_of", (), source("the day of the snapshot", "firm", ("snapshot",))),
    Fact("note", "quote", NOTE, "quoted", (), source("note 4", "firm", ("notes",))),
    Fact("held", "symbol", "AAPL", "named", (), source("account A-1, AAPL")),
    Fact("other", "symbol", "BRK.B", "named", (), source("account A-1, BRK.B")),
)  # fmt: skip

SKELETON = """# Review of the {f:name}

As of {f:day} the **{f:name}** holds {f:held} and {f:other}. The words below are the client's own.

> {f:note}

## What to do

- Keep {f:held} until the review.
- Sell {f:other} by {f:day|short}.

| Holding | Until |
|---|---|
| {f:held} | {f:day|iso} |
| {f:other} | {f:day|iso} |
"""


def sheet(facts=FACTS, entities=(HOUSEHOLD,)):
    return FactSheet("review", "H-1", "2022-12-28", SNAPSHOT, ("household:H-1",), entities, facts)


def sample(skeleton=SKELETON, *, facts=None, title="Review", kind="review", key="H-1"):
    facts = facts or sheet()
    filled = fill(skeleton, facts)
    spans = tuple(
        Span(start, end, filled.text[start:end], "figure", Verdict.SUPPORTED, (id,)) for start, end, id in filled.places
    )
    report = Verification(hashlib.sha256(filled.text.encode()).hexdigest(), facts.hash, spans)
    return Draft(kind, key, title, skeleton, filled.text, facts, Writing("template", "review", "ab" * 32), report)


def as_edited(draft, text, *faults):
    """The draft with a person's text, `faults` (words, verdict, reason) in it and nothing else found."""
    spans = tuple(
        Span(text.index(words), text.index(words) + len(words), words, "figure", verdict, (), reason)
        for words, verdict, reason in faults
    )
    report = Verification(hashlib.sha256(text.encode()).hexdigest(), draft.sheet.hash, spans)
    return Draft(draft.kind, draft.key, draft.title, draft.skeleton, text, draft.sheet, draft.made, report)
