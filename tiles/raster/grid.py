"""Target grids, and where their pixels lie in a source.

Pixel coordinates are continuous: the centre of the first pixel is (0.5, 0.5), x to the east along
columns and y to the south along rows, as in GDAL.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import ProjError

from tiles.raster.errors import RasterError

WORLD_M = 2 * math.pi * 6378137.0  # circumference of the Web Mercator sphere
WEB_MERCATOR = "EPSG:3857"
_TOLERANCE_PX = 0.002  # of the interpolated mapping; below what decides a nearest neighbour
_local = threading.local()
_GEOD = Geod(ellps="GRS80")


@dataclass(frozen=True, slots=True)
class TargetGrid:
    """A north-up grid of ``height`` x ``width`` pixels in ``crs``; ``west``/``north`` is its corner."""

    crs: str
    west: float
    north: float
    pixel_width: float
    pixel_height: float
    width: int
    height: int


def tile_grid(z: int, x: int, y: int, size: int = 256) -> TargetGrid:
    """Grid of a Web Mercator tile (XYZ, y to the south) of ``size`` x ``size`` pixels."""
    span = WORLD_M / 2**z
    return TargetGrid(
        crs=WEB_MERCATOR,
        west=x * span - WORLD_M / 2,
        north=WORLD_M / 2 - y * span,
        pixel_width=span / size,
        pixel_height=span / size,
        width=size,
        height=size,
    )


def box_grid(box: tuple[float, float, float, float], crs: str, width: int, height: int) -> TargetGrid:
    """Grid over west, south, east, north in the units of ``crs``."""
    west, south, east, north = box
    return TargetGrid(crs, west, north, (east - west) / width, (north - south) / height, width, height)


def transformer(source: str, target: str) -> Transformer:
    """Find the transformer between two CRS texts, x first; kept per thread, as PROJ's are not shared.

    Raises
    ------
    RasterError
        if there is no transformation better than a ballpark one.
    """
    known: dict[tuple[str, str], Transformer] = _local.__dict__.setdefault("transformers", {})
    key = (source, target)
    if key not in known:
        if len(known) >= 256:
            known.clear()
        try:
            known[key] = Transformer.from_crs(source, target, always_xy=True, allow_ballpark=False)
        except ProjError as error:
            raise RasterError(f"no transformation from {source} to {target}") from error
    return known[key]


def is_geographic(crs: str) -> bool:
    """Whether coordinates are degrees."""
    return bool(CRS.from_user_input(crs).is_geographic)


@dataclass(frozen=True, slots=True)
class Placement:
    """How a source's pixels lie on the ground.

    ``transform`` is (a, b, c, d, e, f): x = a col + b row + c, y = d col + e row + f in ``crs``.
    ``wrap_at`` is the centre longitude of a source in degrees, None for projected ones: longitudes
    are taken within 180 degrees of it, so a source may cross the antimeridian or run from 0 to 360.
    """

    crs: str
    transform: tuple[float, float, float, float, float, float]
    width: int
    height: int
    wrap_at: float | None

    def to_pixels(self, x: NDArray, y: NDArray) -> tuple[NDArray, NDArray]:
        """Continuous columns and rows of coordinates in the source's CRS."""
        a, b, c, d, e, f = self.transform
        if self.wrap_at is not None:
            x = self.wrap_at + np.mod(x - self.wrap_at + 180.0, 360.0) - 180.0
        x, y = x - c, y - f
        determinant = a * e - b * d
        return (e * x - b * y) / determinant, (a * y - d * x) / determinant

    def centre(self) -> tuple[float, float]:
        """Coordinates of the centre in the source's CRS."""
        a, b, c, d, e, f = self.transform
        col, row = self.width / 2, self.height / 2
        return a * col + b * row + c, d * col + e * row + f


