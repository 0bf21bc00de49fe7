"""What people decided, out of the database and into a folder: what a report may read instead of a database."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from workbench.errors import PackageError
from workbench.governance import measures as outcome
from workbench.governance.access import Actor, authorize
from workbench.governance.lessons import frames
from workbench.governance.lessons.frames import Decisions, frame
from workbench.governance.lessons.texts import ReadNames, body_of, texts_met
from workbench.governance.lessons.trail import ENDS, Roles, read_trail
from workbench.governance.measures.stored import written as defined
from workbench.governance.states import Action
from workbench.governance.tables import (
    approval,
    decision,
    finding,
    reading,
    signal,
    written,
)
from workbench.governance.tables import measure as definition
from workbench.governance.unit import read_head

#: Reads a package's bytes to its trades: security_id, signed shares, price, cost, tax, in dollars.
ReadTrades = Callable[[bytes], Iterable[Mapping[str, Any]]]
#: Reads a pre-flight's bytes to its findings: rule_id, rule_version, verdict, value, limit, overridable.
ReadFindings = Callable[[bytes], Iterable[Mapping[str, Any]]]


def export_decisions(
    connection: Connection,
    actor: Actor,
    folder: Path | str,
    until: datetime,
    read_trades: ReadTrades | None = None,
    read_findings: ReadFindings | None = None,
    read_names: ReadNames | None = None,
) -> Decisions:
    """Write what was decided up to `until` into a new folder, as Parquet with a manifest of hashes; return it.

    No client's name and no draft is in it; people are numbered anew in every export and shown by role. Reasons are
    there as they were written. Without `read_trades` the table of trades is empty; without `read_findings` only the
    findings of each signal's last check are there, with figures as they are shown; without `read_names` no phrase is
    counted out of papers. The notes say so.
    Every book is in it, so that it takes the right to read measures of the whole firm. Raises `AccessError` without it,
    `ParameterError` where the folder is not empty, `ValueError` for a moment without a time zone.
    """
    authorize(actor, Action.READ_MEASURES)
    found = collect(connection, until, read_trades, read_findings, read_names)
    frames.write(found, folder)
    return found


def collect(
    connection: Connection,
    until: datetime,
    read_trades: ReadTrades | None = None,
    read_findings: ReadFindings | None = None,
    read_names: ReadNames | None = None,
) -> Decisions:
    """Return what was decided up to `until`, as `export_decisions` writes it."""
    stamp, notes = written(until), []
    times, roles, checks = read_trail(connection, stamp)
    rows = [row._mapping for row in connection.execute(select(signal).where(signal.c.created_at <= until))]
    mine = {row["signal_id"]: row for row in rows}
    decisions = [
        row._mapping
        for row in connection.execute(select(decision).where(decision.c.at <= until).order_by(decision.c.at))
        if row.signal_id in mine
    ]
    packages, gone = _packages(connection, mine, decisions, read_trades)
    if gone:
        notes.append(f"Trades of {gone} signals are missing: their packages were disposed of or cannot be read.")
    if read_trades is None:
        notes.append("Trades were not exported, so that how decisions turned out cannot be shown.")
    if read_findings is None:
        notes.append("Findings of repeated checks are missing: shares overridden are too high, no limit can be tested.")
    texts = texts_met(connection, until, mine, {row["signal_id"] for row in decisions}, roles, read_names)
    if texts.unread:
        notes.append(f"Phrases taken out of {texts.unread} papers are not counted: their fact sheets were not read.")
    head = read_head(connection)
    tables = {
        "signals": [
            _signal(row, times[row["signal_id"]], decisions_of) for row, decisions_of in _each(rows, decisions)
        ],
        "findings": _findings(connection, mine, decisions, roles, checks, read_findings),
        "decisions": [*(_decision(row, roles) for row in decisions), *texts.decisions],
        "approvals": _approvals(connection, until, mine, roles),
        "drafts": texts.rows,
        "phrases": [
            {"phrase": text, "words": len(text.split()), "deleted_in": out, "offered_in": offered}
            for text, out, offered in texts.phrases.rows
        ],
        "trades": packages,
        **_measures(connection, until),
    }
    made = Decisions(
        {name: frame(name, table) for name, table in tables.items()}, stamp, head.sequence, head.hash, "",
        texts.phrases.tested, tuple(notes),
    )  # fmt: skip
    return replace(made, hash=frames.content_hash(made))


def _each(rows: Iterable[Any], decisions: Iterable[Any]) -> Iterable[tuple[Any, Counter[str]]]:
    acts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in decisions:
        acts[row["signal_id"]][row["action"]] += 1
    for row in rows:
        yield row, acts[row["signal_id"]]


def _signal(row: Any, times: Mapping[str, list[datetime]], acts: Counter[str]) -> dict[str, Any]:
    ends = [(at, outcome_) for action, outcome_ in ENDS.items() for at in times.get(action, ())[-1:]]
    closed, how = max(ends) if ends else (None, "open")
    return {
        **{name: row[name] for name in ("signal_id", "book", "policy", "mode", "as_of")},
        "outcome": how,
        **{name: row[name] for name in ("trades", "traded", "tax", "cost", "benefit", "created_at")},
        "submitted_at": next(iter(times.get("submit", ())), None),
        "approved_at": next(iter(times.get("approve", ())[-1:]), None),
        "released_at": closed if how == "released" else None,
        "closed_at": closed,
        "returned": acts["return"],
        "revised": acts["revise"],
    }


def _findings(
    connection: Connection,
    mine: Mapping[str, Any],
    decisions: Iterable[Any],
    roles: Roles,
    checks: Mapping[str, Sequence[str]],
    read_findings: ReadFindings | None,
) -> list[dict[str, Any]]:
    """One finding a signal and rule: the last that blocked, else the last; overridden where a person ever did so."""
    raised: dict[tuple[str, str], Mapping[str, Any]] = {}
    for signal_id, row in _checked(connection, mine, checks, read_findings):
        known = raised.get((signal_id, row["rule_id"]))
        if known is None or row["verdict"] == "block" or known["verdict"] != "block":
            raised[signal_id, row["rule_id"]] = row
    made = {(row["signal_id"], row["rule_id"]): row for row in decisions if row["action"] == "override"}
    people: dict[str, str] = {}
    out = []
    for (signal_id, rule_id), row in sorted(raised.items()):
        act = made.get((signal_id, rule_id))
        said: dict[str, Any] = dict.fromkeys(("role", "person", "override_reason", "overridden_at"))
        if act is not None:
            said = {
                "role": _role(act, roles),
                "person": people.setdefault(act["person_id"], f"P{len(people) + 1}"),
                "override_reason": act["reason"],
                "overridden_at": act["at"],
            }
        copied = {name: row[name] for name in ("rule_id", "rule_version", "verdict", "value", "limit")}
        flags = {"overridable": bool(row["overridable"]), "overridden": act is not None}
        out.append({"signal_id": signal_id, **copied, **flags, **said})
    return out


def _checked(
    connection: Connection,
    mine: Mapping[str, Any],
    checks: Mapping[str, Sequence[str]],
    read_findings: ReadFindings | None,
) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Findings of every check of every signal in order: from the pre-flights, else the last from the database.

    A pre-flight holds its figures unrounded; the database holds them as they are shown.
    """
    read: set[str] = set()
    if read_findings is not None:
        for signal_id in mine:
            for name in checks.get(signal_id, ()):
                rows = _opened(read_findings, body_of(connection, name))
                if rows is not None:
                    yield from ((signal_id, row) for row in rows)
                    read.add(name)
    for row in connection.execute(select(finding).order_by(finding.c.signal_id, finding.c.rule_id)):
        if row.signal_id in mine and mine[row.signal_id]["preflight_hash"] not in read:
            yield row.signal_id, row._asdict()


