"""From an approved signal to shares: released by a person, exported, acknowledged, filled."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from workbench.errors import ParameterError
from workbench.governance import signals
from workbench.governance.access import Actor
from workbench.governance.commands import Acknowledge, Export, Fill, Release
from workbench.governance.handlers_of import Handlers
from workbench.governance.tables import decision
from workbench.governance.unit import Done, Unit

_REVISIONS = (
    select(decision.c.before_hash)
    .where(decision.c.signal_id == bindparam("of"), decision.c.action == "revise")
    .order_by(decision.c.version)
)


def release(unit: Unit, actor: Actor, command: Release) -> Done:
    """Let a signal leave: its approvals hold, its inputs are unchanged, nothing of the household is under way."""
    found, state = signals.judged(unit, actor, command)
    changed = signals.change(unit, found, state, released_by=actor.person_id, released_at=unit.now)
    revisions = unit.connection.execute(_REVISIONS, {"of": found.signal_id}).scalars().all()
    drafted = revisions[0] if revisions else found.row.package_hash
    details = {"shown": command.sheet_hash, "drafted_package": drafted, "revisions": len(revisions)}
    return signals.done(found, changed, details=details)


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
