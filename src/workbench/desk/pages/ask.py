"""Questions to the copilot, answered from this person's own books; what it does not answer is passed on."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from workbench.copilot import Answer, Scope
from workbench.desk.visit import SignedIn, Visit
from workbench.governance import Escalate
from workbench.governance.access import EVERY_BOOK, grants_for
from workbench.governance.states import Action

router = APIRouter()
#: The longest question of the form; the copilot reads less and passes longer ones on.
LONGEST = 4_000


@dataclass(frozen=True)
class _Desk:
    """Passes questions on to those who answer for a book."""

    visit: Visit
    book: str

    def pass_on(self, question: str, household_id: str | None = None) -> str:
        """Keep the question in this book."""
        receipt = self.visit.perform(Escalate(question, self.book, household_id), back="/ask")
        return receipt.object_id


@router.get("/ask")
def form(visit: SignedIn) -> Response:
    """Show the form."""
    return _page(visit, None, "")


@router.post("/ask")
def ask(visit: SignedIn) -> Response:
    """Answer a question from one of this person's books."""
    books = _books(visit)
    book = visit.form.choice("book", "Book", books)
    question = visit.form.text("question", "Question", most=LONGEST,
    )  # fmt: skip
    copilot = visit.settings.copilot
    if copilot is None:
        raise HTTPException(404)
    scope = Scope(None if book == EVERY_BOOK else book)
    return _page(visit, copilot.ask(question, scope, _Desk(visit, book)), book)


def _page(visit: Visit, answer: Answer | None, book: str) -> Response:
    books = _books(visit)
    named = [(one, "The whole firm" if one == EVERY_BOOK else f"Advisor {one}") for one in books]
    return visit.page(
        "ask.html",
        there=visit.settings.copilot is not None,
        title="Ask",
        here="ask",
        answer=answer,
        books=named,
        book=book or books[0],
        most=LONGEST,
    )


def _books(visit: Visit) -> list[str]:
    """The books this person may ask about: the whole firm's alone where they hold it."""
    visit.require(Action.READ_ESCALATIONS)
    held = {grant.book for grant in visit.actor.grants if grants_for(visit.actor, Action.ESCALATE, book=grant.book)}
    if not held:
        visit.require(Action.ESCALATE)
    return [EVERY_BOOK] if EVERY_BOOK in held else sorted(held)
