"""The piece of the plane that a sheet shows, and where it lies on the sheet."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geoshare.extracts.maps.plane import Doubles, Plane, Zone, box_around
from geoshare.model.box import Box

PIXEL_MM: Final = 25.4 / 96
PRINT_PIXEL_MM: Final = (
    0.2  # what stands for a pixel of the screen on paper, which is read from nearer by
)
EQUATOR_M: Final = 40_075_016.685578488
TILE_PIXELS: Final = 512  # as MapLibre counts zooms
DEEPEST: Final = 20
Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Frame:
    """A rectangle of a plane, drawn ``width_mm`` by ``height_mm`` at ``1:scale``.

    Parameters
    ----------
    plane
        Where eastings and northings are had from.
    west_m, south_m
        Its lower left corner in metres.
    width_mm, height_mm
        Its size on paper.
    scale
        Metres of the plane on a metre of paper.
    pixel_mm
        What a pixel of the browser's styles is on this paper.
    number, row, column
        Of the sheet, from 1; rows from the north, columns from the west, from 0.
    """

    plane: Plane
    west_m: float
    south_m: float
    width_mm: float
    height_mm: float
    scale: float
    pixel_mm: float = PRINT_PIXEL_MM
    number: int = 1
    row: int = 0
    column: int = 0

    @property
    def width_m(self) -> float:
        """Width on the ground."""
        return self.width_mm * self.scale / 1000

    @property
    def height_m(self) -> float:
        """Height on the ground."""
        return self.height_mm * self.scale / 1000

    @cached_property
    def centre_lon_lat(self) -> tuple[float, float]:
        """Its middle in degrees."""
        middle = [[self.west_m + self.width_m / 2, self.south_m + self.height_m / 2]]
        lon, lat = self.plane.inverse(np.array(middle))[0]
        return float(lon), float(lat)

    @cached_property
    def zoom(self) -> float:
        """Zoom of the browser's map that shows as much on a pixel."""
        across = EQUATOR_M
        if isinstance(self.plane, Zone):
            across *= math.cos(math.radians(self.centre_lon_lat[1]))
        return math.log2(across / (TILE_PIXELS * self.scale * self.pixel_mm / 1000))

    @property
    def detail_zoom(self) -> int:
        """Zoom of the tiles that this is drawn as finely as."""
        return min(max(math.ceil(self.zoom), 0), DEEPEST)

    def box(self, margin_mm: float = 0.0) -> Box:
        """Box in degrees around it, with a margin."""
        margin = margin_mm * self.scale / 1000
        return box_around(
            self.plane,
            self.west_m - margin,
            self.south_m - margin,
            self.west_m + self.width_m + margin,
            self.south_m + self.height_m + margin,
        )

    def to_mm(self, lon_lat: Doubles) -> Doubles:
        """Millimetres (n, 2) from its lower left corner, of degrees (n, 2)."""
        metres = self.plane.forward(np.asarray(lon_lat, np.float64)[:, :2])
        return (metres - [self.west_m, self.south_m]) * (1000 / self.scale)

    def drawn(self, shapes: Shapes) -> Shapes:
        """Shapes in degrees as shapes in millimetres."""
        moved: Shapes = shapely.transform(shapes, self.to_mm)
        return moved

    def corners_lon_lat(self) -> list[list[float]]:
        """Its corners in degrees, from the south-west against the clock, closed."""
        east, north = self.west_m + self.width_m, self.south_m + self.height_m
        ring = [
            [self.west_m, self.south_m],
            [east, self.south_m],
            [east, north],
            [self.west_m, north],
            [self.west_m, self.south_m],
        ]
        corners: list[list[float]] = self.plane.inverse(np.array(ring)).round(7).tolist()
        return corners
