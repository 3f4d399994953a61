"""Which thing of one map is which of another: by id where ids mean something, else by place.

Ids are believed where most things that share one lie in the same place. A map whose elements were
numbered anew (or one that counts from 1, like another one) is matched by geometry, from nodes to ways
to what is made of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import shapely
from scipy.spatial import cKDTree

from geoshare.merge.difference.shapes import apart, middles
from geoshare.model.things import Member, Thing

REACH_M: Final = 10.0  # within which things of one id have to lie for ids to be believed
NEAR_M: Final = 2.0  # within which things without usable ids may be the same
MOST_CANDIDATES: Final = 8
MOST_DIFFERENT: Final = 0.5  # of the members of two things that are taken for one
Key = tuple[str, str]
"""Kind and id."""
Pair = tuple[Thing, Thing]


class Matcher:
    """Finds pairs, kind by kind; remembers which key of the first map is which of the second.

    Parameters
    ----------
    accuracy_m
        Within which two places are one.
    """

    def __init__(self, accuracy_m: float) -> None:
        self._accuracy_m = accuracy_m
        self._names: dict[Key, Key] = {}
        self._trusting = True  # whether ids have not been found to mean something else
        self._by_id = 0

    def match(self, before: Sequence[Thing], after: Sequence[Thing]) -> list[Pair]:
        """Pairs among the things of one kind."""
        old, new = ({thing.id: thing for thing in things} for things in (before, after))
        shared = [(old[id_], new[id_]) for id_ in old if id_ in new]
        trusted = self._trusting and (_in_place(shared) if shared else not (old and new))
        self._trusting = self._trusting and (trusted or not shared)
        pairs: list[Pair] = []
        if trusted:
            pairs += self._take(old, new, shared)
            self._by_id += len(shared)
        pairs += self._take(old, new, self._same_members(old, new))
        pairs += self._take(old, new, self._near(old, new, self._accuracy_m))
        if not trusted:
            pairs += self._take(old, new, self._sharing_members(old, new))
            pairs += self._take(old, new, self._near(old, new, NEAR_M))
        return pairs

    @property
    def by_id(self) -> bool:
        """Whether ids were of use: some things were matched by them, or nothing was at all."""
        return self._by_id > 0 or not self._names

    def renamed(self, members: Sequence[Member]) -> tuple[Member, ...]:
        """Members of a thing of the first map in the names of the second."""
        found = []
        for member in members:
            kind, id_ = self._names.get((member.kind, member.id), (member.kind, member.id))
            found.append(Member(kind, id_, member.role))
        return tuple(found)

    def _take(self, old: dict[str, Thing], new: dict[str, Thing], pairs: Sequence[Pair]) -> list[Pair]:
        for one, other in pairs:
            self._names[one.kind, one.id] = (other.kind, other.id)
            del old[one.id], new[other.id]
        return list(pairs)

    def _same_members(self, old: Mapping[str, Thing], new: Mapping[str, Thing]) -> list[Pair]:
        """Things that are made of the same, and are of the same type."""

        def sign(thing: Thing, members: tuple[Member, ...]) -> tuple[str, tuple[Member, ...]]:
            return thing.type, members

        by_members: dict[tuple[str, tuple[Member, ...]], list[Thing]] = {}
        for thing in new.values():
            if thing.members and not thing.placed:
                by_members.setdefault(sign(thing, thing.members), []).append(thing)
        found = []
        for thing in old.values():
            others = by_members.get(sign(thing, self.renamed(thing.members)), ())
            if others and thing.members and not thing.placed:
                found.append((thing, others.pop(0)))
        return found

    def _sharing_members(self, old: Mapping[str, Thing], new: Mapping[str, Thing]) -> list[Pair]:
        """Things of one type at least half of whose members are the same, the most alike first."""
        ones, others = list(old.values()), list(new.values())
        holding: dict[Member, list[int]] = {}
        for place, thing in enumerate(others):
            for member in set(thing.members):
                holding.setdefault(member, []).append(place)
        found: list[_Candidate] = []
        for number, thing in enumerate(ones):
            mine = set(self.renamed(thing.members))
            counts = Counter(place for member in mine for place in holding.get(member, ()))
            for place, common in counts.most_common(MOST_CANDIDATES):
                apart_by = 1 - common / len(mine | set(others[place].members))
                differ = thing.type != others[place].type
                if apart_by <= (0 if differ else MOST_DIFFERENT):
                    found.append(_Candidate(differ, apart_by, number, place))
        return _each_once(found, ones, others)

    def _near(self, old: Mapping[str, Thing], new: Mapping[str, Thing], reach_m: float) -> list[Pair]:
        """Each with the nearest that is of its type, the closest pairs first."""
        ones, others = _with_places(old), _with_places(new)
        if not ones or not others:
            return []
        shapes, theirs = ([shape for _, shape in side] for side in (ones, others))
        lat = float(shapely.get_coordinates(shapes[0])[0, 1])
        far_m, places = cKDTree(middles(theirs, lat)).query(
            middles(shapes, lat),
            k=list(range(1, min(MOST_CANDIDATES, len(others)) + 1)),
            distance_upper_bound=reach_m * 1.001 + 1e-9,
        )
        far, at = np.asarray(far_m), np.asarray(places)
        found: list[_Candidate] = []
        for number, (thing, _) in enumerate(ones):
            for place in at[number][np.isfinite(far[number])].tolist():
                other = others[place][0]
                across_m = apart(shapes[number], theirs[place]).across_m
                if thing.type == other.type and across_m <= reach_m:
                    differ = dict(thing.attributes) != dict(other.attributes)
                    found.append(_Candidate(differ, across_m, number, place))
        return _each_once(found, [thing for thing, _ in ones], [thing for thing, _ in others])


class _Candidate(NamedTuple):
    """A possible pair; those that come first in order are taken first."""

    differ: bool
    apart_by: float
    one: int
    other: int


def _each_once(found: list[_Candidate], ones: Sequence[Thing], others: Sequence[Thing]) -> list[Pair]:
    used_ones: set[int] = set()
    used_others: set[int] = set()
    pairs = []
    for _, _, one, other in sorted(found):
        if one not in used_ones and other not in used_others:
            used_ones.add(one)
            used_others.add(other)
            pairs.append((ones[one], others[other]))
    return pairs


def _with_places(things: Mapping[str, Thing]) -> list[tuple[Thing, shapely.Geometry]]:
    placed = [(thing, thing.shape) for thing in things.values() if thing.shape is not None]
    return [(thing, shape) for thing, shape in placed if not shapely.is_empty(shape)]


def _in_place(pairs: Sequence[Pair]) -> bool:
    """Whether at least half of the things that share an id and have a place lie in one place."""
    far = near = 0
    for one, other in pairs:
        if one.shape is None or other.shape is None:
            continue
        if apart(one.shape, other.shape).across_m <= REACH_M:
            near += 1
        else:
            far += 1
    return near >= far
