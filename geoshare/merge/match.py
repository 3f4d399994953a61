"""Which features of several providers are one: matched by place, direction and kind.

Two providers that state within how many metres their positions are right can both be right about one
thing only where these lie no farther apart than the two accuracies together. That alone decides
nothing: of either provider's features the other must be the nearest by far, or they stay apart. A
match that is not clear is none; both features then lie side by side.

What is found depends on the features alone. Whether two of them match can be told from those within
:data:`REACH_M` of both, so that a change is decided anew around itself and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, repeat
from typing import Any, Final

import numpy as np
import shapely

from geoshare.model.foundation import Rules

MOST_ACCURACY_M: Final = 10.0  # what is known less well than this cannot be told from its neighbours
REACH_M: Final = 2 * MOST_ACCURACY_M
CLEAR: Final = 2.0  # so many times farther away must the second nearest be
_ROWS: Final = 4_000  # of cells to a degree of latitude: 28 m
_DEGREE_M: Final = 111_319.49  # of longitude at the equator, and, nearly, of latitude
_LINE: Final = shapely.GeometryType.LINESTRING
_LONGEST: Final = 2**21  # more than the cells of a row


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider's record that may be the same feature as another's.

    ``member`` is the id it has as long as it is alone; ``geometry`` is in CRS84 degrees.
    """

    member: str
    provider: str
    release_class: str
    geometry: shapely.Geometry
    accuracy_m: float
    properties: Mapping[str, Any]


def cell_of(bounds: Sequence[float], accuracy_m: float | None) -> int | None:
    """The cell of a grid in which a record is looked for, by the middle of its bounding box.

    Parameters
    ----------
    bounds
        West, south, east, north in degrees.
    accuracy_m
        Metres within which it is stated to be right.

    Returns
    -------
    None where it cannot be matched: no accuracy is stated, or one above :data:`MOST_ACCURACY_M`.
    """
    if accuracy_m is None or not 0 < accuracy_m <= MOST_ACCURACY_M or bounds[0] != bounds[0]:
        return None
    lon, lat = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    row = math.floor((lat + 90) * _ROWS)
    return row * _LONGEST + _column(lon, row)


def cells_around(cell: int) -> list[int]:
    """Cells in which everything within reach of something in this cell lies, this one among them."""
    row, column = divmod(cell, _LONGEST)
    per_degree = _ROWS * _shrink(row)
    west, east = column / per_degree - 180, (column + 1) / per_degree - 180
    found = []
    for near in range(max(row - 1, 0), row + 2):
        reach = REACH_M / (_DEGREE_M * max(_shrink(near), 1e-3))
        first, last = _column(west - reach, near), _column(east + reach, near)
        found += [near * _LONGEST + at for at in range(max(first, 0), last + 1)]
    return found


def _column(lon: float, row: int) -> int:
    return math.floor((lon + 180) * _ROWS * _shrink(row))


def _shrink(row: int) -> float:
    """How long a degree of longitude is in a row of cells, against one of latitude."""
    return max(math.cos(math.radians((row + 0.5) / _ROWS - 90)), 1e-3)


def distance_m(one: Candidate, other: Candidate, rules: Rules) -> float | None:
    """How far apart two records are, in metres; None where they cannot be the same feature.

    The Hausdorff distance, on the plane that touches the ellipsoid's sphere there: no place of either
    is farther than that from the other. Lines must also begin and end alike.
    """
    if one.provider == other.provider or one.release_class != other.release_class:
        return None
    if shapely.get_dimensions(one.geometry) != shapely.get_dimensions(other.geometry):
        return None
    for name in rules.kind:
        said, rival = one.properties.get(name), other.properties.get(name)
        if said is not None and rival is not None and said != rival:
            return None
    first, second = sorted((one, other), key=lambda item: item.member)
    most_m = first.accuracy_m + second.accuracy_m
    scale = _scale(first.geometry)
    a, b = _metres(first.geometry, scale), _metres(second.geometry, scale)
    ends = _ends_m(a, b, directed=rules.directed)
    if ends > most_m or shapely.distance(a, b) > most_m:
        return None
    found = max(float(shapely.hausdorff_distance(a, b)), ends)
    return found if found <= most_m else None


