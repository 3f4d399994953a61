"""Vertices where lines of a tile meet: they stay, so that roads go on meeting there.

Whether lines meet somewhere is seen from the lines that the tile shows, never from others. All lines
through a vertex lie in every tile that holds it, so neighbouring tiles agree.

Vertices are counted by a hash of their exact position, two bits each. Two positions that share a
hash are taken for a junction: now and then a vertex stays that need not.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import (
    PART_STARTS,
    PARTS,
    RING_STARTS,
    RINGS,
    ROWS,
    TYPES,
    VERTEX_STARTS,
    VERTICES,
    WORLD_XY,
    int32_pairs_view,
    int32_view,
    uint8_view,
)
from tiles.arrays import GeometryType

FROM_ZOOM = 12
"""At lower zooms half a tile unit is more than two metres, and lines are pictures of roads."""

PLACES_PER_VERTEX = 16
_LINE, _MULTILINE = int(GeometryType.LINESTRING), int(GeometryType.MULTILINESTRING)


@njit(nogil=True, cache=True, inline="always")
def place_of(x: int, y: int, shift: int) -> int:
    """Where a position is counted."""
    joined = (np.uint64(np.uint32(x)) << np.uint64(32)) | np.uint64(np.uint32(y))
    return int(np.int64((joined * np.uint64(11400714819323198485)) >> np.uint64(shift)))


@njit(nogil=True, cache=True, inline="always")
def is_junction(counts: NDArray[np.uint8], place: int) -> bool:
    """Whether more than one vertex was counted at a place."""
    return (counts[place >> 2] >> ((place & 3) << 1)) & 2 != 0


@njit(nogil=True, cache=True, inline="always")
def _lines(at: NDArray[np.int64], row: int) -> tuple[int, int]:
    """First and last + 1 of the vertices of a line; none of other geometries."""
    kind = uint8_view(at[TYPES], at[ROWS])[row]
    if kind not in (_LINE, _MULTILINE):
        return 0, 0
    part_starts = int32_view(at[PART_STARTS], at[ROWS] + 1)
    ring_starts = int32_view(at[RING_STARTS], at[PARTS] + 1)
    vertex_starts = int32_view(at[VERTEX_STARTS], at[RINGS] + 1)
    first, last = ring_starts[part_starts[row]], ring_starts[part_starts[row + 1]]
    return vertex_starts[first], vertex_starts[last]


@njit(nogil=True, cache=True)
def _count(
    at: NDArray[np.int64],
    numbers: NDArray[np.int32],
    bounds: tuple[int, int],
    counts: NDArray[np.uint8],
    shift: int,
) -> None:
    world_xy = int32_pairs_view(at[WORLD_XY], at[VERTICES])
    for i in range(bounds[0], bounds[1]):
        first, last = _lines(at, numbers[i])
        for v in range(first, last):
            place = place_of(world_xy[v, 0], world_xy[v, 1], shift)
            bit = (place & 3) << 1
            seen = counts[place >> 2]
            counts[place >> 2] = seen | (2 << bit if (seen >> bit) & 1 else 1 << bit)


@njit(nogil=True, cache=True)
def junctions(
    tables: NDArray[np.int64], starts: NDArray[np.int64], numbers: NDArray[np.int32]
) -> tuple[NDArray[np.uint8], int]:
    """Count the vertices of the chosen rows that are lines.

    Returns
    -------
    (counts, how far to shift 64 bits right for a place among them).
    """
    vertices = 0
    for t in range(tables.shape[0]):
        for i in range(starts[t], starts[t + 1]):
            first, last = _lines(tables[t], numbers[i])
            vertices += last - first
    shift, places = 56, 256
    while places < PLACES_PER_VERTEX * vertices:
        places *= 2
        shift -= 1
    counts = np.zeros(places >> 2, np.uint8)
    for t in range(tables.shape[0]):
        _count(tables[t], numbers, (starts[t], starts[t + 1]), counts, shift)
    return counts, shift
