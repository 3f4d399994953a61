"""Claims by where they are, and by the id that each has alone: what matching asks of the record."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, and_, or_, select

from geoshare.store.database import chunks
from geoshare.store.reading import claims_where, open_changesets, visible
from geoshare.store.record_tables import (
    CHANGESET_COLLECTIONS,
    CHANGESETS,
    CLAIMS,
    CONTRIBUTIONS,
    FEATURES,
    RASTERS,
)
from geoshare.store.rows import FullClaim

_AT_ONCE = 500


class Busy(Exception):
    """Another open change set holds a row that is asked for."""


class Places:
    """What a change set sees: claims in force and its own, without those of others under way.

    Parameters
    ----------
    others
        The other change sets under way.
    """

    def __init__(self, connection: Connection, changeset: int, others: set[int]) -> None:
        self._connection = connection
        self._changeset = changeset
        self._others = others

    def claims_in(self, collection: str, cells: Sequence[int]) -> list[FullClaim]:
        """Claims in some cells. Raises Busy where another change set under way touches one of them."""
        found: list[FullClaim] = []
        for some in chunks(cells, _AT_ONCE):
            self._refuse_held(collection, some)
            rule = CLAIMS.c.cell.in_(some)
            found += claims_where(self._connection, collection, rule, self._others)
        return found

    def touched(self, collection: str) -> list[int]:
        """Cells in which the change set has written or ended a claim, in order."""
        found: set[int] = set()
        for column in (CLAIMS.c.changeset, CLAIMS.c.ended_by):
            rows = select(CLAIMS.c.cell).where(
                column == self._changeset,
                CLAIMS.c.collection == collection,
                CLAIMS.c.cell.is_not(None),
            )
            found.update(self._connection.execute(rows.distinct()).scalars())
        return sorted(found)

    def astray(self, collection: str, limit: int) -> list[FullClaim]:
        """Its own claims on others' features that they can no longer be matched with."""
        mine = CLAIMS.c.changeset == self._changeset
        rule = and_(mine, CLAIMS.c.cell.is_(None), _apart())
        return claims_where(self._connection, collection, rule, self._others)[:limit]

    def homes(self) -> dict[str, dict[str, str]]:
        """Features of records that stand on another's, by collection and the id they have alone."""
        return homes(self._connection, self._others)

    def homes_of(self, collection: str, members: Sequence[str]) -> dict[str, str]:
        """The same for some records of a collection; no entry for who has a feature of its own."""
        found: dict[str, str] = {}
        for some in chunks(members, _AT_ONCE):
            rows = select(CLAIMS.c.member, CLAIMS.c.feature).where(
                CLAIMS.c.collection == collection,
                CLAIMS.c.member.in_(some),
                _apart(),
                visible(CLAIMS, self._others),
            )
            found |= {row.member: row.feature for row in self._connection.execute(rows)}
        return found

    def mentioning(
        self, collection: str, columns: Sequence[str], wanted: AbstractSet[str]
    ) -> list[str]:
        """Features of which one of these columns names one of the wanted ids, alone or among others."""
        rows = select(FEATURES.c.id, FEATURES.c.properties).where(
            FEATURES.c.collection == collection, visible(FEATURES, self._others)
        )
        found = []
        for row in self._connection.execute(rows):
            said = orjson.loads(row.properties)
            for column in columns:
                if not wanted.isdisjoint(_names(said.get(column))):
                    found.append(row.id)
                    break
        return found

    def release_classes(self, collection: str, features: Sequence[str]) -> dict[str, str]:
        """The release class of each of these features that anything was ever said of.

        All that is said of a feature is of one class.
        """
        return release_classes(self._connection, collection, features)

    def rasters_of(self, collection: str, contribution: str) -> list[int]:
        """Rasters (versions) in force that a contribution brought."""
        rows = select(RASTERS.c.version).where(
            RASTERS.c.collection == collection,
            RASTERS.c.contribution == contribution,
            visible(RASTERS, self._others),
        )
        return list(self._connection.execute(rows).scalars())

    def own(self, collection: str, versions: Sequence[int]) -> list[str]:
        """Ids of those of these feature versions that the change set has written itself."""
        found: list[str] = []
        table = FEATURES.c
        for some in chunks(versions, _AT_ONCE):
            mine = select(table.id).where(
                table.version.in_(some),
                table.collection == collection,
                table.changeset == self._changeset,
            )
            found += self._connection.execute(mine).scalars()
        return found

    def ended_here(self, collection: str, ids: Sequence[str]) -> int:
        """Of how many of these features the change set has ended an earlier version."""
        table, found = FEATURES.c, 0
        for some in chunks(ids, _AT_ONCE):
            ended = select(table.id).where(
                table.collection == collection,
                table.id.in_(some),
                table.ended_by == self._changeset,
            )
            found += len(self._connection.execute(ended.distinct()).all())
        return found

    def _refuse_held(self, collection: str, cells: Sequence[int]) -> None:
        if not self._others:
            return
        held = or_(CLAIMS.c.changeset.in_(self._others), CLAIMS.c.ended_by.in_(self._others))
        rows = select(CLAIMS.c.version).where(
            CLAIMS.c.collection == collection, CLAIMS.c.cell.in_(cells), held
        )
        if self._connection.execute(rows.limit(1)).first() is not None:
            raise Busy


