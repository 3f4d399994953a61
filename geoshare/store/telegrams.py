"""Telegrams as they were received, and what was read from them. Nothing of them is ever replaced."""

from __future__ import annotations

import zlib
from typing import Any

import orjson
from sqlalchemy import select

from geoshare.store.database import Database
from geoshare.store.record_tables import TELEGRAMS

MOST = 400  # of a stream, the newest: what is in force has been said again long since


def add(database: Database, content: dict[str, Any], data: bytes, received_us: int) -> bool:
    """Keep a telegram; False where this very one is here already.

    ``content`` is what was read, with its ``digest``, ``stream`` and ``reported_us``; ``data`` are
    the bytes as they came.
    """
    row = {
        "digest": content["digest"],
        "stream": content["stream"],
        "reported_us": content["reported_us"],
        "received_us": received_us,
        "content": orjson.dumps(content).decode(),
        "data": zlib.compress(data, 6),
    }
    with database.write() as connection:
        here = select(TELEGRAMS.c.digest).where(TELEGRAMS.c.digest == row["digest"])
        if connection.execute(here).scalar() is not None:
            return False
        connection.execute(TELEGRAMS.insert().values(row))
    return True


def of_stream(database: Database, stream: str) -> list[dict[str, Any]]:
    """What was read from the newest telegrams of a stream."""
    statement = (
        select(TELEGRAMS.c.content)
        .where(TELEGRAMS.c.stream == stream)
        .order_by(TELEGRAMS.c.reported_us.desc(), TELEGRAMS.c.digest)
        .limit(MOST)
    )
    with database.read() as connection:
        return [orjson.loads(text) for text in connection.execute(statement).scalars()]


def data_of(database: Database, digest: str) -> bytes | None:
    """The bytes of a telegram as they came; None where it is not here."""
    statement = select(TELEGRAMS.c.data).where(TELEGRAMS.c.digest == digest)
    with database.read() as connection:
        found = connection.execute(statement).scalar()
    return None if found is None else zlib.decompress(found)
