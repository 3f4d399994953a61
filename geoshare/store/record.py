"""The record's front door."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Select, select

from geoshare.model.clock import Clock
from geoshare.model.collections import Collection, from_schema, known
from geoshare.store import reading, sweep
from geoshare.store.changeset import ChangeSet
from geoshare.store.database import Database
from geoshare.store.migrate import migrate
from geoshare.store.record_tables import (
    CHANGESETS,
    COLLECTIONS,
    CONTRIBUTIONS,
    HEAD,
    RASTERS,
    SECRETS,
)
from geoshare.store.rows import Contribution, FullClaim, StoredRaster


def open_record(url: str | Path) -> Record:
    """Open a record, made or brought up to date where needed.

    Parameters
    ----------
    url
        A SQLAlchemy URL (``sqlite:///...`` or ``postgresql://...``) or the path of a SQLite file.
    """
    database = Database(as_url(url), serial=True)
    migrate(database, "record")
    record = Record(database)
    record.prepare()
    return record


def as_url(url: str | Path) -> str:
    """Read a path as the URL of a SQLite file."""
    return f"sqlite:///{url}" if isinstance(url, Path) or "://" not in url else url


class Record:
    """Contributions, claims, features with their history, rasters: all that must never be lost."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.secret = b""  # keys the identities of features; never leaves the record

    def prepare(self) -> None:
        """Make the head and the secret of a new record; read the secret."""
        with self.database.read() as connection:
            found = connection.execute(select(SECRETS.c.value)).scalar()
        if found is None:
            with self.database.write() as connection:
                if connection.execute(select(SECRETS.c.value)).scalar() is None:
                    value = secrets.token_bytes(32)
                    connection.execute(SECRETS.insert().values(name="identity", value=value))
                    connection.execute(HEAD.insert().values(id=1, sequence=0))
                found = connection.execute(select(SECRETS.c.value)).scalar_one()
        self.secret = bytes(found)

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Open one consistent state of the record, for the functions of ``store.reading``."""
        with self.database.read() as connection:
            yield connection

    def head(self) -> int:
        """Sequence number of the newest committed change set."""
        with self.snapshot() as connection:
            return reading.head(connection)

    # Writing

    def begin(self, clock: Clock, author: str, comment: str = "") -> ChangeSet:
        """Open a change set."""
        return ChangeSet(self.database, clock, author, comment)

    def discard(self, changeset: int) -> None:
        """Undo a change set that was not committed."""
        sweep.discard(self.database, changeset)

    def sweep(self, now_us: int) -> list[int]:
        """Undo the change sets of dead writers; returns their numbers."""
        dead = sweep.dead_changesets(self.database, now_us)
        for changeset in dead:
            sweep.discard(self.database, changeset)
        return dead

    # Collections

    def collections(self) -> dict[str, Collection]:
        """Every collection that can hold something: the product's own, then those of other layers."""
        found = dict(known())
        with self.snapshot() as connection:
            rows = connection.execute(
                select(COLLECTIONS.c.name, COLLECTIONS.c.schema).order_by(COLLECTIONS.c.name)
            ).all()
        for name, schema in rows:
            if schema is not None and name not in found:
                found[name] = from_schema(name, orjson.loads(schema))
        return found

    def save_schema(self, collection: Collection, now_us: int) -> None:
        """Keep the schema of a collection that is not part of the product."""
        schema = orjson.dumps(collection.schema).decode()
        with self.database.write() as connection:
            row = COLLECTIONS.c.name == collection.name
            if not connection.execute(COLLECTIONS.update().where(row).values(schema=schema)).rowcount:
                connection.execute(
                    COLLECTIONS.insert().values(name=collection.name, schema=schema, created_us=now_us)
                )

    # Contributions

    def contribution(self, contribution: str) -> Contribution | None:
        """One contribution, also while it is being read (its ``sequence`` is None then)."""
        return next(iter(self._contributions(CONTRIBUTIONS.c.id == contribution)), None)

    def contributions(self, provider: str | None = None, limit: int = 1000) -> list[Contribution]:
        """Contributions taken, newest first."""
        rules: list[ColumnElement[bool]] = [CHANGESETS.c.sequence.is_not(None)]
        if provider is not None:
            rules.append(CONTRIBUTIONS.c.provider == provider)
        return self._contributions(*rules, limit=limit)

    def replay_of(self, provider: str, sha256: str, options: str) -> Contribution | None:
        """The contribution of the same file by the same provider with the same options, if any."""
        found = self._contributions(
            CHANGESETS.c.sequence.is_not(None),
            CONTRIBUTIONS.c.provider == provider,
            CONTRIBUTIONS.c.file_sha256 == sha256,
            CONTRIBUTIONS.c.options == options,
            limit=1,
        )
        return found[0] if found else None

    def _contributions(self, *rules: ColumnElement[bool], limit: int = 1) -> list[Contribution]:
        table = CONTRIBUTIONS.c
        statement = (
            select(
                table.id,
                table.provider,
                table.series,
                table.file_name,
                table.file_sha256,
                table.file_bytes,
                table.options,
                table.licence,
                table.release_class,
                table.received_us,
                table.datum,
                table.report,
                table.changeset,
                CHANGESETS.c.sequence,
            )
            .join_from(CONTRIBUTIONS, CHANGESETS, CHANGESETS.c.id == table.changeset)
            .where(*rules)
            .order_by(CHANGESETS.c.sequence.desc(), table.id)
            .limit(limit)
        )
        with self.snapshot() as connection:
            return [Contribution(*row) for row in connection.execute(statement).all()]

    # Files that rows point to

    def uses_object(self, sha256: str) -> bool:
        """Whether any raster, also one under way, rests on this file."""
        return self._any(select(RASTERS.c.version).where(RASTERS.c.object_sha256 == sha256))

    def uses_raw(self, sha256: str) -> bool:
        """Whether any contribution, also one under way, came as this file."""
        return self._any(select(CONTRIBUTIONS.c.id).where(CONTRIBUTIONS.c.file_sha256 == sha256))

    def _any(self, statement: Select[Any]) -> bool:
        with self.snapshot() as connection:
            return connection.execute(statement.limit(1)).first() is not None

    # Questions about single things

    def claims(self, collection: str, feature: str) -> list[FullClaim]:
        """Claims in force on a feature, oldest first."""
        with self.snapshot() as connection:
            under_way = reading.open_changesets(connection)
            return reading.full_claims(connection, collection, [feature], under_way)

    def rasters(self, collection: str) -> list[StoredRaster]:
        """Raster items in force, by time."""
        with self.snapshot() as connection:
            return reading.rasters(connection, collection)

    def row_counts(self) -> dict[str, int]:
        """Rows of every table of the record (for the doctor, and for proofs)."""
        return self.database.row_counts(COLLECTIONS.metadata)

    def ready(self) -> bool:
        """Whether the record answers."""
        return self.head() >= 0

    def standing_of(self, collection: str, provider: str, series: str) -> Sequence[tuple[int, str]]:
        """Claims (version, feature) in force that a provider made through files of one series."""
        with self.snapshot() as connection:
            return reading.standing_of(connection, collection, provider, series)
