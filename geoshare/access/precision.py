"""Coarser geometry: snapped to a grid in metres, simplified, or cut by a fence.

What comes out is computed from the snapped geometry alone, so that no vertex of it says more than its
grid cell does. Heights are dropped: they would tell roads apart that the grid does not.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

METRES_PER_DEGREE: Final = 110_574.0  # of latitude at the equator, where a degree is shortest (WGS 84)
_LAST_BAND: Final = 88  # degrees; nearer to the poles the cells stay as wide as here

Shapes = NDArray[np.object_]


def coarsen(shapes: Shapes, snap_m: float) -> Shapes:
    """Snap each vertex to a grid of at least ``snap_m`` metres and simplify to the same size.

    Parameters
    ----------
    shapes
        (n,) shapely geometries in CRS84, or None.
    snap_m
        Size of the grid's cells in metres, above 0. Cells are ``snap_m`` high; their width in degrees
        is fixed within each degree of latitude and nowhere less than ``snap_m``.

    Returns
    -------
    (n,) two-dimensional geometries of the same kinds; None where nothing is left (a line or polygon
    smaller than a cell).
    """
    step = snap_m / METRES_PER_DEGREE
    kinds = shapely.get_dimensions(shapes)
    lines = kinds == 1
    areas = kinds == 2
    out = snapped(shapes, snap_m)
    out[lines] = shapely.simplify(out[lines], step)
    out[areas] = _areal(shapely.simplify(out[areas], step))
    out[lines & (shapely.length(out) == 0)] = None
    out[areas & (shapely.area(out) == 0)] = None
    out[shapely.is_empty(out)] = None
    return out


def snapped(shapes: Shapes, snap_m: float) -> Shapes:
    """Each vertex at its node of the grid, nothing simplified: no further away than half a cell.

    Parameters and result as of :func:`coarsen`; what collapsed into less than its kind is empty.
    """
    moved = shapely.transform(shapely.force_2d(shapes), lambda lon_lat: snap(lon_lat, snap_m))
    kinds = shapely.get_dimensions(shapes)
    out = np.array(moved, object)
    out[kinds == 1] = shapely.remove_repeated_points(moved[kinds == 1])
    out[kinds == 2] = _areal(moved[kinds == 2])
    return out


def cell_deg(lat: float, snap_m: float) -> tuple[float, float]:
    """Width and height in degrees of the grid's cells, where they are widest up to a latitude."""
    high = snap_m / METRES_PER_DEGREE
    return high / math.cos(math.radians(min(math.floor(abs(lat)) + 1, _LAST_BAND))), high


def snap(lon_lat: NDArray[np.float64], snap_m: float) -> NDArray[np.float64]:
    """Nearest node of the grid of each position (n, 2); depends on that position alone."""
    high = snap_m / METRES_PER_DEGREE
    lat = np.clip(np.round(lon_lat[:, 1] / high) * high, -90.0, 90.0)
    # the edge of the one-degree band that is nearer to the pole: cells only come out wider there
    band = np.minimum(np.floor(np.abs(lat)) + 1, _LAST_BAND)
    wide = high / np.cos(np.radians(band))
    lon = np.clip(np.round(lon_lat[:, 0] / wide) * wide, -180.0, 180.0)
    digits = max(0, min(9, 2 - math.floor(math.log10(high))))
    return np.column_stack([np.round(lon, digits), np.round(lat, digits)])


def cut(shapes: Shapes, area: BaseGeometry) -> Shapes:
    """Cut each geometry at an area, keeping its own dimension; None where nothing is left."""
    kinds = shapely.get_dimensions(shapes)
    pieces = shapely.intersection(shapes, area)
    out = np.array(
        [_of_dimension(piece, kind) for piece, kind in zip(pieces, kinds, strict=True)], object
    )
    return out.reshape(len(shapes))


def _of_dimension(piece: BaseGeometry | None, dimension: int) -> BaseGeometry | None:
    """Pieces of one dimension: a line that touches a fence leaves a point, which is no road."""
    if piece is None or piece.is_empty:
        return None
    parts = shapely.get_parts(piece)
    kept = parts[shapely.get_dimensions(parts) == dimension]
    if len(kept) == 0:
        return None
    if len(kept) == 1:
        single: BaseGeometry = kept[0]
        return single
    if dimension == 1:
        merged: BaseGeometry = shapely.line_merge(shapely.multilinestrings(list(kept)))
        return merged
    joined: BaseGeometry = (
        shapely.union_all(kept) if dimension == 2 else shapely.multipoints(list(kept))
    )
    return joined


def _areal(shapes: Shapes) -> Shapes:
    """Make valid polygons of these rings, without what collapsed into lines."""
    repaired = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    mixed = shapely.get_type_id(repaired) == 7
    out = np.array(repaired, object)
    out[mixed] = [_of_dimension(shape, 2) for shape in repaired[mixed]]
    return out
