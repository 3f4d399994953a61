"""Rows of what is used of months: credential, unit and grant under one key, and how much."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from geoshare.store.database import Database
from geoshare.store.governance_tables import QUOTA_USE

KEPT_MONTHS = 13


class QuotaRows:
    """Reads and adds to what is used. No row names an address: whose it is is a key's id or a mark."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, month: int, key: str, decide: Callable[[int], Any]) -> Any:
        """Add what ``decide`` grants (its ``granted``), given what is used, in one transaction."""
        row = (QUOTA_USE.c.month == month) & (QUOTA_USE.c.key == key)
        with self._database.write(durable=False) as connection:
            _ensure(connection, month, key)
            found = connection.execute(select(QUOTA_USE.c.used).where(row).with_for_update())
            used = max(0, int(found.scalar_one()))
            taken = decide(used)
            if taken.granted:
                connection.execute(update(QUOTA_USE).where(row).values(used=used + taken.granted))
        return taken

    def add(self, rows: Iterable[tuple[int, str, int]]) -> None:
        """Add to what is used: month, key, how much; less where it is negative."""
        with self._database.write(durable=False) as connection:
            for month, key, number in sorted(rows):
                _ensure(connection, month, key)
                row = (QUOTA_USE.c.month == month) & (QUOTA_USE.c.key == key)
                connection.execute(update(QUOTA_USE).where(row).values(used=QUOTA_USE.c.used + number))

    def used(self, month: int, key: str) -> int:
        """What is used."""
        row = (QUOTA_USE.c.month == month) & (QUOTA_USE.c.key == key)
        with self._database.read() as connection:
            return int(connection.execute(select(QUOTA_USE.c.used).where(row)).scalar() or 0)

    def of_month(self, month: int) -> dict[str, int]:
        """What is used of a month under every key."""
        chosen = select(QUOTA_USE.c.key, QUOTA_USE.c.used).where(QUOTA_USE.c.month == month)
        with self._database.read() as connection:
            return {row.key: int(row.used) for row in connection.execute(chosen)}


def _ensure(connection: Connection, month: int, key: str) -> None:
    """See that there is a row; with a new one, what is long over goes."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(QUOTA_USE).on_conflict_do_nothing()
    if connection.execute(insert, {"month": month, "key": key, "used": 0}).rowcount > 0:
        connection.execute(QUOTA_USE.delete().where(QUOTA_USE.c.month < month - KEPT_MONTHS))
