"""Bounding boxes whose axis order is in the name."""

from __future__ import annotations

from typing import NamedTuple


class Box(NamedTuple):
    """West, south, east, north in degrees (CRS84). ``west > east`` crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float
