"""Rows pinned by the trail: what an act leaves of its object is hashed into its record, table by table.

    record 52: object signal-4711, rows {"signal": "9f...", "approval": "03...", "maker": "c1..."}

So a row that is changed, added or taken away by hand is not what the object's last record says. An act looks before it
writes (`Unit.examine`) and pins only what was as recorded: a later act never covers an earlier change. A pin is SHA-256
over the object's rows in one table, each as canonical JSON of its columns as text without those that are null, sorted,
one a line: a column that a later schema adds changes no earlier pin as long as it is null.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    CompoundSelect,
    Connection,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    literal,
    null,
    select,
    union_all,
)

from workbench.errors import AuditError
from workbench.governance import tables
from workbench.governance.tables import audit

#: Kind of object -> the tables that hold its rows, with the column of the object's identifier; None: the whole table.
HELD: dict[str, dict[str, str | None]] = {
    "signal": dict.fromkeys(("signal", "approval", "consent", "decision", "draft", "finding", "maker"), "signal_id"),
    "person": {"person": "person_id", "role_grant": "person_id"},
    "delegation": {"delegation": "delegation_id"},
    "break_glass": {"break_glass": "grant_id"},
    "hold": {"hold": "hold_id"},
    "model": {"rollout": "key"},
    "account": {"rollout": "key"},
    "controls": {"controls": None},
    "measure": {"measure": "measure_id", "reading": "measure_id"},
    "inputs": {"household_inputs": None},
    "paper": {"paper": "paper_id", "paper_edit": "paper_id"},
    "escalation": {"escalation": "escalation_id"},
}
#: Kinds of which there is one object only, whatever a record calls it.
ONE = frozenset({"controls", "inputs"})
#: In a record whose act had nothing to pin.
_NOTHING = '%"rows":{}%'
Row = Mapping[str, str]


def table(name: str) -> Table:
    """Return a table by its name."""
    return tables.metadata.tables[name]


def rows_of(connection: Connection, kind: str, object_id: str) -> dict[str, list[Row]]:
    """Read an object's rows, by table; a table without any is left out. One statement, whatever the kind."""
    found: dict[str, list[Row]] = {}
    names = {name: [column.name for column in table(name).columns] for name in HELD[kind]}
    for name, *values in connection.execute(_STATEMENTS[kind], {"of": object_id}):
        found.setdefault(name, []).append(_row(names[name], values))
    return found


def told_together(connection: Connection, found: Sequence[Row]) -> list[Row]:
    """Return the rows of `household_inputs` that the last telling of all of them left.

    Those that came with a signal since then are pinned by its record and left out; one of them that is gone by now
    stands in its place, so that the rows give another hash.
    """
    later = _first_seen_later(connection)
    present = {row["household_id"] for row in found}
    gone: list[Row] = [{"gone": name} for name in later if name not in present]
    return [row for row in found if later.get(row["household_id"]) != row] + gone


def every(connection: Connection, kind: str, name: str) -> Iterator[tuple[str, Row]]:
    """Yield all rows of a table with the object they belong to, for verification."""
    key = HELD[kind][name]
    found = select(*_texts(table(name)))
    if name == "rollout":
        found = found.where(table(name).c.kind == kind)
    columns = [column.name for column in table(name).columns]
    for values in connection.execute(found.execution_options(yield_per=1000)):
        row = _row(columns, values)
        yield kind if key is None else row[key], row


def as_left(connection: Connection, kind: str, object_id: str) -> dict[str, str]:
    """Return the pins of an object's present rows as its last record would give them if nobody changed any."""
    found = rows_of(connection, kind, object_id)
    if kind == "inputs":
        found = {"household_inputs": told_together(connection, found.get("household_inputs", []))}
    return pins(found)


def digest(rows: Iterable[Row]) -> str:
    """Return the pin of an object's rows in one table."""
    lines = sorted(json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for row in rows)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def pins(rows: Mapping[str, Sequence[Row]]) -> dict[str, str]:
    """Return the pins of an object, by table."""
    return {name: digest(those) for name, those in rows.items() if those}


def last_pins(connection: Connection, kind: str, object_id: str) -> dict[str, str] | None:
    """Return what the last record that pinned an object says; empty where none did.

    None where the last record was written before records pinned rows. Raises `AuditError` for a record that is not
    what its hash says.
    """
    asked = _LAST_OF_KIND if kind in ONE else _LAST
    row = connection.execute(asked, {"kind": kind, "of": object_id}).first()
    if row is None:
        return {}
    if hashlib.sha256(row.body.encode("utf-8", "surrogatepass")).hexdigest() != row.hash:
        raise AuditError(f"record {row.sequence} of the audit trail was changed; call compliance", row.sequence)
    said = json.loads(row.body).get("rows")
    return None if said is None else dict(said)


def first_seen(body: Mapping[str, Any]) -> Row | None:
    """Return the row of `household_inputs` that the record of a new signal says it made, if it made one."""
    if not body["details"].get("first_seen"):
        return None
    return {
        "household_id": body["details"]["household_id"],
        "inputs_hash": body["inputs"]["household"],
        "snapshot": body["inputs"]["snapshot"],
        "seen_at": body["at"],
    }


def _first_seen_later(connection: Connection) -> dict[str, Row]:
    """Rows of households that were seen first with a signal, since all of them were last told together."""
    last = connection.execute(_LAST_OF_KIND, {"kind": "inputs"}).first()
    found = {}
    for body in connection.execute(_FIRST_SEEN, {"after": 0 if last is None else last.sequence}).scalars():
        row = first_seen(json.loads(body))
        if row is not None:
            found[row["household_id"]] = row
    return found


def _row(names: Sequence[str], values: Sequence[str | None]) -> Row:
    return {name: value for name, value in zip(names, values, strict=False) if value is not None}


def _texts(of: Table) -> list[Any]:
    return [cast(column, Text) for column in of.columns]


def _statement(kind: str) -> CompoundSelect[Any]:
    """All rows of an object as text, the shorter ones filled up, so that one question fetches them."""
    widest = max(len(table(name).columns) for name in HELD[kind])
    parts: list[Select[Any]] = []
    for name, key in HELD[kind].items():
        of = table(name)
        filling = [cast(null(), Text)] * (widest - len(of.columns))
        part = select(literal(name), *(one.label(f"c{n}") for n, one in enumerate([*_texts(of), *filling])))
        if key is not None:
            part = part.where(of.c[key] == bindparam("of"))
        if name == "rollout":
            part = part.where(of.c.kind == kind)
        parts.append(part)
    return union_all(*parts)


def _last(*which: Any) -> Select[Any]:
    wanted = select(audit.c.sequence, audit.c.body, audit.c.hash)
    pinned = wanted.where(*which, audit.c.outcome == "done", audit.c.body.not_like(_NOTHING))
    return pinned.order_by(audit.c.sequence.desc()).limit(1)


_STATEMENTS = {kind: _statement(kind) for kind in HELD}
_LAST_OF_KIND = _last(audit.c.object_kind == bindparam("kind"))
_LAST = _last(audit.c.object_kind == bindparam("kind"), audit.c.object_id == bindparam("of"))
_FIRST_SEEN = select(audit.c.body).where(
    audit.c.sequence > bindparam("after"), audit.c.action == "create", audit.c.body.like('%"first_seen":true%')
)
