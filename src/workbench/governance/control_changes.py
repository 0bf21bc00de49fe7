"""A change of the house's limits on itself, and what it means for signals approved under the old ones."""

from __future__ import annotations

from dataclasses import asdict, fields

from sqlalchemy import insert, select

from workbench.errors import ParameterError
from workbench.governance import controls as limits
from workbench.governance import signals
from workbench.governance.access import Actor
from workbench.governance.audit.record import Entry
from workbench.governance.commands import ChangeControls
from workbench.governance.controls import Controls
from workbench.governance.handlers_of import Handlers
from workbench.governance.life_cycle import approvers_needed, valid_approvals
from workbench.governance.states import Action, State
from workbench.governance.tables import controls, signal
from workbench.governance.unit import Done, Unit

_APPROVED = select(signal.c.signal_id).where(signal.c.state == "approved").order_by(signal.c.signal_id)
NAMES = tuple(item.name for item in fields(Controls) if item.name != "version")


def change_controls(unit: Unit, actor: Actor, command: ChangeControls) -> Done:
    """Put a new version of the controls in force; approved signals that do not meet it wait for approval again."""
    signals.require_reason(command.reason)
    for name, _ in command.changes:
        if name not in NAMES:
            raise ParameterError(f"{name[:40]!r} is no control; the controls are {', '.join(NAMES)}", "changes")
    new = Controls(**{**asdict(unit.controls), **dict(command.changes), "version": unit.controls.version + 1})
    unit.examine("controls", "controls")
    unit.connection.execute(
        insert(controls).values(version=new.version, body=limits.body(new), set_by=actor.person_id, set_at=unit.now)
    )
    lapsed = []
    for signal_id in unit.connection.execute(_APPROVED).scalars().all():
        entry = _lapse_short(unit, actor, signal_id, new)
        if entry is not None:
            lapsed.append(entry)
    changed = {name: value for name, value in asdict(new).items() if value != getattr(unit.controls, name)}
    before = {name: getattr(unit.controls, name) for name in changed}
    return Done(
        object_kind="controls",
        object_id="controls",
        version=new.version,
        reason=command.reason,
        details={"before": before, "after": changed, "lapsed": len(lapsed)},
        messages=(("alert.controls", {"version": new.version, "lapsed": len(lapsed)}),),
        earlier=tuple(lapsed),
        also=tuple(entry.object_id for entry in lapsed),
    )


def _lapse_short(unit: Unit, actor: Actor, signal_id: str, new: Controls) -> Entry | None:
    """Let a signal wait for another approver where those it has are too few now; they stay."""
    found = signals.of(unit, signal_id)
    valid = valid_approvals(found.standing, unit.now)
    if len(valid) >= approvers_needed(found.standing, valid, new):
        return None
    changed = signals.change(unit, found, State.SUBMITTED)
    return signals.consequence(unit, actor, Action.LAPSE, found, changed, reason="controls changed")


HANDLERS: Handlers = {ChangeControls: change_controls}
