"""One signal: everything an approver must see, and the page that asks once more before an approval or a release."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection
from starlette.exceptions import HTTPException

from workbench.desk.package_view import change_view, package_view
from workbench.desk.paper_view import Shown, shown
from workbench.desk.preflight_view import preflight_view
from workbench.desk.visit import SignedIn, Visit
from workbench.errors import DecisionError, PackageError, StaleError
from workbench.governance.life_cycle import ON_CHECKS
from workbench.governance.reading import Draft, SignalView, document, signal_view
from workbench.governance.states import Action, Mode

router = APIRouter()

#: Why a person decides against a proposal, or changes it.
REASONS = (
    ("client_wish", "The client wishes otherwise"), ("tax", "Tax"), ("cost", "Cost"), ("timing", "Timing"),
    ("data_wrong", "Data are wrong"), ("risk", "Risk"), ("policy_wrong", "The policy does not fit"),
    ("wording", "Wording"), ("duplicate", "A duplicate"), ("other", "Another reason"),
)  # fmt: skip
#: The acts that are asked about once more on a page of their own, and what that page says they do.
CONFIRMED = {
    "approve": (
        Action.APPROVE,
        "Approve",
        "You approve exactly what is named here. If it changes, your approval ends.",
    ),
    "release": (
        Action.RELEASE,
        "Release",
        "You let these trades leave the firm as a ticket. This cannot be taken back on the desk.",
    ),
}
AS_DRAFT = "You approve it as a draft: its brief and notes may be used with the client. Nothing is traded."
NOT_YOURS = "your roles do not include this here, or you had a hand in this signal; somebody else has to"


@router.get("/signals/{signal_id}")
def signal(visit: SignedIn, signal_id: str) -> Response:
    """Show a signal whole."""
    with visit.reading() as connection:
        view = seen(connection, visit, signal_id)
        package = body(connection, visit, view, view.package_hash)
        preflight = body(connection, visit, view, view.preflight_hash)
        drafted = body(connection, visit, view, view.first_package) if changed(view) else None
        letters = _letters(connection, visit, view)
        drafts = [
            (draft, read, text(connection, visit, view, draft.drafted_hash) if draft.edited_at else None)
            for draft, read in letters
        ]
    read = _read(view, package, preflight, drafted)
    return visit.page(
        "signal.html",
        title=view.household_name,
        here="queue",
        signal=view,
        **read,
        drafts=drafts,
        reasons=REASONS,
        held=_held(letters),
        can=_able(view, bool(read["unreadable"]), bool(_held(letters))),
        checks_here=visit.settings.checker is not None,
    )


@router.get("/signals/{signal_id}/confirm/{act}")
def confirm(visit: SignedIn, request: Request, signal_id: str, act: str) -> Response:
    """Ask once more: restate the hash and the figures that the act is bound to. Has no effect by itself."""
    if act not in CONFIRMED:
        raise HTTPException(404)
    action, verb, meaning = CONFIRMED[act]
    request.state.back = f"/signals/{signal_id}"
    with visit.reading() as connection:
        view = seen(connection, visit, signal_id)
        package = body(connection, visit, view, view.package_hash)
        preflight = body(connection, visit, view, view.preflight_hash)
        drafted = body(connection, visit, view, view.first_package) if changed(view) else None
        held = _held(_letters(connection, visit, view))
    read = _read(view, package, preflight, drafted)
    if request.query_params.get("sheet_hash") not in (None, view.sheet_hash):
        raise StaleError("the signal changed since you opened its page; look at it anew, then decide")
    return visit.page(
        "confirm.html",
        title=f"{verb}: {view.household_name}",
        here="queue",
        signal=view,
        **read,
        act=act,
        verb=verb,
        meaning=AS_DRAFT if action is Action.APPROVE and view.mode.mode is Mode.DRAFT else meaning,
        obstacle=_obstacle(view, action, [*read["unreadable"], *held]),
    )


def seen(connection: Connection, visit: Visit, signal_id: str) -> SignalView:
    """Read a signal for this person; one outside their books is told apart from nothing by nobody (404)."""
    view = signal_view(connection, visit.actor, signal_id, now=visit.now)
    if view is None:
        raise HTTPException(404)
    return view


def body(connection: Connection, visit: Visit, view: SignalView, content_hash: str | None) -> bytes | None:
    """Return the bytes of one of the signal's documents; None where there is none, or it was disposed of."""
    found = document(connection, visit.actor, view.signal_id, content_hash) if content_hash else None
    return found[2] if found else None


