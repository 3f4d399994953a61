"""Departments and persons, what lets them in, and access to raw files given for a time."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _id(name: str = "id") -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=False)


def _us(name: str, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "departments",
        _id(),
        _id("organisation"),
        _id("name"),
        _us("created_us"),
        _of("departments", "organisation", "organisations"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departments")),
    )
    op.create_index("ix_departments_name", "departments", ["organisation", "name"], unique=True)
    op.create_table(
        "persons",
        _id(),
        _id("organisation"),
        sa.Column("department", sa.Text(), nullable=True),
        _id("name"),
        sa.Column("email", sa.Text(), nullable=True),
        _id("roles"),
        _id("language"),
        _us("created_us"),
        _us("disabled_us", True),
        _us("erased_us", True),
        _of("persons", "organisation", "organisations"),
        _of("persons", "department", "departments"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
    )
    op.create_index("ix_persons_organisation", "persons", ["organisation", "created_us"])
    op.create_table(
        "person_identities",
        _id("issuer"),
        _id("subject"),
        _id("person"),
        _us("created_us"),
        _of("person_identities", "person", "persons"),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_person_identities")),
    )
    op.create_index("ix_person_identities_person", "person_identities", ["person"])
    op.create_table(
        "invites",
        _id(),
        _id("person"),
        sa.Column("hmac", sa.LargeBinary(), nullable=False),
        _us("created_us"),
        _us("expires_us"),
        sa.Column("made_by", sa.Text(), nullable=True),
        _us("used_us", True),
        _us("revoked_us", True),
        _of("invites", "person", "persons"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invites")),
    )
    op.create_index("ix_invites_person", "invites", ["person"])
    op.create_table(
        "sessions",
        _id(),
        _id("person"),
        sa.Column("hmac", sa.LargeBinary(), nullable=False),
        _id("how"),
        _us("created_us"),
        _us("expires_us"),
        _us("last_used_us"),
        sa.Column("invited_by", sa.Text(), nullable=True),
        _us("revoked_us", True),
        _of("sessions", "person", "persons"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_person", "sessions", ["person"])
    op.create_table(
        "break_glass",
        _id(),
        _id("person"),
        _id("organisation"),
        _id("contribution"),
        _id("reason"),
        _us("created_us"),
        _us("expires_us"),
        _us("ended_us", True),
        _of("break_glass", "person", "persons"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_break_glass")),
    )
    op.create_index("ix_break_glass_organisation", "break_glass", ["organisation", "created_us"])
    op.create_index("ix_break_glass_person", "break_glass", ["person", "contribution"])
