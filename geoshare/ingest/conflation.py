"""One feature of what several providers say of it: claims are dealt out to features anew.

Runs at the end of a change set, over what it has touched and what lies within reach of that. What
comes out depends on the claims in force and on the rules, not on the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import orjson
import shapely

from geoshare.ingest.claims import Homes
from geoshare.ingest.settling import Settler, again
from geoshare.merge import Candidate, Matcher, anchor, cells_around
from geoshare.model.collections import Collection
from geoshare.model.foundation import Foundation
from geoshare.store import Record, places
from geoshare.store.changeset import ChangeSet
from geoshare.store.chunk import Chunk
from geoshare.store.rows import FullClaim

CELLS_AT_ONCE = 300
_ASTRAY = 1_000


class Conflation:
    """Deals the claims of one change set's collections out to features."""

    def __init__(
        self,
        record: Record,
        changeset: ChangeSet,
        collections: Mapping[str, Collection],
        foundation: Foundation,
    ) -> None:
        self._record = record
        self._changeset = changeset
        self._collections = collections
        self._foundation = foundation
        with record.snapshot() as connection:
            self._before: Homes = places.homes(connection)
        self._settler = Settler(foundation, self._before)

    def run(self, names: Iterable[str], provider: str) -> None:
        """Decide anew what a provider's change set has touched of these collections."""
        for name in sorted(names):
            collection = self._collections[name]
            if not matched(collection, self._foundation):
                continue
            with self._record.snapshot() as connection:
                others = places.providers_of(connection, name) - {provider}
            if others:
                self._decide_all(collection)
        self._changeset.apply(self._refer)

    def _refer(self, chunk: Chunk) -> None:
        """Let references to records that have come to stand on other features lead there."""
        before, after = self._before, chunk.places.homes()
        settler = Settler(self._foundation, after)
        for name in before.keys() | after.keys():
            old, new = before.get(name, {}), after.get(name, {})
            moved = {one for one in old.keys() | new.keys() if old.get(one) != new.get(one)}
            shown = {old.get(one, one) for one in moved}
            for collection in self._collections.values() if moved else ():
                columns = [item.name for item in collection.properties if name in item.references]
                if columns:
                    found = chunk.places.mentioning(collection.name, columns, shown)
                    settler.settle(chunk, collection, found)

    def _decide_all(self, collection: Collection) -> None:
        more = True
        while more:
            more = self._changeset.apply(lambda chunk: self._bring_home(chunk, collection))
        cells = self._changeset.apply(lambda chunk: chunk.places.touched(collection.name))
        for start in range(0, len(cells), CELLS_AT_ONCE):
            some = cells[start : start + CELLS_AT_ONCE]
            self._changeset.apply(partial(self._decide, collection=collection, cells=some))

    def _bring_home(self, chunk: Chunk, collection: Collection) -> bool:
        """Give claims that can no longer be matched a feature of their own."""
        found = chunk.places.astray(collection.name, _ASTRAY)
        self._move(chunk, collection, [(claim, claim.member or claim.feature) for claim in found])
        return bool(found)

    def _decide(self, chunk: Chunk, collection: Collection, cells: Sequence[int]) -> None:
        survey = _Survey(chunk, collection.name, Matcher(self._foundation.of(collection.name)))
        touched = survey.members_around(cells)
        survey.follow(touched)
        rules = self._foundation.of(collection.name)
        moves = []
        for group in survey.matcher.groups(survey.reached):
            providers = {member: survey.claims[member].provider for member in group}
            home = anchor(group, providers, rules)
            moves += [
                (survey.claims[member], home)
                for member in group
                if survey.claims[member].feature != home
            ]
        self._move(chunk, collection, moves)

    def _move(
        self, chunk: Chunk, collection: Collection, moves: Sequence[tuple[FullClaim, str]]
    ) -> None:
        """Let claims stand on other features, and bring all of these up to date."""
        if not moves:
            return
        name = collection.name
        touched = {claim.feature for claim, _ in moves} | {home for _, home in moves}
        leaving = {claim.version: home for claim, home in moves}
        every = chunk.full_claims(name, sorted(touched))
        for claim in every:
            home = leaving.get(claim.version) or _follows(claim, every, leaving)
            if home is not None:
                chunk.put_claims(
                    name, claim.contribution, claim.provider, [again(claim, home)], [claim.version]
                )
        self._settler.settle(chunk, collection, touched)