def control_points(
    placement: Placement, grid: TargetGrid
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Source columns and rows at the nodes of an even net over the target grid, (n+1, n+1) each.

    The net is as fine as it takes for bilinear interpolation between nodes to be right within
    ``_TOLERANCE_PX`` of the finer of source and target pixel; NaN where there is no transformation.
    """
    columns, rows = _net(placement, grid, 16)
    wrong = max(_interpolation_error(columns), _interpolation_error(rows))
    spread = max(float(np.ptp(columns)) / grid.width, float(np.ptp(rows)) / grid.height)
    allowed = _TOLERANCE_PX * max(1.0, spread)
    if wrong <= allowed:
        return columns, rows
    # The error falls with the square of the number of nodes; NaN (an edge of the CRS) needs all.
    n = max(grid.width, grid.height)
    if math.isfinite(wrong):
        n = min(n, 16 * 2 ** math.ceil(math.log2(wrong / allowed) / 2))
    return _net(placement, grid, n)


def _net(placement: Placement, grid: TargetGrid, n: int) -> tuple[NDArray, NDArray]:
    x = grid.west + np.linspace(0.0, grid.width * grid.pixel_width, n + 1)
    y = grid.north - np.linspace(0.0, grid.height * grid.pixel_height, n + 1)
    xs, ys = np.meshgrid(x, y)
    if placement.crs != grid.crs:
        xs, ys = transformer(grid.crs, placement.crs).transform(xs, ys)
    with np.errstate(invalid="ignore"):
        columns, rows = placement.to_pixels(xs, ys)
    columns[~np.isfinite(columns)] = np.nan
    rows[~np.isfinite(rows)] = np.nan
    return np.ascontiguousarray(columns), np.ascontiguousarray(rows)


def _interpolation_error(net: NDArray) -> float:
    """Largest error between nodes, from how badly every second node foretells the others.

    Halving the spacing divides the error of linear interpolation by four.
    """
    along = np.abs(net[:, 1:-1:2] - (net[:, :-2:2] + net[:, 2::2]) / 2)
    down = np.abs(net[1:-1:2] - (net[:-2:2] + net[2::2]) / 2)
    return float(max(along.max(), down.max())) / 4 * 2  # both directions add up


def pixel_ratio(placement: Placement, grid: TargetGrid) -> tuple[float, float]:
    """Source pixels per target pixel along source columns and rows, at the source's centre.

    At the centre and not at the tile, so that all tiles of a zoom read the same overview with the
    same kernel and no seam shows between them.
    """
    x, y = placement.centre()
    if placement.crs != grid.crs:
        x, y = transformer(placement.crs, grid.crs).transform(x, y)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise RasterError("the centre of the raster has no place in the target's CRS")
    step_x, step_y = grid.pixel_width, grid.pixel_height
    xs = np.array([x - step_x / 2, x + step_x / 2, x, x])
    ys = np.array([y, y, y - step_y / 2, y + step_y / 2])
    if placement.crs != grid.crs:
        xs, ys = transformer(grid.crs, placement.crs).transform(xs, ys)
    columns, rows = placement.to_pixels(np.asarray(xs), np.asarray(ys))
    return (
        math.hypot(columns[1] - columns[0], columns[3] - columns[2]),
        math.hypot(rows[1] - rows[0], rows[3] - rows[2]),
    )


def ground_resolution_m(placement: Placement) -> float:
    """Ground size in metres of the finer side of the centre pixel, along the ellipsoid."""
    a, b, _, d, e, _ = placement.transform
    x, y = placement.centre()
    lon, lat = transformer(placement.crs, "OGC:CRS84").transform([x, x + a, x + b], [y, y + d, y + e])
    _, _, lengths = _GEOD.inv(lon[:1] * 2, lat[:1] * 2, lon[1:], lat[1:])
    return float(min(lengths))


def lon_lat_box(grid: TargetGrid) -> tuple[float, float, float, float]:
    """West, south, east, north in degrees of a Web Mercator grid."""
    radius = WORLD_M / (2 * math.pi)

    def latitude(y: float) -> float:
        return math.degrees(math.atan(math.sinh(y / radius)))

    east = grid.west + grid.width * grid.pixel_width
    south = grid.north - grid.height * grid.pixel_height
    degrees = 360.0 / WORLD_M
    return grid.west * degrees, latitude(south), east * degrees, latitude(grid.north)
