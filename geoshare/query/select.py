"""Rows by place and time, exactly: the R-tree finds candidates, these decide."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.filter.literals import read_geometry
from geoshare.model.box import Box
from geoshare.model.times import Interval
from geoshare.query.projected import vertices_of
from tiles.arrays import FeatureTable, Rows
from tiles.geometry.convert import to_shapely
from tiles.geometry.near import meeting_box

Mask = NDArray[np.bool_]


def in_box(table: FeatureTable, rows: NDArray[np.int32], bbox: Box) -> NDArray[np.int32]:
    """Those of the rows whose geometries intersect a box in degrees, edges included, in their order."""
    kept, unsure = meeting_box(table, rows, bbox)
    if not len(unsure):
        return kept
    area = read_geometry({"bbox": [float(side) for side in bbox]})  # NumPy's numbers are no JSON
    met = np.ones(len(kept), bool)
    met[unsure] = shapely.intersects(area, to_shapely(table.geometries, kept[unsure]))
    chosen: NDArray[np.int32] = kept[met]
    return chosen


def in_area(table: FeatureTable, rows: NDArray[np.int32], area: shapely.Geometry) -> Mask:
    """Which rows' geometries intersect an area in CRS84."""
    met: Mask = shapely.intersects(area, to_shapely(table.geometries, rows))
    return met


def in_heights(table: FeatureTable, rows: NDArray[np.int32], low_m: float, high_m: float) -> Mask:
    """Which rows are not wholly below or above a range of heights, ends included.

    A row without heights is at any of them: nothing says that it is not.
    """
    met = np.ones(len(rows), bool)
    lon_lat_z = table.geometries.lon_lat_z
    if lon_lat_z.shape[1] < 3 or not len(rows):
        return met
    vertices, counts = vertices_of(table, rows)
    some = counts > 0
    starts = (np.cumsum(counts) - counts)[some]
    heights = lon_lat_z[vertices, 2]
    unknown = np.isnan(heights)
    if len(starts):
        lowest = np.minimum.reduceat(np.where(unknown, -np.inf, heights), starts)
        highest = np.maximum.reduceat(np.where(unknown, np.inf, heights), starts)
        met[some] = (lowest <= high_m) & (highest >= low_m)
    return met


def in_interval(view: View, table: FeatureTable, rows: NDArray[np.int32], interval: Interval) -> Mask:
    """Which rows are of a time, both ends included.

    A collection without a visible time has no time to miss; an open end of a row's own interval
    reaches as far as any; a row without its instant is of no time.
    """
    times = view.collection.time
    if not times or not all(view.has_column(name) for name in times):
        return np.ones(len(rows), bool)
    start, start_known = _instants(table, times[0], rows)
    if len(times) == 1:
        return start_known & _not_before(start, interval.start_us) & _not_after(start, interval.end_us)
    end, end_known = _instants(table, times[-1], rows)
    begins = ~start_known | _not_after(start, interval.end_us)
    lasts = ~end_known | _not_before(end, interval.start_us)
    return begins & lasts


def of_time(view: View, rows: Rows, interval: Interval | None) -> Rows:
    """Those of the rows that are of a time, in their order; all where none is given."""
    if interval is None:
        return rows
    chosen = [numbers[in_interval(view, table, numbers, interval)] for table, numbers in rows.pairs]
    return Rows(rows.tables, tuple(chosen))


def _not_before(values: NDArray[np.int64], bound: int | None) -> Mask:
    return np.ones(len(values), bool) if bound is None else values >= bound


def _not_after(values: NDArray[np.int64], bound: int | None) -> Mask:
    return np.ones(len(values), bool) if bound is None else values <= bound


def _instants(
    table: FeatureTable, name: str, rows: NDArray[np.int32]
) -> tuple[NDArray[np.int64], Mask]:
    column = table.column(name)
    known = np.ones(len(rows), bool) if column.valid is None else column.valid[rows].astype(bool)
    return column.values[rows].astype(np.int64), known
