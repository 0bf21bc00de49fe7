"""From a browser's cookie to a person: the session, on whose behalf it acts, and what both may do at this moment."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Connection, select

from workbench.desk import cookies, tickets
from workbench.desk.settings import Settings
from workbench.errors import AccessError
from workbench.governance.access import Actor, Who, actor
from workbench.governance.store import Store
from workbench.governance.tables import delegation, desk_session, person


@dataclass(frozen=True)
class Session:
    """A session that holds at this moment."""

    token_hash: str
    person_id: str
    form_token: str


@dataclass(frozen=True)
class Identity:
    """Who asks, what they may do now, and for whom else they might act."""

    who: Who
    actor: Actor
    acting_name: str | None
    may_act_for: tuple[tuple[str, str], ...]


def current(request: Request) -> Session | None:
    """Return the session of the request's cookie, None where there is none that holds."""
    state = request.app.state
    token = cookies.get(request, "session", state.settings)
    if not token:
        return None
    store: Store = state.store
    token_hash = hashlib.sha256(token.encode()).hexdigest()
    with store.reading() as connection:
        row = connection.execute(select(desk_session).where(desk_session.c.token_hash == token_hash)).one_or_none()
    if row is None or row.ends_at <= store.clock():
        return None
    return Session(row.token_hash, row.person_id, row.form_token)


def holds(store: Store, token_hash: str) -> bool:
    """Say whether the session of this hash still holds; for what a browser asks for without its cookie."""
    with store.reading() as connection:
        row = connection.execute(select(desk_session).where(desk_session.c.token_hash == token_hash)).one_or_none()
    return row is not None and row.ends_at > store.clock()


def acting_for(request: Request, session: Session, settings: Settings) -> str | None:
    """Return on whose behalf the person chose to act: a choice among what they may, never a right."""
    chosen = tickets.opened(settings.secret, "acting", cookies.get(request, "acting", settings))
    token_hash, _, person_id = (chosen or "").partition(" ")
    return person_id if person_id and same(token_hash, session.token_hash) else None


def identify(store: Store, session: Session, acting: str | None) -> Identity:
    """Read who asks and what they hold now; a delegation that has ended falls back to the person's own name.

    Raises `AccessError("signed_out")` for somebody deactivated since.
    """
    now = store.clock()
    with store.reading() as connection:
        offers = _delegators(connection, session.person_id, now)
        who = Who(session.person_id, acting if acting in dict(offers) else None)
        try:
            found = actor(connection, who, now)
        except AccessError as error:
            if error.rule == "signed_out" or who.on_behalf_of is None:
                raise
            who = Who(session.person_id)
            found = actor(connection, who, now)
    return Identity(who, found, dict(offers).get(who.on_behalf_of or ""), offers)


def same(first: str, second: str) -> bool:
    """Compare two secrets in a time that does not depend on where they differ."""
    return hmac.compare_digest(first.encode(), second.encode())


def _delegators(connection: Connection, person_id: str, now: object) -> tuple[tuple[str, str], ...]:
    rows = connection.execute(
        select(person.c.person_id, person.c.name)
        .join(delegation, delegation.c.from_person == person.c.person_id)
        .where(
            delegation.c.to_person == person_id,
            delegation.c.starts_at <= now,
            delegation.c.ends_at > now,
            delegation.c.revoked_at.is_(None),
            person.c.active == 1,
        )
        .distinct()
        .order_by(person.c.name)
    )
    return tuple((row.person_id, row.name) for row in rows)
