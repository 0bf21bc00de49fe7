"""Questions that were passed on, as the desk lists them: within the books of the reader, open ones first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from workbench.errors import DecisionError
from workbench.governance.access import Actor, grants_for, visible
from workbench.governance.documents import fetch
from workbench.governance.reading.history import both, names_of
from workbench.governance.states import Action
from workbench.governance.tables import escalation

#: The most that one page shows.
MOST = 200


@dataclass(frozen=True)
class Question:
    """One question and, once it has one, its answer; texts are None where retention disposed of them."""

    escalation_id: str
    version: int
    book: str
    household_id: str | None
    asked_by: str
    asked_at: datetime
    state: str
    question: str | None
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None
    may_answer: bool


def questions(connection: Connection, actor: Actor, *, open_only: bool = False) -> tuple[Question, ...]:
    """Return the questions this actor may see: open ones first, oldest before, then the latest answers."""
    asked = select(escalation).where(visible(actor, escalation.c.book, Action.READ_ESCALATIONS))
    if open_only:
        asked = asked.where(escalation.c.state == "open")
    waits = escalation.c.state == "open"
    rows = connection.execute(
        asked.order_by(waits.desc(), escalation.c.answered_at.desc(), escalation.c.asked_at).limit(MOST)
    ).all()
    people = {one for row in rows for one in (row.asked_by, row.asked_for, row.answered_by) if one}
    names = names_of(connection, people)
    return tuple(
        Question(
            escalation_id=row.escalation_id,
            version=row.version,
            book=row.book,
            household_id=row.household_id,
            asked_by=both(row.asked_by, row.asked_for, names) or row.asked_by,
            asked_at=row.asked_at,
            state=row.state,
            question=_words(connection, row.question_hash),
            answer=_words(connection, row.answer_hash),
            answered_by=names.get(row.answered_by),
            answered_at=row.answered_at,
            may_answer=row.state == "open" and bool(grants_for(actor, Action.ANSWER_ESCALATION, book=row.book)),
        )
        for row in rows
    )


def _words(connection: Connection, content_hash: str | None) -> str | None:
    if content_hash is None:
        return None
    try:
        return fetch(connection, content_hash).body.decode("utf-8", "replace")
    except DecisionError:
        return None
