"""From drafts to papers that people release, and back: what governance keeps of a draft, and the draft read from it.

Governance keeps bytes and hashes and knows nothing of drafting; the verifier runs here, on every text that is brought,
edited, shown or about to be released.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from workbench.drafting import Draft, FactSheet, Verification, Writing, verify
from workbench.drafting.draft import title_faults
from workbench.errors import DraftError, FactError
from workbench.firm import Firm
from workbench.governance import BringPaper, Document, Store, Who
from workbench.governance.documents import hash_of
from workbench.governance.states import PaperState
from workbench.governance.tables import paper
from workbench.papers.release import Release

EVERY_BOOK = "*"
TEXT = "text/markdown"
JSON = "application/json"


@dataclass(frozen=True)
class Place:
    """Whose book a paper lies in (`*`: the firm's), and the household it is about, if one."""

    book: str = EVERY_BOOK
    household_id: str | None = None


@dataclass(frozen=True)
class BroughtPapers:
    """What was brought: papers (identifiers), how many there are of each kind, how many were there already."""

    papers: tuple[str, ...]
    kinds: Mapping[str, int]
    unchanged: int


def bring(store: Store, who: Who, drafts: Iterable[Draft], placed: Callable[[Draft], Place]) -> BroughtPapers:
    """Bring drafts before people; the same draft brought twice is one paper.

    Raises `AccessError` where `who` may not, `ParameterError` for a kind that nobody is named to release.
    """
    found, kinds, unchanged = [], Counter[str](), 0
    for draft in drafts:
        command = paper_of(draft, placed(draft))
        there, earlier = _there(store, command)
        if there is None:
            content = f"{draft.kind}/{draft.key}/{draft.hash}/{draft.sheet.hash}/{command.book}/{earlier}"
            there = store.perform(who, command, f"paper:{hashlib.sha256(content.encode()).hexdigest()}").object_id
        else:
            unchanged += 1
        found.append(there)
        kinds[draft.kind] += 1
    return BroughtPapers(tuple(found), dict(kinds), unchanged)


def paper_of(draft: Draft, place: Place) -> BringPaper:
    """Return the command that brings a draft before people, with all that is kept of it."""
    text, facts, report = documents_of(draft)
    record, made = how_made(draft)
    return BringPaper(
        kind=draft.kind,
        key=draft.key,
        title=draft.title or f"{draft.kind.replace('_', ' ')} {draft.key}",
        book=place.book,
        as_of=draft.sheet.as_of,
        text=text,
        facts=facts,
        report=report,
        record=record,
        made=made,
        household_id=place.household_id,
    )


def documents_of(draft: Draft) -> tuple[Document, Document, Document]:
    """Return a draft's text, fact sheet and verifier's report as documents to keep."""
    return (
        Document("draft", TEXT, draft.text.encode()),
        Document("fact_sheet", JSON, draft.sheet.document()),
        Document("verifier_report", JSON, draft.report.document()),
    )


def how_made(draft: Draft) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, Document], ...]]:
    """Return how a draft was made: plain words and hashes, and what a model was sent and answered as documents."""
    writing = draft.made
    named = (("writer", writing.writer), ("name", writing.name), ("name_hash", writing.name_hash))
    report = Document("verifier_report", JSON, draft.report.document())
    made: list[tuple[str, Document]] = [("verifier_report", report)]
    if writing.fallback:
        made.append(("fallback", Document("raw_output", "text/plain", writing.fallback.encode())))
    if writing.writer == "model" or writing.raw_reply:
        made += [
            ("model", Document("model", "text/plain", writing.model.encode())),
            ("parameters", Document("parameters", JSON, writing.parameters.encode())),
            ("masked_input", Document("masked_input", JSON, writing.masked_input.encode())),
            ("raw_output", Document("raw_output", JSON, writing.raw_reply.encode())),
        ]
    prompt = (("prompt", writing.name_hash),) if writing.writer == "model" else ()
    return (*named, *prompt), tuple(made)


def verified(text: str, facts: bytes) -> tuple[Verification, Document]:
    """Verify a text against a kept sheet: what the verifier says, and its report to keep.

    Raises `FactError` where the kept bytes are no sheet.
    """
    report = verify(text, FactSheet.read(facts))
    return report, Document("verifier_report", JSON, report.document())


def unsupported(text: bytes, facts: bytes, title: str = "") -> str:
    """Return why kept facts do not support a text under its title, "" where they do: a store's verifier."""
    try:
        sheet = FactSheet.read(facts)
    except FactError as error:
        return str(error)
    faults = (*verify(text.decode("utf-8", "replace"), sheet).faults, *title_faults(title, sheet))
    return f"it says {faults[0].text!r}: {faults[0].reason}" if faults else ""


def kept_draft(kind: str, key: str, title: str, record: Mapping[str, str], text: bytes, facts: bytes) -> Draft:
    """Return the draft that was kept, its text verified anew, to be rendered. Raises as `verified`, and `DraftError`.

    What a model was sent is in the documents of its record and not read back.
    """
    words, sheet = text.decode("utf-8", "replace"), FactSheet.read(facts)
    if record.get("writer") not in ("template", "model"):
        raise DraftError(f"the record of {kind} {key} does not say who wrote it; draft it anew")
    writer = "model" if record["writer"] == "model" else "template"
    made = Writing(writer, record.get("name", ""), record.get("name_hash", ""))  # type: ignore[arg-type]
    return Draft(kind, key, title, "", words, sheet, made, verify(words, sheet))


def release_of(draft: Draft, released_by: str, released_on: str) -> Release:
    """Return what a released paper says of its release; `released_on` is an ISO day."""
    return Release(draft.hash, (), released_by, released_on)


def places(firm: Firm) -> Callable[[Draft], Place]:
    """Return how to tell whose book a draft lies in: its household's advisor's, the advisor's it is for, or the firm's.

    The returned function raises `FactError` for a draft about a household that the firm does not have.
    """
    households = firm.table("households", ["household_id", "advisor_id"])
    advisors = dict(zip(households["household_id"].astype(str), households["advisor_id"].astype(str), strict=True))

    def placed(draft: Draft) -> Place:
        about: dict[str, str] = {}
        for key in draft.sheet.about:
            kind, _, name = key.partition(":")
            about.setdefault(kind, name)
        household = about.get("household")
        if household is not None:
            if household not in advisors:
                raise FactError(f"{draft.kind} {draft.key} is about household {household}, which the firm has not")
            return Place(advisors[household], household)
        return Place(about.get("advisor", EVERY_BOOK))

    return placed


def _there(store: Store, command: BringPaper) -> tuple[str | None, int]:
    """The paper of this very content, unless another took its place; and how many of its kind and key there were.

    What people withdrew or released stays so: it is not brought again until its text or facts change.
    """
    same = select(paper).where(paper.c.kind == command.kind, paper.c.key == command.key)
    with store.reading() as connection:
        rows = connection.execute(same).all()
    content = (hash_of(command.text), hash_of(command.facts), command.book)
    for row in rows:
        if (row.drafted_hash, row.facts_hash, row.book) == content and row.state != PaperState.SUPERSEDED:
            return str(row.paper_id), len(rows)
    return None, len(rows)
