"""The values of a layer, each written once.

Two values are the same only if their type and their bytes are, so the integer 1, the number 1.0,
true and the text "1" stay apart.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import borrowed
from tiles.buffers import with_room
from tiles.mvt.wire import VARINT_ROOM, put_bytes, put_fixed64, put_int64, put_varint, varint_length

NO_VALUE = -1

# Tags of the layer's field for values and of the Value message.
_VALUES, _STRING = 0x22, 0x0A
DOUBLE, UINT, SINT, TRUTH = 0x19, 0x28, 0x30, 0x38

START_BYTES = 16 * 1024
TEXT_ROOM = 2 + 2 * VARINT_ROOM
"""Bytes that a text needs besides its own."""
NUMBER_ROOM = 3 + VARINT_ROOM
"""Bytes of the largest number."""


class Values(NamedTuple):
    """Distinct values as they stand in a layer, and an open-addressing hash table over them."""

    encoded: NDArray[np.uint8]  # values fields, one after the other
    ends: NDArray[np.int64]  # (capacity + 1,) value i is encoded[ends[i]:ends[i + 1]]
    keys: NDArray[np.uint64]  # (capacity,) a number's bits, a text's hash
    tags: NDArray[np.uint8]  # (capacity,) type of the value
    slots: NDArray[np.int32]  # (2^k,) number of a value or NO_VALUE
    made: NDArray[np.int64]  # (1,) how many


@njit(nogil=True, cache=True)
def empty_values(most: int) -> Values:
    """Make a table for up to ``most`` distinct values."""
    size = 16
    while size < 2 * most:
        size *= 2
    return Values(
        np.empty(START_BYTES, np.uint8),
        np.zeros(most + 1, np.int64),
        np.empty(most, np.uint64),
        np.empty(most, np.uint8),
        np.full(size, NO_VALUE, np.int32),
        np.zeros(1, np.int64),
    )


@njit(nogil=True, cache=True)
def has_room(values: Values, extra: int) -> bool:
    """Whether so many bytes more fit."""
    return values.ends[values.made[0]] + extra <= len(values.encoded)


@njit(nogil=True, cache=True)
def grown(values: Values, extra: int) -> Values:
    """Make room for so many bytes more."""
    encoded = with_room(values.encoded, values.ends[values.made[0]], extra)
    return Values(encoded, values.ends, values.keys, values.tags, values.slots, values.made)


@njit(nogil=True, cache=True)
def borrowed_values(values: Values) -> Values:
    """Lend the arrays to functions that are called for every value."""
    return Values(
        borrowed(values.encoded),
        borrowed(values.ends),
        borrowed(values.keys),
        borrowed(values.tags),
        borrowed(values.slots),
        borrowed(values.made),
    )


@njit(nogil=True, cache=True)
def _hash(text: NDArray[np.uint8], first: int, last: int) -> np.uint64:
    """FNV-1a."""
    state = np.uint64(14695981039346656037)
    for i in range(first, last):
        state = (state ^ np.uint64(text[i])) * np.uint64(1099511628211)
    return state


@njit(nogil=True, cache=True)
def _first_slot(values: Values, tag: int, key: np.uint64) -> int:
    """Where to begin looking: multiplied by 2^64 / the golden ratio, of which high bits are used."""
    stirred = (key ^ np.uint64(tag)) * np.uint64(11400714819323198485)
    return int(np.int64(stirred >> np.uint64(32))) & (len(values.slots) - 1)


@njit(nogil=True, cache=True)
def _ends_with(values: Values, number: int, text: NDArray[np.uint8], first: int, last: int) -> bool:
    """Whether an encoded text is ``text[first:last]``, of the same length or longer."""
    start = values.ends[number + 1] - (last - first)
    i = first
    while i < last and values.encoded[start + i - first] == text[i]:
        i += 1
    return i == last


@njit(nogil=True, cache=True)
def _take(values: Values, slot: int, tag: int, key: np.uint64, end: int) -> int:
    """Take in the value that was written up to ``end``; its number."""
    number = values.made[0]
    values.slots[slot] = number
    values.tags[number], values.keys[number] = tag, key
    values.ends[number + 1] = end
    values.made[0] += 1
    return number


@njit(nogil=True, cache=True)
def add_text(values: Values, text: NDArray[np.uint8], first: int, last: int) -> int:
    """Take in the text ``text[first:last]``, for which there is room; its number."""
    length = last - first
    key = _hash(text, first, last)
    slot = _first_slot(values, _STRING, key)
    while values.slots[slot] != NO_VALUE:
        number = int(values.slots[slot])
        if values.tags[number] == _STRING and values.keys[number] == key:
            size = values.ends[number + 1] - values.ends[number]
            if size == _text_size(length) and _ends_with(values, number, text, first, last):
                return number
        slot = (slot + 1) & (len(values.slots) - 1)
    out, at = values.encoded, values.ends[values.made[0]]
    out[at] = _VALUES
    at = put_varint(out, at + 1, length + 1 + varint_length(length))
    out[at] = _STRING
    at = put_varint(out, at + 1, length)
    return _take(values, slot, _STRING, key, put_bytes(out, at, text, first, last))


@njit(nogil=True, cache=True)
def _text_size(length: int) -> int:
    """Bytes of the field of a text of ``length`` bytes."""
    message = 1 + varint_length(length) + length
    return 1 + varint_length(message) + message


@njit(nogil=True, cache=True)
def add_number(values: Values, tag: int, bits: int) -> int:
    """Take in a number or a truth value, for which there is room; its number among the values.

    Parameters
    ----------
    tag
        UINT or SINT of an integer, DOUBLE of the bits of a double, TRUTH of 0 or 1.
    """
    key = np.uint64(bits)
    slot = _first_slot(values, tag, key)
    while values.slots[slot] != NO_VALUE:
        number = int(values.slots[slot])
        if values.tags[number] == tag and values.keys[number] == key:
            return number
        slot = (slot + 1) & (len(values.slots) - 1)
    out, at = values.encoded, values.ends[values.made[0]]
    out[at], out[at + 2] = _VALUES, tag
    if tag == DOUBLE:
        end = put_fixed64(out, at + 3, bits)
    elif tag == SINT:
        end = put_int64(out, at + 3, bits)
    else:
        end = put_varint(out, at + 3, bits)
    out[at + 1] = end - at - 2
    return _take(values, slot, tag, key, end)
