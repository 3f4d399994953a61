"""What numbers a raster holds, for a first stretch: read from an overview, in bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from tiles.raster.frame import Frame, Level
from tiles.raster.pool import Pool
from tiles.raster.warp import NOTHING, Withheld, choose_level, gather

_PIXELS = 1_000_000


class BandStatistics(NamedTuple):
    """Of the valid stored numbers of one band; all None where there are none."""

    minimum: float | None
    maximum: float | None
    percentile_2: float | None
    percentile_98: float | None
    valid_part: float  # 0..1 of the pixels looked at


def statistics(path: str | Path) -> list[BandStatistics]:
    """Statistics of every band, from the finest level of at most a million pixels.

    Raises
    ------
    RasterError
        if the file cannot be read.
    """
    pool = Pool(max_handles=4, max_bytes=16_000_000)
    try:
        frame = pool.frame(str(path))
        return [band_statistics(pool, frame, band) for band in range(frame.count)]
    finally:
        pool.close()


def band_statistics(
    pool: Pool, frame: Frame, band: int, withheld: Withheld = NOTHING
) -> BandStatistics:
    """Statistics of a 0-based band, from what may be seen of it and from nothing else."""
    level = _level(frame, withheld)
    if level is None:
        return BandStatistics(None, None, None, None, 0.0)
    data, valid = gather(pool, frame, level, (0, 0, level.height, level.width), (band,), withheld)
    values = data[valid > 0]
    if values.size == 0:
        return BandStatistics(None, None, None, None, 0.0)
    low, high = np.percentile(values, (2, 98))
    part = values.size / valid.size
    return BandStatistics(float(values.min()), float(values.max()), float(low), float(high), part)


def _level(frame: Frame, withheld: Withheld) -> Level | None:
    ratio = max(1.0, (frame.placement.width * frame.placement.height / _PIXELS) ** 0.5)
    return choose_level(frame, 2 * ratio, withheld)
