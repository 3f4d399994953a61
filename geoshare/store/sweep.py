"""Taking back what dead or refused writers left, so that nothing half-done stays in the record."""

from __future__ import annotations

from sqlalchemy import Connection, Table, delete, select, update

from geoshare.store.database import CHUNK_ROWS, Database
from geoshare.store.record_tables import CHANGESETS, CLAIMS, CONTRIBUTIONS, FEATURES, RASTERS
from geoshare.store.writer import is_alive


def dead_changesets(database: Database, now_us: int) -> list[int]:
    """Change sets under way whose writer is gone."""
    with database.read() as connection:
        rows = connection.execute(
            select(CHANGESETS.c.id, CHANGESETS.c.writer, CHANGESETS.c.heartbeat_us).where(
                CHANGESETS.c.sequence.is_(None)
            )
        ).all()
    return [row.id for row in rows if not is_alive(row.writer, row.heartbeat_us, now_us)]


def files_of(connection: Connection, changeset: int) -> tuple[set[str], set[str]]:
    """Checksums of the raw files and of the objects that a change set's rows name."""
    raws = select(CONTRIBUTIONS.c.file_sha256).where(CONTRIBUTIONS.c.changeset == changeset)
    objects = select(RASTERS.c.object_sha256).where(RASTERS.c.changeset == changeset)
    return set(connection.execute(raws).scalars()), set(connection.execute(objects).scalars())


def discard(database: Database, changeset: int) -> None:
    """Undo a change set that was never committed; what it ended is in force again.

    Short transactions; when one is interrupted, the next sweep goes on where it stopped.
    """
    for table in (FEATURES, CLAIMS, RASTERS):
        _in_chunks(database, table, changeset)
    with database.write() as connection:
        connection.execute(delete(CONTRIBUTIONS).where(CONTRIBUTIONS.c.changeset == changeset))
        connection.execute(
            delete(CHANGESETS).where(CHANGESETS.c.id == changeset, CHANGESETS.c.sequence.is_(None))
        )


def _in_chunks(database: Database, table: Table, changeset: int) -> None:
    written = table.c.changeset == changeset
    ended = table.c.ended_by == changeset
    more = True
    while more:
        with database.write() as connection:
            some = select(table.c.version).where(written).limit(CHUNK_ROWS)
            gone = connection.execute(delete(table).where(table.c.version.in_(some))).rowcount
            some = select(table.c.version).where(ended).limit(CHUNK_ROWS)
            back = connection.execute(
                update(table).where(table.c.version.in_(some)).values(ended_by=None)
            ).rowcount
        more = bool(gone or back)
