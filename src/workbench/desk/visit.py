"""One request of one signed-in person: who asks, what they may do, how a page or an act is answered.

A route takes `visit: SignedIn` and has everything it needs:

    @router.post("/signals/{signal_id}/approve")
    def approve(visit: SignedIn, signal_id: str) -> Response:
        form = visit.form
        visit.perform(Approve(signal_id, form.version, form.sheet_hash), back=f"/signals/{signal_id}")
        return visit.go(f"/signals/{signal_id}", "Approved.")
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection

from workbench.desk import said, sessions_web
from workbench.desk.forms import ACTING, TOKEN, Form, FormError, read_form
from workbench.desk.navigation import entries
from workbench.desk.settings import Settings
from workbench.errors import AccessError, StaleError
from workbench.governance.access import Actor, Who, authorize, grants_for
from workbench.governance.audit.record import Entry
from workbench.governance.commands import Command, Receipt
from workbench.governance.sessions import Session
from workbench.governance.states import Action
from workbench.governance.store import Store


@dataclass(frozen=True)
class Visit:
    """A request by somebody who is signed in; `form` is the posted form, checked, or an empty one."""

    request: Request
    session: sessions_web.Session
    who: Who
    actor: Actor
    acting_name: str | None
    may_act_for: tuple[tuple[str, str], ...]
    glass_until: datetime | None
    form: Form

    @property
    def store(self) -> Store:
        """The database of decisions."""
        store: Store = self.request.app.state.store
        return store

    @property
    def settings(self) -> Settings:
        """What the desk was started with."""
        settings: Settings = self.request.app.state.settings
        return settings

    @property
    def now(self) -> datetime:
        """The store's clock."""
        return self.store.clock()

    @property
    def own(self) -> Who:
        """This person in their own name, whoever they act for."""
        return Who(self.session.person_id)

    def reading(self) -> AbstractContextManager[Connection]:
        """Open one consistent, read-only view of the database."""
        return self.store.reading()

    def perform(self, command: Command, *, back: str = "/", key: str | None = None) -> Receipt:
        """Do an act once under the form's key; `back` is where an error page sends the person to look anew."""
        self.request.state.back = back
        self.request.state.command = command
        return self.store.perform(self.who, command, f"desk:{key or self.form.key}")

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """Render a template for this person; a message left by the act before is shown once."""
        return answer(self.request, template, {"visit": self, **context}, status=status)

    def go(self, path: str, message: str = "") -> Response:
        """Send the browser to a page of the desk by GET (303), with a message to show there once."""
        response = RedirectResponse(path, status_code=303)
        if message:
            said.leave(response, message, self.settings)
        return response

    def may(self, action: Action) -> bool:
        """Say whether this person may do an act on the firm; for showing what can be done, never for doing it."""
        return bool(grants_for(self.actor, action))

    def require(self, action: Action) -> None:
        """Refuse the page to who may not see it. Raises `AccessError`."""
        authorize(self.actor, action)

    @property
    def navigation(self) -> list[tuple[str, str, str]]:
        """The pages of the header: key, path, label."""
        return entries(self.may)


def answer(request: Request, template: str, context: Mapping[str, Any], *, status: int = 200) -> HTMLResponse:
    """Render a page, signed in or not."""
    state = request.app.state
    message = said.take(request, state.settings)
    base = {
        "visit": None,
        "settings": state.settings,
        "said": message,
        "title": "Release desk",
        "here": "",
        "form_token": "",
    }
    body = state.templates.get_template(template).render({**base, **context})
    response = HTMLResponse(body, status_code=status)
    if message:
        said.forget(response, state.settings)
    return response


async def _posted(request: Request) -> Form:
    """Read the body of a POST; the guard has bounded it already."""
    if request.method != "POST":
        return Form(())
    form = read_form(request.headers, await request.body(), field_limit=request.app.state.settings.field_limit)
    request.state.form = form
    return form


Posted = Annotated[Form, Depends(_posted)]
#: What is open to somebody whose password was set by an administrator.
_BEFORE_ONES_OWN_PASSWORD = frozenset({"/me", "/me/password", "/me/sign-out-everywhere", "/sign-out"})


def _signed_in(request: Request, form: Posted) -> Visit:
    """Return who asks. Every POST of a signed-in person passes here, so that none can do without its form token.

    Raises `AccessError`: `signed_out` without a session, `password` where the person has to take a password of their
    own first; `FormError` for a form of another session, and `StaleError` for a page that was shown on behalf of
    somebody else.
    """
    store, settings = request.app.state.store, request.app.state.settings
    session = sessions_web.current(request)
    if session is None:
        raise AccessError("you are not signed in", "signed_out")
    if session.must_change and request.scope["route"].path not in _BEFORE_ONES_OWN_PASSWORD:
        raise AccessError("an administrator knows the present one", "password")
    request.app.state.rates.person(session.person_id, request.method)
    if request.method == "POST" and not sessions_web.same(form.get(TOKEN), session.form_token):
        _record_forgery(store, session, request.scope["route"].path)
        raise FormError("This form does not belong to your present session. Please open the page again.", TOKEN)
    acting = sessions_web.acting_for(request, session, settings)
    found = sessions_web.identify(store, session, acting)
    visit = Visit(
        request, session, found.who, found.actor, found.acting_name, found.may_act_for, found.glass_until, form
    )
    request.state.visit = visit
    if request.method == "POST" and form.get(ACTING) != (found.who.on_behalf_of or ""):
        raise StaleError("since this page was shown you have changed on whose behalf you act; look at it again")
    return visit


def _record_forgery(store: Store, session: Session, path: str) -> None:
    """Leave a record of a form without its token: of an old page, or forged. Rates bound how many there can be.

    `path` is the route's pattern, never what was sent.
    """
    with store.writing() as unit:
        unit.append(
            Entry(
                action="form",
                outcome="refused",
                object_kind="request",
                object_id=path,
                object_version=0,
                actor=session.person_id,
                actor_kind="person",
                roles=(),
                controls_version=unit.controls.version,
                details={"rule": "form_token"},
            )
        )


SignedIn = Annotated[Visit, Depends(_signed_in)]
