"""How far apart two shapes are, in metres, across and in height."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

_A_M: Final = 6_378_137.0  # half axis and first eccentricity squared of WGS 84
_E2: Final = 0.00669437999014132


@dataclass(frozen=True, slots=True)
class Apart:
    """Metres between two shapes.

    ``across_m`` is the largest distance of a vertex from its counterpart, or of one line from the
    other where vertices were added or removed. ``height_m`` is the largest difference of heights; NaN
    where one of them has none. ``alike`` tells whether parts, rings and vertices are as many.
    """

    across_m: float
    height_m: float
    alike: bool


def to_metres(lon_lat: NDArray[np.float64], lat: float) -> NDArray[np.float64]:
    """Degrees (n, 2) as metres east and north on the plane that touches the ellipsoid at a latitude.

    By the radii of curvature in the meridian and in the prime vertical; right to a millionth within
    some kilometres of the latitude, which is all that differences of neighbours need.
    """
    sine = np.sin(np.radians(lat))
    root = np.sqrt(1 - _E2 * sine * sine)
    north = _A_M * (1 - _E2) / root**3
    east = _A_M / root * np.cos(np.radians(lat))
    return np.asarray(np.radians(lon_lat) * [east, north], np.float64)


def structure(shape: shapely.Geometry | None) -> tuple[tuple[int, int], ...]:
    """Type and number of vertices of each part and ring."""
    found = []
    for part in () if shape is None else shapely.get_parts(shape):
        rings = shapely.get_rings(part) if part.geom_type == "Polygon" else [part]
        kind = int(shapely.get_type_id(part))
        found += [(kind, int(shapely.get_num_coordinates(ring))) for ring in rings]
    return tuple(found)


def apart(one: shapely.Geometry, other: shapely.Geometry) -> Apart:
    """Compare two shapes in degrees and metres of height."""
    first, second = (shapely.get_coordinates(shape, include_z=True) for shape in (one, other))
    alike = structure(one) == structure(other)
    if not len(first) or not len(second):
        return Apart(0.0 if len(first) == len(second) else np.inf, np.nan, alike)
    lat = float(first[:, 1].mean())
    if alike:
        steps = to_metres(second[:, :2] - first[:, :2], lat)
        across = float(np.linalg.norm(steps, axis=1).max())
        before, after = first[:, 2], second[:, 2]
        same = np.isnan(before) & np.isnan(after)
        rise = np.where(same, 0.0, np.abs(after - before))
        return Apart(across, float(rise.max()) if not np.isnan(rise).any() else np.nan, True)
    flat, level = (
        shapely.transform(shapely.force_2d(shape), lambda places: to_metres(places, lat))
        for shape in (one, other)
    )
    rise_m = 0.0 if np.isnan(first[:, 2]).all() == np.isnan(second[:, 2]).all() else np.nan
    return Apart(float(shapely.hausdorff_distance(flat, level)), rise_m, False)


def middles(shapes: list[shapely.Geometry], lat: float) -> NDArray[np.float64]:
    """Mean of the vertices of each shape in metres (n, 2); shapes must not be empty."""
    places, of = shapely.get_coordinates(np.array(shapes, object), return_index=True)
    counts = np.bincount(of, minlength=len(shapes))
    sums = np.column_stack([np.bincount(of, places[:, axis], len(shapes)) for axis in (0, 1)])
    return to_metres(sums / counts[:, None], lat)
