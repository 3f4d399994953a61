"""Rows of break-glass: who of the operator may open a provider's raw file, why, and until when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, and_, select, update

from geoshare.errors import NotFound
from geoshare.store.database import Database
from geoshare.store.person_tables import BREAK_GLASS

MAX_LISTED = 1_000
Also = Callable[[Connection], object]


@dataclass(frozen=True, slots=True)
class Access:
    """Access of a person to one contribution, for a time."""

    id: str
    person: str
    organisation: str  # the provider's
    contribution: str
    reason: str
    created_us: int
    expires_us: int
    ended_us: int | None = None


class BreakGlassRows:
    """Reads and writes accesses; none is ever deleted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, access: Access, also: Also) -> None:
        """Add an access."""
        with self._database.write() as connection:
            connection.execute(BREAK_GLASS.insert().values(asdict(access)))
            also(connection)

    def end(self, access: str, person: str, now_us: int, also: Also) -> None:
        """End an access of a person before its time. Raises NotFound; again changes nothing."""
        mine = and_(BREAK_GLASS.c.id == access, BREAK_GLASS.c.person == person)
        with self._database.write() as connection:
            if connection.execute(select(BREAK_GLASS.c.id).where(mine)).first() is None:
                raise NotFound("No such access")
            live = and_(mine, BREAK_GLASS.c.ended_us.is_(None))
            if connection.execute(update(BREAK_GLASS).where(live).values(ended_us=now_us)).rowcount:
                also(connection)

    def open(self, person: str, contribution: str, now_us: int) -> Access | None:
        """An access that a person has to a contribution now."""
        statement = select(BREAK_GLASS).where(
            BREAK_GLASS.c.person == person,
            BREAK_GLASS.c.contribution == contribution,
            BREAK_GLASS.c.ended_us.is_(None),
            BREAK_GLASS.c.expires_us > now_us,
        )
        with self._database.read() as connection:
            row = connection.execute(statement.limit(1)).first()
        return None if row is None else Access(*row)

    def listed(self, *, organisation: str | None = None) -> list[Access]:
        """All accesses, or those to one provider's contributions, newest first."""
        statement = select(BREAK_GLASS).order_by(BREAK_GLASS.c.created_us.desc(), BREAK_GLASS.c.id)
        if organisation is not None:
            statement = statement.where(BREAK_GLASS.c.organisation == organisation)
        with self._database.read() as connection:
            rows = connection.execute(statement.limit(MAX_LISTED)).all()
        return [Access(*row) for row in rows]
