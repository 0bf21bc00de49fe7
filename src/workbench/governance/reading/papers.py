"""Papers as the desk shows them: the list, one paper whole, its documents; within the books of the reader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from workbench.errors import AccessError
from workbench.governance.access import Actor, visible
from workbench.governance.documents import fetch
from workbench.governance.paper_kinds import kind_of
from workbench.governance.papers import Paper, authorized, makers_of, obstacle
from workbench.governance.reading.history import Line, both, history, names_of
from workbench.governance.states import OPEN_PAPERS, Action, PaperState
from workbench.governance.tables import paper, paper_edit

_ACTS = (Action.EDIT_PAPER, Action.RELEASE_PAPER, Action.WITHDRAW_PAPER)
PAGE = 50


@dataclass(frozen=True)
class PaperFilters:
    """Which papers to show; what is None or empty filters nothing. `waiting` are those that may still be released."""

    kind: str | None = None
    state: PaperState | None = None
    waiting: bool = False
    faulty: bool = False
    text: str = ""


@dataclass(frozen=True)
class PaperRow:
    """One line of the list: `supported` is the verifier's word on the present text."""

    paper_id: str
    kind: str
    key: str
    title: str
    book: str
    as_of: str
    state: PaperState
    supported: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class PapersPage:
    """One page of the list, oldest first, and how many there are in all."""

    rows: tuple[PaperRow, ...]
    total: int
    next_after: int | None


@dataclass(frozen=True)
class Edit:
    """One time that a person put a paper into other words; `distance` of `length` words were changed."""

    version: int
    who: str
    at: datetime
    reason_code: str
    reason: str | None
    distance: int
    length: int
    supported: bool


@dataclass(frozen=True)
class PaperView(PaperRow):
    """All that a person needs to decide about one paper: hashes in hex, texts by `paper_document`.

    `allowed` are the acts this reader's roles allow now; `obstacle` says why nobody can release it.
    """

    household_id: str | None
    reader: str
    version: int
    sheet_hash: str
    drafted_hash: str
    current_hash: str
    facts_hash: str
    report_hash: str
    record: Mapping[str, str]
    released_by: str | None
    released_at: datetime | None
    released_by_roles: tuple[str, ...]
    edits: tuple[Edit, ...]
    history: tuple[Line, ...]
    allowed: frozenset[Action]
    made_by_reader: bool
    obstacle: str | None


def papers_page(connection: Connection, actor: Actor, filters: PaperFilters, after: int = 0) -> PapersPage:
    """Return one page of the papers this actor may see; those that wait come first, the oldest of them before."""
    where = [visible(actor, paper.c.book, Action.READ_PAPERS), *_conditions(filters)]
    total = connection.execute(select(func.count()).select_from(paper).where(*where)).scalar_one()
    waits = paper.c.state.in_(sorted(OPEN_PAPERS))
    asked = select(paper).where(*where).order_by(waits.desc(), paper.c.created_at, paper.c.paper_id)
    rows = connection.execute(asked.offset(after).limit(PAGE)).all()
    more = after + len(rows)
    return PapersPage(tuple(PaperRow(**_plain(row)) for row in rows), total, more if more < total else None)


def paper_view(connection: Connection, actor: Actor, paper_id: str) -> PaperView | None:
    """Return a paper as this actor may see it; None for one that does not exist or lies in another book."""
    row = _row(connection, actor, paper_id)
    if row is None:
        return None
    found = Paper(row, makers_of(connection, row))
    releaser = {one for one in (row.released_by, row.released_for) if one}
    names = names_of(connection, releaser)
    copied = ("household_id", "version", "sheet_hash", "drafted_hash", "current_hash", "facts_hash", "report_hash")
    return PaperView(
        **_plain(row),
        **{name: getattr(row, name) for name in copied},
        reader=kind_of(row.kind).reader,
        record=json.loads(row.record),
        released_by=both(row.released_by, row.released_for, names),
        released_at=row.released_at,
        released_by_roles=tuple(sorted(str(role) for role in kind_of(row.kind).released_by)),
        edits=_edits(connection, paper_id),
        history=history(connection, actor, "paper", paper_id),
        allowed=frozenset(action for action in _ACTS if _may(actor, action, found)),
        made_by_reader=bool(found.makers & actor.persons),
        obstacle=obstacle(found),
    )


def paper_document(connection: Connection, actor: Actor, paper_id: str, content_hash: str) -> bytes | None:
    """Return the bytes of one of a paper's documents; None for any other, so that a hash alone opens nothing.

    Raises `DecisionError` where retention disposed of it, or its bytes are not its hash's.
    """
    row = _row(connection, actor, paper_id)
    if row is None:
        return None
    edits = select(paper_edit.c.after_hash, paper_edit.c.report_hash).where(paper_edit.c.paper_id == paper_id)
    mine = {row.drafted_hash, row.current_hash, row.facts_hash, row.report_hash, *json.loads(row.record).values()}
    mine |= {name for pair in connection.execute(edits) for name in pair}
    return fetch(connection, content_hash).body if content_hash in mine else None


def _row(connection: Connection, actor: Actor, paper_id: str) -> Row[Any] | None:
    seen = select(paper).where(paper.c.paper_id == paper_id, visible(actor, paper.c.book, Action.READ_PAPERS))
    return connection.execute(seen).one_or_none()


def _conditions(filters: PaperFilters) -> list[Any]:
    found: list[Any] = []
    if filters.kind:
        found.append(paper.c.kind == filters.kind)
    if filters.state:
        found.append(paper.c.state == str(filters.state))
    if filters.waiting:
        found.append(paper.c.state.in_(sorted(OPEN_PAPERS)))
    if filters.faulty:
        found.append(paper.c.supported == 0)
    if filters.text:
        wanted = filters.text.lower()
        found.append(
            func.lower(paper.c.title).contains(wanted, autoescape=True)
            | func.lower(paper.c.key).contains(wanted, autoescape=True)
        )
    return found


def _plain(row: Row[Any]) -> dict[str, Any]:
    said = {name: getattr(row, name) for name in PaperRow.__dataclass_fields__}
    return said | {"state": PaperState(row.state), "supported": bool(row.supported)}


def _edits(connection: Connection, paper_id: str) -> tuple[Edit, ...]:
    rows = connection.execute(
        select(paper_edit).where(paper_edit.c.paper_id == paper_id).order_by(paper_edit.c.version)
    ).all()
    names = names_of(connection, {one for row in rows for one in (row.person_id, row.on_behalf_of) if one})
    return tuple(
        Edit(
            row.version, both(row.person_id, row.on_behalf_of, names) or row.person_id, row.at, row.reason_code,
            row.reason, row.edit_distance, row.length, bool(row.supported),
        )
        for row in rows
    )  # fmt: skip


def _may(actor: Actor, action: Action, found: Paper) -> bool:
    try:
        return bool(authorized(actor, action, found))
    except AccessError:
        return False
