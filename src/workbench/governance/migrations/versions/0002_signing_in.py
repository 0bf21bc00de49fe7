"""Signing in: attempts are counted, by whom and from where.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of attempts."""
    op.create_table(
        "attempt",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attempt")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """There is no way back: records are kept."""
    raise NotImplementedError("restore a backup instead; records of decisions are not taken down")
