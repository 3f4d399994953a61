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

FANOUT = 16
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
def _take_span(
    boxes: NDArray[np.int32],
    rows: NDArray[np.int32],
    zooms: NDArray[np.uint8],
    z: int,
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
    for leaf in range(first, last):
        if misses(boxes, leaf, box):
            continue
        row = leaf if rows.shape[0] == 0 else int(rows[leaf])
        if zooms.shape[0] != 0 and zooms[row] > z:
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
    stop: int,
    limit: int,
    rows: NDArray[np.int32],
    zooms: NDArray[np.uint8],
    z: int,
) -> NDArray[np.int32]:
    """Rows whose boxes meet ``box`` and whose bits are set, in ascending order.

    Parameters
    ----------
    boxes, nodes, starts
        The leaves of a tree, what lies above them, and where its levels begin.
    alive, selected
        Bitmaps over rows; without bytes all are set.
    box
        (4,) int64, which may lie anywhere: leaves and box are compared as int64.
    stop
        Leaves from here on do not count.
    limit
        At most so many rows.
    rows
        The row of each leaf, ascending; empty where leaf i is row i.
    zooms, z
        Only rows whose entry in ``zooms`` is at most ``z``; empty: all.
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
        shift = 4 * (level + 1)  # a node of this level spans 16^(level + 1) leaves
        if (node << shift) >= stop or misses(nodes, starts[level] + node, box):
            continue
        if level == 0 or _inside(nodes, starts[level] + node, box):
            first, last = node << shift, min((node + 1) << shift, stop)
            out = _with_room(out, found, found + min(last - first, limit - found))
            found = _take_span(
                boxes, rows, zooms, z, alive, selected, box, first, last, out, found, limit
            )
            continue
        first = node * FANOUT
        last = min(first + FANOUT, starts[level] - starts[level - 1])
        for child in range(last - 1, first - 1, -1):
            stack_level[depth] = level - 1
            stack_node[depth] = child
            depth += 1
    return out[:found]
