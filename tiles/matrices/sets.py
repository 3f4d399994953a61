"""The tile matrix sets: one square of each is a world of 2^32 units, as the kernels know it.

``WebMercatorQuad`` and ``WorldCRS84Quad`` are those of OGC 17-083r4. ``JGD2011Plane1`` to
``JGD2011Plane19`` are one square for each zone of the Japan Plane Rectangular Coordinate System,
with the zone's origin in the middle and matrices at the scales of WebMercatorQuad, so that what a map
shows at a scale is the same in all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final

import morecantile
import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from tiles.grid import WORLD_MAX, WORLD_MIN, WORLD_SIZE, Tile, lon_lat_box_to_world
from tiles.matrices.plane import ORIGINS_LAT_LON, from_plane, to_plane

Doubles = NDArray[np.float64]

MERCATOR_M: Final = 40075016.68557849  # side of the Web Mercator square
PLANE_ZOOM: Final = 4
"""Matrix 0 of a plane zone has the scale of this one of WebMercatorQuad."""
MAX_MERCATOR_ZOOM: Final = 24
_FIRST_EPSG: Final = 6669
_REACH_DEGREES: Final = (21.0, 12.0)  # longitude and latitude from the origin; holds a zone's square
_MARGIN_DEGREES: Final = 1e-5
"""About a metre: more than a straight edge of a zone bends away from one in degrees."""


@dataclass(frozen=True)
class MatrixSet:
    """A quadtree of square tiles over a square of side ``side`` in ``crs``.

    ``west`` and ``north`` is the corner of the square, easting or longitude first whatever the
    official order of the axes. Matrix ``z`` is the square cut into ``2^(z + shift)`` columns; its
    first ``2^z * rows`` rows count.
    """

    id: str
    title: str
    crs: str
    west: float
    north: float
    side: float
    shift: int  # zoom of the kernels' grid that matrix 0 is
    mercator_zoom: int  # zoom of WebMercatorQuad that has the scale of matrix 0
    domain: tuple[float, float, float, float]  # degrees; beyond it nothing is projected
    to_crs: Callable[[Doubles], Doubles]  # (n, 2 or 3) degrees to (n, 2) easting or longitude first
    from_crs: Callable[[Doubles], Doubles]
    bends: bool = False  # whether an edge that is straight in degrees is not straight here

    @property
    def max_zoom(self) -> int:
        """The last matrix of the definition."""
        return MAX_MERCATOR_ZOOM - self.mercator_zoom

    def columns(self, z: int) -> int:
        """Number of columns of a matrix."""
        return 1 << (z + self.shift)

    def rows(self, z: int) -> int:
        """Number of rows of a matrix."""
        return 1 << z

    def tile(self, z: int, column: int, row: int) -> Tile:
        """The tile as the kernels number it."""
        return Tile(z + self.shift, column, row)

    def box(
        self, z: int, column: int, row: int, margin: float = 0.0
    ) -> tuple[float, float, float, float]:
        """West, south, east, north in the CRS; ``margin`` is in tiles, to each side."""
        side = self.side / self.columns(z)
        west, north = self.west + column * side, self.north - row * side
        edge = margin * side
        return west - edge, north - side - edge, west + side + edge, north + edge

    def search_boxes(self, z: int, column: int, row: int, margin: float = 0.0) -> NDArray[np.int64]:
        """World boxes (k, 4) of Web Mercator that hold all that lies in a tile.

        ``margin`` is in tiles, to each side.
        """
        if self.id == "WebMercatorQuad":
            west, south, east, north = self.tile(z, column, row).world_box()
            edge = int((east - west) * margin) + 1
            return np.array([[west - edge, south - edge, east + edge, north + edge]], np.int64)
        west, south, east, north = self.degrees(z, column, row, margin)
        boxes = lon_lat_box_to_world(max(west, -180.0), south, min(east, 180.0), north)
        boxes[:, :2] -= 1
        boxes[:, 2:] += 1
        return boxes

    def covering(
        self, z: int, box: tuple[float, float, float, float]
    ) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """First and last column, then first and last row, of the tiles that a box in degrees meets.

        ``box`` is west, south, east, north with west <= east; None where no tile does.
        """
        west, south = max(box[0], self.domain[0]), max(box[1], self.domain[1])
        east, north = min(box[2], self.domain[2]), min(box[3], self.domain[3])
        if west > east or south > north:
            return None
        # in a zone, easting and northing are extreme at the corners or on the zone's meridian
        middle = (self.domain[0] + self.domain[2]) / 2
        lon = [west, east] + ([middle] if west < middle < east else [])
        xy = self.to_crs(np.array([(x, y) for x in lon for y in (south, north)], np.float64))
        low = (xy - (self.west, self.north - self.side)).min(axis=0) / self.side
        high = (xy - (self.west, self.north - self.side)).max(axis=0) / self.side
        if (high < 0).any() or (low > 1).any():
            return None
        tiles = self.columns(z)
        columns = _within(low[0], high[0], tiles, tiles)
        return columns, _within(1 - high[1], 1 - low[1], tiles, self.rows(z))

    def degrees(
        self, z: int, column: int, row: int, margin: float = 0.0
    ) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees that hold a tile; ``margin`` is in tiles."""
        west, south, east, north = self.box(z, column, row, margin)
        # In a zone latitude is extreme along a northing, and longitude along an easting, at the corners
        # or where the meridian of the zone is.
        x = [west, east] + ([0.0] if west < 0.0 < east else [])
        corners = np.array([(at, edge) for at in x for edge in (south, north)], np.float64)
        found = self.from_crs(corners)
        low, high = found.min(axis=0) - _MARGIN_DEGREES, found.max(axis=0) + _MARGIN_DEGREES
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def world_xy(self, lon_lat: Doubles) -> NDArray[np.int32]:
        """World units of this set (n, 2), x to the east and y to the north, of degrees (n, 2 or 3)."""
        xy = (self.to_crs(lon_lat) - (self.west, self.north - self.side)) / self.side
        units = np.floor(np.nan_to_num(xy) * WORLD_SIZE) + WORLD_MIN
        world: NDArray[np.int32] = np.clip(units, WORLD_MIN, WORLD_MAX).astype(np.int32)
        return world


