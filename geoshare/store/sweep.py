"""Taking back what dead or refused writers left, so that nothing half-done stays in the record."""

from __future__ import annotations

from sqlalchemy import Connection, Table, delete, select, update

from geoshare.store.database import CHUNK_ROWS, Database
from geoshare.store.files import Files
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


def drop_files(connection: Connection, changeset: int, files: Files) -> None:
    """Delete the files that rows of this change set name and no others do, not even under way."""
    for column, owner, drop in (
        (CONTRIBUTIONS.c.file_sha256, CONTRIBUTIONS.c.changeset, files.drop_raw),
        (RASTERS.c.object_sha256, RASTERS.c.changeset, files.drop_object),
    ):
        mine = select(column).where(owner == changeset)
        shared = select(column).where(column.in_(mine), owner != changeset)
        for sha256 in connection.execute(mine.where(column.not_in(shared)).distinct()).scalars():
            drop(sha256)


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
