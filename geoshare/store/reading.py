"""Reading the record: what is visible now, what was visible then, and what changed between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, or_, select, text

from geoshare.model.box import Box
from geoshare.model.collections import TOLD
from geoshare.model.policy import OPEN_CLASS
from geoshare.store.database import chunks
from geoshare.store.record_tables import (
    CHANGESET_COLLECTIONS,
    CHANGESETS,
    CLAIMS,
    CONTRIBUTIONS,
    FEATURES,
    HEAD,
    RASTERS,
)
from geoshare.store.rows import CollectionChange, FeatureChunk, FullClaim, StoredRaster

SCAN_ROWS = 20_000
CHANGESETS_AT_ONCE = 200


def head(connection: Connection) -> int:
    """Sequence number of the newest committed change set; 0 when there is none."""
    return int(connection.execute(select(HEAD.c.sequence)).scalar_one())


def open_changesets(connection: Connection) -> set[int]:
    """Change sets under way; there are never many."""
    return set(
        connection.execute(select(CHANGESETS.c.id).where(CHANGESETS.c.sequence.is_(None))).scalars()
    )


def sequence_at(connection: Connection, known_at_us: int) -> int:
    """Sequence number of the newest change set that was committed at that time."""
    newest = select(CHANGESETS.c.sequence).where(CHANGESETS.c.committed_us <= known_at_us)
    newest = newest.order_by(CHANGESETS.c.sequence.desc()).limit(1)  # both have one order
    return connection.execute(newest).scalar() or 0


def visible(table: Table, under_way: set[int]) -> ColumnElement[bool]:
    """Rows in force now."""
    ended = table.c.ended_by
    if not under_way:
        return ended.is_(None)
    return and_(table.c.changeset.not_in(under_way), or_(ended.is_(None), ended.in_(under_way)))


def visible_at(table: Table, sequence: int) -> ColumnElement[bool]:
    """Rows that were in force once change set ``sequence`` was committed."""
    until = select(CHANGESETS.c.id).where(CHANGESETS.c.sequence <= sequence)
    ended = table.c.ended_by
    return and_(table.c.changeset.in_(until), or_(ended.is_(None), ended.not_in(until)))


def changes_after(connection: Connection, sequence: int) -> list[CollectionChange]:
    """What the change sets after ``sequence`` touched, by collection."""
    table = CHANGESET_COLLECTIONS.c
    rows = connection.execute(
        select(
            table.collection,
            func.max(CHANGESETS.c.sequence),
            func.sum(table.added + table.changed + table.removed),
        )
        .join_from(CHANGESET_COLLECTIONS, CHANGESETS, CHANGESETS.c.id == table.changeset)
        .where(CHANGESETS.c.sequence > sequence)
        .group_by(table.collection)
        .order_by(table.collection)
    ).all()
    return [CollectionChange(name, int(newest), int(number)) for name, newest, number in rows]


def collections_of(connection: Connection, sequence: int) -> set[str]:
    """Names of the collections that one committed change set touched."""
    rows = connection.execute(
        select(CHANGESET_COLLECTIONS.c.collection)
        .join_from(
            CHANGESET_COLLECTIONS, CHANGESETS, CHANGESETS.c.id == CHANGESET_COLLECTIONS.c.changeset
        )
        .where(CHANGESETS.c.sequence == sequence)
    )
    return set(rows.scalars())


def is_classed(connection: Connection, collection: str) -> bool:
    """Whether anything was ever contributed to a collection under another class than the open one.

    What is told of claims may be told anew by anybody's change set: there any such contribution counts.
    """
    source, touched = CONTRIBUTIONS.c, CHANGESET_COLLECTIONS.c
    rows = select(source.id).where(source.release_class != text(f"'{OPEN_CLASS}'"))
    if collection != TOLD:
        rows = rows.join(CHANGESET_COLLECTIONS, touched.changeset == source.changeset)
        rows = rows.where(touched.collection == collection)
    return connection.execute(rows.limit(1)).first() is not None


def scan_features(
    connection: Connection, collection: str, *, at_sequence: int | None = None
) -> Iterator[FeatureChunk]:
    """Features in force (or then in force), a chunk at a time, in no order.

    Walks the change sets, because rows of one lie side by side on the disk.
    """
    rule = (
        visible(FEATURES, open_changesets(connection))
        if at_sequence is None
        else visible_at(FEATURES, at_sequence)
    )
    yield from _written_after(connection, collection, 0, rule)


def scan_boxes(connection: Connection, collection: str) -> Iterator[NDArray[np.float64]]:
    """West, south, east, north (n, 4) of the features in force, NaN without geometry, in no order."""
    table = FEATURES.c
    rule = visible(FEATURES, open_changesets(connection))
    for some in chunks(_changesets_of(connection, collection, 0), CHANGESETS_AT_ONCE):
        chosen = select(table.west, table.south, table.east, table.north).where(
            table.changeset.in_(some), table.collection == collection, rule
        )
        for rows in _pages(connection, chosen):
            yield np.array([tuple(row) for row in rows], dtype=np.float64)


def changed_features(connection: Connection, collection: str, after: int) -> Iterator[FeatureChunk]:
    """Features in force that change sets after ``after`` wrote."""
    yield from _written_after(
        connection, collection, after, visible(FEATURES, open_changesets(connection))
    )


def ended_ids(connection: Connection, collection: str, after: int) -> set[str]:
    """Ids of features a version of which was replaced or removed after ``after``."""
    found: set[str] = set()
    for some in chunks(_changesets_of(connection, collection, after), CHANGESETS_AT_ONCE):
        rows = select(FEATURES.c.id).where(
            FEATURES.c.ended_by.in_(some), FEATURES.c.collection == collection
        )
        found.update(connection.execute(rows).scalars())
    return found


def count_features(connection: Connection, collection: str) -> int:
    """Number of features in force."""
    rule = visible(FEATURES, open_changesets(connection))
    statement = (
        select(func.count()).select_from(FEATURES).where(FEATURES.c.collection == collection, rule)
    )
    return int(connection.execute(statement).scalar_one())


def features(connection: Connection, collection: str, ids: Sequence[str]) -> FeatureChunk:
    """These features, as far as they are in force."""
    rule = visible(FEATURES, open_changesets(connection))
    chosen = _features().where(FEATURES.c.collection == collection, FEATURES.c.id.in_(ids), rule)
    return _chunk(connection.execute(chosen.order_by(FEATURES.c.version)).all())


def rasters(connection: Connection, collection: str) -> list[StoredRaster]:
    """Raster items in force, by time, then id."""
    rule = visible(RASTERS, open_changesets(connection))
    source = CONTRIBUTIONS.c
    chosen = (
        select(RASTERS, source.release_class)
        .join_from(RASTERS, CONTRIBUTIONS, source.id == RASTERS.c.contribution)
        .where(RASTERS.c.collection == collection, rule)
    )
    rows = connection.execute(chosen.order_by(RASTERS.c.datetime_us, RASTERS.c.id)).all()
    return [
        StoredRaster(
            id=row.id,
            provider=row.provider,
            record_id=row.record_id,
            contribution=row.contribution,
            object_sha256=row.object_sha256,
            object_bytes=row.object_bytes,
            kind=row.kind,
            datetime_us=row.datetime_us,
            box=Box(row.west, row.south, row.east, row.north),
            content=orjson.loads(row.content),
            release_class=row.release_class,
        )
        for row in rows
    ]


def full_claims(
    connection: Connection,
    collection: str,
    features: Sequence[str],
    under_way: set[int],
    mine: int | None = None,
) -> list[FullClaim]:
    """Claims in force on these features with their values, the features in the order given.

    A claim without values of its own stands for the feature version that its change set wrote.
    ``mine`` is a change set under way whose own rows count as in force.
    """
    return claims_where(connection, collection, CLAIMS.c.feature.in_(features), under_way - {mine})


def claims_where(
    connection: Connection, collection: str, rule: ColumnElement[bool], others: set[int]
) -> list[FullClaim]:
    """Claims in force of a collection that meet a rule, with their values, in the order they came.

    ``others`` are change sets under way whose rows do not count.
    """
    claim, version, source = CLAIMS.c, FEATURES.c, CONTRIBUTIONS.c
    same = and_(
        claim.properties.is_(None),
        version.collection == claim.collection,
        version.id == claim.feature,
        version.changeset == claim.changeset,
    )
    statement = (
        select(
            claim.version,
            claim.feature,
            claim.contribution,
            claim.provider,
            claim.record_id,
            claim.property,
            claim.content_hash,
            func.coalesce(claim.geometry, version.geometry).label("geometry"),
            func.coalesce(claim.properties, version.properties).label("properties"),
            version.valid_from_us,
            version.valid_to_us,
            claim.observed_us,
            claim.accuracy_m,
            claim.confidence,
            source.licence,
            source.release_class,
            source.received_us,
            claim.member,
            claim.cell,
            claim.changeset,
            claim.properties.is_not(None),
        )
        .select_from(CLAIMS)
        .join(CONTRIBUTIONS, source.id == claim.contribution)
        .join(FEATURES, same, isouter=True)
        .where(claim.collection == collection, rule, visible(CLAIMS, others))
        .order_by(claim.version)
    )
    return [FullClaim(*tuple(row)) for row in connection.execute(statement).all()]


def _written_after(
    connection: Connection, collection: str, after: int, rule: ColumnElement[bool]
) -> Iterator[FeatureChunk]:
    columns = _features()
    if is_classed(connection, collection):
        source = CONTRIBUTIONS.c
        columns = columns.add_columns(source.release_class).join_from(
            FEATURES, CONTRIBUTIONS, source.id == FEATURES.c.contribution
        )
    for some in chunks(_changesets_of(connection, collection, after), CHANGESETS_AT_ONCE):
        chosen = columns.where(
            FEATURES.c.changeset.in_(some), FEATURES.c.collection == collection, rule
        )
        yield from _chunks(connection, chosen)


def _features() -> Select[Any]:
    table = FEATURES.c
    return select(
        table.version,
        table.id,
        table.geometry,
        table.valid_from_us,
        table.valid_to_us,
        table.properties,
    )


def _changesets_of(connection: Connection, collection: str, after: int) -> list[int]:
    table = CHANGESET_COLLECTIONS.c
    return list(
        connection.execute(
            select(CHANGESETS.c.id)
            .join_from(CHANGESETS, CHANGESET_COLLECTIONS, CHANGESETS.c.id == table.changeset)
            .where(table.collection == collection, CHANGESETS.c.sequence > after)
            .order_by(CHANGESETS.c.sequence)
        ).scalars()
    )


def _chunks(connection: Connection, statement: Select[Any]) -> Iterator[FeatureChunk]:
    for rows in _pages(connection, statement):
        yield _chunk(rows)


def _pages(connection: Connection, statement: Select[Any]) -> Iterator[Sequence[Any]]:
    if connection.dialect.name == "sqlite":
        # straight from the driver, which gives what was stored: an object for each row costs a third
        with closing(connection.execute(statement)) as result:
            while rows := result.cursor.fetchmany(SCAN_ROWS):
                yield rows
        return
    streamed = connection.execution_options(stream_results=True, max_row_buffer=SCAN_ROWS)
    yield from streamed.execute(statement).partitions(SCAN_ROWS)


def _chunk(rows: Sequence[Any]) -> FeatureChunk:
    if not rows:
        return FeatureChunk([], [], [], [], [], [])
    return FeatureChunk(*map(list, zip(*rows, strict=True)))
