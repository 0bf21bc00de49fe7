"""What pages show of people: their roles, deputies, emergencies. Read only; who may see it is asked by the page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from workbench.governance.roles import Role
from workbench.governance.tables import delegation, person, role_grant

_giver, _deputy = person.alias("giver"), person.alias("deputy")


@dataclass(frozen=True)
class PersonLine:
    """One person or service in the list, with the roles they hold."""

    person_id: str
    name: str
    kind: str
    email: str
    active: bool
    signs_in: bool
    roles: tuple[tuple[str, str], ...]


def people(connection: Connection, *, with_former: bool) -> list[PersonLine]:
    """Return everybody by name, those who left only where asked for."""
    query = select(person).order_by(person.c.active.desc(), func.lower(person.c.name), person.c.person_id)
    if not with_former:
        query = query.where(person.c.active == 1)
    held: dict[str, list[tuple[str, str]]] = {}
    for grant in connection.execute(
        select(role_grant).where(role_grant.c.revoked_at.is_(None)).order_by(role_grant.c.role, role_grant.c.book)
    ):
        held.setdefault(grant.person_id, []).append((grant.role, grant.book))
    return [
        PersonLine(
            row.person_id, row.name, row.kind, row.email or "", bool(row.active),
            bool(row.password_hash or row.subject), tuple(held.get(row.person_id, ())),
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def one(connection: Connection, person_id: str) -> Row[Any] | None:
    """Return a person's row, active or not."""
    return connection.execute(select(person).where(person.c.person_id == person_id)).one_or_none()


def grants_of(connection: Connection, person_id: str) -> list[Row[Any]]:
    """Return the roles a person holds, with who gave them and when."""
    return list(
        connection.execute(
            select(role_grant, person.c.name.label("giver"))
            .outerjoin(person, person.c.person_id == role_grant.c.granted_by)
            .where(role_grant.c.person_id == person_id, role_grant.c.revoked_at.is_(None))
            .order_by(role_grant.c.role, role_grant.c.book)
        )
    )


def delegations_of(connection: Connection, person_id: str, now: datetime) -> list[Row[Any]]:
    """Return what a person lent to deputies and has not ended."""
    return _delegations(connection, now, delegation.c.from_person == person_id)


def delegations(connection: Connection, now: datetime) -> list[Row[Any]]:
    """Return every delegation that has not ended."""
    return _delegations(connection, now)


def possible_deputies(connection: Connection, person_id: str) -> list[tuple[str, str]]:
    """Return who may be named as a deputy: active people other than this one who do not administer people."""
    administers = select(role_grant.c.person_id).where(
        role_grant.c.role == Role.ADMINISTRATOR.value, role_grant.c.revoked_at.is_(None)
    )
    rows = connection.execute(
        select(person.c.person_id, person.c.name)
        .where(person.c.active == 1, person.c.kind == "person", person.c.person_id != person_id)
        .where(person.c.person_id.not_in(administers))
        .order_by(func.lower(person.c.name))
    )
    return [(row.person_id, row.name) for row in rows]


def _delegations(connection: Connection, now: datetime, *which: Any) -> list[Row[Any]]:
    query = (
        select(delegation, _giver.c.name.label("giver"), _deputy.c.name.label("deputy"))
        .join(_giver, _giver.c.person_id == delegation.c.from_person)
        .join(_deputy, _deputy.c.person_id == delegation.c.to_person)
        .where(delegation.c.revoked_at.is_(None), delegation.c.ends_at > now, *which)
        .order_by(delegation.c.starts_at, delegation.c.delegation_id)
    )
    return list(connection.execute(query))
