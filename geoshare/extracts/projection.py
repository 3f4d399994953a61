"""Coordinates of an extract in the reference system that is asked for, never by a ballpark way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.enums import TransformDirection

from geoshare.errors import BadRequest
from geoshare.model.datum import to_foundation

CODES: Final = (4326, 3857, 6668, 6697, *range(6669, 6688))
PLANES: Final = (3857, *range(6669, 6688))  # in metres, as drawings are
CRS84: Final = "OGC:CRS84"
CRS_HELP: Final = (
    "OGC:CRS84 or EPSG:CODE of 4326, 3857, 6668, 6697 and 6669 to 6687 (JGD2011 plane zones 1 to 19)"
)
_PREFIXES: Final = ("http://www.opengis.net/def/crs/EPSG/0/", "urn:ogc:def:crs:EPSG::", "EPSG:")
_WORLD: Final = (
    CRS84, "CRS84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
    "http://www.opengis.net/def/crs/OGC/0/CRS84h",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Projection:
    """A reference system that coordinates are written in, east (or longitude) first as files have it.

    ``code`` is an EPSG code, 0 for CRS84 itself. Heights stay metres above the ellipsoid, but in
    EPSG:6697, whose heights are above the geoid.
    """

    code: int = 0

    @property
    def name(self) -> str:
        """``OGC:CRS84`` or ``EPSG:6677``."""
        return f"EPSG:{self.code}" if self.code else CRS84

    @property
    def metric(self) -> bool:
        """Whether coordinates are metres on a plane."""
        return self.code in PLANES

    @property
    def moves(self) -> bool:
        """Whether coordinates differ from CRS84."""
        return self.code not in (0, 4326)

    def decimals(self, of_degrees: int) -> int:
        """Decimals of coordinates: as many for a metre as ``of_degrees`` are for a degree."""
        return max(of_degrees - 4, 3) if self.metric else of_degrees

    def crs(self) -> pyproj.CRS:
        """The system as PROJ knows it."""
        return _crs(self.code)

    def apply(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """Geometries (n,) of CRS84h, or None, in this system; their heights where they have any.

        Raises
        ------
        BadData
            where the way needs a grid that is not installed (the geoid, for EPSG:6697).
        BadRequest
            for a place that has no coordinates in this system.
        """
        if not self.moves:
            return shapes
        out: NDArray[np.object_] = np.array(shapes, object)
        for high in (False, True):
            chosen = shapely.has_z(out) == high
            if chosen.any():
                out[chosen] = shapely.transform(out[chosen], self.forward, include_z=high)
        return out

    def forward(self, lon_lat_z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Coordinates (n, 2 or 3), of longitude, latitude (degrees) and height (metres)."""
        if not self.moves:
            return lon_lat_z
        upright = self.code == 6697 and lon_lat_z.shape[1] == 3
        operation = to_foundation(self.name, has_height=upright).operation
        out = lon_lat_z.copy()
        if operation is None:
            return out
        if upright:
            lon, lat, height = lon_lat_z.T
            out[:, 0], out[:, 1], out[:, 2] = operation.transform(
                lon, lat, height, direction=TransformDirection.INVERSE
            )
        else:
            lon, lat = lon_lat_z[:, 0], lon_lat_z[:, 1]
            out[:, 0], out[:, 1] = operation.transform(lon, lat, direction=TransformDirection.INVERSE)
        if not np.isfinite(out[:, :2]).all():
            raise BadRequest(
                "Something in the area has no place in that reference system.",
                parameter="crs",
                allowed="the zone the area lies in",
                message_ja="指定の座標系で表せない位置があります。",
            )
        return out


CRS84_DEGREES: Final = Projection()


def projection(text: str | None) -> Projection:
    """Read the reference system of a request; ValueError for one there is none of."""
    if text is None or text in _WORLD:
        return CRS84_DEGREES
    for prefix in _PREFIXES:
        rest = text.removeprefix(prefix)
        if rest != text and rest.isascii() and rest.isdigit() and len(rest) < 6:
            if int(rest) in CODES:
                return Projection(int(rest))
            break
    raise ValueError(f"the crs is none of {CRS_HELP}")


@cache
def _crs(code: int) -> pyproj.CRS:
    return pyproj.CRS.from_epsg(code) if code else pyproj.CRS.from_user_input(CRS84)
