"""Features of one contribution: conformed, identified, compared with what stands, written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson
import shapely

from geoshare.errors import BadData
from geoshare.ingest.claims import claimed_from, resolved, stands
from geoshare.merge import Claimed, Conformer, Identities, inferred, widened
from geoshare.merge.noise import is_noise
from geoshare.model.batch import FeatureBatch
from geoshare.model.box import Box
from geoshare.model.collections import Collection, check_name, known
from geoshare.model.report import Message, Report
from geoshare.store import Record
from geoshare.store.changeset import ChangeSet
from geoshare.store.chunk import Chunk
from geoshare.store.database import CHUNK_ROWS
from geoshare.store.rows import DESK, Contribution, NewClaim, NewFeature, StandingClaim

REPEATED = Message(
    "repeated-identity",
    "rows share an identifying value; each is kept under its own record id",
    "識別値が重複する行は、それぞれ固有の記録IDで登録しました",
)
REPEATED_ROW = Message(
    "repeated-record-id",
    "the record id comes twice in the file; the first row was taken",
    "記録IDがファイル内で重複しています(最初の行を採用)",
)
_DIGEST_BYTES = 16


class Entry(NamedTuple):
    """One conformed row on its way into the record."""

    feature: str
    record_id: str
    geometry: bytes | None
    box: Box | None
    properties: bytes
    content_hash: bytes
    valid_from_us: int | None
    valid_to_us: int | None

    def row(self) -> NewFeature:
        """The feature version that says exactly this."""
        return NewFeature(
            self.feature,
            self.geometry,
            self.box,
            self.properties.decode(),
            self.valid_from_us,
            self.valid_to_us,
        )


class FeatureWriter:
    """Writes feature batches under one change set.

    ``remember`` keeps which standing claims the file repeats, so that those it does not repeat can
    be removed. Where ``accuracy_m`` is stated, a feature that has moved by no more stays as it stands;
    what was measured is kept in its claim.
    """

    def __init__(
        self,
        record: Record,
        changeset: ChangeSet,
        row: Contribution,
        report: Report,
        precedence: Sequence[str],
        *,
        remember: bool,
        accuracy_m: float | None = None,
    ) -> None:
        self.taken = 0
        self._changeset = changeset
        self._row = row
        self._report = report
        self._precedence = precedence
        self._remember = remember
        self._accuracy_m = accuracy_m
        self._collections = record.collections()
        self._stored = dict(self._collections)
        self._identities = Identities(record.secret, self._collections)
        self._repeated: set[int] = set()  # standing claims that the file says again
        self._written: set[str] = set()  # collections
        self._earlier = record.series(row.provider, row.series) if remember else []

    def write(self, batch: FeatureBatch) -> None:
        """Write one batch; rows that say nothing new change nothing."""
        collection = self._collection(batch)
        conformer = Conformer(collection, self._identities, self._row.provider)
        refused = self._report.refused
        entries = self._entries(collection, batch, conformer)
        if self._report.refused > refused:
            self._report.took(batch.collection, refused - self._report.refused)
        for start in range(0, len(entries), CHUNK_ROWS):
            some = entries[start : start + CHUNK_ROWS]
            again = self._changeset.apply(_bound(self._put, collection, some, False))
            if again:
                again = self._changeset.apply(_bound(self._put, collection, again, True))
            for entry in again:
                self._report.refuse(entry.record_id, REPEATED_ROW, orjson.loads(entry.properties))
                self._report.took(batch.collection, -1)
        self.taken += len(entries)
        self._written.add(collection.name)

    def schemas(self) -> list[Collection]:
        """Inferred collections that are new or have become wider."""
        return [
            collection
            for name, collection in self._collections.items()
            if name in self._written and name not in known() and self._stored.get(name) != collection
        ]

    def remove_what_is_gone(self) -> None:
        """Remove what earlier files of the series said and this one does not."""
        for collection in sorted(self._written):
            for contribution in self._earlier:
                last: int | None = 0
                while last is not None:
                    last = self._changeset.apply(_bound(self._remove, collection, contribution, last))

    def _collection(self, batch: FeatureBatch) -> Collection:
        name, schema = check_name(batch.collection), batch.properties.schema
        found = self._collections.get(name)
        if found is None:
            found = inferred(name, schema, batch.title)
        elif name not in known():
            found = widened(found, schema, self._report)
        if found.kind != "vector":
            raise BadData(f"{name} holds rasters, and the file holds features", parameter="collection")
        self._collections[name] = found
        return found

    def _entries(
        self, collection: Collection, batch: FeatureBatch, conformer: Conformer
    ) -> list[Entry]:
        conformed = conformer.conform(batch, self._report)
        shapes = batch.geometry[np.array(conformed.rows, dtype=np.intp)]
        record_ids = [batch.record_ids[row] for row in conformed.rows]
        features = self._features(collection, record_ids, conformed.identity)
        geometry = shapely.to_wkb(shapes).tolist()
        boxes = shapely.bounds(shapes).tolist()
        blake2b = hashlib.blake2b
        return [
            Entry(
                feature,
                record_id,
                wkb,
                None if wkb is None or box[0] != box[0] else Box(*box),
                properties,
                blake2b((wkb or b"") + properties, digest_size=_DIGEST_BYTES).digest(),
                valid_from,
                valid_to,
            )
            for feature, record_id, wkb, box, properties, valid_from, valid_to in zip(
                features,
                record_ids,
                geometry,
                boxes,
                conformed.properties,
                conformed.valid_from_us,
                conformed.valid_to_us,
                strict=True,
            )
        ]

    def _features(
        self, collection: Collection, record_ids: list[str], identity: list[str | None]
    ) -> list[str]:
        found = self._of_records(collection, record_ids)
        if collection.identity:
            named = [row for row, value in enumerate(identity) if value]
            values = [str(identity[row]) for row in named]
            for row, feature in zip(
                named, self._identities.of_values(collection.name, values), strict=True
            ):
                found[row] = feature
        return found

    def _of_records(self, collection: Collection, record_ids: Sequence[str]) -> list[str]:
        """Ids from record ids; a place in the file (``#...``) counts only among files of its name."""
        series = self._row.series
        names = [f"{series}\0{name}" if name.startswith("#") else name for name in record_ids]
        return self._identities.of_records(collection.name, self._row.provider, names)

    def _put(
        self, chunk: Chunk, collection: Collection, entries: list[Entry], by_record: bool
    ) -> list[Entry]:
        """Write entries that say something new; returns those whose place another row has taken."""
        standing: dict[str, list[StandingClaim]] = {}
        for claim in chunk.claims(collection.name, [entry.feature for entry in entries]):
            standing.setdefault(claim.feature, []).append(claim)
        plan = _Plan(self._row.provider, self._repeated)
        for entry in entries:
            plan.place(entry, standing.get(entry.feature, ()))
        if self._remember or collection.identity:
            self._repeated.update(plan.unchanged)
        self._write(chunk, collection, plan, any(standing.values()))
        if by_record or not collection.identity:
            return plan.displaced
        for entry in plan.displaced:
            self._report.repaired(REPEATED, entry.record_id)
        ids = self._of_records(collection, [entry.record_id for entry in plan.displaced])
        return [entry._replace(feature=id_) for entry, id_ in zip(plan.displaced, ids, strict=True)]

    def _write(self, chunk: Chunk, collection: Collection, plan: _Plan, any_standing: bool) -> None:
        pairs = [(entry, entry.row()) for entry in plan.alone]
        if plan.shared:
            standing = self._claimed(
                chunk, collection.name, [entry.feature for entry in plan.shared], plan.ended
            )
            for entry in plan.shared:
                mine = [*standing[entry.feature], _claimed_by(entry, self._row)]
                pairs.append((entry, resolved(collection, entry.feature, mine, self._precedence)))
        quiet = self._quiet(chunk, collection.name, pairs) if any_standing else set()
        rows = [row for _, row in pairs if row.id not in quiet]
        claims = [self._claim(entry, None if row.id in quiet else row) for entry, row in pairs]
        replaced = (
            chunk.feature_versions(collection.name, [row.id for row in rows]) if any_standing else {}
        )
        chunk.put_features(collection.name, self._row.id, rows, replaced)
        chunk.put_claims(collection.name, self._row.id, self._row.provider, claims, sorted(plan.ended))

    def _claim(self, entry: Entry, row: NewFeature | None) -> NewClaim:
        """The claim of an entry; with what it says where that is not what its feature version says."""
        properties = entry.properties.decode()
        same = row is not None and (row.geometry, row.properties) == (entry.geometry, properties)
        return NewClaim(
            entry.feature,
            entry.record_id,
            entry.content_hash,
            geometry=None if same else entry.geometry,
            properties=None if same else properties,
            accuracy_m=self._accuracy_m,
        )

    def _quiet(
        self, chunk: Chunk, collection: str, pairs: Sequence[tuple[Entry, NewFeature]]
    ) -> set[str]:
        """Features of which nothing is said that their stated accuracy does not hold already."""
        accuracy_m = self._accuracy_m
        if accuracy_m is None:
            return set()
        standing = chunk.standing_features(collection, [row.id for _, row in pairs])
        return {
            row.id
            for _, row in pairs
            if row.id in standing
            and is_noise(standing[row.id], (row.geometry, row.properties), accuracy_m)
        }

    def _claimed(
        self, chunk: Chunk, collection: str, features: Sequence[str], without: set[int]
    ) -> dict[str, list[Claimed]]:
        found: dict[str, list[Claimed]] = {feature: [] for feature in features}
        for claim in chunk.full_claims(collection, list(found)):
            if claim.version not in without:
                found[claim.feature].append(claimed_from(claim))
        return found

    def _remove(self, chunk: Chunk, collection: str, contribution: str, after: int) -> int | None:
        """Remove one page of what is gone; returns where the next begins, None at the end."""
        page = chunk.standing_of(collection, contribution, after, CHUNK_ROWS)
        gone = {version: feature for version, feature in page if version not in self._repeated}
        others = self._claimed(chunk, collection, list(gone.values()), set(gone))
        versions = chunk.feature_versions(collection, list(others))
        kind = self._collections[collection]
        rows = [
            resolved(kind, feature, claims, self._precedence)
            for feature, claims in others.items()
            if stands(claims)
        ]
        chunk.remove_claims(list(gone))
        chunk.put_features(collection, self._row.id, rows, versions)
        kept = {row.id for row in rows}
        chunk.remove_features(
            collection, [version for feature, version in versions.items() if feature not in kept]
        )
        return page[-1][0] if len(page) == CHUNK_ROWS else None


class _Plan:
    """What is to be done with each entry of a chunk."""

    def __init__(self, provider: str, repeated: set[int]) -> None:
        self.alone: list[Entry] = []  # nobody else claims the feature
        self.shared: list[Entry] = []  # others do
        self.displaced: list[Entry] = []  # another row of this file has the feature's place
        self.unchanged: set[int] = set()  # standing claims said again
        self.ended: set[int] = set()  # standing claims replaced
        self._provider = provider
        self._repeated = repeated
        self._taken: set[str] = set()

    def place(self, entry: Entry, standing: Sequence[StandingClaim]) -> None:
        """Decide one entry."""
        mine = [
            claim for claim in standing if claim.provider == self._provider and claim.property != DESK
        ]
        taken = any(claim.own or claim.version in self._repeated for claim in mine)
        if taken or entry.feature in self._taken:
            same = any(claim.record_id == entry.record_id and not claim.own for claim in mine)
            if not same or entry.feature in self._taken:
                self.displaced.append(entry)
                return
        self._taken.add(entry.feature)
        if len(mine) == 1 and _says(mine[0], entry):
            self.unchanged.add(mine[0].version)
            return
        self.ended.update(claim.version for claim in mine)
        (self.shared if len(mine) < len(standing) else self.alone).append(entry)


def _says(claim: StandingClaim, entry: Entry) -> bool:
    return (claim.record_id, claim.content_hash) == (entry.record_id, entry.content_hash)


def _bound(function: Callable[..., Any], *arguments: Any) -> Callable[[Chunk], Any]:
    return lambda chunk: function(chunk, *arguments)


def _claimed_by(entry: Entry, row: Contribution) -> Claimed:
    return Claimed(
        provider=row.provider,
        record_id=entry.record_id,
        contribution=row.id,
        received_us=row.received_us,
        geometry=entry.geometry,
        properties=orjson.loads(entry.properties),
        release_class=row.release_class,
    )
