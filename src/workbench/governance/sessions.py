"""Signing in and out: who a browser speaks for, until when.

    signed_in = sign_in(store, "ben@firm.example", password, address="192.0.2.7")
    session = current(store, signed_in.token)      # None once it has ended
    sign_out(store, signed_in.token)

A session is 256 random bits; the database holds their SHA-256 only, so that a copy of it signs nobody in. A session
ends after `idle_minutes` without use and after `session_hours` in any case, by the store's clock, and when its person's
roles or password change. Each has a form token, without which no form of the desk does anything. A session opened with
a password that an administrator set is good for taking another one, and for nothing else.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from workbench.errors import AccessError
from workbench.governance import attempts, controls
from workbench.governance.audit.record import Entry
from workbench.governance.controls import Controls
from workbench.governance.passwords import hash_password, outdated, verify
from workbench.governance.store import Store
from workbench.governance.tables import desk_session, person
from workbench.governance.unit import Unit
from workbench.names import same_person

Way = Literal["password", "identity_provider"]
#: One message for unknown, deactivated and wrong: the page tells nobody who exists.
WRONG = "name or password is not right; try again, or ask an administrator"
TOO_OFTEN = "too many attempts to sign in; wait some minutes, or ask an administrator"
#: Use is noted once in this time, so that reading a page seldom writes.
_NOTED_EVERY = timedelta(minutes=1)
_BITS = 256
_LONGEST = 254


@dataclass(frozen=True)
class SignedIn:
    """A new session; `token` goes into the browser's cookie and is kept nowhere else."""

    token: str
    person_id: str
    form_token: str
    ends_at: datetime
    must_change: bool = False


@dataclass(frozen=True)
class Session:
    """A session that holds at this moment; `ends_at` is its absolute end.

    `must_change`: it was opened with a password that somebody else set.
    """

    token_hash: str
    person_id: str
    form_token: str
    created_at: datetime
    ends_at: datetime
    must_change: bool = False


def sign_in(store: Store, typed: str, password: str, address: str) -> SignedIn:
    """Open a session for who knows the password of an e-mail address, identifier or name.

    Raises `AccessError`: `signed_out` with one message for whatever is wrong, `throttled` after too many attempts. Both
    leave a record. The password is verified outside any transaction; the attempt is counted before.
    """
    with store.writing() as unit:
        made = attempts.reserve(unit, typed, address)
        row = find(unit.connection, typed)
        if made.over:
            attempts.record_refusal(unit, "sign_in", row.person_id if row else None, address, "throttled")
    if made.over:
        raise AccessError(TOO_OFTEN, "throttled")
    right = verify(row.password_hash if row else None, password)
    renewed = hash_password(password) if right and row and outdated(row.password_hash) else None
    with store.writing() as unit:
        right = right and row is not None and _unchanged(unit.connection, row)
        if right and row is not None:
            attempts.forget(unit, made)
            if renewed:
                unit.examine("person", row.person_id)
                unit.connection.execute(
                    update(person).where(person.c.person_id == row.person_id).values(password_hash=renewed)
                )
            return _open(unit, row.person_id, "password", address, must_change=row.password_by is not None)
        attempts.record_refusal(unit, "sign_in", row.person_id if row else None, address, "signed_out")
    raise AccessError(WRONG, "signed_out")


def sign_in_subject(store: Store, subject: str, address: str) -> SignedIn:
    """Open a session for whom the identity provider vouched; it makes nobody and grants nothing.

    Raises `AccessError("signed_out")` for a subject that is no active person's; that leaves a record.
    """
    with store.writing() as unit:
        made = attempts.reserve(unit, subject, address)
        row = _of_subject(unit.connection, subject)
        if row is not None:
            attempts.forget(unit, made)
            return _open(unit, row.person_id, "identity_provider", address)
        attempts.record_refusal(unit, "sign_in", None, address, "throttled" if made.over else "signed_out")
    raise AccessError(TOO_OFTEN if made.over else WRONG, "throttled" if made.over else "signed_out")


def current(store: Store, token: str) -> Session | None:
    """Return the session of a token, None where there is none or it has ended; its use is noted."""
    now, token_hash = store.clock(), _hash(token)
    with store.reading() as connection:
        row = _read(connection, token_hash)
        limits = controls.in_force(connection)
    if row is None or not _holds(row, limits, now):
        return None
    if now - row.seen_at >= _NOTED_EVERY:
        _note_use(store, token_hash)
    return Session(
        row.token_hash, row.person_id, row.form_token, row.created_at, row.ends_at, must_change=row.must_change == 1
    )


def rotate(store: Store, token: str) -> SignedIn | None:
    """Put a new token and form token in a session's place, as after breaking the glass; its end stays what it was.

    None where the session has ended.
    """
    with store.writing() as unit:
        row = _read(unit.connection, _hash(token))
        if row is None or not _holds(row, unit.controls, unit.now):
            return None
        unit.connection.execute(delete(desk_session).where(desk_session.c.token_hash == row.token_hash))
        return _insert(unit, row.person_id, row.created_at, row.ends_at, must_change=row.must_change == 1)


