"""Rates: how many requests a minute one credential may make, over all workers of a machine.

Workers take blocks of a credential's minute from a store that they share, at most a twentieth each, and
count down in memory. So a rate does not multiply by the number of workers, survives their restarts, and
costs the store a write only once in many requests.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from geoshare.errors import TooMany
from geoshare.model.clock import Clock

MINUTE_US: Final = 60_000_000
BLOCKS: Final = 20  # in a rate
KEPT_MINUTES: Final = 5


class Leases(Protocol):
    """Where what has been taken of each minute is kept."""

    def take(self, key: str, minute: int, rate: int, wanted: int) -> int:
        """Take up to ``wanted`` of a minute's rate; how many there were, 0 where none are left."""
        ...


class MemoryLeases:
    """Leases of one process alone."""

    def __init__(self) -> None:
        self._minute = 0
        self._used: dict[str, int] = {}
        self._lock = threading.Lock()

    def take(self, key: str, minute: int, rate: int, wanted: int) -> int:
        """Take up to ``wanted`` of a minute's rate."""
        with self._lock:
            if minute != self._minute:
                self._minute, self._used = minute, {}
            used = self._used.get(key, 0)
            granted = max(0, min(wanted, rate - used))
            self._used[key] = used + granted
            return granted


class FileLeases:
    """Leases in a small SQLite file that the workers of a machine share.

    It may be lost or deleted at any time: a minute then starts anew. While it cannot be written (a full
    disk), each of the ``processes`` has its own equal share of every rate.
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

    def take(self, key: str, minute: int, rate: int, wanted: int) -> int:
        """Take up to ``wanted`` of a minute's rate, in one short transaction."""
        try:
            return self._take(key, minute, rate, wanted)
        except sqlite3.Error:
            return self._alone.take(key, minute, max(1, rate // self._processes), wanted)

    def _take(self, key: str, minute: int, rate: int, wanted: int) -> int:
        with self._connection() as connection:
            row = connection.execute(
                "SELECT used FROM used WHERE minute = ? AND key = ?", (minute, key)
            ).fetchone()
            used = row[0] if row else 0
            granted = max(0, min(wanted, rate - used))
            if row is None:
                connection.execute("DELETE FROM used WHERE minute < ?", (minute - KEPT_MINUTES,))
            connection.execute(
                "INSERT INTO used VALUES (?, ?, ?)"
                " ON CONFLICT (minute, key) DO UPDATE SET used = excluded.used",
                (minute, key, used + granted),
            )
            return granted

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


class Limiter:
    """Counts requests against a rate per minute."""

    def __init__(self, clock: Clock, leases: Leases | None = None) -> None:
        self._clock = clock
        self._leases = leases or MemoryLeases()
        self._minute = 0
        self._left: dict[str, int] = {}
        self._lock = threading.Lock()

    def count(self, key: str, per_minute: int, cost: int = 1) -> None:
        """Count a request of some cost.

        Raises
        ------
        TooMany
            above the rate, with the seconds until the next minute begins.
        """
        now = self._clock.now_us()
        minute = now // MINUTE_US
        with self._lock:
            if minute != self._minute:
                self._minute, self._left = minute, {}
            left = self._left.get(key, 0)
            if left < cost:
                wanted = max(cost - left, per_minute // BLOCKS, 1)
                left += self._leases.take(key, minute, per_minute, wanted)
            self._left[key] = left - cost if left >= cost else left
        if left < cost:
            wait_s = -(-((minute + 1) * MINUTE_US - now) // 1_000_000)
            raise TooMany("Too many requests in this minute.", retry_after_s=max(1, wait_s))
