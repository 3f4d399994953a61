"""Which rows lie within an area, outside it or across its edge, without looking at most of them.

Rows follow the Hilbert curve, so that neighbours in a table are neighbours on the map: boxes around
runs of rows decide for all their rows at once, boxes of rows for most of what is left, and geometry
only for what lies near the edge.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from tiles.arrays import FeatureTable
from tiles.geometry.convert import to_shapely
from tiles.grid import WORLD_MAX, WORLD_MIN, world_to_lon_lat

Mask = NDArray[np.bool_]

RUN_ROWS = 64
_PAD = 2  # world units by which rounding may move an edge, and one for the unit's own width


def against_area(area: BaseGeometry, table: FeatureTable, rows: NDArray[np.int32]) -> tuple[Mask, Mask]:
    """Which rows' geometries meet an area, and which of them lie wholly within it.

    A geometry that only touches the area has nothing inside it and does not meet it. A row without
    geometry does neither.
    """
    meets, within = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    unsure = np.arange(len(rows))
    if table.boxes is not None:
        for run in (RUN_ROWS, 1):
            inside, outside = _by_boxes(area, table.boxes[rows[unsure]], run)
            meets[unsure[inside]] = within[unsure[inside]] = True
            unsure = unsure[~inside & ~outside]
    shapes = to_shapely(table.geometries, rows[unsure])
    covered = shapely.covers(area, shapes)
    within[unsure] = covered
    meets[unsure] = covered | (shapely.intersects(area, shapes) & ~shapely.touches(area, shapes))
    return meets, within


def _by_boxes(area: BaseGeometry, boxes: NDArray[np.int32], run: int) -> tuple[Mask, Mask]:
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
    frames = shapely.box(west, south, east, north)
    inside = shapely.contains_properly(area, frames) & plain
    outside = shapely.disjoint(area, frames) & plain
    lengths = np.diff([*starts, len(boxes)])
    there = boxes[:, 0] <= boxes[:, 2]
    return np.repeat(inside, lengths) & there, np.repeat(outside, lengths) | ~there
