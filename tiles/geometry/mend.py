"""Polygons of edges that cross, touch or overlap: exact on the integer grid.

The edges are split until they meet nowhere but at their ends (see ``noding``). What they enclose is
then found by counting how often rings go round each side of each edge, and the edges with the inside
on one side only are joined to rings.
"""

from __future__ import annotations

from math import atan2, pi
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.geometry.noding import AX, AY, BX, BY, HOLE, edges_of_rings, noded

# Columns of a line: its ends, the lower in order first, and how often exteriors and holes run along
# it that way more than the other way.
X0, Y0, X1, Y1, SHELLS, HOLES = range(6)
_LINE_WIDTH = 6
_OFFSET, _BITS = 1 << 20, 22


@njit(nogil=True, cache=True)
def _key(x: int, y: int) -> int:
    """One number for a point, in order of x, then y."""
    return ((x + _OFFSET) << _BITS) | (y + _OFFSET)


@njit(nogil=True, cache=True)
def _lines(edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Edges that join the same points as one line; those that cancel out are left out."""
    n = edges.shape[0]
    low, high, sign = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        a, b = _key(edges[i, AX], edges[i, AY]), _key(edges[i, BX], edges[i, BY])
        low[i], high[i], sign[i] = min(a, b), max(a, b), 1 if a < b else -1
    by_high = np.argsort(high)
    order = by_high[np.argsort(low[by_high], kind="mergesort")]
    lines, used = np.zeros((n, _LINE_WIDTH), np.int64), 0
    mask = (1 << _BITS) - 1
    for k in range(n):
        i = order[k]
        is_new = k == 0 or low[i] != low[order[k - 1]] or high[i] != high[order[k - 1]]
        if is_new and not (used > 0 and lines[used - 1, SHELLS] == 0 and lines[used - 1, HOLES] == 0):
            used += 1
        line = lines[used - 1]
        if is_new:
            line[X0], line[Y0] = (low[i] >> _BITS) - _OFFSET, (low[i] & mask) - _OFFSET
            line[X1], line[Y1] = (high[i] >> _BITS) - _OFFSET, (high[i] & mask) - _OFFSET
        line[HOLES if edges[i, HOLE] else SHELLS] += sign[i]
    if used > 0 and lines[used - 1, SHELLS] == 0 and lines[used - 1, HOLES] == 0:
        used -= 1
    return lines[:used]


@njit(nogil=True, cache=True)
def _bands(lines: NDArray[np.int64]) -> Any:
    """The lines that reach into each horizontal band.

    Returns
    -------
    (top of the first band, height of a band, where each starts in the members, members).
    """
    n = lines.shape[0]
    top = min(lines[:, Y0].min(), lines[:, Y1].min())
    bottom = max(lines[:, Y0].max(), lines[:, Y1].max())
    height = max((bottom - top) // max(min(n // 4, 1024), 1), 1)
    starts = np.zeros((bottom - top) // height + 2, np.int64)
    for i in range(n):
        first = (min(lines[i, Y0], lines[i, Y1]) - top) // height
        for band in range(first, (max(lines[i, Y0], lines[i, Y1]) - top) // height + 1):
            starts[band + 1] += 1
    starts = np.cumsum(starts)
    members, used = np.empty(starts[-1], np.int64), starts.copy()
    for i in range(n):
        first = (min(lines[i, Y0], lines[i, Y1]) - top) // height
        for band in range(first, (max(lines[i, Y0], lines[i, Y1]) - top) // height + 1):
            members[used[band]] = i
            used[band] += 1
    return top, height, starts, members


@njit(nogil=True, cache=True)
def _winding_east(lines: NDArray[np.int64], i: int, members: NDArray[np.int64]) -> Any:
    """How often exteriors and holes go round the point just east of the middle of a line.

    Of a level line: just below its middle on the screen, where y is larger. Counts the lines that a
    ray to the east crosses, in doubled coordinates so that the middle is exact.
    """
    x, y = lines[i, X0] + lines[i, X1], lines[i, Y0] + lines[i, Y1]
    shells, holes = 0, 0
    for k in range(len(members)):
        j = members[k]
        x0, y0, x1, y1 = 2 * lines[j, X0], 2 * lines[j, Y0], 2 * lines[j, X1], 2 * lines[j, Y1]
        if j == i or (y0 <= y) == (y1 <= y):
            continue
        left = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
        if y1 > y0 and left > 0:
            shells += lines[j, SHELLS]
            holes += lines[j, HOLES]
        elif y1 < y0 and left < 0:
            shells -= lines[j, SHELLS]
            holes -= lines[j, HOLES]
    return shells, holes


@njit(nogil=True, cache=True)
def _is_inside(shells: int, holes: int) -> bool:
    """Whether a place with such windings belongs to the polygons.

    An island in a lake has two exteriors and one hole around it. A lobe of a ring that crosses
    itself is wound the other way round and belongs to it as well.
    """
    return abs(shells) > abs(holes)


@njit(nogil=True, cache=True)
def boundary(edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """The edges that have the inside on their left and not on their right: (n, 4) ends.

    Parameters
    ----------
    edges
        Of rings, noded.
    """
    lines = _lines(edges)
    out, used = np.empty((lines.shape[0], 4), np.int64), 0
    if lines.shape[0] == 0:
        return out
    top, height, starts, members = _bands(lines)
    for i in range(lines.shape[0]):
        line = lines[i]
        band = ((line[Y0] + line[Y1]) // 2 - top) // height
        shells, holes = _winding_east(lines, i, members[starts[band] : starts[band + 1]])
        if line[Y1] > line[Y0]:  # east is right of it
            left = _is_inside(shells + line[SHELLS], holes + line[HOLES])
            right = _is_inside(shells, holes)
        else:
            left = _is_inside(shells, holes)
            right = _is_inside(shells - line[SHELLS], holes - line[HOLES])
        if left and not right:
            out[used, 0], out[used, 1], out[used, 2], out[used, 3] = (
                line[X0],
                line[Y0],
                line[X1],
                line[Y1],
            )
            used += 1
        elif right and not left:
            out[used, 0], out[used, 1], out[used, 2], out[used, 3] = (
                line[X1],
                line[Y1],
                line[X0],
                line[Y0],
            )
            used += 1
    return out[:used]


@njit(nogil=True, cache=True)
def _next(edges: NDArray[np.int64], i: int, candidates: NDArray[np.int64]) -> int:
    """The edge to go on with at the end of another: the sharpest turn to the left."""
    if len(candidates) == 1:
        return int(candidates[0])
    back = atan2(edges[i, 1] - edges[i, 3], edges[i, 0] - edges[i, 2])
    least, found = 3.0 * pi, -1
    for k in range(len(candidates)):
        j = candidates[k]
        turn = back - atan2(edges[j, 3] - edges[j, 1], edges[j, 2] - edges[j, 0])
        if turn <= 0.0:
            turn += 2.0 * pi
        if turn < least:
            least, found = turn, j
    return found


@njit(nogil=True, cache=True)
def _vertices(edges: NDArray[np.int64]) -> Any:
    """The start and the end of each edge as numbers of vertices, and how many vertices there are."""
    n = edges.shape[0]
    keys = np.empty(n, np.int64)
    for i in range(n):
        keys[i] = _key(edges[i, 0], edges[i, 1])
    sorted_keys = np.unique(keys)
    begins = np.searchsorted(sorted_keys, keys)
    for i in range(n):
        keys[i] = _key(edges[i, 2], edges[i, 3])
    return begins, np.searchsorted(sorted_keys, keys), len(sorted_keys)


@njit(nogil=True, cache=True)
def rings_of_edges(edges: NDArray[np.int64]) -> Any:
    """Join directed edges to rings that pass no vertex twice.

    Around every vertex, edges that reach it and edges that leave it take turns. Turning left wherever
    there is a choice goes round one piece of the inside; a vertex that is met again on the way cuts
    off the ring in between (a hole that touches its exterior).

    Returns
    -------
    (xy (n, 2), ring_starts, whether all edges found a ring): open rings; exteriors have a positive
    area, holes a negative one.
    """
    n = edges.shape[0]
    begins, ends, n_vertices = _vertices(edges)
    leaving = np.argsort(begins)
    first = np.searchsorted(begins[leaving], np.arange(n_vertices + 1))
    free, place = np.ones(n, np.uint8), np.full(n_vertices, -1, np.int64)
    path, xy = np.empty(n + 1, np.int64), np.empty((n, 2), np.int32)
    ring_starts, rings, used = np.zeros(n + 1, np.int32), 0, 0
    for start in range(n):
        edge, depth = start, 0
        while edge >= 0 and free[edge] != 0:
            free[edge] = 0
            place[begins[edge]], path[depth] = depth, edge
            depth += 1
            vertex = ends[edge]
            met = place[vertex]
            if met >= 0:
                for k in range(met, depth):
                    xy[used, 0], xy[used, 1] = edges[path[k], 0], edges[path[k], 1]
                    place[begins[path[k]]] = -1
                    used += 1
                depth = met
                rings += 1
                ring_starts[rings] = used
            edge = _next(edges, edge, leaving[first[vertex] : first[vertex + 1]])
        if depth > 0:
            return xy[:used], ring_starts[: rings + 1], False
    return xy[:used], ring_starts[: rings + 1], True


@njit(nogil=True, cache=True)
def mended(xy: NDArray[np.int32], ring_starts: NDArray[np.int32], is_hole: NDArray[np.uint8]) -> Any:
    """Rings around what the given rings enclose together, none of them crossing or overlapping.

    Parameters
    ----------
    xy, ring_starts
        Open rings on the grid.
    is_hole
        (r,) 1 where a ring takes away.

    Returns
    -------
    (xy, ring_starts, whether it could be done); exteriors have a positive area, holes a negative
    one, in no particular order.
    """
    edges, done = noded(edges_of_rings(xy, ring_starts, is_hole))
    if not done:
        return xy, ring_starts, False
    return rings_of_edges(boundary(edges))
