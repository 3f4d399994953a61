"""Whether features meet an area, as far as that is plain from numbers in hand.

A grid over the area tells which of its cells lie wholly inside, wholly outside, or near an edge: most
features are settled by the cells of their vertices. The rest is put beside the few edges at the same
height, exactly; what rounding could turn, and polygons that may surround the area, are left to those
who do geometry.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import borrowed
from tiles.arrays import FeatureTable
from tiles.geometry.areas import GRID, INSIDE, MARGIN, OUTSIDE, Area, rows_of
from tiles.geometry.near import APART, MEETS, UNSURE, side_of
from tiles.geometry.shapes import LINE, MULTILINE, MULTIPOLYGON, POLYGON, Shapes, lent, shapes_of

_EDGES_PER_VERTEX = 64  # that are looked at, on average, before the rest is left undecided
_UNITS = 2  # of the world, by which boxes are widened: they are rounded by one


@njit(nogil=True, cache=True, forceinline=True)
def _row_at(heights: NDArray[np.int64], y: int) -> int:
    """The row of cells at a height: nearly even, so a guess is at most a few rows away."""
    row = int((y - heights[0]) * (GRID / max(heights[GRID] - heights[0], 1)))
    row = min(max(row, 0), GRID - 1)
    while row > 0 and heights[row] >= y:
        row -= 1
    while row < GRID - 1 and heights[row + 1] < y:
        row += 1
    return row


@njit(nogil=True, cache=True, forceinline=True)
def _between(sums: NDArray[np.int32], first: int, bottom: int, last: int, top: int) -> int:
    return sums[top, last] - sums[bottom, last] - sums[top, first] + sums[bottom, first]


@njit(nogil=True, cache=True)
def _by_boxes(
    heights: NDArray[np.int64],
    span: NDArray[np.int64],
    inside: NDArray[np.int32],
    touched: NDArray[np.int32],
    boxes: NDArray[np.int32],
    rows: NDArray[np.int32],
    found: NDArray[np.uint8],
) -> None:
    """What the rows' own boxes settle: they hold the shapes, and world units are rounded by one."""
    far_west, far_east, far_south, far_north = span[0], span[1], heights[0], heights[GRID]
    scale = GRID / max(far_east - far_west, 1)
    for i in range(rows.shape[0]):
        row = rows[i]
        west, south = int(boxes[row, 0]) - _UNITS, int(boxes[row, 1]) - _UNITS
        east, north = int(boxes[row, 2]) + _UNITS, int(boxes[row, 3]) + _UNITS
        found[i] = UNSURE
        if east - west < 2 * _UNITS:
            continue  # no box at all
        if west > far_east or east < far_west or south > far_north or north < far_south:
            found[i] = APART
            continue
        first = max(int((west - far_west) * scale - MARGIN), 0)
        last = min(int(max(east - far_west, 0) * scale + MARGIN), GRID - 1) + 1
        first = min(first, last - 1)
        bottom, top = _row_at(heights, south), _row_at(heights, north) + 1
        if _between(touched, first, bottom, last, top) == 0:
            found[i] = APART
            continue
        held = west >= far_west and east <= far_east and south >= far_south and north <= far_north
        if held and _between(inside, first, bottom, last, top) == (last - first) * (top - bottom):
            found[i] = MEETS


@njit(nogil=True, cache=True, forceinline=True)
def _all_outside(area: Area, low_u: float, low_v: float, high_u: float, high_v: float) -> bool:
    """Whether no cell near a box, given in cells, is inside or near an edge."""
    if high_u < -MARGIN or high_v < -MARGIN or low_u > GRID + MARGIN or low_v > GRID + MARGIN:
        return True
    first, last = rows_of(low_u, high_u)
    bottom, top = rows_of(low_v, high_v)
    # what lies beyond the last cell by less than the margin is near the last cell
    first, bottom = min(first, GRID - 1), min(bottom, GRID - 1)
    for row in range(bottom, top):
        for column in range(first, last):
            if area.cells[row, column] != OUTSIDE:
                return False
    return True


