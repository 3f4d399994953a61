"""What a policy shows of a raster's pixels, as a text that tells nothing of the other pixels."""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from geoshare.model.batch import Band
from geoshare.model.rasters import RasterAsset, RasterLimits
from tiles.raster import Fence, Pool, RasterError, Withheld
from tiles.raster.frame import Frame, Level
from tiles.raster.pool import BLOCK
from tiles.raster.warp import choose_level, gather

_STEP: Final = 4 * BLOCK  # pixels of a level that are read at once, each way
_REMEMBERED: Final = 10_000


def stripped(asset: RasterAsset, limits: RasterLimits) -> RasterAsset:
    """Leave out what was measured on pixels that are not shown, and all of hidden bands but names.

    The names stay because bands are found in the file by their place; no reader shows the others.
    """
    seen = limits.band_indexes(asset)
    whole = limits.finest_m <= 0 and limits.area_wkb is None
    bands = []
    for number, band in enumerate(asset.bands):
        if number not in seen:
            bands.append(Band(band.name))
        elif whole:
            bands.append(band)
        else:
            none: dict[str, Any] = dict.fromkeys(
                ("minimum", "maximum", "percentile_2", "percentile_98")
            )
            bands.append(replace(band, **none))
    return replace(asset, bands=tuple(bands))


def said_of(asset: RasterAsset, limits: RasterLimits) -> dict[str, Any]:
    """Say all that is shown of a stripped asset, its pixels as a hash: what a view's token is made of.

    The grid of the file and the box stay: whoever is shown a scene is shown where it lies, also
    beyond a fence (docs/decisions/2026-11-22-raster-views-tell-of-shown-pixels.md).
    """
    said = asset.as_dict()
    del said["path"]
    said["bands"] = [said["bands"][number] for number in limits.band_indexes(asset)]
    said["pixels"] = _pixels_of(asset, limits)
    return said


def _pixels_of(asset: RasterAsset, limits: RasterLimits) -> str:
    if limits.unlimited:
        return Path(asset.path).name  # files are named after the hash of what they hold
    bands = limits.band_indexes(asset)
    try:
        return _hashed(asset.path, bands, limits.finest_m, limits.area_wkb)
    except RasterError:
        return ""  # nothing of it can be shown


@lru_cache(_REMEMBERED)
def _hashed(path: str, bands: tuple[int, ...], finest_m: float, area_wkb: bytes | None) -> str:
    """Hash the finest level that may be seen; coarser ones are made of it.

    Files never change under their name, so that the result holds for ever.
    """
    withheld = Withheld(finest_m, None if area_wkb is None else Fence(area_wkb))
    found = hashlib.blake2b(digest_size=16)
    pool = Pool(max_handles=2, max_bytes=32_000_000)
    try:
        frame = pool.frame(path)
        level = choose_level(frame, 1.0, withheld)
        if level is None:
            return ""
        top, left, bottom, right = _reach(frame, level, withheld.fence)
        for band in bands:
            for row in range(top, bottom, _STEP):
                for column in range(left, right, _STEP):
                    window = (row, column, min(_STEP, bottom - row), min(_STEP, right - column))
                    data, valid = gather(pool, frame, level, window, (band,), withheld)
                    found.update(np.where(valid > 0, data, 0).tobytes())
                    found.update(valid.tobytes())
    finally:
        pool.close()
    return found.hexdigest()


def _reach(frame: Frame, level: Level, fence: Fence | None) -> tuple[int, int, int, int]:
    """First and last (exclusive) row and column of a level that a fence lets anything be seen of."""
    if fence is None:
        return 0, 0, level.height, level.width
    area = fence.in_pixels(frame.placement)
    if shapely.is_empty(area):
        return 0, 0, 0, 0
    west, north, east, south = shapely.bounds(area).tolist()
    return (
        max(0, math.floor(north / level.factor_y)),
        max(0, math.floor(west / level.factor_x)),
        min(level.height, math.ceil(south / level.factor_y)),
        min(level.width, math.ceil(east / level.factor_x)),
    )
