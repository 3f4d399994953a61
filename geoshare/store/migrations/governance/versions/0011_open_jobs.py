"""Jobs that wait or run are found by whose turn it is, however many are over."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    rule = sa.text("state IN ('queued', 'running')")
    columns = ["kind", "owner", "created_us", "id"]
    op.create_index("ix_jobs_open", "jobs", columns, sqlite_where=rule, postgresql_where=rule)
