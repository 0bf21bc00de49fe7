"""Compliance exceptions: every finding that blocks, could not be assessed, or was let stand, counted by rule."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from workbench.desk.visit import SignedIn
from workbench.governance.access import authorize
from workbench.governance.reading import ExceptionFilters, choices, exceptions_page
from workbench.governance.states import Action

router = APIRouter()

SHOWN = (("", "All"), ("open", "Not let stand"), ("overridden", "Let stand by compliance"))
VERDICTS = (("", "Any"), ("block", "Blocked"), ("not_assessable", "Not assessable"), ("warn", "Warning"))
_FIELDS = ("rule", "verdict", "book", "shown", "closed", "after")
_LONGEST = 200


@router.get("/exceptions")
def exceptions(visit: SignedIn, request: Request) -> Response:
    """Show a page of exceptions in the reader's books."""
    authorize(visit.actor, Action.VIEW)
    asked = {name: request.query_params.get(name, "").replace("\x00", "").strip()[:_LONGEST] for name in _FIELDS}
    filters = ExceptionFilters(
        rule_id=asked["rule"] or None,
        verdict=asked["verdict"] if asked["verdict"] in dict(VERDICTS) and asked["verdict"] else None,
        book=asked["book"] or None,
        overridden={"open": False, "overridden": True}.get(asked["shown"]),
        closed=asked["closed"] == "1",
    )
    with visit.reading() as connection:
        page = exceptions_page(connection, visit.actor, filters, asked["after"] or None)
        books = choices(connection, visit.actor)["book"]
    here = {name: value for name, value in asked.items() if value and name != "after"}
    return visit.page(
        "exceptions.html",
        title="Exceptions",
        here="exceptions",
        wide=True,
        page=page,
        asked=asked,
        rules=[("", "All"), *((rule.rule_id, rule.rule_id) for rule in page.rules)],
        books=[("", "All"), *((book, book) for book in books)],
        shown=SHOWN,
        verdicts=VERDICTS,
        of_rule=lambda rule_id: _link({key: value for key, value in here.items() if key != "rule"} | {"rule": rule_id}),
        first=_link(here) if asked["after"] else None,
        later=_link(here | {"after": page.next_after}) if page.next_after else None,
    )


def _link(fields: dict[str, str]) -> str:
    return "/exceptions?" + urlencode(fields) if fields else "/exceptions"
