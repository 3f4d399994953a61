"""Edits made at a desk, and photos sent to one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "edits",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("changeset", sa.BigInteger(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("said_us", sa.BigInteger(), nullable=True),
        sa.Column("undoes", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["changeset"], ["changesets.id"], name=op.f("fk_edits_changeset")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edits")),
    )
    op.create_index("ix_edits_organisation_changeset", "edits", ["organisation", "changeset"])
    op.create_index("ix_edits_changeset", "edits", ["changeset"])
    op.create_table(
        "photos",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "organisation", name=op.f("pk_photos")),
    )
