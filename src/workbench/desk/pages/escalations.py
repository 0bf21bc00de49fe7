"""Questions that were passed on: those who asked read the answers here, those who answer give them."""

from __future__ import annotations

from typing import Literal, cast

from fastapi import APIRouter
from fastapi.responses import Response

from workbench.desk.visit import SignedIn
from workbench.governance import AnswerEscalation
from workbench.governance.reading import questions
from workbench.governance.states import Action

router = APIRouter()


@router.get("/escalations")
def escalations(visit: SignedIn) -> Response:
    """List the questions of this person's books: those that wait first, then the latest answers."""
    visit.require(Action.READ_ESCALATIONS)
    with visit.reading() as connection:
        found = questions(connection, visit.actor)
    waiting = sum(one.state == "open" for one in found)
    return visit.page("escalations.html", title="Questions", here="escalations", questions=found, waiting=waiting)


@router.post("/escalations/{escalation_id}")
def answer(visit: SignedIn, escalation_id: str) -> Response:
    """Answer a question, or close it."""
    form = visit.form
    outcome = cast(Literal["answered", "closed"], form.choice("outcome", "This question is", ("answered", "closed")))
    words = form.text("answer", "Answer", most=20_000)
    visit.perform(AnswerEscalation(escalation_id, form.version, words, outcome), back="/escalations")
    return visit.go(
        "/escalations",
        "Your answer is kept; whoever asked reads it here." if outcome == "answered" else "The question is closed.",
    )
