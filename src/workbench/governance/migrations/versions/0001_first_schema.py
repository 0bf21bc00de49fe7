"""The first schema: signals, people, approvals, the audit trail, the outbox; and what may never change in it.

Revision 0001, after nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: Tables whose rows are written once, with the columns that tell one row from another.
KEPT = {
    "audit": ("sequence", "hash"),
    "answered": ("key",),
    "controls": ("version",),
    "decision": ("decision_id",),
    "measure": ("measure_id", "version"),
    "reading": ("reading_id",),
}
#: Tables of which one thing may be said later, once: (columns that stay, columns that may be filled in).
FILLED_IN = {
    "approval": (
        (
            "approval_id", "signal_id", "version", "sheet_hash", "person_id", "on_behalf_of", "through", "approved_at",
            "expires_at",
        ),
        ("voided_at", "void_reason"),
    ),
    "document": (("hash", "kind", "media_type", "size", "stored_at"), ("disposed_at",)),
}  # fmt: skip
#: What is refused besides: a document's bytes go together with the moment they went, and never otherwise.
REFUSED = {
    "document": "OLD.body IS {not_same} NEW.body AND (NEW.body IS NOT NULL OR NEW.disposed_at IS NULL) "
    "OR NEW.disposed_at IS NOT NULL AND NEW.body IS NOT NULL"
}


def upgrade() -> None:
    """Make the tables, then the triggers that keep them."""
    _tables()
    if op.get_bind().dialect.name == "sqlite":
        _keep_on_sqlite()
    else:
        _keep_on_postgresql()


def downgrade() -> None:
    """There is no way back: records are kept."""
    raise NotImplementedError("restore a backup instead; records of decisions are not taken down")


def _keep_on_sqlite() -> None:
    for table, key in KEPT.items():
        for act in ("UPDATE", "DELETE"):
            _sqlite_trigger(table, f"no_{act.lower()}", act, "1")
        # INSERT OR REPLACE deletes the old row without asking the trigger above: refuse the insert itself.
        same = " OR ".join(f'"{column}" = NEW."{column}"' for column in key) if table == "audit" else ""
        same = same or " AND ".join(f'"{column}" = NEW."{column}"' for column in key)
        _sqlite_trigger(table, "no_replace", "INSERT", f"EXISTS (SELECT 1 FROM {table} WHERE {same})")
    _sqlite_trigger(
        "audit", "at_the_end", "INSERT", "NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM audit)"
    )
    for table, (stays, filled) in FILLED_IN.items():
        changed = " OR ".join(
            [f'OLD."{c}" IS NOT NEW."{c}"' for c in stays] + [f'OLD."{c}" IS NOT NULL' for c in filled]
        )
        changed += f" OR {REFUSED[table].format(not_same='NOT')}" if table in REFUSED else ""
        _sqlite_trigger(table, "no_change", "UPDATE", changed)
        _sqlite_trigger(table, "no_delete", "DELETE", "1")
        same = f'"{stays[0]}" = NEW."{stays[0]}"'
        _sqlite_trigger(table, "no_replace", "INSERT", f"EXISTS (SELECT 1 FROM {table} WHERE {same})")


def _sqlite_trigger(table: str, name: str, act: str, when: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_{name} BEFORE {act} ON {table} WHEN {when} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


def _keep_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        "CREATE FUNCTION at_the_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM audit) THEN "
        "RAISE EXCEPTION 'audit is append-only'; END IF; RETURN NEW; END $$"
    )
    for table in (*KEPT, *FILLED_IN):
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for table in KEPT:
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    op.execute("CREATE TRIGGER audit_at_the_end BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION at_the_end()")
    for table, (stays, filled) in FILLED_IN.items():
        changed = " OR ".join(
            [f'OLD."{c}" IS DISTINCT FROM NEW."{c}"' for c in stays] + [f'OLD."{c}" IS NOT NULL' for c in filled]
        )
        changed += f" OR {REFUSED[table].format(not_same='DISTINCT FROM')}" if table in REFUSED else ""
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE ON {table} "
            f"FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )


def _tables() -> None:
    op.create_table(
        "answered",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_answered")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit",
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("object_kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("book", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
        sqlite_strict=True,
    )
    op.create_index("ix_audit_actor", "audit", ["actor", "sequence"], unique=False)
    op.create_index("ix_audit_object", "audit", ["object_kind", "object_id"], unique=False)
    op.create_table(
        "controls",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_controls")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "document",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("stored_at", sa.Text(), nullable=False),
        sa.Column("disposed_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_document")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_document_kind"), "document", ["kind"], unique=False)
    op.create_table(
        "hold",
        sa.Column("hold_id", sa.Text(), nullable=False),
        sa.Column("object_kind", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.Text(), nullable=False),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("hold_id", name=op.f("pk_hold")),
        sqlite_strict=True,
    )
    op.create_table(
        "household_inputs",
        sa.Column("household_id", sa.Text(), nullable=False),
        sa.Column("inputs_hash", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("household_id", name=op.f("pk_household_inputs")),
        sqlite_strict=True,
    )
    op.create_table(
        "measure",
        sa.Column("measure_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("defined_by", sa.Text(), nullable=False),
        sa.Column("defined_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("measure_id", "version", name=op.f("pk_measure")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.Text(), nullable=False),
        sa.Column("taken_until", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_outbox")),
        sa.CheckConstraint("state IN ('waiting', 'taken', 'sent', 'unknown', 'failed')", name=op.f("ck_outbox_state")),
        sqlite_strict=True,
    )
    op.create_index("ix_outbox_waiting", "outbox", ["state", "next_at"], unique=False)
    op.create_table(
        "person",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person")),
        sa.CheckConstraint("kind IN ('person', 'service')", name=op.f("ck_person_kind")),
        sa.UniqueConstraint("subject", name=op.f("uq_person_subject")),
        sqlite_strict=True,
    )
    op.create_table(
        "reading",
        sa.Column("reading_id", sa.Text(), nullable=False),
        sa.Column("measure_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("period_start", sa.Text(), nullable=False),
        sa.Column("period_end", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("spread", sa.Text(), nullable=True),
        sa.Column("observations", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("reading_id", name=op.f("pk_reading")),
        sa.CheckConstraint("kind IN ('baseline', 'reading')", name=op.f("ck_reading_kind")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollout",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_rollout")),
        sa.CheckConstraint("mode IN ('monitor', 'draft', 'release')", name=op.f("ck_rollout_mode")),
        sa.CheckConstraint("kind IN ('model', 'account')", name=op.f("ck_rollout_kind")),
        sqlite_strict=True,
    )
    op.create_table(
        "break_glass",
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.Text(), nullable=True),
        sa.Column("reviewed_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"], name=op.f("fk_break_glass_person_id")),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_break_glass")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_break_glass_person_id"), "break_glass", ["person_id"], unique=False)
    op.create_table(
        "delegation",
        sa.Column("delegation_id", sa.Text(), nullable=False),
        sa.Column("from_person", sa.Text(), nullable=False),
        sa.Column("to_person", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["from_person"], ["person.person_id"], name=op.f("fk_delegation_from_person")),
        sa.ForeignKeyConstraint(["to_person"], ["person.person_id"], name=op.f("fk_delegation_to_person")),
        sa.PrimaryKeyConstraint("delegation_id", name=op.f("pk_delegation")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_delegation_to_person"), "delegation", ["to_person"], unique=False)
    op.create_table(
        "desk_session",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("form_token", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"], name=op.f("fk_desk_session_person_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_desk_session")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_desk_session_person_id"), "desk_session", ["person_id"], unique=False)
    op.create_table(
        "role_grant",
        sa.Column("grant_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("book", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.Text(), nullable=False),
        sa.Column("revoked_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"], name=op.f("fk_role_grant_person_id")),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_role_grant")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_role_grant_person_id"), "role_grant", ["person_id"], unique=False)
    op.create_table(
        "signal",
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("household_id", sa.Text(), nullable=False),
        sa.Column("household_name", sa.Text(), nullable=False),
        sa.Column("book", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("models", sa.Text(), nullable=False),
        sa.Column("accounts", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("package_hash", sa.Text(), nullable=False),
        sa.Column("brief_hash", sa.Text(), nullable=True),
        sa.Column("preflight_hash", sa.Text(), nullable=True),
        sa.Column("rules_hash", sa.Text(), nullable=True),
        sa.Column("inputs_hash", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("sheet_hash", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("trades", sa.Integer(), nullable=False),
        sa.Column("traded", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tax", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cost", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("benefit", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("cash_due", sa.Text(), nullable=True),
        sa.Column("out_of_band", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("submitted_by", sa.Text(), nullable=True),
        sa.Column("submitted_at", sa.Text(), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("released_at", sa.Text(), nullable=True),
        sa.Column("ticket_hash", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["brief_hash"], ["document.hash"], name=op.f("fk_signal_brief_hash")),
        sa.ForeignKeyConstraint(["package_hash"], ["document.hash"], name=op.f("fk_signal_package_hash")),
        sa.ForeignKeyConstraint(["preflight_hash"], ["document.hash"], name=op.f("fk_signal_preflight_hash")),
        sa.PrimaryKeyConstraint("signal_id", name=op.f("pk_signal")),
        sa.CheckConstraint(
            "state IN ('draft', 'checked', 'submitted', 'approved', 'rejected', 'returned', 'released', 'exported', "
            "'acknowledged', 'partly_filled', 'filled', 'expired', 'superseded')",
            name=op.f("ck_signal_state"),
        ),
        sa.CheckConstraint("mode IN ('monitor', 'draft', 'release')", name=op.f("ck_signal_mode")),
        sqlite_strict=True,
    )
    op.create_index("ix_signal_book", "signal", ["book", "rank"], unique=False)
    op.create_index(op.f("ix_signal_household_id"), "signal", ["household_id"], unique=False)
    op.create_index("ix_signal_queue", "signal", ["state", "book", "rank"], unique=False)
    op.create_table(
        "approval",
        sa.Column("approval_id", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sheet_hash", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Text(), nullable=True),
        sa.Column("through", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=False),
        sa.Column("voided_at", sa.Text(), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["on_behalf_of"], ["person.person_id"], name=op.f("fk_approval_on_behalf_of")),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"], name=op.f("fk_approval_person_id")),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.signal_id"], name=op.f("fk_approval_signal_id")),
        sa.PrimaryKeyConstraint("approval_id", name=op.f("pk_approval")),
        sa.CheckConstraint("through IN ('own', 'delegation', 'break_glass')", name=op.f("ck_approval_through")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_approval_signal_id"), "approval", ["signal_id"], unique=False)
    op.create_table(
        "consent",
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("package_hash", sa.Text(), nullable=False),
        sa.Column("source_document", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.signal_id"], name=op.f("fk_consent_signal_id")),
        sa.PrimaryKeyConstraint("signal_id", "account_id", name=op.f("pk_consent")),
        sqlite_strict=True,
    )
    op.create_table(
        "decision",
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Text(), nullable=True),
        sa.Column("rule_id", sa.Text(), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("before_hash", sa.Text(), nullable=True),
        sa.Column("after_hash", sa.Text(), nullable=True),
        sa.Column("edit_distance", sa.Integer(), nullable=True),
        sa.Column("length", sa.Integer(), nullable=True),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.signal_id"], name=op.f("fk_decision_signal_id")),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decision")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_decision_signal_id"), "decision", ["signal_id"], unique=False)
    op.create_table(
        "draft",
        sa.Column("draft_id", sa.Text(), nullable=False),
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("drafted_hash", sa.Text(), nullable=False),
        sa.Column("current_hash", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("edited_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["current_hash"], ["document.hash"], name=op.f("fk_draft_current_hash")),
        sa.ForeignKeyConstraint(["drafted_hash"], ["document.hash"], name=op.f("fk_draft_drafted_hash")),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.signal_id"], name=op.f("fk_draft_signal_id")),
        sa.PrimaryKeyConstraint("draft_id", name=op.f("pk_draft")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_draft_signal_id"), "draft", ["signal_id"], unique=False)
    op.create_table(
        "finding",
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("limit", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("overridable", sa.Integer(), nullable=False),
        sa.Column("overridden_by", sa.Text(), nullable=True),
        sa.Column("overridden_for", sa.Text(), nullable=True),
        sa.Column("overridden_at", sa.Text(), nullable=True),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.signal_id"], name=op.f("fk_finding_signal_id")),
        sa.PrimaryKeyConstraint("signal_id", "rule_id", name=op.f("pk_finding")),
        sqlite_strict=True,
    )
    op.create_index("ix_finding_verdict", "finding", ["verdict", "rule_id"], unique=False)
    op.create_table(
        "maker",
        sa.Column("signal_id", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"], name=op.f("fk_maker_person_id")),
        sa.ForeignKeyConstraint(["signal_id"], ["signal.signal_id"], name=op.f("fk_maker_signal_id")),
        sa.PrimaryKeyConstraint("signal_id", "person_id", "action", name=op.f("pk_maker")),
        sqlite_strict=True,
    )
