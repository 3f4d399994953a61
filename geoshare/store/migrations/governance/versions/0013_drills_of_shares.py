"""Whether a shared map shows drills: those that are there already show none any more."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("drills", sa.Boolean, nullable=False, server_default=sa.false()))
