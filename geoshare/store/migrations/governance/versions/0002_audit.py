"""The audit log: a Merkle tree's entries, the salts that open them, and reads of minutes under way."""

import sqlalchemy as sa
from alembic import op

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_audit_at", table_name="audit")
    op.drop_table("audit")
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("number", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("place", sa.BigInteger(), nullable=True),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_entries")),
        sa.UniqueConstraint("id", name=op.f("uq_audit_entries_id")),
        sa.UniqueConstraint("once", name=op.f("uq_audit_entries_once")),
        sa.UniqueConstraint("place", name=op.f("uq_audit_entries_place")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit_openings",
        sa.Column("entry", ROW_NUMBER, nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry"], ["audit_entries.number"], name=op.f("fk_audit_openings_entry")
        ),
        sa.PrimaryKeyConstraint("entry", "side", "what", name=op.f("pk_audit_openings")),
    )
    op.create_index("ix_audit_openings_value", "audit_openings", ["what", "value"], unique=False)
    key = ("minute", "organisation", "credential", "collection", "action")
    op.create_table(
        "audit_reads",
        sa.Column("minute", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in key[1:]),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_audit_reads")),
    )
