"""Which hole belongs to which exterior."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.geometry.repair import drop_spikes, twice_area


@njit(nogil=True, cache=True)
def _boxes(xy: NDArray[np.int32], ring_starts: NDArray[np.int32]) -> NDArray[np.int64]:
    """Least and greatest x, least and greatest y of each ring."""
    boxes = np.empty((len(ring_starts) - 1, 4), np.int64)
    for ring in range(len(ring_starts) - 1):
        first, last = ring_starts[ring], ring_starts[ring + 1]
        boxes[ring, 0], boxes[ring, 1] = xy[first:last, 0].min(), xy[first:last, 0].max()
        boxes[ring, 2], boxes[ring, 3] = xy[first:last, 1].min(), xy[first:last, 1].max()
    return boxes


@njit(nogil=True, cache=True)
def _surrounds(xy: NDArray[np.int32], first: int, last: int, x2: int, y2: int) -> bool:
    """Whether a point, in doubled coordinates, lies in the ring ``xy[first:last]``; it is not on it."""
    inside, j = False, last - 1
    for i in range(first, last):
        x0, y0, x1, y1 = 2 * int(xy[j, 0]), 2 * int(xy[j, 1]), 2 * int(xy[i, 0]), 2 * int(xy[i, 1])
        if (y0 <= y2) != (y1 <= y2):
            left = (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0)
            if (left > 0) == (y1 > y0):
                inside = not inside
        j = i
    return inside


@njit(nogil=True, cache=True)
def _exterior_of(
    hole: int,
    xy: NDArray[np.int32],
    ring_starts: NDArray[np.int32],
    areas: NDArray[np.int64],
    boxes: NDArray[np.int64],
) -> int:
    """The smallest exterior around a hole; -1: there is none."""
    at, best = ring_starts[hole], -1
    # the middle of an edge is on no other ring, which a vertex may be
    x2, y2 = int(xy[at, 0]) + int(xy[at + 1, 0]), int(xy[at, 1]) + int(xy[at + 1, 1])
    box = boxes[hole]
    for ring in range(len(areas)):
        if areas[ring] <= 0 or (best >= 0 and areas[ring] >= areas[best]):
            continue
        around = boxes[ring]
        if around[0] > box[0] or around[1] < box[1] or around[2] > box[2] or around[3] < box[3]:
            continue
        if _surrounds(xy, ring_starts[ring], ring_starts[ring + 1], x2, y2):
            best = ring
    return best


@njit(nogil=True, cache=True)
def _append(xy: NDArray[np.int32], first: int, last: int, out: NDArray[np.int32], used: int) -> int:
    """Copy a ring without its straight vertices; the new end of ``out``."""
    for i in range(first, last):
        out[used + i - first, 0], out[used + i - first, 1] = xy[i, 0], xy[i, 1]
    return drop_spikes(out, used, used + last - first)


@njit(nogil=True, cache=True)
def nested(xy: NDArray[np.int32], ring_starts: NDArray[np.int32], min_twice_area: int) -> Any:
    """Put rings in the order of polygons: each exterior, then its holes.

    Parameters
    ----------
    xy, ring_starts
        Open rings that touch at vertices at most; exteriors have a positive area.
    min_twice_area
        Twice the area that a ring must have to stay.

    Returns
    -------
    (xy, ring_starts) without small rings, holes in no exterior and vertices on straight lines.
    """
    n = len(ring_starts) - 1
    areas, parents = np.zeros(n, np.int64), np.full(n, -1, np.int64)
    for ring in range(n):
        area2 = twice_area(xy, ring_starts[ring], ring_starts[ring + 1])
        areas[ring] = area2 if abs(area2) >= min_twice_area else 0
    boxes = _boxes(xy, ring_starts)
    for ring in range(n):
        if areas[ring] < 0:
            parents[ring] = _exterior_of(ring, xy, ring_starts, areas, boxes)
        elif areas[ring] > 0:
            parents[ring] = ring
    out, starts = np.empty(xy.shape, np.int32), np.zeros(n + 1, np.int32)
    used, rings = 0, 0
    # exteriors have themselves as parents and come before their holes
    order = np.argsort(2 * parents + (areas < 0), kind="mergesort")
    for k in range(n):
        ring = order[k]
        if parents[ring] >= 0:
            used = _append(xy, ring_starts[ring], ring_starts[ring + 1], out, used)
            rings += 1
            starts[rings] = used
    return out[:used], starts[: rings + 1]
