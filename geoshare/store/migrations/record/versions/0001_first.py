"""First tables of the record database."""

import sqlalchemy as sa
from alembic import op

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "changesets",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("committed_us", sa.BigInteger(), nullable=True),
        sa.Column("writer", sa.Text(), nullable=False),
        sa.Column("heartbeat_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changesets")),
        sa.UniqueConstraint("sequence", name=op.f("uq_changesets_sequence")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "collections",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_collections")),
    )
    op.create_table(
        "head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_head")),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
    op.create_table(
        "changeset_collections",
        sa.Column("changeset", sa.BigInteger(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["changeset"], ["changesets.id"], name=op.f("fk_changeset_collections_changeset")
        ),
        sa.PrimaryKeyConstraint("changeset", "collection", name=op.f("pk_changeset_collections")),
    )
    op.create_table(
        "contributions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("changeset", sa.BigInteger(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.Text(), nullable=False),
        sa.Column("file_bytes", sa.BigInteger(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("release_class", sa.Text(), nullable=False),
        sa.Column("datum", sa.Text(), nullable=False),
        sa.Column("received_us", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["changeset"], ["changesets.id"], name=op.f("fk_contributions_changeset")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contributions")),
    )
    op.create_index(op.f("ix_contributions_changeset"), "contributions", ["changeset"], unique=False)
    op.create_index(
        op.f("ix_contributions_provider_file_sha256"),
        "contributions",
        ["provider", "file_sha256"],
        unique=False,
    )
    op.create_table(
        "claims",
        sa.Column("version", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("changeset", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("contribution", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("property", sa.Text(), nullable=False),
        sa.Column("between_from", sa.Double(), nullable=True),
        sa.Column("between_to", sa.Double(), nullable=True),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("geometry", sa.LargeBinary(), nullable=True),
        sa.Column("properties", sa.Text(), nullable=True),
        sa.Column("observed_us", sa.BigInteger(), nullable=True),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["changeset"], ["changesets.id"], name=op.f("fk_claims_changeset")),
        sa.ForeignKeyConstraint(
            ["contribution"], ["contributions.id"], name=op.f("fk_claims_contribution")
        ),
        sa.ForeignKeyConstraint(["ended_by"], ["changesets.id"], name=op.f("fk_claims_ended_by")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_claims")),
    )
    op.create_index("ix_claims_changeset", "claims", ["changeset"], unique=False)
    op.create_index("ix_claims_collection_feature", "claims", ["collection", "feature"], unique=False)
    op.create_index("ix_claims_contribution", "claims", ["contribution"], unique=False)
    op.create_index(
        "ix_claims_ended_by",
        "claims",
        ["ended_by"],
        unique=False,
        sqlite_where=sa.text("ended_by IS NOT NULL"),
        postgresql_where=sa.text("ended_by IS NOT NULL"),
    )
    op.create_table(
        "features",
        sa.Column("version", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("changeset", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("contribution", sa.Text(), nullable=False),
        sa.Column("geometry", sa.LargeBinary(), nullable=True),
        sa.Column("west", sa.Double(), nullable=True),
        sa.Column("south", sa.Double(), nullable=True),
        sa.Column("east", sa.Double(), nullable=True),
        sa.Column("north", sa.Double(), nullable=True),
        sa.Column("valid_from_us", sa.BigInteger(), nullable=True),
        sa.Column("valid_to_us", sa.BigInteger(), nullable=True),
        sa.Column("properties", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["changeset"], ["changesets.id"], name=op.f("fk_features_changeset")),
        sa.ForeignKeyConstraint(
            ["contribution"], ["contributions.id"], name=op.f("fk_features_contribution")
        ),
        sa.ForeignKeyConstraint(["ended_by"], ["changesets.id"], name=op.f("fk_features_ended_by")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_features")),
    )
    op.create_index("ix_features_changeset", "features", ["changeset", "collection"], unique=False)
    op.create_index("ix_features_collection_id", "features", ["collection", "id"], unique=False)
    op.create_index("ix_features_contribution", "features", ["contribution"], unique=False)
    op.create_index(
        "ix_features_ended_by",
        "features",
        ["ended_by", "collection"],
        unique=False,
        sqlite_where=sa.text("ended_by IS NOT NULL"),
        postgresql_where=sa.text("ended_by IS NOT NULL"),
    )
    op.create_table(
        "rasters",
        sa.Column("version", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("changeset", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("contribution", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("object_sha256", sa.Text(), nullable=False),
        sa.Column("object_bytes", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("datetime_us", sa.BigInteger(), nullable=False),
        sa.Column("west", sa.Double(), nullable=False),
        sa.Column("south", sa.Double(), nullable=False),
        sa.Column("east", sa.Double(), nullable=False),
        sa.Column("north", sa.Double(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["changeset"], ["changesets.id"], name=op.f("fk_rasters_changeset")),
        sa.ForeignKeyConstraint(
            ["contribution"], ["contributions.id"], name=op.f("fk_rasters_contribution")
        ),
        sa.ForeignKeyConstraint(["ended_by"], ["changesets.id"], name=op.f("fk_rasters_ended_by")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_rasters")),
    )
    op.create_index("ix_rasters_changeset", "rasters", ["changeset", "collection"], unique=False)
    op.create_index("ix_rasters_collection_id", "rasters", ["collection", "id"], unique=False)
    op.create_index(
        "ix_rasters_ended_by",
        "rasters",
        ["ended_by", "collection"],
        unique=False,
        sqlite_where=sa.text("ended_by IS NOT NULL"),
        postgresql_where=sa.text("ended_by IS NOT NULL"),
    )
    op.create_index("ix_rasters_object", "rasters", ["object_sha256"], unique=False)
