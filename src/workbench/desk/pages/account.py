"""One's own account: roles held, password, sessions, deputies, emergency access."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from fastapi import APIRouter
from fastapi.responses import Response

from workbench.desk import cookies, sessions_web
from workbench.desk.forms import FormError
from workbench.desk.rendering import sentence, words
from workbench.desk.visit import SignedIn, Visit
from workbench.errors import AccessError, DecisionError, ParameterError, RepeatError
from workbench.governance import directory, sessions
from workbench.governance.break_glass import BREAKABLE, SHORTEST_REASON, BreakGlass
from workbench.governance.delegations import LONGEST_DAYS, Delegate, RevokeDelegation
from workbench.governance.people import change_password
from workbench.governance.reading.history import names_of
from workbench.governance.roles import Role
from workbench.governance.states import Action

router = APIRouter()

#: Days are counted on from what a form says; the calendar ends with the year 9999.
_LAST_YEAR = 9000


@router.get("/me")
def account(visit: SignedIn) -> Response:
    """Show what this person holds and may do for themselves."""
    return _page(visit)


@router.post("/me/password")
def password(visit: SignedIn) -> Response:
    """Change one's own password; every session of the person ends."""
    form, address = visit.form, visit.request.state.address
    visit.request.app.state.rates.sign_in(address)
    if form.get("new") != form.get("again"):
        return _page(visit, {"again": "The new password reads differently here. Please type it again."}, status=422)
    try:
        change_password(visit.store, visit.own, form.get("old"), form.get("new"), f"desk:{form.key}", address=address)
    except AccessError as error:
        if error.rule != "signed_out":
            raise
        return _page(visit, {"old": "This is not your present password."}, status=422)
    except ParameterError as error:
        return _page(visit, {"new": sentence(error)}, status=422)
    response = visit.go("/sign-in", "Your password was changed. Please sign in with the new one.")
    sessions_web.end(response, visit.settings)
    return response


@router.post("/me/sign-out-everywhere")
def sign_out_everywhere(visit: SignedIn) -> Response:
    """End every session of this person, in every browser."""
    sessions.sign_out_everywhere(visit.store, visit.session.person_id)
    response = visit.go("/sign-in", "You have signed out everywhere.")
    sessions_web.end(response, visit.settings)
    return response


@router.post("/me/deputies")
def delegate(visit: SignedIn) -> Response:
    """Let another person act for oneself, for some days."""
    form = visit.form
    try:
        with visit.reading() as connection:
            choices = [person_id for person_id, _ in directory.colleagues(connection, visit.actor)]
        deputy = form.choice("to_person", "Deputy", choices)
        starts, ends = _day(form.get("starts"), "From", "starts"), _day(form.get("ends"), "Until", "ends")
        reason = form.text("reason", "Reason", least=3)
        command = Delegate(deputy, starts, ends + timedelta(days=1) - timedelta(minutes=1), reason)
        visit.perform(command, back="/me")
    except (FormError, DecisionError, ParameterError) as error:
        return _refused(visit, "deputy", error)
    return visit.go("/me", "Your deputy can act for you now, under both names, from the day you gave.")


@router.post("/me/deputies/{delegation_id}/end")
def end_delegation(visit: SignedIn, delegation_id: str) -> Response:
    """End a delegation one gave."""
    visit.perform(RevokeDelegation(delegation_id), back="/me")
    return visit.go("/me", "The delegation has ended.")


@router.post("/me/emergency")
def emergency(visit: SignedIn) -> Response:
    """Break the glass: take a role for a short time; compliance and the auditors are told at once."""
    form = visit.form
    try:
        role = form.choice("role", "Role", BREAKABLE)
        reason = form.text("reason", "Reason", least=SHORTEST_REASON)
        visit.perform(BreakGlass(Role(role), reason), back="/me")
    except (FormError, DecisionError, ParameterError) as error:
        return _refused(visit, "emergency", error)
    response = visit.go("/", "Emergency access is open. Compliance and the auditors have been told.")
    renewed = sessions.rotate(visit.store, cookies.get(visit.request, sessions_web.SESSION, visit.settings))
    if renewed is not None:
        sessions_web.begin(response, renewed, visit.settings)
    return response


def _refused(visit: Visit, part: str, error: Exception) -> Response:
    if isinstance(error, RepeatError):
        raise error
    return _page(visit, {part: sentence(error)}, status=422)


def _page(visit: Visit, errors: dict[str, str] | None = None, *, status: int = 200) -> Response:
    in_own_name = visit.who.on_behalf_of is None
    may_delegate = in_own_name and visit.may(Action.DELEGATE)
    with visit.reading() as connection:
        myself = directory.myself(connection, visit.actor)
        lent = directory.delegations(connection, visit.actor, visit.now)
        deputies = directory.colleagues(connection, visit.actor) if may_delegate else ()
        given = [one for one in lent if one.from_person == visit.session.person_id]
        names = names_of(connection, {one.to_person for one in given} | {one.granted_by for one in myself.roles})
    return visit.page(
        "account.html",
        status=status,
        title="Your account",
        errors=errors or {},
        form=visit.form,
        today=visit.now.date().isoformat(),
        may_delegate=may_delegate,
        may_break=in_own_name and visit.may(Action.BREAK_GLASS),
        breakable_words=[(role.value, words(role)) for role in BREAKABLE],
        longest_days=LONGEST_DAYS,
        shortest_reason=SHORTEST_REASON,
        grants=myself.roles,
        given=given,
        deputies=list(deputies),
        names=names,
    )


def _day(text: str, label: str, field: str) -> datetime:
    try:
        day = datetime.combine(date.fromisoformat(text.strip()), time(), UTC)
        if day.year > _LAST_YEAR:
            raise ValueError("no calendar is that long")
        return day
    except ValueError as error:
        raise FormError(f"Please give a day for \u201c{label}\u201d, such as 2026-03-31.", field) from error
