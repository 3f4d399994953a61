"""Growing arrays inside kernels.

A kernel never guesses how much a feature will need: before it writes, it asks for room and goes on
with the array it gets back, which is a larger copy when the old one was too short.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def with_room(buffer: NDArray[Any], used: int, extra: int) -> NDArray[Any]:
    """The (n,) buffer, or a copy of its first ``used`` items, with room for ``extra`` more."""
    if used + extra <= buffer.shape[0]:
        return buffer
    larger = np.empty(max(2 * buffer.shape[0], used + extra), buffer.dtype)
    for i in range(used):
        larger[i] = buffer[i]
    return larger


@njit(nogil=True, cache=True)
def pairs_with_room(buffer: NDArray[Any], used: int, extra: int) -> NDArray[Any]:
    """Like ``with_room`` for an (n, 2) buffer."""
    if used + extra <= buffer.shape[0]:
        return buffer
    larger = np.empty((max(2 * buffer.shape[0], used + extra), 2), buffer.dtype)
    for i in range(used):
        larger[i, 0] = buffer[i, 0]
        larger[i, 1] = buffer[i, 1]
    return larger
