"""One database: a write engine, a read engine, and what differs between SQLite and PostgreSQL.

Every write transaction takes the write lock before it reads: ``BEGIN IMMEDIATE`` on SQLite, a
transaction-scoped advisory lock on PostgreSQL. So what a transaction has read is still true when it
writes, on both. Readers never wait: they see a snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, func, make_url, select, text
from sqlalchemy.engine import URL
from sqlalchemy.pool import PoolProxiedConnection

from geoshare.errors import Unavailable

CHUNK_ROWS = 5_000  # a transaction of more rows would stall the other writers
WAIT_S = 60.0  # how long a writer waits for its turn
READERS = 24
_LOCK_KEY = 0x67656F73  # "geos"


class Database:
    """Engines of one database.

    ``serial`` makes write transactions exclude each other on PostgreSQL as they do on SQLite.
    """

    def __init__(self, url: str, *, serial: bool) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._serial = serial
        if self.is_sqlite:
            self._writer, self._reader = _sqlite_engines(self.url)
        else:
            self._writer, self._reader = _postgresql_engines(self.url)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a write transaction: committed when the block ends, rolled back when it raises."""
        with self._writer.begin() as connection:
            if self._serial and not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only transaction that sees one snapshot."""
        with self._reader.begin() as connection:
            yield connection

    def watch(self) -> PoolProxiedConnection:
        """Take a driver's connection, outside any transaction, to ask for SQLite's ``data_version``."""
        return self._reader.raw_connection()

    def row_counts(self, tables: MetaData) -> dict[str, int]:
        """Rows of each of these tables."""
        with self.read() as connection:
            return {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in tables.sorted_tables
            }

    def close(self) -> None:
        """Close all connections."""
        self._writer.dispose()
        self._reader.dispose()


def chunks(rows: Sequence[Any], size: int = CHUNK_ROWS) -> Iterator[Sequence[Any]]:
    """Slices of at most ``size`` rows."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _sqlite_engines(url: URL) -> tuple[Engine, Engine]:
    if not url.database or url.database == ":memory:":
        raise Unavailable("a record in SQLite needs a file: two connections never share one in memory")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"connect_args": {"timeout": WAIT_S, "check_same_thread": False}}
    writer = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=WAIT_S, **options)
    reader = create_engine(url, pool_size=4, max_overflow=READERS - 4, pool_timeout=WAIT_S, **options)
    for engine, begin, pragmas in (
        (writer, "BEGIN IMMEDIATE", ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")),
        (reader, "BEGIN", ("query_only=ON",)),
    ):
        _prepare_sqlite(engine, begin, (*pragmas, "cache_size=-16000", "mmap_size=268435456"))
    return writer, reader


def _prepare_sqlite(engine: Engine, begin: str, pragmas: tuple[str, ...]) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not open transactions of its own
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _postgresql_engines(url: URL) -> tuple[Engine, Engine]:
    url = url.set(drivername="postgresql+psycopg")
    writer = create_engine(url, pool_size=4, max_overflow=12, pool_timeout=WAIT_S, pool_pre_ping=True)
    reader = create_engine(
        url,
        pool_size=4,
        max_overflow=READERS - 4,
        pool_timeout=WAIT_S,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
    )
    return writer, reader
