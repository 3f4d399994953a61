"""Tables of people: departments, persons, what lets them in, and access given for a time.

Secrets are stored as HMACs. A person who is erased keeps a row without name and address, so that what
they did stays told apart from what others did. Times are microseconds since 1970 (UTC).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from geoshare.store.governance_tables import METADATA

DEPARTMENTS = Table(
    "departments",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("organisation", Text, ForeignKey("organisations.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Index("ix_departments_name", "organisation", "name", unique=True),
)

PERSONS = Table(
    "persons",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("organisation", Text, ForeignKey("organisations.id"), nullable=False),
    Column("department", Text, ForeignKey("departments.id")),
    Column("name", Text, nullable=False),  # empty: erased
    Column("email", Text),
    Column("roles", Text, nullable=False),  # comma-separated
    Column("language", Text, nullable=False),  # ja, en
    Column("created_us", BigInteger, nullable=False),
    Column("disabled_us", BigInteger),
    Column("erased_us", BigInteger),
    Index("ix_persons_organisation", "organisation", "created_us"),
)

IDENTITIES = Table(
    "person_identities",
    METADATA,
    Column("issuer", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("person", Text, ForeignKey("persons.id"), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Index("ix_person_identities_person", "person"),
)

INVITES = Table(
    "invites",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("person", Text, ForeignKey("persons.id"), nullable=False),
    Column("hmac", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("made_by", Text),  # a person; null: the operator's own hand
    Column("used_us", BigInteger),
    Column("revoked_us", BigInteger),
    Index("ix_invites_person", "person"),
)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("person", Text, ForeignKey("persons.id"), nullable=False),
    Column("hmac", LargeBinary, nullable=False),
    Column("how", Text, nullable=False),  # invite, oidc
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("last_used_us", BigInteger, nullable=False),
    Column("invited_by", Text),  # the person who made the invite it began with
    Column("revoked_us", BigInteger),
    Index("ix_sessions_person", "person"),
)

BREAK_GLASS = Table(
    "break_glass",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("person", Text, ForeignKey("persons.id"), nullable=False),
    Column("organisation", Text, nullable=False),  # the provider
    Column("contribution", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("ended_us", BigInteger),
    Index("ix_break_glass_organisation", "organisation", "created_us"),
    Index("ix_break_glass_person", "person", "contribution"),
)
