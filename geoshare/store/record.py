"""The record's front door."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import ColumnElement, Connection, select

from geoshare.model.clock import Clock
from geoshare.model.collections import Collection, known
from geoshare.store import changeset, contributions, reading, sweep
from geoshare.store.bell import ring
from geoshare.store.changeset import ChangeSet, Result
from geoshare.store.chunk import Chunk
from geoshare.store.database import Database
from geoshare.store.files import Files
from geoshare.store.migrate import migrate
from geoshare.store.record_tables import (
    CHANGESETS,
    CONTRIBUTIONS,
    HEAD,
    METADATA,
    SECRETS,
)
from geoshare.store.rows import Contribution, FullClaim, StoredRaster
from geoshare.store.signal import Signal


def open_record(url: str | Path, bell: Path | None = None) -> Record:
    """Open a record, made or brought up to date where needed.

    Parameters
    ----------
    url
        A SQLAlchemy URL (``sqlite:///...`` or ``postgresql://...``) or the path of a SQLite file.
    bell
        Rung after every commit, for whoever publishes.
    """
    database = Database(as_url(url), serial=True)
    migrate(database, "record")
    record = Record(database, bell)
    record.prepare()
    return record


def as_url(url: str | Path) -> str:
    """Read a path as the URL of a SQLite file."""
    return f"sqlite:///{url}" if isinstance(url, Path) or "://" not in url else url


class Record:
    """Contributions, claims, features with their history, rasters: all that must never be lost."""

    def __init__(self, database: Database, bell: Path | None = None) -> None:
        self.database = database
        self._bell = bell
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

    def signal(self) -> Signal:
        """Open a cheap way to notice commits, for one thread."""
        return Signal(self.database)

    # Writing

    def begin(
        self,
        clock: Clock,
        author: str,
        comment: str = "",
        on_busy: Callable[[], object] = lambda: None,
    ) -> ChangeSet:
        """Open a change set; ``on_busy`` is called while it waits for another."""
        return ChangeSet(self.database, clock, author, comment, on_busy, self._committed)

    def at_once(
        self,
        clock: Clock,
        author: str,
        comment: str,
        work: Callable[[Chunk], Result],
        wait_s: float = 3.0,
    ) -> Result:
        """Open, fill and commit a small change set in one transaction.

        Raises
        ------
        Conflict
            when a change set under way still holds one of the rows after ``wait_s`` seconds.
        """
        result = changeset.at_once(self.database, clock, author, comment, work, wait_s)
        self._committed()
        return result

    def _committed(self) -> None:
        if self._bell is not None:
            ring(self._bell)

    def discard(self, changeset: int) -> None:
        """Undo a change set that was not committed."""
        sweep.discard(self.database, changeset)

    def dead(self, now_us: int) -> list[int]:
        """Change sets under way whose writer is gone."""
        return sweep.dead_changesets(self.database, now_us)

    def undo(self, changeset: int, files: Files) -> None:
        """Undo a change set that was not committed, with the files that only it names.

        The files go first and under the write lock. A contribution writes the row that names a file
        before it puts the file in place, so either its row is seen here, or it finds the file gone
        and puts its own; and a crash in between leaves a change set that is undone again.
        """
        with self.database.write() as connection:
            sweep.drop_files(connection, changeset, files)
        sweep.discard(self.database, changeset)

    # Collections

    def collections(self) -> dict[str, Collection]:
        """Every collection that can hold something: the product's own, then those of other layers."""
        with self.snapshot() as connection:
            return contributions.inferred_collections(connection) | known()

    # Contributions

    def contribution(self, contribution: str) -> Contribution | None:
        """One contribution, also while it is being read (its ``sequence`` is None then)."""
        return next(iter(self._find(CONTRIBUTIONS.c.id == contribution)), None)

    def contributions(self, provider: str | None = None, limit: int = 1000) -> list[Contribution]:
        """Contributions taken, newest first."""
        rules: list[ColumnElement[bool]] = [CHANGESETS.c.sequence.is_not(None)]
        if provider is not None:
            rules.append(CONTRIBUTIONS.c.provider == provider)
        return self._find(*rules, limit=limit)

    def replay_of(self, row: Contribution) -> Contribution | None:
        """The newest contribution of a series and release class, if it is this file, read so."""
        rules = (
            CHANGESETS.c.sequence.is_not(None),
            CONTRIBUTIONS.c.provider == row.provider,
            CONTRIBUTIONS.c.series == row.series,
            CONTRIBUTIONS.c.release_class == row.release_class,
        )
        for newest in self._find(*rules):
            if (newest.file_sha256, newest.options) == (row.file_sha256, row.options):
                return newest
        return None

    def stands(self, contribution: Contribution, rows: int) -> bool:
        """Whether all of a contribution, of so many rows, is in force as it was sent.

        What another of the same file has said anew counts, too.
        """
        with self.snapshot() as connection:
            return contributions.standing(connection, contribution) == rows

    def series(self, provider: str, series: str) -> list[str]:
        """Ids of the contributions of a series, the oldest first."""
        table = CONTRIBUTIONS.c
        with self.snapshot() as connection:
            rows = connection.execute(
                select(table.id)
                .join_from(CONTRIBUTIONS, CHANGESETS, CHANGESETS.c.id == table.changeset)
                .where(table.provider == provider, table.series == series)
                .where(CHANGESETS.c.sequence.is_not(None))
                .order_by(CHANGESETS.c.sequence)
            )
            return list(rows.scalars())

    def _find(self, *rules: ColumnElement[bool], limit: int = 1) -> list[Contribution]:
        with self.snapshot() as connection:
            return contributions.find(connection, rules, limit)

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
        return self.database.row_counts(METADATA)

    def ready(self) -> bool:
        """Whether the record answers."""
        return self.head() >= 0