def sign_out(store: Store, token: str) -> None:
    """End one session; one that has ended already is no error."""
    with store.writing() as unit:
        row = _read(unit.connection, _hash(token))
        if row is not None:
            unit.connection.execute(delete(desk_session).where(desk_session.c.token_hash == row.token_hash))
            unit.append(_entry(unit, "sign_out", row.person_id, {"everywhere": False}))


def sign_out_everywhere(store: Store, person_id: str) -> int:
    """End every session of a person, by their own wish; returns how many there were."""
    with store.writing() as unit:
        ended = unit.connection.execute(delete(desk_session).where(desk_session.c.person_id == person_id)).rowcount
        if ended:
            unit.append(_entry(unit, "sign_out", person_id, {"everywhere": True, "sessions": ended}))
    return ended


def find(connection: Connection, typed: str) -> Row[Any] | None:
    """Return the active person of an e-mail address, identifier or name; None where nobody or several are meant."""
    said = typed[:_LONGEST].strip().casefold()
    people = connection.execute(select(person).where(person.c.active == 1, person.c.kind == "person")).all()
    for meant in (
        [row for row in people if said in ((row.email or "").casefold(), row.person_id) and said],
        [row for row in people if same_person(row.name, typed[:_LONGEST])],
    ):
        if meant:
            return meant[0] if len(meant) == 1 else None
    return None


def _of_subject(connection: Connection, subject: str) -> Row[Any] | None:
    if "\x00" in subject:  # PostgreSQL takes no such text
        return None
    return connection.execute(
        select(person).where(person.c.subject == subject, person.c.active == 1, person.c.kind == "person")
    ).one_or_none()


def _unchanged(connection: Connection, row: Row[Any]) -> bool:
    """Whether a person is still active with the password that was verified."""
    now = connection.execute(select(person).where(person.c.person_id == row.person_id)).one()
    return bool(now.active) and now.password_hash == row.password_hash


def _open(unit: Unit, person_id: str, way: Way, address: str, *, must_change: bool = False) -> SignedIn:
    idle_since = unit.now - timedelta(minutes=unit.controls.idle_minutes)
    over = (desk_session.c.ends_at <= unit.now) | (desk_session.c.seen_at <= idle_since)
    unit.connection.execute(delete(desk_session).where(over))
    ends_at = unit.now + timedelta(hours=unit.controls.session_hours)
    opened = _insert(unit, person_id, unit.now, ends_at, must_change=must_change)
    said = {"way": way, "address": attempts.tame(address)} | ({"first_password": True} if must_change else {})
    unit.append(_entry(unit, "sign_in", person_id, said))
    return opened


def _insert(unit: Unit, person_id: str, created_at: datetime, ends_at: datetime, *, must_change: bool) -> SignedIn:
    token, form_token = secrets.token_urlsafe(_BITS // 8), secrets.token_urlsafe(_BITS // 8)
    opened = SignedIn(token, person_id, form_token, ends_at, must_change)
    unit.connection.execute(
        insert(desk_session),
        {
            "token_hash": _hash(opened.token),
            "person_id": person_id,
            "form_token": opened.form_token,
            "created_at": created_at,
            "seen_at": unit.now,
            "ends_at": ends_at,
            "must_change": 1 if must_change else None,
        },
    )
    return opened


_SESSION = (
    select(desk_session)
    .join(person, person.c.person_id == desk_session.c.person_id)
    .where(desk_session.c.token_hash == bindparam("token_hash"), person.c.active == 1)
)


def _read(connection: Connection, token_hash: str) -> Row[Any] | None:
    return connection.execute(_SESSION, {"token_hash": token_hash}).one_or_none()


def _holds(row: Row[Any], limits: Controls, now: datetime) -> bool:
    """Whether a session goes on; one that began after `now` does not, for then the clock is wrong."""
    idle = timedelta(minutes=limits.idle_minutes)
    tolerance = timedelta(seconds=limits.clock_tolerance_seconds)
    absolute = min(row.ends_at, row.created_at + timedelta(hours=limits.session_hours))
    return bool(row.created_at - tolerance <= now < absolute and now < row.seen_at + idle)


def _note_use(store: Store, token_hash: str) -> None:
    with store.writing() as unit:
        unit.connection.execute(
            update(desk_session).where(desk_session.c.token_hash == token_hash).values(seen_at=unit.now)
        )


def _entry(unit: Unit, action: str, person_id: str, details: dict[str, Any]) -> Entry:
    return Entry(
        action=action,
        outcome="done",
        object_kind="person",
        object_id=person_id,
        object_version=0,
        actor=person_id,
        actor_kind="person",
        roles=(),
        controls_version=unit.controls.version,
        details=details,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
