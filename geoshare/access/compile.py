"""Decides, for each row of a part, what a policy leaves of it.

A grant *matches* a row when its row rule holds and its area meets the row's geometry; it *covers* the
row when none of the geometry would be cut away. Under a grant that rounds places the rounded geometry
decides, against its area without a strip of half a cell. A row is visible when some grant matches it;
its geometry is whole when some grant covers it; a column of it is visible when a grant that lists the
column covers the geometry that is given out. So columns and places that no single grant allows
together never meet in one row. Delay and window are rules on the row, like ``rows``: a grant that
shows a row later than another lends it no column before then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoshare.access.fence import against_area, drawn_in
from geoshare.access.released import released
from geoshare.access.transforms import within_times
from geoshare.filter import check, evaluate, fields_of
from geoshare.filter.literals import DAY_US, read_geometry
from geoshare.model.collections import Collection
from geoshare.model.policy import NULL, Grant, Transform, common, finest
from tiles.arrays import FeatureTable, Kind

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Treatment:
    """What happens to rows that the same grants match: columns shown, grid size, fence, transforms.

    ``transforms`` has those of the columns shown whose values do not stay as they are.
    """

    rows: NDArray[np.int32]
    columns: frozenset[str]
    snap_m: float
    area: BaseGeometry | None  # None: the whole geometry
    transforms: Mapping[str, Transform] = field(default_factory=dict)

    @property
    def reshapes(self) -> bool:
        """Whether the geometry changes."""
        return self.snap_m > 0 or self.area is not None


def visible_columns(grants: Sequence[Grant], collection: Collection) -> tuple[str, ...]:
    """Names some grant lists, in the order of the schema."""
    names = [item.name for item in collection.properties]
    if any(grant.columns == "all" for grant in grants):
        return tuple(names)
    listed = {name for grant in grants for name in grant.columns}
    return tuple(name for name in names if name in listed)


def hashed_columns(grants: Sequence[Grant], collection: Collection) -> frozenset[str]:
    """Columns of which the grants show hashes at most: strings, whatever they were."""
    found = set()
    for name in visible_columns(grants, collection):
        kinds = {grant.transform(name).kind for grant in grants if grant.lists(name)}
        if "hash" in kinds and kinds <= {"hash", "null"}:
            found.add(name)
    return frozenset(found)


def unchanged_columns(grants: Sequence[Grant], collection: Collection) -> frozenset[str]:
    """Columns that every row of the view has as they are: levels of detail may go by these alone."""
    return frozenset(
        name
        for name in visible_columns(grants, collection)
        if all(grant.lists(name) and grant.transform(name).kind == "keep" for grant in grants)
    )


def treatments(
    grants: Sequence[Grant],
    collection: Collection,
    table: FeatureTable,
    alive: Mask,
    tick_us: int | None = None,
) -> list[Treatment]:
    """Group the rows of one part that are alive and visible by what is done to them.

    ``tick_us`` is the keeper's tick in microseconds since 1970 (UTC), by which delays move;
    without one, grants with a delay or a window show nothing.
    """
    if not grants or not len(table):
        return []
    candidates = np.flatnonzero(alive).astype(np.int32)
    shown = _Shown(grants, collection)
    matched = [_match(grant, collection, table, candidates, tick_us) for grant in grants]
    pattern = np.zeros(len(candidates), np.int64)
    for matches, covers in matched:
        pattern = pattern * 4 + matches * 2 + covers
    found = []
    for value in _values(pattern[pattern != 0], 4 ** len(grants)):
        digits = [int(value) >> 2 * place & 3 for place in reversed(range(len(grants)))]
        # bit 1 of a digit says matches, bit 0 covers
        matching = [grant for grant, digit in zip(grants, digits, strict=True) if digit & 2]
        covering = [grant for grant, digit in zip(grants, digits, strict=True) if digit & 1]
        found.append(_treat(candidates[pattern == value], matching, covering, shown))
    return found


def _values(pattern: NDArray[np.int64], below: int) -> NDArray[np.int64]:
    """Which values there are; counted where they are few, since sorting a million rows is slow."""
    return np.flatnonzero(np.bincount(pattern)) if below <= 1 << 16 else np.unique(pattern)


def _match(
    grant: Grant,
    collection: Collection,
    table: FeatureTable,
    rows: NDArray[np.int32],
    tick_us: int | None,
) -> tuple[Mask, Mask]:
    """Which rows the grant matches, and which of them it covers."""
    matches = released(grant.release_classes, table, rows) & _in_time(
        grant, collection, table, rows, tick_us
    )
    if grant.rows is not None:
        matches &= evaluate(check(grant.rows, fields_of(collection)), table, rows)
    covers = matches.copy()
    if grant.area is not None:
        meets, inside = against_area(_fence_of(grant), table, rows[matches], grant.snap_m)
        matches[matches] = meets
        whole = np.full(len(rows), False)
        whole[covers] = inside if grant.area_mode == "clip" else meets
        covers = whole
    return matches, covers


def area_of(grant: Grant) -> BaseGeometry:
    """The fence of a grant that has one.

    Raises
    ------
    ValueError
        for an administrative code that nobody has replaced by its area: never an allow.
    """
    if not isinstance(grant.area, dict):
        raise ValueError(f"the area {grant.area!r} has not been looked up")
    return read_geometry(grant.area)


def _fence_of(grant: Grant) -> BaseGeometry:
    """The fence within which rounded places count."""
    return drawn_in(area_of(grant), grant.snap_m)


def _in_time(
    grant: Grant,
    collection: Collection,
    table: FeatureTable,
    rows: NDArray[np.int32],
    tick_us: int | None,
) -> Mask:
    """Rows that the grant's delay and window show; of a column that is not there, none."""
    if grant.delay is None and grant.window is None:
        return np.ones(len(rows), bool)
    times_us, known = observed_times(collection, table, rows)
    return within_times(grant, tick_us, times_us, known)


