"""From degrees to metres on the plane that a sheet shows.

Printed sheets lie in a zone of the Japan Plane Rectangular CS on JGD2011 (EPSG:6669 to 6687), whose
scale is 0.9999 on its meridian and within 0.01 % of 1 over the zone's land: what is measured on paper
is right to a tenth of a millimetre in a metre. Pictures lie in Web Mercator, as the browser's map does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from geoshare.errors import BadRequest
from geoshare.model.box import Box
from tiles.matrices.plane import ORIGINS_LAT_LON, from_plane, to_plane

Doubles = NDArray[np.float64]
EPSG_OF_ZONE_ONE: Final = 6669
RADIUS_M: Final = 6378137.0
REACH_DEGREES: Final = 5.0  # as far from a zone's meridian as anything is printed
JAPAN: Final = Box(121.5, 19.5, 155.5, 46.5)
STEPS: Final = 16  # points on each side of a rectangle, since its sides are bent in degrees

# Prefectures that lie in one zone as a whole (Notification 9 of the Ministry of Land, 2002).
_PREFECTURES: Final = {
    1: "42",
    2: "40 41 43 44 45",
    3: "32 34 35",
    4: "36 37 38 39",
    5: "28 31 33",
    6: "18 24 25 26 27 29 30",
    7: "16 17 21 23",
    8: "15 19 20 22",
    9: "07 08 09 10 11 12 14",
    10: "02 03 04 05 06",
}
ZONE_OF_PREFECTURE: Final = {
    code: zone for zone, codes in _PREFECTURES.items() for code in codes.split()
}


class Plane(Protocol):
    """A plane in metres, eastings first."""

    def forward(self, lon_lat: Doubles) -> Doubles:
        """Eastings and northings (n, 2) in metres of degrees (n, 2)."""
        ...

    def inverse(self, east_north: Doubles) -> Doubles:
        """Degrees (n, 2), longitude first, of eastings and northings (n, 2) in metres."""
        ...


@dataclass(frozen=True)
class Zone:
    """A zone of the Japan Plane Rectangular CS."""

    number: int

    @property
    def epsg(self) -> int:
        """EPSG code of the zone on JGD2011."""
        return EPSG_OF_ZONE_ONE + self.number - 1

    def forward(self, lon_lat: Doubles) -> Doubles:
        """Eastings and northings in metres."""
        return to_plane(lon_lat, self.number)

    def inverse(self, east_north: Doubles) -> Doubles:
        """Degrees, longitude first."""
        return from_plane(east_north, self.number)

    def convergence(self, lon_lat: tuple[float, float]) -> float:
        """Degrees by which true north lies left of grid north at a place (negative: right of it)."""
        lon, lat = lon_lat
        ends = self.forward(np.array([[lon, lat], [lon, lat + 1e-4]]))
        east, north = ends[1] - ends[0]
        return -math.degrees(math.atan2(east, north))


@dataclass(frozen=True)
class Mercator:
    """Web Mercator in metres at its equator."""

    def forward(self, lon_lat: Doubles) -> Doubles:
        """Eastings and northings in metres of the equator."""
        lat = np.radians(np.clip(lon_lat[:, 1], -85.05, 85.05))
        return np.column_stack(
            [RADIUS_M * np.radians(lon_lat[:, 0]), RADIUS_M * np.arcsinh(np.tan(lat))]
        )

    def inverse(self, east_north: Doubles) -> Doubles:
        """Degrees, longitude first."""
        lat = np.degrees(np.arctan(np.sinh(east_north[:, 1] / RADIUS_M)))
        return np.column_stack([np.degrees(east_north[:, 0] / RADIUS_M), lat])


def nearest_zone(lon: float, lat: float) -> int:
    """Return the zone whose origin is nearest: for places whose prefecture is not known."""

    def far(zone: int) -> float:
        lat_0, lon_0 = ORIGINS_LAT_LON[zone]
        return math.hypot((lon - lon_0) * math.cos(math.radians(lat)), lat - lat_0)

    return min(ORIGINS_LAT_LON, key=far)


def check_in_zone(box: Box, zone: int, parameter: str) -> None:
    """Refuse a box that a zone cannot show. Raises BadRequest."""
    lat_0, lon_0 = ORIGINS_LAT_LON[zone]
    inside = (
        JAPAN.west <= box.west < box.east <= JAPAN.east
        and JAPAN.south <= box.south < box.north <= JAPAN.north
        and abs(box.west - lon_0) <= REACH_DEGREES
        and abs(box.east - lon_0) <= REACH_DEGREES
        and abs((box.south + box.north) / 2 - lat_0) <= 2 * REACH_DEGREES
    )
    if inside:
        return
    raise BadRequest(
        "The area lies outside what a zone of the Japan Plane Rectangular CS shows.",
        parameter=parameter,
        allowed=f"an area within {REACH_DEGREES:g} degrees of a zone's meridian, in Japan",
        message_ja="範囲が平面直角座標系の一つの系に収まりません。日本国内のもっと狭い範囲を指定してください。",
    )


def bounds_on_plane(plane: Plane, box: Box) -> tuple[float, float, float, float]:
    """West, south, east, north in metres around a box in degrees."""
    outline = _outline(box.west, box.south, box.east, box.north)
    met = plane.forward(outline)
    (west, south), (east, north) = met.min(axis=0), met.max(axis=0)
    return float(west), float(south), float(east), float(north)


def box_around(plane: Plane, west: float, south: float, east: float, north: float) -> Box:
    """Box in degrees around a rectangle in metres."""
    met = plane.inverse(_outline(west, south, east, north))
    low, high = met.min(axis=0), met.max(axis=0)
    return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _outline(west: float, south: float, east: float, north: float) -> Doubles:
    along = np.linspace(0, 1, STEPS)
    x, y = west + along * (east - west), south + along * (north - south)
    return np.concatenate(
        [
            np.column_stack([x, np.full(STEPS, south)]),
            np.column_stack([np.full(STEPS, east), y]),
            np.column_stack([x, np.full(STEPS, north)]),
            np.column_stack([np.full(STEPS, west), y]),
        ]
    )
