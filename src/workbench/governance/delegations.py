"""Delegation: one person acts for another, for a time, with both names on everything.

The deputy names the person they act for; then they hold that person's own roles and books instead of their own, never
what was lent to that person, and nothing is lent on. Who made a signal is asked of both, so lending opens no way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import Connection, Row, insert, select, update

from workbench.errors import AccessError, DecisionError, ParameterError
from workbench.governance.access import Actor
from workbench.governance.commands import Command
from workbench.governance.handlers_of import Handlers
from workbench.governance.people import ALERT, given_reason, known
from workbench.governance.roles import Role
from workbench.governance.states import Action
from workbench.governance.tables import delegation, person, role_grant
from workbench.governance.unit import Done, Unit

LONGEST_DAYS = 90


@dataclass(frozen=True)
class Delegate(Command):
    """Let another person act for oneself from one moment (not before now) to another, at most 90 days."""

    action: ClassVar[Action] = Action.DELEGATE
    to_person: str
    starts_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True)
class RevokeDelegation(Command):
    """End a delegation one gave."""

    action: ClassVar[Action] = Action.DELEGATE
    delegation_id: str


@dataclass(frozen=True)
class EndDelegation(Command):
    """End anybody's delegation, as an administrator."""

    action: ClassVar[Action] = Action.MANAGE_PEOPLE
    delegation_id: str
    reason: str


def may_act_for(connection: Connection, person_id: str, now: datetime) -> tuple[tuple[str, str, datetime], ...]:
    """Return for whom a person may act at this moment: identifier, name, until when."""
    rows = connection.execute(
        select(delegation.c.from_person, person.c.name, delegation.c.ends_at)
        .join(person, person.c.person_id == delegation.c.from_person)
        .where(
            delegation.c.to_person == person_id,
            delegation.c.starts_at <= now,
            delegation.c.ends_at > now,
            delegation.c.revoked_at.is_(None),
            person.c.active == 1,
        )
        .order_by(person.c.name, delegation.c.ends_at)
    )
    latest = {row.from_person: (row.from_person, row.name, row.ends_at) for row in rows}
    return tuple(latest.values())


def _delegate(unit: Unit, actor: Actor, command: Delegate) -> Done:
    deputy = known(unit.connection, command.to_person)
    given_reason(command.reason)
    if deputy.person_id in actor.persons:
        raise DecisionError("you act for yourself already; name another person")
    if deputy.kind != "person":
        raise AccessError("nobody delegates to a service account; name a person", "service")
    if _administers(unit, deputy.person_id):
        raise DecisionError(f"{deputy.name} administers people and takes no part in signals; name another person")
    for moment in (command.starts_at, command.ends_at):
        if moment.tzinfo is None:
            raise ParameterError("a moment needs a time zone", "ends_at")
    starts = max(command.starts_at, unit.now)
    if not starts < command.ends_at <= starts + timedelta(days=LONGEST_DAYS):
        raise ParameterError(f"a delegation ends after it starts and lasts {LONGEST_DAYS} days at most", "ends_at")
    delegation_id = unit.new_id("delegation")
    unit.examine("delegation", delegation_id)
    unit.connection.execute(
        insert(delegation),
        {
            "delegation_id": delegation_id,
            "from_person": actor.person_id,
            "to_person": deputy.person_id,
            "starts_at": starts,
            "ends_at": command.ends_at,
            "reason": command.reason,
        },
    )
    return _done(delegation_id, "delegated", command.reason, actor.person_id, deputy.person_id)


def _revoke(unit: Unit, actor: Actor, command: RevokeDelegation) -> Done:
    row = _open(unit, command.delegation_id)
    if row.from_person != actor.person_id:
        raise AccessError("this delegation is another person's to end; ask them or an administrator", "role")
    return _end(unit, row, None)


def _end_anybodys(unit: Unit, actor: Actor, command: EndDelegation) -> Done:
    given_reason(command.reason)
    return _end(unit, _open(unit, command.delegation_id), command.reason)


def _end(unit: Unit, row: Row[Any], reason: str | None) -> Done:
    unit.examine("delegation", row.delegation_id)
    unit.connection.execute(
        update(delegation).where(delegation.c.delegation_id == row.delegation_id).values(revoked_at=unit.now)
    )
    return _done(row.delegation_id, "delegation_ended", reason, row.from_person, row.to_person)


def _open(unit: Unit, delegation_id: str) -> Row[Any]:
    row = unit.connection.execute(
        select(delegation).where(delegation.c.delegation_id == delegation_id)
    ).one_or_none()  # fmt: skip
    if row is None or row.revoked_at is not None or row.ends_at <= unit.now:
        raise DecisionError("there is no such delegation any more; look at the list again")
    return row


def _administers(unit: Unit, person_id: str) -> bool:
    held = select(role_grant.c.grant_id).where(
        role_grant.c.person_id == person_id,
        role_grant.c.role == Role.ADMINISTRATOR.value,
        role_grant.c.revoked_at.is_(None),
    )
    return unit.connection.execute(held).first() is not None


def _done(delegation_id: str, what: str, reason: str | None, giver: str, deputy: str) -> Done:
    said = {"what": what, "from": giver, "to": deputy}
    state = "open" if what == "delegated" else "ended"
    return Done(
        object_kind="delegation",
        object_id=delegation_id,
        state=state,
        reason=reason,
        details=said,
        messages=((ALERT, {**said, "delegation": delegation_id}),),
    )


HANDLERS: Handlers = {
    Delegate: _delegate,
    RevokeDelegation: _revoke,
    EndDelegation: _end_anybodys,
}
