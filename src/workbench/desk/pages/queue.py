"""The queue: which household to look at first, for whom each signal waits, and a way to the one that is asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from workbench.desk.rendering import words
from workbench.desk.visit import SignedIn
from workbench.governance.access import Actor
from workbench.governance.reading import Filters, Sort, choices, queue_page
from workbench.governance.roles import ON_SIGNALS, Role
from workbench.governance.states import IN_FLIGHT, OPEN, Action, Mode, State

router = APIRouter()

#: What the filter on states offers, in the reader's words.
GROUPS: dict[str, tuple[str, frozenset[State]]] = {
    "open": ("Open", OPEN),
    "in_flight": ("With the market", IN_FLIGHT),
    "all": ("All", frozenset()),
}
VERDICTS = (
    ("", "Any"), ("pass", "Pass"), ("warn", "Warning"), ("block", "Blocked"), ("not_assessable", "Not assessable"),
    ("none", "Not checked"),
)  # fmt: skip
SORTS: dict[str, tuple[Sort, str]] = {
    "rank": ("rank", "Benefit a dollar"),
    "urgency": ("urgency", "Urgency"),
    "size": ("size", "Size"),
    "age": ("age", "Age"),
}
#: Ways to look at the queue, by their addresses' fields.
VIEWS: tuple[tuple[str, dict[str, str]], ...] = (
    ("Waits for you", {"mine": "1"}),
    ("To approve", {"state": "submitted"}),
    ("To release", {"state": "approved"}),
    ("With the market", {"state": "in_flight"}),
    ("All open", {"state": "open"}),
)
#: What each role looks at first, the first that fits; everybody else sees all that is open.
FIRST: tuple[tuple[Role, dict[str, str]], ...] = (
    (Role.PORTFOLIO_MANAGER, {"state": "submitted", "mine": "1"}),
    (Role.TRADER, {"mine": "1"}),
    (Role.COMPLIANCE, {"mine": "1"}),
    (Role.ANALYST, {"mine": "1"}),
)
#: Longest text of a filter that is looked at.
_LONGEST = 100


@router.get("/queue")
def queue(visit: SignedIn, request: Request) -> Response:
    """Show one page of the queue; every filter is in the address, so that a view can be kept or sent."""
    asked = {name: request.query_params.get(name, "").strip()[:_LONGEST] for name in _FIELDS}
    first_view = {} if any(asked[name] for name in _FIELDS if name != "sort") else _first(visit.actor)
    asked |= first_view
    sort = SORTS[asked["sort"]][0] if asked["sort"] in SORTS else "rank"
    with visit.reading() as connection:
        page = queue_page(connection, visit.actor, _filters(asked), sort, asked["after"] or None, now=visit.now)
        nothing_waits = bool(first_view) and not page.rows
        if nothing_waits:
            asked |= dict.fromkeys(first_view, "")
            page = queue_page(connection, visit.actor, _filters(asked), sort, now=visit.now)
        offered = choices(connection, visit.actor)
    here = {name: value for name, value in asked.items() if value and name != "after"}
    return visit.page(
        "queue.html",
        title="Queue",
        here="queue",
        wide=True,
        page=page,
        asked=asked,
        offered={name: [("", "All"), *((one, one) for one in found)] for name, found in offered.items()},
        states=[(key, label) for key, (label, _) in GROUPS.items()] + [(state.value, words(state)) for state in State],
        verdicts=VERDICTS,
        modes=[("", "Any"), *((mode.value, words(mode)) for mode in Mode)],
        sorts=[(key, label) for key, (_, label) in SORTS.items()],
        filtered=bool(here.keys() - {"sort"}) and here.items() - {("sort", sort)} != {("state", "open")},
        nothing_waits=nothing_waits,
        views=[(label, _link(fields), _is(here, fields)) for label, fields in _views(visit.actor)],
        boxed=bool(here.keys() - {"sort", "state", "mine"}),
        links={key: _link((here or {"state": "open"}) | {"sort": key}) for key in SORTS},
        first=_link(here) if asked["after"] else None,
        later=_link(here | {"after": page.next_after}) if page.next_after else None,
        age=lambda moment: age(moment, visit.now),
    )


def _first(actor: Actor) -> dict[str, str]:
    roles = {grant.role for grant in actor.grants}
    return next((dict(fields) for role, fields in FIRST if role in roles), {})


def _views(actor: Actor) -> list[tuple[str, dict[str, str]]]:
    """The ways to look; who decides nothing has nothing that waits for them."""
    first = _first(actor)
    decides = any(ON_SIGNALS[grant.role].keys() - {Action.VIEW} for grant in actor.grants)
    return [
        (label, first if fields.items() <= first.items() and "state" in fields else fields)
        for label, fields in VIEWS
        if decides or "mine" not in fields
    ]


def _is(here: dict[str, str], fields: dict[str, str]) -> bool:
    shown = {name: value for name, value in here.items() if name != "sort"}
    return (shown or {"state": "open"}) == fields


def age(since: datetime, now: datetime) -> str:
    """Say how long ago a moment was, in the largest whole unit: "3 days", "5 h", "12 min"."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"


_FIELDS = (
    "state", "verdict", "mode", "book", "model", "policy", "text", "mine", "cash_due", "overdue", "sort", "after",
)  # fmt: skip


def _filters(asked: dict[str, str]) -> Filters:
    """Make filters of what the address says; a value that does not exist filters nothing."""
    named: dict[str, Any] = {name: asked[name] or None for name in ("book", "model", "policy")}
    return Filters(
        states=_states(asked["state"]),
        verdict=asked["verdict"] if asked["verdict"] in dict(VERDICTS) and asked["verdict"] else None,
        mode=Mode(asked["mode"]) if asked["mode"] in [mode.value for mode in Mode] else None,
        text=asked["text"].replace("\x00", ""),
        mine=asked["mine"] == "1",
        cash_due=asked["cash_due"] == "1",
        overdue=asked["overdue"] == "1",
        **{name: value.replace("\x00", "") if value else None for name, value in named.items()},
    )


def _states(asked: str) -> frozenset[State]:
    if asked in GROUPS:
        return GROUPS[asked][1]
    return frozenset({State(asked)}) if asked in [state.value for state in State] else OPEN


def _link(fields: dict[str, str]) -> str:
    return "/queue?" + urlencode(fields) if fields else "/queue"
