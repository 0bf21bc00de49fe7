"""How far signals go and what the house asks of itself: rollout modes and controls, changed by compliance.

Stricter controls hold at once. Looser ones wait on this page until another person of compliance confirms them.
Everybody sees the modes of models and the controls. Modes of accounts name clients' accounts, so they are for who sees
all books, or may set them.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select

from workbench.desk.forms import FormError
from workbench.desk.rendering import money, sentence, words
from workbench.desk.visit import SignedIn, Visit
from workbench.errors import DecisionError, ParameterError, RepeatError, StaleError
from workbench.governance import control_proposals, controls
from workbench.governance.access import books
from workbench.governance.commands import AdoptControls, ChangeControls, Receipt, SetMode, WithdrawControls
from workbench.governance.control_proposals import ControlProposal
from workbench.governance.reading.history import both, names_of
from workbench.governance.states import Action, Mode
from workbench.governance.tables import controls as versions
from workbench.governance.tables import rollout

router = APIRouter()

#: What each control means, in the order of the page; money is entered in dollars and kept in cents.
MEANING = {
    "second_approver_above": ("Second approver from", "A signal that trades this much or more needs two approvers."),
    "approval_hours": ("An approval holds for, hours", "After that somebody approves anew."),
    "signal_days": ("A signal stays open for, days", "After that it expires."),
    "break_glass_minutes": (
        "Emergency access lasts, minutes",
        "Then the role is gone; compliance reviews what was done.",
    ),
    "idle_minutes": ("A session ends unused after, minutes", "A browser left alone is signed out."),
    "session_hours": ("A session ends after, hours", "However much it was used."),
    "sign_in_attempts": ("Attempts to sign in", "By one name from one address, in the time below."),
    "sign_in_window_minutes": ("Attempts are counted over, minutes", "Then the count begins anew."),
    "clock_tolerance_seconds": (
        "The clock may go back by, seconds",
        "More, and nothing is done until it is set right.",
    ),
}
IN_CENTS = frozenset({"second_approver_above"})
KINDS = [("model", "Model"), ("account", "Account")]
MODES = [(mode.value, words(mode)) for mode in Mode]
_MOST_MODES = 500


@router.get("/controls")
def page(visit: SignedIn) -> Response:
    """Show modes and controls."""
    return _page(visit)


@router.post("/controls/modes")
def set_mode(visit: SignedIn) -> Response:
    """Set how far the signals of a model or an account go."""
    form = visit.form
    try:
        kind: Literal["model", "account"] = (
            "model" if form.choice("kind", "Kind", dict(KINDS)) == "model" else "account"
        )
        key = form.text("name", "Model or account", most=200)
        mode = Mode(form.choice("mode", "Mode", dict(MODES)))
        receipt = visit.perform(SetMode(kind, key, mode, form.text("reason", "Reason", least=3)), back="/controls")
    except (FormError, DecisionError, ParameterError) as error:
        return _page(visit, "mode", error)
    touched = f" {len(receipt.also)} open signals have lost their approvals." if receipt.also else ""
    return visit.go("/controls", f"{words(kind)} {key} is now in mode {words(mode).lower()}.{touched}")


@router.post("/controls")
def change(visit: SignedIn) -> Response:
    """Put stricter controls in force, or propose looser ones."""
    form = visit.form
    try:
        with visit.reading() as connection:
            present = asdict(controls.in_force(connection))
        asked = {
            name: form.whole(name, label) * (100 if name in IN_CENTS else 1) for name, (label, _) in MEANING.items()
        }
        changes = tuple((name, value) for name, value in asked.items() if value != present[name])
        reason = form.text("reason", "Reason", least=3)
        if not changes:
            raise FormError("Nothing is different from the controls in force.", "reason")
        if form.whole("shown", "Version shown") != present["version"]:
            raise DecisionError("the controls were changed since this page was shown; look at them again")
        receipt = visit.perform(ChangeControls(changes, reason), back="/controls")
    except (FormError, DecisionError, ParameterError) as error:
        return _page(visit, "controls", error)
    if receipt.state == "proposed":
        waits = "The change loosens a control. It waits until another person of compliance confirms it."
        return visit.go("/controls", f"{waits} Version {receipt.version} stays in force.")
    return visit.go("/controls", _in_force(receipt))


@router.post("/controls/changes/{proposal}/confirm")
def confirm(visit: SignedIn, proposal: str) -> Response:
    """Put looser controls in force that somebody else proposed."""
    try:
        note = visit.form.optional("note", "Note")
        receipt = visit.perform(AdoptControls(proposal, note), back="/controls")
    except (FormError, DecisionError, ParameterError) as error:
        return _page(visit, "waiting", error)
    return visit.go("/controls", _in_force(receipt))


@router.post("/controls/changes/{proposal}/withdraw")
def withdraw(visit: SignedIn, proposal: str) -> Response:
    """Take looser controls that wait back."""
    try:
        reason = visit.form.text("reason", "Reason", least=3)
        receipt = visit.perform(WithdrawControls(proposal, reason), back="/controls")
    except (FormError, DecisionError, ParameterError) as error:
        return _page(visit, "waiting", error)
    return visit.go("/controls", f"The change was withdrawn. Version {receipt.version} stays in force.")


def _in_force(receipt: Receipt) -> str:
    lapsed = f" {len(receipt.also)} approved signals wait for another approver." if receipt.also else ""
    return f"Version {receipt.version} of the controls is in force.{lapsed}"


def _shown(name: str, value: int) -> str:
    """Write a control as the page does; an amount that is not in whole dollars with its cents."""
    if name not in IN_CENTS:
        return f"{value:,}"
    return money(value) if value % 100 == 0 else f"${value / 100:,.2f}"


def _waiting(visit: Visit, one: ControlProposal, names: dict[str, str]) -> dict[str, Any]:
    """Say of a change that waits what it does, control by control, who proposed it and who may confirm it."""
    changes = [
        {
            "label": label,
            "before": _shown(name, one.before[name]),
            "after": _shown(name, one.after[name]),
            "looser": name in one.loosened,
        }
        for name, (label, _) in MEANING.items()
        if name in one.after
    ]
    return {
        "hash": one.hash,
        "changes": changes,
        "by": both(one.proposed_by, one.on_behalf_of, names),
        "at": one.at,
        "reason": one.reason,
        "own": bool(visit.actor.persons & one.persons),
    }


def _page(visit: Visit, part: str = "", error: Exception | None = None) -> Response:
    if isinstance(error, RepeatError | StaleError):
        raise error
    with visit.reading() as connection:
        present = controls.in_force(connection)
        asked = select(rollout).order_by(rollout.c.kind, rollout.c.key).limit(_MOST_MODES)
        if not (books(visit.actor) is None or visit.may(Action.SET_MODE)):
            asked = asked.where(rollout.c.kind == "model")
        modes = connection.execute(asked).all()
        latest = connection.execute(
            select(versions.c.version, versions.c.set_by, versions.c.set_at)
            .order_by(versions.c.version.desc())
            .limit(20)
        ).all()
        proposals = control_proposals.waiting(connection, present.version)
        people = {row.set_by for row in modes} | {row.set_by for row in latest}
        names = names_of(connection, people.union(*(one.persons for one in proposals)))
    limits = [
        {
            "name": name,
            "label": label,
            "hint": hint,
            "value": getattr(present, name) // (100 if name in IN_CENTS else 1),
            "shown": _shown(name, getattr(present, name)),
        }
        for name, (label, hint) in MEANING.items()
    ]
    return visit.page(
        "controls.html",
        status=422 if error else 200,
        title="Controls",
        here="controls",
        version=present.version,
        limits=limits,
        modes=modes,
        most_modes=_MOST_MODES,
        latest=latest,
        waiting=[_waiting(visit, one, names) for one in proposals],
        names=names,
        kinds=KINDS,
        mode_choices=MODES,
        part=part,
        error=sentence(error),
        form=visit.form,
        may_set_mode=visit.may(Action.SET_MODE),
        may_change=visit.may(Action.CHANGE_CONTROLS),
    )
