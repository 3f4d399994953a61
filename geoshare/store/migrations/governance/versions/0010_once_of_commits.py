"""Entries of change sets are told apart by the instant of the commit, no longer by its number."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    entries = sa.table(
        "audit_entries",
        sa.column("number", sa.BigInteger),
        sa.column("once", sa.Text),
        sa.column("leaf", sa.LargeBinary),
    )
    connection = op.get_bind()
    found = connection.execute(
        sa.select(entries.c.number, entries.c.leaf).where(entries.c.once.like("change %"))
    )
    for number, leaf in found.all():
        committed_us = json.loads(bytes(leaf))["detail"]["committed_us"]
        connection.execute(
            entries.update()
            .where(entries.c.number == number)
            .values(once=f"commit {committed_us:020d}")
        )
