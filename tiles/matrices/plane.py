"""The Japan Plane Rectangular Coordinate System: 19 transverse Mercator zones on JGD2011.

Series of Kawase, "A General Formula for Calculating Meridian Arc Length and its Application to
Coordinate Conversion in the Gauss-Krueger Projection" (Bulletin of the Geospatial Information
Authority of Japan 59, 2011), to the fifth power of the third flattening: exact to well under a
millimetre as far from the meridian as the tiles of a zone reach.

The official axes are X to the north and Y to the east. Here easting always comes first, as longitude
does, and is called so.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

# Latitude and longitude of the origin of each zone in degrees (Notification 9 of the Ministry of Land,
# Infrastructure, Transport and Tourism, 2002).
ORIGINS_LAT_LON: Final = {
    1: (33.0, 129.0 + 30 / 60),
    2: (33.0, 131.0),
    3: (36.0, 132.0 + 10 / 60),
    4: (33.0, 133.0 + 30 / 60),
    5: (36.0, 134.0 + 20 / 60),
    6: (36.0, 136.0),
    7: (36.0, 137.0 + 10 / 60),
    8: (36.0, 138.0 + 30 / 60),
    9: (36.0, 139.0 + 50 / 60),
    10: (40.0, 140.0 + 50 / 60),
    11: (44.0, 140.0 + 15 / 60),
    12: (44.0, 142.0 + 15 / 60),
    13: (44.0, 144.0 + 15 / 60),
    14: (26.0, 142.0),
    15: (26.0, 127.0 + 30 / 60),
    16: (26.0, 124.0),
    17: (26.0, 131.0),
    18: (20.0, 136.0),
    19: (26.0, 154.0),
}

_A: Final = 6378137.0
_SCALE: Final = 0.9999
_N: Final = 1.0 / (2 * 298.257222101 - 1)  # third flattening of GRS 80
_E: Final = 2 * math.sqrt(_N) / (1 + _N)  # first eccentricity
_RADIUS: Final = _SCALE * _A / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)  # of the rectifying sphere
_ALPHA: Final = (
    _N * (1 / 2 + _N * (-2 / 3 + _N * (5 / 16 + _N * (41 / 180 - _N * 127 / 288)))),
    _N**2 * (13 / 48 + _N * (-3 / 5 + _N * (557 / 1440 + _N * 281 / 630))),
    _N**3 * (61 / 240 + _N * (-103 / 140 + _N * 15061 / 26880)),
    _N**4 * (49561 / 161280 - _N * 179 / 168),
    _N**5 * 34729 / 80640,
)
_BETA: Final = (
    _N * (1 / 2 + _N * (-2 / 3 + _N * (37 / 96 + _N * (-1 / 360 - _N * 81 / 512)))),
    _N**2 * (1 / 48 + _N * (1 / 15 + _N * (-437 / 1440 + _N * 46 / 105))),
    _N**3 * (17 / 480 + _N * (-37 / 840 - _N * 209 / 4480)),
    _N**4 * (4397 / 161280 - _N * 11 / 504),
    _N**5 * 4583 / 161280,
)


def _conformal(lat: Doubles) -> Doubles:
    """Tangent of the conformal latitude of latitudes in radians."""
    sine = np.sin(lat)
    tangent: Doubles = np.sinh(np.arctanh(sine) - _E * np.arctanh(_E * sine))
    return tangent


def _northing(lat: Doubles, east: Doubles) -> tuple[Doubles, Doubles]:
    """Easting and northing from the equator, in metres; longitudes from the meridian in radians."""
    tangent = _conformal(lat)
    xi = np.arctan2(tangent, np.cos(east))
    eta = np.arctanh(np.sin(east) / np.sqrt(1 + tangent**2))
    x, y = xi.copy(), eta.copy()
    for j, factor in enumerate(_ALPHA, start=1):
        x += factor * np.sin(2 * j * xi) * np.cosh(2 * j * eta)
        y += factor * np.cos(2 * j * xi) * np.sinh(2 * j * eta)
    return _RADIUS * y, _RADIUS * x


def _origin(zone: int) -> tuple[float, float]:
    """Northing of a zone's origin from the equator in metres, and its meridian in degrees."""
    lat, lon = ORIGINS_LAT_LON[zone]
    _, northing = _northing(np.array([math.radians(lat)]), np.zeros(1))
    return float(northing[0]), lon


def to_plane(lon_lat: Doubles, zone: int) -> Doubles:
    """Easting and northing (n, 2) in metres of longitudes and latitudes (n, 2 or 3) in degrees.

    Positions more than 80 degrees from the zone's meridian, or at a pole, may come out infinite.
    """
    start, meridian = _origin(zone)
    radians = np.radians(lon_lat[:, :2])
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        easting, northing = _northing(radians[:, 1], radians[:, 0] - math.radians(meridian))
    return np.column_stack([easting, northing - start])


def from_plane(east_north: Doubles, zone: int) -> Doubles:
    """Longitudes and latitudes (n, 2) in degrees of eastings and northings (n, 2) in metres."""
    start, meridian = _origin(zone)
    eta, xi = east_north[:, 0] / _RADIUS, (east_north[:, 1] + start) / _RADIUS
    x, y = xi.copy(), eta.copy()
    for j, factor in enumerate(_BETA, start=1):
        x -= factor * np.sin(2 * j * xi) * np.cosh(2 * j * eta)
        y -= factor * np.cos(2 * j * xi) * np.sinh(2 * j * eta)
    conformal = np.arcsin(np.sin(x) / np.cosh(y))
    lat = conformal.copy()
    isometric = np.arctanh(np.sin(conformal))
    for _ in range(5):  # each turn gains more than two digits
        lat = np.arcsin(np.tanh(isometric + _E * np.arctanh(_E * np.sin(lat))))
    lon = meridian + np.degrees(np.arctan2(np.sinh(y), np.cos(x)))
    return np.column_stack([lon, np.degrees(lat)])
