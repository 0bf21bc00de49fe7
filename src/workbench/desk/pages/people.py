"""People and their roles, delegations that hold, and emergencies to be reviewed."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from workbench.desk.forms import FormError
from workbench.desk.rendering import sentence, words
from workbench.desk.visit import SignedIn, Visit
from workbench.errors import AccessError, DecisionError, ParameterError, RepeatError
from workbench.governance import directory
from workbench.governance.break_glass import ReviewBreakGlass, broken
from workbench.governance.confirmation import ConfirmGrant
from workbench.governance.delegations import EndDelegation
from workbench.governance.people import AddPerson, DeactivatePerson, GrantRole, RevokeRole, set_password
from workbench.governance.roles import Role
from workbench.governance.states import Action

router = APIRouter()

ROLES = [(role.value, words(role)) for role in Role]
KINDS = [("person", "Person"), ("service", "Service account")]


@router.get("/people")
def people(visit: SignedIn) -> Response:
    """List everybody with their roles."""
    return _list(visit)


@router.post("/people")
def add(visit: SignedIn) -> Response:
    """Add a person or a service account, without a role."""
    form = visit.form
    try:
        command = AddPerson(
            form.text("person_id", "Identifier", most=64),
            form.text("name", "Name", most=200),
            "service" if form.choice("kind", "Kind", dict(KINDS)) == "service" else "person",
            form.optional("email", "E-mail", most=200) or None,
            form.optional("subject", "Identity provider's subject", most=500) or None,
        )
        visit.perform(command, back="/people")
    except (FormError, DecisionError, ParameterError) as error:
        return _list(visit, error, status=422)
    return visit.go(f"/people/{command.person_id}", f"{command.name} was added. Give roles below.")


@router.get("/people/{person_id}")
def one(visit: SignedIn, person_id: str) -> Response:
    """Show one person: roles, password, leaving."""
    return _one(visit, person_id)


@router.post("/people/{person_id}/roles")
def grant(visit: SignedIn, person_id: str) -> Response:
    """Give a role."""
    form = visit.form
    try:
        role = Role(form.choice("role", "Role", dict(ROLES)))
        book = form.text("book", "Book", most=64)
        receipt = visit.perform(
            GrantRole(person_id, role, book, form.text("reason", "Reason", least=3)), back=f"/people/{person_id}"
        )
    except (FormError, DecisionError, ParameterError) as error:
        return _one(visit, person_id, "role", error)
    said = f"The role {words(role).lower()} was given."
    holds = "It holds once somebody else confirms it." if receipt.state == "waits" else "It holds from now on."
    return visit.go(f"/people/{person_id}", f"{said} {holds}")


@router.post("/people/{person_id}/roles/{grant_id}/confirm")
def confirm(visit: SignedIn, person_id: str, grant_id: str) -> Response:
    """Confirm a role that somebody else gave; it holds from then on."""
    try:
        visit.perform(ConfirmGrant(grant_id), back=f"/people/{person_id}")
    except (DecisionError, ParameterError) as error:
        return _one(visit, person_id, "confirm", error)
    return visit.go(f"/people/{person_id}", "The role is confirmed. It holds from now on.")


@router.post("/people/{person_id}/roles/{grant_id}/revoke")
def revoke(visit: SignedIn, person_id: str, grant_id: str) -> Response:
    """Take a role away; it holds from the next act on."""
    try:
        visit.perform(RevokeRole(grant_id, visit.form.text("reason", "Reason", least=3)), back=f"/people/{person_id}")
    except (FormError, DecisionError, ParameterError) as error:
        return _one(visit, person_id, "revoke", error)
    return visit.go(f"/people/{person_id}", "The role was taken away, and the person was signed out.")


@router.post("/people/{person_id}/password")
def password(visit: SignedIn, person_id: str) -> Response:
    """Set somebody's first or new password."""
    form = visit.form
    visit.request.state.back = f"/people/{person_id}"
    try:
        if form.get("new") != form.get("again"):
            raise FormError("The two passwords read differently. Please type both again.", "again")
        set_password(visit.store, visit.who, person_id, form.get("new"), f"desk:{form.key}")
    except (FormError, DecisionError, ParameterError) as error:
        return _one(visit, person_id, "password", error)
    return visit.go(
        f"/people/{person_id}", "The password was set. Hand it over in person and ask for a new one at once."
    )


