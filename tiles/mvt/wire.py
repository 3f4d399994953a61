"""Protocol-buffer primitives for kernels.

Each function writes at a place of a byte array that has room, and returns the place after.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import uint8_view, uint64_view

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


# Texts are given by address: as arrays they would cost more than their few bytes. Most are short, so
# that a loop over words of eight bytes is done before a call of memcpy or memcmp returns.


@njit(nogil=True, cache=True)
def copy_bytes(target: int, source: int, length: int) -> None:
    """Copy bytes from an address to another that does not overlap."""
    words = length >> 3
    to_words, from_words = uint64_view(target, words), uint64_view(source, words)
    for i in range(words):
        to_words[i] = from_words[i]
    to_bytes, from_bytes = uint8_view(target, length), uint8_view(source, length)
    for i in range(8 * words, length):
        to_bytes[i] = from_bytes[i]


@njit(nogil=True, cache=True)
def same_bytes(one: int, other: int, length: int) -> bool:
    """Whether the same bytes stand at two addresses."""
    words = length >> 3
    left_words, right_words = uint64_view(one, words), uint64_view(other, words)
    for i in range(words):
        if left_words[i] != right_words[i]:
            return False
    left_bytes, right_bytes = uint8_view(one, length), uint8_view(other, length)
    for i in range(8 * words, length):
        if left_bytes[i] != right_bytes[i]:
            return False
    return True


@njit(nogil=True, cache=True)
def hashed(text: int, length: int) -> np.uint64:
    """A number for the bytes at an address: words multiplied and folded, as MurmurHash3 finishes."""
    words, tail = uint64_view(text, length >> 3), uint8_view(text, length)
    state = np.uint64(length)
    for i in range(length >> 3):
        state = (state ^ words[i]) * np.uint64(0xFF51AFD7ED558CCD)
        state ^= state >> np.uint64(33)
    rest = np.uint64(0)
    for i in range(length & ~7, length):
        rest = (rest << np.uint64(8)) | np.uint64(tail[i])
    state = (state ^ rest) * np.uint64(0xC4CEB9FE1A85EC53)
    return state ^ (state >> np.uint64(33))


@njit(nogil=True, cache=True)
def put_bytes(out: NDArray[np.uint8], at: int, text: NDArray[np.uint8], first: int, last: int) -> int:
    """Copy ``text[first:last]``."""
    copy_bytes(out.ctypes.data + at, text.ctypes.data + first, last - first)
    return at + last - first
