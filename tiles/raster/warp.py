"""From a file to a target grid: choose the level, gather blocks, withhold, resample."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tiles.raster.errors import RasterError, RasterTooLargeError
from tiles.raster.fence import Fence, outside
from tiles.raster.frame import Frame, Level, check_halving
from tiles.raster.grid import TargetGrid, control_points, pixel_ratio
from tiles.raster.kernels import resample_linear, resample_nearest
from tiles.raster.pool import BLOCK, Block, Pool

MAX_WINDOW_BYTES = 96_000_000
MAX_TARGET_PIXELS = 4096 * 4096
_MIN_SIDE = 32  # below that, levels that are not stored are not worth computing
_COARSER = 1.2  # a level may be so much coarser than the target: a quarter of the pixels to read


class Warped(NamedTuple):
    """Values on a target grid: ``data`` float32 and ``valid`` 0 or 1, both (height, width, bands)."""

    data: NDArray[np.float32]
    valid: NDArray[np.uint8]


class Withheld(NamedTuple):
    """What must not be seen of a raster.

    Pixels are means over at least ``finest_m`` metres, each empty if its footprint is not wholly
    inside ``fence`` or less than half of it is valid.
    """

    finest_m: float = 0.0
    fence: Fence | None = None


NOTHING = Withheld()


def read(
    pool: Pool,
    path: str,
    grid: TargetGrid,
    bands: Sequence[int],
    *,
    nearest: bool = False,
    withheld: Withheld = NOTHING,
) -> Warped | None:
    """Warp 0-based bands of a file to a grid; None if the grid does not touch the file.

    Classes (a band with a colour table) are taken from the nearest pixel in any case.

    Raises
    ------
    RasterError
        if the file cannot be read or there is no sound transformation between the two CRS.
    RasterTooLargeError
        if the answer needs more than the bounded memory.
    """
    if grid.width * grid.height > MAX_TARGET_PIXELS:
        raise RasterTooLargeError("too many pixels")
    frame = pool.frame(path)
    if any(not 0 <= band < frame.count for band in bands):
        raise RasterError("the raster has no such band")
    columns, rows = control_points(frame.placement, grid)
    ratio_x, ratio_y = pixel_ratio(frame.placement, grid)
    level = choose_level(frame, min(ratio_x, ratio_y), withheld)
    if level is None:
        return None
    columns = columns / level.factor_x
    rows = rows / level.factor_y
    ratio_x, ratio_y = ratio_x / level.factor_x, ratio_y / level.factor_y
    window = _window(columns, rows, ratio_x, ratio_y, level)
    if window is None:
        return None
    row, column = window[:2]
    pixels, valid = gather(pool, frame, level, window, tuple(bands), withheld)
    shape = (grid.height, grid.width, len(bands))
    out, out_valid = np.zeros(shape, np.float32), np.zeros(shape, np.uint8)
    columns, rows = columns - column, rows - row
    if nearest or frame.colours:
        resample_nearest(pixels, valid, columns, rows, out, out_valid)
    else:
        resample_linear(pixels, valid, columns, rows, ratio_x, ratio_y, out, out_valid)
    return Warped(out, out_valid)


def choose_level(frame: Frame, ratio: float, withheld: Withheld = NOTHING) -> Level | None:
    """Choose the coarsest level not much coarser than the target, and none finer than allowed.

    ``ratio`` is full pixels per target pixel. None if even a single pixel for the whole raster would
    be finer than allowed.
    """
    levels = frame.levels if withheld.finest_m <= 0 and withheld.fence is None else frame.honest_levels
    allowed_m = withheld.finest_m * (1 - 1e-6)
    chosen = levels[0]
    for level in levels[1:]:
        fits = min(level.factor_x, level.factor_y) <= ratio * _COARSER
        worth_it = level.overview is not None or min(level.width, level.height) >= _MIN_SIDE
        if _pixel_m(frame, chosen) < allowed_m or (fits and worth_it):
            chosen = level
        else:
            break
    if _pixel_m(frame, chosen) < allowed_m:
        return None
    check_halving(levels, chosen)
    return chosen


def _pixel_m(frame: Frame, level: Level) -> float:
    return frame.resolution_m * min(level.factor_x, level.factor_y)


def _window(
    columns: NDArray[np.float64],
    rows: NDArray[np.float64],
    ratio_x: float,
    ratio_y: float,
    level: Level,
) -> tuple[int, int, int, int] | None:
    """First row and column, height and width of the source pixels that the kernel can reach."""
    if np.isnan(columns).all():
        return None
    margin_x, margin_y = max(1.0, ratio_x) + 1, max(1.0, ratio_y) + 1
    first_column = max(0, math.floor(np.nanmin(columns) - margin_x))
    last_column = min(level.width, math.ceil(np.nanmax(columns) + margin_x))
    first_row = max(0, math.floor(np.nanmin(rows) - margin_y))
    last_row = min(level.height, math.ceil(np.nanmax(rows) + margin_y))
    if first_column >= last_column or first_row >= last_row:
        return None
    return first_row, first_column, last_row - first_row, last_column - first_column


def gather(
    pool: Pool,
    frame: Frame,
    level: Level,
    window: tuple[int, int, int, int],
    bands: tuple[int, ...],
    withheld: Withheld = NOTHING,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Gather a window (row, column, height, width) of a level, and where it may be seen.

    Returns two arrays (height, width, bands).
    """
    row, column, height, width = window
    if height * width * len(bands) * 5 > MAX_WINDOW_BYTES:
        raise RasterTooLargeError("the window of the raster is too large")
    data = np.empty((height, width, len(bands)), np.float32)
    valid = np.empty((height, width, len(bands)), np.uint8)
    for down in range(row // BLOCK, -(-(row + height) // BLOCK)):
        for right in range(column // BLOCK, -(-(column + width) // BLOCK)):
            block = pool.block(frame, level, down, right, bands)
            ys, source_ys = _overlap(down, row, height, block.data.shape[0])
            xs, source_xs = _overlap(right, column, width, block.data.shape[1])
            data[ys, xs] = block.data[source_ys, source_xs]
            valid[ys, xs] = block.valid[source_ys, source_xs]
            if withheld.fence is not None:
                hidden = _hidden(pool, frame, level, down, right, withheld.fence)
                valid[ys, xs] &= 1 - hidden.valid[source_ys, source_xs]
    return data, valid


def _overlap(block: int, first: int, length: int, block_length: int) -> tuple[slice, slice]:
    """Slice of the window and slice of the block where the two overlap, along one axis."""
    start = max(first, block * BLOCK)
    stop = min(first + length, block * BLOCK + block_length)
    return slice(start - first, stop - first), slice(start - block * BLOCK, stop - block * BLOCK)


def _hidden(pool: Pool, frame: Frame, level: Level, down: int, right: int, fence: Fence) -> Block:
    """Where a block is beyond the fence (``valid`` 1), remembered as blocks are."""

    def make() -> Block:
        shape = (min(BLOCK, level.height - down * BLOCK), min(BLOCK, level.width - right * BLOCK))
        area = fence.in_pixels(frame.placement)
        factor = (level.factor_x, level.factor_y)
        beyond = outside(area, factor, (down * BLOCK, right * BLOCK), shape)
        return Block(np.empty((0, 0, 1), np.uint8), beyond[..., np.newaxis])

    return pool.remember((frame.path, "fence", fence.key, level, down, right), make)
