"""What providers have decided for all of their contributions, as rows."""

from __future__ import annotations

from typing import cast

from sqlalchemy import delete, select

from geoshare.model.findings import Refusing
from geoshare.store.database import Database
from geoshare.store.governance_tables import PROVIDER_RULES


class ProviderRows:
    """Reads and writes what providers have decided."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def refuse_on(self, provider: str) -> Refusing | None:
        """Findings as grave as this refuse its contributions; None: it has decided nothing."""
        wanted = select(PROVIDER_RULES.c.refuse_on).where(PROVIDER_RULES.c.provider == provider)
        with self._database.read() as connection:
            return cast("Refusing | None", connection.execute(wanted).scalar())

    def decide(self, provider: str, refuse_on: Refusing, now_us: int) -> None:
        """Keep what a provider has decided."""
        row = {"provider": provider, "refuse_on": refuse_on, "changed_us": now_us}
        with self._database.write() as connection:
            connection.execute(delete(PROVIDER_RULES).where(PROVIDER_RULES.c.provider == provider))
            connection.execute(PROVIDER_RULES.insert().values(**row))

    def forget(self, provider: str) -> None:
        """Forget what a provider has decided."""
        with self._database.write() as connection:
            connection.execute(delete(PROVIDER_RULES).where(PROVIDER_RULES.c.provider == provider))
