"""What the record knows of a place, and a provider's shapes: for checks and reports alone."""

from __future__ import annotations

from sqlalchemy import Connection, and_, func, or_, select

from geoshare.model.box import Box
from geoshare.store.reading import open_changesets, visible
from geoshare.store.record_tables import CLAIMS, CONTRIBUTIONS, FEATURES


def knows_place(connection: Connection, collection: str, box: Box, provider: str | None) -> bool | None:
    """Whether a feature of a collection meets a box; None where the collection holds none at all.

    With a provider only features whose standing version came from it are asked of.
    """
    table = FEATURES.c
    of = and_(table.collection == collection, visible(FEATURES, open_changesets(connection)))
    if provider is not None:
        own = select(CONTRIBUTIONS.c.id).where(CONTRIBUTIONS.c.provider == provider)
        of = and_(of, table.contribution.in_(own))
    meets = and_(
        table.west <= box.east,
        table.east >= box.west,
        table.south <= box.north,
        table.north >= box.south,
    )
    if connection.execute(select(table.version).where(of, meets).limit(1)).first() is not None:
        return True
    some = select(table.version).where(of, table.west.is_not(None)).limit(1)
    return False if connection.execute(some).first() is not None else None


def providers_of(connection: Connection, collection: str) -> list[str]:
    """Providers with claims in force in a collection."""
    rule = and_(CLAIMS.c.collection == collection, visible(CLAIMS, open_changesets(connection)))
    return sorted(connection.execute(select(CLAIMS.c.provider).where(rule).distinct()).scalars())


def shapes_of(connection: Connection, collection: str, provider: str, most: int) -> list[bytes]:
    """Geometries (WKB) of at most so many of a provider's claims in force."""
    claims, features = CLAIMS.c, FEATURES.c
    rows = (
        select(func.coalesce(claims.geometry, features.geometry))
        .join_from(
            CLAIMS,
            FEATURES,
            and_(
                features.collection == claims.collection,
                features.id == claims.feature,
                features.changeset == claims.changeset,
            ),
            isouter=True,
        )
        .where(
            claims.collection == collection,
            claims.provider == provider,
            visible(CLAIMS, open_changesets(connection)),
            or_(claims.geometry.is_not(None), features.geometry.is_not(None)),
        )
        .order_by(claims.version)
        .limit(most)
    )
    return [bytes(wkb) for wkb in connection.execute(rows).scalars()]
