"""The chain of records: each holds the hash of the one before, so that nothing in the middle changes unseen.

A chain alone does not show that its tail was cut, nor that somebody rewrote every hash after an edit; the signed
checkpoints outside the database do (`checkpoint`, `verify`).
"""

from __future__ import annotations

import hashlib
import json
import operator
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, LargeBinary, Select, cast, select
from sqlalchemy.exc import OperationalError

from workbench.canonical import MAX_EXACT, canonical
from workbench.errors import ParameterError
from workbench.governance.audit.record import START, Entry
from workbench.governance.tables import audit

#: Columns that repeat what the body says, to search by.
COPIES = ("at", "actor", "action", "outcome", "object_kind", "object_id", "book")
#: What every record says; later versions may say more, never less. `rows` came later than the first trails.
SAID = frozenset({*Entry.__dataclass_fields__, "sequence", "previous", "at", "code_version"} - {"rows"})
#: How many findings are kept with their words; the rest are counted.
KEPT = 100
#: Rows read at once: memory stays bounded however long the trail.
PAGE = 4000

Attack = Literal[
    "edit", "delete", "insert", "swap", "cut", "rewrite", "clock", "copy", "spelling",
    "checkpoint_forged", "checkpoint_missing", "checkpoint_replayed", "checkpoint_unreadable", "another_trail",
    "document", "guard", "row",
]  # fmt: skip


@dataclass(frozen=True)
class TrailFinding:
    """One thing that is not as it was written: where (None: not one record), what it looks like, what to do."""

    sequence: int | None
    attack: Attack
    problem: str
    remedy: str


class Row(NamedTuple):
    """A record as it lies in the database; an export has no column of hashes and no copies."""

    sequence: int
    body: str
    hash: str
    copies: tuple[str, ...] | None


@dataclass
class Findings:
    """What was found: the first hundred in words, all of them counted."""

    kept: list[TrailFinding]
    total: int = 0

    def add(self, sequence: int | None, attack: Attack, problem: str, remedy: str) -> None:
        """Note one more finding."""
        self.total += 1
        if len(self.kept) < KEPT:
            self.kept.append(TrailFinding(sequence, attack, problem, remedy))


KEEP = "keep the database file as it is, compare with a backup and an export, and call compliance"


def rows(connection: Connection, after: int = 0, upto: int | None = None) -> Iterator[Row]:
    """Yield records in order, a page at a time, from the one behind `after` up to `upto` (None: the last)."""
    columns = (audit.c.sequence, audit.c.body, audit.c.hash, *(audit.c[name] for name in COPIES))
    statement = select(*columns).order_by(audit.c.sequence).limit(PAGE)
    if upto is not None:
        statement = statement.where(audit.c.sequence <= upto)
    while True:
        page = _page(connection, statement.where(audit.c.sequence > after))
        for row in page:
            yield Row(row[0], row[1], row[2], tuple(row[3:]))
        if len(page) < PAGE:
            return
        after = page[-1][0]


def _page(connection: Connection, statement: Select[Any]) -> Sequence[Any]:
    try:
        return connection.execute(statement).fetchall()
    except OperationalError as error:
        if "UTF-8" not in str(error.orig):
            raise
    # Somebody wrote bytes that are no text: read them as they are, so that the rest can still be judged.
    names = [column.name for column in statement.selected_columns if column.name != "sequence"]
    as_bytes = [cast(audit.c[name], LargeBinary).label(name) for name in names]
    found = connection.execute(statement.with_only_columns(audit.c.sequence, *as_bytes)).fetchall()
    return [(row[0], *(bytes(one).decode("utf-8", "surrogateescape") for one in row[1:])) for row in found]