@njit(nogil=True, cache=True, forceinline=True)
def _state(area: Area, x: float, y: float, work: NDArray[np.int64]) -> int:
    """Where a point lies: exactly, or UNSURE where it is on an edge or too close to say."""
    u, v = (x - area.frame[0]) * area.frame[2], (y - area.frame[1]) * area.frame[3]
    if u < -MARGIN or v < -MARGIN or u > GRID + MARGIN or v > GRID + MARGIN:
        return APART
    row = min(max(int(np.floor(v)), 0), GRID - 1)
    inside, edges = False, area.edges
    for k in range(area.slab_starts[row], area.slab_starts[row + 1]):
        e = area.slab_edges[k]
        ax, ay, bx, by = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        if (ay > y) != (by > y):
            side = side_of(ax, ay, bx, by, x, y)
            if side == 0:
                return UNSURE
            inside = inside != ((side > 0) == (by > ay))
        elif ay == y and min(ax, bx) <= x and x <= max(ax, bx):
            return UNSURE
    work[0] -= area.slab_starts[row + 1] - area.slab_starts[row]
    return MEETS if inside else APART


@njit(nogil=True, cache=True, forceinline=True)
def _crossing(edges: NDArray[np.float64], e: int, ax: float, ay: float, bx: float, by: float) -> int:
    """Whether a segment crosses an edge."""
    px, py, qx, qy = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
    if (ax < px and ax < qx and bx < px and bx < qx) or (ax > px and ax > qx and bx > px and bx > qx):
        return APART
    if (ay < py and ay < qy and by < py and by < qy) or (ay > py and ay > qy and by > py and by > qy):
        return APART
    ends = side_of(px, py, qx, qy, ax, ay) * side_of(px, py, qx, qy, bx, by)
    if ends > 0:
        return APART
    others = side_of(ax, ay, bx, by, px, py) * side_of(ax, ay, bx, by, qx, qy)
    if others > 0:
        return APART
    return MEETS if ends < 0 and others < 0 else UNSURE


@njit(nogil=True, cache=True, forceinline=True)
def _crosses(area: Area, lon_lat_z: NDArray[np.float64], i: int, work: NDArray[np.int64]) -> int:
    """Whether the segment from vertex ``i`` crosses an edge of the area."""
    ax, ay, bx, by = lon_lat_z[i, 0], lon_lat_z[i, 1], lon_lat_z[i + 1, 0], lon_lat_z[i + 1, 1]
    frame = area.frame
    au, av = (ax - frame[0]) * frame[2], (ay - frame[1]) * frame[3]
    bu, bv = (bx - frame[0]) * frame[2], (by - frame[1]) * frame[3]
    low, high = min(av, bv), max(av, bv)
    if _all_outside(area, min(au, bu), low, max(au, bu), high):
        return APART
    first, last = rows_of(low, high)
    first = min(first, GRID - 1)
    found = APART
    for k in range(area.slab_starts[first], area.slab_starts[last]):
        crosses = _crossing(area.edges, area.slab_edges[k], ax, ay, bx, by)
        if crosses == MEETS:
            return MEETS
        if crosses == UNSURE:
            found = UNSURE
    work[0] -= area.slab_starts[last] - area.slab_starts[first]
    return found


@njit(nogil=True, cache=True, forceinline=True)
def _by_parts(area: Area, shapes: Shapes, row: int, work: NDArray[np.int64]) -> int:
    """How lines or points lie, none of whose vertices is in a cell that lies inside."""
    found, line = APART, shapes.types[row] == LINE or shapes.types[row] == MULTILINE
    for part in range(shapes.part_starts[row], shapes.part_starts[row + 1]):
        ring = shapes.ring_starts[part]
        first, last = shapes.vertex_starts[ring], shapes.vertex_starts[ring + 1]
        if work[0] < 0:
            return UNSURE
        if first == last:
            continue
        if line:
            for i in range(first, last - 1):
                crosses = _crosses(area, shapes.lon_lat_z, i, work)
                if crosses == MEETS:
                    return MEETS
                if crosses == UNSURE:
                    found = UNSURE
        # a line that crosses no edge lies wholly where its first vertex does
        one = _state(area, shapes.lon_lat_z[first, 0], shapes.lon_lat_z[first, 1], work)
        if one == MEETS:
            return MEETS
        if one == UNSURE:
            found = UNSURE
    return found


