"""Who there is and what they hold, for administrators, compliance and auditors; and for oneself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from workbench.errors import AccessError
from workbench.governance.access import Actor, authorize
from workbench.governance.roles import Role
from workbench.governance.states import Action
from workbench.governance.tables import delegation, person, role_grant


@dataclass(frozen=True)
class HeldRole:
    """One grant, with who gave it and when; `grant_id` is what `RevokeRole` asks for.

    One that `waits` does not hold before somebody else confirms it (`ConfirmGrant`).
    """

    grant_id: str
    role: Role
    book: str
    granted_by: str
    granted_at: datetime
    confirmed_by: str | None = None
    waits: bool = False


@dataclass(frozen=True)
class Entrusted:
    """One delegation that holds now or later."""

    delegation_id: str
    from_person: str
    to_person: str
    starts_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True)
class Listed:
    """A person or service as the list shows them; how somebody signs in is said, never a password's hash."""

    person_id: str
    name: str
    kind: str
    email: str | None
    active: bool
    has_password: bool
    has_provider: bool
    created_at: datetime
    roles: tuple[HeldRole, ...]


def people(connection: Connection, actor: Actor, *, active: bool = True) -> tuple[Listed, ...]:
    """Return everybody with their roles, by name; with `active` False those who left too.

    Raises `AccessError` for who may not read about people.
    """
    authorize(actor, Action.READ_PEOPLE)
    query = select(person).order_by(person.c.name, person.c.person_id)
    rows = connection.execute(query.where(person.c.active == 1) if active else query).all()
    held = _held(connection)
    return tuple(_listed(row, held[row.person_id]) for row in rows)


def myself(connection: Connection, actor: Actor) -> Listed:
    """Return one's own entry: everybody may read that. Raises `AccessError` for somebody no longer there."""
    row = connection.execute(
        select(person).where(person.c.person_id == actor.person_id, person.c.active == 1)
    ).one_or_none()
    if row is None:
        raise AccessError("nobody active of this name; sign in again", "signed_out")
    return _listed(row, _held(connection, actor.person_id)[actor.person_id])


def delegations(connection: Connection, actor: Actor, now: datetime) -> tuple[Entrusted, ...]:
    """Return the delegations that hold now or later: all for who reads about people, else those one gave or got."""
    query = select(delegation).where(delegation.c.revoked_at.is_(None), delegation.c.ends_at > now)
    try:
        authorize(actor, Action.READ_PEOPLE)
    except AccessError:
        mine = (delegation.c.from_person == actor.person_id) | (delegation.c.to_person == actor.person_id)
        query = query.where(mine)
    rows = connection.execute(query.order_by(delegation.c.starts_at, delegation.c.delegation_id))
    return tuple(
        Entrusted(row.delegation_id, row.from_person, row.to_person, row.starts_at, row.ends_at, row.reason)
        for row in rows
    )


def colleagues(connection: Connection, actor: Actor) -> tuple[tuple[str, str], ...]:
    """Return identifier and name of everybody one may delegate to, by name. Raises `AccessError` for who may not."""
    authorize(actor, Action.DELEGATE)
    administers = select(role_grant.c.person_id).where(
        role_grant.c.role == Role.ADMINISTRATOR.value, role_grant.c.revoked_at.is_(None)
    )
    rows = connection.execute(
        select(person.c.person_id, person.c.name)
        .where(
            person.c.active == 1,
            person.c.kind == "person",
            person.c.person_id != actor.person_id,
            person.c.person_id.not_in(administers),
        )
        .order_by(person.c.name)
    )
    return tuple((row.person_id, row.name) for row in rows)


def _held(connection: Connection, person_id: str | None = None) -> dict[str, list[HeldRole]]:
    query = select(role_grant).where(role_grant.c.revoked_at.is_(None))
    if person_id is not None:
        query = query.where(role_grant.c.person_id == person_id)
    held: dict[str, list[HeldRole]] = defaultdict(list)
    for row in connection.execute(query.order_by(role_grant.c.role, role_grant.c.book)):
        held[row.person_id].append(
            HeldRole(
                row.grant_id, Role(row.role), row.book, row.granted_by, row.granted_at, row.confirmed_by,
                waits=bool(row.needs_confirming) and row.confirmed_at is None,
            )
        )  # fmt: skip
    return held


def _listed(row: Any, roles: Sequence[HeldRole]) -> Listed:
    return Listed(
        row.person_id, row.name, row.kind, row.email, bool(row.active), row.password_hash is not None,
        row.subject is not None, row.created_at, tuple(roles),
    )  # fmt: skip
