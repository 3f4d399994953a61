"""Features of one contribution: conformed, identified, compared with what stands, written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson
import shapely

from geoshare.ingest.claims import Homes, claimed_from, resolved
from geoshare.ingest.complete import KEPT, Complete, Fences, gone, tell
from geoshare.ingest.conflation import Conflation, matched
from geoshare.ingest.entries import Entry, Plan
from geoshare.ingest.naming import Namer
from geoshare.ingest.settling import Settler
from geoshare.merge import Claimed, Conformer, cell_of
from geoshare.merge.noise import is_noise
from geoshare.model.batch import FeatureBatch
from geoshare.model.box import Box
from geoshare.model.collections import Collection, known
from geoshare.model.foundation import Foundation
from geoshare.model.report import Message, Report
from geoshare.store import Record, places
from geoshare.store.changeset import ChangeSet
from geoshare.store.chunk import Chunk
from geoshare.store.database import CHUNK_ROWS
from geoshare.store.rows import Contribution, NewClaim, NewFeature, StandingClaim
from geoshare.store.said import Said

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


class FeatureWriter:
    """Writes feature batches under one change set.

    ``remember`` keeps which standing claims the file repeats, so that those it does not repeat can
    be removed. Where ``accuracy_m`` is stated, a feature that has moved by no more stays as it stands;
    what was measured is kept in its claim. ``written`` names the collections written so far.
    """

    def __init__(
        self,
        record: Record,
        changeset: ChangeSet,
        row: Contribution,
        report: Report,
        foundation: Foundation,
        *,
        remember: bool,
        accuracy_m: float | None = None,
        observed_us: int | None = None,
    ) -> None:
        self.taken = 0
        self._record = record
        self._changeset = changeset
        self._row = row
        self._report = report
        self._foundation = foundation
        self._remember = remember
        self._accuracy_m, self._observed_us = accuracy_m, observed_us
        stated = [item for item in (accuracy_m, observed_us) if item is not None]
        self._stated = repr(stated).encode() if stated else b""
        self._namer = Namer(record, row.provider, row.series, row.release_class)
        self._repeated: set[int] = set()  # standing claims that the file says again
        self.written: set[str] = set()  # collections
        self.said = False  # whether anything changes by what was written
        with record.snapshot() as connection:
            self._homes: Homes = places.homes(connection)
        self._settler = Settler(foundation, self._homes)

    def write(self, batch: FeatureBatch) -> None:
        """Write one batch; rows that say nothing new change nothing."""
        collection = self._namer.collection(batch, self._report)
        conformer = Conformer(collection, self._namer.identities, self._row.provider)
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
        self.written.add(collection.name)

    def schemas(self) -> list[Collection]:
        """Inferred collections that are new or have become wider."""
        return [
            collection
            for name, collection in self._namer.collections.items()
            if name in self.written
            and name not in known()
            and self._namer.stored.get(name) != collection
        ]

    def withdraw_the_rest(self, complete: Complete, fences: Fences) -> None:
        """End what the provider's earlier files said and this one, which is all of it, does not.

        Nothing where rows were refused: what they are of may be what stands. Raises as ``gone``.
        """
        if self._report.refused:
            self._report.note(KEPT)
            return
        found = {
            name: gone(
                self._record,
                self._row.provider,
                self._row.series,
                complete,
                name,
                fences(name),
                self._says,
                self._row.release_class,
            )
            for name in sorted(self.written)
        }
        for name, claims in found.items():
            for start in range(0, len(claims), CHUNK_ROWS):
                some = claims[start : start + CHUNK_ROWS]
                self._changeset.apply(_bound(self._end, self._namer.collections[name], some))
        self.said |= any(found.values())
        tell(self._report, found)

    def _says(self, collection: str, claim: Said) -> bool:
        """Whether this file says again, or has said anew, what a claim is of."""
        return claim.version in self._repeated or claim.ended == self._changeset.id

    def conflate(self) -> None:
        """Let what several providers say of one thing become one feature."""
        conflation = Conflation(
            self._record, self._changeset, self._namer.collections, self._foundation
        )
        conflation.run(self.written, self._row.provider)

    def _entries(
        self, collection: Collection, batch: FeatureBatch, conformer: Conformer
    ) -> list[Entry]:
        conformed = conformer.conform(batch, self._report)
        shapes = batch.geometry[np.array(conformed.rows, dtype=np.intp)]
        record_ids = [batch.record_ids[row] for row in conformed.rows]
        features = self._namer.features(collection, record_ids, conformed.identity)
        geometry = shapely.to_wkb(shapes).tolist()
        boxes = shapely.bounds(shapes).tolist()
        blake2b, stated = hashlib.blake2b, self._stated
        accuracy_m = self._accuracy_m if matched(collection, self._foundation) else None
        apart = not collection.identity
        return [
            Entry(
                feature,
                record_id,
                wkb,
                None if wkb is None or box[0] != box[0] else Box(*box),
                properties,
                blake2b((wkb or b"") + properties + stated, digest_size=_DIGEST_BYTES).digest(),
                valid_from,
                valid_to,
                feature if apart else None,
                cell_of(box, accuracy_m),
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

    def _put(
        self, chunk: Chunk, collection: Collection, entries: list[Entry], by_record: bool
    ) -> list[Entry]:
        """Write entries that say something new; returns those whose place another row has taken."""
        homes = chunk.places.homes_of(
            collection.name, [entry.member for entry in entries if entry.member]
        )
        if homes:
            entries = [entry.moved(homes) for entry in entries]
        standing: dict[str, list[StandingClaim]] = {}
        for claim in chunk.claims(collection.name, [entry.feature for entry in entries]):
            standing.setdefault(claim.feature, []).append(claim)
        plan = Plan(self._row.provider, self._repeated)
        for entry in entries:
            plan.place(entry, standing.get(entry.feature, ()))
        if self._remember or collection.identity:
            self._repeated.update(plan.unchanged)
        self._write(chunk, collection, plan, any(standing.values()))
        if by_record or not collection.identity:
            return plan.displaced
        for entry in plan.displaced:
            self._report.repaired(REPEATED, entry.record_id)
        ids = self._namer.of_records(collection, [entry.record_id for entry in plan.displaced])
        return [entry._replace(feature=id_) for entry, id_ in zip(plan.displaced, ids, strict=True)]

    def _write(self, chunk: Chunk, collection: Collection, plan: Plan, any_standing: bool) -> None:
        self.said |= bool(plan.alone or plan.shared)
        pairs = [(entry, entry.row(collection, self._homes)) for entry in plan.alone]
        if plan.shared:
            standing = self._claimed(
                chunk, collection.name, [entry.feature for entry in plan.shared], plan.ended
            )
            rules = self._foundation.of(collection.name)
            for entry in plan.shared:
                mine = [*standing[entry.feature], self._claimed_by(entry)]
                pairs.append((entry, resolved(collection, entry.feature, mine, rules, self._homes)))
        renewed = [pair for pair in pairs if pair[0].feature in plan.renewed]
        quiet = self._quiet(chunk, collection.name, renewed) if any_standing else set()
        rows = [row for _, row in pairs if row.id not in quiet]
        claims = [self._claim(entry, None if row.id in quiet else row) for entry, row in pairs]
        replaced = (
            chunk.feature_versions(collection.name, [row.id for row in rows]) if any_standing else {}
        )
        chunk.put_features(collection.name, self._row.id, rows, replaced)
        chunk.put_claims(collection.name, self._row.id, self._row.provider, claims, sorted(plan.ended))
        if plan.shared:
            self._settler.explain(chunk, collection, [entry.feature for entry in plan.shared])

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
            observed_us=self._observed_us,
            accuracy_m=self._accuracy_m,
            member=entry.member,
            cell=entry.cell,
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

    def _claimed_by(self, entry: Entry) -> Claimed:
        return Claimed(
            provider=self._row.provider,
            record_id=entry.record_id,
            contribution=self._row.id,
            received_us=self._row.received_us,
            geometry=entry.geometry,
            properties=orjson.loads(entry.properties),
            observed_us=self._observed_us,
            accuracy_m=self._accuracy_m,
            release_class=self._row.release_class,
        )

    def _end(self, chunk: Chunk, collection: Collection, claims: Sequence[Said]) -> None:
        """End those of some claims that still stand, and bring their features up to the others."""
        features = [claim.feature for claim in claims]
        standing = {claim.version for claim in chunk.claims(collection.name, features)}
        chunk.remove_claims([claim.version for claim in claims if claim.version in standing])
        self._settler.settle(chunk, collection, features)


def _bound(function: Callable[..., Any], *arguments: Any) -> Callable[[Chunk], Any]:
    return lambda chunk: function(chunk, *arguments)