def _role(row: Any, roles: Roles) -> str:
    return roles.get((row["signal_id"], row["action"], row["person_id"], written(row["at"])), "")


def _decision(row: Any, roles: Roles) -> dict[str, Any]:
    copied = ("decision_id", "signal_id", "action", "rule_id", "reason_code", "reason", "edit_distance", "length", "at")
    said = {name: row[name] for name in copied}
    said["role"] = _role(row, roles)
    said["for_another"] = row["on_behalf_of"] is not None
    return said


def _approvals(connection: Connection, until: datetime, mine: Mapping[str, Any], roles: Roles) -> list[dict[str, Any]]:
    out = []
    query = select(approval).where(approval.c.approved_at <= until).order_by(approval.c.approved_at)
    for row in connection.execute(query):
        if row.signal_id in mine:
            voided = row.voided_at is not None and row.voided_at <= until
            out.append(
                {
                    "signal_id": row.signal_id,
                    "role": roles.get((row.signal_id, "approve", row.person_id, written(row.approved_at)), ""),
                    "approved_at": row.approved_at,
                    "expires_at": row.expires_at,
                    "voided_at": row.voided_at if voided else None,
                    "void_reason": row.void_reason if voided else None,
                }
            )
    return out


def _opened(
    reader: Callable[[bytes], Iterable[Mapping[str, Any]]], body: bytes | None
) -> list[Mapping[str, Any]] | None:
    """What a reader finds in a document; None for one that was disposed of or is of another format."""
    try:
        return None if body is None else list(reader(body))
    except PackageError:
        return None


def _packages(
    connection: Connection, mine: Mapping[str, Any], decisions: Iterable[Any], read_trades: ReadTrades | None
) -> tuple[list[dict[str, Any]], int]:
    """Trades as first proposed and, where a person revised them, as they stand now; and how many are missing."""
    if read_trades is None:
        return [], 0
    first: dict[str, str] = {}
    for row in decisions:
        if row["action"] == "revise" and row["before_hash"]:
            first.setdefault(row["signal_id"], row["before_hash"])
    out, gone = [], 0
    for signal_id, row in mine.items():
        wanted = {"proposed": first.get(signal_id, row["package_hash"])}
        if signal_id in first:
            wanted["final"] = row["package_hash"]
        for made, name in wanted.items():
            trades = _opened(read_trades, body_of(connection, name))
            if trades is None:
                gone += 1
                continue
            fields = ("security_id", "shares", "price", "cost", "tax")
            out += [
                {"signal_id": signal_id, "made": made, **{field: trade[field] for field in fields}} for trade in trades
            ]
    return out, gone


def _measures(connection: Connection, until: datetime) -> dict[str, list[dict[str, Any]]]:
    known, figures = outcome.load(connection)
    when = {
        (row.measure_id, row.version): row.defined_at
        for row in connection.execute(select(definition.c.measure_id, definition.c.version, definition.c.defined_at))
    }
    recorded = {
        (row.measure_id, row.version, row.kind, row.period_end): row.recorded_at
        for row in connection.execute(
            select(reading.c.measure_id, reading.c.version, reading.c.kind, reading.c.period_end, reading.c.recorded_at)
        )
    }
    return {
        "measures": [
            {"measure_id": item.measure_id, "version": item.version, "definition": defined(item)}
            for item in known
            if when[item.measure_id, item.version] <= until
        ],
        "readings": [
            asdict(item) for item in figures
            if recorded[item.measure_id, item.version, item.kind, item.period_end] <= until
        ],
    }  # fmt: skip
