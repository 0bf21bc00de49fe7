"""The tables of the database of decisions: signals, people, approvals, the audit trail, the outbox.

One schema for SQLite (STRICT) and PostgreSQL. Instants are UTC text of one width (`2026-11-21T19:29:14.123456Z`), so
that both databases sort them alike and a person can read them; money is whole cents; JSON is canonical text.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)  # fmt: skip

from workbench.governance.states import Mode, PaperState, State

#: Names of constraints, so that a migration can speak of them on both databases.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMES)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC as text; takes and gives aware datetimes. Raises `ValueError` for one without a time zone."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write a moment."""
        return None if value is None else written(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read a moment."""
        return None if value is None else read(value)


def written(value: datetime) -> str:
    """Return a moment as it stands in the database and in the audit trail."""
    if value.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def read(value: str) -> datetime:
    """Return a moment from how it is written. Raises `ValueError` for text that is none, or without a time zone."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return moment.astimezone(UTC)


#: SQLite's STRICT tables know INTEGER only, which has 64 bits there.
Cents = BigInteger().with_variant(Integer(), "sqlite")
Flag = Integer


def _one_of(column: str, allowed: Any) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in allowed)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _table(name: str, *parts: Any) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True)


def _kept(name: str, *parts: Any) -> Table:
    """A table of rows that are never changed; without a hidden row number, by which SQLite could replace one."""
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_with_rowid=False)


