"""The zoom from which each row of a table appears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import int32_view, uint8_view, uint64_view
from tiles.arrays import Column, FeatureTable, GeometryType, Kind
from tiles.generalise.rule import DetailRule, Value
from tiles.geometry.convert import world_boxes
from tiles.grid import MAX_ZOOM

NEVER: Final = MAX_ZOOM + 1
"""The zoom of what no zoom shows."""

_POINT, _MULTIPOINT = int(GeometryType.POINT), int(GeometryType.MULTIPOINT)
_NO_THINNING = -1


def first_zooms(
    table: FeatureTable, rule: DetailRule, columns: Sequence[Column | None]
) -> NDArray[np.uint8]:
    """First zoom at which each row appears; it appears at all deeper ones too.

    Parameters
    ----------
    table
        Its geometry and identities are read, and none of its columns but those given.
    rule
        What appears when.
    columns
        For each column the rule names, in its order, the table's own; None where there is none.

    Returns
    -------
    (n,) 0 to MAX_ZOOM, or NEVER.
    """
    zooms = _value_zooms(columns, len(table), rule)
    boxes = table.boxes
    if boxes is None:
        boxes = world_boxes(table.geometries, table.world_xy)
    boxes, types = np.ascontiguousarray(boxes), np.ascontiguousarray(table.geometries.types)
    hashes = np.ascontiguousarray(table.id_hash)
    sides = np.array([rule.min_side(z) for z in range(MAX_ZOOM + 1)])
    thin = _NO_THINNING if rule.thin_points_below is None else rule.thin_points_below
    # by address, because the arrays of a mapped file have other types than those in memory
    _raise_zooms(boxes.ctypes.data, types.ctypes.data, hashes.ctypes.data, sides, thin, zooms)
    zooms.setflags(write=False)
    return zooms


@njit(nogil=True, cache=True)
def _raise_zooms(
    boxes_at: int,
    types_at: int,
    hashes_at: int,
    sides: NDArray[np.float64],
    thin_below: int,
    zooms: NDArray[np.uint8],
) -> None:
    """Raise the zoom of each row to where its size, or of points its place in line, lets it appear."""
    n = len(zooms)
    boxes, types = int32_view(boxes_at, 4 * n), uint8_view(types_at, n)
    hashes = uint64_view(hashes_at, n)
    for row in range(n):
        if types[row] in (_POINT, _MULTIPOINT):
            least = _thinned_zoom(hashes[row], thin_below)
        else:
            wide = float(boxes[4 * row + 2]) - float(boxes[4 * row])
            high = float(boxes[4 * row + 3]) - float(boxes[4 * row + 1])
            least = _size_zoom(max(wide, high), sides)
        if least > zooms[row]:
            zooms[row] = least


@njit(nogil=True, cache=True)
def _size_zoom(side: float, sides: NDArray[np.float64]) -> int:
    """First zoom whose least side is not longer than this one."""
    z = 0
    while z < len(sides) and side < sides[z]:
        z += 1
    return z


@njit(nogil=True, cache=True)
def _thinned_zoom(identity: np.uint64, thin_below: int) -> int:
    """First zoom at which a point is among those shown: one in four for each zoom below the last."""
    z = thin_below
    while z > 0 and identity & np.uint64(3) == 0:
        identity >>= np.uint64(2)
        z -= 1
    return max(z, 0)


def _value_zooms(columns: Sequence[Column | None], rows: int, rule: DetailRule) -> NDArray[np.uint8]:
    """Lowest zoom that any of the columns gives to each row."""
    there = [
        (column, zoom_of)
        for column, zoom_of in zip(columns, rule.min_zoom_by_value.values(), strict=True)
        if column is not None
    ]
    if not there:
        return np.zeros(rows, dtype=np.uint8)
    zooms = np.full(rows, NEVER, dtype=np.uint8)
    for column, zoom_of in there:
        np.minimum(zooms, _zooms(column, zoom_of), out=zooms)
    zooms[zooms == NEVER] = rule.min_zoom_default
    return zooms


def _zooms(column: Column, zoom_of: Mapping[Value, int]) -> NDArray[np.uint8]:
    """Zoom that each row has by its value; NEVER where the rule does not name it."""
    values = column.values
    if column.kind == Kind.STRING:
        by_code = _zooms_of_codes(column, zoom_of)
        found = by_code[values] if len(by_code) else np.full(len(values), NEVER, dtype=np.uint8)
    else:
        found = np.full(len(values), NEVER, dtype=np.uint8)
        for value, zoom in zoom_of.items():
            if isinstance(value, bool) == (column.kind == Kind.BOOL) and not isinstance(value, str):
                found[values == value] = zoom
    if column.valid is not None:
        found[column.valid == 0] = NEVER
    return found


def _zooms_of_codes(column: Column, zoom_of: Mapping[Value, int]) -> NDArray[np.uint8]:
    """Zoom of each dictionary entry."""
    offsets, text = column.dictionary_offsets, column.dictionary_bytes
    if offsets is None or text is None:
        return np.zeros(0, dtype=np.uint8)
    found = np.full(max(len(offsets) - 1, 0), NEVER, dtype=np.uint8)
    wanted = {value.encode(): zoom for value, zoom in zoom_of.items() if isinstance(value, str)}
    # only entries as long as a wanted value are looked at: dictionaries may have millions
    lengths = np.diff(offsets)
    for code in np.flatnonzero(np.isin(lengths, [len(value) for value in wanted])).tolist():
        entry = text[offsets[code] : offsets[code + 1]].tobytes()
        found[code] = wanted.get(entry, NEVER)
    return found
