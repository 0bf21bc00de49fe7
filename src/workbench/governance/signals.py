"""Rows of a signal as acts change them: makers, decisions, the sheet, and the record of what was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from workbench.errors import ParameterError
from workbench.governance import documents
from workbench.governance.access import Actor
from workbench.governance.audit.record import Entry
from workbench.governance.commands import Command, SignalCommand
from workbench.governance.life_cycle import ON_CHECKS, Act, decide
from workbench.governance.standing import Signal, load, sheet_hash
from workbench.governance.states import Action, Mode, State
from workbench.governance.tables import approval, consent, decision, maker, signal
from workbench.governance.unit import Done, Unit

_UPDATE = update(signal).where(signal.c.signal_id == bindparam("of"))
_MAKER_KNOWN = select(maker.c.person_id).where(
    maker.c.signal_id == bindparam("signal_id"), maker.c.action == bindparam("action")
)
_MAKER = insert(maker)
_DECISION = insert(decision)
_VOID = (
    update(approval)
    .where(approval.c.signal_id == bindparam("of"), approval.c.voided_at.is_(None))
    .values(voided_at=bindparam("now", type_=approval.c.voided_at.type), void_reason=bindparam("why"))
)
_CONSENTS = select(consent.c.account_id, consent.c.source_document).where(
    consent.c.signal_id == bindparam("signal_id"), consent.c.package_hash == bindparam("package")
)


def judged(unit: Unit, actor: Actor, command: SignalCommand, **more: Any) -> tuple[Signal, State]:
    """Return the signal of a command and the state the act leads to. Raises `DecisionError` where it leads nowhere."""
    found = unit.signal
    assert found is not None  # `standing.admit` put it there
    act = Act(command.action, actor.persons, command.version, getattr(command, "sheet_hash", None), **more)
    state = decide(found.standing, act, unit.controls, unit.now)
    if command.action in ON_CHECKS:
        whole(unit.connection, found)
    return found, state


def whole(connection: Connection, found: Signal) -> None:
    """Refuse to decide on a sheet that nobody can read: each of its documents is there and is what its hash says.

    Raises `DecisionError` naming the document.
    """
    for name in (found.row.package_hash, found.row.preflight_hash, found.row.brief_hash):
        if name is not None:
            documents.fetch(connection, name)


def of(unit: Unit, signal_id: str) -> Signal:
    """Read a signal that is known to be there, as an act on another one needs it."""
    unit.examine("signal", signal_id)
    found = load(unit.connection, signal_id)
    assert found is not None
    return found


def consequence(
    unit: Unit, actor: Actor, action: Action, found: Signal, changed: Mapping[str, Any], reason: str | None = None
) -> Entry:
    """Return the record of what an act brought about at another signal."""
    because = "" if unit.command is None else str(unit.command.action)
    return unit.entry(actor, action, done(found, changed, reason=reason, details={"because": because}))


def require_reason(text: str, name: str = "reason") -> None:
    """Refuse an act that has to be explained and is not. Raises `ParameterError`."""
    if not text.strip():
        raise ParameterError(f"{name} is empty; say why, so that whoever comes later understands it", name)


def change(unit: Unit, found: Signal, state: State, **values: Any) -> dict[str, Any]:
    """Write a signal's new state and whatever else changed, one version further; return the changed columns."""
    changed = {"state": str(state), "version": found.standing.version + 1, "updated_at": unit.now, **values}
    unit.connection.execute(_UPDATE, {"of": found.signal_id, **changed})
    return changed


def sheet(unit: Unit, found: Signal, mode: Mode, **changed: Any) -> str:
    """Return the hash of a signal's sheet as it will be with `changed` columns; `overrides` may be among them."""
    row = {**found.row._mapping, **changed}
    consents = unit.connection.execute(_CONSENTS, {"signal_id": found.signal_id, "package": row["package_hash"]})
    overrides = changed.get(
        "overrides", [(f.rule_id, f.rule_version) for f in found.findings if f.overridden_by is not None]
    )
    return sheet_hash(
        signal_id=found.signal_id,
        package=row["package_hash"],
        preflight=row["preflight_hash"],
        brief=row["brief_hash"],
        inputs=row["inputs_hash"],
        rules=row["rules_hash"],
        overrides=overrides,
        consents=[(c.account_id, c.source_document) for c in consents],
        mode=mode,
        controls=unit.controls.version,
    )


def add_makers(unit: Unit, actor: Actor, signal_id: str, action: Action) -> None:
    """Note everybody behind an act as a maker of the signal."""
    known = set(unit.connection.execute(_MAKER_KNOWN, {"signal_id": signal_id, "action": str(action)}).scalars())
    rows = [
        {"signal_id": signal_id, "person_id": person, "action": str(action), "at": unit.now}
        for person in sorted(actor.persons - known)
    ]
    if rows:
        unit.connection.execute(_MAKER, rows)


def void_approvals(unit: Unit, found: Signal, why: str) -> int:
    """End every approval of a signal that was not ended yet; return how many."""
    if found.standing.approvals:
        unit.connection.execute(_VOID, {"of": found.signal_id, "now": unit.now, "why": why})
    return len(found.standing.approvals)


def note_decision(unit: Unit, actor: Actor, found: Signal, command: Command, **values: Any) -> None:
    """Keep what a person decided and why, to learn from."""
    unit.connection.execute(
        _DECISION,
        {
            "decision_id": unit.new_id("decision"),
            "signal_id": found.signal_id,
            "version": found.standing.version,
            "action": str(command.action),
            "person_id": actor.person_id,
            "on_behalf_of": actor.on_behalf_of,
            "rule_id": None,
            "reason_code": getattr(command, "reason_code", None),
            "reason": getattr(command, "reason", None) or getattr(command, "note", None) or None,
            "before_hash": None,
            "after_hash": None,
            "edit_distance": None,
            "length": None,
            "at": unit.now,
            **values,
        },
    )


def done(
    found: Signal,
    changed: Mapping[str, Any],
    *,
    reason: str | None = None,
    details: Mapping[str, Any] | None = None,
    message: bool = True,
) -> Done:
    """Return what an act on a signal did, for the record, the answer and the outbox."""
    row = {**found.row._mapping, **changed}
    body = {"signal_id": found.signal_id, "state": row["state"], "version": row["version"], "book": row["book"]}
    kept = {name: row[f"{name}_hash"] for name in ("package", "preflight", "brief", "ticket")}
    return Done(
        object_kind="signal",
        object_id=found.signal_id,
        version=row["version"],
        state=row["state"],
        sheet_hash=row["sheet_hash"],
        book=row["book"],
        before=found.standing.sheet_hash,
        after=row["sheet_hash"],
        reason=reason or None,
        policy=row["policy"],
        rules_hash=row["rules_hash"],
        inputs={"household": row["inputs_hash"], "snapshot": row["snapshot"]},
        documents={name: value for name, value in kept.items() if value is not None},
        details={"state_before": str(found.standing.state), "state": row["state"], **(details or {})},
        messages=((f"signal.{row['state']}", body),) if message else (),
    )
