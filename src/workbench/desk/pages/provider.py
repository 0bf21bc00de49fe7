"""Sign-in at the firm's identity provider, where the desk was started with one.

The way back is the one GET that signs somebody in, as OpenID Connect has it: it needs the sealed cookie of this
browser, the state in it, and a code that the provider takes once. It ends on a page of the desk, because a browser that
comes from another site does not send the desk's cookies.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from workbench.desk import cookies, sessions_web, tickets
from workbench.desk.pages.sign_in import check_start, place_after
from workbench.desk.visit import Posted, answer
from workbench.errors import AccessError
from workbench.governance import identity_provider, sessions
from workbench.governance.identity_provider import Pending, Provider

router = APIRouter()

_COOKIE, _SECONDS, _WAIT_SECONDS = "provider", 600, 10.0


@router.post("/sign-in/provider")
def to_provider(request: Request, form: Posted) -> Response:
    """Send the browser to the provider, with what has to come back sealed in a cookie of ten minutes."""
    state = request.app.state
    state.rates.sign_in(request.state.address)
    check_start(request, form)
    url, pending = identity_provider.begin(_provider(request))
    until = int(state.store.clock().timestamp()) + _SECONDS
    sealed = tickets.seal(
        state.settings.secret, "provider", f"{until}\n{place_after(form.get('next'))}\n{pending.text()}"
    )
    response = RedirectResponse(url, status_code=303)
    cookies.put(response, _COOKIE, sealed, state.settings, seconds=_SECONDS, same_site="lax")
    return response


@router.get("/sign-in/back")
def from_provider(request: Request) -> Response:
    """Open a session for whom the provider vouches; nobody is made and nothing is granted."""
    import httpx

    state, provider = request.app.state, _provider(request)
    state.rates.sign_in(request.state.address)
    said = tickets.opened(state.settings.secret, "provider", cookies.get(request, _COOKIE, state.settings)) or "0\n/\n"
    until, after, text = said.split("\n", 2)
    try:
        if int(until) <= state.store.clock().timestamp():
            raise AccessError("this sign-in took too long or began elsewhere; begin again", "signed_out")
        with httpx.Client(timeout=_WAIT_SECONDS) as http:
            query = dict(request.query_params)
            subject = identity_provider.finish(provider, Pending.of(text), query, http, now=state.store.clock())
        signed_in = sessions.sign_in_subject(state.store, subject, request.state.address)
    except AccessError as error:
        response: Response = answer(
            request, "provider_back.html", {"title": "Not signed in", "error": error}, status=401
        )
    else:
        response = answer(request, "provider_back.html", {"title": "Signed in", "error": None, "after": after})
        sessions_web.begin(response, signed_in, state.settings)
    cookies.drop(response, _COOKIE, state.settings)
    return response


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.settings.identity_provider
    if provider is None:
        raise HTTPException(404)
    return provider
