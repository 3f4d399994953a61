"""The metres of a map: those its file counts in, and lines beside lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyproj
from numpy.typing import NDArray

from geoshare.model.mgrs import mgrs_origin, mgrs_square

Array = NDArray[np.float64]
SCALE: Final = 0.9996  # of Autoware's projectors, MGRS and TransverseMercator alike
_DIGITS: Final = 6
_STEP_M: Final = 0.05


@dataclass(frozen=True)
class Plane:
    """A projection as Autoware names it, its square or origin, and its CRS with an origin in metres."""

    kind: str  # MGRS, TransverseMercator
    square: str | None
    origin: tuple[float, float] | None  # longitude, latitude
    crs: str
    offset: tuple[float, float]  # metres that local coordinates begin at

    @cached_property
    def _transformer(self) -> pyproj.Transformer:
        return pyproj.Transformer.from_crs("EPSG:4326", self.crs, always_xy=True)

    def metres(self, places: Array) -> Array:
        """Local metres and heights (n, 3) of longitude, latitude and height."""
        x, y = self._transformer.transform(places[:, 0], places[:, 1])
        return np.column_stack([x - self.offset[0], y - self.offset[1], places[:, 2]])

    def places(self, xyz: Array) -> Array:
        """The way back."""
        x, y = xyz[:, 0] + self.offset[0], xyz[:, 1] + self.offset[1]
        lon, lat = self._transformer.transform(x, y, direction="INVERSE")
        return np.column_stack([lon, lat, xyz[:, 2]])

    def beside(self, line: Array, left_m: float) -> Array:
        """A line (m, 3) so many metres to the left of another, without its shortest steps."""
        xyz = _stepping(self.metres(line))
        slope = np.gradient(xyz[:, :2], axis=0)
        slope /= np.maximum(np.hypot(slope[:, 0], slope[:, 1]), 1e-9)[:, None]
        xyz[:, 0] -= left_m * slope[:, 1]
        xyz[:, 1] += left_m * slope[:, 0]
        return self.places(xyz)


def _stepping(xyz: Array) -> Array:
    """Vertices at least some centimetres apart, first and last among them."""
    keep = [0]
    for place in range(1, len(xyz) - 1):
        if np.hypot(*(xyz[place] - xyz[keep[-1]])[:2]) >= _STEP_M:
            keep.append(place)
    if len(keep) > 1 and np.hypot(*(xyz[-1] - xyz[keep[-1]])[:2]) < _STEP_M:
        keep.pop()
    return xyz[[*keep, len(xyz) - 1]]


def choose(bounds: Array, wished: str | None = None) -> Plane:
    """MGRS where the box (west, south, east, north) lies in one square, else a projection of its own.

    Autoware's MGRS projector cannot leave a square; a projection about the middle of the map can.
    """
    west, south, east, north = (float(value) for value in bounds)
    corners = {mgrs_square(lon, lat) for lon in (west, east) for lat in (south, north)}
    square = corners.pop() if len(corners) == 1 else None
    found = mgrs_origin(square) if square else None
    if found is not None and wished in (None, "MGRS"):
        crs, x, y = found
        return Plane("MGRS", square, None, crs, (x, y))
    lon, lat = round((west + east) / 2, _DIGITS), round((south + north) / 2, _DIGITS)
    crs = f"+proj=tmerc +lat_0={lat} +lon_0={lon} +k={SCALE} +x_0=0 +y_0=0 +datum=WGS84 +units=m"
    return Plane("TransverseMercator", None, (lon, lat), crs, (0.0, 0.0))
