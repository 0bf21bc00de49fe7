"""The tables against the trail: every signal, person and setting is as the last record about it left it.

What is looked for is a change by hand: a state set to released, an approval put in, a role granted by SQL, an amount
lowered below the second approver's limit, a hold taken away. The rows that an object has now are hashed and compared
with what its last record pinned (`pinned`); where the record says a column's value itself, the finding names the
column.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from workbench.governance import pinned
from workbench.governance.audit.chain import KEEP, Findings
from workbench.governance.pinned import Row
from workbench.governance.tables import audit, document

_SHOWN = 5


@dataclass(frozen=True)
class _Left:
    """What the last record about an object left."""

    sequence: int
    rows: dict[str, str]
    said: dict[str, str | None]


@dataclass
class _Trail:
    """What the records say that the tables have to agree with."""

    left: dict[tuple[str, str], _Left]
    outside: list[tuple[int, str, str]]
    first_seen: dict[str, tuple[int, Row]]
    disposed: set[str]


def check_rows(connection: Connection, findings: Findings) -> int:
    """Note every object whose rows are not what its last record left; return how many objects were compared."""
    trail = _read(connection)
    for sequence, kind, name in trail.outside:
        problem = f"when record {sequence} was written, {_named(kind, name)} had been changed outside the desk already"
        findings.add(sequence, "row", problem, KEEP)
    compared: set[tuple[str, str]] = set()
    for kind, held in pinned.HELD.items():
        for table in held:
            compared |= _check_table(connection, kind, table, trail, findings)
    _check_disposals(connection, trail.disposed, findings)
    return len(compared)


def _read(connection: Connection) -> _Trail:
    """Read the trail once, for what each object's last record left."""
    trail = _Trail({}, [], {}, set())
    wanted = select(audit.c.sequence, audit.c.body).where(audit.c.outcome == "done").order_by(audit.c.sequence)
    for sequence, body in connection.execute(wanted.execution_options(yield_per=1000)):
        try:
            said = json.loads(body)
            _take(trail, sequence, said)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue  # a broken record is a finding of the chain's own
    return trail


def _take(trail: _Trail, sequence: int, said: Mapping[str, Any]) -> None:
    kind, name, details = said["object_kind"], said["object_id"], said["details"]
    if details.get("changed_outside"):
        trail.outside.append((sequence, kind, name))
    if kind == "document" and "disposed" in details:
        trail.disposed.update(details["disposed"])
    rows = said.get("rows")
    if not rows or kind not in pinned.HELD:
        return
    of_signal = _of_signal(said) if kind == "signal" else {}
    trail.left[kind, kind if kind in pinned.ONE else name] = _Left(sequence, dict(rows), of_signal)
    row = pinned.first_seen(said) if kind == "signal" else None
    if row is not None:
        trail.first_seen[row["household_id"]] = (sequence, row)


def _of_signal(said: Mapping[str, Any]) -> dict[str, str | None]:
    """Columns of a signal that its record repeats."""
    documents = {f"{name}_hash": said["documents"].get(name) for name in ("package", "brief", "preflight", "ticket")}
    return {
        "state": said["details"].get("state", "draft"),
        "version": str(said["object_version"]),
        "sheet_hash": said["after"],
        "book": said["book"],
        "policy": said["policy"],
        "rules_hash": said["rules_hash"],
        "inputs_hash": said["inputs"].get("household"),
        "snapshot": said["inputs"].get("snapshot"),
        "updated_at": said["at"],
        **documents,
    }


def _check_table(
    connection: Connection, kind: str, table: str, trail: _Trail, findings: Findings
) -> set[tuple[str, str]]:
    """Compare one table's rows of every object of a kind with what its last record pinned."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for name, row in pinned.every(connection, kind, table):
        rows[name].append(row)
    if kind == "inputs":
        told = trail.left.get((kind, kind))
        rows = {kind: _without_first_seen(rows.get(kind, []), 0 if told is None else told.sequence, trail, findings)}
    objects = {(kind, name) for name in rows} | {key for key in trail.left if key[0] == kind}
    for key in sorted(objects):
        left, here = trail.left.get(key), rows.get(key[1], [])
        if (left.rows.get(table) if left else None) != (pinned.digest(here) if here else None):
            _add(findings, key, table, left, here)
    return {key for key in objects if key in trail.left}


def _add(findings: Findings, key: tuple[str, str], table: str, left: _Left | None, here: list[Row]) -> None:
    which = f"{_named(*key)}, table {table}"
    if left is None:
        problem = f"{which}: no record says that anybody wrote {_keys(table, here)}"
    elif not here:
        problem = f"{which}: what record {left.sequence} left is gone"
    elif table not in left.rows:
        problem = f"{which}: record {left.sequence} left nothing there, now there is {_keys(table, here)}"
    else:
        differ = [
            f"{column} is {here[0].get(column)!r}, the record says {said!r}"
            for column, said in (left.said.items() if table == "signal" and len(here) == 1 else ())
            if here[0].get(column) != said
        ]
        shown = "; ".join(differ) or (f"now there is {_keys(table, here)}" if table != key[0] else "another column")
        problem = f"{which}: changed since record {left.sequence} ({shown})"
    findings.add(left.sequence if left else None, "row", problem, KEEP)


def _without_first_seen(here: list[Row], told: int, trail: _Trail, findings: Findings) -> list[Row]:
    """Hold rows that came with a signal, since all were last told together, against its record; return the others."""
    by_name = {row["household_id"]: row for row in here}
    for name, (sequence, row) in trail.first_seen.items():
        if sequence < told:
            continue
        now = by_name.pop(name, None)
        if now != row:
            fate = "is gone" if now is None else "was changed"
            problem = f"the inputs of household {name}, table household_inputs: what record {sequence} left {fate}"
            findings.add(sequence, "row", problem, KEEP)
    return list(by_name.values())


def _check_disposals(connection: Connection, disposed: set[str], findings: Findings) -> None:
    """A document without its bytes was disposed of by an act, or somebody took them."""
    gone = select(document.c.hash, document.c.kind).where(document.c.disposed_at.is_not(None))
    for name, kind in connection.execute(gone):
        if name not in disposed:
            problem = f"the {kind} {name[:12]} has lost its bytes, and no record says that it was disposed of"
            findings.add(None, "document", problem, KEEP)


def _named(kind: str, name: str) -> str:
    alone = {"inputs": "the inputs of the households", "controls": "the controls"}
    return alone.get(kind, f"{kind.replace('_', ' ')} {name}")


def _keys(table: str, rows: list[Row]) -> str:
    """The rows by their keys, the first few of them."""
    names = [column.name for column in pinned.table(table).primary_key.columns]
    said = sorted("/".join(row.get(name, "") for name in names) for row in rows)
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return ", ".join(said[:_SHOWN]) + more
