"""Removing what a provider gave, its history included: the one exception to "nothing is lost".

Everything here is done in short transactions and can be done again: who is interrupted begins anew and
finds less to do. Rows go before those they are found by, so that nothing is left that nobody finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, delete, exists, func, select, update

from geoshare.store.database import CHUNK_ROWS, Database
from geoshare.store.files import Files
from geoshare.store.reading import open_changesets
from geoshare.store.record_tables import (
    CHANGESET_COLLECTIONS,
    CHANGESETS,
    CLAIMS,
    COLLECTIONS,
    CONTRIBUTIONS,
    EDITS,
    FEATURES,
    PHOTOS,
    RASTERS,
)


@dataclass(frozen=True, slots=True)
class Given:
    """One contribution of a provider, as far as it may be told of after it is gone."""

    sha256: str
    bytes: int
    received_us: int


def given(connection: Connection, provider: str) -> list[Given]:
    """Contributions of a provider, the oldest first."""
    source = CONTRIBUTIONS.c
    rows = select(source.file_sha256, source.file_bytes, source.received_us)
    rows = rows.where(source.provider == provider).order_by(source.received_us, source.id)
    return [Given(*row) for row in connection.execute(rows)]


def collections_of(connection: Connection, provider: str) -> list[str]:
    """Collections that a provider has ever contributed to."""
    touched = CHANGESET_COLLECTIONS.c
    mine = select(CONTRIBUTIONS.c.changeset).where(CONTRIBUTIONS.c.provider == provider)
    rows = select(touched.collection).where(touched.changeset.in_(mine))
    found = set(connection.execute(rows.distinct()).scalars())
    held = select(CLAIMS.c.collection).where(CLAIMS.c.contribution.in_(_ids(provider)))
    return sorted(found | set(connection.execute(held.distinct()).scalars()))


def is_under_way(connection: Connection, provider: str) -> bool:
    """Whether a contribution of a provider is being read."""
    rows = select(CONTRIBUTIONS.c.id).where(
        CONTRIBUTIONS.c.provider == provider,
        CONTRIBUTIONS.c.changeset.in_(open_changesets(connection)),
    )
    return connection.execute(rows.limit(1)).first() is not None


def tally(database: Database, provider: str, told: str) -> dict[str, int]:
    """How many rows of what :func:`erase` will delete; to be kept before it begins.

    Versions that others rest on, too, are given to them first.
    """
    _give_away(database, provider)
    wanted = {
        "features": _history(provider, told),
        "claims": _of(CLAIMS, provider),
        "rasters": _of(RASTERS, provider),
        "edits": select(EDITS.c.id).where(EDITS.c.organisation == provider),
        "photos": select(PHOTOS.c.sha256).where(PHOTOS.c.organisation == provider),
        "contributions": _ids(provider),
    }
    with database.read() as connection:
        return {
            name: int(
                connection.execute(select(func.count()).select_from(rows.subquery())).scalar_one()
            )
            for name, rows in wanted.items()
        }


def erase(database: Database, provider: str, files: Files, told: str) -> None:
    """Delete everything of a provider that has nothing in force any more.

    Parameters
    ----------
    told
        The collection in which is told of claims on features of others, under the features' ids.
    """
    _give_away(database, provider)
    _delete(database, FEATURES, _history(provider, told))
    _delete(database, CLAIMS, _of(CLAIMS, provider))
    _erase_rasters(database, provider, files)
    with database.write() as connection:
        connection.execute(delete(EDITS).where(EDITS.c.organisation == provider))
    _erase_photos(database, provider, files)
    _erase_contributions(database, provider, files)
    mine = update(CHANGESETS).where(CHANGESETS.c.author == provider)
    with database.write() as connection:
        connection.execute(mine.values(author="", comment=""))


def drop_empty(database: Database, names: Iterable[str]) -> None:
    """Forget the schemas of collections in which nothing was ever but what is erased."""
    with database.write() as connection:
        for name in names:
            rows = select(COLLECTIONS.c.name).where(
                COLLECTIONS.c.name == name,
                ~exists().where(FEATURES.c.collection == name),
                ~exists().where(RASTERS.c.collection == name),
            )
            if connection.execute(rows).first() is not None:
                connection.execute(delete(COLLECTIONS).where(COLLECTIONS.c.name == name))
                touched = CHANGESET_COLLECTIONS.c.collection == name
                connection.execute(delete(CHANGESET_COLLECTIONS).where(touched))


def said_in(connection: Connection, collection: str) -> Iterator[str]:
    """What versions of features and claims of a collection say, in force or not, as JSON objects."""
    for table in (FEATURES, CLAIMS):
        rows = select(table.c.properties).where(
            table.c.collection == collection, table.c.properties.is_not(None)
        )
        yield from connection.execution_options(yield_per=CHUNK_ROWS).execute(rows).scalars()


def reports_of(connection: Connection, collection: str) -> list[str]:
    """Reports, as JSON, of the contributions that have touched a collection."""
    touched = CHANGESET_COLLECTIONS.c
    mine = select(touched.changeset).where(touched.collection == collection)
    rows = select(CONTRIBUTIONS.c.report).where(CONTRIBUTIONS.c.changeset.in_(mine))
    return list(connection.execute(rows).scalars())


def begun_by(connection: Connection, provider: str, names: Iterable[str]) -> list[str]:
    """Those of these collections that a provider was the first to contribute to."""
    touched, found = CHANGESET_COLLECTIONS.c, []
    for name in names:
        first = (
            select(CONTRIBUTIONS.c.provider)
            .join_from(CHANGESET_COLLECTIONS, CHANGESETS, CHANGESETS.c.id == touched.changeset)
            .join(CONTRIBUTIONS, CONTRIBUTIONS.c.changeset == CHANGESETS.c.id)
            .where(touched.collection == name, CHANGESETS.c.sequence.is_not(None))
            .order_by(CHANGESETS.c.sequence, CONTRIBUTIONS.c.id)
        )
        if connection.execute(first.limit(1)).scalar() == provider:
            found.append(name)
    return found


def _ids(provider: str) -> Select[Any]:
    return select(CONTRIBUTIONS.c.id).where(CONTRIBUTIONS.c.provider == provider)


def _of(table: Table, provider: str) -> Select[Any]:
    return select(table.c.version).where(table.c.contribution.in_(_ids(provider)))


def _history(provider: str, told: str) -> Select[Any]:
    """Former versions of features that the provider had a say in, and what was told of them.

    A version on which a claim of somebody else rests says what that claim says, and stays.
    """
    mine, other = CLAIMS.alias("mine"), CLAIMS.alias("other")
    rests = exists().where(
        other.c.collection == FEATURES.c.collection,
        other.c.feature == FEATURES.c.id,
        other.c.changeset == FEATURES.c.changeset,
        other.c.properties.is_(None),
        other.c.contribution.not_in(_ids(provider)),
    )
    touched = exists().where(
        mine.c.feature == FEATURES.c.id,
        mine.c.collection == FEATURES.c.collection,
        mine.c.contribution.in_(_ids(provider)),
    )
    of_it = exists().where(
        FEATURES.c.collection == told,
        mine.c.feature == FEATURES.c.id,
        mine.c.contribution.in_(_ids(provider)),
    )
    named = FEATURES.c.contribution.in_(_ids(provider))
    return select(FEATURES.c.version).where(
        FEATURES.c.ended_by.is_not(None), touched | of_it | named, ~rests
    )


def _give_away(database: Database, provider: str) -> None:
    """Let versions that stay go back to a contribution of somebody else who claims the same."""
    other = CLAIMS.alias("other")
    heir = (
        select(func.min(other.c.contribution))
        .where(
            other.c.collection == FEATURES.c.collection,
            other.c.feature == FEATURES.c.id,
            other.c.contribution.not_in(_ids(provider)),
        )
        .scalar_subquery()
    )
    anyone = (
        select(func.min(other.c.contribution))
        .where(other.c.feature == FEATURES.c.id, other.c.contribution.not_in(_ids(provider)))
        .scalar_subquery()
    )
    held = FEATURES.c.contribution.in_(_ids(provider))
    for owner in (heir, anyone):
        with database.write() as connection:
            connection.execute(
                update(FEATURES).where(held, owner.is_not(None)).values(contribution=owner)
            )


def _erase_rasters(database: Database, provider: str, files: Files) -> None:
    with database.read() as connection:
        rows = select(RASTERS.c.object_sha256).where(RASTERS.c.contribution.in_(_ids(provider)))
        objects = set(connection.execute(rows.distinct()).scalars())
        shared = select(RASTERS.c.object_sha256).where(
            RASTERS.c.object_sha256.in_(objects), RASTERS.c.contribution.not_in(_ids(provider))
        )
        objects -= set(connection.execute(shared.distinct()).scalars())
    for sha256 in objects:
        files.drop_object(sha256)
    _delete(database, RASTERS, _of(RASTERS, provider))


def _erase_photos(database: Database, provider: str, files: Files) -> None:
    with database.write() as connection:
        mine = select(PHOTOS.c.sha256).where(PHOTOS.c.organisation == provider)
        others = select(PHOTOS.c.sha256).where(PHOTOS.c.organisation != provider)
        for sha256 in connection.execute(mine.where(PHOTOS.c.sha256.not_in(others))).scalars():
            files.photo(sha256).unlink(missing_ok=True)
        connection.execute(delete(PHOTOS).where(PHOTOS.c.organisation == provider))


def _erase_contributions(database: Database, provider: str, files: Files) -> None:
    """Delete raw files, then the rows that name them."""
    source = CONTRIBUTIONS.c
    with database.write() as connection:
        mine = select(source.file_sha256).where(source.provider == provider)
        others = select(source.file_sha256).where(source.provider != provider)
        for sha256 in connection.execute(mine.where(source.file_sha256.not_in(others))).scalars():
            files.drop_raw(sha256)
        connection.execute(delete(CONTRIBUTIONS).where(source.provider == provider))


def _delete(database: Database, table: Table, wanted: Select[Any]) -> None:
    more = True
    while more:
        with database.write(durable=False) as connection:
            some = delete(table).where(table.c.version.in_(wanted.limit(CHUNK_ROWS)))
            more = connection.execute(some).rowcount > 0
