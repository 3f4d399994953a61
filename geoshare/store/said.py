"""What the files of a provider have said and still stands, for files that are to be all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from geoshare.store.database import chunks
from geoshare.store.reading import claims_where, open_changesets, visible
from geoshare.store.record_tables import CLAIMS, CONTRIBUTIONS
from geoshare.store.rows import DESK

_AT_ONCE = 500


class Said(NamedTuple):
    """One claim in force; ``ended`` is the change set under way that ends it, if there is one."""

    version: int
    feature: str
    record_id: str
    ended: int | None


def said_in_files(
    connection: Connection, provider: str, collection: str, series: str | None, release_class: str
) -> Iterator[Said]:
    """Claims in force of a provider's files on a collection, without what was said at a desk.

    Parameters
    ----------
    series
        Only of files of this series; None: of all.
    release_class
        Only of files of this release class.
    """
    source = CONTRIBUTIONS.c
    files = select(source.id).where(source.provider == provider, source.release_class == release_class)
    if series is not None:
        files = files.where(source.series == series)
    claim = CLAIMS.c
    rows = select(claim.version, claim.feature, claim.record_id, claim.ended_by).where(
        claim.contribution.in_(files),
        # not a plain column, or SQLite looks through the whole collection instead
        claim.collection.concat("") == collection,
        claim.property != DESK,
        visible(CLAIMS, open_changesets(connection)),
    )
    for row in connection.execute(rows):
        yield Said(*tuple(row))


def shapes_of(
    connection: Connection, collection: str, versions: Sequence[int]
) -> dict[int, bytes | None]:
    """Geometry (WKB) of claims in force."""
    under_way = open_changesets(connection)
    found: dict[int, bytes | None] = {}
    for some in chunks(versions, _AT_ONCE):
        rule = CLAIMS.c.version.in_(some)
        claims = claims_where(connection, collection, rule, under_way)
        found |= {claim.version: claim.geometry for claim in claims}
    return found