def _ends_m(one: shapely.Geometry, other: shapely.Geometry, *, directed: bool) -> float:
    """How far the ends of two lines are apart; 0 for what is no single line."""
    if any(shapely.get_type_id(item) != _LINE for item in (one, other)):
        return 0.0
    a, b = shapely.get_coordinates(one)[[0, -1]], shapely.get_coordinates(other)[[0, -1]]
    along = float(np.linalg.norm(a - b, axis=1).max())
    return along if directed else min(along, float(np.linalg.norm(a - b[::-1], axis=1).max()))


def _scale(shape: shapely.Geometry) -> tuple[float, float]:
    lat = float(shapely.get_coordinates(shape)[0, 1])
    return _DEGREE_M * math.cos(math.radians(lat)), _DEGREE_M


def _metres(shape: shapely.Geometry, scale: tuple[float, float]) -> shapely.Geometry:
    return shapely.transform(shapely.force_2d(shape), lambda lon_lat: lon_lat * scale)


class Matcher:
    """Matches of one collection, each pair measured once."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._known: dict[str, Candidate] = {}
        self._near: dict[str, Collection[str]] = {}
        self._measured: dict[tuple[str, str], float | None] = {}
        self._best: dict[str, dict[str, str]] = {}

    def add(self, records: Iterable[Candidate], near: Mapping[str, Collection[str]]) -> None:
        """Make records known, and, of some of them, all that lie within reach (members)."""
        self._known |= {record.member: record for record in records}
        self._near |= near

    def surveyed(self, member: str) -> bool:
        """Whether it is known what lies within reach of a record."""
        return member in self._near

    def best(self, member: str) -> dict[str, str]:
        """By provider, the record that is clearly the nearest to this one."""
        found = self._best.get(member)
        if found is None:
            found = self._best[member] = self._nearest(member)
        return found

    def groups(self, members: Iterable[str]) -> list[tuple[str, ...]]:
        """Members that are one feature, each group in order; who matches nobody is alone.

        Closest pairs first; a group grows only by who matches all of it, so that nothing is drawn
        from feature to feature.
        """
        wanted = sorted(set(members))
        edges = []
        for member in wanted:
            for other in self.best(member).values():
                if member < other and self._mutual(member, other):
                    edges.append((self._distance(member, other) or 0.0, member, other))
        group: dict[str, tuple[str, ...]] = {member: (member,) for member in wanted}
        matched = {(one, other) for _, one, other in edges}
        for _, one, other in sorted(edges):
            first, second = group.get(one, (one,)), group.get(other, (other,))
            if first is second:
                continue
            joined = tuple(sorted((*first, *second)))
            if all(pair in matched for pair in combinations(joined, 2)):
                group.update(zip(joined, repeat(joined), strict=False))
        return sorted(set(group.values()))

    def matches(self, member: str) -> list[str]:
        """Records whose match with this one is mutual."""
        return [other for other in self.best(member).values() if self._mutual(member, other)]

    def _mutual(self, one: str, other: str) -> bool:
        return self.best(other).get(self._known[one].provider) == one

    def _nearest(self, member: str) -> dict[str, str]:
        near: dict[str, list[tuple[float, str]]] = {}
        for other in self._near.get(member, ()):
            found = self._distance(member, other)
            if found is not None:
                near.setdefault(self._known[other].provider, []).append((found, other))
        clear = {}
        for provider, some in near.items():
            (closest, name), *rest = sorted(some)
            if not rest or rest[0][0] > CLEAR * closest:
                clear[provider] = name
        return clear

    def _distance(self, one: str, other: str) -> float | None:
        pair = (one, other) if one < other else (other, one)
        if one == other:
            return None
        if pair not in self._measured:
            first, second = (self._known[name] for name in pair)
            self._measured[pair] = distance_m(first, second, self._rules)
        return self._measured[pair]


def anchor(members: Sequence[str], providers: Mapping[str, str], rules: Rules) -> str:
    """The member whose id a feature has: of the first declared provider, else the least.

    So a feature keeps its id when providers that come later in the declared order join or leave.
    """
    return min(members, key=lambda member: (rules.place(providers[member]), member))
