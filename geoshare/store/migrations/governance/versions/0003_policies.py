"""Policies as change sets, offers, agreements and emergencies.

Organisations that held tiers by their keys hold them from here on by an agreement of the same content.
"""

import hashlib
import json
import time

import sqlalchemy as sa
from alembic import op

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPERATOR = "operator"

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("policies")
    changes = op.create_table(
        "policy_changes",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_policy_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_policy_changes_kind", "policy_changes", ["kind", "act", "number"])
    op.create_table(
        "offers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_offers")),
    )
    agreements = op.create_table(
        "agreements",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("offered_us", sa.BigInteger(), nullable=False),
        sa.Column("signatures", sa.Text(), nullable=False),
        sa.Column("signed_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation"], ["organisations.id"], name=op.f("fk_agreements_organisation")
        ),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_agreements")),
    )
    op.create_index("ix_agreements_organisation", "agreements", ["organisation"])
    op.create_table(
        "emergencies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("proposed_us", sa.BigInteger(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("activated_us", sa.BigInteger(), nullable=True),
        sa.Column("activated_by", sa.Text(), nullable=True),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergencies")),
    )
    _carry_over(agreements, changes)


def _carry_over(agreements: sa.Table, changes: sa.Table) -> None:
    """Make an agreement of what each organisation's keys gave it until now."""
    connection = op.get_bind()
    held: dict[str, set[str]] = {}
    rows = connection.execute(
        sa.text("SELECT organisation, tier FROM api_keys WHERE revoked_us IS NULL")
    ).all()
    for organisation, tiers in rows:
        held.setdefault(organisation, set()).update(name for name in tiers.split(",") if name)
    now_us = time.time_ns() // 1000
    for organisation, tiers in sorted(held.items()):
        if not tiers:
            continue
        name = "carried-over-" + hashlib.sha256(organisation.encode()).hexdigest()[:16]
        said = json.dumps(
            _document(name, organisation, sorted(tiers)),
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        )
        sha256 = hashlib.sha256(said.encode()).hexdigest()
        signatures = [
            {"organisation": side, "name": "carried over", "at_us": now_us, "sha256": sha256}
            for side in (OPERATOR, organisation)
        ]
        connection.execute(
            agreements.insert().values(
                id=name,
                version=1,
                organisation=organisation,
                document=said,
                sha256=sha256,
                offered_us=now_us,
                signatures=json.dumps(signatures),
                signed_us=now_us,
                end_reason="",
            )
        )
        connection.execute(
            changes.insert().values(
                at_us=now_us,
                kind="agreement",
                act="sign",
                subject=f"{name}@1",
                author="geoshare",
                reason="what its keys gave it until now",
                source="",
                sha256=sha256,
                document=said,
            )
        )


def _document(name: str, organisation: str, tiers: list[str]) -> dict:
    return {
        "id": name,
        "version": 1,
        "contract": "provision",
        "offer": None,
        "parties": [
            {"organisation": OPERATOR, "part": "provider"},
            {"organisation": organisation, "part": "consumer"},
        ],
        "tiers": tiers,
        "area": None,
        "term": {"starts": "2020-01-01T00:00:00Z", "ends": "2100-01-01T00:00:00Z"},
        "terms": {
            "purposes": [],
            "recipients": [],
            "onward": "none",
            "derivatives": "none",
            "training": "none",
            "duties": [],
            "text": "",
            "text_ja": "",
            "text_sha256": None,
        },
    }
