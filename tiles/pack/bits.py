"""Bitmaps of rows: row 0 in the lowest bit of the first byte; no bytes at all mean every row."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.index.rtree import is_set
from tiles.pack.model import ALL_SET, count_set, to_bitmap, to_mask

Bits = NDArray[np.uint8]
Numbers = NDArray[np.int32]

NOTHING_KNOWN = (0, 0, 0)


def bits_of(rows: Numbers, length: int) -> Bits:
    """The bitmap over ``length`` rows in which these are set."""
    mask = np.zeros(length, bool)
    mask[rows] = True
    return tidy(to_bitmap(mask), length)


def tidy(bits: Bits, length: int) -> Bits:
    """The same bitmap, without bytes where all rows are set."""
    return ALL_SET if count_set(bits, length) == length else bits


def rows_set(bits: Bits, length: int) -> Numbers:
    """Numbers of the rows that are set, in order."""
    return np.flatnonzero(to_mask(bits, length)).astype(np.int32)


def both(left: Bits, right: Bits) -> Bits:
    """Rows that are set in both."""
    if not len(left) or left is right:
        return right
    if not len(right):
        return left
    out = left & right
    out.setflags(write=False)
    return out


def either(left: Bits, right: Bits) -> Bits:
    """Rows that are set in one of two."""
    if not len(left) or not len(right):
        return ALL_SET
    out = left | right
    out.setflags(write=False)
    return out


def apart(left: Bits, right: Bits, length: int) -> tuple[Numbers, Numbers]:
    """Rows that are set in the left one alone, and those that are set in the right one alone."""
    if left is right or (not len(left) and not len(right)):
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    left, right = _bytes(left, length), _bytes(right, length)
    at = np.flatnonzero(left != right)
    return _rows_in(left[at] & ~right[at], at), _rows_in(right[at] & ~left[at], at)


def _bytes(bits: Bits, length: int) -> Bits:
    return bits if len(bits) else to_bitmap(np.ones(length, bool))


def _rows_in(octets: Bits, at: NDArray[np.intp]) -> Numbers:
    set_here = np.unpackbits(octets, bitorder="little").reshape(-1, 8).astype(bool)
    return (at[:, None] * 8 + np.arange(8))[set_here].astype(np.int32)


@njit(nogil=True, cache=True)
def _extent(boxes: NDArray[np.int32], bits: Bits) -> tuple[int, int, int, int]:
    west, south, east, north = 2147483647, 2147483647, -2147483648, -2147483648
    for row in range(boxes.shape[0]):
        if boxes[row, 0] <= boxes[row, 2] and is_set(bits, row):
            west = min(west, boxes[row, 0])
            south = min(south, boxes[row, 1])
            east = max(east, boxes[row, 2])
            north = max(north, boxes[row, 3])
    return west, south, east, north


def extent(boxes: NDArray[np.int32], bits: Bits) -> tuple[int, int, int, int]:
    """World box around those of the boxes (n, 4) that are set; west > east where none has a place."""
    west, south, east, north = _extent(boxes, bits)
    return int(west), int(south), int(east), int(north)


@njit(nogil=True, cache=True)
def _span(values: NDArray[np.int64], valid: NDArray[np.uint8], bits: Bits) -> tuple[int, int, int]:
    known, first, last = 0, 0, 0
    for row in range(values.shape[0]):
        if (valid.shape[0] == 0 or valid[row]) and is_set(bits, row):
            first = min(first, values[row]) if known else values[row]
            last = max(last, values[row]) if known else values[row]
            known += 1
    return known, first, last


def span(
    values: NDArray[np.int64], valid: NDArray[np.uint8] | None, bits: Bits
) -> tuple[int, int, int]:
    """How many of the values (n,) that are set are known, the least and the largest of those."""
    if valid is not None and not valid.any():
        return NOTHING_KNOWN
    known, first, last = _span(values, np.zeros(0, np.uint8) if valid is None else valid, bits)
    return int(known), int(first), int(last)
