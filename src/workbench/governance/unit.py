"""An open write transaction: everything an act changes, the record of it, and what is said about it, or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select

from workbench.canonical import canonical
from workbench.errors import StoreError
from workbench.governance import controls as limits
from workbench.governance import documents, pinned
from workbench.governance.audit.record import START, Entry, Record, seal
from workbench.governance.commands import Command, Document
from workbench.governance.controls import Controls
from workbench.governance.tables import audit, outbox, written

if TYPE_CHECKING:
    from workbench.governance.access import Actor
    from workbench.governance.audit.schedule import Schedule
    from workbench.governance.papers import Paper
    from workbench.governance.standing import Signal
    from workbench.governance.states import Action
    from workbench.governance.verified import Verifier

_HEAD = select(audit.c.sequence, audit.c.hash, audit.c.at).order_by(audit.c.sequence.desc()).limit(1)
_AUDIT = insert(audit)
_OUTBOX = insert(outbox)


@dataclass(frozen=True)
class Done:
    """What a handler did, for the record and the answer.

    `before` and `after` are hashes of the object's content; `messages` are (topic, body) for the outbox; `earlier` are
    entries of what the act brought about elsewhere (signals superseded, voided), recorded before it; `also` names them.
    """

    object_kind: str
    object_id: str
    version: int = 0
    state: str = ""
    sheet_hash: str = ""
    book: str = "*"
    before: str | None = None
    after: str | None = None
    reason: str | None = None
    roles: tuple[str, ...] | None = None
    policy: str | None = None
    rules_hash: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    earlier: tuple[Entry, ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Head:
    """The last record of the trail."""

    sequence: int
    hash: str
    at: str


class Unit:
    """One write transaction, while it is open.

    `now` is the clock's moment, never before the last record's; `controls` are those in force; `command`, `key` and
    `roles` are of the act being performed, if one is.
    """

    def __init__(self, connection: Connection, now: datetime, head: Head, code_version: str) -> None:
        self.connection = connection
        self.now = now
        self.head = head
        self.code_version = code_version
        self.controls: Controls = limits.in_force(connection)
        self.command: Command | None = None
        self.key: str | None = None
        self.roles: tuple[str, ...] = ()
        self.signal: Signal | None = None
        self.paper: Paper | None = None
        self.escalation: Row[Any] | None = None
        self.retention: Schedule | None = None
        self.verifier: Verifier | None = None
        self._messages = 0
        self._as_recorded: dict[tuple[str, str], bool] = {}

    def examine(self, kind: str, object_id: str) -> bool:
        """Say whether an object's rows are what its last record left, before an act changes them.

        The records of the act then pin the rows as it leaves them; of an object that was changed by hand they pin
        nothing and say so, so that verification still finds it. Raises `AuditError` where the record itself was
        changed.
        """
        asked = (kind, object_id)
        if asked not in self._as_recorded:
            said = pinned.last_pins(self.connection, kind, object_id)
            now = pinned.as_left(self.connection, kind, object_id)
            self._as_recorded[asked] = said is None or now == said
        return self._as_recorded[asked]

    def new_id(self, kind: str) -> str:
        """Return an identifier that the same act would get again: made of its place in the trail."""
        self._messages += 1
        return identifier(kind, f"{self.head.hash}/{self._messages}")

    def entry(self, actor: Actor, action: Action, done: Done) -> Entry:
        """Return the record of what was done: by the act being performed, or by it at another object."""
        roles = self.roles if done.roles is None else done.roles
        return Entry(
            action=action,
            outcome="done",
            object_kind=done.object_kind,
            object_id=done.object_id,
            object_version=done.version,
            actor=actor.person_id,
            actor_kind=actor.kind,
            roles=tuple(str(role) for role in roles),
            book=done.book,
            on_behalf_of=actor.on_behalf_of,
            before=done.before,
            after=done.after,
            reason=done.reason,
            key=self.key,
            controls_version=self.controls.version,
            policy=done.policy,
            rules_hash=done.rules_hash,
            inputs=done.inputs,
            documents=done.documents,
            details=done.details,
        )

    def append(self, entry: Entry) -> Record:
        """Put one record at the end of the audit trail; nothing else writes there."""
        at = written(self.now)
        entry = self._pinned(entry)
        record = seal(
            entry, sequence=self.head.sequence + 1, previous=self.head.hash, at=at, code_version=self.code_version
        )
        self.connection.execute(
            _AUDIT,
            {
                "sequence": record.sequence,
                "body": record.body.decode(),
                "hash": record.hash,
                "at": at,
                "actor": entry.actor,
                "action": entry.action,
                "outcome": entry.outcome,
                "object_kind": entry.object_kind,
                "object_id": entry.object_id,
                "book": entry.book,
            },
        )
        self.head = Head(record.sequence, record.hash, at)
        return record

    def _pinned(self, entry: Entry) -> Entry:
        """Put the hashes of its object's rows into the record of an act that was examined."""
        as_recorded = self._as_recorded.get((entry.object_kind, entry.object_id))
        if entry.outcome != "done" or as_recorded is None:
            return entry
        if not as_recorded:
            return replace(entry, details={**entry.details, "changed_outside": True})
        rows = pinned.rows_of(self.connection, entry.object_kind, entry.object_id)
        return replace(entry, rows=pinned.pins(rows))

    def say(self, topic: str, body: Mapping[str, Any]) -> str:
        """Put a message into the outbox: counts and identifiers, never a client's name. Returns its identifier.

        It goes with the last record appended. Raises `StoreError` where the trail is still empty.
        """
        if self.head.hash == START:
            raise StoreError("a message goes with a record of the audit trail; append the record first")
        self._messages += 1
        message_id = identifier("message", f"{self.head.sequence}/{topic}/{self._messages}")
        self.connection.execute(
            _OUTBOX,
            {
                "message_id": message_id,
                "topic": topic,
                "body": canonical(dict(body)).decode(),
                "sequence": self.head.sequence,
                "state": "waiting",
                "attempts": 0,
                "next_at": self.now,
                "created_at": self.now,
            },
        )
        return message_id

    def keep(self, document: Document) -> str:
        """Store a document by the SHA-256 of its bytes, once, and return that hash."""
        return documents.keep(self.connection, document, self.now)


def identifier(kind: str, seed: str) -> str:
    """Return a short, stable identifier: the kind, and 96 bits of the seed's SHA-256."""
    return f"{kind}-{hashlib.sha256(seed.encode()).hexdigest()[:24]}"


def read_head(connection: Connection) -> Head:
    """Read the last record of the trail; of an empty one, what the first is chained to."""
    row = connection.execute(_HEAD).first()
    return Head(0, START, "") if row is None else Head(row.sequence, row.hash, row.at)
