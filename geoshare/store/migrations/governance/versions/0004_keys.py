"""Keys that belong to other keys, and keys with two secrets while one replaces the other."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("parent", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("collections", sa.Text(), nullable=True))
    op.add_column("api_keys", sa.Column("per_minute", sa.Integer(), nullable=True))
    op.add_column("api_keys", sa.Column("old_hmac", sa.LargeBinary(), nullable=True))
    op.add_column("api_keys", sa.Column("old_until_us", sa.BigInteger(), nullable=True))
    op.create_index("ix_api_keys_parent", "api_keys", ["parent"], unique=False)
