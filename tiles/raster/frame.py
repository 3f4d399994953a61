"""What a raster file says of itself: place, numbers, and the levels of resolution it offers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags

from tiles.raster.errors import RasterError, RasterTooLargeError
from tiles.raster.grid import Placement, ground_resolution_m, is_geographic

OVERVIEW_TAG = "OVERVIEW_RULE"
HONEST = "mean-of-at-least-half-valid"  # value of the tag on files whose overviews keep that rule
_MAX_PIXELS_TO_HALVE = 32_000_000


class Level(NamedTuple):
    """One resolution of a file. ``number`` 0 is full; a pixel is ``factor`` full pixels wide.

    ``overview`` is the file's overview that holds it: -1 the full image, None not stored. A pixel of
    an ``honest`` level is the mean of its own footprint of full pixels and of nothing else.
    """

    number: int
    width: int
    height: int
    factor_x: float
    factor_y: float
    overview: int | None
    honest: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """What a raster file says of itself, read once."""

    path: str
    placement: Placement
    count: int
    dtype: str
    nodata: float | None
    masked: bool  # validity is in a mask band
    resolution_m: float
    colours: tuple[tuple[int, int, int, int], ...]  # of classes 0, 1, ...; none: numbers, not classes
    levels: tuple[Level, ...]
    honest_levels: tuple[Level, ...]


def read_frame(path: str, dataset: rasterio.DatasetReader) -> Frame:
    """Frame of an open file, its overviews and the levels that are computed past the last of them."""
    if dataset.crs is None:
        raise RasterError("the raster has no CRS")
    a, b, c, d, e, f = tuple(dataset.transform)[:6]
    if a * e - b * d == 0:
        raise RasterError("the raster has no place on the ground")
    code = dataset.crs.to_epsg()
    crs = f"EPSG:{code}" if code else dataset.crs.to_wkt()
    width, height = dataset.width, dataset.height
    wrap = a * width / 2 + b * height / 2 + c if is_geographic(crs) else None
    placement = Placement(crs, (a, b, c, d, e, f), width, height, wrap)
    masked = any(
        MaskFlags.per_dataset in flags or MaskFlags.alpha in flags for flags in dataset.mask_flag_enums
    )
    honest = dataset.tags().get(OVERVIEW_TAG) == HONEST
    colours: tuple[tuple[int, int, int, int], ...] = ()
    if dataset.count == 1 and is_categorical(dataset, 1):
        colours = tuple(colour for _, colour in sorted(dataset.colormap(1).items()))
    levels = _levels(width, height, dataset.overviews(1), honest)
    honest_levels = levels if honest else _levels(width, height, [], True)
    if colours:  # classes have no mean: only levels that are stored
        levels = tuple(level for level in levels if level.overview is not None)
        honest_levels = levels if honest else levels[:1]
    return Frame(
        path=path,
        placement=placement,
        count=dataset.count,
        dtype=dataset.dtypes[0],
        nodata=dataset.nodata,
        masked=masked,
        resolution_m=ground_resolution_m(placement),
        colours=colours,
        levels=levels,
        honest_levels=honest_levels,
    )


def is_categorical(dataset: rasterio.DatasetReader, band: int) -> bool:
    """Whether a 1-based band holds numbers of classes: 8 bits with a colour table."""
    return dataset.dtypes[band - 1] == "uint8" and dataset.colorinterp[band - 1] == ColorInterp.palette


def _levels(width: int, height: int, factors: list[int], honest: bool) -> tuple[Level, ...]:
    found = [Level(0, width, height, 1.0, 1.0, -1, True)]
    for overview, factor in enumerate(factors):
        across, down = -(-width // factor), -(-height // factor)
        found.append(Level(len(found), across, down, width / across, height / down, overview, honest))
    while found[-1].width > 1 or found[-1].height > 1:
        last = found[-1]
        found.append(
            Level(
                last.number + 1,
                (last.width + 1) // 2,
                (last.height + 1) // 2,
                last.factor_x * 2,
                last.factor_y * 2,
                None,
                honest,
            )
        )
    return tuple(found)


def check_halving(levels: tuple[Level, ...], level: Level) -> None:
    """Refuse a level that would be halved down from more pixels than one request may read.

    Raises
    ------
    RasterTooLargeError
        naming what is missing.
    """
    while level.overview is None:
        level = levels[0 if level.honest else level.number - 1]
        if level.width * level.height > _MAX_PIXELS_TO_HALVE:
            raise RasterTooLargeError("the raster has no overviews fit for this resolution")


def valid_of(data: NDArray, nodata: float | None) -> NDArray[np.uint8]:
    """Where pixels hold a value: not the nodata number, not NaN."""
    valid = np.ones(data.shape, np.uint8)
    if np.issubdtype(data.dtype, np.floating):
        valid &= np.isfinite(data).view(np.uint8)
    if nodata is not None and not math.isnan(nodata):
        valid &= (data != nodata).view(np.uint8)
    return valid


def to_type(
    data: NDArray[np.float64], valid: NDArray[np.uint8], dtype: str, nodata: float | None
) -> NDArray:
    """Means as stored numbers: rounded to whole ones where the type is, nodata where not valid.

    A mean that happens to equal the nodata number is moved to its neighbour, else it would vanish.
    """
    target = np.dtype(dtype)
    empty = 0.0 if nodata is None else nodata
    if np.issubdtype(target, np.integer):
        limits = np.iinfo(target)
        whole = np.clip(np.rint(data), limits.min, limits.max)
        if nodata is not None:
            above = (data >= empty) & (empty < limits.max) | (empty <= limits.min)
            whole = np.where(whole == empty, np.where(above, empty + 1, empty - 1), whole)
        data = whole
    return np.where(valid > 0, data, empty).astype(target)
