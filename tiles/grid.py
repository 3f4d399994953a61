"""The world grid: Web Mercator as signed 32-bit integers, and the tiles on it.

``x = floor((lon + 180) / 360 * 2^32) - 2^31`` and likewise for ``y`` with the Mercator ordinate,
north positive; both clamped to the range of int32. Latitudes are clamped to where the square ends.
Because the rounding never changes the order of two coordinates, a box rounded the same way holds
every point of the exact box.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

MAX_LATITUDE = 85.0511287798066
WORLD_SIZE = 1 << 32
WORLD_MIN = -(1 << 31)
WORLD_MAX = (1 << 31) - 1
MAX_ZOOM = 30

_HALF = float(1 << 31)


@njit(nogil=True, cache=True)
def world_x(lon: float) -> int:
    """World x of a longitude in degrees; NaN becomes 0."""
    if math.isnan(lon):
        return 0
    scaled = math.floor((lon + 180.0) / 360.0 * 4294967296.0) - 2147483648.0
    return int(min(max(scaled, -2147483648.0), 2147483647.0))


@njit(nogil=True, cache=True)
def world_y(lat: float) -> int:
    """World y of a latitude in degrees, north positive; NaN becomes 0."""
    if math.isnan(lat):
        return 0
    clamped = min(max(lat, -85.0511287798066), 85.0511287798066)
    # asinh(tan(lat)) is the Mercator ordinate in radians, -pi to pi over the square
    ordinate = math.asinh(math.tan(math.radians(clamped)))
    scaled = math.floor(ordinate / math.pi * 2147483648.0)
    return int(min(max(scaled, -2147483648.0), 2147483647.0))


@njit(nogil=True, cache=True)
def _to_world(coordinates: NDArray[np.float64], out: NDArray[np.int32]) -> None:
    for i in range(coordinates.shape[0]):
        out[i, 0] = world_x(coordinates[i, 0])
        out[i, 1] = world_y(coordinates[i, 1])


def lon_lat_to_world(lon_lat: NDArray[np.float64]) -> NDArray[np.int32]:
    """World coordinates of positions.

    Parameters
    ----------
    lon_lat
        (n, 2) or (n, 3) degrees, longitude first; a height is not looked at.

    Returns
    -------
    (n, 2) x to the east and y to the north.
    """
    coordinates = np.ascontiguousarray(lon_lat, dtype=np.float64)
    out = np.empty((len(coordinates), 2), dtype=np.int32)
    _to_world(coordinates, out)
    return out


def world_to_lon_lat(world_xy: NDArray[np.integer]) -> NDArray[np.float64]:
    """Degrees, longitude first, of the south-west corner of world units: (n, 2) to (n, 2)."""
    world = np.asarray(world_xy, dtype=np.float64)
    lon = (world[:, 0] + _HALF) / WORLD_SIZE * 360.0 - 180.0
    lat = np.degrees(np.arctan(np.sinh(world[:, 1] / _HALF * math.pi)))
    return np.column_stack([lon, lat])


def lon_lat_box_to_world(west: float, south: float, east: float, north: float) -> NDArray[np.int64]:
    """World boxes (k, 4) that hold everything within a box in degrees.

    One box, or two where ``west > east`` crosses the antimeridian; each is west, south, east,
    north. They may hold a little more than the box: up to one world unit at each side.
    """
    low, high = world_y(south), world_y(north)
    if west <= east:
        return np.array([[world_x(west), low, world_x(east), high]], dtype=np.int64)
    return np.array(
        [[world_x(west), low, WORLD_MAX, high], [WORLD_MIN, low, world_x(east), high]], dtype=np.int64
    )


class Tile(NamedTuple):
    """A tile of the WebMercatorQuad tile matrix set: zoom, column from the west, row from the north."""

    z: int
    x: int
    y: int

    @property
    def exists(self) -> bool:
        """Whether the grid has such a tile."""
        return 0 <= self.z <= MAX_ZOOM and 0 <= self.x < 1 << self.z and 0 <= self.y < 1 << self.z

    def world_box(self) -> NDArray[np.int64]:
        """West, south, east, north in world units; east and north belong to the neighbours."""
        size = WORLD_SIZE >> self.z
        west = self.x * size + WORLD_MIN
        north = -WORLD_MIN - self.y * size
        return np.array([west, north - size, west + size, north], dtype=np.int64)

    def lon_lat_box(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        west, south, east, north = self.world_box()
        corners = world_to_lon_lat(np.array([[west, south], [east, north]], dtype=np.int64))
        return (
            float(corners[0, 0]),
            float(corners[0, 1]),
            float(corners[1, 0]),
            float(corners[1, 1]),
        )
