"""The store of decisions: every act is one transaction of key, rights, change, record, messages and answer.

store = open_store("sqlite:///decisions.db")
receipt = store.perform(Who("ann"), Approve(signal_id, version, sheet_hash), key="form-4711")
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from sqlalchemy import Connection, Engine, select

from workbench.errors import AccessError, AuditError, DecisionError, ParameterError, StoreError
from workbench.governance import access, answers, door, escalations, handlers, papers, standing
from workbench.governance.access import Who
from workbench.governance.audit.record import Entry, Record
from workbench.governance.audit.schedule import Schedule
from workbench.governance.commands import Command, Receipt, SignalCommand
from workbench.governance.database import open_engine, require_present, transaction
from workbench.governance.paper_commands import AnswerEscalation, PaperCommand
from workbench.governance.tables import audit, read
from workbench.governance.unit import Unit, read_head
from workbench.governance.verified import Verifier

#: The act of a record that says the clock went back.
CLOCK = "clock"
#: The message that something was found changed outside the desk.
CHANGED = "alert.changed_outside"
_LAST_ACTION = select(audit.c.action).order_by(audit.c.sequence.desc()).limit(1)


class Checkpoints(Protocol):
    """What is told of every record that was committed, to sign the trail outside the database."""

    def after(self, record: Record) -> None:
        """Take note of a committed record; a checkpoint is its own decision."""


def now() -> datetime:
    """Return the moment, in UTC."""
    return datetime.now(UTC)


class Store:
    """A database of decisions, with its clock, the version of the code that writes, and the firm's years of retention.

    Without `retention` the schedule that ships is used. `verifier` reads every text again before it leaves; without
    one the kept report of the verifier is believed.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Callable[[], datetime] = now,
        code_version: str = "",
        checkpoints: Checkpoints | None = None,
        retention: Schedule | None = None,
        verifier: Verifier | None = None,
    ) -> None:
        self.engine = engine
        self.clock = clock
        self.code_version = code_version
        self.checkpoints = checkpoints
        self.retention = retention
        self.verifier = verifier

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a consistent snapshot to read from. Raises `StoreError` where the database cannot be read."""
        with transaction(self.engine, "read") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Unit]:
        """Open the one write transaction; its end commits, an exception undoes it.

        Raises `StoreError` where the database is locked, full or gone, and where the clock is behind the trail.
        """
        with transaction(self.engine, "write") as connection:
            unit = self._unit(connection)
            behind = self._behind(unit)
            if behind is None:
                yield unit
            elif unit.connection.execute(_LAST_ACTION).scalar() != CLOCK:  # said once, however often it is asked
                unit.append(_clock_record(unit))
        if behind is not None:
            raise StoreError(behind)

    def perform(self, who: Who, command: Command, key: str) -> Receipt:
        """Do what is asked, once: the same key and request again gets the first answer again.

        Raises `AccessError`, `DecisionError` (`StaleError`, `RepeatError`), `ParameterError`, `AuditError` (a signal
        changed by hand) and `StoreError`; nothing was done then, and for all but the last a record of the refusal was
        written.
        """
        try:
            door.inspect(who, command, key)
            with self.writing() as unit:
                receipt, record = self._act(unit, who, command, key)
        except (AccessError, AuditError, DecisionError, ParameterError) as refusal:
            self._refused(who, command, key, refusal)
            raise
        if record is not None and self.checkpoints is not None:
            self.checkpoints.after(record)
        return receipt

    def _act(self, unit: Unit, who: Who, command: Command, key: str) -> tuple[Receipt, Record | None]:
        actor = access.actor(unit.connection, who, unit.now)
        fingerprint = door.fingerprint(who, command)
        earlier = answers.find(unit.connection, key, fingerprint)
        if earlier is not None:
            return earlier, None
        unit.command, unit.key = command, key
        if isinstance(command, SignalCommand):
            standing.admit(unit, actor, command)
        elif isinstance(command, PaperCommand):
            papers.admit(unit, actor, command)
        elif isinstance(command, AnswerEscalation):
            escalations.admit(unit, actor, command)
        else:
            book = getattr(command, "book", access.EVERY_BOOK)
            unit.roles = tuple(str(role) for role in access.authorize(actor, command.action, book=book))
        done = handlers.handler(type(command))(unit, actor, command)
        for entry in done.earlier:
            unit.append(entry)
        record = unit.append(unit.entry(actor, command.action, done))
        for topic, body in done.messages:
            unit.say(topic, body)
        receipt = Receipt(
            command.action, done.object_kind, done.object_id, done.state, done.version, done.sheet_hash,
            record.sequence, also=done.also,
        )  # fmt: skip
        answers.keep(unit, key, fingerprint, receipt)
        return receipt, record

    def _unit(self, connection: Connection) -> Unit:
        unit = Unit(connection, self.clock().astimezone(UTC), read_head(connection), self.code_version)
        unit.retention, unit.verifier = self.retention, self.verifier
        return unit

    def _behind(self, unit: Unit) -> str | None:
        """Let the unit's moment be no earlier than the last record's; say so where the clock is too far behind it."""
        if not unit.head.at:
            return None
        moment, last = unit.now, read(unit.head.at)
        unit.now = max(moment, last)
        if moment >= last - timedelta(seconds=unit.controls.clock_tolerance_seconds):
            return None
        return (
            f"the clock says {moment:%Y-%m-%d %H:%M:%S} UTC, the trail's last record is of "
            f"{last:%Y-%m-%d %H:%M:%S} UTC; set the clock right; nothing was done"
        )

    def _refused(self, who: Who, command: Command, key: str, refusal: Exception) -> None:
        """Record a refusal, after everything else was undone; where that fails, the refusal says so too."""
        try:
            with self.writing() as unit:
                unit.append(door.refusal(unit, who, command, key, refusal))
                if isinstance(refusal, AuditError):
                    unit.say(CHANGED, {"signal_id": getattr(command, "signal_id", ""), "to": ["compliance", "auditor"]})
        except StoreError as lost:
            refusal.add_note(f"this refusal could not be recorded: {lost}")


def _clock_record(unit: Unit) -> Entry:
    return Entry(
        action=CLOCK,
        outcome="refused",
        object_kind="store",
        object_id="clock",
        object_version=0,
        actor="store",
        actor_kind="service",
        roles=(),
        controls_version=unit.controls.version,
        details={"rule": "clock_behind"},
    )


def open_store(
    url: str,
    *,
    clock: Callable[[], datetime] = now,
    code_version: str | None = None,
    checkpoints: Checkpoints | None = None,
    retention: Schedule | None = None,
    verifier: Verifier | None = None,
) -> Store:
    """Open the database of decisions at `url`; an empty one gets its tables first.

    Raises `StoreError` for one of an older or newer schema, and where it cannot be reached.
    """
    engine = open_engine(url)
    require_present(engine)
    code = _code_version() if code_version is None else code_version
    return Store(engine, clock, code, checkpoints, retention, verifier)


def _code_version() -> str:
    try:
        return version("workbench")
    except PackageNotFoundError:
        return "not installed"
