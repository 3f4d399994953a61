"""What rounding and simplifying do to rings, and finding out where they did harm.

Spikes are taken off here, whatever the ring. Whether anything else touches is found out by comparing
edges; ``polygons`` mends the few features where it does.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

SMALL_RING = 16
"""Up to so many vertices comparing every edge with every other is fastest."""

COMPARISONS_PER_EDGE = 400
COMPARISONS = 20_000_000
"""Beyond this, for each edge or in all, a feature counts as suspect without more comparing."""


@njit(nogil=True, cache=True)
def _cross(xy: NDArray[np.int32], a: int, b: int, c: int) -> int:
    """Twice the signed area of the triangle a, b, c."""
    ax, ay = np.int64(xy[a, 0]), np.int64(xy[a, 1])
    return (xy[b, 0] - ax) * (xy[c, 1] - ay) - (xy[b, 1] - ay) * (xy[c, 0] - ax)


@njit(nogil=True, cache=True)
def twice_area(xy: NDArray[np.int32], first: int, last: int) -> int:
    """Twice the area of the open ring ``xy[first:last]``.

    Positive where x turns towards y: clockwise on a screen, as MVT wants exteriors.
    """
    total = 0
    for i in range(first + 1, last - 1):
        total += _cross(xy, first, i, i + 1)
    return total


@njit(nogil=True, cache=True)
def turn(xy: NDArray[np.int32], first: int, last: int) -> None:
    """Reverse the order of ``xy[first:last]`` in place."""
    while last - first > 1:
        last -= 1
        for axis in range(2):
            xy[first, axis], xy[last, axis] = xy[last, axis], xy[first, axis]
        first += 1


@njit(nogil=True, cache=True)
def drop_spikes(xy: NDArray[np.int32], first: int, last: int) -> int:
    """Drop vertices on a straight line with both neighbours from the ring, in place.

    Spikes (there and back again) go the same way, and the repeated vertices they leave.

    Returns
    -------
    The new end; ``first`` where nothing with an area is left.
    """
    end = first
    for i in range(first, last):
        xy[end, 0], xy[end, 1] = xy[i, 0], xy[i, 1]
        end += 1
        while end - first > 2 and _cross(xy, end - 3, end - 2, end - 1) == 0:
            xy[end - 2, 0], xy[end - 2, 1] = xy[end - 1, 0], xy[end - 1, 1]
            end -= 1
        if end - first > 1 and _same(xy, end - 1, end - 2):
            end -= 1
    return _close(xy, first, end)


@njit(nogil=True, cache=True)
def _same(xy: NDArray[np.int32], a: int, b: int) -> bool:
    return xy[a, 0] == xy[b, 0] and xy[a, 1] == xy[b, 1]


@njit(nogil=True, cache=True)
def _close(xy: NDArray[np.int32], first: int, end: int) -> int:
    """Drop the straight vertices where the end of a ring meets its start."""
    start = first
    while end - start > 2:
        if _cross(xy, end - 2, end - 1, start) == 0:
            end -= 1
        elif _cross(xy, end - 1, start, start + 1) == 0:
            start += 1
        else:
            break
    if end - start < 3:
        return first
    if start > first:
        for i in range(start, end):
            xy[first + i - start, 0], xy[first + i - start, 1] = xy[i, 0], xy[i, 1]
    return first + end - start


@njit(nogil=True, cache=True)
def _share_a_point(xy: NDArray[np.int32], a: int, b: int, c: int, d: int) -> bool:
    """Whether segments a-b and c-d touch or cross; their boxes are known to overlap."""
    c_side, d_side = _cross(xy, a, b, c), _cross(xy, a, b, d)
    if (c_side > 0 and d_side > 0) or (c_side < 0 and d_side < 0):
        return False
    a_side, b_side = _cross(xy, c, d, a), _cross(xy, c, d, b)
    return not ((a_side > 0 and b_side > 0) or (a_side < 0 and b_side < 0))


@njit(nogil=True, cache=True)
def _edges(
    xy: NDArray[np.int32], ring_starts: NDArray[np.int32], first_ring: int, last_ring: int
) -> NDArray[np.int32]:
    """The edges of rings: indices of their ends, then their box (west, east, top, bottom)."""
    base = ring_starts[first_ring]
    edges = np.empty((ring_starts[last_ring] - base, 6), np.int32)
    for ring in range(first_ring, last_ring):
        first, last = ring_starts[ring], ring_starts[ring + 1]
        for i in range(first, last):
            following = i + 1 if i + 1 < last else first
            edge = edges[i - base]
            edge[0], edge[1] = i, following
            edge[2], edge[3] = min(xy[i, 0], xy[following, 0]), max(xy[i, 0], xy[following, 0])
            edge[4], edge[5] = min(xy[i, 1], xy[following, 1]), max(xy[i, 1], xy[following, 1])
    return edges


@njit(nogil=True, cache=True)
def _edges_meet(xy: NDArray[np.int32], edges: NDArray[np.int32]) -> bool:
    """Whether two edges that do not follow each other share a point.

    Sweeps along x over the edges in order of their west ends.
    """
    n = edges.shape[0]
    order = np.argsort(edges[:, 2])
    work = min(COMPARISONS_PER_EDGE * n, COMPARISONS)
    for k in range(n):
        one = edges[order[k]]
        for m in range(k + 1, n):
            two = edges[order[m]]
            if two[2] > one[3]:
                break
            work -= 1
            if two[4] > one[5] or two[5] < one[4]:
                continue
            if one[1] == two[0] or two[1] == one[0]:
                continue
            if _share_a_point(xy, one[0], one[1], two[0], two[1]):
                return True
        if work < 0:
            return True
    return False


@njit(nogil=True, cache=True)
def _ring_meets_itself(xy: NDArray[np.int32], first: int, last: int) -> bool:
    """Whether two edges of a small ring that do not follow each other share a point."""
    for a in range(first, last - 2):
        b = a + 1
        west, east = min(xy[a, 0], xy[b, 0]), max(xy[a, 0], xy[b, 0])
        # the last edge follows the first
        for c in range(a + 2, last if a > first else last - 1):
            d = c + 1 if c + 1 < last else first
            if (xy[c, 0] < west and xy[d, 0] < west) or (xy[c, 0] > east and xy[d, 0] > east):
                continue
            if _share_a_point(xy, a, b, c, d) and _boxes_overlap(xy, a, b, c, d):
                return True
    return False


@njit(nogil=True, cache=True)
def _boxes_overlap(xy: NDArray[np.int32], a: int, b: int, c: int, d: int) -> bool:
    for axis in range(2):
        if max(xy[a, axis], xy[b, axis]) < min(xy[c, axis], xy[d, axis]):
            return False
        if max(xy[c, axis], xy[d, axis]) < min(xy[a, axis], xy[b, axis]):
            return False
    return True


@njit(nogil=True, cache=True)
def _winding(xy: NDArray[np.int32], first: int, last: int, x: int, y: int) -> int:
    """How often the ring ``xy[first:last]`` goes round (x, y), which is not on it."""
    count = 0
    j = last - 1
    for i in range(first, last):
        above_j, above_i = xy[j, 1] <= y, xy[i, 1] <= y
        if above_j != above_i:
            dx, dy = np.int64(xy[i, 0] - xy[j, 0]), np.int64(xy[i, 1] - xy[j, 1])
            side = dx * (y - xy[j, 1]) - dy * (x - xy[j, 0])
            if above_j and side > 0:
                count += 1
            elif above_i and side < 0:
                count -= 1
        j = i
    return count


@njit(nogil=True, cache=True)
def _nested_wrongly(
    xy: NDArray[np.int32], ring_starts: NDArray[np.int32], first_ring: int, last_ring: int
) -> bool:
    """Whether rings that do not touch lie in each other as no polygons do.

    Exteriors wind +1 and holes -1, so all other rings together wind once round a vertex of a hole
    and not at all round one of an exterior.
    """
    n_rings = last_ring - first_ring
    vertices = ring_starts[last_ring] - ring_starts[first_ring]
    if n_rings > COMPARISONS_PER_EDGE and n_rings * vertices > 10_000_000:
        return True
    for ring in range(first_ring, last_ring):
        vertex = ring_starts[ring]
        around = 0
        for other in range(first_ring, last_ring):
            if other != ring:
                around += _winding(
                    xy, ring_starts[other], ring_starts[other + 1], xy[vertex, 0], xy[vertex, 1]
                )
        is_hole = twice_area(xy, vertex, ring_starts[ring + 1]) < 0
        if around != (1 if is_hole else 0):
            return True
    return False


@njit(nogil=True, cache=True)
def is_suspect(
    xy: NDArray[np.int32], ring_starts: NDArray[np.int32], first_ring: int, last_ring: int
) -> bool:
    """Whether polygons might be invalid.

    Parameters
    ----------
    xy
        Vertices of open rings without spikes; exteriors have a positive area, holes a negative one.
    ring_starts
        The vertices of ring i are ``xy[ring_starts[i]:ring_starts[i + 1]]``.
    first_ring, last_ring
        The rings of one feature.

    Returns
    -------
    False only where they are certainly valid. Rings that share a single point are suspects, though
    some of them are valid.
    """
    first, last = ring_starts[first_ring], ring_starts[last_ring]
    if last_ring - first_ring == 1 and last - first <= SMALL_RING:
        return _ring_meets_itself(xy, first, last)
    if _edges_meet(xy, _edges(xy, ring_starts, first_ring, last_ring)):
        return True
    return last_ring - first_ring > 1 and _nested_wrongly(xy, ring_starts, first_ring, last_ring)
