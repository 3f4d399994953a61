"""From an area to the sheets that show it, without gaps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.errors import BadRequest
from geoshare.extracts.maps.frame import Frame
from geoshare.extracts.maps.paper import Rect
from geoshare.extracts.maps.plane import Zone

MOST_SHEETS: Final = 60
DIGITS: Final = 2  # that a fitted scale has
FEWEST_SIDES: Final = 0.02  # degrees at most between two points of an area's edge


@dataclass(frozen=True)
class Split:
    """The sheets of an area, all of one size and scale."""

    frames: tuple[Frame, ...]
    overlap_mm: float

    def neighbours(self, frame: Frame) -> dict[str, Frame]:
        """Sheets beside a sheet: ``north``, ``east``, ``south``, ``west``."""
        steps = {"north": (-1, 0), "south": (1, 0), "west": (0, -1), "east": (0, 1)}
        at = {(other.row, other.column): other for other in self.frames}
        found = {}
        for side, (down, across) in steps.items():
            other = at.get((frame.row + down, frame.column + across))
            if other is not None:
                found[side] = other
        return found


def one_sheet(zone: Zone, centre: tuple[float, float], chart: Rect, scale: int) -> Split:
    """One sheet around a place in degrees."""
    east, north = zone.forward(np.array([centre]))[0]
    wide, high = chart.w * scale / 1000, chart.h * scale / 1000
    frame = Frame(zone, float(east) - wide / 2, float(north) - high / 2, chart.w, chart.h, scale)
    return Split((frame,), 0.0)


def fitted_scale(area: BaseGeometry, chart: Rect, least: int, most: int) -> int:
    """Return the smallest round scale at which one sheet shows an area in metres."""
    west, south, east, north = area.bounds
    needed = max((east - west) / chart.w, (north - south) / chart.h) * 1000
    if needed > most:
        raise _too_large(f"an area that fits at 1:{most}")
    return max(least, round_scale(max(needed, 1.0)))


def round_scale(needed: float) -> int:
    """Return the smallest scale of two digits that is not below one."""
    step = 10.0 ** max(0, math.floor(math.log10(needed)) + 1 - DIGITS)
    return int(math.ceil(round(needed / step, 9)) * step)


def split(zone: Zone, area: BaseGeometry, chart: Rect, scale: int, overlap_mm: float) -> Split:
    """Cover an area in metres with sheets; sheets that would not touch it are left out.

    Raises
    ------
    BadRequest
        where it takes more sheets than anybody prints, saying from which scale on it does not.
    """
    west, south, east, north = (float(value) for value in area.bounds)
    wide, high = chart.w * scale / 1000, chart.h * scale / 1000
    shared = overlap_mm * scale / 1000
    columns, rows = _count(east - west, wide, shared), _count(north - south, high, shared)
    if columns * rows > 4 * MOST_SHEETS:
        raise _too_many(area, chart, overlap_mm)
    left = (west + east) / 2 - (columns * (wide - shared) + shared) / 2
    top = (south + north) / 2 + (rows * (high - shared) + shared) / 2
    shapely.prepare(area)
    frames: list[Frame] = []
    for row in range(rows):
        for column in range(columns):
            x, y = left + column * (wide - shared), top - high - row * (high - shared)
            if shapely.intersects(area, shapely.box(x, y, x + wide, y + high)):
                frame = Frame(zone, x, y, chart.w, chart.h, scale, row=row, column=column)
                frames.append(replace(frame, number=len(frames) + 1))
    if len(frames) > MOST_SHEETS:
        raise _too_many(area, chart, overlap_mm)
    return Split(tuple(frames), overlap_mm)


def on_plane(zone: Zone, area: BaseGeometry) -> BaseGeometry:
    """Return an area in degrees in metres, its edges bent as they are on the plane."""
    moved: BaseGeometry = shapely.transform(shapely.segmentize(area, FEWEST_SIDES), zone.forward)
    return moved


def _count(long: float, step: float, shared: float) -> int:
    """How many sheets it takes along one side."""
    if long <= step * (1 + 1e-9):
        return 1
    return math.ceil((long - shared) / (step - shared) - 1e-9)


def _too_many(area: BaseGeometry, chart: Rect, overlap_mm: float) -> BadRequest:
    """Say from which scale on the sheets are few enough."""
    west, south, east, north = area.bounds

    def sheets(scale: float) -> int:
        wide, high = chart.w * scale / 1000, chart.h * scale / 1000
        shared = overlap_mm * scale / 1000
        return _count(east - west, wide, shared) * _count(north - south, high, shared)

    scale = 500.0
    while sheets(scale) > MOST_SHEETS:
        scale *= 1.1
    step = 10.0 ** (math.floor(math.log10(scale)) - 1)
    return _too_large(f"scale from {math.ceil(scale / step) * step:.0f} on for this area")


def _too_large(allowed: str) -> BadRequest:
    return BadRequest(
        f"The area would take more than {MOST_SHEETS} sheets.",
        parameter="scale",
        allowed=f"at most {MOST_SHEETS} sheets: {allowed}, or a smaller area",
        message_ja=f"図が{MOST_SHEETS}枚を超えます。縮尺を小さく（分母を大きく）するか、範囲を狭めてください。",
    )


def outline(frames: Sequence[Frame]) -> tuple[float, float, float, float]:
    """West, south, east, north in metres around sheets."""
    return (
        min(frame.west_m for frame in frames),
        min(frame.south_m for frame in frames),
        max(frame.west_m + frame.width_m for frame in frames),
        max(frame.south_m + frame.height_m for frame in frames),
    )