@njit(nogil=True, cache=True, forceinline=True)
def _relation(area: Area, shapes: Shapes, row: int, work: NDArray[np.int64]) -> int:
    """How a row lies to the area."""
    first = shapes.vertex_starts[shapes.ring_starts[shapes.part_starts[row]]]
    last = shapes.vertex_starts[shapes.ring_starts[shapes.part_starts[row + 1]]]
    west, south, east_scale, north_scale = area.frame[0], area.frame[1], area.frame[2], area.frame[3]
    low_u, low_v, high_u, high_v = np.inf, np.inf, -np.inf, -np.inf
    for i in range(first, last):
        u = (shapes.lon_lat_z[i, 0] - west) * east_scale
        v = (shapes.lon_lat_z[i, 1] - south) * north_scale
        if not (np.isfinite(u) and np.isfinite(v)):
            return UNSURE
        if u >= 0 and v >= 0 and u < GRID and v < GRID and area.cells[int(v), int(u)] == INSIDE:
            return MEETS
        low_u, high_u = min(low_u, u), max(high_u, u)
        low_v, high_v = min(low_v, v), max(high_v, v)
    if first == last or _all_outside(area, low_u, low_v, high_u, high_v):
        return APART
    if shapes.types[row] == POLYGON or shapes.types[row] == MULTIPOLYGON:
        return UNSURE
    return _by_parts(area, shapes, row, work)


@njit(nogil=True, cache=True)
def _meeting(
    area: Area, shapes: Shapes, rows: NDArray[np.int32], left: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Which rows meet the area (n,), and the places of those that are not decided."""
    settled = np.full(rows.shape[0], UNSURE, np.uint8)
    if shapes.boxes.shape[0] != 0:
        _by_boxes(area.heights, area.span, area.sums[0], area.sums[1], shapes.boxes, rows, settled)
    work = np.array([left], np.int64)
    # arrays that own something would have their owners counted with every call
    area = Area(
        borrowed(area.edges),
        borrowed(area.slab_starts),
        borrowed(area.slab_edges),
        borrowed(area.cells),
        borrowed(area.frame),
        borrowed(area.heights),
        borrowed(area.span),
        borrowed(area.sums),
    )
    shapes = lent(shapes)
    lent_work = borrowed(work)
    unsure, n_unsure = np.empty(rows.shape[0], np.int64), 0
    for i in range(rows.shape[0]):
        if settled[i] != UNSURE:
            continue
        settled[i] = _relation(area, shapes, rows[i], lent_work)
        if settled[i] == UNSURE:
            settled[i] = APART
            unsure[n_unsure] = i
            n_unsure += 1
    return settled, unsure[:n_unsure]


@njit(nogil=True, cache=True)
def _count(
    part_starts: NDArray[np.int32],
    ring_starts: NDArray[np.int32],
    vertex_starts: NDArray[np.int32],
    rows: NDArray[np.int32],
) -> int:
    found = 0
    for row in rows:
        found += vertex_starts[ring_starts[part_starts[row + 1]]]
        found -= vertex_starts[ring_starts[part_starts[row]]]
    return found


def vertices_in(table: FeatureTable, rows: NDArray[np.int32]) -> int:
    """How many vertices some rows have together."""
    shapes = table.geometries
    counted = _count(shapes.part_starts, shapes.ring_starts, shapes.vertex_starts, rows)
    return int(counted)


def meeting_area(
    table: FeatureTable, rows: NDArray[np.int32], area: Area
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which of the rows meet an area, its edge included, as far as that is plain.

    Parameters
    ----------
    rows
        (n,) row numbers of the table.

    Returns
    -------
    (n,) whether they meet it, and the places (u,) of those that are not decided, for which it says no.
    Rows without geometry do not meet it; those with positions that are not finite may be undecided, and
    so is what remains once many more edges were looked at than there are vertices.
    """
    chosen = np.ascontiguousarray(rows, dtype=np.int32)
    most = _EDGES_PER_VERTEX * (vertices_in(table, chosen) + len(chosen))
    met, unsure = _meeting(
        area,
        shapes_of(table),
        chosen,
        most,
    )
    return met.view(np.bool_), unsure
