"""An area outside of which pixels are empty."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize

from tiles.raster.grid import Placement, transformer

_STEP_DEGREES = 0.02  # edges are straight in longitude and latitude: cut so that they stay so
_MAX_VERTICES = 2_000_000
_MAX_PLACED = 32


class Fence:
    """A polygon in CRS84 (longitude, latitude); a pixel is inside if all of its footprint is."""

    def __init__(self, area_wkb: bytes) -> None:
        area = shapely.from_wkb(area_wkb)
        self.area = area if shapely.is_valid(area) else shapely.make_valid(area)
        self.key = hashlib.sha256(area_wkb).digest()
        self._placed: dict[Placement, shapely.Geometry] = {}

    def in_pixels(self, placement: Placement) -> shapely.Geometry:
        """Area in continuous (column, row) of a raster, empty where it cannot be expressed."""
        known = self._placed.get(placement)
        if known is None:
            known = self._place(placement)
            if len(self._placed) >= _MAX_PLACED:
                self._placed.clear()
            self._placed[placement] = known
        return known

    def _place(self, placement: Placement) -> shapely.Geometry:
        length = max(shapely.length(self.area), 1e-12)
        step = max(_STEP_DEGREES, length / _MAX_VERTICES)
        dense = shapely.segmentize(self.area, step)
        change = transformer("OGC:CRS84", placement.crs)

        def project(lon_lat: NDArray[np.float64]) -> NDArray[np.float64]:
            x, y = change.transform(lon_lat[:, 0], lon_lat[:, 1])
            return np.column_stack(placement.to_pixels(np.asarray(x), np.asarray(y)))

        moved = shapely.transform(dense, project)
        if not np.isfinite(shapely.get_coordinates(moved)).all():
            return shapely.Polygon()
        return moved if shapely.is_valid(moved) else shapely.make_valid(moved)


def outside(
    area_pixels: shapely.Geometry,
    factor: tuple[float, float],
    first: tuple[int, int],
    shape: tuple[int, int],
) -> NDArray[np.uint8]:
    """Mark pixels of a window that are not wholly inside the area: 1 outside or crossing, 0 inside.

    ``area_pixels`` is in full-resolution pixels, ``factor`` full pixels per pixel of the level (x, y),
    ``first`` the window's first row and column in the level, ``shape`` its height and width.
    """
    height, width = shape
    row, column = first
    window = shapely.box(
        (column - 1) * factor[0],
        (row - 1) * factor[1],
        (column + width + 1) * factor[0],
        (row + height + 1) * factor[1],
    )
    beyond = shapely.difference(window, area_pixels)
    if beyond.is_empty:
        return np.zeros(shape, np.uint8)
    place = np.array([column, row], np.float64)
    beyond = shapely.transform(beyond, lambda points: points / np.array(factor) - place)
    polygons = [part for part in shapely.get_parts(beyond) if math.isfinite(part.area)]
    marked: NDArray[np.uint8] = rasterize(
        [(part, 1) for part in polygons if part.geom_type == "Polygon"],
        out_shape=shape,
        all_touched=True,
        dtype="uint8",
    )
    return marked
