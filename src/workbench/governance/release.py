"""From an approved signal to shares: released by a person, exported, acknowledged, filled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, select

from workbench.errors import DecisionError, ParameterError
from workbench.governance import documents, signals, verified
from workbench.governance.access import Actor
from workbench.governance.commands import Acknowledge, Export, Fill, Release
from workbench.governance.difference import difference
from workbench.governance.handlers_of import Handlers
from workbench.governance.standing import Signal
from workbench.governance.tables import decision, draft
from workbench.governance.unit import Done, Unit

_REVISIONS = (
    select(decision.c.before_hash)
    .where(decision.c.signal_id == bindparam("of"), decision.c.action == "revise")
    .order_by(decision.c.version)
)
_DRAFTS = (
    select(draft.c.draft_id, draft.c.drafted_hash, draft.c.current_hash, draft.c.facts_hash, draft.c.report_hash)
    .where(draft.c.signal_id == bindparam("of"), draft.c.discarded_at.is_(None))
    .order_by(draft.c.draft_id)
)


def release(unit: Unit, actor: Actor, command: Release) -> Done:
    """Let a signal leave: its approvals hold, its inputs are unchanged, nothing of the household is under way.

    The record names what was shown and what became of what the machine drafted: the difference of the packages is a
    document of its own, each text is named as drafted and as it is now.
    """
    found, state = signals.judged(unit, actor, command)
    changed = signals.change(unit, found, state, released_by=actor.person_id, released_at=unit.now)
    drafted, revisions = _drafted(unit, found)
    details: dict[str, Any] = {"shown": command.sheet_hash, "drafted_package": drafted, "revisions": revisions}
    texts = unit.connection.execute(_DRAFTS, {"of": found.signal_id}).all()
    for text in texts:
        if text.facts_hash:
            verified.require(unit, text.current_hash, text.facts_hash)
    details["texts"] = [
        {
            "draft_id": text.draft_id,
            "drafted": text.drafted_hash,
            "released": text.current_hash,
            "facts": text.facts_hash,
            "report": text.report_hash,
        }
        for text in texts
    ]
    said = signals.done(found, changed, details=details)
    if drafted == found.row.package_hash:
        return said
    return replace(said, documents={**said.documents, **_difference(unit, drafted, found.row.package_hash)})


def _drafted(unit: Unit, found: Signal) -> tuple[str, int]:
    """The package as the machine drafted it, by its hash, and how often people revised it."""
    revisions = unit.connection.execute(_REVISIONS, {"of": found.signal_id}).scalars().all()
    return (revisions[0] if revisions else found.row.package_hash), len(revisions)


def _difference(unit: Unit, drafted: str, released: str) -> dict[str, str]:
    """Keep how two packages differ; nothing where the first was disposed of, as its hash in the record remains."""
    leaves = documents.fetch(unit.connection, released)
    try:
        came = documents.fetch(unit.connection, drafted)
    except DecisionError:
        return {}
    return {"difference": unit.keep(difference((drafted, came.body), (released, leaves.body)))}


def export(unit: Unit, actor: Actor, command: Export) -> Done:
    """Note that the ticket was written."""
    found, state = signals.judged(unit, actor, command)
    return signals.done(found, signals.change(unit, found, state, ticket_hash=command.ticket_hash))


def acknowledge(unit: Unit, actor: Actor, command: Acknowledge) -> Done:
    """Note that the receiving system has the ticket."""
    found, state = signals.judged(unit, actor, command)
    return signals.done(found, signals.change(unit, found, state), details={"reference": command.reference})


def fill(unit: Unit, actor: Actor, command: Fill) -> Done:
    """Note shares that came back, whole or in part. `filled` is in cents."""
    if command.filled < 0:
        raise ParameterError(f"filled is {command.filled}; give cents traded, never less than nothing", "filled")
    found, state = signals.judged(unit, actor, command, complete=command.complete)
    details = {"reference": command.reference, "filled": command.filled, "complete": command.complete}
    return signals.done(found, signals.change(unit, found, state), details=details)


HANDLERS: Handlers = {Acknowledge: acknowledge, Export: export, Fill: fill, Release: release}
