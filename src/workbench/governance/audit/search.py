"""Search the trail: who did what to which thing, when, with what outcome, for what reason; within one's books."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Select, cast, func, select

from workbench.errors import DecisionError, ParameterError
from workbench.governance import access
from workbench.governance.access import Actor
from workbench.governance.states import Action
from workbench.governance.tables import audit

MOST_LINES = 500


@dataclass(frozen=True)
class Question:
    """What is looked for; None or empty is anything. Days are UTC, both included; `text` is looked for in the reason.

    On SQLite the case of letters beyond ASCII counts.
    """

    actor: str | None = None
    action: str | None = None
    outcome: str | None = None
    object_kind: str | None = None
    object_id: str | None = None
    book: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    text: str | None = None


@dataclass(frozen=True)
class Line:
    """One record as a list shows it; `said` is all of it."""

    sequence: int
    at: str
    actor: str
    action: str
    outcome: str
    object_kind: str
    object_id: str
    book: str
    reason: str | None
    on_behalf_of: str | None
    roles: tuple[str, ...]
    hash: str
    body: str

    @property
    def said(self) -> dict[str, Any]:
        """Everything the record says."""
        return dict(json.loads(self.body))


@dataclass(frozen=True)
class AuditPage:
    """Some lines, newest first, and where the next page begins (None: there is none)."""

    lines: tuple[Line, ...]
    before: int | None


def search(
    connection: Connection, actor: Actor, question: Question, *, before: int | None = None, limit: int = 50
) -> AuditPage:
    """Return the newest records that answer a question, older than record `before`, in the books the actor may audit.

    Raises `AccessError` for somebody who may not read the trail, `ParameterError` for a limit that is none.
    """
    access.authorize(actor, Action.READ_AUDIT)
    if not 1 <= limit <= MOST_LINES:
        raise ParameterError(f"limit is {limit}; give 1 to {MOST_LINES}", "limit")
    wanted = _lines().where(*_conditions(connection, actor, question)).order_by(audit.c.sequence.desc())
    if before is not None:
        wanted = wanted.where(audit.c.sequence < before)
    rows = connection.execute(wanted.limit(limit + 1)).all()
    lines = tuple(_line(row) for row in rows[:limit])
    return AuditPage(lines, lines[-1].sequence if len(rows) > limit else None)


def record(connection: Connection, actor: Actor, sequence: int) -> Line:
    """Return one record. Raises `AccessError`, and `DecisionError` where there is none in the actor's books."""
    access.authorize(actor, Action.READ_AUDIT)
    scope = access.visible(actor, audit.c.book, Action.READ_AUDIT)
    row = connection.execute(_lines().where(audit.c.sequence == sequence, scope)).first()
    if row is None:
        raise DecisionError(f"there is no record {sequence} in your books; look for it in the list")
    return _line(row)


def _lines() -> Select[Any]:
    return select(audit.c.sequence, audit.c.hash, audit.c.body)


def _line(row: Any) -> Line:
    said = json.loads(row.body)
    copied = ("at", "actor", "action", "outcome", "object_kind", "object_id", "book", "reason", "on_behalf_of")
    return Line(
        sequence=row.sequence,
        hash=row.hash,
        body=row.body,
        roles=tuple(said["roles"]),
        **{name: said[name] for name in copied},
    )


def _conditions(connection: Connection, actor: Actor, question: Question) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [access.visible(actor, audit.c.book, Action.READ_AUDIT)]
    for name in ("actor", "action", "outcome", "object_kind", "object_id", "book"):
        if getattr(question, name):
            found.append(audit.c[name] == getattr(question, name))
    if question.first_day is not None:
        found.append(audit.c.sequence >= _first_since(connection, question.first_day))
    if question.last_day is not None and question.last_day < date.max:
        found.append(audit.c.sequence < _first_since(connection, question.last_day + timedelta(days=1)))
    if question.text:
        found.append(func.lower(_reason(connection)).contains(question.text.lower(), autoescape=True))
    return found


def _reason(connection: Connection) -> ColumnElement[Any]:
    if connection.dialect.name == "sqlite":
        return func.json_extract(audit.c.body, "$.reason")
    return cast(audit.c.body, JSON)["reason"].as_string()


def _first_since(connection: Connection, day: date) -> int:
    """The first record of a day or later, found by halving: the trail is in the order of time, `at` has no index."""
    begins = f"{day.isoformat()}T00:00:00.000000Z"
    low, high = 1, (connection.execute(select(func.max(audit.c.sequence))).scalar() or 0) + 1
    while low < high:
        middle = (low + high) // 2
        at = connection.execute(
            select(audit.c.at).where(audit.c.sequence >= middle).order_by(audit.c.sequence).limit(1)
        ).scalar()
        if at is None or at >= begins:
            high = middle
        else:
            low = middle + 1
    return low
