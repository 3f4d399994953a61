"""From which zoom each vertex of a line or ring matters (Douglas and Peucker, 1973, for all zooms).

A vertex matters at a zoom if leaving it out would move the line by more than half a tile unit there.
That is worked out once, before anything is clipped, from the line alone: what is left of a line is
the same in every tile, and simplifying it in a tile is looking at one byte per vertex.

The method looks at n log n vertices of usual lines but at n squared of hostile ones (spirals), so
its work is bounded: where the bound is reached, the vertices not yet decided on stay.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.arrays import Geometries, GeometryType
from tiles.grid import MAX_ZOOM

TOLERANCE: Final = 0.5
"""Of simplification, in tile units of which a tile has 4096."""

NEVER: Final = MAX_ZOOM + 1
"""The zoom of vertices on the straight way between others."""

WORK_PER_VERTEX: Final = 100

_POLYGON, _MULTIPOLYGON = int(GeometryType.POLYGON), int(GeometryType.MULTIPOLYGON)


@njit(nogil=True, cache=True, inline="always")
def _farthest(xy: NDArray[np.int32], first: int, last: int) -> Any:
    """The vertex between ``first`` and ``last`` farthest from the segment that joins them.

    Returns
    -------
    (its index, its squared distance).
    """
    x0, y0 = float(xy[first, 0]), float(xy[first, 1])
    dx, dy = xy[last, 0] - x0, xy[last, 1] - y0
    length2 = dx * dx + dy * dy
    inverse = 1.0 / length2 if length2 > 0.0 else 0.0
    where, most = first, -1.0
    for i in range(first + 1, last):
        px, py = xy[i, 0] - x0, xy[i, 1] - y0
        t = min(max((px * dx + py * dy) * inverse, 0.0), 1.0)
        ex, ey = px - t * dx, py - t * dy
        distance2 = ex * ex + ey * ey
        if distance2 > most:
            where, most = i, distance2
    return where, most


@njit(nogil=True, cache=True)
def _grade(
    xy: NDArray[np.int32],
    first: int,
    last: int,
    limits: NDArray[np.float64],
    zooms: NDArray[np.uint8],
    stack: NDArray[np.int64],
) -> None:
    """Write the zooms of the vertices between ``first`` and ``last``, which both stay."""
    depth, work = 1, WORK_PER_VERTEX * (last - first)
    stack[0, 0], stack[0, 1], stack[0, 2] = first, last, 0
    while depth > 0:
        depth -= 1
        low, high, z = stack[depth, 0], stack[depth, 1], stack[depth, 2]
        if high - low < 2:
            continue
        work -= high - low
        if work < 0 or z == NEVER:
            zooms[low + 1 : high] = z
            continue
        where, distance2 = _farthest(xy, low, high)
        # never before the vertices between which it was found: each zoom has all of the one before
        while z < NEVER and distance2 <= limits[z]:
            z += 1
        zooms[where] = z
        stack[depth, 0], stack[depth, 1], stack[depth, 2] = low, where, z
        stack[depth + 1, 0], stack[depth + 1, 1], stack[depth + 1, 2] = where, high, z
        depth += 2


@njit(nogil=True, cache=True)
def _grade_rings(
    areal: NDArray[np.uint8],
    vertex_starts: NDArray[np.int32],
    xy: NDArray[np.int32],
    limits: NDArray[np.float64],
    zooms: NDArray[np.uint8],
) -> None:
    """Grade lines from end to end, and rings of polygons by the halves that a far vertex makes."""
    stack = np.empty((16, 3), np.int64)
    for ring in range(len(areal)):
        first, last = vertex_starts[ring], vertex_starts[ring + 1] - 1
        if last - first < 2:
            continue
        if last - first + 2 > stack.shape[0]:
            stack = np.empty((2 * (last - first) + 4, 3), np.int64)
        far = last
        if areal[ring] != 0:
            far, _ = _farthest(xy, first, last)
            zooms[far] = 0
            _grade(xy, far, last, limits, zooms, stack)
        _grade(xy, first, far, limits, zooms, stack)


def vertex_zooms(geometries: Geometries, world_xy: NDArray[np.int32]) -> NDArray[np.uint8]:
    """First zoom at which each vertex matters.

    Parameters
    ----------
    geometries
        Of v vertices.
    world_xy
        (v, 2) their world coordinates.

    Returns
    -------
    (v,) 0 to MAX_ZOOM, or NEVER. 0 of points, of the ends of lines, and of two vertices of a ring.
    Left out up to a zoom, no vertex is farther than TOLERANCE from the line that remains.
    """
    limits = np.array([(TOLERANCE * 2.0 ** (20 - z)) ** 2 for z in range(MAX_ZOOM + 1)])
    zooms = np.zeros(len(world_xy), dtype=np.uint8)
    each = np.repeat(geometries.types, np.diff(geometries.part_starts))
    each = np.repeat(each, np.diff(geometries.ring_starts))
    areal = ((each == _POLYGON) | (each == _MULTIPOLYGON)).astype(np.uint8)
    # copied where they cannot be written, so that kernels see one type of array whoever asks
    starts = np.require(geometries.vertex_starts, np.int32, ["C", "W"])
    _grade_rings(areal, starts, np.require(world_xy, np.int32, ["C", "W"]), limits, zooms)
    zooms.setflags(write=False)
    return zooms
