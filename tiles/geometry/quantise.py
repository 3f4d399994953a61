"""World coordinates to tile units, and tile units to the integer grid of a tile.

Tile units have their origin in the north-west corner of the tile, x to the east, y to the south,
and are ``extent`` long and high within the tile proper.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.grid import Tile

# Outcodes of Cohen and Sutherland: the sides of the box a vertex lies beyond.
LEFT, RIGHT, ABOVE, BELOW = 1, 2, 4, 8
NOWHERE = -1


class Frame(NamedTuple):
    """How a tile lies on the world, and where it is clipped.

    All floats, so that kernels are compiled for one type. ``low`` and ``high`` bound x and y in
    tile units.
    """

    west: float
    north: float
    scale: float  # tile units per world unit
    low: float
    high: float


def frame(tile: Tile, extent: int, buffer: int) -> Frame:
    """The frame of a tile of ``extent`` units, clipped ``buffer`` units outside its edge."""
    west, _, east, north = tile.world_box()
    scale = extent / float(east - west)
    return Frame(float(west), float(north), scale, float(-buffer), float(extent + buffer))


@njit(nogil=True, cache=True)
def outcode(x: float, y: float, low: float, high: float) -> int:
    """The sides of the box that a position lies beyond; 0 within, edges included."""
    code = 0
    if x < low:
        code = LEFT
    elif x > high:
        code = RIGHT
    if y < low:
        code |= ABOVE
    elif y > high:
        code |= BELOW
    return code


@njit(nogil=True, cache=True, inline="always")
def lies(west: float, north: float, east: float, south: float, low: float, high: float) -> int:
    """Say where a box in tile units lies.

    Returns
    -------
    0: all of it is within the frame; NOWHERE: nothing of it is; else some side is crossed.
    """
    if east < low or west > high or south < low or north > high:
        return NOWHERE
    return outcode(west, north, low, high) | outcode(east, south, low, high)


@njit(nogil=True, cache=True, inline="always")
def to_tile_units(x: int, y: int, frame: Any) -> tuple[float, float]:
    """A position in world units in tile units."""
    return (x - frame.west) * frame.scale, (frame.north - y) * frame.scale


@njit(nogil=True, cache=True)
def quantise(path: NDArray[np.float64], first: int, last: int, xy: NDArray[np.int32], at: int) -> int:
    """Write ``path[first:last]`` rounded to ``xy[at:]`` without repeated vertices.

    Halves go up, not to even: only then do neighbouring tiles round a shared vertex alike.

    Returns
    -------
    The end of what was written: at most ``at + last - first``.
    """
    end = at
    for i in range(first, last):
        x = np.int32(np.floor(path[i, 0] + 0.5))
        y = np.int32(np.floor(path[i, 1] + 0.5))
        if end == at or x != xy[end - 1, 0] or y != xy[end - 1, 1]:
            xy[end, 0] = x
            xy[end, 1] = y
            end += 1
    return end


@njit(nogil=True, cache=True)
def opened(xy: NDArray[np.int32], first: int, last: int) -> int:
    """The end of the ring ``xy[first:last]`` without vertices that repeat its first."""
    while last - first > 1 and xy[last - 1, 0] == xy[first, 0] and xy[last - 1, 1] == xy[first, 1]:
        last -= 1
    return last
