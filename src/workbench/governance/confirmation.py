"""A role takes effect when a second person confirms it: no administrator makes up people and acts as them.

    store.perform(Who("ann"), GrantRole("ben", Role.TRADER, "*", "joins the desk"), key_1)    # waits
    store.perform(Who("cleo"), ConfirmGrant(grant_id), key_2)                                 # holds

Compliance confirms, or an administrator who did not give the role. While the firm never had a compliance officer for
all books nobody could, so that roles hold at once, and their records say so. A service account's hold at once: it does
not sign in and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from workbench.errors import AccessError, DecisionError
from workbench.governance.access import EVERY_BOOK, Actor, holds
from workbench.governance.commands import Command
from workbench.governance.handlers_of import Handlers
from workbench.governance.roles import Role
from workbench.governance.states import Action
from workbench.governance.tables import desk_session, person, role_grant
from workbench.governance.unit import Done, Unit

#: What a grant's record says of it: it waits for a second person, or why it holds at once.
Confirmation = Literal["waits", "set_up", "service"]
ALERT = "alert.people"


@dataclass(frozen=True)
class ConfirmGrant(Command):
    """Let a role that somebody else gave take effect."""

    action: ClassVar[Action] = Action.CONFIRM_GRANT
    grant_id: str


def asked_of(unit: Unit, kind: str) -> Confirmation:
    """Say whether a new grant to a person or service waits for a second person, and why not where it does not.

    An officer who left ends no set-up anew: else an administrator would close that account and grant alone.
    """
    if kind == "service":
        return "service"
    officer = select(role_grant.c.grant_id).where(
        role_grant.c.role == Role.COMPLIANCE.value, role_grant.c.book == EVERY_BOOK, holds(role_grant)
    )
    return "set_up" if unit.connection.execute(officer.limit(1)).first() is None else "waits"


def keep_a_confirmer(unit: Unit, leaving: ColumnElement[bool]) -> None:
    """Refuse to leave the firm without anybody who could confirm a role. Raises `DecisionError`."""
    if asked_of(unit, "person") == "set_up" or not _confirming(unit, role_grant.c.grant_id.is_not(None), leaving):
        return
    officers = _confirming(unit, role_grant.c.role == Role.COMPLIANCE.value, ~leaving)
    administrators = _confirming(unit, role_grant.c.role == Role.ADMINISTRATOR.value, ~leaving)
    if not officers and administrators < 2:
        raise DecisionError(
            "nobody would be left who can confirm roles; have another compliance officer confirmed first, and set this "
            "account another password meanwhile if it must not be used"
        )


def _confirming(unit: Unit, *which: ColumnElement[bool]) -> int:
    """Count the people among some grants who may confirm roles."""
    may = or_(
        and_(role_grant.c.role == Role.COMPLIANCE.value, role_grant.c.book == EVERY_BOOK),
        role_grant.c.role == Role.ADMINISTRATOR.value,
    )
    people = (
        select(func.count(role_grant.c.person_id.distinct()))
        .join(person, person.c.person_id == role_grant.c.person_id)
        .where(may, *which, holds(role_grant), role_grant.c.revoked_at.is_(None), person.c.active == 1)
    )
    return int(unit.connection.execute(people).scalar_one())


def _confirm(unit: Unit, actor: Actor, command: ConfirmGrant) -> Done:
    found = select(role_grant, person.c.active).join(person, person.c.person_id == role_grant.c.person_id)
    row = unit.connection.execute(found.where(role_grant.c.grant_id == command.grant_id)).one_or_none()
    if row is None or row.revoked_at is not None or not row.active or not row.needs_confirming or row.confirmed_at:
        raise DecisionError("there is no such grant that waits; look at the person's roles again")
    if actor.person_id == row.person_id:
        raise AccessError("nobody confirms their own role; somebody else has to", "maker")
    if actor.person_id == row.granted_by:
        raise AccessError("you gave this role; compliance or another administrator has to confirm it", "maker")
    unit.examine("person", row.person_id)
    unit.connection.execute(
        update(role_grant)
        .where(role_grant.c.grant_id == row.grant_id)
        .values(confirmed_by=actor.person_id, confirmed_at=unit.now)
    )
    unit.connection.execute(desk_session.delete().where(desk_session.c.person_id == row.person_id))
    said = {"what": "confirmed", "role": row.role, "book": row.book, "grant": row.grant_id}
    return Done(
        object_kind="person",
        object_id=row.person_id,
        state="active",
        details={**said, "granted_by": row.granted_by},
        messages=((ALERT, {**said, "person": row.person_id}),),
    )


HANDLERS: Handlers = {ConfirmGrant: _confirm}
