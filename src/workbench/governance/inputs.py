"""What the firm's data are now: signals checked or approved on other data start anew."""

from __future__ import annotations

import hashlib
import json

from sqlalchemy import select, text

from workbench.canonical import canonical
from workbench.errors import ParameterError
from workbench.governance import signals
from workbench.governance.access import Actor
from workbench.governance.audit.record import Entry
from workbench.governance.commands import SeeInputs
from workbench.governance.handlers_of import Handlers
from workbench.governance.states import TRANSITIONS, Action, State
from workbench.governance.submission import unchecked
from workbench.governance.tables import household_inputs, signal, written
from workbench.governance.unit import Done, Unit

_KNOWN = select(household_inputs.c.household_id, household_inputs.c.inputs_hash)
#: A firm's households in one statement: a hundred thousand round trips would take minutes.
_SEEN = {
    name: text(
        "INSERT INTO household_inputs (household_id, inputs_hash, snapshot, seen_at) "
        f"SELECT {columns}, :snapshot, :now FROM {rows} WHERE true "
        "ON CONFLICT (household_id) DO UPDATE SET "
        "inputs_hash = excluded.inputs_hash, snapshot = excluded.snapshot, seen_at = excluded.seen_at"
    )
    for name, columns, rows in (
        ("sqlite", "value ->> 0, value ->> 1", "json_each(:told)"),
        ("postgresql", "pair ->> 0, pair ->> 1", "jsonb_array_elements(CAST(:told AS jsonb)) AS pair"),
    )
}
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


def see_inputs(unit: Unit, actor: Actor, command: SeeInputs) -> Done:
    """Take note of what each named household's inputs hash to; void what was checked or approved on others."""
    told = dict(command.inputs)
    if len(told) != len(command.inputs):
        raise ParameterError("a household is named twice; give each once", "inputs")
    unit.examine("inputs", command.snapshot)
    known = {row.household_id: row.inputs_hash for row in unit.connection.execute(_KNOWN)}
    new = sum(name not in known for name in told)
    changed = sum(name in known and known[name] != inputs for name, inputs in told.items())
    pairs = json.dumps(list(told.items()))
    now = {"told": pairs, "snapshot": command.snapshot, "now": written(unit.now)}
    unit.connection.execute(_SEEN[unit.connection.dialect.name], now)
    voided = [_void(unit, actor, signal_id) for signal_id in unit.connection.execute(_OUTDATED).scalars().all()]
    content = hashlib.sha256(canonical(dict(sorted(told.items())))).hexdigest()
    return Done(
        object_kind="inputs",
        object_id=command.snapshot,
        after=content,
        inputs={"snapshot": command.snapshot, "households": content},
        details={"households": len(told), "new": new, "changed": changed, "voided": len(voided)},
        messages=(("inputs.seen", {"snapshot": command.snapshot, "voided": len(voided)}),),
        earlier=tuple(voided),
        also=tuple(entry.object_id for entry in voided),
    )


def _void(unit: Unit, actor: Actor, signal_id: str) -> Entry:
    found = signals.of(unit, signal_id)
    signals.void_approvals(unit, found, "the firm's data changed")
    values = unchecked(unit, found)
    sheet = signals.sheet(unit, found, found.standing.mode, **values, overrides=[])
    changed = signals.change(unit, found, State.DRAFT, **values, sheet_hash=sheet)
    return signals.consequence(unit, actor, Action.VOID, found, changed)


HANDLERS: Handlers = {SeeInputs: see_inputs}
