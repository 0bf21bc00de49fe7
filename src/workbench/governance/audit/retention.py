"""Retention: documents whose years are over lose their bytes, never their record; what is held or in use keeps them.

The trail names documents by hash only, so that disposing of one breaks no chain: the record says that it was there,
what it hashed to, and under which schedule it went.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Connection, select, update

from workbench.errors import DecisionError
from workbench.governance import rulebooks
from workbench.governance.audit import chain, holds
from workbench.governance.audit.schedule import Schedule, read
from workbench.governance.commands import Command
from workbench.governance.states import CLOSED, OPEN_PAPERS, Action
from workbench.governance.tables import document, draft, escalation, paper, signal
from workbench.governance.tables import read as moment
from workbench.governance.unit import Done, Unit

if TYPE_CHECKING:
    from workbench.governance.access import Actor
    from workbench.governance.handlers_of import Handlers

#: Kind and identifier of what a document belongs to.
Thing = tuple[str, str]
#: Documents in one command; the rest waits for the next.
AT_ONCE = 500


@dataclass(frozen=True)
class Due:
    """One document and why it may go, or why it stays: `kept_by` names the hold, or what is open."""

    hash: str
    kind: str
    size: int
    last_used: datetime
    until: date
    kept_by: str | None


@dataclass(frozen=True)
class Dispose(Command):
    """Take the bytes of these documents away; each must be due by the store's schedule, unheld and not in use.

    The schedule is the store's, as it was opened, never part of what is asked: nobody shortens years by asking so.
    """

    action: ClassVar[Action] = Action.DISPOSE
    hashes: tuple[str, ...]


@dataclass
class _Use:
    """Where one document was used, as the trail has it."""

    last: datetime
    touched: set[Thing]


def due(connection: Connection, now: datetime, schedule: Schedule | None = None) -> list[Due]:
    """Return the documents past their years at a moment, oldest first, with what keeps each if something does.

    Reads the trail once: a document counts as used whenever a record of it or of its signal was written.
    """
    return _judged(connection, now, schedule or read(), _stored(connection))


def _judged(connection: Connection, now: datetime, schedule: Schedule, rows: Iterable[Any]) -> list[Due]:
    today = now.astimezone(UTC).date()
    old = [row for row in rows if schedule.until(row.kind, row.stored_at) < today]
    if not old:
        return []
    uses = _uses(connection, {row.hash: row.stored_at for row in old})
    held, still_open = holds.in_force(connection), _open(connection)
    rules = rulebooks.in_force(connection)
    used = () if rules is None else (rules.document, rules.page)
    answer = []
    for row in old:
        use = uses[row.hash]
        until = schedule.until(row.kind, use.last)
        if until < today:
            kept = "the rulebook in force" if row.hash in used else _kept_by(use, held, still_open)
            answer.append(Due(row.hash, row.kind, row.size, use.last, until, kept))
    return sorted(answer, key=lambda one: (one.last_used, one.hash))


def _stored(connection: Connection, hashes: tuple[str, ...] | None = None) -> Iterable[Any]:
    wanted = select(document.c.hash, document.c.kind, document.c.size, document.c.stored_at)
    wanted = wanted.where(document.c.disposed_at.is_(None))
    if hashes is not None:
        wanted = wanted.where(document.c.hash.in_(hashes))
    return connection.execute(wanted).all()


def _uses(connection: Connection, stored: dict[str, datetime]) -> dict[str, _Use]:
    """Everything that touched a document: signals, papers, households, people and books, and the last time of each."""
    uses = {name: _Use(at, set()) for name, at in stored.items()}
    things: dict[str, set[Thing]] = {}
    last_of: dict[Thing, datetime] = {}
    touched: dict[Thing, set[Thing]] = {}
    for said in _records(connection):
        about = _about(said)
        people = {("person", name) for name in (said["actor"], said["on_behalf_of"]) if name}
        around = people | {("book", said["book"])} | _household(said) | ({about} if about else set())
        at = moment(said["at"])
        for name in _named(said):
            if name in uses:
                uses[name].touched |= around
                uses[name].last = max(uses[name].last, at)
                if about:
                    things.setdefault(name, set()).add(about)
        if about:
            last_of[about] = at
            touched.setdefault(about, set()).update(around)
    for name, signals in _linked(connection, stored).items():
        things.setdefault(name, set()).update(("signal", one) for one in signals)
    households = {
        ("signal", row.signal_id): row.household_id
        for row in connection.execute(select(signal.c.signal_id, signal.c.household_id))
    }
    for name, about_it in things.items():
        for one in about_it:
            uses[name].last = max(uses[name].last, last_of.get(one, uses[name].last))
            uses[name].touched |= touched.get(one, set()) | {one}
            uses[name].touched |= {("household", households[one])} if one in households else set()
    return uses


def _about(said: dict[str, Any]) -> Thing | None:
    """The signal, paper or question that a record is about; None for any other."""
    kind, name = said["object_kind"], said["object_id"]
    return (kind, name) if kind in ("signal", "paper", "escalation") and name else None


def _household(said: dict[str, Any]) -> set[Thing]:
    """The household that the record of a paper or a question names; a signal's stands in its row."""
    name = said["details"].get("household_id") if said["object_kind"] in ("paper", "escalation") else None
    return {("household", name)} if name else set()


