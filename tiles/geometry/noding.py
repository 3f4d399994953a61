"""Splitting edges on the integer grid until they meet nowhere but at their ends.

Where an end of one edge lies on another, that one is split there, exactly. Where two edges cross,
both are split at the grid point nearest to the crossing; that moves them by less than a unit and may
make new crossings, so it is done again until there are none (iterated snap rounding).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.buffers import with_room

ROUNDS = 16
COMPARISONS_PER_EDGE = 400
COMPARISONS = 20_000_000
GROWTH = 3
"""More rounds, more comparisons in one for each edge or in all rounds together, or so many times the
edges there were, are given up: what is as intricate as that has a slower way that ends sooner."""

# Columns of an edge: its ends and what kind of ring it belongs to.
AX, AY, BX, BY, HOLE = range(5)
EDGE_WIDTH = 5


@njit(nogil=True, cache=True)
def edges_of_rings(
    xy: NDArray[np.int32], ring_starts: NDArray[np.int32], is_hole: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """The directed edges of open rings: (n, EDGE_WIDTH)."""
    base, n_rings = ring_starts[0], len(ring_starts) - 1
    edges = np.empty((ring_starts[n_rings] - base, EDGE_WIDTH), np.int64)
    for ring in range(n_rings):
        first, last = ring_starts[ring], ring_starts[ring + 1]
        for i in range(first, last):
            j = i + 1 if i + 1 < last else first
            edge = edges[i - base]
            edge[AX], edge[AY], edge[BX], edge[BY] = xy[i, 0], xy[i, 1], xy[j, 0], xy[j, 1]
            edge[HOLE] = is_hole[ring]
    return edges


@njit(nogil=True, cache=True)
def side(edge: NDArray[np.int64], x: int, y: int) -> int:
    """Positive where (x, y) is to the left of the edge, 0 on its line."""
    dx, dy = edge[BX] - edge[AX], edge[BY] - edge[AY]
    return int(dx * (y - edge[AY]) - dy * (x - edge[AX]))


@njit(nogil=True, cache=True)
def _is_within(edge: NDArray[np.int64], x: int, y: int) -> bool:
    """Whether a point of the edge's line lies between its ends, which do not belong to it."""
    if (x == edge[AX] and y == edge[AY]) or (x == edge[BX] and y == edge[BY]):
        return False
    between_x = min(edge[AX], edge[BX]) <= x <= max(edge[AX], edge[BX])
    return bool(between_x and min(edge[AY], edge[BY]) <= y <= max(edge[AY], edge[BY]))


@njit(nogil=True, cache=True)
def _divided(numerator: int, denominator: int) -> int:
    """The quotient rounded to the nearest integer, halves up; the denominator is positive."""
    return (2 * numerator + denominator) // (2 * denominator)


@njit(nogil=True, cache=True)
def _crossing(one: NDArray[np.int64], two: NDArray[np.int64]) -> Any:
    """Whether two edges cross between their ends, and the grid point nearest to where."""
    c, d = side(one, two[AX], two[AY]), side(one, two[BX], two[BY])
    a, b = side(two, one[AX], one[AY]), side(two, one[BX], one[BY])
    if not (((c > 0 and d < 0) or (c < 0 and d > 0)) and ((a > 0 and b < 0) or (a < 0 and b > 0))):
        return False, 0, 0
    weight, total = abs(a), abs(a) + abs(b)
    x = one[AX] + _divided((one[BX] - one[AX]) * weight, total)
    y = one[AY] + _divided((one[BY] - one[AY]) * weight, total)
    return True, x, y


@njit(nogil=True, cache=True)
def _split_at_end(
    edges: NDArray[np.int64], k: int, x: int, y: int, splits: NDArray[np.int64], n: int
) -> int:
    """Note that an edge is to be split where another one ends, if it is; the number of splits."""
    if side(edges[k], x, y) == 0 and _is_within(edges[k], x, y):
        splits[3 * n], splits[3 * n + 1], splits[3 * n + 2] = k, x, y
        return n + 1
    return n


