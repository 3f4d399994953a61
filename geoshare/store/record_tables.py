"""Tables of the record: contributions, change sets, features with their history, claims, rasters.

Times are integer microseconds since 1970 (UTC). A row of ``features``, ``claims`` or ``rasters`` is
a version: it begins with change set ``changeset`` and ends with change set ``ended_by``. It is
visible from the moment ``changeset`` is committed until the moment ``ended_by`` is, so one small
commit (a sequence number and a time on the change set) shows all of its rows and hides all that
they replace; ``recorded_from`` and ``recorded_to`` are the two change sets' ``committed_us``.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TextClause,
    text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_ROW_NUMBER = BigInteger().with_variant(Integer, "sqlite")


def _changeset(name: str, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, ForeignKey("changesets.id"), nullable=nullable)


def _ended(table: str, *columns: str) -> Index:
    # Of ended rows only: most rows are in force, and to look those up by "ended_by is null" is to
    # look through all of them, which SQLite would do if this index offered it.
    ended = text("ended_by IS NOT NULL")
    return Index(f"ix_{table}_ended_by", *columns, sqlite_where=ended, postgresql_where=ended)


def _where(name: str, rule: TextClause, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=rule, postgresql_where=rule)


SECRETS = Table(
    "secrets",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

HEAD = Table(  # one row: the sequence number of the newest committed change set
    "head",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
)

COLLECTIONS = Table(
    "collections",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("schema", Text, nullable=False),  # JSON Schema inferred from the data
    Column("created_us", BigInteger, nullable=False),
)

CHANGESETS = Table(
    "changesets",
    METADATA,
    Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("sequence", BigInteger, unique=True),  # order of commits; null while open
    Column("author", Text, nullable=False),
    Column("comment", Text, nullable=False, default=""),
    Column("opened_us", BigInteger, nullable=False),
    Column("committed_us", BigInteger),
    Column("writer", Text, nullable=False),  # the process that writes it, to find dead ones
    Column("heartbeat_us", BigInteger, nullable=False),
    sqlite_autoincrement=True,  # the number of a discarded change set is never given again
)

CHANGESET_COLLECTIONS = Table(
    "changeset_collections",
    METADATA,
    Column("changeset", BigInteger, ForeignKey("changesets.id"), primary_key=True),
    Column("collection", Text, primary_key=True),
    Column("added", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("removed", BigInteger, nullable=False),
)

CONTRIBUTIONS = Table(
    "contributions",
    METADATA,
    Column("id", Text, primary_key=True),
    _changeset("changeset"),
    Column("provider", Text, nullable=False),
    Column("series", Text, nullable=False),  # files of one series replace each other
    Column("file_name", Text, nullable=False),
    Column("file_sha256", Text, nullable=False),
    Column("file_bytes", BigInteger, nullable=False),
    Column("options", Text, nullable=False),  # JSON: how it was read
    Column("licence", Text, nullable=False),  # SPDX
    Column("release_class", Text, nullable=False),
    Column("datum", Text, nullable=False, default="{}"),  # JSON of model.batch.Datum
    Column("received_us", BigInteger, nullable=False),
    Column("report", Text, nullable=False, default="{}"),  # JSON of model.report.Report
    Index(None, "provider", "file_sha256"),
    Index(None, "changeset"),
    # a constant beside it, since an index of a condition counts only for that very condition
    _where("ix_contributions_classed", text("release_class <> 'open'"), "changeset"),
)

FEATURES = Table(
    "features",
    METADATA,
    Column("version", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("collection", Text, nullable=False),
    Column("id", Text, nullable=False),
    _changeset("changeset"),
    _changeset("ended_by", nullable=True),
    Column("contribution", Text, ForeignKey("contributions.id"), nullable=False),
    Column("geometry", LargeBinary),  # WKB, CRS84h; null: none
    Column("west", Double),
    Column("south", Double),
    Column("east", Double),
    Column("north", Double),
    Column("valid_from_us", BigInteger),  # of the world; null: not stated
    Column("valid_to_us", BigInteger),
    Column("properties", Text, nullable=False),  # JSON object without nulls
    Index("ix_features_collection_id", "collection", "id"),
    Index("ix_features_changeset", "changeset", "collection"),
    _ended("features", "ended_by", "collection"),
    Index("ix_features_contribution", "contribution"),
)

CLAIMS = Table(
    "claims",
    METADATA,
    Column("version", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("collection", Text, nullable=False),
    Column("feature", Text, nullable=False),
    _changeset("changeset"),
    _changeset("ended_by", nullable=True),
    Column("contribution", Text, ForeignKey("contributions.id"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("property", Text, nullable=False, default=""),  # empty: as a whole; rows.DESK: at a desk
    Column("between_from", Double),  # 0..1 of geodesic length; null: all of it
    Column("between_to", Double),
    Column("content_hash", LargeBinary, nullable=False),  # of what the provider said
    Column("geometry", LargeBinary),  # null with properties null: as in the feature's version
    Column("properties", Text),  # JSON; null: the feature version of this change set says it
    Column("observed_us", BigInteger),
    Column("accuracy_m", Double),
    Column("confidence", Double),
    Column("member", Text),  # the feature's id if nobody else claimed it; null: of no record of its own
    Column("cell", BigInteger),  # where it is looked for by place; null: it is not
    Index("ix_claims_collection_feature", "collection", "feature"),
    _where("ix_claims_cell", text("cell IS NOT NULL"), "collection", "cell"),
    _where("ix_claims_member", text("member <> feature"), "collection", "member"),
    Index("ix_claims_changeset", "changeset"),
    _ended("claims", "ended_by"),
    Index("ix_claims_contribution", "contribution"),
)

EDITS = Table(  # change sets that people made at a desk: who, and why
    "edits",
    METADATA,
    Column("id", Text, primary_key=True),  # of the contribution that the change set holds
    _changeset("changeset"),
    Column("organisation", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("kind", Text, nullable=False),  # create, update, delete, several, sheet, undo
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False),  # who told it, in words
    Column("said_us", BigInteger),  # by the clock of who made it; null: not stated
    Column("undoes", Text),  # the edit it takes back
    Index(None, "organisation", "changeset"),
    Index(None, "changeset"),
)

PHOTOS = Table(  # who may put which picture into a report; the file is named by its SHA-256
    "photos",
    METADATA,
    Column("sha256", Text, primary_key=True),
    Column("organisation", Text, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("received_us", BigInteger, nullable=False),
)

RASTERS = Table(
    "rasters",
    METADATA,
    Column("version", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("collection", Text, nullable=False),
    Column("id", Text, nullable=False),
    _changeset("changeset"),
    _changeset("ended_by", nullable=True),
    Column("contribution", Text, ForeignKey("contributions.id"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("object_sha256", Text, nullable=False),  # the COG in the object folder
    Column("object_bytes", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("datetime_us", BigInteger, nullable=False),
    Column("west", Double, nullable=False),
    Column("south", Double, nullable=False),
    Column("east", Double, nullable=False),
    Column("north", Double, nullable=False),
    Column("content", Text, nullable=False),  # JSON: footprint, crs, size, bands, properties
    Index("ix_rasters_collection_id", "collection", "id"),
    Index("ix_rasters_changeset", "changeset", "collection"),
    _ended("rasters", "ended_by", "collection"),
    Index("ix_rasters_object", "object_sha256"),
)

TELEGRAMS = Table(
    "telegrams",
    METADATA,
    Column("digest", Text, primary_key=True),  # SHA-256 of the bytes
    Column("stream", Text, nullable=False),  # telegrams of one stream supersede each other
    Column("reported_us", BigInteger, nullable=False),
    Column("received_us", BigInteger, nullable=False),
    Column("content", Text, nullable=False),  # JSON: what was read
    Column("data", LargeBinary, nullable=False),  # the bytes as they came, zlib
    Index("ix_telegrams_stream", "stream", "reported_us"),
)
