"""Tables of the governance database: who may ask, what is under way, what has happened.

Times are integer microseconds since 1970 (UTC).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
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
    Column("parent", Text),  # the key that made this one
    Column("collections", Text),  # comma-separated; null: all that its tiers allow
    Column("per_minute", Integer),  # requests; null: as its tiers say
    Column("old_hmac", LargeBinary),  # of the secret before, valid until:
    Column("old_until_us", BigInteger),
    Column("cost_per_minute", BigInteger),  # cost units; null: as its tiers say
    Column("per_month", BigInteger),  # requests
    Column("cost_per_month", BigInteger),
    Index("ix_api_keys_parent", "parent"),
)

QUOTA_USE = Table(
    "quota_use",
    METADATA,
    Column("month", Integer, primary_key=True),  # of the calendar, counted from the year 0
    Column("key", Text, primary_key=True),  # unit, grant and credential
    Column("used", BigInteger, nullable=False),  # also what a worker has taken and not used yet
)

SECRETS = Table(
    "secrets",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

AUDIT_LOG = Table(
    "audit_log",
    METADATA,
    Column("id", Integer, primary_key=True),  # 1: there is one log
    Column("origin", Text, nullable=False),
    Column("size", BigInteger, nullable=False),  # entries that have their place
    Column("root", LargeBinary, nullable=False),  # over these: what a checkpoint may be signed for
)

AUDIT_ENTRIES = Table(
    "audit_entries",
    METADATA,
    Column("number", _ROW_NUMBER, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),  # stands in the entry, too
    Column("once", Text, unique=True),  # what there may be one entry of
    Column("place", BigInteger, unique=True),  # in the log; null: pending
    Column("leaf", LargeBinary, nullable=False),  # the entry's bytes
    sqlite_autoincrement=True,
)

AUDIT_OPENINGS = Table(
    "audit_openings",
    METADATA,
    Column("entry", _ROW_NUMBER, ForeignKey("audit_entries.number"), primary_key=True),
    Column("side", Text, primary_key=True),  # by, about
    Column("what", Text, primary_key=True),  # organisation, person, credential, subject
    Column("value", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Index("ix_audit_openings_value", "what", "value"),
)

AUDIT_READS = Table(
    "audit_reads",
    METADATA,
    Column("minute", BigInteger, primary_key=True),  # since 1970
    Column("organisation", Text, primary_key=True),  # empty: nobody in particular
    Column("credential", Text, primary_key=True),
    Column("collection", Text, primary_key=True),
    Column("action", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
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
    Index(
        "ix_jobs_open",  # whose turn it is, however many are over
        "kind",
        "owner",
        "created_us",
        "id",
        sqlite_where=text("state IN ('queued', 'running')"),
        postgresql_where=text("state IN ('queued', 'running')"),
    ),
)

JOB_BODIES = Table(  # small ones, kept with their job until it is done: on the disk when that is
    "job_bodies",
    METADATA,
    Column("job", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

WEBHOOKS = Table(
    "webhooks",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("organisation", Text, nullable=False),
    Column("key_id", Text, nullable=False),  # whose view is looked at
    Column("url", Text, nullable=False),
    Column("collections", Text, nullable=False),  # comma-separated
    Column("created_us", BigInteger, nullable=False),
    Column("told", Text, nullable=False),  # JSON: the token told last, by collection
    Column("due_us", BigInteger, nullable=False),  # no try before
    Column("failures", Integer, nullable=False),  # one after another
    Column("failing_since_us", BigInteger),
    Column("disabled_us", BigInteger),
    Column("note", Text, nullable=False),  # why it fails, or was disabled
    Index("ix_webhooks_organisation", "organisation"),
)

SHEETS = Table(  # sent to a desk, and waiting for their maker's consent
    "sheets",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("organisation", Text, nullable=False),
    Column("maker", Text, nullable=False),
    Column("collection", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),  # JSON, packed: what would change
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Index("ix_sheets_maker", "organisation", "maker"),
    Index("ix_sheets_expires", "expires_us"),
)

PROVIDER_RULES = Table(  # what a provider has decided for all of its contributions
    "provider_rules",
    METADATA,
    Column("provider", Text, primary_key=True),
    Column("refuse_on", Text, nullable=False),  # error, warning, info, none
    Column("changed_us", BigInteger, nullable=False),
)

SHARES = Table(
    "shares",
    METADATA,
    Column("id", Text, primary_key=True),  # whoever knows it sees the map
    Column("organisation", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("language", Text, nullable=False),  # ja, ja-easy, en
    Column("layers", Text, nullable=False),  # comma-separated
    Column("west", Double, nullable=False),  # degrees
    Column("south", Double, nullable=False),
    Column("east", Double, nullable=False),
    Column("north", Double, nullable=False),
    Column("person", Text, nullable=False),  # who made it; empty: a key
    Column("key_id", Text, nullable=False),  # the key it ends with; empty: a person
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("revoked_us", BigInteger),
    Column("drills", Boolean, nullable=False, server_default=false()),  # whether drills are shown
    Index("ix_shares_organisation", "organisation", "created_us"),
)
