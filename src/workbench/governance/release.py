"""From an approved signal to shares: released by a person, exported, acknowledged, filled."""

from __future__ import annotations

from workbench.governance import signals
from workbench.governance.access import Actor
from workbench.governance.commands import Release
from workbench.governance.handlers_of import Handlers
from workbench.governance.unit import Done, Unit


def release(unit: Unit, actor: Actor, command: Release) -> Done:
    """Let a signal leave: its approvals hold, its inputs are unchanged, nothing of the household is under way."""
    found, state = signals.judged(unit, actor, command)
    changed = signals.change(unit, found, state, released_by=actor.person_id, released_at=unit.now)
    return signals.done(found, changed, details={"shown": command.sheet_hash})


HANDLERS: Handlers = {Release: release}
