"""Drafted texts that people met, for the export of decisions: letters of signals, and papers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from workbench.errors import FactError
from workbench.governance.lessons.edits import edit
from workbench.governance.lessons.phrases import Draft, Phrases, count_phrases
from workbench.governance.lessons.trail import Roles
from workbench.governance.states import PaperState
from workbench.governance.tables import document, draft, paper, paper_edit, written

#: Reads a fact sheet's bytes to the names of people and households on it: none of them may get out.
ReadNames = Callable[[bytes], Iterable[str]]


@dataclass(frozen=True)
class Texts:
    """How far people's words are from the drafted ones (`rows`), why papers were edited, what was taken out.

    `unread` counts papers of a household whose phrases are not counted, because nobody could read its names.
    """

    rows: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    phrases: Phrases
    unread: int


def texts_met(
    connection: Connection, until: datetime, signals: Mapping[str, Any], met: set[str], roles: Roles,
    read_names: ReadNames | None,
) -> Texts:  # fmt: skip
    """Return the texts on which a person decided up to `until`: others may have been read by nobody.

    `signals` are rows by identifier, `met` those on which a person acted.
    """
    letters = _letters(connection, until, signals, met)
    edits: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(select(paper_edit).where(paper_edit.c.at <= until).order_by(paper_edit.c.version)):
        edits.setdefault(row.paper_id, []).append(row)
    papers, unread = _papers(connection, until, edits, read_names)
    rows = [{"signal_id": signal_id, "kind": kind, **_measured(text)} for signal_id, kind, text in (*letters, *papers)]
    counted = count_phrases(text for _, _, text in (*letters, *papers) if text.household_id)
    return Texts(rows, [_decision(row, roles) for of in edits.values() for row in of], counted, unread)


def body_of(connection: Connection, name: str) -> bytes | None:
    """Return a document's bytes; None for one that was disposed of."""
    body = connection.execute(select(document.c.body).where(document.c.hash == name)).scalar_one_or_none()
    return None if body is None else bytes(body)


def _letters(
    connection: Connection, until: datetime, signals: Mapping[str, Any], met: set[str]
) -> list[tuple[str | None, str, Draft]]:
    found: list[tuple[str | None, str, Draft]] = []
    query = select(draft).where(draft.c.created_at <= until).order_by(draft.c.draft_id)
    for row in connection.execute(query).all():
        if row.signal_id not in met:
            continue
        late = row.edited_at is None or row.edited_at > until
        words = _both(connection, row.drafted_hash, row.drafted_hash if late else row.current_hash)
        if words is not None:
            home = signals[row.signal_id]
            found.append((row.signal_id, row.kind, Draft(home["household_id"], home["household_name"], *words)))
    return found


def _papers(
    connection: Connection, until: datetime, edits: Mapping[str, list[Row[Any]]], read_names: ReadNames | None
) -> tuple[list[tuple[str | None, str, Draft]], int]:
    """Papers that were edited, released or withdrawn; only those of a household have it named, to count phrases by."""
    found: list[tuple[str | None, str, Draft]] = []
    unread = 0
    for row in connection.execute(select(paper).where(paper.c.created_at <= until).order_by(paper.c.paper_id)).all():
        mine = edits.get(row.paper_id, [])
        if not mine and not _decided(row, until):
            continue
        words = _both(connection, row.drafted_hash, mine[-1].after_hash if mine else row.drafted_hash)
        if words is None:
            continue
        names = _names(connection, row.facts_hash, read_names) if row.household_id else None
        unread += names is None and row.household_id is not None
        found.append((None, row.kind, Draft("" if names is None else row.household_id, names or "", *words)))
    return found, unread


def _decided(row: Row[Any], until: datetime) -> bool:
    if row.released_at is not None:
        return bool(row.released_at <= until)
    return row.state == PaperState.WITHDRAWN and bool(row.updated_at <= until)


def _names(connection: Connection, facts: str, read_names: ReadNames | None) -> str | None:
    """Every name of a person or household on a fact sheet; None where nobody can say."""
    body = body_of(connection, facts)
    if read_names is None or body is None:
        return None
    try:
        return " ".join(read_names(body))
    except FactError:
        return None


def _both(connection: Connection, drafted: str, left: str) -> tuple[str, str] | None:
    """A text as drafted and as a person left it; None where either was disposed of."""
    old, new = body_of(connection, drafted), body_of(connection, left)
    if old is None or new is None:
        return None
    return old.decode("utf-8", "replace"), new.decode("utf-8", "replace")


def _measured(text: Draft) -> dict[str, Any]:
    measured = edit(text.drafted, text.edited)
    return {"edited": text.drafted != text.edited, "distance": measured.distance, "length": measured.length}


def _decision(row: Row[Any], roles: Roles) -> dict[str, Any]:
    """An edit of a paper as a row of decisions: of no signal, of no rule."""
    return {
        "decision_id": f"{row.paper_id}.{row.version}",
        "signal_id": None,
        "action": "edit_paper",
        "rule_id": None,
        "reason_code": row.reason_code,
        "reason": row.reason,
        "edit_distance": row.edit_distance,
        "length": row.length,
        "at": row.at,
        "role": roles.get((row.paper_id, "edit_paper", row.person_id, written(row.at)), ""),
        "for_another": row.on_behalf_of is not None,
    }
