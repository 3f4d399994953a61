"""The three ways to rows: by place, all, by id. Each applies the selection; there is no fourth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from weakref import WeakKeyDictionary

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.arrays import FeatureTable, GeometryType, Rows
from tiles.index.hilbert import GROUP_SHIFT
from tiles.index.rtree import is_set, misses, search_rows
from tiles.pack.identity import id_hashes, utf8_arrays
from tiles.pack.model import ALL_SET, Pack, Part, Selection, count_set
from tiles.pack.reader import row_numbers

NO_LIMIT = 2**31 - 1
FEW = 8  # rows are few where they are at most this part of all
MAX_SIDES = 32  # least sides remembered of a table

# rows of a part, from the bitmaps of what is alive and selected and how many are still wanted
RowsOf = Callable[[Part, NDArray[np.uint8], NDArray[np.uint8], int], NDArray[np.int32]]


def search(
    pack: Pack,
    selection: Selection | None,
    box_world: NDArray[np.int64] | Sequence[int],
    limit: int | None = None,
    max_group: int | None = None,
    min_side: float = 0.0,
) -> Rows:
    """Rows whose world box meets a box, in pack order.

    Parameters
    ----------
    pack, selection
        What to look in, and which of its rows count (None: all that are alive).
    box_world
        (4,) or (k, 4) west, south, east, north in world units; may lie beyond the world. Sides
        belong to the box. A row that meets several boxes comes once.
    limit
        At most so many rows, the first in pack order.
    max_group
        Only rows of detail groups up to this one.
    min_side
        Only points, and lines and polygons whose box has a side of so many world units.
    """
    boxes = np.array(box_world, dtype=np.int64).reshape(-1, 4)
    near = _near(pack, boxes)
    side = np.int64(math.ceil(min_side))

    def rows_of(
        part: Part, alive: NDArray[np.uint8], bits: NDArray[np.uint8], left: int
    ) -> NDArray[np.int32]:
        stop = _group_stop(part, max_group)
        few = large_rows(part.table, int(side)) if side > 0 else None
        if few is not None:
            chosen = few[: int(np.searchsorted(few, stop))]
            kept: NDArray[np.int32] = _meeting(part.boxes, alive, bits, boxes, chosen)
            return kept[:left]
        found = [
            search_rows(
                part.boxes,
                part.nodes,
                part.level_starts,
                alive,
                bits,
                box,
                stop,
                left,
                part.table.geometries.types,
                side,
            )
            for box in boxes
        ]
        return found[0] if len(found) == 1 else np.unique(np.concatenate(found))[:left]

    return _collect(pack, selection, limit, near, rows_of)


_large: WeakKeyDictionary[FeatureTable, dict[int, NDArray[np.int32] | None]] = WeakKeyDictionary()


def large_rows(table: FeatureTable, min_side: int) -> NDArray[np.int32] | None:
    """Points, and rows whose box has a side of so many world units; None where they are not few.

    Remembered as long as the table lives: low zooms ask for the same few rows of a whole part again
    and again, which the tree, whose nodes hold small rows and large ones, would have to look for.
    """
    known = _large.setdefault(table, {})
    if min_side not in known:
        if len(known) >= MAX_SIDES or table.boxes is None:
            return None
        known[min_side] = _few_large(table, table.boxes, min_side)
    return known[min_side]


def _few_large(
    table: FeatureTable, boxes: NDArray[np.int32], min_side: int
) -> NDArray[np.int32] | None:
    wide = boxes[:, 2].astype(np.int64) - boxes[:, 0]
    longer = np.maximum(wide, boxes[:, 3].astype(np.int64) - boxes[:, 1])
    types = table.geometries.types
    points = (types == GeometryType.POINT) | (types == GeometryType.MULTIPOINT)
    rows = np.flatnonzero((longer >= min_side) | points).astype(np.int32)
    return rows if len(rows) <= len(table) // FEW else None


def _near(pack: Pack, boxes: NDArray[np.int64]) -> list[int]:
    """Parts whose extent meets one of the boxes."""
    extents = pack.extents
    meets = np.zeros(len(extents), dtype=bool)
    for west, south, east, north in boxes:
        meets |= (
            (extents[:, 0] <= east)
            & (extents[:, 2] >= west)
            & (extents[:, 1] <= north)
            & (extents[:, 3] >= south)
        )
    return np.flatnonzero(meets).tolist()


def scan(pack: Pack, selection: Selection | None, limit: int | None = None) -> Rows:
    """All rows, in pack order."""

    def rows_of(
        part: Part, alive: NDArray[np.uint8], bits: NDArray[np.uint8], left: int
    ) -> NDArray[np.int32]:
        if not len(alive) and not len(bits):
            return row_numbers(len(part))[:left]
        rows: NDArray[np.int32] = _set_rows(alive, bits, len(part), left)
        return rows

    return _collect(pack, selection, limit, range(len(pack.parts)), rows_of)


def lookup(pack: Pack, selection: Selection | None, ids: Sequence[str]) -> Rows:
    """Rows of these ids, in pack order; an id that is hidden or unknown has none."""
    wanted = (id_hashes(ids), *utf8_arrays(ids))

    def rows_of(
        part: Part, alive: NDArray[np.uint8], bits: NDArray[np.uint8], left: int
    ) -> NDArray[np.int32]:
        rows = np.unique(part.find(*wanted))
        rows = rows[rows >= 0]
        kept: NDArray[np.int32] = _kept(alive, bits, rows)
        return kept

    return _collect(pack, selection, None, range(len(pack.parts)), rows_of)


def count(pack: Pack, selection: Selection | None) -> int:
    """Number of rows that ``scan`` gives."""
    total = 0
    for part, alive, bits in zip(pack.parts, pack.alive, _bits(pack, selection), strict=True):
        if len(alive) and len(bits):
            total += count_set(alive & bits, len(part))
        else:
            total += count_set(alive if len(alive) else bits, len(part))
    return total


def _collect(
    pack: Pack, selection: Selection | None, limit: int | None, among: Iterable[int], rows_of: RowsOf
) -> Rows:
    """Ask some of the parts, in order, for the rows that count."""
    left = NO_LIMIT if limit is None else max(limit, 0)
    bitmaps = _bits(pack, selection)
    tables, numbers = [], []
    for at in among:
        part = pack.parts[at]
        rows = rows_of(part, pack.alive[at], bitmaps[at], left)
        if len(rows):
            tables.append(part.table)
            numbers.append(rows)
            left -= len(rows)
        if left <= 0:
            break
    if not tables:
        # one table stays, so that whoever writes nothing still knows the columns
        return Rows((pack.parts[0].table,), (row_numbers(0),))
    return Rows(tuple(tables), tuple(numbers))


def _bits(pack: Pack, selection: Selection | None) -> tuple[NDArray[np.uint8], ...]:
    if selection is None:
        return (ALL_SET,) * len(pack.parts)
    return selection.bits(pack)


def _group_stop(part: Part, max_group: int | None) -> int:
    """First row of a detail group above ``max_group``."""
    if max_group is None or max_group >= 255:
        return len(part)
    return int(np.searchsorted(part.order_key, np.uint64((max_group + 1) << GROUP_SHIFT)))


@njit(nogil=True, cache=True)
def _kept(
    alive: NDArray[np.uint8], selected: NDArray[np.uint8], rows: NDArray[np.int32]
) -> NDArray[np.int32]:
    out = np.empty(rows.shape[0], dtype=np.int32)
    found = 0
    for row in rows:
        if is_set(alive, row) and is_set(selected, row):
            out[found] = row
            found += 1
    return out[:found]


@njit(nogil=True, cache=True)
def _set_rows(
    alive: NDArray[np.uint8], selected: NDArray[np.uint8], rows: int, limit: int
) -> NDArray[np.int32]:
    out = np.empty(min(rows, limit), dtype=np.int32)
    found = 0
    for row in range(rows):
        if found == out.shape[0]:
            break
        if is_set(alive, row) and is_set(selected, row):
            out[found] = row
            found += 1
    return out[:found]


@njit(nogil=True, cache=True)
def _meeting(
    boxes: NDArray[np.int32],
    alive: NDArray[np.uint8],
    selected: NDArray[np.uint8],
    wanted: NDArray[np.int64],
    rows: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Those of the rows that count and whose boxes meet one of the wanted ones, in their order."""
    out = np.empty(rows.shape[0], dtype=np.int32)
    found = 0
    for row in rows:
        meets = False
        for k in range(wanted.shape[0]):
            meets = meets or not misses(boxes, row, wanted[k])
        if meets and is_set(alive, row) and is_set(selected, row):
            out[found] = row
            found += 1
    return out[:found]