def _names(value: Any) -> list[str]:
    """Ids that a value names: its own, those of a list, those of the lists of an object."""
    if isinstance(value, dict):
        return [name for one in value.values() for name in _names(one)]
    return value if isinstance(value, list) else [value]


def homes(connection: Connection, others: set[int] | None = None) -> dict[str, dict[str, str]]:
    """By collection, the feature of every record that stands on another's, by the id it has alone.

    ``others`` are change sets under way whose rows do not count; all of them, where none are named.
    """
    under_way = open_changesets(connection) if others is None else others
    rows = select(CLAIMS.c.collection, CLAIMS.c.member, CLAIMS.c.feature)
    found: dict[str, dict[str, str]] = {}
    for row in connection.execute(rows.where(_apart(), visible(CLAIMS, under_way))):
        found.setdefault(row.collection, {})[row.member] = row.feature
    return found


def home(connection: Connection, collection: str, member: str) -> str | None:
    """The feature that a record stands on, where that is another's."""
    rule = CLAIMS.c.collection == collection, CLAIMS.c.member == member, _apart()
    rows = select(CLAIMS.c.feature).where(*rule, visible(CLAIMS, open_changesets(connection)))
    return connection.execute(rows).scalar()


def release_classes(connection: Connection, collection: str, features: Sequence[str]) -> dict[str, str]:
    """The release class of each of these features that anything was ever said of, in force or not."""
    found: dict[str, str] = {}
    for some in chunks(features, _AT_ONCE):
        rows = (
            select(CLAIMS.c.feature, CONTRIBUTIONS.c.release_class)
            .join_from(CLAIMS, CONTRIBUTIONS, CONTRIBUTIONS.c.id == CLAIMS.c.contribution)
            .where(CLAIMS.c.collection == collection, CLAIMS.c.feature.in_(some))
        )
        found |= {row.feature: row.release_class for row in connection.execute(rows.distinct())}
    return found


def held_by(
    connection: Connection, provider: str, release_class: str | None = None
) -> list[tuple[str, str]]:
    """Collections and contributions of which a provider has something in force, in order.

    ``release_class``: of those under that class alone.
    """
    under_way = open_changesets(connection)
    mine = select(CONTRIBUTIONS.c.id).where(CONTRIBUTIONS.c.provider == provider)
    if release_class is not None:
        mine = mine.where(CONTRIBUTIONS.c.release_class == release_class)
    found: set[tuple[str, str]] = set()
    for table in (CLAIMS, RASTERS):
        rows = select(table.c.collection, table.c.contribution).where(
            table.c.contribution.in_(mine), visible(table, under_way)
        )
        found |= {(row.collection, row.contribution) for row in connection.execute(rows.distinct())}
    return sorted(found)


def providers_of(connection: Connection, collection: str) -> set[str]:
    """Who has contributed to a collection, or may be about to."""
    touched = select(CHANGESET_COLLECTIONS.c.changeset).where(
        CHANGESET_COLLECTIONS.c.collection == collection
    )
    under_way = select(CHANGESETS.c.id).where(CHANGESETS.c.sequence.is_(None))
    source = CONTRIBUTIONS.c
    either = or_(source.changeset.in_(touched), source.changeset.in_(under_way))
    return set(connection.execute(select(source.provider).where(either).distinct()).scalars())


def _apart() -> ColumnElement[bool]:
    return CLAIMS.c.member != CLAIMS.c.feature
