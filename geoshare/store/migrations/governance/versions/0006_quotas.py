"""Quotas of keys in cost and by month, and what is used of months."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("cost_per_minute", "per_month", "cost_per_month"):
        op.add_column("api_keys", sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_table(
        "quota_use",
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", "key", name="pk_quota_use"),
    )
