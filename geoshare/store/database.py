"""One database: a write engine, a read engine, and what differs between SQLite and PostgreSQL.

Every write transaction takes the write lock before it reads: ``BEGIN IMMEDIATE`` on SQLite, a
transaction-scoped advisory lock on PostgreSQL. So what a transaction has read is still true when it
writes, on both. Readers never wait: they see a snapshot.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    func,
    make_url,
    select,
    text,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import PoolProxiedConnection

from geoshare.errors import Unavailable

CHUNK_ROWS = 5_000  # a transaction of more rows would stall the other writers
WAIT_S = 60.0  # how long a writer waits for its turn
LOOK_S = 0.001  # between two looks whether it has come
READERS = 24
WAL_PAGES = "wal_autocheckpoint=8000"  # 32 MB: bulk rows are not copied twice in the same second
_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")
_LOCK_KEY = 0x67656F73  # "geos"
# ANALYZE leaves of an empty table what it knew of it, values among it; a change of type does not.
_STATISTICS_OF_EMPTY = text(
    "SELECT quote_ident(s.tablename), quote_ident(s.attname), format_type(a.atttypid, a.atttypmod)"
    " FROM pg_stats s JOIN pg_class c ON c.oid = quote_ident(s.tablename)::regclass"
    " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname"
    " WHERE s.schemaname = current_schema() AND c.relkind = 'r' AND c.reltuples = 0"
)


class Database:
    """Engines of one database.

    ``serial`` makes write transactions exclude each other on PostgreSQL as they do on SQLite;
    ``wipe`` makes SQLite overwrite what is deleted.
    """

    def __init__(self, url: str, *, serial: bool, wipe: bool = False) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._serial = serial
        if self.is_sqlite:
            self._writer, self._reader = _sqlite_engines(self.url, wipe)
        else:
            self._writer, self._reader = _postgresql_engines(self.url)

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """Open a write transaction: committed when the block ends, rolled back when it raises.

        A transaction that is not ``durable`` may be lost when the power fails before the next
        durable one has ended; never in part, and never after that one.
        """
        with (
            _answering(),
            self._writer.connect() as connection,
            _begun(connection, durable) as connection,
        ):
            if self._serial and not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a read-only transaction that sees one snapshot."""
        with _answering(), self._reader.begin() as connection:
            yield connection

    def watch(self) -> PoolProxiedConnection:
        """Take a driver's connection, outside any transaction, to ask for SQLite's ``data_version``."""
        return self._reader.raw_connection()

    def empty_wal(self) -> None:
        """Move SQLite's write-ahead log into the database and leave nothing in it.

        Raises Unavailable while a reader still needs it.
        """
        connection = self._writer.raw_connection()
        try:
            busy = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        finally:
            connection.close()
        if busy:
            raise Unavailable("the database is being read; try again", retry_after_s=1)

    def forget_deleted(self) -> None:
        """Write the database anew without what was deleted from it, and leave nothing in its log.

        Raises Unavailable while a reader still needs the log.
        """
        if not self.is_sqlite:
            with self._writer.connect().execution_options(isolation_level="AUTOCOMMIT") as server:
                server.execute(text("VACUUM (FULL, ANALYZE)"))
                for table, column, kind in server.execute(_STATISTICS_OF_EMPTY).all():
                    server.execute(text(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE {kind}"))
            return
        connection = self._writer.raw_connection()
        try:
            connection.cursor().execute("VACUUM")
        finally:
            connection.close()
        self.empty_wal()

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


@contextmanager
def _answering() -> Iterator[None]:
    """Turn "nobody there" and "no room" into Unavailable; every other error is one of ours."""
    try:
        yield
    except OperationalError as error:
        gone = error.connection_invalidated or error.statement is None  # it was not even connected
        if gone or getattr(error.orig, "sqlite_errorname", "").startswith(_NO_ROOM):
            raise Unavailable("The database cannot be used now.", retry_after_s=2) from error
        raise


@contextmanager
def _begun(connection: Connection, durable: bool) -> Iterator[Connection]:
    connection = connection.execution_options(durable=durable)
    with connection.begin():
        yield connection


def insert_rows(
    connection: Connection, table: Table, columns: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert many rows; values in the order of ``columns``.

    Goes to the driver directly: SQLAlchemy's own way spends more time on the parameters than
    SQLite does on the rows.
    """
    if not rows:
        return
    dialect = connection.dialect
    text = str(table.insert().compile(dialect=dialect, column_keys=list(columns)))
    if dialect.positional:
        connection.exec_driver_sql(text, list(rows))
    else:
        connection.exec_driver_sql(text, [dict(zip(columns, row, strict=True)) for row in rows])


def _sqlite_engines(url: URL, wipe: bool) -> tuple[Engine, Engine]:
    if not url.database or url.database == ":memory:":
        raise Unavailable("a record in SQLite needs a file: two connections never share one in memory")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"connect_args": {"timeout": WAIT_S, "check_same_thread": False}}
    writer = create_engine(url, pool_size=1, max_overflow=0, pool_timeout=WAIT_S, **options)
    place = f"{Path(url.database).resolve().as_uri()}?mode=rw"  # what is gone is not made anew, empty

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(place, timeout=WAIT_S, check_same_thread=False, uri=True)

    reader = create_engine(
        url, creator=connect, pool_size=4, max_overflow=READERS - 4, pool_timeout=WAIT_S
    )
    deleting = f"secure_delete={'ON' if wipe else 'OFF'}"
    for engine, begin, pragmas in (
        (writer, "BEGIN IMMEDIATE", ("journal_mode=WAL", "foreign_keys=ON", WAL_PAGES, deleting)),
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
        durable = connection.get_execution_options().get("durable")
        if durable is not None:
            # Every page goes through one log, so the next full sync keeps what went before it.
            connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            if _at_its_turn(connection, begin):
                return
        connection.exec_driver_sql(begin)


def _at_its_turn(connection: Connection, begin: str) -> bool:
    """Begin as soon as no other process writes; False where something else is in the way.

    SQLite's own waiting sleeps ever longer, up to a tenth of a second, however soon the turn comes:
    where several processes write a little each, nobody would write for most of the time.
    """
    driver: Any = connection.connection.driver_connection
    deadline = time.monotonic() + WAIT_S
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < deadline:
            try:
                driver.execute(begin)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    return False
                time.sleep(LOOK_S)
            else:
                return True
        return False
    finally:
        driver.execute(f"PRAGMA busy_timeout={round(WAIT_S * 1000)}")


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
