"""First passwords: who set one, until its owner takes another; what a session may do until then.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column each to people and sessions; everybody's present password counts as their own."""
    op.add_column("person", sa.Column("password_by", sa.Text(), nullable=True))
    op.add_column("desk_session", sa.Column("must_change", sa.Integer(), nullable=True))


def downgrade() -> None:
    """There is no way back: records are kept."""
    raise NotImplementedError("restore a backup instead; records of decisions are not taken down")