def _records(connection: Connection) -> Iterator[dict[str, Any]]:
    for row in chain.rows(connection):
        yield json.loads(row.body)


def _named(said: dict[str, Any]) -> set[str]:
    """The hashes of documents that a record names."""
    return {one for one in said["documents"].values() if isinstance(one, str)}


def _linked(connection: Connection, stored: dict[str, datetime]) -> dict[str, set[str]]:
    """Documents that the tables of signals and drafts hold, with their signals."""
    found: dict[str, set[str]] = {}
    columns = ("package_hash", "brief_hash", "preflight_hash", "ticket_hash")
    for row in connection.execute(select(signal.c.signal_id, *(signal.c[name] for name in columns))):
        for name in row[1:]:
            if name in stored:
                found.setdefault(name, set()).add(row.signal_id)
    texts = select(
        draft.c.signal_id, draft.c.drafted_hash, draft.c.current_hash, draft.c.facts_hash, draft.c.report_hash
    )
    for row in connection.execute(texts):
        for name in row[1:]:
            if name in stored:
                found.setdefault(name, set()).add(row.signal_id)
    return found


def _open(connection: Connection) -> frozenset[tuple[str, str]]:
    """What is not closed yet, and so keeps its documents: kind and identifier."""
    closed = [str(state) for state in CLOSED]
    asked = {
        "signal": select(signal.c.signal_id).where(signal.c.state.not_in(closed)),
        "paper": select(paper.c.paper_id).where(paper.c.state.in_(sorted(OPEN_PAPERS))),
        "escalation": select(escalation.c.escalation_id).where(escalation.c.state == "open"),
    }
    return frozenset((kind, name) for kind, which in asked.items() for name in connection.execute(which).scalars())


def _kept_by(use: _Use, held: frozenset[tuple[str, str]], still_open: frozenset[tuple[str, str]]) -> str | None:
    if ("everything", "*") in held:
        return "hold on everything"
    for kind, name in sorted(use.touched & held):
        return f"hold on {kind} {name}"
    for kind, name in sorted(use.touched & still_open):
        return f"{kind} {name}, which is not closed"
    return None


def _dispose(unit: Unit, actor: Actor, command: Dispose) -> Done:
    if not 0 < len(command.hashes) <= AT_ONCE:
        raise DecisionError(f"name from 1 to {AT_ONCE:,} documents; the rest waits for the next command")
    schedule = unit.retention or read()
    rows = _stored(unit.connection, command.hashes)
    ready = {one.hash: one for one in _judged(unit.connection, unit.now, schedule, rows)}
    for name in command.hashes:
        one = ready.get(name)
        if one is None:
            raise DecisionError(
                f"document {name[:12]} is not due, or is gone already; read the list of what is due anew"
            )
        if one.kept_by:
            raise DecisionError(f"document {name[:12]} stays: {one.kept_by}")
    unit.connection.execute(
        update(document).where(document.c.hash.in_(command.hashes)).values(body=None, disposed_at=unit.now)
    )
    names = sorted(command.hashes)
    said = {
        "schedule": schedule.version,
        "count": len(names),
        "years": {one.name: one.years for one in map(schedule.of, sorted({row.kind for row in rows}))},
        "disposed": {name: schedule.of(ready[name].kind).name for name in names},
    }
    return Done(
        "document", names[0], state="disposed", details=said, messages=(("audit.disposed", {"count": len(names)}),)
    )


HANDLERS: Handlers = {Dispose: _dispose}
