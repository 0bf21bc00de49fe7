"""Sign-in, sign-out, the account page, acting for another."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from workbench.desk import cookies, tickets
from workbench.desk.visit import SignedIn

router = APIRouter()


@router.get("/")
def start(visit: SignedIn) -> Response:
    """Lead to the first page this person may open."""
    return RedirectResponse(visit.navigation[0][1], status_code=303)


@router.post("/act-for")
def act_for(visit: SignedIn) -> Response:
    """Choose on whose behalf to act, among those who delegated."""
    chosen = visit.form.get("person_id")
    names = dict(visit.may_act_for)
    response = visit.go("/", f"You act for {names[chosen]}." if chosen in names else "You act as yourself.")
    if chosen in names:
        ticket = tickets.seal(visit.settings.secret, "acting", f"{visit.session.token_hash} {chosen}")
        cookies.put(response, "acting", ticket, visit.settings)
    else:
        cookies.drop(response, "acting", visit.settings)
    return response
