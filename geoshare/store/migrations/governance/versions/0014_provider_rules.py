"""What findings refuse a provider's contributions, where it says nothing else with one."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_rules",
        sa.Column("provider", sa.Text, primary_key=True),
        sa.Column("refuse_on", sa.Text, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
    )