def matched(collection: Collection, foundation: Foundation) -> bool:
    """Whether features of a collection are matched by place, not by an identifying value."""
    rules = foundation.of(collection.name)
    return rules.match and not collection.identity and collection.kind == "vector"


def _follows(claim: FullClaim, every: Sequence[FullClaim], leaving: Mapping[int, str]) -> str | None:
    """Where a claim that is no record of its own goes, when all records leave the feature."""
    if claim.member is not None:
        return None
    records = [one for one in every if one.feature == claim.feature and one.member is not None]
    if not records or any(one.version not in leaving for one in records):
        return None
    first = min(records, key=lambda one: (one.member != claim.feature, one.member))
    return leaving[first.version]


class _Survey:
    """What lies around some records, asked of the record a few cells at a time."""

    def __init__(self, chunk: Chunk, collection: str, matcher: Matcher) -> None:
        self.matcher = matcher
        self.claims: dict[str, FullClaim] = {}  # by member
        self.reached: set[str] = set()
        self._chunk = chunk
        self._collection = collection
        self._cells: dict[int, list[str]] = {}

    def members_around(self, cells: Iterable[int]) -> set[str]:
        """Records within reach of some cells."""
        near = {other for cell in cells for other in cells_around(cell)}
        self._read(near)
        return {member for cell in near for member in self._cells[cell]}

    def follow(self, members: Iterable[str]) -> None:
        """Go from record to record as long as they match or share a feature."""
        frontier = set(members)
        while frontier:
            self._look_around(frontier)
            # whether a nearest record has this one as its nearest, only its surroundings tell
            self._look_around(
                {other for member in frontier for other in self.matcher.best(member).values()}
            )
            self.reached |= frontier
            coming = {other for member in frontier for other in self.matcher.matches(member)}
            frontier = (coming | self._companions(frontier)) - self.reached

    def _companions(self, members: Iterable[str]) -> set[str]:
        """Records that stand on the same features, wherever they lie by now."""
        shared = {
            self.claims[member].feature for member in members if self.claims[member].feature != member
        }
        found = [
            claim
            for claim in self._chunk.full_claims(self._collection, sorted(shared))
            if claim.cell is not None and claim.member is not None
        ]
        self._note(found)
        return {claim.member for claim in found if claim.member is not None}

    def _look_around(self, members: Iterable[str]) -> None:
        new = {member for member in members if not self.matcher.surveyed(member)}
        around = {member: cells_around(self.claims[member].cell or 0) for member in new}
        self._read({cell for cells in around.values() for cell in cells})
        near = {
            member: [other for cell in cells for other in self._cells[cell]]
            for member, cells in around.items()
        }
        self.matcher.add([], near)

    def _read(self, cells: Iterable[int]) -> None:
        new = sorted(set(cells) - self._cells.keys())
        self._cells |= {cell: [] for cell in new}
        found = self._chunk.places.claims_in(self._collection, new)
        self._note(found)
        for claim in found:
            if claim.cell is not None and claim.member is not None:
                self._cells[claim.cell].append(claim.member)

    def _note(self, claims: Iterable[FullClaim]) -> None:
        new = [claim for claim in claims if claim.member and claim.member not in self.claims]
        self.claims |= {claim.member: claim for claim in new if claim.member}
        self.matcher.add([_candidate(claim) for claim in new], {})


def _candidate(claim: FullClaim) -> Candidate:
    return Candidate(
        claim.member or "",
        claim.provider,
        claim.release_class,
        shapely.from_wkb(claim.geometry or b""),
        claim.accuracy_m or 0.0,
        orjson.loads(claim.properties),
    )
