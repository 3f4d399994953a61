"""Values of a raster at points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tiles.raster.errors import RasterError
from tiles.raster.grid import transformer
from tiles.raster.pool import BLOCK, Pool
from tiles.raster.warp import NOTHING, Withheld, choose_level, gather


def sample(
    pool: Pool,
    path: str,
    lon_lat: NDArray[np.float64],
    bands: tuple[int, ...],
    *,
    withheld: Withheld = NOTHING,
) -> NDArray[np.float64]:
    """Read the stored numbers of the pixels that hold the points, (n, bands); NaN for no value.

    ``lon_lat`` is (n, 2) in CRS84 degrees. The pixel is of the finest level that may be seen.

    Raises
    ------
    RasterError
        if the file cannot be read.
    """
    frame = pool.frame(path)
    if any(not 0 <= band < frame.count for band in bands):
        raise RasterError("the raster has no such band")
    found = np.full((len(lon_lat), len(bands)), np.nan)
    level = choose_level(frame, 0.0, withheld)
    if level is None:
        return found
    x, y = transformer("OGC:CRS84", frame.placement.crs).transform(lon_lat[:, 0], lon_lat[:, 1])
    columns, rows = frame.placement.to_pixels(np.asarray(x), np.asarray(y))
    columns, rows = columns / level.factor_x, rows / level.factor_y
    with np.errstate(invalid="ignore"):
        inside = (columns >= 0) & (rows >= 0) & (columns < level.width) & (rows < level.height)
    at_column = np.where(inside, columns, 0).astype(np.int64)
    at_row = np.where(inside, rows, 0).astype(np.int64)
    blocks = at_row // BLOCK * (1 << 32) + at_column // BLOCK
    for block in np.unique(blocks[inside]):
        row, column = int(block >> 32) * BLOCK, int(block & 0xFFFFFFFF) * BLOCK
        size = min(BLOCK, level.height - row), min(BLOCK, level.width - column)
        data, valid = gather(pool, frame, level, (row, column, *size), bands, withheld)
        here = np.flatnonzero(inside & (blocks == block))
        ys, xs = at_row[here] - row, at_column[here] - column
        found[here] = np.where(valid[ys, xs] > 0, data[ys, xs], np.nan)
    return found
