"""Where what has been taken of a quota is kept, so that workers share it.

Workers take blocks of a quota from a store that they share and count down in memory. So a quota does
not multiply by the number of workers, survives their restarts, and costs the store a write only once in
many requests. A block is a twentieth of the quota at most, and smaller where little is left: then what
one worker holds and does not use is little, too.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, Protocol

BLOCKS: Final = 20  # in a quota
KEPT_MINUTES: Final = 5


class Taken(NamedTuple):
    """What a store has given, and what is left there."""

    granted: int
    left: int


class Leases(Protocol):
    """What has been taken of each period of each quota."""

    def take(self, key: str, period: int, most: int, wanted: int) -> Taken:
        """Take at least ``wanted`` of a period's ``most``; nothing where there is not as much."""
        ...

    def left(self, key: str, period: int, most: int) -> int:
        """What nobody has taken yet."""
        ...


def block(most: int, used: int, wanted: int, processes: int) -> Taken:
    """How much to give of a quota of which ``used`` is gone."""
    left = max(0, most - used)
    if left < wanted:
        return Taken(0, left)
    fair = min(most // BLOCKS, left // (2 * processes))
    granted = min(left, max(wanted, fair))
    return Taken(granted, left - granted)


class MemoryLeases:
    """Leases of one process alone."""

    def __init__(self, processes: int = 1) -> None:
        self._period = 0
        self._processes = processes
        self._used: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, key: str, period: int, most: int, wanted: int) -> Taken:
        """Take at least ``wanted``, or nothing."""
        with self._lock:
            if period != self._period:
                self._period, self._used = period, {}
            used = self._used.get(key, 0)
            taken = block(most, used, wanted, self._processes)
            self._used[key] = used + taken.granted
            return taken

    def left(self, key: str, period: int, most: int) -> int:
        """What nobody has taken yet."""
        with self._lock:
            used = self._used.get(key, 0) if period == self._period else 0
            return max(0, most - used)


class FileLeases:
    """Leases in a small SQLite file that the workers of a machine share.

    It may be lost or deleted at any time: a minute then starts anew. While it cannot be written (a full
    disk), each of the ``processes`` has its own equal share of every quota.
    """

    def __init__(self, path: Path, processes: int = 1) -> None:
        self._path = path
        self._processes = processes
        self._alone = MemoryLeases()
        self._local = threading.local()
        with self._connection() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS used"
                " (minute INTEGER, key TEXT, used INTEGER NOT NULL, PRIMARY KEY (minute, key))"
                " WITHOUT ROWID"
            )

    def take(self, key: str, period: int, most: int, wanted: int) -> Taken:
        """Take at least ``wanted``, or nothing, in one short transaction."""
        try:
            return self._take(key, period, most, wanted)
        except sqlite3.Error:
            return self._alone.take(key, period, max(1, most // self._processes), wanted)

    def left(self, key: str, period: int, most: int) -> int:
        """What nobody has taken yet."""
        try:
            with self._connection() as connection:
                return max(0, most - _used(connection, key, period)[0])
        except sqlite3.Error:
            return self._alone.left(key, period, max(1, most // self._processes))

    def _take(self, key: str, minute: int, most: int, wanted: int) -> Taken:
        with self._connection() as connection:
            used, known = _used(connection, key, minute)
            taken = block(most, used, wanted, self._processes)
            if not known:
                connection.execute("DELETE FROM used WHERE minute < ?", (minute - KEPT_MINUTES,))
            connection.execute(
                "INSERT INTO used VALUES (?, ?, ?)"
                " ON CONFLICT (minute, key) DO UPDATE SET used = excluded.used",
                (minute, key, used + taken.granted),
            )
            return taken

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._path, timeout=5.0, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")  # nothing here must outlive the machine
            self._local.connection = connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk has ended it already
                connection.execute("ROLLBACK")
            raise


def _used(connection: sqlite3.Connection, key: str, minute: int) -> tuple[int, bool]:
    row = connection.execute(
        "SELECT used FROM used WHERE minute = ? AND key = ?", (minute, key)
    ).fetchone()
    return (row[0], True) if row else (0, False)
