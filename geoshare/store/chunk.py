"""One transaction of a change set: what stands, what is written, what ends.

A row that an open change set has written or ended belongs to that change set until it is committed
or discarded: others that want the same row wait (:class:`Busy`). So two contributions of the same
features take turns, and contributions of different features never meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, Table, or_, select, update

from geoshare.model.collections import check_name
from geoshare.store import edit_rows
from geoshare.store.database import insert_rows
from geoshare.store.places import Busy, Places
from geoshare.store.reading import full_claims, open_changesets
from geoshare.store.record_tables import CLAIMS, CONTRIBUTIONS, FEATURES, RASTERS
from geoshare.store.rows import (
    Contribution,
    FullClaim,
    NewClaim,
    NewFeature,
    StandingClaim,
    StandingRaster,
    StoredRaster,
)

_FEATURE = (
    "collection",
    "id",
    "changeset",
    "contribution",
    "geometry",
    "west",
    "south",
    "east",
    "north",
    "valid_from_us",
    "valid_to_us",
    "properties",
)
_CLAIM = (
    "collection",
    "feature",
    "changeset",
    "contribution",
    "provider",
    "record_id",
    "property",
    "content_hash",
    "geometry",
    "properties",
    "observed_us",
    "accuracy_m",
    "confidence",
    "member",
    "cell",
)


class Chunk:
    """One transaction of a change set. Takes at most a few thousand rows.

    What writes raises BadRequest for an unlawful collection name, whoever asks: files are named
    after collections. What removes does not, so that nothing unlawful has to stay.
    """

    def __init__(self, connection: Connection, changeset: int) -> None:
        self._connection = connection
        self._changeset = changeset
        self._open = open_changesets(connection) - {changeset}
        self.counts: dict[str, list[int]] = {}
        self.places = Places(connection, changeset, self._open)

    def add_contribution(self, row: Contribution) -> None:
        """Note the contribution that the following rows come from."""
        values = asdict(row) | {"changeset": self._changeset}
        del values["sequence"]
        self._connection.execute(CONTRIBUTIONS.insert(), values)

    def describe_contribution(self, contribution: str, *, datum: str, report: str) -> None:
        """Store what was learnt while reading it."""
        self._connection.execute(
            update(CONTRIBUTIONS)
            .where(CONTRIBUTIONS.c.id == contribution)
            .values(datum=datum, report=report)
        )

    def claims(self, collection: str, features: Sequence[str]) -> list[StandingClaim]:
        """Claims in force on these features, with those of this change set.

        Raises Busy where another change set under way holds one.
        """
        table = CLAIMS.c
        rows = self._connection.execute(
            select(
                table.version,
                table.feature,
                table.changeset,
                table.contribution,
                table.provider,
                table.record_id,
                table.property,
                table.content_hash,
                table.ended_by,
            ).where(
                table.collection == collection,
                table.feature.in_(features),
                self._in_force(CLAIMS),
            )
        ).all()
        self._refuse_held((row.changeset, row.ended_by) for row in rows)
        mine = self._changeset
        return [StandingClaim(*row[:8], own=row.changeset == mine) for row in rows]

    def own_claims(
        self, organisation: str, wanted: Sequence[tuple[str, str]]
    ) -> list[edit_rows.OwnClaim]:
        """Claims in force of one organisation on features (collection, id), before this change set."""
        return edit_rows.own_claims(self._connection, organisation, wanted)

    def add_edit(self, row: edit_rows.EditRow) -> None:
        """Note who makes this change set, and why."""
        edit_rows.add_edit(self._connection, replace(row, changeset=self._changeset))

    def full_claims(self, collection: str, features: Sequence[str]) -> list[FullClaim]:
        """Claims in force on these features with the values they stand for."""
        return full_claims(self._connection, collection, features, self._open, self._changeset)

    def is_own(self, claim: FullClaim) -> bool:
        """Whether this change set has written a claim."""
        return claim.changeset == self._changeset

    def feature_versions(self, collection: str, ids: Sequence[str]) -> dict[str, int]:
        """Version in force of each of these features; no entry where there is none."""
        return self._versions(FEATURES, collection, ids)

    def standing_features(
        self, collection: str, ids: Sequence[str]
    ) -> dict[str, tuple[bytes | None, str]]:
        """Geometry (WKB) and properties (JSON) of those of these features that are in force."""
        table = FEATURES.c
        chosen = select(table.id, table.geometry, table.properties).where(
            table.collection == collection, table.id.in_(ids), self._in_force(FEATURES)
        )
        return {row.id: (row.geometry, row.properties) for row in self._connection.execute(chosen)}

    def raster(self, collection: str, raster: str) -> StandingRaster | None:
        """The raster of that id in force."""
        table = RASTERS.c
        row = self._connection.execute(
            select(
                table.version,
                table.object_sha256,
                table.datetime_us,
                table.content,
                table.changeset,
                table.ended_by,
            ).where(table.collection == collection, table.id == raster, self._in_force(RASTERS))
        ).first()
        if row is None:
            return None
        self._refuse_held([(row.changeset, row.ended_by)])
        return StandingRaster(*tuple(row)[:4])

    def standing_of(
        self, collection: str, contribution: str, after: int, limit: int
    ) -> list[tuple[int, str]]:
        """Claims (version, feature) in force that a contribution made, a page at a time.

        Raises Busy where another change set under way holds one.
        """
        table = CLAIMS.c
        rows = self._connection.execute(
            select(table.version, table.feature, table.changeset, table.ended_by)
            .where(
                table.contribution == contribution,
                table.version > after,
                # not a plain column, or SQLite looks through the whole collection instead
                table.collection.concat("") == collection,
                self._in_force(CLAIMS),
            )
            .order_by(table.version)
            .limit(limit)
        ).all()
        self._refuse_held((row.changeset, row.ended_by) for row in rows)
        return [(row.version, row.feature) for row in rows]

    def put_features(
        self,
        collection: str,
        contribution: str,
        rows: Sequence[NewFeature],
        replaced: dict[str, int],
    ) -> None:
        """Write feature versions; those they replace end with this change set."""
        check_name(collection)
        mine, nothing = self._changeset, (None, None, None, None)
        values = [
            (
                collection,
                row.id,
                mine,
                contribution,
                row.geometry,
                *(row.box or nothing),
                row.valid_from_us,
                row.valid_to_us,
                row.properties,
            )
            for row in rows
        ]
        ended = [replaced[row.id] for row in rows if row.id in replaced]
        own = self.places.own(collection, ended)  # counted when they were written
        self._end(FEATURES, ended)
        insert_rows(self._connection, FEATURES, _FEATURE, values)
        self.count(collection, added=len(rows) - len(ended), changed=len(ended) - len(own))

    def put_claims(
        self,
        collection: str,
        contribution: str,
        provider: str,
        rows: Sequence[NewClaim],
        ended: Sequence[int],
    ) -> None:
        """Write claims and end those they replace."""
        check_name(collection)
        self._end(CLAIMS, ended)
        mine = self._changeset
        values = [
            (
                collection,
                row.feature,
                mine,
                row.contribution or contribution,
                row.provider or provider,
                row.record_id,
                row.property,
                row.content_hash,
                row.geometry,
                row.properties,
                row.observed_us,
                row.accuracy_m,
                row.confidence,
                row.member,
                row.cell,
            )
            for row in rows
        ]
        insert_rows(self._connection, CLAIMS, _CLAIM, values)

    def put_raster(
        self, collection: str, row: StoredRaster, content: str, replaced: int | None
    ) -> None:
        """Write one raster item; ``content`` is its JSON."""
        check_name(collection)
        west, south, east, north = row.box
        self._end(RASTERS, [] if replaced is None else [replaced])
        self._connection.execute(
            RASTERS.insert(),
            {
                "collection": collection,
                "id": row.id,
                "changeset": self._changeset,
                "contribution": row.contribution,
                "provider": row.provider,
                "record_id": row.record_id,
                "object_sha256": row.object_sha256,
                "object_bytes": row.object_bytes,
                "kind": row.kind,
                "datetime_us": row.datetime_us,
                "west": west,
                "south": south,
                "east": east,
                "north": north,
                "content": content,
            },
        )
        self.count(collection, added=replaced is None, changed=replaced is not None)

    def remove_features(self, collection: str, versions: Sequence[int]) -> None:
        """End feature versions without a successor."""
        own = self.places.own(collection, versions)
        self._end(FEATURES, versions)
        before = self.places.ended_here(collection, own)
        self.count(
            collection,
            added=before - len(own),
            changed=-before,
            removed=len(versions) - len(own) + before,
        )

    def remove_claims(self, versions: Sequence[int]) -> None:
        """End claims without a successor."""
        self._end(CLAIMS, versions)

    def remove_rasters(self, collection: str, versions: Sequence[int]) -> None:
        """End rasters without a successor."""
        self._end(RASTERS, versions)
        self.count(collection, removed=len(versions))

    def count(self, collection: str, added: int = 0, changed: int = 0, removed: int = 0) -> None:
        """Add to what the change set says it did to a collection."""
        counts = self.counts.setdefault(collection, [0, 0, 0])
        for place, number in enumerate((added, changed, removed)):
            counts[place] += number

    def _in_force(self, table: Table) -> Any:
        ended = table.c.ended_by
        return or_(ended.is_(None), ended.in_(self._open)) if self._open else ended.is_(None)

    def _versions(self, table: Table, collection: str, ids: Sequence[str]) -> dict[str, int]:
        rows = self._connection.execute(
            select(table.c.id, table.c.version, table.c.changeset, table.c.ended_by).where(
                table.c.collection == collection, table.c.id.in_(ids), self._in_force(table)
            )
        ).all()
        self._refuse_held((row.changeset, row.ended_by) for row in rows)
        return {row.id: row.version for row in rows}

    def _refuse_held(self, rows: Any) -> None:
        if self._open and any(one in self._open or other in self._open for one, other in rows):
            raise Busy

    def _end(self, table: Table, versions: Sequence[int]) -> None:
        # A row that this change set itself wrote and now replaces was never visible: it just goes.
        for some in (versions[start : start + 1000] for start in range(0, len(versions), 1000)):
            chosen = table.c.version.in_(some)
            self._connection.execute(
                table.delete().where(chosen, table.c.changeset + 0 == self._changeset)
            )
            self._connection.execute(update(table).where(chosen).values(ended_by=self._changeset))
