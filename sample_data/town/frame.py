"""Where and when the town is: the local frame, its codes, its clock and its random numbers.

Everything in :mod:`sample_data.town` is in local metres (x east, y north) from an origin in the
sea off Kashima-nada, 30 km from any coast, where no island is. The frame is the Japanese plane
rectangular coordinate system IX (EPSG:6677, JGD2011) moved to that origin, so a local distance is
a distance in the files that use EPSG:6677, too.
"""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer

Array = npt.NDArray[np.float64]

SEED = 20260917
PLANE_EPSG = 6677  # plane rectangular IX, JGD2011
GEODETIC_EPSG = 6668  # JGD2011 latitude and longitude
UTM_EPSG = 6691  # JGD2011 / UTM 54N, the frame of MGRS grid 54SVF
ORIGIN_LON_LAT = (140.90, 36.25)

JST = timezone(timedelta(hours=9))
RAIN_DAY = datetime(2026, 9, 17, tzinfo=JST)
SCENE_BEFORE = datetime(2026, 9, 10, 10, 31, 12, tzinfo=JST)
SCENE_AFTER = datetime(2026, 9, 18, 10, 34, 47, tzinfo=JST)
FILE_DATE = datetime(2026, 9, 18, 12, 0, 0)  # the date every file states of itself

TOWN_CODE = "089991"  # an unassigned code whose check digit is right; its zero gets lost in Excel
TOWN_NAME = "潮見町"
VILLAGE_CODE = "089982"
VILLAGE_NAME = "北潮村"

_to_plane = Transformer.from_crs(GEODETIC_EPSG, PLANE_EPSG, always_xy=True, allow_ballpark=False)
_to_utm = Transformer.from_crs(PLANE_EPSG, UTM_EPSG, always_xy=True, allow_ballpark=False)
ORIGIN_PLANE: tuple[float, float] = tuple(
    round(value, -1) for value in _to_plane.transform(*ORIGIN_LON_LAT)
)


def random_numbers(name: str) -> np.random.Generator:
    """A stream of random numbers of its own for one part of the town.

    Streams are independent, so drawing more numbers in one part does not move another.
    """
    return np.random.default_rng([SEED, zlib.crc32(name.encode())])


def to_plane(xy: Array) -> Array:
    """Local metres (n, 2) to EPSG:6677, east first."""
    return np.asarray(xy, float) + np.array(ORIGIN_PLANE)


def to_lon_lat(xy: Array) -> Array:
    """Local metres (n, 2) to JGD2011 longitude, latitude (n, 2)."""
    plane = to_plane(xy)
    lon, lat = _to_plane.transform(plane[:, 0], plane[:, 1], direction="INVERSE")
    return np.column_stack([lon, lat])


def from_lon_lat(lon_lat: Array) -> Array:
    """JGD2011 longitude, latitude (n, 2) to local metres (n, 2)."""
    lon_lat = np.asarray(lon_lat, float)
    x, y = _to_plane.transform(lon_lat[:, 0], lon_lat[:, 1])
    return np.column_stack([x, y]) - np.array(ORIGIN_PLANE)


def to_utm(xy: Array) -> Array:
    """Local metres (n, 2) to UTM zone 54 north on JGD2011, easting first."""
    plane = to_plane(xy)
    return np.column_stack(_to_utm.transform(plane[:, 0], plane[:, 1]))


def geometry_to_plane(geometry: shapely.Geometry) -> shapely.Geometry:
    """A local geometry in EPSG:6677, to the millimetre."""
    return shapely.transform(geometry, lambda xy: np.round(to_plane(xy), 3))


def geometry_to_lon_lat(geometry: shapely.Geometry, decimals: int = 7) -> shapely.Geometry:
    """A local geometry in JGD2011 longitude and latitude, rounded to ``decimals``."""
    return shapely.transform(geometry, lambda xy: np.round(to_lon_lat(xy), decimals))