def follow(
    records: Iterable[Row], findings: Findings, *, sequence: int = 0, previous: str | None = START, at: str = ""
) -> Iterator[tuple[int, bytes, str]]:
    """Check records one after another and yield sequence, SHA-256 of the body and moment of each.

    Looks for gaps, a body that does not give its hash, a link that is not the hash before, a body that is not canonical
    JSON or not a record, copies in columns that differ from the body, and a clock that went back. `sequence`,
    `previous` and `at` are those of the record before the first; `previous` None (an excerpt) takes the first link
    as it is.
    """
    sha256, decode = hashlib.sha256, _decoder().decode
    for record in records:
        place, body, written, copies = record
        if place != sequence + 1:
            _gap(findings, sequence, place)
        sequence = place
        digest = sha256(body.encode("utf-8", "surrogateescape")).digest()
        written = written or digest.hex()  # an export has no column of hashes
        said = _read(body, decode)
        if said is None:
            findings.add(place, "spelling", f"record {place} is not a record in canonical JSON (RFC 8785)", KEEP)
            yield place, digest, at
            previous = written
            continue
        if said["sequence"] != place:
            findings.add(
                place, "swap", f"at place {place} lies a record that says it is number {said['sequence']}", KEEP
            )
        if digest.hex() != written:
            findings.add(place, "edit", f"record {place} does not give its hash: it was edited", KEEP)
        if previous is not None and said["previous"] != previous:
            problem = (
                f"record {place} is not chained to record {place - 1}: that one was changed, or this one was put in"
            )
            findings.add(place, "edit", problem, KEEP)
        previous = written
        if said["at"] < at:
            findings.add(place, "clock", f"record {place} is of {said['at']}, before the one it follows ({at})", KEEP)
        at = said["at"]
        if copies is not None and copies != _copied(said):
            _compare(findings, place, said, copies)
        yield place, digest, at


def is_canonical(body: str) -> bool:
    """Say whether text is JSON in its canonical spelling."""
    return _parse(body, _decoder().decode) is not _BROKEN


def _gap(findings: Findings, before: int, place: int) -> None:
    if place <= before:
        findings.add(place, "insert", f"record {place} stands behind record {before}: the order is broken", KEEP)
    elif place == before + 2:
        findings.add(before + 1, "delete", f"record {before + 1} is missing", KEEP)
    else:
        findings.add(before + 1, "delete", f"records {before + 1} to {place - 1} are missing", KEEP)


def _compare(findings: Findings, place: int, said: dict[str, Any], copies: tuple[str, ...]) -> None:
    for name, copied in zip(COPIES, copies, strict=True):
        if said[name] != copied:
            problem = f"record {place} says {name} {said[name]!r}, its column says {copied!r}: searches were misled"
            findings.add(place, "copy", problem, KEEP)


def _read(body: str, decode: Any) -> dict[str, Any] | None:
    """A record's content, or None where it is no record or is not spelt canonically."""
    said = _parse(body, decode)
    if type(said) is not dict or not said.keys() >= SAID or type(said["sequence"]) is not int:
        return None
    texts = {type(text) for text in _copied(said)} == {str} and type(said["previous"]) is str
    return said if texts and _MOMENT.fullmatch(said["at"]) else None


def _parse(body: str, decode: Any) -> Any:
    """The value of canonical JSON; `_BROKEN` for anything else."""
    try:
        value = decode(body)
        # The C encoder spells as RFC 8785 does, but for floats, large whole numbers and the order of rare keys.
        if _FAST(value) == body and (body.isascii() or not _ASTRAL.search(body)):
            return value
    except _Slow:
        pass
    except (ValueError, RecursionError):
        return _BROKEN
    try:
        value = json.loads(body, parse_int=_number)
        return value if canonical(value).decode() == body else _BROKEN
    except (ValueError, RecursionError, ParameterError):
        return _BROKEN


class _Slow(Exception):  # noqa: N818 - a signal to take the other road, not an error
    """The text holds what the fast road may not judge."""


def _whole(text: str) -> int:
    if len(text) > 15:
        raise _Slow
    return int(text)


def _number(text: str) -> int | float:
    """A number without a point; beyond 2^53 - 1 it is the double that it was written from (RFC 8785, 3.2.2.3)."""
    value = int(text) if len(text) < 20 else MAX_EXACT + 1
    return value if abs(value) <= MAX_EXACT else float(text)


def _not_here(text: str) -> float:
    raise _Slow


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(parse_float=_not_here, parse_int=_whole, parse_constant=_not_here)


_BROKEN = object()
_copied = operator.itemgetter(*COPIES)
_FAST = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False).encode
#: Beyond the basic plane the order of keys by code point and by UTF-16 unit differ.
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
