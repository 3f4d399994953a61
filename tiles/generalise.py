"""Level of detail: which features appear from which zoom.

Whether a feature appears depends on the feature, the zoom and the rule alone: never on other rows,
on the tile, or on a column that is not given. So neighbouring tiles agree, and a hidden row or
column changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import int32_view, uint8_view
from tiles.arrays import Column, FeatureTable, GeometryType, Kind, Rows
from tiles.geometry.convert import world_boxes
from tiles.grid import MAX_ZOOM

Value = str | int | bool

_TILE_UNITS_BITS = 12  # 4096 units
_WORLD_BITS = 32
_POINT, _MULTIPOINT = int(GeometryType.POINT), int(GeometryType.MULTIPOINT)


@dataclass(frozen=True, slots=True)
class DetailRule:
    """What appears from which zoom.

    Parameters
    ----------
    min_zoom_by_value
        Column to value to the zoom from which features with that value appear. With several
        columns, a feature appears as soon as one of its values lets it.
    min_zoom_default
        For features with none of those values. It holds only where at least one of those columns is
        there; where none is, geometry alone decides.
    by_size
        Lines and polygons appear once the longer side of their box has ``min_units``.
    min_units
        In tile units, 4096 to a tile.
    thin_points_below
        Each zoom below this shows a quarter of the points of the next, by their identity. None:
        every zoom shows all.
    """

    min_zoom_by_value: Mapping[str, Mapping[Value, int]] = field(default_factory=dict)
    min_zoom_default: int = 0
    by_size: bool = True
    min_units: float = 2.0
    thin_points_below: int | None = None

    def min_side(self, z: int) -> float:
        """World units that the longer side of a line or polygon has where it appears at a zoom."""
        return self.min_units * 2.0 ** (_WORLD_BITS - _TILE_UNITS_BITS - z) if self.by_size else 0.0


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
    return Rows(
        rows.tables,
        tuple(_visible(table, numbers, z, rule, columns) for table, numbers in rows.pairs),
    )


def size_zooms(
    boxes: NDArray[np.int32], min_units: float = DetailRule().min_units
) -> NDArray[np.uint8]:
    """First zoom at which the longer side of each box has so many tile units.

    Parameters
    ----------
    boxes
        (n, 4) west, south, east, north in world units. A box without size is there from zoom 0: a
        point has no size to wait for.

    Returns
    -------
    (n,) 0 to MAX_ZOOM.
    """
    sides = _longer_sides(boxes)
    with np.errstate(divide="ignore"):
        zooms = np.ceil(np.log2(min_units) + _WORLD_BITS - _TILE_UNITS_BITS - np.log2(sides))
    zooms[sides <= 0] = 0
    first: NDArray[np.uint8] = np.clip(zooms, 0, MAX_ZOOM).astype(np.uint8)
    return first


def _longer_sides(boxes: NDArray[np.int32]) -> NDArray[np.float64]:
    wide = boxes[:, 2].astype(np.float64) - boxes[:, 0]
    return np.maximum(wide, boxes[:, 3].astype(np.float64) - boxes[:, 1])


def _visible(
    table: FeatureTable,
    numbers: NDArray[np.int32],
    z: int,
    rule: DetailRule,
    columns: Collection[str] | None,
) -> NDArray[np.int32]:
    there = [
        column
        for column in table.columns
        if column.name in rule.min_zoom_by_value and (columns is None or column.name in columns)
    ]
    if there:
        numbers = numbers[_value_zooms(there, numbers, rule) <= z]
    if rule.by_size:
        numbers = numbers[_large_enough(table, numbers, rule.min_side(z))]
    if rule.thin_points_below is not None and z < rule.thin_points_below:
        numbers = numbers[_drawn(table, numbers, rule.thin_points_below - z)]
    return numbers


def _large_enough(table: FeatureTable, numbers: NDArray[np.int32], needed: float) -> NDArray[np.bool_]:
    boxes = table.boxes
    if boxes is None:
        boxes = world_boxes(table.geometries, table.world_xy)
    boxes, chosen = np.ascontiguousarray(boxes), np.ascontiguousarray(numbers, dtype=np.int32)
    types = np.ascontiguousarray(table.geometries.types)
    if len(chosen) and (int(chosen.min()) < 0 or int(chosen.max()) >= len(table)):
        raise IndexError("a row number is outside its table")
    enough = np.empty(len(chosen), dtype=np.bool_)
    # by address, because the arrays of a mapped file have other types than those in memory
    _mark_large(boxes.ctypes.data, types.ctypes.data, chosen.ctypes.data, needed, enough)
    return enough


@njit(nogil=True, cache=True)
def _mark_large(
    boxes_at: int, types_at: int, numbers_at: int, needed: float, enough: NDArray[np.bool_]
) -> None:
    """Mark points, and what is at least so many world units wide or high."""
    boxes, types = int32_view(boxes_at, 1), uint8_view(types_at, 1)
    numbers = int32_view(numbers_at, len(enough))
    for i in range(len(enough)):
        row = numbers[i]
        kind = types[row]
        wide = float(boxes[4 * row + 2]) - float(boxes[4 * row])
        high = float(boxes[4 * row + 3]) - float(boxes[4 * row + 1])
        enough[i] = kind in (_POINT, _MULTIPOINT) or max(wide, high) >= needed


def _are_points(table: FeatureTable, numbers: NDArray[np.int32]) -> NDArray[np.bool_]:
    types = table.geometries.types[numbers]
    return (types == GeometryType.POINT) | (types == GeometryType.MULTIPOINT)


def _drawn(table: FeatureTable, numbers: NDArray[np.int32], steps: int) -> NDArray[np.bool_]:
    """Whether points are among the one in 4^steps; all else is."""
    mask = np.uint64((1 << min(2 * steps, 63)) - 1)
    drawn: NDArray[np.bool_] = (table.id_hash[numbers] & mask) == 0
    return drawn | ~_are_points(table, numbers)


def _value_zooms(
    columns: list[Column], numbers: NDArray[np.int32], rule: DetailRule
) -> NDArray[np.uint8]:
    """Lowest zoom that any of the columns gives to each row."""
    none = MAX_ZOOM + 1
    zooms = np.full(len(numbers), none, dtype=np.uint8)
    for column in columns:
        found = _zooms(column, numbers, rule.min_zoom_by_value[column.name], none)
        np.minimum(zooms, found, out=zooms)
    zooms[zooms == none] = rule.min_zoom_default
    return zooms


def _zooms(
    column: Column, numbers: NDArray[np.int32], zoom_of: Mapping[Value, int], none: int
) -> NDArray[np.uint8]:
    values = column.values[numbers]
    if column.kind == Kind.STRING:
        by_code = _zooms_of_codes(column, zoom_of, none)
        found = by_code[values] if len(by_code) else np.full(len(values), none, dtype=np.uint8)
    else:
        found = np.full(len(values), none, dtype=np.uint8)
        for value, zoom in zoom_of.items():
            if isinstance(value, bool) == (column.kind == Kind.BOOL) and not isinstance(value, str):
                found[values == value] = zoom
    if column.valid is not None:
        found[column.valid[numbers] == 0] = none
    return found


_by_code: WeakKeyDictionary[Column, dict[Any, NDArray[np.uint8]]] = WeakKeyDictionary()


def _zooms_of_codes(column: Column, zoom_of: Mapping[Value, int], none: int) -> NDArray[np.uint8]:
    """Zoom of each dictionary entry, remembered as long as the column lives."""
    known = _by_code.setdefault(column, {})
    key = tuple(zoom_of.items())
    if key not in known:
        known[key] = _look_up(column, zoom_of, none)
    return known[key]


def _look_up(column: Column, zoom_of: Mapping[Value, int], none: int) -> NDArray[np.uint8]:
    offsets, text = column.dictionary_offsets, column.dictionary_bytes
    if offsets is None or text is None:
        return np.zeros(0, dtype=np.uint8)
    found = np.full(max(len(offsets) - 1, 0), none, dtype=np.uint8)
    wanted = {value.encode(): zoom for value, zoom in zoom_of.items() if isinstance(value, str)}
    # only entries as long as a wanted value are looked at: dictionaries may have millions
    lengths = np.diff(offsets)
    for code in np.flatnonzero(np.isin(lengths, [len(value) for value in wanted])).tolist():
        entry = text[offsets[code] : offsets[code + 1]].tobytes()
        found[code] = wanted.get(entry, none)
    return found
