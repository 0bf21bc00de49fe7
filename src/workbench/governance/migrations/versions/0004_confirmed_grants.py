"""Grants of roles that another person has to confirm before they hold.

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns to grants; what holds at present goes on holding, unconfirmed."""
    op.add_column("role_grant", sa.Column("needs_confirming", sa.Integer(), nullable=True))
    op.add_column("role_grant", sa.Column("confirmed_by", sa.Text(), nullable=True))
    op.add_column("role_grant", sa.Column("confirmed_at", sa.Text(), nullable=True))


def downgrade() -> None:
    """There is no way back: records are kept."""
    raise NotImplementedError("restore a backup instead; records of decisions are not taken down")