def _within(first: float, last: float, tiles: int, count: int) -> tuple[int, int]:
    """The tiles between two shares of the square's side, of those there are."""
    low, high = (min(max(int(share * tiles), 0), count - 1) for share in (first, last))
    return low, high


def _from_mercator(xy: Doubles) -> Doubles:
    lat = np.degrees(np.arctan(np.sinh(xy[:, 1] / MERCATOR_M * 2 * np.pi)))
    return np.column_stack([xy[:, 0] / MERCATOR_M * 360.0, lat])


def _to_mercator(lon_lat: Doubles) -> Doubles:
    lat = np.radians(np.clip(lon_lat[:, 1], -85.0511287798066, 85.0511287798066))
    y = np.arcsinh(np.tan(lat)) / np.pi * MERCATOR_M / 2
    return np.column_stack([lon_lat[:, 0] / 360.0 * MERCATOR_M, y])


def _as_it_is(positions: Doubles) -> Doubles:
    return positions[:, :2]


def _plane(zone: int) -> MatrixSet:
    lat, lon = ORIGINS_LAT_LON[zone]
    side = MERCATOR_M / 2**PLANE_ZOOM
    wide, high = _REACH_DEGREES
    return MatrixSet(
        id=f"JGD2011Plane{zone}",
        title=f"JGD2011 / Japan Plane Rectangular CS, zone {zone}",
        crs=f"EPSG:{_FIRST_EPSG + zone - 1}",
        west=-side / 2,
        north=side / 2,
        side=side,
        shift=0,
        mercator_zoom=PLANE_ZOOM,
        domain=(lon - wide, lat - high, lon + wide, lat + high),
        to_crs=partial(to_plane, zone=zone),
        from_crs=partial(from_plane, zone=zone),
        bends=True,
    )


WEB_MERCATOR_QUAD: Final = MatrixSet(
    id="WebMercatorQuad",
    title="Google Maps Compatible for the World",
    crs="EPSG:3857",
    west=-MERCATOR_M / 2,
    north=MERCATOR_M / 2,
    side=MERCATOR_M,
    shift=0,
    mercator_zoom=0,
    domain=(-180.0, -85.0511287798066, 180.0, 85.0511287798066),
    to_crs=_to_mercator,
    from_crs=_from_mercator,
)

WORLD_CRS84_QUAD: Final = MatrixSet(
    id="WorldCRS84Quad",
    title="CRS84 for the World",
    crs="OGC:CRS84",
    west=-180.0,
    north=90.0,
    side=360.0,
    shift=1,
    mercator_zoom=1,
    domain=(-180.0, -90.0, 180.0, 90.0),
    to_crs=_as_it_is,
    from_crs=_as_it_is,
)

MATRIX_SETS: Final = {
    found.id: found
    for found in (WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD, *(_plane(zone) for zone in ORIGINS_LAT_LON))
}


@lru_cache(maxsize=len(MATRIX_SETS))
def definition(matrices: MatrixSet) -> dict[str, Any]:
    """The set as JSON of OGC 17-083r4: coordinates in the official order of the axes."""
    if matrices.bends:
        found = morecantile.TileMatrixSet.custom(
            [matrices.west, matrices.north - matrices.side, -matrices.west, matrices.north],
            CRS.from_user_input(matrices.crs),
            maxzoom=matrices.max_zoom,
            id=matrices.id,
            title=matrices.title,
            # X is the northing here, which morecantile does not see from the name of the axis
            point_of_origin=[matrices.north, matrices.west],
            orderedAxes=["X", "Y"],
        )
    else:
        found = morecantile.tms.get(matrices.id)
    said: dict[str, Any] = found.model_dump(mode="json", exclude_none=True)
    said["tileMatrices"] = said["tileMatrices"][: matrices.max_zoom + 1]
    return said
