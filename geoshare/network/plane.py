"""A plane that touches the ellipsoid at a position: metres to the east and to the north.

Used within a few hundred metres, where leaving out the change of the radii of curvature costs less than
a millimetre per hundred metres off the equator's and the poles' parallels (tested against geodesics).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

A_M = 6_378_137.0  # semi-major axis of GRS 80
E2 = 0.006_694_380_022_90  # its first eccentricity, squared

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Plane:
    """The plane at a longitude and latitude in degrees."""

    lon: float
    lat: float

    @property
    def _scales(self) -> tuple[float, float]:
        """Metres per degree to the east and to the north (radii of curvature N cos(lat) and M)."""
        sine = math.sin(math.radians(self.lat))
        root = math.sqrt(1 - E2 * sine * sine)
        east = A_M / root * math.cos(math.radians(self.lat))
        north = A_M * (1 - E2) / root**3
        return math.radians(east), math.radians(north)

    def metres(self, lon_lat: Array) -> Array:
        """(n, 2) metres east and north of (n, 2 or 3) longitudes and latitudes in degrees."""
        lon = (lon_lat[:, 0] - self.lon + 180) % 360 - 180  # the short way around
        found: Array = np.column_stack([lon, lon_lat[:, 1] - self.lat]) * self._scales
        return found

    def degrees(self, metres: Array) -> Array:
        """(n, 2) longitudes and latitudes in degrees of (n, 2) metres east and north."""
        found: Array = metres / self._scales + (self.lon, self.lat)
        return found

    def box(self, radius_m: float) -> tuple[float, float, float, float]:
        """Sides of a square around the position in degrees: west, south, east, north."""
        east, north = self._scales
        wide, high = radius_m / max(east, 1e-9), radius_m / north
        south, top = max(-90.0, self.lat - high), min(90.0, self.lat + high)
        if wide >= 180:
            return -180.0, south, 180.0, top
        return (self.lon - wide + 180) % 360 - 180, south, (self.lon + wide + 180) % 360 - 180, top
