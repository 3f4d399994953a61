"""The three ways to rows: by place, all, by id. Each applies the selection; there is no fourth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.arrays import FeatureTable, Rows
from tiles.generalise import Appearance
from tiles.index.hilbert import GROUP_SHIFT
from tiles.index.rtree import is_set, search_rows
from tiles.pack.identity import id_hashes, utf8_arrays
from tiles.pack.model import ALL_SET, Pack, Part, Selection, count_set
from tiles.pack.reader import row_numbers

NO_LIMIT = 2**31 - 1
EVERY_ROW = np.frombuffer(b"", dtype=np.int32)
EVERY_ZOOM = np.frombuffer(b"", dtype=np.uint8)

# rows of a part, from the bitmaps of what is alive and selected and how many are still wanted
RowsOf = Callable[[Part, NDArray[np.uint8], NDArray[np.uint8], int], NDArray[np.int32]]

# when the rows of a part's table appear, by a zoom
AppearanceOf = Callable[[FeatureTable], Appearance]


def search(
    pack: Pack,
    selection: Selection | None,
    box_world: NDArray[np.int64] | Sequence[int],
    limit: int | None = None,
    max_group: int | None = None,
    appearing: tuple[AppearanceOf, int] | None = None,
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
    appearing
        What tells of each part's table when its rows appear, and the zoom: only rows that appear at
        it. None: all.
    """
    boxes = np.array(box_world, dtype=np.int64).reshape(-1, 4)

    def rows_of(
        part: Part, alive: NDArray[np.uint8], bits: NDArray[np.uint8], left: int
    ) -> NDArray[np.int32]:
        tree = _tree(part, _group_stop(part, max_group), appearing)
        found = [
            search_rows(
                tree.boxes,
                tree.nodes,
                tree.level_starts,
                alive,
                bits,
                box,
                tree.stop,
                left,
                tree.rows,
                tree.zooms,
                tree.z,
            )
            for box in boxes
        ]
        return found[0] if len(found) == 1 else np.unique(np.concatenate(found))[:left]

    return _collect(pack, selection, limit, _near(pack, boxes), rows_of)


class _Tree(NamedTuple):
    """What ``search_rows`` looks in."""

    boxes: NDArray[np.int32]
    nodes: NDArray[np.int32]
    level_starts: NDArray[np.int64]
    stop: int
    rows: NDArray[np.int32]
    zooms: NDArray[np.uint8]
    z: int


def _tree(part: Part, stop: int, appearing: tuple[AppearanceOf, int] | None) -> _Tree:
    """The tree over a part's rows, or the small one over those that appear where these are few."""
    every = (part.boxes, part.nodes, part.level_starts, stop)
    if appearing is None:
        return _Tree(*every, EVERY_ROW, EVERY_ZOOM, 0)
    appearance_of, z = appearing
    appears = appearance_of(part.table)
    few = appears.few(z)
    if few is None:
        return _Tree(*every, EVERY_ROW, appears.zooms, z)
    leaves = len(few.rows) if stop == len(part) else int(np.searchsorted(few.rows, stop))
    return _Tree(few.boxes, few.nodes, few.level_starts, leaves, few.rows, EVERY_ZOOM, z)


def _near(pack: Pack, boxes: NDArray[np.int64]) -> list[int]:
    """Parts whose extent meets one of the boxes."""
    extents = pack.extents
    if len(extents) == 1:
        return [0]  # its tree says so as fast
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