def text(connection: Connection, visit: Visit, view: SignalView, content_hash: str) -> str | None:
    """Return a document of words; what is not UTF-8 is shown with its place marked."""
    found = body(connection, visit, view, content_hash)
    return None if found is None else found.decode("utf-8", errors="replace")


def changed(view: SignalView) -> bool:
    """Say whether a person changed the trades since the signal came in."""
    return view.first_package is not None and view.first_package != view.package_hash


def _read(view: SignalView, package: bytes | None, preflight: bytes | None, drafted: bytes | None) -> dict[str, Any]:
    """Put the documents into words; one that cannot be read is said to be so, and the rest of the page stands."""
    read: dict[str, Any] = {"package": None, "change": None, "unreadable": []}
    if package is None:
        read["unreadable"].append("The package is gone: retention disposed of it. Its hash and history remain.")
    if preflight is None and view.preflight_hash:
        read["unreadable"].append("The pre-flight's document is gone: retention disposed of it.")
    try:
        read["package"] = package_view(package) if package else None
        read["change"] = change_view(drafted, package) if drafted and package else None
    except PackageError as error:
        read["unreadable"].append(f"The package cannot be read: {error}.")
    try:
        read["preflight"] = preflight_view(preflight, view.findings)
    except PackageError as error:
        read["preflight"] = preflight_view(None, view.findings)
        read["unreadable"].append(f"The pre-flight's document cannot be read: {error}.")
    return read


def decidable(connection: Connection, visit: Visit, view: SignalView) -> None:
    """Refuse to carry a signal forward whose documents no person can have read, or whose letter today's verifier
    does not support. Raises `DecisionError`."""
    package = body(connection, visit, view, view.package_hash)
    unreadable = _read(view, package, body(connection, visit, view, view.preflight_hash), None)["unreadable"]
    if unreadable:
        raise DecisionError(f"{unreadable[0]} Propose this household anew.")
    if held := _held(_letters(connection, visit, view)):
        raise DecisionError(held[0])


def _letters(connection: Connection, visit: Visit, view: SignalView) -> list[tuple[Draft, Shown | None]]:
    """The signal's drafts, each verified anew."""
    return [
        (one, shown(body(connection, visit, view, one.current_hash), body(connection, visit, view, one.facts_hash)))
        for one in view.drafts
    ]


def _held(letters: list[tuple[Draft, Shown | None]]) -> list[str]:
    """Say which letters were supported when they were kept and are not by the verifier of today, or are gone."""
    return [
        f"The verifier no longer supports all of the {one.kind.replace('_', ' ')}; correct it by the reasons given, or "
        "discard it."
        for one, read in letters
        if one.discarded_at is None and one.supported and (read is None or not read.supported)
    ]


def _able(view: SignalView, unreadable: bool, held: bool) -> dict[str, bool]:
    """What this reader can do now: allowed by role, book and hands, not refused for another reason, and readable."""
    barred = view.obstacles.keys() | (ON_CHECKS | {Action.OVERRIDE, Action.REVISE} if unreadable else set())
    barred |= ON_CHECKS if held else set()
    return {action.value: action in view.allowed and action not in barred for action in Action}


def _obstacle(view: SignalView, action: Action, unreadable: list[str]) -> str | None:
    if action not in view.allowed:
        return NOT_YOURS
    return view.obstacles.get(action) or (unreadable[0] if unreadable else None)
