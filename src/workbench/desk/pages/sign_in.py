"""Sign-in and sign-out, by password or by the firm's identity provider."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from workbench.desk import cookies, sessions_web
from workbench.desk.forms import TOKEN, Form, FormError
from workbench.desk.rendering import sentence
from workbench.desk.security import CONTENT_SECURITY_POLICY
from workbench.desk.visit import Posted, SignedIn, answer
from workbench.errors import AccessError
from workbench.governance import sessions

router = APIRouter()

#: Where a sign-in may lead: a page of this desk, named by its path alone.
_PATH = re.compile(r"/(?:[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*/?)?")  # one way to match: takes no longer than it is long
_LONGEST_PATH = 200


@router.get("/")
def start(visit: SignedIn) -> Response:
    """Lead to the first page this person may open."""
    return RedirectResponse(visit.navigation[0][1], status_code=303)


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    """Show the sign-in form, or lead on who is signed in already."""
    after = place_after(request.query_params.get("next", "/"))
    if sessions_web.current(request) is not None:
        return RedirectResponse(after, status_code=303)
    return _page(request, Form(()), after)


@router.post("/sign-in")
def sign_in(request: Request, form: Posted) -> Response:
    """Open a session for who knows the password; any earlier session of this browser ends."""
    state = request.app.state
    address = request.state.address
    state.rates.sign_in(address)
    check_start(request, form)
    after = place_after(form.get("next"))
    try:
        name, password = form.text("name", "Name or e-mail", most=200), form.get("password")
        if not password:
            raise FormError("Please fill in \u201cPassword\u201d.", "password")
        signed_in = sessions.sign_in(state.store, name, password, address)
    except FormError as error:
        return _page(request, form, after, error=str(error), status=422)
    except AccessError as error:
        return _page(request, form, after, error=sentence(error), status=429 if error.rule == "throttled" else 401)
    earlier = cookies.get(request, sessions_web.SESSION, state.settings)
    if earlier:
        sessions.sign_out(state.store, earlier)
    response = RedirectResponse(after, status_code=303)
    sessions_web.begin(response, signed_in, state.settings)
    return response


@router.post("/sign-out")
def sign_out(visit: SignedIn) -> Response:
    """End this browser's session."""
    sessions.sign_out(visit.store, cookies.get(visit.request, sessions_web.SESSION, visit.settings))
    response = visit.go("/sign-in", "You have signed out.")
    sessions_web.end(response, visit.settings)
    return response


@router.post("/act-for")
def act_for(visit: SignedIn) -> Response:
    """Choose on whose behalf to act, among those who delegated."""
    chosen = visit.form.choice("person_id", "You act for", ["", *dict(visit.may_act_for)])
    response = visit.go("/", "" if chosen else "You act as yourself.")
    sessions_web.choose(response, visit.session, chosen, visit.settings)
    return response


def _page(request: Request, form: Form, after: str, *, error: str = "", status: int = 200) -> Response:
    settings = request.app.state.settings
    provider = settings.identity_provider
    cookie, token = sessions_web.start_token(request, settings)
    context = {
        "title": "Sign in",
        "form_token": token,
        "form": form,
        "after": after,
        "error": error,
        "provider": provider and urlsplit(provider.issuer).hostname,
    }
    response = answer(request, "sign_in.html", context, status=status)
    cookies.put(response, sessions_web.START, cookie, settings)
    if provider is not None:
        parts = urlsplit(provider.authorization_endpoint)
        allowed = f"form-action 'self' {parts.scheme}://{parts.netloc}"
        response.headers["content-security-policy"] = CONTENT_SECURITY_POLICY.replace("form-action 'self'", allowed)
    return response


def check_start(request: Request, form: Form) -> None:
    """Refuse a sign-in form that was not shown to this browser. Raises `FormError`."""
    _, token = sessions_web.start_token(request, request.app.state.settings)
    if not sessions_web.same(form.get(TOKEN), token):
        raise FormError(
            "The sign-in page is no longer good. Please open it again; the browser must keep cookies.", TOKEN
        )


def place_after(path: str) -> str:
    """Return the path a sign-in leads to: one of this desk, or its start."""
    return path if len(path) <= _LONGEST_PATH and _PATH.fullmatch(path) else "/"
