"""When the rows of a table appear, remembered, and small indices over the few that low zooms show."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from tiles.arrays import Column, FeatureTable, Geometries, Rows
from tiles.generalise.rule import DetailRule
from tiles.generalise.zooms import NEVER, first_zooms
from tiles.geometry.convert import world_boxes
from tiles.index.rtree import build_nodes, level_starts

FEW: Final = 8
"""Rows are few where they are at most this part of all."""

_NULLS: Final = "null in every row"


class Few(NamedTuple):
    """Some rows of a table, ascending, and a packed R-tree over their boxes alone."""

    rows: NDArray[np.int32]  # (k,)
    boxes: NDArray[np.int32]  # (k, 4)
    nodes: NDArray[np.int32]  # (m, 4)
    level_starts: NDArray[np.int64]


class Appearance:
    """When each row of a table appears.

    Rows keep their order: what a zoom shows of a table is found by an index of its own, not by
    sorting the table, whose order must tell nothing.
    """

    def __init__(self, table: FeatureTable, zooms: NDArray[np.uint8]) -> None:
        self.zooms = zooms  # (n,)
        boxes = table.boxes
        self._boxes = world_boxes(table.geometries, table.world_xy) if boxes is None else boxes
        self._counts = np.cumsum(np.bincount(zooms, minlength=NEVER + 1))
        self._few: dict[int, Few] = {}

    def few(self, z: int) -> Few | None:
        """Rows that appear at a zoom or before; None where they are not few.

        Made when first asked for. Zooms that show the same rows share them.
        """
        count = int(self._counts[min(z, NEVER - 1)])
        if count > len(self.zooms) // FEW:
            return None
        found = self._few.get(count)
        if found is None:
            found = self._few[count] = self._gather(z)
        return found

    def _gather(self, z: int) -> Few:
        rows = np.flatnonzero(self.zooms <= z).astype(np.int32)
        boxes = self._boxes[rows]
        nodes = build_nodes(boxes)
        for array in (rows, boxes, nodes):
            array.setflags(write=False)
        return Few(rows, boxes, nodes, level_starts(len(rows)))


# What a rule makes of a part depends on geometry and on the columns it reads. Views share both, so
# the second key finds what another view of the part has already worked out. Columns without any
# value are made anew for each view; they count as one.
_Key = tuple[DetailRule, tuple[Column | str | None, ...]]
_of_tables: WeakKeyDictionary[FeatureTable, dict[DetailRule, Appearance]] = WeakKeyDictionary()
_of_shapes: WeakKeyDictionary[Geometries, dict[_Key, Appearance]] = WeakKeyDictionary()


def appearance(table: FeatureTable, rule: DetailRule) -> Appearance:
    """When the rows of a table appear, by those of the rule's columns that it has."""
    known = _of_tables.setdefault(table, {})
    found = known.get(rule)
    if found is None:
        found = known[rule] = _shared(table, rule, None)
    return found


def visible_at(rows: Rows, z: int, rule: DetailRule, columns: Collection[str] | None = None) -> Rows:
    """Leave the rows that appear at a zoom, in their order.

    Parameters
    ----------
    rows
        Any rows.
    z
        The zoom.
    rule
        What appears when.
    columns
        The rule reads no others. None: all that the tables have.
    """
    numbers = []
    for table, chosen in rows.pairs:
        if len(chosen) and (int(chosen.min()) < 0 or int(chosen.max()) >= len(table)):
            raise IndexError("a row number is outside its table")
        zooms = (appearance(table, rule) if columns is None else _shared(table, rule, columns)).zooms
        numbers.append(chosen[zooms[chosen] <= z])
    return Rows(rows.tables, tuple(numbers))


def _shared(table: FeatureTable, rule: DetailRule, names: Collection[str] | None) -> Appearance:
    own = {column.name: column for column in table.columns if names is None or column.name in names}
    columns = [own.get(name) for name in rule.min_zoom_by_value]
    key = (rule, tuple(_NULLS if _is_null(column) else column for column in columns))
    known = _of_shapes.setdefault(table.geometries, {})
    found = known.get(key)
    if found is None:
        found = known[key] = Appearance(table, first_zooms(table, rule, columns))
    return found


def _is_null(column: Column | None) -> bool:
    return column is not None and column.valid is not None and not column.valid.any()
