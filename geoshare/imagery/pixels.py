"""Map tiles of scenes and grid steps, and the legends that go with them."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geoshare.errors import BadRequest, TooLarge, Unavailable
from geoshare.imagery.styles import (
    Style,
    calibration_db,
    choose_style,
    domain,
    styles_of,
    unknown_style,
)
from geoshare.model.box import Box
from geoshare.model.rasters import EVERYTHING, RasterAsset, RasterLimits, value_of
from tiles import image, render
from tiles.raster import (
    Fence,
    Pool,
    RasterError,
    RasterTooLargeError,
    TargetGrid,
    Warped,
    Withheld,
    band_statistics,
    read,
    sample,
    tile_grid,
)
from tiles.raster.grid import WORLD_M, lon_lat_box

MAX_ZOOM = 24
SIZES = (256, 512)
MAX_SCENES = 64  # of one tile; more of them say "zoom in" and not a slow answer
_MAX_REMEMBERED = 4096
_VISIBLE_PX = 16  # a raster smaller than this on the map is not worth a tile


class Pixels:
    """Reads rasters for pictures. One per process, shared by its threads.

    What a policy withholds is gone before anything else sees a pixel: the bands, the resolution, the
    area, and the statistics that a stretch is made of.
    """

    def __init__(self, pool: Pool | None = None) -> None:
        self.pool = pool or Pool()
        self._fences: OrderedDict[bytes, Fence] = OrderedDict()
        self._domains: OrderedDict[tuple[Any, ...], list[tuple[float, float]]] = OrderedDict()

    def tile(
        self,
        assets: Sequence[RasterAsset],
        z: int,
        x: int,
        y: int,
        *,
        size: int = 256,
        image_format: str = "png",
        style: str | None = None,
        limits: RasterLimits = EVERYTHING,
    ) -> bytes | None:
        """Draw a Web Mercator tile of a mosaic, the first asset on top; None where it is empty.

        Parameters
        ----------
        assets
            from ``model.rasters.choose_scenes`` (newest first) or one step of ``weather.Steps``.
        image_format
            png, webp or jpg.
        style
            a name out of :meth:`styles`; None is each asset's default.

        Raises
        ------
        BadRequest
            naming the parameter that is out of range.
        TooLarge
            if more scenes than a tile may be made of lie here.
        Unavailable
            if a raster cannot be read.
        """
        _check(z, x, y, size, image_format)
        grid = tile_grid(z, x, y, size)
        rgba = self.draw(assets, grid, lon_lat_box(grid), style=style, limits=limits)
        return None if rgba is None else image.encode(rgba, image_format)

    def draw(
        self,
        assets: Sequence[RasterAsset],
        grid: TargetGrid,
        box: Box | tuple[float, float, float, float],
        *,
        style: str | None = None,
        limits: RasterLimits = EVERYTHING,
    ) -> NDArray[np.uint8] | None:
        """Draw a mosaic on a grid, (height, width, 4) colours; ``box`` is where that is in degrees."""
        here = [asset for asset in assets if _touches(asset.box, Box(*box))]
        near = [(asset, found) for asset in here if (found := choose_style(asset, limits, style))]
        if style is not None and not near:
            self._check_style(assets, style, limits)
        canvas: NDArray[np.uint8] | None = None
        for number, (asset, found) in enumerate(near):
            if number >= MAX_SCENES:
                raise TooLarge(
                    "too many scenes here: zoom in, or ask for a shorter time", parameter="z"
                )
            with readable():
                layer = self._layer(asset, found, grid, limits)
            if layer is None:
                continue
            if canvas is None:
                canvas = layer
            else:
                render.lay_under(canvas, layer)
            if (canvas[..., 3] == 255).all():
                break
        return canvas

    def styles(
        self, assets: Sequence[RasterAsset], limits: RasterLimits = EVERYTHING
    ) -> list[dict[str, str]]:
        """List the assets' styles as name, title, title_ja; the first is the default."""
        found: dict[str, Style] = {}
        for asset in assets[:200]:
            for style in styles_of(asset, limits):
                found.setdefault(style.name, style)
        return [style.as_dict() for style in found.values()]

    def legend(
        self,
        assets: Sequence[RasterAsset],
        style: str | None = None,
        limits: RasterLimits = EVERYTHING,
    ) -> list[dict[str, Any]]:
        """List value, colour, label, label_ja of a style; empty for a picture in natural colours."""
        for asset in assets:
            found = choose_style(asset, limits, style)
            if found is not None and len(found.bands) == 1:
                with readable():
                    palette = self._palette(asset, found, limits)
                return [asdict(entry) for entry in render.legend(palette)]
            if found is not None:
                return []
        if style is not None:
            self._check_style(assets, style, limits)
        return []

    def zooms(
        self, assets: Sequence[RasterAsset], limits: RasterLimits = EVERYTHING
    ) -> tuple[int, int]:
        """Find the zooms worth asking for, of 256-pixel tiles.

        From where the largest raster is some pixels wide to where the finest pixels that may be seen
        have one tile pixel or more each.
        """
        lowest, highest = MAX_ZOOM, 0
        for asset in assets:
            middle = math.radians((asset.box.south + asset.box.north) / 2)
            world_m = WORLD_M * math.cos(middle)
            finest = max(asset.resolution_m, limits.finest_m, 1e-3)
            highest = max(highest, math.ceil(math.log2(world_m / 256 / finest)))
            size_m = asset.resolution_m * max(asset.width, asset.height)
            lowest = min(lowest, math.floor(math.log2(world_m * _VISIBLE_PX / 256 / max(size_m, 1e-3))))
        highest = min(max(highest, 0), MAX_ZOOM)
        return min(max(lowest, 0), highest), highest

    def values(
        self,
        asset: RasterAsset,
        lon_lat: tuple[float, float],
        limits: RasterLimits = EVERYTHING,
    ) -> dict[str, float | None]:
        """Read the value of each visible band at a point; None is unknown, which is not zero."""
        bands = limits.band_indexes(asset)
        if not bands:
            return {}
        point = np.array([lon_lat], np.float64)
        with readable():
            found = sample(self.pool, asset.path, point, bands, withheld=self.withheld(limits))[0]
        result: dict[str, float | None] = {}
        for number, stored in zip(bands, found, strict=True):
            band = asset.bands[number]
            result[band.name] = value_of(band, float(stored))
        return result

    def withheld(self, limits: RasterLimits) -> Withheld:
        """Say to the engine what the policy withholds."""
        if limits.area_wkb is None:
            return Withheld(limits.finest_m)
        fence = self._fences.get(limits.area_wkb)
        if fence is None:
            fence = Fence(limits.area_wkb)
            self._fences[limits.area_wkb] = fence
            if len(self._fences) > 64:
                self._fences.popitem(last=False)
        return Withheld(limits.finest_m, fence)

    def _check_style(self, assets: Sequence[RasterAsset], style: str, limits: RasterLimits) -> None:
        """Refuse a style that no asset has; where there is nothing, any style shows nothing."""
        if assets and not any(choose_style(asset, limits, style) for asset in assets):
            raise unknown_style(list(assets), limits)

    def _layer(
        self, asset: RasterAsset, style: Style, grid: TargetGrid, limits: RasterLimits
    ) -> NDArray[np.uint8] | None:
        warped = read(
            self.pool,
            asset.path,
            grid,
            style.bands,
            nearest=style.nearest,
            withheld=self.withheld(limits),
        )
        if warped is None or not warped.valid.any():
            return None
        if len(style.bands) == 3:
            low, high = np.array(self._domain(asset, style, limits), np.float32).T
            return render.compose(warped.data, warped.valid, low, high, style.gamma)
        return render.colour_by_value(
            _values(asset, style, warped), warped.valid[..., 0], self._palette(asset, style, limits)
        )

    def _palette(self, asset: RasterAsset, style: Style, limits: RasterLimits) -> render.Palette:
        colours = self.pool.frame(asset.path).colours
        if colours:  # a map of classes comes with its own colours, and means nothing in others
            return render.class_palette(colours)
        if style.palette is not None:
            return style.palette
        band = asset.bands[style.bands[0]]
        low, high = self._domain(asset, style, limits)[0]
        if style.decibel:
            shift = calibration_db(asset)
            low, high = (20 * math.log10(max(number, 1.0)) + (shift or 0.0) for number in (low, high))
            return render.ramp_palette(style.ramp, low, high, "dB" if shift is not None else "dB (DN)")
        low, high = sorted((low * band.scale + band.offset, high * band.scale + band.offset))
        return render.ramp_palette(style.ramp, low, high, band.unit)

    def _domain(
        self, asset: RasterAsset, style: Style, limits: RasterLimits
    ) -> list[tuple[float, float]]:
        """Low and high stored number of each band; of what may be seen where something may not."""
        narrowed = limits.finest_m > 0 or limits.area_wkb is not None
        stored = domain(style, asset.bands, measured=not narrowed)
        if stored is not None:
            return stored
        key = (asset.path, style.bands, limits.finest_m, limits.area_wkb)
        known = self._domains.get(key)
        if known is None:
            known = self._measure(asset, style, limits)
            self._domains[key] = known
            if len(self._domains) > _MAX_REMEMBERED:
                self._domains.popitem(last=False)
        return known

    def _measure(
        self, asset: RasterAsset, style: Style, limits: RasterLimits
    ) -> list[tuple[float, float]]:
        frame = self.pool.frame(asset.path)
        found = []
        for number in style.bands:
            known = band_statistics(self.pool, frame, number, self.withheld(limits))
            found.append((known.percentile_2 or 0.0, known.percentile_98 or 1.0))
        return found


