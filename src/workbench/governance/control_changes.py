"""A change of the house's limits on itself, and what it means for signals approved under the old ones.

    store.perform(Who("cora"), ChangeControls((("approval_hours", 12),), "Half a day is enough"), key_1)    # holds
    store.perform(Who("cora"), ChangeControls((("approval_hours", 48),), "Over the holidays"), key_2)       # waits
    store.perform(Who("carl"), AdoptControls(proposal.hash, "Agreed by the committee"), key_3)              # holds

What is at least as strict as before holds at once. Whatever loosens a control waits for another person of compliance:
nobody alone lets large trades pass with one approver.
"""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import insert, select

from workbench.errors import AccessError, DecisionError, ParameterError, StaleError
from workbench.governance import control_proposals, signals
from workbench.governance import controls as limits
from workbench.governance.access import Actor
from workbench.governance.audit.record import Entry
from workbench.governance.commands import AdoptControls, ChangeControls, WithdrawControls
from workbench.governance.control_proposals import ControlProposal
from workbench.governance.controls import Controls
from workbench.governance.handlers_of import Handlers
from workbench.governance.life_cycle import approvers_needed, valid_approvals
from workbench.governance.states import Action, State
from workbench.governance.tables import controls, signal
from workbench.governance.unit import Done, Unit

ALERT = "alert.controls"
_APPROVED = select(signal.c.signal_id).where(signal.c.state == "approved").order_by(signal.c.signal_id)


def change_controls(unit: Unit, actor: Actor, command: ChangeControls) -> Done:
    """Put a new version of the controls in force, or let it wait for a second person where it loosens one of them.

    Raises `ParameterError` for what is no control or out of its range, `DecisionError` where the same change waits.
    """
    signals.require_reason(command.reason)
    for name, _ in command.changes:
        if name not in limits.NAMES:
            raise ParameterError(f"{name[:40]!r} is no control; the controls are {', '.join(limits.NAMES)}", "changes")
    new = Controls(**{**asdict(unit.controls), **dict(command.changes), "version": unit.controls.version + 1})
    if limits.loosened(*_difference(unit.controls, new)):
        return _propose(unit, actor, new, command)
    return _put_in_force(unit, actor, new, command.reason)


def _propose(unit: Unit, actor: Actor, new: Controls, command: ChangeControls) -> Done:
    before, after = _difference(unit.controls, new)
    proposal = ControlProposal(
        unit.controls.version, before, after, command.reason, actor.person_id, actor.on_behalf_of, unit.now, 0
    )
    if any(one.hash == proposal.hash for one in control_proposals.waiting(unit.connection, proposal.on)):
        raise DecisionError("this very change waits for a second person of compliance already")
    unit.examine("controls", "controls")
    return Done(
        object_kind="controls", object_id="controls", version=proposal.on, state="proposed", after=proposal.hash,
        reason=command.reason,
        details={
            "state": "proposed", "on": proposal.on, "before": before, "after": after,
            "proposal": proposal.hash,
        },
        messages=((ALERT, {"what": "proposed", "version": proposal.on, "proposal": proposal.hash}),),
    )  # fmt: skip


def adopt_controls(unit: Unit, actor: Actor, command: AdoptControls) -> Done:
    """Put in force what another person of compliance proposed.

    Raises `AccessError` (`maker`) for whoever proposed it, themselves or through somebody else, `StaleError` where the
    controls were changed since, `DecisionError` where it does not wait.
    """
    proposal = _waiting(unit, command.proposal)
    if actor.persons & proposal.persons:
        raise AccessError("whoever proposed looser controls does not confirm them; ask somebody else", "maker")
    new = Controls(**{**asdict(unit.controls), **proposal.after, "version": unit.controls.version + 1})
    return _put_in_force(unit, actor, new, command.note or None, proposal)


def withdraw_controls(unit: Unit, actor: Actor, command: WithdrawControls) -> Done:
    """Take a change that waits back, by anybody of compliance: the stricter controls stay. Raises as adoption does."""
    signals.require_reason(command.reason)
    proposal = _waiting(unit, command.proposal)
    unit.examine("controls", "controls")
    return Done(
        object_kind="controls", object_id="controls", version=unit.controls.version, state="withdrawn",
        before=proposal.hash, reason=command.reason,
        details={"state": "withdrawn", "proposal": proposal.hash},
        messages=((ALERT, {"what": "withdrawn", "version": unit.controls.version, "proposal": proposal.hash}),),
    )  # fmt: skip


def _waiting(unit: Unit, asked: str) -> ControlProposal:
    """Return the proposal of this hash, if it waits on the controls in force."""
    found = next((one for one in control_proposals.history(unit.connection) if one.hash == asked), None)
    if found is None or found.state != "proposed":
        what = "was never proposed" if found is None else f"was {found.state} already"
        raise DecisionError(f"change {asked[:12]!r} of the controls {what}; look at the controls again")
    if found.on != unit.controls.version:
        raise StaleError(
            f"the change was proposed on version {found.on} of the controls, and version {unit.controls.version} is in "
            "force; propose it anew"
        )
    return found


def _put_in_force(
    unit: Unit, actor: Actor, new: Controls, reason: str | None, proposal: ControlProposal | None = None
) -> Done:
    """Write the new version; approved signals that do not meet it wait for approval again."""
    unit.examine("controls", "controls")
    unit.connection.execute(
        insert(controls).values(version=new.version, body=limits.body(new), set_by=actor.person_id, set_at=unit.now)
    )
    lapsed = []
    for signal_id in unit.connection.execute(_APPROVED).scalars().all():
        entry = _lapse_short(unit, actor, signal_id, new)
        if entry is not None:
            lapsed.append(entry)
    before, after = _difference(unit.controls, new)
    state = "adopted" if proposal else "in_force"
    named = {"proposal": proposal.hash, "proposed_in": proposal.sequence} if proposal else {}
    told = {"what": state, "version": new.version, "lapsed": len(lapsed)}
    return Done(
        object_kind="controls",
        object_id="controls",
        version=new.version,
        state=state,
        after=proposal.hash if proposal else None,
        reason=reason,
        details={"state": state, "before": before, "after": after, "lapsed": len(lapsed), **named},
        messages=((ALERT, told),),
        earlier=tuple(lapsed),
        also=tuple(entry.object_id for entry in lapsed),
    )


def _difference(present: Controls, new: Controls) -> tuple[dict[str, int], dict[str, int]]:
    """Return the old and the new values of the controls that differ."""
    changed = [name for name in limits.NAMES if getattr(present, name) != getattr(new, name)]
    return {name: getattr(present, name) for name in changed}, {name: getattr(new, name) for name in changed}


def _lapse_short(unit: Unit, actor: Actor, signal_id: str, new: Controls) -> Entry | None:
    """Let a signal wait for another approver where those it has are too few now; they stay."""
    found = signals.of(unit, signal_id)
    valid = valid_approvals(found.standing, unit.now)
    if len(valid) >= approvers_needed(found.standing, valid, new):
        return None
    changed = signals.change(unit, found, State.SUBMITTED)
    return signals.consequence(unit, actor, Action.LAPSE, found, changed, reason="controls changed")


HANDLERS: Handlers = {
    AdoptControls: adopt_controls,
    ChangeControls: change_controls,
    WithdrawControls: withdraw_controls,
}
