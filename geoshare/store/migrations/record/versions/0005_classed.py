"""Contributions of other release classes than the open one: whether there are any is asked often."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    where = sa.text("release_class <> 'open'")
    op.create_index(
        "ix_contributions_classed",
        "contributions",
        ["changeset"],
        sqlite_where=where,
        postgresql_where=where,
    )