def observed_times(
    collection: Collection, table: FeatureTable, rows: NDArray[np.int32]
) -> tuple[NDArray[np.int64], Mask]:
    """When the rows (n,) were observed, in microseconds (UTC), and for which of them that is known."""
    column = next((item for item in table.columns if item.name == collection.observed), None)
    if column is None:
        return np.zeros(len(rows), np.int64), np.zeros(len(rows), bool)
    known = np.ones(len(rows), bool) if column.valid is None else column.valid[rows].astype(bool)
    times_us = column.values[rows].astype(np.int64)
    if column.kind is Kind.DATE:
        times_us = (times_us + 1) * DAY_US - 1  # a day is observed when it is over
    return times_us, known


class _Shown:
    """Visible columns, and what their values may be: one kind for each column of a view."""

    def __init__(self, grants: Sequence[Grant], collection: Collection) -> None:
        self.names = visible_columns(grants, collection)
        self._hashed = hashed_columns(grants, collection)
        self._kinds = fields_of(collection)

    def of(self, grant: Grant) -> frozenset[str]:
        """Visible columns that a grant lists."""
        return frozenset(name for name in self.names if grant.lists(name))

    def changed(
        self,
        columns: Iterable[str],
        grants: Sequence[Grant],
        choose: Callable[[Iterable[Transform]], Transform],
    ) -> dict[str, Transform]:
        """The transform of each column, where it has one."""
        found: dict[str, Transform] = {}
        for name in columns:
            transform = choose([grant.transform(name) for grant in grants if grant.lists(name)])
            if transform.kind == "hash" and not self._takes_hash(name):
                transform = NULL  # a text among numbers: other rows of this column are no hashes
            if transform.kind != "keep":
                found[name] = transform
        return found

    def _takes_hash(self, name: str) -> bool:
        return name in self._hashed or self._kinds[name] is Kind.STRING


def _treat(
    rows: NDArray[np.int32], matching: list[Grant], covering: list[Grant], shown: _Shown
) -> Treatment:
    if covering:
        columns = frozenset().union(*(shown.of(grant) for grant in covering))
        changed = shown.changed(columns, covering, finest)
        return Treatment(rows, columns, min(grant.snap_m for grant in covering), None, changed)
    area = shapely.union_all([_fence_of(grant) for grant in matching])
    # Only what every fence allows holds for the whole of what is given out.
    columns = frozenset.intersection(*(shown.of(grant) for grant in matching))
    changed = shown.changed(columns, matching, common)
    return Treatment(rows, columns, max(grant.snap_m for grant in matching), area, changed)
