"""Tables of the governance database: who may ask, what is under way, what has happened.

Times are integer microseconds since 1970 (UTC).
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
)

from geoshare.store.record_tables import METADATA as _RECORD

METADATA = MetaData(naming_convention=_RECORD.naming_convention)
_ROW_NUMBER = BigInteger().with_variant(Integer, "sqlite")

ORGANISATIONS = Table(
    "organisations",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
)

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("organisation", Text, ForeignKey("organisations.id"), nullable=False),
    Column("tier", Text, nullable=False),
    Column("label", Text, nullable=False, default=""),
    Column("hmac", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
    Column("last_used_us", BigInteger),
)

SECRETS = Table(
    "secrets",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("number", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("at_us", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False, default="{}"),
    Index("ix_audit_at", "at_us"),
    sqlite_autoincrement=True,
)

POLICIES = Table(
    "policies",
    METADATA,
    Column("sha256", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("document", Text, nullable=False),  # canonical JSON
    Column("created_us", BigInteger, nullable=False),
    Column("retired_us", BigInteger),  # null: in force
)

UPLOADS = Table(
    "uploads",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("organisation", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("length", BigInteger, nullable=False),  # bytes announced
    Column("offset", BigInteger, nullable=False),  # bytes received and synced to disk
    Column("metadata", Text, nullable=False, default="{}"),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Index("ix_uploads_expires", "expires_us"),
)

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),  # organisation that asked
    Column("params", Text, nullable=False),
    Column("state", Text, nullable=False),  # queued, running, done, failed, cancelled
    Column("progress", Double, nullable=False, default=0.0),  # 0..1
    Column("message", Text, nullable=False, default=""),
    Column("result", Text),
    Column("error", Text),
    Column("attempts", Integer, nullable=False, default=0),
    Column("cancel_asked", Integer, nullable=False, default=0),
    Column("created_us", BigInteger, nullable=False),
    Column("due_us", BigInteger, nullable=False),  # not before
    Column("started_us", BigInteger),
    Column("finished_us", BigInteger),
    Column("lease", Text),  # token of the worker that runs it
    Column("lease_until_us", BigInteger),
    Index("ix_jobs_state", "state", "due_us"),
    Index("ix_jobs_owner", "owner", "created_us"),
)