def _values(asset: RasterAsset, style: Style, warped: Warped) -> NDArray[np.float32]:
    """Turn stored numbers of the style's one band into values in its unit, or decibels."""
    if style.decibel:
        return render.decibels(warped.data[..., 0], calibration_db(asset) or 0.0)
    band = asset.bands[style.bands[0]]
    if band.scale == 1.0 and band.offset == 0.0:
        plain: NDArray[np.float32] = warped.data[..., 0]
        return plain
    # In double precision, so that a class starts at 0.1 also where 1 is stored with scale 0.1.
    values = warped.data[..., 0].astype(np.float64) * band.scale + band.offset
    scaled: NDArray[np.float32] = values.astype(np.float32)
    return scaled


def _check(z: int, x: int, y: int, size: int, image_format: str) -> None:
    if not 0 <= z <= MAX_ZOOM:
        raise BadRequest("z is out of range", parameter="z", allowed=f"0 to {MAX_ZOOM}")
    for name, value in (("x", x), ("y", y)):
        if not 0 <= value < 2**z:
            raise BadRequest(f"{name} is out of range", parameter=name, allowed=f"0 to {2**z - 1}")
    if size not in SIZES:
        raise BadRequest("size is not offered", parameter="size", allowed="256, 512")
    if image_format not in image.MEDIA_TYPES:
        raise BadRequest("no such format", parameter="f", allowed=", ".join(image.MEDIA_TYPES))


def _touches(one: Box, other: Box) -> bool:
    """Whether two boxes overlap; either may cross the antimeridian."""
    if one.south > other.north or other.south > one.north:
        return False
    if one.west <= one.east and other.west <= other.east:
        return one.west <= other.east and other.west <= one.east
    if one.west > one.east and other.west > other.east:
        return True
    crossing, plain = (one, other) if one.west > one.east else (other, one)
    return plain.east >= crossing.west or plain.west <= crossing.east


@contextmanager
def readable() -> Iterator[None]:
    """Turn the engine's errors into those meant for a user's eyes, without a path in them."""
    try:
        yield
    except RasterTooLargeError as error:
        raise TooLarge("the raster cannot be shown at this resolution") from error
    except RasterError as error:
        raise Unavailable("a raster cannot be read now", code="raster-unreadable") from error
