"""The levels of a raster as plain files, each pixel from its own footprint of full pixels alone."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from tiles.raster.frame import to_type, valid_of
from tiles.raster.kernels import most_frequent

LARGEST_CLASSED = 8  # overviews of a map of classes: their counts are not carried past one chunk
_CHUNK_LEVELS = 10  # a chunk is at most 2^10 pixels wide and high
_CHUNK_BYTES = 160_000_000
_PIXEL_BYTES = 40  # of one band in a chunk: number, sum, count, and their copies
_CACHE_BYTES = (64_000_000, 512_000_000)


class Plan(NamedTuple):
    """What is written: padded size, number of overviews, and how validity is told."""

    bands: tuple[int, ...]  # 1-based, without alpha
    width: int
    height: int
    overviews: int
    dtype: str
    nodata: float | None
    masked: bool
    categorical: bool


class _Sums(NamedTuple):
    """Sums and counts of the valid full pixels under each pixel of a level, (bands, h, w)."""

    totals: NDArray[np.float64]
    counts: NDArray[np.int64]

    def folded(self) -> _Sums:
        """Add up 2 x 2 squares; both sides are even."""
        return _Sums(_fold(self.totals), _fold(self.counts))

    def put(self, part: _Sums, row: int, column: int) -> None:
        """Set a part of it."""
        height, width = part.totals.shape[1:]
        place = np.s_[:, row : row + height, column : column + width]
        self.totals[place] = part.totals
        self.counts[place] = part.counts


def write_levels(dataset: rasterio.DatasetReader, plan: Plan, folder: Path) -> list[Path]:
    """Write the padded raster and its overviews, one file each, in chunks of bounded memory.

    What is coarser than a chunk is made of the chunks' sums, one number per chunk and band.
    """
    files = [folder / f"level{number}.tif" for number in range(plan.overviews + 1)]
    side = 2 ** _chunk_levels(plan)
    within = min(plan.overviews, _chunk_levels(plan))
    # A row of chunks of a file in strips is decoded once if it fits into GDAL's cache.
    row_bytes = side * dataset.width * len(plan.bands) * np.dtype(plan.dtype).itemsize
    cache = min(max(2 * row_bytes, _CACHE_BYTES[0]), _CACHE_BYTES[1])
    # Where all levels fit into chunks nothing is carried, and a single pixel is allocated.
    size = (plan.height >> within, plan.width >> within) if plan.overviews > within else (1, 1)
    shape = (len(plan.bands), *size)
    carried = _Sums(np.zeros(shape), np.zeros(shape, np.int64))
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True, GDAL_CACHEMAX=cache))
        outputs = [
            stack.enter_context(rasterio.open(file, "w", **_profile(plan, dataset, number)))
            for number, file in enumerate(files)
        ]
        for row in range(0, plan.height, side):
            for column in range(0, plan.width, side):
                window = Window(
                    column, row, min(side, plan.width - column), min(side, plan.height - row)
                )
                data, valid = _chunk(dataset, plan, window)
                _write(outputs[0], plan, data, valid, (row, column))
                if plan.categorical:
                    _classed_levels(outputs, plan, data, valid, (row, column))
                    continue
                sums = _mean_levels(outputs[: within + 1], plan, data, valid, (row, column))
                if plan.overviews > within:
                    carried.put(sums, row >> within, column >> within)
        for number in range(within + 1, plan.overviews + 1):
            carried = carried.folded()
            _write_means(outputs[number], plan, carried, number, (0, 0))
    return files


def _mean_levels(
    outputs: list[rasterio.io.DatasetWriter],
    plan: Plan,
    data: NDArray,
    valid: NDArray[np.uint8],
    place: tuple[int, int],
) -> _Sums:
    """Write the means of a chunk's footprints; returns the sums of the coarsest."""
    sums = _Sums(np.where(valid > 0, data, 0).astype(np.float64), valid.astype(np.int64))
    for number, output in enumerate(outputs[1:], start=1):
        sums = sums.folded()
        _write_means(output, plan, sums, number, (place[0] >> number, place[1] >> number))
    return sums


