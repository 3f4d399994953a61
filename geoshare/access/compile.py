"""Decides, for each row of a part, what a policy leaves of it.

A grant *matches* a row when its row rule holds and its area meets the row's geometry; it *covers* the
row when none of the geometry would be cut away. A row is visible when some grant matches it; its
geometry is whole when some grant covers it; a column of it is visible when a grant that lists the
column covers the geometry that is given out. So columns and places that no single grant allows
together never meet in one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoshare.access.fence import against_area
from geoshare.filter import check, evaluate, fields_of
from geoshare.filter.literals import read_geometry
from geoshare.model.collections import Collection
from geoshare.model.policy import Grant
from tiles.arrays import FeatureTable

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Treatment:
    """What happens to rows that the same grants match: columns kept, grid size, fence."""

    rows: NDArray[np.int32]
    columns: frozenset[str]
    snap_m: float
    area: BaseGeometry | None  # None: the whole geometry

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


def treatments(
    grants: Sequence[Grant], collection: Collection, table: FeatureTable, alive: Mask
) -> list[Treatment]:
    """Group the rows of one part that are alive and visible by what is done to them."""
    if not grants or not len(table):
        return []
    candidates = np.flatnonzero(alive).astype(np.int32)
    names = visible_columns(grants, collection)
    matched = [_match(grant, collection, table, candidates) for grant in grants]
    pattern = np.zeros(len(candidates), np.int64)
    for matches, covers in matched:
        pattern = pattern * 4 + matches * 2 + covers
    found = []
    for value in np.unique(pattern[pattern != 0]):
        digits = [int(value) >> 2 * place & 3 for place in reversed(range(len(grants)))]
        # bit 1 of a digit says matches, bit 0 covers
        matching = [grant for grant, digit in zip(grants, digits, strict=True) if digit & 2]
        covering = [grant for grant, digit in zip(grants, digits, strict=True) if digit & 1]
        found.append(_treat(candidates[pattern == value], matching, covering, names))
    return found


def _match(
    grant: Grant, collection: Collection, table: FeatureTable, rows: NDArray[np.int32]
) -> tuple[Mask, Mask]:
    """Which rows the grant matches, and which of them it covers."""
    matches = np.ones(len(rows), bool)
    if grant.rows is not None:
        matches = evaluate(check(grant.rows, fields_of(collection)), table, rows)
    covers = matches.copy()
    if grant.area is not None:
        area = read_geometry(grant.area)
        meets, inside = against_area(area, table, rows[matches])
        matches[matches] = meets
        whole = np.full(len(rows), False)
        whole[covers] = inside if grant.area_mode == "clip" else meets
        covers = whole
    return matches, covers


def _treat(
    rows: NDArray[np.int32], matching: list[Grant], covering: list[Grant], names: tuple[str, ...]
) -> Treatment:
    if covering:
        columns = frozenset(name for grant in covering for name in _columns(grant, names))
        return Treatment(rows, columns, min(grant.snap_m for grant in covering), None)
    area = shapely.union_all([read_geometry(grant.area or {}) for grant in matching])
    # Only columns that every fence allows hold for the whole of what is given out.
    shared = frozenset.intersection(*(_columns(grant, names) for grant in matching))
    return Treatment(rows, shared, max(grant.snap_m for grant in matching), area)


def _columns(grant: Grant, names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(names if grant.columns == "all" else grant.columns)
