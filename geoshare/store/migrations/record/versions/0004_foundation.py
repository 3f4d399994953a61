"""Claims of several providers: found by place, and by the id they have alone."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INDEXES = (
    ("ix_claims_cell", ["collection", "cell"], "cell IS NOT NULL"),
    ("ix_claims_member", ["collection", "member"], "member <> feature"),
)


def upgrade() -> None:
    op.add_column("claims", sa.Column("member", sa.Text(), nullable=True))
    op.add_column("claims", sa.Column("cell", sa.BigInteger(), nullable=True))
    for name, columns, rule in _INDEXES:
        where = sa.text(rule)
        op.create_index(name, "claims", columns, sqlite_where=where, postgresql_where=where)
