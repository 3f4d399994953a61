"""Rows of webhooks: whom to tell of what, what was told last, and how it went."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Row, select, update

from geoshare.store.database import Database
from geoshare.store.governance_tables import WEBHOOKS


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address, the key whose view is looked at, and how telling it goes."""

    id: str
    organisation: str
    key_id: str
    url: str
    collections: tuple[str, ...]
    created_us: int
    told: dict[str, str]  # the token told last, by collection
    due_us: int
    failures: int = 0
    failing_since_us: int | None = None
    disabled_us: int | None = None
    note: str = ""

    def succeeded(self, collection: str, token: str) -> Webhook:
        """As it is after a token was told."""
        told = {**self.told, collection: token}
        return replace(self, told=told, due_us=0, failures=0, failing_since_us=None, note="")

    def failed(self, now_us: int, due_us: int, note: str) -> Webhook:
        """As it is after a try that failed; the next one is due later."""
        since = now_us if self.failing_since_us is None else self.failing_since_us
        failures = self.failures + 1
        return replace(self, due_us=due_us, failures=failures, failing_since_us=since, note=note)


class WebhookRows:
    """Reads and writes rows of webhooks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, hook: Webhook) -> None:
        """Write a new one."""
        with self._database.write() as connection:
            connection.execute(WEBHOOKS.insert().values(_row(hook)))

    def of(self, organisation: str) -> list[Webhook]:
        """All of an organisation, the oldest first."""
        return self._read(WEBHOOKS.c.organisation == organisation)

    def active(self) -> list[Webhook]:
        """All that are not disabled."""
        return self._read(WEBHOOKS.c.disabled_us.is_(None))

    def remove(self, hook: str, organisation: str) -> bool:
        """Delete one; false where the organisation has none of that id."""
        mine = (WEBHOOKS.c.id == hook) & (WEBHOOKS.c.organisation == organisation)
        with self._database.write() as connection:
            return bool(connection.execute(WEBHOOKS.delete().where(mine)).rowcount)

    def update(self, hook: Webhook) -> None:
        """Write how it stands; one that was removed meanwhile stays away."""
        with self._database.write() as connection:
            connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == hook.id).values(_row(hook)))

    def _read(self, which: Any) -> list[Webhook]:
        order = WEBHOOKS.c.created_us, WEBHOOKS.c.id
        with self._database.read() as connection:
            return [
                _hook(row) for row in connection.execute(select(WEBHOOKS).where(which).order_by(*order))
            ]


def _row(hook: Webhook) -> dict[str, Any]:
    told = orjson.dumps(hook.told).decode()
    return asdict(hook) | {"collections": ",".join(hook.collections), "told": told}


def _hook(row: Row[Any]) -> Webhook:
    said = dict(row._mapping)
    said |= {"collections": tuple(said["collections"].split(",")), "told": orjson.loads(said["told"])}
    return Webhook(**said)
