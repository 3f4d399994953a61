"""Tables of policies: change sets of tiers, offers, agreements and emergencies.

A document is stored as canonical JSON with its SHA-256 and never changed. Every act is a row of
``policy_changes``, written in the same transaction as what it does, and the newest number of that table
tells every process whether it has to look again. Times are microseconds since 1970 (UTC).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from geoshare.store.governance_tables import METADATA

_NUMBER = BigInteger().with_variant(Integer, "sqlite")

POLICY_CHANGES = Table(
    "policy_changes",
    METADATA,
    Column("number", _NUMBER, primary_key=True, autoincrement=True),
    Column("at_us", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # tiers, offer, agreement, emergency
    Column("act", Text, nullable=False),  # draft, publish, offer, sign, end, ...
    Column("subject", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source", Text, nullable=False, default=""),  # of tiers: built-in, file, admin, command line
    Column("sha256", Text),
    Column("document", Text),
    Index("ix_policy_changes_kind", "kind", "act", "number"),
    sqlite_autoincrement=True,
)

OFFERS = Table(
    "offers",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("withdrawn_us", BigInteger),
)

AGREEMENTS = Table(
    "agreements",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("organisation", Text, ForeignKey("organisations.id"), nullable=False),  # the consumer
    Column("document", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("offered_us", BigInteger, nullable=False),
    Column("signatures", Text, nullable=False, default="[]"),
    Column("signed_us", BigInteger),  # when the last party signed
    Column("ended_us", BigInteger),
    Column("end_reason", Text, nullable=False, default=""),
    Index("ix_agreements_organisation", "organisation"),
)

EMERGENCIES = Table(
    "emergencies",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("proposed_us", BigInteger, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("activated_us", BigInteger),
    Column("activated_by", Text),
    Column("until_us", BigInteger),  # fixed when it is switched on
    Column("ended_us", BigInteger),
)
