"""How far signals go: modes of models and accounts, the strictest of which holds for a signal."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, insert, select, update

from workbench.errors import ParameterError
from workbench.governance import signals
from workbench.governance.access import Actor
from workbench.governance.audit.record import Entry
from workbench.governance.commands import SetMode
from workbench.governance.handlers_of import Handlers
from workbench.governance.standing import strictest
from workbench.governance.states import OPEN, Action, Mode, State
from workbench.governance.tables import rollout, signal
from workbench.governance.unit import Done, Unit

_SET = select(rollout.c.kind, rollout.c.key, rollout.c.mode)
_INSERT = insert(rollout)
_UPDATE = update(rollout).where(rollout.c.kind == bindparam("of_kind"), rollout.c.key == bindparam("of_key"))
_OPEN = (
    select(signal.c.signal_id, signal.c.accounts, signal.c.models, signal.c.mode)
    .where(signal.c.state.in_(sorted(OPEN)))
    .order_by(signal.c.signal_id)
)


def set_mode(unit: Unit, actor: Actor, command: SetMode) -> Done:
    """Set a mode; open signals for which another one holds then lose their approvals, which were for the old one."""
    signals.require_reason(command.reason)
    if command.kind not in ("model", "account"):
        raise ParameterError("a mode is of a model or of an account", "kind")
    unit.examine(command.kind, command.key)
    before = _modes(unit.connection)
    earlier = before.get((command.kind, command.key))
    values = {
        "kind": command.kind, "key": command.key, "mode": str(command.mode), "reason": command.reason,
        "set_by": actor.person_id, "set_at": unit.now,
    }  # fmt: skip
    if earlier is None:
        unit.connection.execute(_INSERT, values)
    else:
        unit.connection.execute(_UPDATE, {"of_kind": command.kind, "of_key": command.key, **values})
    after = {**before, (command.kind, command.key): command.mode}
    touched = tuple(_resheet(unit, actor, one, mode) for one, mode in _changed(unit.connection, before, after))
    told = {"kind": command.kind, "mode": str(command.mode), "signals": len(touched)}
    return Done(
        object_kind=command.kind,
        object_id=command.key,
        state=str(command.mode),
        reason=command.reason,
        details={**told, "mode_before": None if earlier is None else str(earlier)},
        messages=(("alert.mode", told),),
        earlier=touched,
        also=tuple(entry.object_id for entry in touched),
    )


def _modes(connection: Connection) -> dict[tuple[str, str], Mode]:
    return {(row.kind, row.key): Mode(row.mode) for row in connection.execute(_SET)}


def _changed(
    connection: Connection, before: Mapping[tuple[str, str], Mode], after: Mapping[tuple[str, str], Mode]
) -> list[tuple[str, Mode]]:
    """Open signals whose effective mode is another, with the new one."""
    found = []
    for row in connection.execute(_OPEN).all():
        keys = [("account", key) for key in json.loads(row.accounts)] + [
            ("model", key) for key in json.loads(row.models)
        ]
        was, now = (strictest([Mode(row.mode), *(m[key] for key in keys if key in m)]) for m in (before, after))
        if was is not now:
            found.append((row.signal_id, now))
    return found


def _resheet(unit: Unit, actor: Actor, signal_id: str, mode: Mode) -> Entry:
    found = signals.of(unit, signal_id)
    waits = found.standing.state in (State.SUBMITTED, State.APPROVED)
    state = State.SUBMITTED if waits else found.standing.state
    signals.void_approvals(unit, found, "the rollout mode changed")
    changed = signals.change(unit, found, state, sheet_hash=signals.sheet(unit, found, mode))
    return signals.consequence(
        unit, actor, Action.LAPSE if waits else Action.SET_MODE, found, changed, reason="rollout mode changed"
    )


HANDLERS: Handlers = {SetMode: set_mode}
