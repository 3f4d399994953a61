"""Contributions and inferred schemas, as rows."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import ColumnElement, Connection, func, select

from geoshare.model.collections import Collection, check_name, from_schema
from geoshare.store.reading import open_changesets, visible
from geoshare.store.record_tables import CHANGESETS, CLAIMS, COLLECTIONS, CONTRIBUTIONS, RASTERS
from geoshare.store.rows import Contribution


def find(
    connection: Connection, rules: Sequence[ColumnElement[bool]], limit: int
) -> list[Contribution]:
    """Contributions that meet all rules, the newest commit first."""
    table = CONTRIBUTIONS.c
    statement = (
        select(
            table.id,
            table.provider,
            table.series,
            table.file_name,
            table.file_sha256,
            table.file_bytes,
            table.options,
            table.licence,
            table.release_class,
            table.received_us,
            table.datum,
            table.report,
            table.changeset,
            CHANGESETS.c.sequence,
        )
        .join_from(CONTRIBUTIONS, CHANGESETS, CHANGESETS.c.id == table.changeset)
        .where(*rules)
        .order_by(CHANGESETS.c.sequence.desc(), table.id)
        .limit(limit)
    )
    return [Contribution(*tuple(row)) for row in connection.execute(statement)]


def standing(connection: Connection, like: Contribution) -> int:
    """Claims and rasters in force of contributions of the same file, read the same way."""
    source, under_way = CONTRIBUTIONS.c, open_changesets(connection)
    same = select(source.id).where(
        source.provider == like.provider,
        source.series == like.series,
        source.file_sha256 == like.file_sha256,
        source.options == like.options,
    )
    count = 0
    for table in (CLAIMS, RASTERS):
        rows = select(func.count()).where(table.c.contribution.in_(same), visible(table, under_way))
        count += int(connection.execute(rows.select_from(table)).scalar_one())
    return count


def inferred_collections(connection: Connection) -> dict[str, Collection]:
    """Collections that are no part of the product, with the schemas inferred from their data."""
    statement = select(COLLECTIONS.c.name, COLLECTIONS.c.schema).order_by(COLLECTIONS.c.name)
    return {
        name: from_schema(name, orjson.loads(schema)) for name, schema in connection.execute(statement)
    }


def save_schema(connection: Connection, collection: Collection, now_us: int) -> None:
    """Keep the schema of a collection that is no part of the product; BadRequest: unlawful name."""
    check_name(collection.name)
    schema = orjson.dumps(collection.schema).decode()
    row = COLLECTIONS.c.name == collection.name
    if not connection.execute(COLLECTIONS.update().where(row).values(schema=schema)).rowcount:
        connection.execute(
            COLLECTIONS.insert().values(name=collection.name, schema=schema, created_us=now_us)
        )
