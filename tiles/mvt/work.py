"""Memory for shaping the features of a tile, with room for whatever the next one may leave.

Room is made before a feature is shaped, so that nothing on the way has to ask.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import int32_view
from tiles.buffers import pairs_with_room, with_room

START_VERTICES = 1024


class Memory(NamedTuple):
    """Arrays to work in, and the rings made so far."""

    path: NDArray[np.float64]  # (m, 2)
    clipped: NDArray[np.float64]  # (m, 2)
    run_ends: NDArray[np.int64]  # (m,)
    xy: NDArray[np.int32]  # (v, 2)
    ring_starts: NDArray[np.int32]


# Places in ``work``: the addresses of the arrays of ``Memory``, lengths of three of them, how many
# rings are made, and the counts of ``junctions`` and their shift (0: none are counted). Functions that
# work on one feature are called often: an array as argument costs as much as several vertices, so they
# get this one and the row of the table.
PATH, CLIPPED, RUN_ENDS, XY, STARTS = range(5)
PATH_ROOM, XY_ROOM, STARTS_ROOM, MADE, JUNCTIONS, JUNCTION_SHIFT = range(5, 11)
WORK_LENGTH = 11


@njit(nogil=True, cache=True)
def room_needed(vertices: int) -> int:
    """Vertices that a feature can leave, whatever its shape.

    A side of the box leaves of a ring at most half as many again, plus one: four sides 5.07 times
    as many and 9 more. A line is left at most two vertices for each of its segments.
    """
    return 6 * vertices + 16


@njit(nogil=True, cache=True)
def new_memory(features: int) -> Memory:
    """Make room for features of eight vertices or so."""
    size = room_needed(START_VERTICES)
    vertices = 8 * features + size
    return Memory(
        np.empty((size, 2), np.float64),
        np.empty((size, 2), np.float64),
        np.empty(size, np.int64),
        np.empty((vertices, 2), np.int32),
        np.zeros(features + START_VERTICES, np.int32),
    )


@njit(nogil=True, cache=True)
def grown(memory: Memory, rings: int, vertices: int) -> Memory:
    """Make room for a feature of that many vertices after so many rings."""
    need = room_needed(vertices)
    xy = pairs_with_room(memory.xy, memory.ring_starts[rings], need)
    return Memory(
        pairs_with_room(memory.path, 0, need),
        pairs_with_room(memory.clipped, 0, need),
        with_room(memory.run_ends, 0, need),
        xy,
        with_room(memory.ring_starts, rings + 1, vertices + 1),
    )


@njit(nogil=True, cache=True)
def note(memory: Memory, work: NDArray[np.int64]) -> None:
    """Write where the arrays are and how long."""
    work[PATH], work[CLIPPED] = memory.path.ctypes.data, memory.clipped.ctypes.data
    work[RUN_ENDS], work[XY] = memory.run_ends.ctypes.data, memory.xy.ctypes.data
    work[STARTS] = memory.ring_starts.ctypes.data
    work[PATH_ROOM], work[XY_ROOM] = memory.path.shape[0], memory.xy.shape[0]
    work[STARTS_ROOM] = memory.ring_starts.shape[0]


@njit(nogil=True, cache=True, inline="always")
def used_vertices(work: NDArray[np.int64]) -> int:
    """Vertices of the rings made so far."""
    return int(int32_view(work[STARTS], work[STARTS_ROOM])[work[MADE]])


@njit(nogil=True, cache=True, inline="always")
def has_room(work: NDArray[np.int64], vertices: int) -> bool:
    """Whether a feature of that many vertices fits."""
    need = room_needed(vertices)
    return bool(
        need <= work[PATH_ROOM]
        and used_vertices(work) + need <= work[XY_ROOM]
        and work[MADE] + vertices + 2 <= work[STARTS_ROOM]
    )


@njit(nogil=True, cache=True, inline="always")
def finish_ring(work: NDArray[np.int64], end: int) -> None:
    """Take in the ring that was written up to ``end``."""
    work[MADE] += 1
    int32_view(work[STARTS], work[STARTS_ROOM])[work[MADE]] = end
