"""Keys along a Hilbert curve on the fixed world grid.

The grid never depends on the data, so that no row's place depends on another row. Cells are
2^24 to a side, about 2.4 m at the equator; the key of a cell has 48 bits. The eight bits above
them are left to the caller (level-of-detail group).

Bit-wise form of the curve as in H. S. Warren, "Hacker's Delight", 2nd edition, chapter 16.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

ORDER = 24
KEY_BITS = 2 * ORDER
KEY_MASK = (1 << KEY_BITS) - 1
GROUP_SHIFT = 56

_CELL_SHIFT = 32 - ORDER


@njit(nogil=True, cache=True)
def hilbert_key(x: np.int64, y: np.int64) -> np.uint64:
    """Position along the curve of a cell: x and y from 0 to 2^24 - 1."""
    key = np.uint64(0)
    bit = 1 << (ORDER - 1)
    while bit > 0:
        right = 1 if x & bit else 0
        upper = 1 if y & bit else 0
        key = (key << np.uint64(2)) | np.uint64((3 * right) ^ upper)
        # turn the quadrant so that the curve inside it begins where the last one ended
        if upper == 0:
            if right == 1:
                x = (1 << ORDER) - 1 - x
                y = (1 << ORDER) - 1 - y
            x, y = y, x
        bit >>= 1
    return key


@njit(nogil=True, cache=True)
def _box_keys(boxes: NDArray[np.int32], out: NDArray[np.uint64]) -> None:
    for i in range(boxes.shape[0]):
        if boxes[i, 0] > boxes[i, 2]:
            out[i] = np.uint64(KEY_MASK)
            continue
        # moved to unsigned world units before halving: the middle of int32 values fits int64
        middle_x = ((np.int64(boxes[i, 0]) + np.int64(boxes[i, 2])) >> 1) + (1 << 31)
        middle_y = ((np.int64(boxes[i, 1]) + np.int64(boxes[i, 3])) >> 1) + (1 << 31)
        out[i] = hilbert_key(np.int64(middle_x >> _CELL_SHIFT), np.int64(middle_y >> _CELL_SHIFT))


def box_keys(boxes: NDArray[np.int32]) -> NDArray[np.uint64]:
    """Keys (n,) of the centres of world boxes (n, 4); an empty box (west > east) comes last."""
    out = np.empty(len(boxes), dtype=np.uint64)
    _box_keys(boxes, out)
    return out
