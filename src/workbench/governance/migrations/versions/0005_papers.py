"""Papers with their edits, questions passed on, and what the verifier says of a signal's drafts.

Revision 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables and columns; drafts from before were never verified and say so by their empty columns."""
    op.add_column("draft", sa.Column("facts_hash", sa.Text(), nullable=True))
    op.add_column("draft", sa.Column("report_hash", sa.Text(), nullable=True))
    op.add_column("draft", sa.Column("supported", sa.Integer(), nullable=True))
    op.add_column("draft", sa.Column("discarded_at", sa.Text(), nullable=True))
    _papers()
    _edits()
    _escalations()
    if op.get_bind().dialect.name == "sqlite":
        _keep_on_sqlite()
    else:
        _keep_on_postgresql()


def downgrade() -> None:
    """There is no way back: records are kept."""
    raise NotImplementedError("restore a backup instead; records of decisions are not taken down")


def _papers() -> None:
    documents = ("drafted_hash", "current_hash", "facts_hash", "report_hash")
    op.create_table(
        "paper",
        sa.Column("paper_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("book", sa.Text(), nullable=False),
        sa.Column("household_id", sa.Text(), nullable=True),
        sa.Column("as_of", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in documents),
        sa.Column("supported", sa.Integer(), nullable=False),
        sa.Column("sheet_hash", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("brought_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("released_for", sa.Text(), nullable=True),
        sa.Column("released_at", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('drafted', 'edited', 'released', 'withdrawn', 'superseded')", name=op.f("ck_paper_state")
        ),
        *(sa.ForeignKeyConstraint([name], ["document.hash"], name=op.f(f"fk_paper_{name}")) for name in documents),
        sa.PrimaryKeyConstraint("paper_id", name=op.f("pk_paper")),
        sqlite_strict=True,
    )
    op.create_index("ix_paper_kind_key", "paper", ["kind", "key"], unique=False)
    op.create_index("ix_paper_state_book", "paper", ["state", "book"], unique=False)


def _edits() -> None:
    op.create_table(
        "paper_edit",
        sa.Column("paper_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Text(), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("before_hash", sa.Text(), nullable=False),
        sa.Column("after_hash", sa.Text(), nullable=False),
        sa.Column("report_hash", sa.Text(), nullable=False),
        sa.Column("supported", sa.Integer(), nullable=False),
        sa.Column("edit_distance", sa.Integer(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["paper.paper_id"], name=op.f("fk_paper_edit_paper_id")),
        sa.PrimaryKeyConstraint("paper_id", "version", name=op.f("pk_paper_edit")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def _escalations() -> None:
    op.create_table(
        "escalation",
        sa.Column("escalation_id", sa.Text(), nullable=False),
        sa.Column("book", sa.Text(), nullable=False),
        sa.Column("household_id", sa.Text(), nullable=True),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_for", sa.Text(), nullable=True),
        sa.Column("question_hash", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.Text(), nullable=False),
        sa.Column("answer_hash", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'answered', 'closed')", name=op.f("ck_escalation_state")),
        sa.ForeignKeyConstraint(["question_hash"], ["document.hash"], name=op.f("fk_escalation_question_hash")),
        sa.ForeignKeyConstraint(["answer_hash"], ["document.hash"], name=op.f("fk_escalation_answer_hash")),
        sa.PrimaryKeyConstraint("escalation_id", name=op.f("pk_escalation")),
        sqlite_strict=True,
    )
    op.create_index("ix_escalation_state_book", "escalation", ["state", "book"], unique=False)


def _keep_on_sqlite() -> None:
    same = 'EXISTS (SELECT 1 FROM paper_edit WHERE "paper_id" = NEW."paper_id" AND "version" = NEW."version")'
    for name, act, when in (("update", "UPDATE", "1"), ("delete", "DELETE", "1"), ("replace", "INSERT", same)):
        op.execute(
            f"CREATE TRIGGER paper_edit_no_{name} BEFORE {act} ON paper_edit WHEN {when} "
            "BEGIN SELECT RAISE(ABORT, 'paper_edit is append-only'); END"
        )


def _keep_on_postgresql() -> None:
    for name, act, each in (("truncate", "TRUNCATE", "STATEMENT"), ("change", "UPDATE OR DELETE", "ROW")):
        op.execute(
            f"CREATE TRIGGER paper_edit_no_{name} BEFORE {act} ON paper_edit "
            f"FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )
