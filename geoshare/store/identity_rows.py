"""Rows of identities: for whom an issuer vouches."""

from __future__ import annotations

from sqlalchemy import and_, select

from geoshare.errors import Conflict
from geoshare.store.database import Database
from geoshare.store.person_kinds import Also, Person
from geoshare.store.person_rows import check_active
from geoshare.store.person_tables import IDENTITIES, PERSONS


class IdentityRows:
    """Reads and writes identities."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, issuer: str, subject: str, person: str, now_us: int, also: Also) -> None:
        """Let an issuer vouch for a person. Raises Conflict where it does for another already."""
        with self._database.write() as connection:
            check_active(connection, person)
            here = and_(IDENTITIES.c.issuer == issuer, IDENTITIES.c.subject == subject)
            known = connection.execute(select(IDENTITIES.c.person).where(here)).scalar()
            if known == person:
                return
            if known is not None:
                raise Conflict("this account is connected to another person")
            connection.execute(
                IDENTITIES.insert().values(
                    issuer=issuer, subject=subject, person=person, created_us=now_us
                )
            )
            also(connection)

    def person(self, issuer: str, subject: str) -> Person | None:
        """Whom an issuer vouches for."""
        statement = select(PERSONS).join_from(PERSONS, IDENTITIES, PERSONS.c.id == IDENTITIES.c.person)
        here = and_(IDENTITIES.c.issuer == issuer, IDENTITIES.c.subject == subject)
        with self._database.read() as connection:
            row = connection.execute(statement.where(here)).first()
        return None if row is None else Person(*row)
