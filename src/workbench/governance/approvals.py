"""What a checker decides: to approve what was shown, to send it back, to close it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert

from workbench.governance import access, signals
from workbench.governance.access import Actor
from workbench.governance.commands import Approve, Reject, Return
from workbench.governance.handlers_of import Handlers
from workbench.governance.life_cycle import valid_approvals
from workbench.governance.submission import closed_or_returned
from workbench.governance.tables import approval
from workbench.governance.unit import Done, Unit

_APPROVAL = insert(approval)
#: Why approvals end that one is given anew for.
FELL = "an approval of the same content expired"


def approve(unit: Unit, actor: Actor, command: Approve) -> Done:
    """Approve exactly the sheet that was shown, until the controls' hours have passed."""
    found = unit.signal
    assert found is not None
    now = found.standing
    valid = valid_approvals(now, unit.now)
    passed = frozenset(person for given in valid for person in given.persons)
    grants = access.grants_for(
        actor, command.action, book=found.row.book, state=now.state, mode=now.mode, makers=now.makers, approvers=passed
    )
    through = grants[0].through
    found, state = signals.judged(unit, actor, command, broken_glass=through == "break_glass")
    if not valid:
        signals.void_approvals(unit, found, FELL)
    unit.connection.execute(
        _APPROVAL,
        {
            "approval_id": unit.new_id("approval"),
            "signal_id": found.signal_id,
            "version": command.version,
            "sheet_hash": command.sheet_hash,
            "person_id": actor.person_id,
            "on_behalf_of": actor.on_behalf_of,
            "through": through,
            "approved_at": unit.now,
            "expires_at": min(unit.now + timedelta(hours=unit.controls.approval_hours), found.row.expires_at),
        },
    )
    signals.note_decision(unit, actor, found, command)
    changed = signals.change(unit, found, state)
    return signals.done(found, changed, reason=command.note, details={"approvals": len(valid) + 1, "through": through})


def send_back(unit: Unit, actor: Actor, command: Return) -> Done:
    """Send a signal back to be changed; approvals given to it end."""
    return closed_or_returned(unit, actor, command, "returned")


def reject(unit: Unit, actor: Actor, command: Reject) -> Done:
    """Close a signal without trading."""
    return closed_or_returned(unit, actor, command, "rejected")


HANDLERS: Handlers = {Approve: approve, Reject: reject, Return: send_back}
