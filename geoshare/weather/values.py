"""Values of a grid at a place, step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geoshare.errors import BadRequest, TooLarge, Unavailable
from geoshare.model.rasters import EVERYTHING, RasterAsset, RasterLimits, value_of
from tiles.raster import Fence, Pool, RasterError, RasterTooLargeError, Withheld, sample

MAX_STEPS = 2000


@dataclass(frozen=True, slots=True)
class StepValue:
    """One band's value at a place and instant; None is unknown, which is not zero."""

    datetime_us: int
    band: str
    unit: str
    value: float | None


def position(
    pool: Pool,
    steps: Sequence[RasterAsset],
    lon_lat: tuple[float, float],
    limits: RasterLimits = EVERYTHING,
) -> list[StepValue]:
    """Read the grid cell that holds a point (CRS84 degrees) in every step, in the order given.

    The value is that of the cell which the map shows there; nothing is interpolated.

    Raises
    ------
    BadRequest
        if the point is not on the globe.
    TooLarge
        for more than 2,000 steps.
    Unavailable
        if a step cannot be read: a gap must not look like no rain.
    """
    lon, lat = lon_lat
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        raise BadRequest(
            "the point is not on the globe",
            parameter="coords",
            allowed="longitude, latitude in degrees",
        )
    if len(steps) > MAX_STEPS:
        raise TooLarge("too many time steps", parameter="datetime", allowed=f"at most {MAX_STEPS}")
    fence = None if limits.area_wkb is None else Fence(limits.area_wkb)
    withheld = Withheld(limits.finest_m, fence)
    point = np.array([lon_lat], np.float64)
    found = []
    for step in steps:
        bands = limits.band_indexes(step)
        if not bands:
            continue
        try:
            numbers = sample(pool, step.path, point, bands, withheld=withheld)[0]
        except RasterTooLargeError as error:
            raise TooLarge("the raster cannot be read at this resolution") from error
        except RasterError as error:
            raise Unavailable("a raster cannot be read now", code="raster-unreadable") from error
        for number, stored in zip(bands, numbers, strict=True):
            band = step.bands[number]
            value = value_of(band, float(stored))
            found.append(StepValue(step.datetime_us, band.name, band.unit, value))
    return found
