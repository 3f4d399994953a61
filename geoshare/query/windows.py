"""Boxes of a request, in any system: what they cover in longitude and latitude."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from geoshare.errors import BadRequest
from geoshare.filter.crs import to_crs84
from geoshare.model.box import Box
from geoshare.model.crs import CRS84, is_native

_FLAT, _UPRIGHT = 4, 6


@dataclass(frozen=True, slots=True)
class Window:
    """What a box covers: a box in degrees, or a polygon in CRS84 (a GeoJSON geometry), and heights.

    ``text`` is as it was asked for; ``heights`` are metres from and to, above the ellipsoid.
    """

    text: str
    box: Box | None
    area: dict[str, Any] | None = None
    heights: tuple[float, float] | None = None


def read_window(text: str, crs: str = CRS84) -> Window:
    """Read ``a,b,c,d``, or ``a,b,low,c,d,high`` with heights, in the axis order of a system.

    West above east crosses the antimeridian.

    Raises
    ------
    ValueError
        where the text is no box of the system.
    """
    numbers = _numbers(text)
    heights = None
    if len(numbers) == _UPRIGHT:
        if not is_native(crs):
            raise ValueError("A box with heights is given in CRS84 or CRS84h")
        heights = (numbers[2], numbers[5])
        if heights[0] > heights[1]:
            raise ValueError("The box has its bottom above its top")
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != _FLAT:
        raise ValueError("The box has not four (or six) numbers")
    try:
        found = to_crs84({"bbox": numbers}, crs)
    except BadRequest as error:
        raise ValueError("The box has no place in longitude and latitude") from error
    if "bbox" not in found:
        return Window(text, None, found, heights)
    return Window(text, _box(found["bbox"]), None, heights)


def _numbers(text: str) -> list[float]:
    if len(text) > 512:  # six numbers need no more
        raise ValueError("The box is too long")
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError("The box is not a list of numbers") from None
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("The box is not finite")
    return numbers


def _box(sides: list[float]) -> Box:
    west, south, east, north = sides
    if abs(west) > 180 or abs(east) > 180 or abs(south) > 90 or abs(north) > 90:
        raise ValueError("The box lies outside the world; mind the order of its axes")
    if south > north:
        raise ValueError("The box has its south above its north")
    return Box(west, south, east, north)