@router.post("/people/{person_id}/deactivate")
def deactivate(visit: SignedIn, person_id: str) -> Response:
    """Take everything from somebody who leaves."""
    try:
        visit.perform(
            DeactivatePerson(person_id, visit.form.text("reason", "Reason", least=3)), back=f"/people/{person_id}"
        )
    except (FormError, DecisionError, ParameterError) as error:
        return _one(visit, person_id, "deactivate", error)
    return visit.go("/people", "The account was closed: roles, delegations and sessions have ended.")


@router.get("/delegations")
def delegations(visit: SignedIn) -> Response:
    """List the delegations that hold now or later, and emergencies."""
    return _delegations(visit)


@router.post("/delegations/{delegation_id}/end")
def end_delegation(visit: SignedIn, delegation_id: str) -> Response:
    """End anybody's delegation."""
    try:
        visit.perform(EndDelegation(delegation_id, visit.form.text("reason", "Reason", least=3)), back="/delegations")
    except (FormError, DecisionError, ParameterError) as error:
        return _delegations(visit, delegation_id, error)
    return visit.go("/delegations", "The delegation has ended.")


@router.post("/emergencies/{grant_id}/review")
def review(visit: SignedIn, grant_id: str) -> Response:
    """Say what was found on looking at an emergency; it ends what has not ended yet."""
    try:
        finding = visit.form.text("reason", "What you found", least=3)
        visit.perform(ReviewBreakGlass(grant_id, finding), back="/delegations")
    except (FormError, DecisionError, ParameterError) as error:
        return _delegations(visit, grant_id, error)
    return visit.go("/delegations", "The review is recorded; the emergency access has ended.")


def _list(visit: Visit, error: Exception | None = None, *, status: int = 200) -> Response:
    _not_a_repeat(error)
    everybody = visit.request.query_params.get("former") == "yes"
    with visit.reading() as connection:
        listed = directory.people(connection, visit.actor, active=not everybody)
    return visit.page(
        "people.html",
        status=status,
        title="People",
        here="people",
        people=listed,
        former=everybody,
        error=sentence(error),
        field=getattr(error, "parameter", None),
        form=visit.form,
        kinds=KINDS,
        may_manage=visit.may(Action.MANAGE_PEOPLE),
    )


def _one(visit: Visit, person_id: str, part: str = "", error: Exception | None = None) -> Response:
    _not_a_repeat(error)
    with visit.reading() as connection:
        listed = {item.person_id: item for item in directory.people(connection, visit.actor, active=False)}
    if person_id not in listed:
        raise HTTPException(404)
    person = listed[person_id]
    roles = [code for code in ROLES if (code[0] in ("service", "viewer")) or person.kind == "person"]
    return visit.page(
        "person.html",
        status=422 if error else 200,
        title=person.name,
        here="people",
        person=person,
        names={item.person_id: item.name for item in listed.values()},
        part=part,
        error=sentence(error),
        form=visit.form,
        roles=[code for code in roles if code[0] != "service" or person.kind == "service"],
        may_manage=visit.may(Action.MANAGE_PEOPLE) and person.active,
        may_confirm=visit.may(Action.CONFIRM_GRANT) and person.active,
        reader=visit.session.person_id,
        is_self=person_id == visit.session.person_id,
    )


def _delegations(visit: Visit, which: str = "", error: Exception | None = None) -> Response:
    _not_a_repeat(error)
    visit.require(Action.READ_PEOPLE)
    with visit.reading() as connection:
        names = {item.person_id: item.name for item in directory.people(connection, visit.actor, active=False)}
        context: dict[str, Any] = {
            "delegations": [asdict(item) for item in directory.delegations(connection, visit.actor, visit.now)],
            "emergencies": broken(connection, visit.actor, unreviewed=False),
        }
    return visit.page(
        "delegations.html",
        status=422 if error else 200,
        title="Delegations and emergencies",
        here="people",
        names=names,
        which=which,
        error=sentence(error),
        may_manage=visit.may(Action.MANAGE_PEOPLE),
        may_review=visit.may(Action.REVIEW_BREAK_GLASS),
        now=visit.now,
        **context,
    )


def _not_a_repeat(error: Exception | None) -> None:
    """A key that was used for something else, or a refusal, has its own page."""
    if isinstance(error, RepeatError | AccessError):
        raise error
