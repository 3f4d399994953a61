"""Noticing other processes' commits, cheaply enough to ask a hundred times a second."""

from __future__ import annotations

from sqlalchemy.pool import PoolProxiedConnection

from geoshare.store.database import Database


class Signal:
    """Tells whether anything may have been committed since it was last asked. Of one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: PoolProxiedConnection | None = None
        self._last: int | None = None

    def changed(self) -> bool:
        """Whether to look again; true the first time."""
        if not self._database.is_sqlite:
            return True  # asking would cost what looking costs
        if self._connection is None:
            self._connection = self._database.watch()
        cursor = self._connection.cursor()
        cursor.execute("PRAGMA data_version")
        row = cursor.fetchone()
        cursor.close()
        before, self._last = self._last, int(row[0]) if row else 0
        return before != self._last

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
