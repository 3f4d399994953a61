"""What a picture shows: a box of a reference system, so many pixels, and where anything lies in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geoshare.query.tiles import MAX_ZOOM, Place
from tiles.grid import WORLD_MIN, WORLD_SIZE, lon_lat_box_to_world
from tiles.matrices import MATRIX_SETS, MatrixSet

TILE_PX: Final = 256
_STYLE_ZOOM: Final = 1  # style documents count tiles of 512 pixels, so their zoom is one less
_SIDES: Final = 9  # places along each side of a box, to see how far it reaches in degrees
_MARGIN_DEGREES: Final = 1e-5


@dataclass(frozen=True)
class Frame:
    """A picture to be drawn.

    ``box`` is west, south, east, north in the CRS of a tile matrix set, easting or longitude first;
    ``ratio`` is how many pixels a style's pixel has (2 for screens with small ones).
    """

    matrix_set: str
    box: tuple[float, float, float, float]
    width: int
    height: int
    ratio: float = 1.0

    @property
    def matrices(self) -> MatrixSet:
        """The set in whose CRS the box is."""
        return MATRIX_SETS[self.matrix_set]

    @property
    def zoom(self) -> float:
        """Zoom as style documents count it, from the scale of the box."""
        west, south, east, north = self.box
        pixel = math.sqrt((east - west) * (north - south) / (self.width * self.height)) * self.ratio
        matrices = self.matrices
        whole = math.log2(matrices.side / (pixel * TILE_PX))
        return whole + matrices.mercator_zoom - matrices.shift - _STYLE_ZOOM

    @property
    def detail_zoom(self) -> int:
        """The zoom of vector tiles that shows what this picture does."""
        return min(max(math.floor(self.zoom + 1e-6), 0), MAX_ZOOM)

    @property
    def degrees(self) -> tuple[float, float, float, float]:
        """West, south, east, north that hold the picture."""
        return self._reach(0.0, 0.0)

    def search_boxes(self, across_px: float, down_px: float) -> NDArray[np.int64]:
        """World boxes (k, 4) of Web Mercator that hold the picture and a margin on each side."""
        west, south, east, north = self._reach(across_px, down_px)
        if west > east or south > north:
            return np.zeros((0, 4), np.int64)
        return lon_lat_box_to_world(west, south, east, north)

    def _reach(self, across_px: float, down_px: float) -> tuple[float, float, float, float]:
        """Degrees that hold the picture and a margin; west is above east where it is off the world."""
        west, south, east, north = self.box
        dx = (east - west) / self.width * self.ratio * across_px
        dy = (north - south) / self.height * self.ratio * down_px
        x = np.linspace(west - dx, east + dx, _SIDES)
        y = np.linspace(south - dy, north + dy, _SIDES)
        matrices = self.matrices  # beyond its square nothing is projected
        x = np.clip(x, matrices.west, matrices.west + matrices.side)
        y = np.clip(y, matrices.north - matrices.side, matrices.north)
        corners = np.array([(one, other) for one in x for other in y], np.float64)
        lon_lat = self.matrices.from_crs(corners)
        low = np.nanmin(lon_lat, axis=0) - _MARGIN_DEGREES
        high = np.nanmax(lon_lat, axis=0) + _MARGIN_DEGREES
        return (
            max(float(low[0]), -180.0),
            max(float(low[1]), -90.0),
            min(float(high[0]), 180.0),
            min(float(high[1]), 90.0),
        )

    def pixels(self, world_xy: NDArray[np.int32]) -> NDArray[np.float64]:
        """Places (n, 2) in the picture of world units of the matrix set; y grows downwards."""
        west, south, east, north = self.box
        matrices = self.matrices
        unit = matrices.side / WORLD_SIZE
        found = np.empty((len(world_xy), 2), np.float64)
        left = (west - matrices.west) / unit + WORLD_MIN
        top = (north - matrices.north) / unit + WORLD_SIZE + WORLD_MIN
        found[:, 0] = (world_xy[:, 0] - left) * (self.width * unit / (east - west))
        found[:, 1] = (top - world_xy[:, 1]) * (self.height * unit / (north - south))
        return found


def tile_frame(place: Place, size: int = TILE_PX, ratio: float = 1.0) -> Frame:
    """The picture of a tile: ``size`` pixels to a side, times ``ratio``."""
    pixels = round(size * ratio)
    box = place.matrices.box(place.z, place.x, place.y)
    return Frame(place.matrix_set, box, pixels, pixels, ratio)
