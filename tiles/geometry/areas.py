"""Areas made ready to be asked what meets them: a grid of cells, and edges by their heights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from tiles.grid import MAX_LATITUDE, world_x, world_y

GRID = 64
OUTSIDE, INSIDE, EDGE = 0, 1, 2
MARGIN = 1e-4  # of a cell: farther than rounding moves anything
_LEAST_CELL = 1e-8  # degrees; below, rounding would be seen


class Area(NamedTuple):
    """A polygon or several, ready to be asked; nothing of it is changed by asking.

    ``frame`` is west and south in degrees, and cells per degree of longitude and of latitude.
    """

    edges: NDArray[np.float64]  # (m, 4) from lon, lat to lon, lat
    slab_starts: NDArray[np.int64]  # (GRID + 1,)
    slab_edges: NDArray[np.int32]  # (k,) edges at the height of each row of cells
    cells: NDArray[np.uint8]  # (GRID, GRID) south to north, west to east
    frame: NDArray[np.float64]  # (4,)
    heights: NDArray[np.int64]  # (GRID + 1,) world y of the edges of the rows of cells
    span: NDArray[np.int64]  # (2,) world x of the first and of the last edge of the columns
    sums: NDArray[np.int32]  # (2, GRID + 1, GRID + 1) cells inside, and inside or near an edge


def prepare_area(shape: BaseGeometry) -> Area | None:
    """Make a valid polygon or multipolygon, longitude before latitude, ready to be asked.

    None for other geometries, for those too small to be told from rounding, and near the poles, where
    the world of boxes ends.
    """
    if shape.geom_type not in ("Polygon", "MultiPolygon") or shape.is_empty:
        return None
    west, south, east, north = shape.bounds
    wide, high = (east - west) / GRID, (north - south) / GRID
    if not (wide > _LEAST_CELL and high > _LEAST_CELL) or max(-south, north) > MAX_LATITUDE:
        return None
    edges = _edges(shape)
    frame = np.array([west, south, 1 / wide, 1 / high])
    starts, members = _slabs(edges, frame)
    cells = _cells(edges, starts, members, frame)
    span = np.array([world_x(west), world_x(east)], np.int64)
    return Area(edges, starts, members, cells, frame, _heights(south, high), span, _sums(cells))


def _edges(shape: BaseGeometry) -> NDArray[np.float64]:
    rings = shapely.get_rings(shapely.get_parts(shape))
    places, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return np.hstack([places[:-1][same], places[1:][same]])


@njit(nogil=True, cache=True, forceinline=True)
def rows_of(low: float, high: float) -> tuple[int, int]:
    """First and last + 1 of the rows (or columns) of cells near an interval, in cells."""
    first = int(np.floor(max(low - MARGIN, 0.0)))
    last = int(np.floor(min(high + MARGIN, GRID - 1.0)))
    return first, last + 1


@njit(nogil=True, cache=True)
def _slabs(
    edges: NDArray[np.float64], frame: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Edges by the rows of cells that they pass."""
    starts = np.zeros(GRID + 1, np.int64)
    for e in range(edges.shape[0]):
        low, high = (edges[e, 1] - frame[1]) * frame[3], (edges[e, 3] - frame[1]) * frame[3]
        first, last = rows_of(min(low, high), max(low, high))
        for row in range(first, last):
            starts[row + 1] += 1
    for row in range(GRID):
        starts[row + 1] += starts[row]
    members, at = np.empty(starts[GRID], np.int32), starts.copy()
    for e in range(edges.shape[0]):
        low, high = (edges[e, 1] - frame[1]) * frame[3], (edges[e, 3] - frame[1]) * frame[3]
        first, last = rows_of(min(low, high), max(low, high))
        for row in range(first, last):
            members[at[row]] = e
            at[row] += 1
    return starts, members


@njit(nogil=True, cache=True)
def _mark(cells: NDArray[np.uint8], au: float, av: float, bu: float, bv: float) -> None:
    """Mark the cells near an edge, given in cells."""
    if au > bu:
        au, av, bu, bv = bu, bv, au, av
    first, last = rows_of(au, bu)
    for column in range(first, last):
        low, high = min(av, bv), max(av, bv)
        if bu - au > MARGIN:
            slope = (bv - av) / (bu - au)
            one = av + (max(column - MARGIN, au) - au) * slope
            other = av + (min(column + 1 + MARGIN, bu) - au) * slope
            low, high = max(low, min(one, other)), min(high, max(one, other))
        bottom, top = rows_of(low, high)
        for row in range(bottom, top):
            cells[row, column] = EDGE


@njit(nogil=True, cache=True)
def _is_in(
    edges: NDArray[np.float64], members: NDArray[np.int32], first: int, last: int, x: float, y: float
) -> bool:
    """Whether a point that is far from every edge lies inside: by the edges at its height."""
    inside = False
    for k in range(first, last):
        e = members[k]
        ax, ay, bx, by = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            inside = not inside
    return inside


@njit(nogil=True, cache=True)
def _cells(
    edges: NDArray[np.float64],
    starts: NDArray[np.int64],
    members: NDArray[np.int32],
    frame: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Inside, outside, or near an edge: the state of a cell that none passes is its neighbour's."""
    cells = np.full((GRID, GRID), OUTSIDE, np.uint8)
    for e in range(edges.shape[0]):
        au, av = (edges[e, 0] - frame[0]) * frame[2], (edges[e, 1] - frame[1]) * frame[3]
        bu, bv = (edges[e, 2] - frame[0]) * frame[2], (edges[e, 3] - frame[1]) * frame[3]
        _mark(cells, au, av, bu, bv)
    for row in range(GRID):
        y, known, state = frame[1] + (row + 0.5) / frame[3], False, OUTSIDE
        for column in range(GRID):
            if cells[row, column] == EDGE:
                known = False
                continue
            if not known:
                x = frame[0] + (column + 0.5) / frame[2]
                inside = _is_in(edges, members, starts[row], starts[row + 1], x, y)
                state, known = INSIDE if inside else OUTSIDE, True
            cells[row, column] = state
    return cells


@njit(nogil=True, cache=True)
def _heights(south: float, high: float) -> NDArray[np.int64]:
    found = np.empty(GRID + 1, np.int64)
    for row in range(GRID + 1):
        found[row] = world_y(south + high * row)
    return found


@njit(nogil=True, cache=True)
def _sums(cells: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Counts of cells to the south and west of each corner."""
    sums = np.zeros((2, GRID + 1, GRID + 1), np.int32)
    for row in range(GRID):
        inside, touched = 0, 0
        for column in range(GRID):
            inside += cells[row, column] == INSIDE
            touched += cells[row, column] != OUTSIDE
            sums[0, row + 1, column + 1] = sums[0, row, column + 1] + inside
            sums[1, row + 1, column + 1] = sums[1, row, column + 1] + touched
    return sums
