"""What the firm's data are now: signals checked or approved on other data start anew."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import bindparam, select, update

from workbench.canonical import canonical
from workbench.errors import ParameterError
from workbench.governance import signals
from workbench.governance.access import Actor
from workbench.governance.audit.record import Entry
from workbench.governance.commands import SeeInputs
from workbench.governance.handlers_of import Handlers
from workbench.governance.states import TRANSITIONS, Action, State
from workbench.governance.submission import unchecked
from workbench.governance.tables import household_inputs, signal
from workbench.governance.unit import Done, Unit

_KNOWN = select(household_inputs.c.household_id, household_inputs.c.inputs_hash, household_inputs.c.snapshot)
_CHANGE = update(household_inputs).where(household_inputs.c.household_id == bindparam("of"))
#: Signals that stand on inputs which are no longer those of their household.
_OUTDATED = (
    select(signal.c.signal_id)
    .join(household_inputs, household_inputs.c.household_id == signal.c.household_id)
    .where(
        signal.c.state.in_(sorted(TRANSITIONS[Action.VOID])),
        signal.c.inputs_hash != household_inputs.c.inputs_hash,
    )
    .order_by(signal.c.signal_id)
)
#: Rows in one statement; both databases bound the number of its parameters.
_AT_ONCE = 1_000


def see_inputs(unit: Unit, actor: Actor, command: SeeInputs) -> Done:
    """Take note of what each named household's inputs hash to; void what was checked or approved on others."""
    told = dict(command.inputs)
    if len(told) != len(command.inputs):
        raise ParameterError("a household is named twice; give each once", "inputs")
    known = {row.household_id: (row.inputs_hash, row.snapshot) for row in unit.connection.execute(_KNOWN)}
    new = [name for name in told if name not in known]
    changed = [name for name in told if name in known and known[name] != (told[name], command.snapshot)]
    for start in range(0, len(new), _AT_ONCE):
        rows = [_row(unit, command, name, told[name]) for name in new[start : start + _AT_ONCE]]
        unit.connection.execute(household_inputs.insert().values(rows))
    if changed:
        unit.connection.execute(_CHANGE, [{"of": name, **_row(unit, command, name, told[name])} for name in changed])
    voided = [_void(unit, actor, signal_id) for signal_id in unit.connection.execute(_OUTDATED).scalars().all()]
    content = hashlib.sha256(canonical(dict(sorted(told.items())))).hexdigest()
    return Done(
        object_kind="inputs",
        object_id=command.snapshot,
        after=content,
        inputs={"snapshot": command.snapshot, "households": content},
        details={"households": len(told), "new": len(new), "changed": len(changed), "voided": len(voided)},
        messages=(("inputs.seen", {"snapshot": command.snapshot, "voided": len(voided)}),),
        earlier=tuple(voided),
        also=tuple(entry.object_id for entry in voided),
    )


def _row(unit: Unit, command: SeeInputs, household_id: str, inputs_hash: str) -> dict[str, Any]:
    return {
        "household_id": household_id,
        "inputs_hash": inputs_hash,
        "snapshot": command.snapshot,
        "seen_at": unit.now,
    }


def _void(unit: Unit, actor: Actor, signal_id: str) -> Entry:
    found = signals.of(unit, signal_id)
    signals.void_approvals(unit, found, "the firm's data changed")
    values = unchecked(unit, found)
    sheet = signals.sheet(unit, found, found.standing.mode, **values, overrides=[])
    changed = signals.change(unit, found, State.DRAFT, **values, sheet_hash=sheet)
    return signals.consequence(unit, actor, Action.VOID, found, changed)


HANDLERS: Handlers = {SeeInputs: see_inputs}
