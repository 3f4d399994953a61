"""Small bodies are kept with the jobs that read them, in one transaction."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_bodies",
        sa.Column("job", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
