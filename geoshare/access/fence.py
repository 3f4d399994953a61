"""Which rows lie within an area, outside it or across its edge, without looking at most of them.

Rows follow the Hilbert curve, so that neighbours in a table are neighbours on the map: boxes around
runs of rows decide for all their rows at once, boxes of rows for most of what is left, and geometry
only for what lies near the edge.

Where places are told to some metres only, the rounded geometry decides, and the fence is drawn in by
half a cell of the grid: that a row is shown says no more of where it is than its rounded place, and
nothing from beyond the fence is rounded into it.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geoshare.access.precision import Shapes, cell_deg, coarsen, snapped
from tiles.arrays import FeatureTable
from tiles.geometry.convert import to_shapely
from tiles.grid import WORLD_MAX, WORLD_MIN, world_to_lon_lat

Mask = NDArray[np.bool_]

RUN_ROWS = 64
_PAD = 2  # world units by which rounding may move an edge, and one for the unit's own width


_ARC = 1.02  # arcs of a buffer are cut short by cos(pi / 16) at most


def drawn_in(area: BaseGeometry, snap_m: float) -> BaseGeometry:
    """The fence that counts for places rounded to ``snap_m`` metres (0: as it is).

    Whatever is rounded to a place within it lies within the fence itself: half a diagonal of the widest
    cell at its latitudes is taken away along its edge. Empty where nothing is left.
    """
    return _drawn_in(shapely.to_wkb(area), snap_m) if snap_m > 0 else area


@lru_cache(maxsize=64)
def _drawn_in(area: bytes, snap_m: float) -> BaseGeometry:
    found = shapely.from_wkb(area)
    inner = shapely.buffer(found, -_ARC * _half_cell_deg(found, snap_m))
    shapely.prepare(inner)
    return inner


def _half_cell_deg(area: BaseGeometry, snap_m: float) -> float:
    """Degrees from the middle of the grid's widest cell there to its corner."""
    _, south, _, north = area.bounds
    return math.hypot(*cell_deg(max(abs(south), abs(north)), snap_m)) / 2


def against_area(
    area: BaseGeometry, table: FeatureTable, rows: NDArray[np.int32], snap_m: float = 0.0
) -> tuple[Mask, Mask]:
    """Which rows' geometries meet an area, and which of them lie wholly within it.

    A geometry that only touches the area has nothing inside it and does not meet it. A row without
    geometry does neither. With ``snap_m`` in metres the rounded geometry is asked, of which nothing may
    be left; the area is then one that is `drawn_in`.
    """
    meets, within = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    if area.is_empty:
        return meets, within
    # a vertex moves by half a cell, and simplifying moves lines by a cell's height
    pad = 3 * _half_cell_deg(area, snap_m) if snap_m > 0 else 0.0
    unsure = np.arange(len(rows))
    if table.boxes is not None:
        for run in (RUN_ROWS, 1):
            inside, outside = _by_boxes(area, table.boxes[rows[unsure]], run, pad)
            meets[unsure[inside]] = within[unsure[inside]] = True
            unsure = unsure[~inside & ~outside]
    shapes = to_shapely(table.geometries, rows[unsure])
    told = coarsen(shapes, snap_m) if snap_m > 0 else shapes
    covered = shapely.covers(area, told)
    found = covered | _enters(told, area)
    if snap_m > 0:
        # a line that is simplified may take a short cut through the area
        found &= _enters(snapped(shapes, snap_m), area)
    meets[unsure], within[unsure] = found, found & covered
    return meets, within


def _enters(shapes: Shapes, area: BaseGeometry) -> Mask:
    found: Mask = shapely.intersects(area, shapes) & ~shapely.touches(area, shapes)
    return found


def _by_boxes(
    area: BaseGeometry, boxes: NDArray[np.int32], run: int, pad_deg: float
) -> tuple[Mask, Mask]:
    """Which rows lie well inside and which well outside, as the boxes of runs of them tell."""
    if not len(boxes):
        return np.zeros(0, bool), np.zeros(0, bool)
    starts = np.arange(0, len(boxes), run)
    # an empty box (west > east) neither widens a run nor lies anywhere
    low = np.minimum.reduceat(boxes[:, :2], starts, axis=0).astype(np.int64)
    high = np.maximum.reduceat(boxes[:, 2:], starts, axis=0).astype(np.int64)
    # what lies beyond the world of tiles was moved to its edge: only geometry tells where it is
    plain = (low > WORLD_MIN + _PAD).all(axis=1) & (high < WORLD_MAX - _PAD).all(axis=1)
    plain &= (low <= high).all(axis=1)
    (west, south), (east, north) = world_to_lon_lat(low - _PAD).T, world_to_lon_lat(high + _PAD).T
    frames = shapely.box(west - pad_deg, south - pad_deg, east + pad_deg, north + pad_deg)
    inside = shapely.contains_properly(area, frames) & plain
    outside = shapely.disjoint(area, frames) & plain
    lengths = np.diff([*starts, len(boxes)])
    there = boxes[:, 0] <= boxes[:, 2]
    return np.repeat(inside, lengths) & there, np.repeat(outside, lengths) | ~there
