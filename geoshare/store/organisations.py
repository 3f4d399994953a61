"""Whether an organisation is there, asked in a transaction under way."""

from __future__ import annotations

from sqlalchemy import Connection, select

from geoshare.errors import BadRequest
from geoshare.store.governance_tables import ORGANISATIONS


def check_organisation(connection: Connection, organisation: str) -> None:
    """Raise BadRequest for an organisation that there is not."""
    known = select(ORGANISATIONS.c.id).where(ORGANISATIONS.c.id == organisation)
    if connection.execute(known).first() is None:
        raise BadRequest(
            f"There is no organisation {organisation!r}",
            parameter="organisation",
            allowed="one that geoshare organisations list shows",
        )
