"""Rasters of an extract: the permitted bands, at the permitted resolution, cut to the area, as COGs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from rasterio.transform import Affine
from rasterio.windows import Window
from shapely.geometry.base import BaseGeometry

from geoshare.extracts.request import Plan
from geoshare.imagery import Pixels
from geoshare.model.rasters import RasterAsset, RasterLimits
from geoshare.model.times import iso, parse_interval
from geoshare.query import RasterView
from tiles.raster import RasterError, TargetGrid, read, write_cog
from tiles.raster.frame import Frame
from tiles.raster.grid import transformer

MAX_ASSETS: Final = 200  # of one collection
MAX_PIXELS: Final = 400_000_000  # of one collection, all assets and bands
STRIP_VALUES: Final = 6_000_000  # pixels times bands that are read at once
_WHOLE: Final = 1.000001  # how much coarser than the file still counts as its own pixels


class Reason(NamedTuple):
    """Why something is not in an extract."""

    en: str
    ja: str


NOTHING: Final = Reason("Nothing lies in the area.", "範囲内にデータがありません。")
TOO_LARGE: Final = Reason(
    "Too many pixels for one extract; ask for a smaller area or a shorter time.",
    "画素数が多すぎます。範囲または期間を狭めてください。",
)
UNREADABLE: Final = Reason("A raster cannot be read now.", "現在読み込めない画像があります。")


def write_rasters(
    made: Plan, view: RasterView, folder: Path, report: Callable[[int], None]
) -> tuple[list[dict[str, Any]], Reason | None]:
    """Write the rasters of one collection that meet the request.

    Returns
    -------
    What the manifest says of each file, and why files are missing, if any are.
    """
    pixels = Pixels()
    written: list[dict[str, Any]] = []
    reason: Reason | None = NOTHING
    left = MAX_PIXELS
    for number, asset in enumerate(chosen(made, view)):
        limits = view.limits_of(asset)
        if asset.kind == "step" and made.request.grid_form != "cog":
            continue
        try:
            grid = grid_of(made, asset, limits, pixels.pool.frame(asset.path))
            bands = limits.band_indexes(asset)
            if grid is None or not bands:
                continue
            left -= grid.width * grid.height * len(bands)
            if left < 0 or number >= MAX_ASSETS:
                return written, TOO_LARGE
            name = f"{view.collection.name}-{asset.id}.tif"
            if _write(pixels, asset, limits, grid, folder / name, made.cutting):
                written.append(_said(asset, limits, grid, name))
        except RasterError:
            return written, UNREADABLE
        report(number + 1)
    return written, None if written else reason


def chosen(made: Plan, view: RasterView) -> Iterator[RasterAsset]:
    """The rasters of the time that is asked for."""
    interval = parse_interval(made.request.datetime) if made.request.datetime is not None else None
    for asset in view.assets:
        if interval is None or interval.contains(asset.datetime_us):
            yield asset


def grid_of(made: Plan, asset: RasterAsset, limits: RasterLimits, frame: Frame) -> TargetGrid | None:
    """Grid of the part of a raster in the area: its own pixels, or coarser ones where it must be.

    The grid is north-up in the raster's CRS and on its own pixel edges, so that pixels are copied and
    not interpolated wherever the policy leaves them as they are.
    """
    placement = frame.placement
    a, b, c, d, e, f = placement.transform
    coarser = max(1.0, limits.finest_m / frame.resolution_m)
    step_x, step_y = math.hypot(a, d) * coarser, math.hypot(b, e) * coarser
    corners = [
        (c + a * x + b * y, f + d * x + e * y)
        for x in (0, placement.width)
        for y in (0, placement.height)
    ]
    west, east = min(x for x, _ in corners), max(x for x, _ in corners)
    south, north = min(y for _, y in corners), max(y for _, y in corners)
    if made.box is not None:
        change = transformer("OGC:CRS84", placement.crs)
        low_x, low_y, high_x, high_y = change.transform_bounds(*made.box)
        columns = _steps(low_x - west, high_x - west, step_x, east - west)
        rows = _steps(north - high_y, north - low_y, step_y, north - south)
    else:
        columns = (0, math.ceil((east - west) / step_x - 1e-6))
        rows = (0, math.ceil((north - south) / step_y - 1e-6))
    width, height = columns[1] - columns[0], rows[1] - rows[0]
    if width <= 0 or height <= 0:
        return None
    corner = (west + columns[0] * step_x, north - rows[0] * step_y)
    return TargetGrid(placement.crs, *corner, step_x, step_y, width, height)


def _steps(low: float, high: float, step: float, length: float) -> tuple[int, int]:
    """First and last (exclusive) cell of ``step`` that meet low..high within 0..length."""
    if not (math.isfinite(low) and math.isfinite(high)) or high < 0 or low > length:
        return 0, 0
    count = math.ceil(length / step - 1e-6)
    return max(0, math.floor(low / step + 1e-6)), min(count, math.ceil(high / step - 1e-6))


def _write(
    pixels: Pixels,
    asset: RasterAsset,
    limits: RasterLimits,
    grid: TargetGrid,
    target: Path,
    area: BaseGeometry | None,
) -> bool:
    """Write a COG of what the policy leaves; tell whether any pixel was valid."""
    bands = limits.band_indexes(asset)
    frame = pixels.pool.frame(asset.path)
    plain = target.with_suffix(".part.tif")
    profile = {
        "driver": "GTiff", "width": grid.width, "height": grid.height, "count": len(bands),
        "dtype": frame.dtype, "crs": grid.crs, "tiled": True, "blockxsize": 512, "blockysize": 512,
        "transform": affine(grid),
        "compress": "DEFLATE", "bigtiff": "IF_SAFER",
    }  # fmt: skip
    found = False
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(plain, "w", **profile) as out:
        for strip in strips(pixels, asset, limits, grid, area):
            window = Window(0, strip.first, grid.width, strip.valid.shape[0])
            stored = _stored(np.where(strip.valid[..., None], strip.data, 0.0), frame.dtype)
            out.write(stored.transpose(2, 0, 1), window=window)
            out.write_mask(strip.valid, window=window)
            found = found or bool(strip.valid.any())
    if found:
        write_cog(plain, target, descriptions=[asset.bands[band].name for band in bands])
    plain.unlink()
    return found


class Strip(NamedTuple):
    """Rows of a grid: stored numbers (rows, columns, bands), and where (rows, columns) they count."""

    first: int
    data: NDArray[np.floating]
    valid: NDArray[np.bool_]


def strips(
    pixels: Pixels,
    asset: RasterAsset,
    limits: RasterLimits,
    grid: TargetGrid,
    area: BaseGeometry | None,
) -> Iterator[Strip]:
    """Read a raster from the north on: what the policy leaves of it, within an area (CRS84)."""
    bands = limits.band_indexes(asset)
    exact = limits.finest_m <= pixels.pool.frame(asset.path).resolution_m * _WHOLE
    rows = max(1, STRIP_VALUES // (grid.width * len(bands)))
    if area is not None:
        change = transformer("OGC:CRS84", grid.crs)
        area = shapely.transform(area, lambda xy: np.column_stack(change.transform(*xy.T)))
    for first in range(0, grid.height, rows):
        part = _strip(grid, first, min(rows, grid.height - first))
        warped = read(
            pixels.pool, asset.path, part, bands, nearest=exact, withheld=pixels.withheld(limits)
        )
        shape = (part.height, part.width)
        if warped is None:
            yield Strip(first, np.zeros((*shape, len(bands))), np.zeros(shape, bool))
            continue
        valid = np.asarray(warped.valid.all(axis=2))
        if area is not None:
            valid &= geometry_mask([area], shape, affine(part), invert=True)
        yield Strip(first, warped.data, valid)


def affine(grid: TargetGrid) -> Affine:
    """Where the pixels of a grid lie."""
    return Affine(grid.pixel_width, 0, grid.west, 0, -grid.pixel_height, grid.north)


def _strip(grid: TargetGrid, first: int, rows: int) -> TargetGrid:
    return TargetGrid(
        grid.crs,
        grid.west,
        grid.north - first * grid.pixel_height,
        grid.pixel_width,
        grid.pixel_height,
        grid.width,
        rows,
    )


def _stored(values: NDArray[np.floating], dtype: str) -> NDArray[Any]:
    """Values as the file's own numbers, rounded and kept in range."""
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return values.astype(kind)
    limits = np.iinfo(kind)
    whole: NDArray[Any] = np.clip(np.rint(values), limits.min, limits.max).astype(kind)
    return whole


def _said(asset: RasterAsset, limits: RasterLimits, grid: TargetGrid, name: str) -> dict[str, Any]:
    return {
        "id": asset.id,
        "file": name,
        "datetime": iso(asset.datetime_us),
        "bands": [asset.bands[band].name for band in limits.band_indexes(asset)],
        "resolution_m": max(asset.resolution_m, limits.finest_m),
        "width": grid.width,
        "height": grid.height,
        "properties": asset.properties,
    }