def _chunk_levels(plan: Plan) -> int:
    """Size of a chunk as a power of two."""
    levels = _CHUNK_LEVELS
    while levels > 4 and 4**levels * len(plan.bands) * _PIXEL_BYTES > _CHUNK_BYTES:
        levels -= 1
    return levels


def _fold(values: NDArray) -> NDArray:
    folded: NDArray = (
        values[:, ::2, ::2] + values[:, 1::2, ::2] + values[:, ::2, 1::2] + values[:, 1::2, 1::2]
    )
    return folded


def _write_means(
    output: rasterio.io.DatasetWriter, plan: Plan, sums: _Sums, number: int, place: tuple[int, int]
) -> None:
    enough = (sums.counts * 2 >= 4**number).astype(np.uint8)
    means = sums.totals / np.maximum(sums.counts, 1)
    _write(output, plan, to_type(means, enough, plan.dtype, plan.nodata), enough, place)


def _classed_levels(
    outputs: list[rasterio.io.DatasetWriter],
    plan: Plan,
    data: NDArray,
    valid: NDArray[np.uint8],
    place: tuple[int, int],
) -> None:
    """Write the most frequent class of each footprint."""
    empty = 0 if plan.nodata is None else int(plan.nodata)
    for number, output in enumerate(outputs[1:], start=1):
        classes, enough = most_frequent(data[0], valid[0], 2**number, empty)
        at = (place[0] >> number, place[1] >> number)
        _write(output, plan, classes[np.newaxis], enough[np.newaxis], at)


def _profile(plan: Plan, dataset: rasterio.DatasetReader, number: int) -> dict[str, Any]:
    scale = 2**number
    return {
        "driver": "GTiff",
        "width": plan.width // scale,
        "height": plan.height // scale,
        "count": len(plan.bands),
        "dtype": plan.dtype,
        "nodata": plan.nodata,
        "crs": dataset.crs,
        "transform": dataset.transform @ dataset.transform.scale(scale),
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "interleave": "pixel",
        "compress": "DEFLATE",
        "zlevel": 1,
        "bigtiff": "IF_SAFER",
    }


def _chunk(
    dataset: rasterio.DatasetReader, plan: Plan, window: Window
) -> tuple[NDArray, NDArray[np.uint8]]:
    """Part of the padded raster: (bands, height, width) in the target's type, and validity."""
    shape = (len(plan.bands), window.height, window.width)
    empty = 0 if plan.nodata is None else plan.nodata
    data = np.full(shape, empty, plan.dtype)
    valid = np.zeros(shape, np.uint8)
    rows = min(window.height, dataset.height - window.row_off)
    columns = min(window.width, dataset.width - window.col_off)
    if rows > 0 and columns > 0:
        inside = Window(window.col_off, window.row_off, columns, rows)
        found = dataset.read(list(plan.bands), window=inside)
        if plan.masked:
            good = (dataset.read_masks(list(plan.bands), window=inside) > 0).astype(np.uint8)
            good &= valid_of(found, None)
            # A mask is one for all bands: a pixel counts where any of them has a value.
            good[:] = good.max(axis=0)
        else:
            good = valid_of(found, plan.nodata)
        data[:, :rows, :columns] = np.where(good > 0, found, empty)
        valid[:, :rows, :columns] = good
    return data, valid


def _write(
    output: rasterio.io.DatasetWriter,
    plan: Plan,
    data: NDArray,
    valid: NDArray[np.uint8],
    place: tuple[int, int],
) -> None:
    window = Window(place[1], place[0], data.shape[2], data.shape[1])
    output.write(data, window=window)
    if plan.masked:
        output.write_mask(valid[0] * np.uint8(255), window=window)
