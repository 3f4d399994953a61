"""A packed R-tree over rows that are already in Hilbert order.

Leaves are the rows' own world boxes; a node of the first level covers ``FANOUT`` consecutive rows,
a node of the next ``FANOUT`` consecutive nodes, up to one root. All levels above the leaves lie one
after the other in one array, lowest level first, so the tree is two arrays and no pointers.

Boxes are int32 west, south, east, north, all four inside the box. An empty box has west > east.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.arrays import GeometryType

FANOUT = 16
POINT, MULTIPOINT = int(GeometryType.POINT), int(GeometryType.MULTIPOINT)
EMPTY_BOX = (2**31 - 1, 2**31 - 1, -(2**31), -(2**31))

_MAX_LEVELS = 10  # 16^10 rows are more than an int32 counts


def level_starts(rows: int) -> NDArray[np.int64]:
    """Where each level begins in the array of nodes, lowest first; the last entry is its length."""
    starts = [0]
    count = rows
    while count > 0:
        count = -(-count // FANOUT)
        starts.append(starts[-1] + count)
        if count == 1:
            break
    return np.array(starts, dtype=np.int64)


@njit(nogil=True, cache=True)
def _join(children: NDArray[np.int32], parents: NDArray[np.int32]) -> None:
    for parent in range(parents.shape[0]):
        first = parent * FANOUT
        last = min(first + FANOUT, children.shape[0])
        west, south, east, north = 2147483647, 2147483647, -2147483648, -2147483648
        for child in range(first, last):
            west = min(west, children[child, 0])
            south = min(south, children[child, 1])
            east = max(east, children[child, 2])
            north = max(north, children[child, 3])
        parents[parent, 0] = west
        parents[parent, 1] = south
        parents[parent, 2] = east
        parents[parent, 3] = north


def build_nodes(boxes: NDArray[np.int32]) -> NDArray[np.int32]:
    """All nodes (m, 4) above the leaf boxes (n, 4), lowest level first."""
    starts = level_starts(len(boxes))
    nodes = np.empty((int(starts[-1]), 4), dtype=np.int32)
    children = np.ascontiguousarray(boxes, dtype=np.int32)
    for begin, end in pairwise(starts):
        _join(children, nodes[begin:end])
        children = nodes[begin:end]
    return nodes


@njit(nogil=True, cache=True)
def misses(boxes: NDArray[np.int32], i: int, box: NDArray[np.int64]) -> bool:
    """Whether box ``i`` has nothing in common with another one, or is empty."""
    # no branches: ten times faster than with ``or``
    return bool(
        (boxes[i, 0] > box[2])
        | (boxes[i, 2] < box[0])
        | (boxes[i, 1] > box[3])
        | (boxes[i, 3] < box[1])
        | (boxes[i, 0] > boxes[i, 2])
    )


@njit(nogil=True, cache=True)
def _inside(boxes: NDArray[np.int32], i: int, box: NDArray[np.int64]) -> bool:
    return bool(
        (boxes[i, 0] >= box[0])
        & (boxes[i, 2] <= box[2])
        & (boxes[i, 1] >= box[1])
        & (boxes[i, 3] <= box[3])
    )


@njit(nogil=True, cache=True)
def is_set(bitmap: NDArray[np.uint8], row: int) -> bool:
    """Whether a row's bit is set; a bitmap without bytes has all bits set."""
    return bitmap.shape[0] == 0 or bool((bitmap[row >> 3] >> (row & 7)) & 1)


@njit(nogil=True, cache=True)
def _too_small(
    boxes: NDArray[np.int32], types: NDArray[np.uint8], row: int, min_side: np.int64
) -> bool:
    """Whether both sides of a line or polygon are shorter; a row without a box is not found anyway."""
    wide = np.int64(boxes[row, 2]) - np.int64(boxes[row, 0])
    high = np.int64(boxes[row, 3]) - np.int64(boxes[row, 1])
    if wide >= min_side or high >= min_side:
        return False
    return bool(types[row] != POINT and types[row] != MULTIPOINT)


@njit(nogil=True, cache=True)
def _take_span(
    boxes: NDArray[np.int32],
    types: NDArray[np.uint8],
    min_side: np.int64,
    alive: NDArray[np.uint8],
    selected: NDArray[np.uint8],
    box: NDArray[np.int64],
    first: int,
    last: int,
    out: NDArray[np.int32],
    found: int,
    limit: int,
) -> int:
    """Put the rows of a span that count into ``out``, which has room for them; how many are in it."""
    for row in range(first, last):
        if misses(boxes, row, box) or (min_side > 0 and _too_small(boxes, types, row, min_side)):
            continue
        if not is_set(alive, row) or not is_set(selected, row):
            continue
        if found == limit:
            break
        out[found] = row
        found += 1
    return found


@njit(nogil=True, cache=True)
def _with_room(out: NDArray[np.int32], found: int, needed: int) -> NDArray[np.int32]:
    if needed <= out.shape[0]:
        return out
    grown = np.empty(max(needed, 2 * out.shape[0]), dtype=np.int32)
    grown[:found] = out[:found]
    return grown


@njit(nogil=True, cache=True)
def search_rows(
    boxes: NDArray[np.int32],
    nodes: NDArray[np.int32],
    starts: NDArray[np.int64],
    alive: NDArray[np.uint8],
    selected: NDArray[np.uint8],
    box: NDArray[np.int64],
    row_stop: int,
    limit: int,
    types: NDArray[np.uint8],
    min_side: np.int64,
) -> NDArray[np.int32]:
    """Rows below ``row_stop`` whose boxes meet ``box`` and whose bits are set, in ascending order.

    ``box`` is (4,) int64 and may lie anywhere: rows and box are compared as int64. ``limit`` bounds
    the number of rows. Lines and polygons both sides of whose box are shorter than ``min_side`` are
    left out.
    """
    out = np.empty(256, dtype=np.int32)
    found = 0
    levels = starts.shape[0] - 1
    if levels < 1 or limit <= 0:
        return out[:0]
    # depth first, children pushed last to first: rows come out in order
    stack_level = np.empty(FANOUT * _MAX_LEVELS, dtype=np.int64)
    stack_node = np.empty(FANOUT * _MAX_LEVELS, dtype=np.int64)
    stack_level[0] = levels - 1
    stack_node[0] = 0
    depth = 1
    while depth > 0 and found < limit:
        depth -= 1
        level = stack_level[depth]
        node = stack_node[depth]
        shift = 4 * (level + 1)  # a node of this level spans 16^(level + 1) rows
        if (node << shift) >= row_stop or misses(nodes, starts[level] + node, box):
            continue
        if level == 0 or _inside(nodes, starts[level] + node, box):
            first, last = node << shift, min((node + 1) << shift, row_stop)
            out = _with_room(out, found, found + min(last - first, limit - found))
            found = _take_span(
                boxes, types, min_side, alive, selected, box, first, last, out, found, limit
            )
            continue
        first = node * FANOUT
        last = min(first + FANOUT, starts[level] - starts[level - 1])
        for child in range(last - 1, first - 1, -1):
            stack_level[depth] = level - 1
            stack_node[depth] = child
            depth += 1
    return out[:found]
