"""An equal-area plane, for weighing by area."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

_A_M, _F = 6_378_137.0, 1 / 298.257222101  # GRS 80
_E2 = _F * (2 - _F)
_E = float(np.sqrt(_E2))
PIECE_VERTICES = 256


def to_plane(shapes: Any) -> Any:
    """Shapes in CRS84 degrees on the Lambert cylindrical equal-area plane, in metres east and north.

    Areas are those of the GRS 80 ellipsoid; what is a box in degrees stays a box. Heights are dropped.
    Snyder, Map Projections: A Working Manual (1987), equations 3-12 and 10-14, 10-15 with the equator
    as standard parallel.
    """

    def project(lon_lat: NDArray[np.float64]) -> NDArray[np.float64]:
        sine = np.sin(np.radians(lon_lat[:, 1]))
        log = np.log((1 - _E * sine) / (1 + _E * sine)) / (2 * _E)
        q = (1 - _E2) * (sine / (1 - _E2 * sine**2) - log)
        return np.column_stack([np.radians(lon_lat[:, 0]) * _A_M, q * _A_M / 2])

    return shapely.transform(shapes, project)


def areal(shapes: Any) -> Any:
    """Valid shapes of polygons alone: what is invalid is mended, lines and points are left out."""
    found = np.asarray(shapes, dtype=object)
    wrong = ~shapely.is_valid(found)
    if wrong.any():
        found = found.copy()
        found[wrong] = shapely.make_valid(found[wrong], method="structure", keep_collapsed=False)
    mixed = shapely.get_type_id(found) == shapely.GeometryType.GEOMETRYCOLLECTION
    if mixed.any():
        found = found.copy()
        found[mixed] = [_polygons(shape) for shape in found[mixed]]
    return found


def _polygons(shape: BaseGeometry) -> BaseGeometry:
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def pieces(shape: BaseGeometry, most: int = PIECE_VERTICES) -> list[BaseGeometry]:
    """A shape cut into pieces of few vertices: asked of many others, it is looked at in full by none.

    The pieces tile the shape; empty ones are left out.
    """
    waiting, done = [shape], []
    while waiting:
        part = waiting.pop()
        if part.is_empty:
            continue
        if shapely.get_num_coordinates(part) <= most:
            done.append(part)
            continue
        west, south, east, north = part.bounds
        if east - west >= north - south:
            middle = (west + east) / 2
            boxes = (west, south, middle, north), (middle, south, east, north)
        else:
            middle = (south + north) / 2
            boxes = (west, south, east, middle), (west, middle, east, north)
        halves = areal([part.intersection(shapely.box(*box)) for box in boxes])
        if max(shapely.get_num_coordinates(halves)) >= shapely.get_num_coordinates(part):
            done.append(part)  # all of its vertices lie in one place
            continue
        waiting += list(halves)
    return done