@njit(nogil=True, cache=True)
def _split_pair(edges: NDArray[np.int64], i: int, j: int, splits: NDArray[np.int64], n: int) -> int:
    """Note where two edges split each other: at most 4 times; the number of splits."""
    one, two = edges[i], edges[j]
    crosses, x, y = _crossing(one, two)
    if not crosses:
        n = _split_at_end(edges, i, two[AX], two[AY], splits, n)
        n = _split_at_end(edges, i, two[BX], two[BY], splits, n)
        n = _split_at_end(edges, j, one[AX], one[AY], splits, n)
        return _split_at_end(edges, j, one[BX], one[BY], splits, n)
    for k in (i, j):
        edge = edges[k]
        if not ((x == edge[AX] and y == edge[AY]) or (x == edge[BX] and y == edge[BY])):
            splits[3 * n], splits[3 * n + 1], splits[3 * n + 2] = k, x, y
            n += 1
    return n


@njit(nogil=True, cache=True)
def _find_splits(edges: NDArray[np.int64], most: int) -> Any:
    """All splits as triples of edge and point, their number, and what is left of ``most`` comparisons.

    The number is -1 where there is too much to do.

    Sweeps along x over the edges in order of their west ends.
    """
    n = edges.shape[0]
    order = np.argsort(np.minimum(edges[:, AX], edges[:, BX]))
    splits, found = np.empty(3 * 64, np.int64), 0
    allowed = min(COMPARISONS_PER_EDGE * n, most)
    work = allowed
    for p in range(n):
        i = order[p]
        one = edges[i]
        east = max(one[AX], one[BX])
        top, bottom = min(one[AY], one[BY]), max(one[AY], one[BY])
        for q in range(p + 1, n):
            j = order[q]
            two = edges[j]
            if min(two[AX], two[BX]) > east:
                break
            work -= 1
            if max(two[AY], two[BY]) < top or min(two[AY], two[BY]) > bottom:
                continue
            splits = with_room(splits, 3 * found, 12)
            found = _split_pair(edges, i, j, splits, found)
        if work < 0:
            return splits, -1, 0
    return splits, found, most - (allowed - work)


@njit(nogil=True, cache=True)
def _split(edges: NDArray[np.int64], splits: NDArray[np.int64], found: int) -> NDArray[np.int64]:
    """The edges with those that are split replaced by their pieces."""
    along = np.empty(found, np.int64)
    for s in range(found):
        edge = edges[splits[3 * s]]
        along[s] = abs(splits[3 * s + 1] - edge[AX]) + abs(splits[3 * s + 2] - edge[AY])
    # by edge and, on each, from its start: no edge is as long as 2^32
    order = np.argsort(splits[0 : 3 * found : 3] * (1 << 32) + along)
    out = np.empty((edges.shape[0] + found, EDGE_WIDTH), np.int64)
    used, s = 0, 0
    for k in range(edges.shape[0]):
        x, y = edges[k, AX], edges[k, AY]
        while s <= found:
            more = s < found and splits[3 * order[s]] == k
            at = 3 * order[s] if more else 0
            to_x, to_y = (splits[at + 1], splits[at + 2]) if more else (edges[k, BX], edges[k, BY])
            if to_x != x or to_y != y:
                out[used, AX], out[used, AY], out[used, BX], out[used, BY] = x, y, to_x, to_y
                out[used, HOLE] = edges[k, HOLE]
                used += 1
            x, y = to_x, to_y
            if not more:
                break
            s += 1
    return out[:used]


@njit(nogil=True, cache=True)
def noded(edges: NDArray[np.int64]) -> Any:
    """Split edges until they meet nowhere but at their ends.

    Returns
    -------
    (edges, whether that was reached).
    """
    most_edges, work = GROWTH * edges.shape[0] + 100_000, COMPARISONS
    for _ in range(ROUNDS):
        splits, found, work = _find_splits(edges, work)
        if found <= 0:
            return edges, found == 0
        if edges.shape[0] + found > most_edges:
            return edges, False
        edges = _split(edges, splits, found)
    return edges, False
