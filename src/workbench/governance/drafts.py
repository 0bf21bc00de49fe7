"""Drafted texts that go with a signal: the machine's words, how they were made, and a person's in their place.

A draft that the verifier does not wholly support stands in its signal's way until it is corrected or discarded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from workbench.canonical import canonical
from workbench.errors import DecisionError, ParameterError
from workbench.governance import documents, signals, verified
from workbench.governance.access import Actor
from workbench.governance.commands import AddDraft, DiscardDraft, Document, EditDraft
from workbench.governance.handlers_of import Handlers
from workbench.governance.lessons.edits import edit
from workbench.governance.standing import Signal
from workbench.governance.tables import draft
from workbench.governance.unit import Done, Unit

#: What the record of a machine's draft holds.
HOW_IT_WAS_MADE = ("prompt", "model", "parameters", "masked_input", "raw_output", "verifier_report")
_DRAFT = select(draft).where(
    draft.c.signal_id == bindparam("of"), draft.c.draft_id == bindparam("draft"), draft.c.discarded_at.is_(None)
)
_UPDATE = update(draft).where(draft.c.draft_id == bindparam("draft"))


def how_it_was_made(
    unit: Unit, actor: Actor, record: Iterable[tuple[str, str]], made: Iterable[tuple[str, Document]]
) -> dict[str, str]:
    """Keep how a text was made and return it by name, documents by their hash.

    Raises `ParameterError` where a service leaves out a part of it, or names one twice.
    """
    said, kept = tuple(record), tuple(made)
    names = [name for name, _ in (*said, *kept)]
    missing = [name for name in HOW_IT_WAS_MADE if name not in names]
    if actor.kind == "service" and missing and ("writer", "template") not in said:
        raise ParameterError(f"the record of a draft lacks {', '.join(missing)}; give each as a document", "record")
    if len(set(names)) < len(names):
        raise ParameterError("the record of a draft names something twice; give each once", "record")
    return {**dict(said), **{name: unit.keep(one) for name, one in kept}}


def add_draft(unit: Unit, actor: Actor, command: AddDraft) -> Done:
    """Keep a drafted text with how it was made and what the verifier says of it.

    Raises `ParameterError` as `how_it_was_made`, and for a report that is not of this text and these facts.
    """
    found, state = signals.judged(unit, actor, command)
    record = how_it_was_made(unit, actor, command.record, command.made)
    checked = _verified(unit, command)
    drafted = unit.keep(command.text)
    draft_id = unit.new_id("draft")
    unit.connection.execute(
        insert(draft),
        {
            "draft_id": draft_id,
            "signal_id": found.signal_id,
            "kind": command.kind,
            "drafted_hash": drafted,
            "current_hash": drafted,
            "record": canonical(record).decode(),
            "created_at": unit.now,
            **checked,
        },
    )
    changed = signals.change(unit, found, state)
    details = {"draft_id": draft_id, "drafted": drafted, "record": record, **checked}
    return signals.done(found, changed, details=details, message=False)


def _verified(unit: Unit, command: AddDraft) -> dict[str, Any]:
    """Columns of what the verifier says; empty ones where nobody verified it."""
    if command.facts is None or command.report is None:
        if command.facts is not command.report:
            raise ParameterError(
                "a draft's facts and the verifier's report go together; give both or neither", "report"
            )
        return {"facts_hash": None, "report_hash": None, "supported": None}
    facts = unit.keep(command.facts)
    whole = verified.supported(command.report, command.text, facts)
    return {"facts_hash": facts, "report_hash": unit.keep(command.report), "supported": int(whole)}


def edit_draft(unit: Unit, actor: Actor, command: EditDraft) -> Done:
    """Put a person's words in place of a draft; keep how far apart both are, in words, and what the verifier says.

    Whoever does is a maker of the signal from then on: the letter leaves with it, and another has to read it first.
    """
    found, state = signals.judged(unit, actor, command)
    row = _standing(unit, found, command.draft_id)
    before = documents.fetch(unit.connection, row.current_hash)
    text = before.body.decode("utf-8", "replace")
    if text == command.body:
        raise ParameterError("the text is the one that is there; change something, or leave it", "body")
    words = Document("draft", before.media_type, command.body.encode())
    checked: dict[str, Any] = {"report_hash": None, "supported": None}
    if command.report is not None:
        whole = verified.supported(command.report, words, row.facts_hash or "")
        checked = {"report_hash": unit.keep(command.report), "supported": int(whole)}
    current = unit.keep(words)
    distance = edit(text, command.body)
    values = {"current_hash": current, "edited_at": unit.now, **checked}
    unit.connection.execute(_UPDATE, {"draft": command.draft_id, **values})
    signals.add_makers(unit, actor, found.signal_id, command.action)
    signals.note_decision(
        unit, actor, found, command,
        before_hash=row.current_hash, after_hash=current, edit_distance=distance.distance, length=distance.length,
    )  # fmt: skip
    changed = signals.change(unit, found, state)
    details = {"draft_id": command.draft_id, "before": row.current_hash, "after": current, **checked}
    return signals.done(found, changed, reason=command.reason, details=details, message=False)


def discard_draft(unit: Unit, actor: Actor, command: DiscardDraft) -> Done:
    """Take a draft off its signal; text and record stay for the examiner."""
    found, state = signals.judged(unit, actor, command)
    signals.require_reason(command.reason)
    row = _standing(unit, found, command.draft_id)
    unit.connection.execute(_UPDATE, {"draft": command.draft_id, "discarded_at": unit.now})
    changed = signals.change(unit, found, state)
    details = {"draft_id": command.draft_id, "discarded": row.current_hash}
    return signals.done(found, changed, reason=command.reason, details=details, message=False)


def discard_outdated(unit: Unit, signal_id: str) -> list[str]:
    """Take off every draft whose facts are of trades that were changed since; return their identifiers."""
    outdated = (
        draft.c.signal_id == signal_id, draft.c.discarded_at.is_(None), draft.c.facts_hash.is_not(None),
    )  # fmt: skip
    names = list(unit.connection.execute(select(draft.c.draft_id).where(*outdated)).scalars())
    unit.connection.execute(update(draft).where(*outdated).values(discarded_at=unit.now))
    return names


def _standing(unit: Unit, found: Signal, draft_id: str) -> Row[Any]:
    row = unit.connection.execute(_DRAFT, {"of": found.signal_id, "draft": draft_id}).first()
    if row is None:
        raise DecisionError("there is no such draft of this signal; look at the signal anew")
    return row


HANDLERS: Handlers = {AddDraft: add_draft, DiscardDraft: discard_draft, EditDraft: edit_draft}
