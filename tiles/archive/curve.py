"""Tile ids of PMTiles: all tiles of zoom 0, then of zoom 1, and so on, each along a Hilbert curve.

The curve of a zoom refines that of the zoom before it: the four children of the tile at place ``h``
stand at places ``4h`` to ``4h + 3``. So a walk down the pyramid in order needs no sorting.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_ZOOM = 26
"""Ids of deeper tiles have more bits than some readers keep."""


def first_id(z: int) -> int:
    """Id of the first tile of a zoom: how many tiles all zooms above have."""
    return ((1 << 2 * z) - 1) // 3


def tiles_at(z: int, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Columns from the west and rows from the north (n, 2) of places (n,) along the curve of a zoom.

    Raises
    ------
    ValueError
        The zoom has no such place, or is deeper than ids reach.
    """
    places = np.asarray(places, np.int64)
    if not 0 <= z <= MAX_ZOOM or (len(places) and not 0 <= places.min() <= places.max() < 1 << 2 * z):
        raise ValueError(f"zoom {z} has no such place")
    x, y = np.zeros(len(places), np.int64), np.zeros(len(places), np.int64)
    left = places.copy()
    for level in range(z):  # from the smallest square to the whole world
        size = 1 << level
        right = left >> 1 & 1
        lower = (left ^ right) & 1
        x, y = _turned(x, y, right, lower, size)
        x, y = x + size * right, y + size * lower
        left >>= 2
    return np.column_stack([x, y])


def tile_ids(z: int, xy: NDArray[np.int64]) -> NDArray[np.int64]:
    """Ids (n,) of tiles of a zoom, (n, 2) columns from the west and rows from the north.

    Raises
    ------
    ValueError
        The zoom has no such tile, or is deeper than ids reach.
    """
    xy = np.asarray(xy, np.int64)
    if not 0 <= z <= MAX_ZOOM or (len(xy) and not 0 <= xy.min() <= xy.max() < 1 << z):
        raise ValueError(f"zoom {z} has no such tile")
    x, y = xy[:, 0].copy(), xy[:, 1].copy()
    places = np.zeros(len(xy), np.int64)
    for level in reversed(range(z)):
        size = 1 << level
        right, lower = x >> level & 1, y >> level & 1
        places = places << 2 | (3 * right) ^ lower
        x, y = _turned(x & size - 1, y & size - 1, right, lower, size)
    return places + first_id(z)


def _turned(
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    right: NDArray[np.int64],
    lower: NDArray[np.int64],
    size: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Turn the inside of squares so that the curve in each begins where the last one ended."""
    flip = (lower == 0) & (right == 1)
    x, y = np.where(flip, size - 1 - x, x), np.where(flip, size - 1 - y, y)
    return np.where(lower == 0, y, x), np.where(lower == 0, x, y)
