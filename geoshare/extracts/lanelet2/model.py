"""A Lanelet2 map on its way into a file: nodes, ways and relations, and what was lost."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_LARGEST: Final = 2**63 - 1
_OURS: Final = 2**52  # ids that we give are above all that maps usually have, and below 2^53
_PLACE_DIGITS: Final = 9  # of degrees: 0.1 mm
_HEIGHT_DIGITS: Final = 4


class Member(NamedTuple):
    """One member of a relation."""

    type: str  # node, way, relation
    ref: int
    role: str


@dataclass(slots=True)
class Node:
    """A place: longitude, latitude, height (NaN where unknown)."""

    id: int
    place: tuple[float, float, float]
    tags: dict[str, str]


@dataclass(slots=True)
class Way:
    """A line through nodes."""

    id: int
    nodes: list[int]
    tags: dict[str, str]


@dataclass(slots=True)
class Relation:
    """A lanelet, an area, a rule, or what else joins elements."""

    id: int
    members: list[Member]
    tags: dict[str, str]


class Ids:
    """Gives ids of one kind of element: the wished one where it is free, else one made of a name.

    The same name has the same id in every file, so that maps of two days can be compared.
    """

    def __init__(self) -> None:
        self._taken: set[int] = set()

    def give(self, name: str, wished: object = None) -> int:
        """An id that nothing of the kind has yet."""
        number = _whole(wished)
        if number is None or number in self._taken:
            digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
            number = _OURS + int.from_bytes(digest, "big") % _OURS
            while number in self._taken:
                number += 1
        self._taken.add(number)
        return number


def _whole(text: object) -> int | None:
    """A kept id; None where it is none that Lanelet2 can hold (0 is its id of nothing)."""
    try:
        number = int(str(text))
    except ValueError:
        return None
    return number if number and abs(number) <= _LARGEST else None


@dataclass
class Losses:
    """What an export approximated and left out."""

    horizontal_m: float = 0.0
    vertical_m: float = 0.0
    approximated: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    def moved(self, horizontal_m: float, vertical_m: float) -> None:
        """Note how far something was moved."""
        self.horizontal_m = max(self.horizontal_m, horizontal_m)
        self.vertical_m = max(self.vertical_m, vertical_m)

    def said(self) -> dict[str, object]:
        """As the report says it."""
        return {
            "largest_error_m": {
                "horizontal": round(self.horizontal_m, 4),
                "vertical": round(self.vertical_m, 4),
            },
            "approximated": {name: count for name, count in sorted(self.approximated.items()) if count},
            "dropped": {name: count for name, count in sorted(self.dropped.items()) if count},
        }


@dataclass
class OutMap:
    """All elements of one file, and which of them stands for which feature."""

    nodes: dict[int, Node] = field(default_factory=dict)
    ways: dict[int, Way] = field(default_factory=dict)
    relations: dict[int, Relation] = field(default_factory=dict)
    of_feature: dict[str, list[tuple[str, int]]] = field(default_factory=dict)  # (type, id)
    losses: Losses = field(default_factory=Losses)
    kept: int = 0  # features that came in as Lanelet2
    _node_ids: Ids = field(default_factory=Ids)
    _way_ids: Ids = field(default_factory=Ids)
    _relation_ids: Ids = field(default_factory=Ids)
    _at: dict[tuple[float, ...], int] = field(default_factory=dict)
    _wished: dict[tuple[float | str, ...], int] = field(default_factory=dict)

    def node(self, place: Array, wished: object = None, tags: dict[str, str] | None = None) -> int:
        """The node at a place (lon, lat, height); without a wish the one that is there already."""
        lon, lat, up = (float(value) for value in place)
        spot = (round(lon, _PLACE_DIGITS), round(lat, _PLACE_DIGITS), _height(up))
        key = (str(wished), *spot)
        found = self._at.get(spot) if wished is None else self._wished.get(key)
        if found is None:
            found = self._node_ids.give(repr(spot), wished)
            self.nodes[found] = Node(found, (lon, lat, up), {})
            self._at.setdefault(spot, found)
            if wished is not None:
                self._wished[key] = found
        self.nodes[found].tags |= tags or {}
        return found

    def way(self, feature: str, nodes: list[int], tags: dict[str, str], wished: object = None) -> int:
        """A new way that stands for a feature, or for a part of it."""
        found = self._way_ids.give(f"way {feature} {len(self.of_feature.get(feature, ()))}", wished)
        self.ways[found] = Way(found, nodes, tags)
        self.of_feature.setdefault(feature, []).append(("way", found))
        return found

    def relation(
        self, feature: str, members: Iterable[Member], tags: dict[str, str], wished: object = None
    ) -> int:
        """A new relation that stands for a feature, or for a part of it."""
        name = f"relation {feature} {len(self.of_feature.get(feature, ()))}"
        found = self._relation_ids.give(name, wished)
        self.relations[found] = Relation(found, list(members), tags)
        self.of_feature.setdefault(feature, []).append(("relation", found))
        return found


def _height(value: float) -> float:
    return round(value, _HEIGHT_DIGITS) if np.isfinite(value) else -1e9
