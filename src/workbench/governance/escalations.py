"""Questions that no record answers, passed on to a person: kept whole as a document, answered or closed once.

A question may hold anything, personal data too: the trail and the messages name it by hash only.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, insert, select, update

from workbench.errors import AccessError, DecisionError, ParameterError, StaleError
from workbench.governance import access
from workbench.governance.access import Actor
from workbench.governance.commands import Document
from workbench.governance.handlers_of import Handlers
from workbench.governance.paper_commands import AnswerEscalation, Escalate
from workbench.governance.states import Action
from workbench.governance.tables import escalation
from workbench.governance.unit import Done, Unit

_INSERT = insert(escalation)
_ROW = select(escalation).where(escalation.c.escalation_id == bindparam("of"))
_UPDATE = update(escalation).where(escalation.c.escalation_id == bindparam("of"))


def escalate(unit: Unit, actor: Actor, command: Escalate) -> Done:
    """Keep a question for those who answer in the asker's book. Raises `ParameterError` for one without words."""
    if not command.question.strip():
        raise ParameterError("the question is empty; ask something, or leave it", "question")
    row: dict[str, Any] = {
        "escalation_id": unit.new_id("question"),
        "book": command.book,
        "household_id": command.household_id,
        "asked_by": actor.person_id,
        "asked_for": actor.on_behalf_of,
        "question_hash": unit.keep(Document("question", "text/plain", command.question.encode())),
        "state": "open",
        "version": 1,
        "asked_at": unit.now,
    }
    unit.examine("escalation", row["escalation_id"])
    unit.connection.execute(_INSERT, row)
    return _done(row)


def admit(unit: Unit, actor: Actor, command: AnswerEscalation) -> None:
    """Ask whether the actor may answer this question. Raises `AccessError`, in one's own words for none and another's.

    The unit keeps its row for the handler.
    """
    row = unit.connection.execute(_ROW, {"of": command.escalation_id}).one_or_none()
    if row is None or not access.reaches(actor, row.book, Action.READ_ESCALATIONS):
        raise AccessError("there is no such question in your books; look for it in the list", "book")
    unit.roles = tuple(str(role) for role in access.authorize(actor, command.action, book=row.book))
    unit.examine("escalation", row.escalation_id)
    unit.escalation = row


def answer(unit: Unit, actor: Actor, command: AnswerEscalation) -> Done:
    """Answer an open question, or close it. Raises `StaleError` where somebody did so meanwhile."""
    row = unit.escalation
    assert row is not None  # `admit` put it there
    if command.version != row.version:
        raise StaleError("somebody took this question up since you opened it; look at it anew")
    if row.state != "open":
        raise DecisionError(f"this question is {row.state}; ask a new one if something is still open")
    if command.outcome not in ("answered", "closed"):
        raise ParameterError(f"{command.outcome!r} is no end of a question; take answered or closed", "outcome")
    if not command.answer.strip():
        raise ParameterError("the answer is empty; say what the asker should know", "answer")
    changed = {
        "state": command.outcome,
        "version": row.version + 1,
        "answer_hash": unit.keep(Document("answer", "text/plain", command.answer.encode())),
        "answered_by": actor.person_id,
        "answered_at": unit.now,
    }
    unit.connection.execute(_UPDATE, {"of": row.escalation_id, **changed})
    return _done({**row._mapping, **changed})


def _done(row: dict[str, Any] | Row[Any]) -> Done:
    now = dict(row)
    kept = {"question": now["question_hash"]} | ({"answer": now["answer_hash"]} if now.get("answer_hash") else {})
    body = {"escalation_id": now["escalation_id"], "state": now["state"], "book": now["book"]}
    return Done(
        object_kind="escalation",
        object_id=now["escalation_id"],
        version=now["version"],
        state=now["state"],
        book=now["book"],
        documents=kept,
        details={"household_id": now["household_id"], "asked_by": now["asked_by"], "state": now["state"]},
        messages=((f"escalation.{now['state']}", body),),
    )


HANDLERS: Handlers = {AnswerEscalation: answer, Escalate: escalate}
