"""Rows on their way into the record, and what is to be done with each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

from geoshare.ingest.claims import Homes, at_home
from geoshare.model.box import Box
from geoshare.model.collections import Collection
from geoshare.store.rows import DESK, NewFeature, StandingClaim


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
    member: str | None = None  # the id by the provider's own; None where a value identifies it
    cell: int | None = None

    def moved(self, homes: Mapping[str, str]) -> Entry:
        """The same where its record stands on another's feature."""
        return self._replace(feature=homes.get(self.feature, self.feature))

    def row(self, collection: Collection, homes: Homes) -> NewFeature:
        """The feature version that says this, with its references where they lead to."""
        said = self.properties
        if homes:
            shown = at_home(collection, orjson.loads(said), homes)
            said = orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)
        times = self.valid_from_us, self.valid_to_us
        return NewFeature(self.feature, self.geometry, self.box, said.decode(), *times)


class Plan:
    """What is to be done with each entry of a chunk."""

    def __init__(self, provider: str, repeated: set[int]) -> None:
        self.alone: list[Entry] = []  # nobody else claims the feature
        self.shared: list[Entry] = []  # others do
        self.displaced: list[Entry] = []  # another row of this file has the feature's place
        self.unchanged: set[int] = set()  # standing claims said again
        self.ended: set[int] = set()  # standing claims replaced
        self.renewed: set[str] = set()  # features that this provider said something of before
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
        if mine:
            self.renewed.add(entry.feature)
        (self.shared if len(mine) < len(standing) else self.alone).append(entry)


def _says(claim: StandingClaim, entry: Entry) -> bool:
    return (claim.record_id, claim.content_hash) == (entry.record_id, entry.content_hash)
