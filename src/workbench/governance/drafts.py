"""Drafted texts that go with a signal: the machine's words, how they were made, and a person's in their place."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select, update

from workbench.canonical import canonical
from workbench.errors import DecisionError, ParameterError
from workbench.governance import documents, signals
from workbench.governance.access import Actor
from workbench.governance.commands import AddDraft, Document, EditDraft
from workbench.governance.handlers_of import Handlers
from workbench.governance.lessons.edits import edit
from workbench.governance.tables import draft
from workbench.governance.unit import Done, Unit

#: What the record of a machine's draft holds.
HOW_IT_WAS_MADE = ("prompt", "model", "parameters", "masked_input", "raw_output", "verifier_report")
_DRAFT = select(draft).where(draft.c.signal_id == bindparam("of"), draft.c.draft_id == bindparam("draft"))
_UPDATE = update(draft).where(draft.c.draft_id == bindparam("draft"))


def add_draft(unit: Unit, actor: Actor, command: AddDraft) -> Done:
    """Keep a drafted text with how it was made. Raises `ParameterError` where a service leaves out a part of that."""
    found, state = signals.judged(unit, actor, command)
    names = [name for name, _ in (*command.record, *command.made)]
    missing = [name for name in HOW_IT_WAS_MADE if name not in names]
    if actor.kind == "service" and missing and ("writer", "template") not in command.record:
        raise ParameterError(f"the record of a draft lacks {', '.join(missing)}; give each as a document", "record")
    if len(set(names)) < len(names):
        raise ParameterError("the record of a draft names something twice; give each once", "record")
    drafted = unit.keep(command.text)
    draft_id = unit.new_id("draft")
    record = {**dict(command.record), **{name: unit.keep(kept) for name, kept in command.made}}
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
        },
    )
    changed = signals.change(unit, found, state)
    details = {"draft_id": draft_id, "drafted": drafted, "record": record}
    return signals.done(found, changed, details=details, message=False)


def edit_draft(unit: Unit, actor: Actor, command: EditDraft) -> Done:
    """Put a person's words in place of a draft; keep how far apart both are, in words."""
    found, state = signals.judged(unit, actor, command)
    row = unit.connection.execute(_DRAFT, {"of": found.signal_id, "draft": command.draft_id}).first()
    if row is None:
        raise DecisionError("there is no such draft of this signal; look at the signal anew")
    before = documents.fetch(unit.connection, row.current_hash)
    text = before.body.decode("utf-8", "replace")
    if text == command.body:
        raise ParameterError("the text is the one that is there; change something, or leave it", "body")
    current = unit.keep(Document("draft", before.media_type, command.body.encode()))
    distance = edit(text, command.body)
    unit.connection.execute(_UPDATE, {"draft": command.draft_id, "current_hash": current, "edited_at": unit.now})
    signals.note_decision(
        unit, actor, found, command,
        before_hash=row.current_hash, after_hash=current, edit_distance=distance.distance, length=distance.length,
    )  # fmt: skip
    changed = signals.change(unit, found, state)
    details = {"draft_id": command.draft_id, "before": row.current_hash, "after": current}
    return signals.done(found, changed, reason=command.reason, details=details, message=False)


HANDLERS: Handlers = {AddDraft: add_draft, EditDraft: edit_draft}
