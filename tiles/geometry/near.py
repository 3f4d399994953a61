"""Whether features meet a box, as far as that is plain from numbers in hand.

A vertex inside, a side that all vertices lie beyond, and a segment that crosses are decided exactly;
the rest (areas that may surround the box, what rounding could turn) is left to those who do geometry.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.arrays import FeatureTable
from tiles.geometry.shapes import LINE, MULTILINE, Shapes, shapes_of
from tiles.grid import lon_lat_box_to_world

APART, MEETS, UNSURE = 0, 1, 2

# Shewchuk, "Adaptive precision floating-point arithmetic and fast robust geometric predicates", 1997:
# the error of an orientation, relative to the sum of its products.
_ERROR = (3.0 + 16.0 * 2.0**-53) * 2.0**-53


@njit(nogil=True, cache=True, forceinline=True)
def _well_inside(boxes: NDArray[np.int32], row: int, worlds: NDArray[np.int64]) -> bool:
    """Whether a row's own box lies within one of the others; world units are rounded by one."""
    west, south, east, north = boxes[row, 0], boxes[row, 1], boxes[row, 2], boxes[row, 3]
    if west > east:
        return False
    for k in range(worlds.shape[0]):
        if (
            west > worlds[k, 0] + 1
            and south > worlds[k, 1] + 1
            and east < worlds[k, 2] - 1
            and north < worlds[k, 3] - 1
        ):
            return True
    return False


@njit(nogil=True, cache=True)
def _by_vertices(
    lon_lat_z: NDArray[np.float64], first: int, last: int, box: NDArray[np.float64]
) -> int:
    west, south, east, north = box[0], box[1], box[2], box[3]
    beyond_west, beyond_south, beyond_east, beyond_north = True, True, True, True
    for i in range(first, last):
        lon, lat = lon_lat_z[i, 0], lon_lat_z[i, 1]
        if lon >= west and lon <= east and lat >= south and lat <= north:
            return MEETS
        beyond_west = beyond_west and lon < west
        beyond_south = beyond_south and lat < south
        beyond_east = beyond_east and lon > east
        beyond_north = beyond_north and lat > north
    if beyond_west or beyond_south or beyond_east or beyond_north:
        return APART
    return UNSURE


@njit(nogil=True, cache=True)
def side_of(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """On which side of a line a point lies: 1 left, -1 right, 0 on it or too close to say."""
    left, right = (ax - px) * (by - py), (ay - py) * (bx - px)
    turn = left - right
    bound = _ERROR * (abs(left) + abs(right))
    if turn > bound:
        return 1
    return -1 if turn < -bound else 0


@njit(nogil=True, cache=True)
def _by_segment(lon_lat_z: NDArray[np.float64], i: int, box: NDArray[np.float64]) -> int:
    """Whether the segment from vertex ``i``, both ends of which lie outside, crosses a box."""
    ax, ay, bx, by = lon_lat_z[i, 0], lon_lat_z[i, 1], lon_lat_z[i + 1, 0], lon_lat_z[i + 1, 1]
    west, south, east, north = box[0], box[1], box[2], box[3]
    # written so that NaN is beyond nothing
    if (ax < west and bx < west) or (ax > east and bx > east):
        return APART
    if (ay < south and by < south) or (ay > north and by > north):
        return APART
    low, high = side_of(ax, ay, bx, by, west, south), side_of(ax, ay, bx, by, east, north)
    left, right = side_of(ax, ay, bx, by, west, north), side_of(ax, ay, bx, by, east, south)
    if low * high < 0 or left * right < 0:
        return MEETS
    return APART if low * high > 0 and left * right > 0 and low == left else UNSURE


@njit(nogil=True, cache=True)
def _by_segments(shapes: Shapes, row: int, box: NDArray[np.float64]) -> int:
    """Whether a line of which no vertex lies inside crosses a box."""
    found = APART
    for part in range(shapes.part_starts[row], shapes.part_starts[row + 1]):
        ring = shapes.ring_starts[part]
        for i in range(shapes.vertex_starts[ring], shapes.vertex_starts[ring + 1] - 1):
            crosses = _by_segment(shapes.lon_lat_z, i, box)
            if crosses == MEETS:
                return MEETS
            if crosses == UNSURE:
                found = UNSURE
    return found


@njit(nogil=True, cache=True)
def _relation(shapes: Shapes, row: int, halves: NDArray[np.float64]) -> int:
    """How a row lies to the halves of a box: the most that is known of either."""
    first = shapes.vertex_starts[shapes.ring_starts[shapes.part_starts[row]]]
    last = shapes.vertex_starts[shapes.ring_starts[shapes.part_starts[row + 1]]]
    line = shapes.types[row] == LINE or shapes.types[row] == MULTILINE
    found = APART
    for k in range(halves.shape[0]):
        one = _by_vertices(shapes.lon_lat_z, first, last, halves[k])
        if one == UNSURE and line:
            one = _by_segments(shapes, row, halves[k])
        if one == MEETS:
            return MEETS
        if one == UNSURE:
            found = UNSURE
    return found


@njit(nogil=True, cache=True)
def _meeting(
    shapes: Shapes,
    rows: NDArray[np.int32],
    worlds: NDArray[np.int64],
    halves: NDArray[np.float64],
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    kept, unsure = np.empty(rows.shape[0], np.int32), np.empty(rows.shape[0], np.int64)
    n_kept, n_unsure = 0, 0
    boxes = shapes.boxes
    for row in rows:
        found = MEETS
        if boxes.shape[0] == 0 or not _well_inside(boxes, row, worlds):
            found = _relation(shapes, row, halves)
        if found == APART:
            continue
        if found == UNSURE:
            unsure[n_unsure] = n_kept
            n_unsure += 1
        kept[n_kept] = row
        n_kept += 1
    return kept[:n_kept], unsure[:n_unsure]


def meeting_box(
    table: FeatureTable, rows: NDArray[np.int32], box: tuple[float, float, float, float]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Those of the rows that meet a box or may do so, edges included, in their order.

    Parameters
    ----------
    rows
        (n,) row numbers of the table.
    box
        West, south, east, north in degrees; west above east crosses the antimeridian.

    Returns
    -------
    (k,) rows, and the places among them (u,) of those that are not decided. Rows without geometry are
    not among them; those with positions that are not finite may be undecided.
    """
    west, south, east, north = map(float, box)
    sides = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    kept, unsure = _meeting(
        shapes_of(table),
        np.ascontiguousarray(rows, dtype=np.int32),
        np.array(lon_lat_box_to_world(*box), np.int64).reshape(-1, 4),
        np.array([(low, south, high, north) for low, high in sides]),
    )
    return kept, unsure
