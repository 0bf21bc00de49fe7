"""From a browser's cookie to a person: the session, on whose behalf it acts, and what both may do at this moment."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import select

from workbench.desk import cookies, tickets
from workbench.desk.settings import Settings
from workbench.governance import sessions
from workbench.governance.access import Actor, Who, actor
from workbench.governance.break_glass import in_hand
from workbench.governance.delegations import may_act_for
from workbench.governance.sessions import Session, SignedIn
from workbench.governance.store import Store
from workbench.governance.tables import desk_session, person

SESSION, START, ACTING = "session", "start", "acting"
#: What this desk gives out; anything else a browser sends is not sent back to it.
_START_FORM = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Identity:
    """Who asks, what they hold now, for whom else they might act, and until when the glass is broken."""

    who: Who
    actor: Actor
    acting_name: str | None
    may_act_for: tuple[tuple[str, str], ...]
    glass_until: datetime | None


def current(request: Request) -> Session | None:
    """Return the session of the request's cookie, None where there is none that holds."""
    state = request.app.state
    token = cookies.get(request, SESSION, state.settings)
    return sessions.current(state.store, token) if token else None


def begin(response: Response, signed_in: SignedIn, settings: Settings) -> None:
    """Give the browser a new session; what belonged to the one before goes."""
    cookies.put(response, SESSION, signed_in.token, settings)
    cookies.drop(response, START, settings)
    cookies.drop(response, ACTING, settings)


def end(response: Response, settings: Settings) -> None:
    """Take the session from the browser."""
    for name in (SESSION, ACTING):
        cookies.drop(response, name, settings)


def start_token(request: Request, settings: Settings) -> tuple[str, str]:
    """Return the cookie and the form token of a page that is shown before sign-in; a new cookie where there is none.

    The form token is a hash of the cookie, so that only a page of this desk, shown to this browser, can send the form.
    """
    cookie = cookies.get(request, START, settings)
    if not _START_FORM.fullmatch(cookie):
        cookie = secrets.token_urlsafe(32)
    return cookie, hashlib.sha256(f"form {cookie}".encode()).hexdigest()


def holds(store: Store, token_hash: str) -> bool:
    """Say whether the session of this hash was neither ended nor overtaken; for files asked for without its cookie."""
    row_of = (
        select(desk_session.c.ends_at)
        .join(person, person.c.person_id == desk_session.c.person_id)
        .where(desk_session.c.token_hash == token_hash, person.c.active == 1)
    )
    with store.reading() as connection:
        ends_at = connection.execute(row_of).scalar_one_or_none()
    return ends_at is not None and ends_at > store.clock()


def acting_for(request: Request, session: Session, settings: Settings) -> str | None:
    """Return on whose behalf the person chose to act: a choice among what they may, never a right."""
    chosen = tickets.opened(settings.secret, "acting", cookies.get(request, ACTING, settings))
    token_hash, _, person_id = (chosen or "").partition(" ")
    return person_id if person_id and same(token_hash, session.token_hash) else None


def choose(response: Response, session: Session, person_id: str, settings: Settings) -> None:
    """Remember on whose behalf the person acts, for this session; "" is themselves."""
    if person_id:
        cookies.put(
            response, ACTING, tickets.seal(settings.secret, "acting", f"{session.token_hash} {person_id}"), settings
        )
    else:
        cookies.drop(response, ACTING, settings)


def identify(store: Store, session: Session, acting: str | None) -> Identity:
    """Read who asks and what they hold now; a delegation that has ended falls back to the person's own name.

    Raises `AccessError("signed_out")` for somebody deactivated since.
    """
    now = store.clock()
    with store.reading() as connection:
        offers = tuple((person_id, name) for person_id, name, _ in may_act_for(connection, session.person_id, now))
        names = dict(offers)
        who = Who(session.person_id, acting if acting in names else None)
        found = actor(connection, who, now)
        held = any(grant.through == "break_glass" for grant in found.grants)
        broken = in_hand(connection, session.person_id, now) if held else None
    until = None if broken is None else broken.ends_at
    return Identity(who, found, names.get(who.on_behalf_of or ""), offers, until)


def same(first: str, second: str) -> bool:
    """Compare two secrets in a time that does not depend on where they differ."""
    return hmac.compare_digest(first.encode("utf-8", "replace"), second.encode("utf-8", "replace"))
