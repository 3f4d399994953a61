"""Rows of shared maps: what an organisation shows to anybody who has the link, and until when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from geoshare.store.database import Database
from geoshare.store.governance_tables import SHARES

Also = Callable[[Connection], object]  # what is done in the same transaction: an entry in the log


@dataclass(frozen=True, slots=True)
class Share:
    """A map that is shown to whoever knows its id.

    ``drills``: whether drills and tests are shown, too.
    ``west`` to ``north`` are degrees (CRS84); times are microseconds since 1970 (UTC).
    """

    id: str
    organisation: str
    title: str
    note: str
    language: str
    layers: tuple[str, ...]
    west: float
    south: float
    east: float
    north: float
    person: str
    key_id: str
    created_us: int
    expires_us: int
    revoked_us: int | None = None
    drills: bool = False

    def valid(self, now_us: int) -> bool:
        """Whether it is shown at a moment; the end itself is past."""
        return self.revoked_us is None and now_us < self.expires_us


class ShareRows:
    """Reads and writes rows of shared maps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, share: Share, also: Also) -> None:
        """Write a new one, and its entry in the log with it."""
        with self._database.write() as connection:
            connection.execute(SHARES.insert().values(_row(share)))
            also(connection)

    def find(self, share: str) -> Share | None:
        """One of that id, also where it is over; None where there is none."""
        with self._database.read() as connection:
            row = connection.execute(select(SHARES).where(SHARES.c.id == share)).first()
        return None if row is None else _share(row)

    def of(self, organisation: str | None, limit: int) -> list[Share]:
        """Those of an organisation (None: of all), the newest first."""
        wanted = select(SHARES)
        if organisation is not None:
            wanted = wanted.where(SHARES.c.organisation == organisation)
        order = SHARES.c.created_us.desc(), SHARES.c.id
        with self._database.read() as connection:
            return [_share(row) for row in connection.execute(wanted.order_by(*order).limit(limit))]

    def count_valid(self, organisation: str, now_us: int) -> int:
        """How many of an organisation are shown."""
        shown = (
            (SHARES.c.organisation == organisation)
            & (SHARES.c.revoked_us.is_(None))
            & (SHARES.c.expires_us > now_us)
        )
        with self._database.read() as connection:
            found: int = connection.execute(
                select(func.count()).select_from(SHARES).where(shown)
            ).scalar_one()
        return found

    def revoke(self, share: str, organisation: str, now_us: int, also: Also) -> bool:
        """Show one no more; false where the organisation has none of that id that is shown."""
        mine = (
            (SHARES.c.id == share)
            & (SHARES.c.organisation == organisation)
            & (SHARES.c.revoked_us.is_(None))
            & (SHARES.c.expires_us > now_us)
        )
        with self._database.write() as connection:
            if not connection.execute(update(SHARES).where(mine).values(revoked_us=now_us)).rowcount:
                return False
            also(connection)
            return True

    def forget_before(self, moment_us: int) -> int:
        """Delete those that ended before a moment; how many they were."""
        over = (SHARES.c.expires_us < moment_us) | (SHARES.c.revoked_us < moment_us)
        with self._database.write() as connection:
            return int(connection.execute(SHARES.delete().where(over)).rowcount)


def _row(share: Share) -> dict[str, Any]:
    return asdict(share) | {"layers": ",".join(share.layers)}


def _share(row: Row[Any]) -> Share:
    said = dict(row._mapping)
    return Share(**said | {"layers": tuple(said["layers"].split(","))})
