"""Coordinates of an extract in the reference system that is asked for, never by a ballpark way."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geoshare.errors import BadRequest
from geoshare.model.crs import SHORT, east_first, flat, is_upright, read_code

CRS_HELP: Final = (
    "OGC:CRS84 or EPSG:CODE of 4326, 3857, 6668, 6697 and 6669 to 6687 (JGD2011 plane zones 1 to 19)"
)


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
        return f"EPSG:{self.code}" if self.code else SHORT

    @property
    def metric(self) -> bool:
        """Whether coordinates are metres on a plane."""
        return bool(self.code and flat(self.code).is_projected)

    @property
    def moves(self) -> bool:
        """Whether coordinates differ from CRS84."""
        return self.code not in (0, 4326)

    def decimals(self, of_degrees: int) -> int:
        """Decimals of coordinates: as many for a metre as ``of_degrees`` are for a degree."""
        return max(of_degrees - 4, 3) if self.metric else of_degrees

    def without_heights(self) -> Projection:
        """The system of what has no heights: the horizontal part of one that speaks of heights."""
        if not is_upright(self.code):
            return self
        return Projection(int(flat(self.code).to_authority()[1]))

    def crs(self) -> pyproj.CRS:
        """The system as PROJ knows it."""
        return _crs(self.code)

    def apply(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """Geometries (n,) of CRS84h, or None, in this system; their heights where they have any.

        Raises
        ------
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
        out = east_first(lon_lat_z, self.code)
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
    """Read the reference system of a request; BadRequest where there is none, or no way."""
    return CRS84_DEGREES if text is None else Projection(read_code(text))


@cache
def _crs(code: int) -> pyproj.CRS:
    return pyproj.CRS.from_epsg(code) if code else pyproj.CRS.from_user_input(SHORT)