person = _table(
    "person",
    Column("person_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, _one_of("kind", ("person", "service")), nullable=False),
    Column("email", Text),
    Column("password_hash", Text),
    Column("subject", Text),  # of the identity provider
    Column("active", Flag, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("password_by", Text),  # the administrator who set the password, until its owner takes another
    UniqueConstraint("subject"),
)
role_grant = _table(
    "role_grant",
    Column("grant_id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.person_id"), nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("book", Text, nullable=False),  # an advisor's identifier, or * for all
    Column("granted_by", Text, nullable=False),
    Column("granted_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("needs_confirming", Flag),  # null: holds at once; 1: holds once another person confirmed it
    Column("confirmed_by", Text),
    Column("confirmed_at", Instant),
)
delegation = _table(
    "delegation",
    Column("delegation_id", Text, primary_key=True),
    Column("from_person", Text, ForeignKey("person.person_id"), nullable=False),
    Column("to_person", Text, ForeignKey("person.person_id"), nullable=False, index=True),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("revoked_at", Instant),
)
break_glass = _table(
    "break_glass",
    Column("grant_id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.person_id"), nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("reviewed_by", Text),
    Column("reviewed_at", Instant),
)
desk_session = _table(
    "desk_session",
    Column("token_hash", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("person.person_id"), nullable=False, index=True),
    Column("form_token", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("must_change", Flag),  # good for taking a password of one's own, and nothing else
)
attempt = _table(  # sign-ins, counted by who and from where until one succeeds; what was typed is a hash only
    "attempt",
    Column("key", Text, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("count", Integer, nullable=False),
)
controls = _kept(
    "controls",
    Column("version", Integer, primary_key=True),
    Column("body", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
)
rollout = _table(
    "rollout",
    Column("kind", Text, _one_of("kind", ("model", "account")), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("mode", Text, _one_of("mode", Mode), nullable=False),
    Column("reason", Text, nullable=False),
    Column("set_by", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
)
document = _table(
    "document",
    Column("hash", Text, primary_key=True),
    Column("kind", Text, nullable=False, index=True),
    Column("media_type", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary),  # null once disposed of; the hash stays
    Column("stored_at", Instant, nullable=False),
    Column("disposed_at", Instant),
)
household_inputs = _table(
    "household_inputs",
    Column("household_id", Text, primary_key=True),
    Column("inputs_hash", Text, nullable=False),
    Column("snapshot", Text, nullable=False),
    Column("seen_at", Instant, nullable=False),
)
signal = _table(
    "signal",
    Column("signal_id", Text, primary_key=True),
    Column("household_id", Text, nullable=False, index=True),
    Column("household_name", Text, nullable=False),
    Column("book", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("models", Text, nullable=False),  # canonical JSON list
    Column("accounts", Text, nullable=False),  # canonical JSON list
    Column("mode", Text, _one_of("mode", Mode), nullable=False),  # of the book of record, when it came in
    Column("state", Text, _one_of("state", State), nullable=False),
    Column("version", Integer, nullable=False),
    Column("package_hash", Text, ForeignKey("document.hash"), nullable=False),
    Column("brief_hash", Text, ForeignKey("document.hash")),
    Column("preflight_hash", Text, ForeignKey("document.hash")),
    Column("rules_hash", Text),
    Column("inputs_hash", Text, nullable=False),
    Column("snapshot", Text, nullable=False),
    Column("sheet_hash", Text, nullable=False),
    Column("verdict", Text),  # the worst of the pre-flight after overrides
    Column("as_of", Text, nullable=False),
    Column("trades", Integer, nullable=False),
    Column("traded", Cents, nullable=False),
    Column("tax", Cents, nullable=False),
    Column("cost", Cents, nullable=False),
    Column("benefit", Cents, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("cash_due", Text),
    Column("out_of_band", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("submitted_by", Text),
    Column("submitted_at", Instant),
    Column("released_by", Text),
    Column("released_at", Instant),
    Column("ticket_hash", Text),
    Index("ix_signal_queue", "state", "book", "rank"),
    Index("ix_signal_book", "book", "rank"),
)
maker = _table(  # everybody who had a hand in a signal: none of them may check it
    "maker",
    Column("signal_id", Text, ForeignKey("signal.signal_id"), primary_key=True),
    Column("person_id", Text, ForeignKey("person.person_id"), primary_key=True),
    Column("action", Text, primary_key=True),
    Column("at", Instant, nullable=False),
)
finding = _table(
    "finding",
    Column("signal_id", Text, ForeignKey("signal.signal_id"), primary_key=True),
    Column("rule_id", Text, primary_key=True),
    Column("rule_version", Integer, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("limit", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("overridable", Flag, nullable=False),
    Column("overridden_by", Text),
    Column("overridden_for", Text),  # on whose behalf
    Column("overridden_at", Instant),
    Column("override_reason", Text),
    Index("ix_finding_verdict", "verdict", "rule_id"),
)
consent = _table(
    "consent",
    Column("signal_id", Text, ForeignKey("signal.signal_id"), primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("package_hash", Text, nullable=False),
    Column("source_document", Text, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
)
approval = _table(
    "approval",
    Column("approval_id", Text, primary_key=True),
    Column("signal_id", Text, ForeignKey("signal.signal_id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("sheet_hash", Text, nullable=False),
    Column("person_id", Text, ForeignKey("person.person_id"), nullable=False),
    Column("on_behalf_of", Text, ForeignKey("person.person_id")),
    Column("through", Text, _one_of("through", ("own", "delegation", "break_glass")), nullable=False),
    Column("approved_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("voided_at", Instant),
    Column("void_reason", Text),
)
draft = _table(  # the machine's words, and a person's in their place
    "draft",
    Column("draft_id", Text, primary_key=True),
    Column("signal_id", Text, ForeignKey("signal.signal_id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("drafted_hash", Text, ForeignKey("document.hash"), nullable=False),
    Column("current_hash", Text, ForeignKey("document.hash"), nullable=False),
    Column("record", Text, nullable=False),  # prompt, model, parameters, masked input, raw output, verifier: by hash
    Column("created_at", Instant, nullable=False),
    Column("edited_at", Instant),
    Column("facts_hash", Text),  # the sheet it was made of, by which edits are verified too
    Column("report_hash", Text),  # the verifier's report of the current text
    Column("supported", Flag),  # null: never verified; 1: every figure, day, symbol and name of it is
    Column("discarded_at", Instant),
)
paper = _table(  # a text of its own: memo, commentary, client e-mail, notice, talking points, alert
    "paper",
    Column("paper_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),  # what it is about: a household, a model, an advisor, a day
    Column("title", Text, nullable=False),
    Column("book", Text, nullable=False),
    Column("household_id", Text),
    Column("as_of", Text, nullable=False),
    Column("state", Text, _one_of("state", PaperState), nullable=False),
    Column("version", Integer, nullable=False),
    Column("drafted_hash", Text, ForeignKey("document.hash"), nullable=False),
    Column("current_hash", Text, ForeignKey("document.hash"), nullable=False),
    Column("facts_hash", Text, ForeignKey("document.hash"), nullable=False),
    Column("report_hash", Text, ForeignKey("document.hash"), nullable=False),
    Column("supported", Flag, nullable=False),
    Column("sheet_hash", Text, nullable=False),  # of all that is released: text, facts, report, how it was made
    Column("record", Text, nullable=False),
    Column("brought_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("released_by", Text),
    Column("released_for", Text),  # on whose behalf
    Column("released_at", Instant),
    Index("ix_paper_kind_key", "kind", "key"),
    Index("ix_paper_state_book", "state", "book"),
)
paper_edit = _kept(
    "paper_edit",
    Column("paper_id", Text, ForeignKey("paper.paper_id"), primary_key=True),
    Column("version", Integer, primary_key=True),  # that the edit led to
    Column("person_id", Text, nullable=False),
    Column("on_behalf_of", Text),
    Column("reason_code", Text, nullable=False),
    Column("reason", Text),
    Column("before_hash", Text, nullable=False),
    Column("after_hash", Text, nullable=False),
    Column("report_hash", Text, nullable=False),
    Column("supported", Flag, nullable=False),
    Column("edit_distance", Integer, nullable=False),
    Column("length", Integer, nullable=False),
    Column("at", Instant, nullable=False),
)
escalation = _table(  # a question that no record answers, passed on to a person
    "escalation",
    Column("escalation_id", Text, primary_key=True),
    Column("book", Text, nullable=False),
    Column("household_id", Text),
    Column("asked_by", Text, nullable=False),
    Column("asked_for", Text),  # on whose behalf
    Column("question_hash", Text, ForeignKey("document.hash"), nullable=False),
    Column("state", Text, _one_of("state", ("open", "answered", "closed")), nullable=False),
    Column("version", Integer, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("answer_hash", Text, ForeignKey("document.hash")),
    Column("answered_by", Text),
    Column("answered_at", Instant),
    Index("ix_escalation_state_book", "state", "book"),
)
decision = _kept(  # what people did to what the machine made: the data of learning from them
    "decision",
    Column("decision_id", Text, primary_key=True),
    Column("signal_id", Text, ForeignKey("signal.signal_id"), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("person_id", Text, nullable=False),
    Column("on_behalf_of", Text),
    Column("rule_id", Text),
    Column("reason_code", Text),
    Column("reason", Text),
    Column("before_hash", Text),
    Column("after_hash", Text),
    Column("edit_distance", Integer),
    Column("length", Integer),
    Column("at", Instant, nullable=False),
)
answered = _kept(  # idempotency: what was asked under a key, and what was answered
    "answered",
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    Column("sequence", Cents, nullable=False),
    Column("at", Instant, nullable=False),
)
outbox = _table(
    "outbox",
    Column("message_id", Text, primary_key=True),  # stable: the receiver can tell a second delivery
    Column("topic", Text, nullable=False),
    Column("body", Text, nullable=False),  # never a client's name or number
    Column("sequence", Cents, nullable=False),
    Column("state", Text, _one_of("state", ("waiting", "taken", "sent", "unknown", "failed")), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant, nullable=False),
    Column("taken_until", Instant),
    Column("last_error", Text),
    Column("created_at", Instant, nullable=False),
    Index("ix_outbox_waiting", "state", "next_at"),
)
audit = _table(  # append-only: triggers refuse every change, and an insert at any place but the end
    "audit",
    Column("sequence", Cents, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("hash", Text, nullable=False),
    # Copies out of `body` to search by; `verify` compares them.
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("object_kind", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("book", Text, nullable=False),
    UniqueConstraint("hash"),
    Index("ix_audit_object", "object_kind", "object_id"),
    Index("ix_audit_actor", "actor", "sequence"),
)
hold = _table(
    "hold",
    Column("hold_id", Text, primary_key=True),
    Column("object_kind", Text, nullable=False),  # signal, household, person, book, everything
    Column("object_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("placed_by", Text, nullable=False),
    Column("placed_at", Instant, nullable=False),
    Column("lifted_by", Text),
    Column("lifted_at", Instant),
)
measure = _kept(  # defined before, read after; a definition is never changed, only followed by another
    "measure",
    Column("measure_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("definition", Text, nullable=False),
    Column("defined_by", Text, nullable=False),
    Column("defined_at", Instant, nullable=False),
)
reading = _kept(
    "reading",
    Column("reading_id", Text, primary_key=True),
    Column("measure_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, _one_of("kind", ("baseline", "reading")), nullable=False),
    Column("period_start", Text, nullable=False),
    Column("period_end", Text, nullable=False),
    Column("value", Text, nullable=False),  # decimal text
    Column("spread", Text),  # standard deviation of the observations behind a mean, decimal text; null otherwise
    Column("observations", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
)
