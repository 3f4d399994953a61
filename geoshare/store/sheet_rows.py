"""Sheets that were sent to the desk and wait for consent: their maker's alone, for an hour."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import and_, delete, select, update

from geoshare.store.database import Database
from geoshare.store.governance_tables import SHEETS

MOST: Final = 5  # of one maker at a time; a new one takes the place of the oldest


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that waits: who sent it, and what it would change."""

    id: str
    organisation: str
    maker: str  # a person's id, or that of a key
    collection: str
    content: dict[str, Any]
    created_us: int
    expires_us: int


class SheetRows:
    """Reads and writes rows of sheets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, sheet: Sheet) -> None:
        """Keep one; what is over goes, and the oldest of its maker where there are too many."""
        mine = and_(SHEETS.c.organisation == sheet.organisation, SHEETS.c.maker == sheet.maker)
        with self._database.write() as connection:
            connection.execute(delete(SHEETS).where(SHEETS.c.expires_us <= sheet.created_us))
            newest = select(SHEETS.c.id).where(mine).order_by(SHEETS.c.created_us.desc(), SHEETS.c.id)
            kept = connection.execute(newest.limit(MOST - 1)).scalars().all()
            connection.execute(delete(SHEETS).where(mine, SHEETS.c.id.not_in(kept)))
            connection.execute(
                SHEETS.insert().values(
                    id=sheet.id,
                    organisation=sheet.organisation,
                    maker=sheet.maker,
                    collection=sheet.collection,
                    content=_packed(sheet.content),
                    created_us=sheet.created_us,
                    expires_us=sheet.expires_us,
                )
            )

    def forget_of(self, organisation: str) -> None:
        """Forget all of an organisation."""
        with self._database.write() as connection:
            connection.execute(delete(SHEETS).where(SHEETS.c.organisation == organisation))

    def get(self, sheet: str, organisation: str, maker: str, now_us: int) -> Sheet | None:
        """One that its maker asks for and that is not over."""
        mine = and_(
            SHEETS.c.id == sheet,
            SHEETS.c.organisation == organisation,
            SHEETS.c.maker == maker,
            SHEETS.c.expires_us > now_us,
        )
        with self._database.read() as connection:
            row = connection.execute(select(SHEETS).where(mine)).first()
        if row is None:
            return None
        return Sheet(**{**row._mapping, "content": orjson.loads(zlib.decompress(row.content))})

    def replace(self, sheet: str, content: dict[str, Any]) -> None:
        """Write what a sheet would change by now."""
        with self._database.write() as connection:
            connection.execute(
                update(SHEETS).where(SHEETS.c.id == sheet).values(content=_packed(content))
            )

    def forget(self, now_us: int) -> None:
        """Delete what is over."""
        with self._database.write() as connection:
            connection.execute(delete(SHEETS).where(SHEETS.c.expires_us <= now_us))


def _packed(content: dict[str, Any]) -> bytes:
    return zlib.compress(orjson.dumps(content), 6)
