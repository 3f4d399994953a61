"""Protocol-buffer primitives for kernels.

Each function writes at a place of a byte array that has room, and returns the place after.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

VARINT_ROOM = 10
"""No varint is longer, in bytes."""


@njit(nogil=True, cache=True)
def varint_length(value: int) -> int:
    """Bytes of a varint of a number from 0 up."""
    length = 1
    while value >= 128:
        value >>= 7
        length += 1
    return length


@njit(nogil=True, cache=True)
def put_varint(out: NDArray[np.uint8], at: int, value: int) -> int:
    """Write a number from 0 up."""
    if value < 128:
        out[at] = value
        return at + 1
    while value >= 128:
        out[at] = (value & 127) | 128
        value >>= 7
        at += 1
    out[at] = value
    return at + 1


@njit(nogil=True, cache=True)
def zigzag(value: int) -> int:
    """A small number from 0 up for a small number of either sign."""
    return (value << 1) ^ (value >> 31)


@njit(nogil=True, cache=True)
def put_int64(out: NDArray[np.uint8], at: int, value: int) -> int:
    """Write an int64 as a zigzag varint (sint64): the lowest needs all 64 bits."""
    bits = np.uint64(value) << np.uint64(1)
    if value < 0:
        bits = ~bits
    while bits >= np.uint64(128):
        out[at] = np.uint8((bits & np.uint64(127)) | np.uint64(128))
        bits >>= np.uint64(7)
        at += 1
    out[at] = np.uint8(bits)
    return at + 1


@njit(nogil=True, cache=True)
def put_fixed64(out: NDArray[np.uint8], at: int, bits: int) -> int:
    """Write eight bytes, lowest first."""
    for k in range(8):
        out[at + k] = (bits >> (8 * k)) & 255
    return at + 8


@njit(nogil=True, cache=True)
def put_bytes(out: NDArray[np.uint8], at: int, text: NDArray[np.uint8], first: int, last: int) -> int:
    """Copy ``text[first:last]``."""
    for i in range(first, last):
        out[at + i - first] = text[i]
    return at + last - first
