"""The values of a layer, each written once.

Two values are the same only if their type and their bytes are, so the integer 1, the number 1.0,
true and the text "1" stay apart.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import int32_view, int64_view, uint8_view, uint64_view
from tiles.buffers import with_room
from tiles.mvt.wire import (
    VARINT_ROOM,
    copy_bytes,
    hashed,
    put_fixed64,
    put_int64,
    put_varint,
    same_bytes,
    varint_length,
)

NO_VALUE = -1

# Tags of the layer's field for values and of the Value message.
_VALUES, _STRING = 0x22, 0x0A
DOUBLE, UINT, SINT, TRUTH = 0x19, 0x28, 0x30, 0x38

START_BYTES, USUAL_BYTES = 4096, 16
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


# Places in the state of a table: the addresses of its arrays, their lengths, and how many values are
# made. Functions that are called for every value get this one array: each array as an
# argument costs more than looking up a value does.
ENCODED, ENDS, KEYS, TAGS, SLOTS = range(5)
ENCODED_ROOM, CAPACITY, SLOT_MASK, SLOT_SHIFT, MADE = range(5, 10)
STATE_LENGTH = 10


@njit(nogil=True, cache=True)
def empty_values(wanted: int) -> Values:
    """Make a table with room for so many distinct values of usual length, and some more."""
    capacity = 16
    while capacity < wanted:
        capacity *= 2
    return Values(
        np.empty(START_BYTES + USUAL_BYTES * wanted, np.uint8),
        np.zeros(capacity + 1, np.int64),
        np.empty(capacity, np.uint64),
        np.empty(capacity, np.uint8),
        np.full(2 * capacity, NO_VALUE, np.int32),
    )


@njit(nogil=True, cache=True)
def slot_shift(slots: NDArray[np.int32]) -> int:
    """How far to shift 64 bits right for the number of a slot."""
    shift, size = 64, len(slots)
    while size > 1:
        size >>= 1
        shift -= 1
    return shift


@njit(nogil=True, cache=True)
def note(values: Values, state: NDArray[np.int64]) -> None:
    """Write where the arrays are and how long."""
    state[ENCODED], state[ENDS] = values.encoded.ctypes.data, values.ends.ctypes.data
    state[KEYS], state[TAGS] = values.keys.ctypes.data, values.tags.ctypes.data
    state[SLOTS], state[SLOT_SHIFT] = values.slots.ctypes.data, slot_shift(values.slots)
    state[SLOT_MASK] = len(values.slots) - 1
    state[ENCODED_ROOM], state[CAPACITY] = len(values.encoded), len(values.keys)


@njit(nogil=True, cache=True)
def used_bytes(state: NDArray[np.int64]) -> int:
    """Bytes of the values made so far."""
    return int(int64_view(state[ENDS], state[MADE] + 1)[state[MADE]])


@njit(nogil=True, cache=True)
def has_room(state: NDArray[np.int64], extra: int) -> bool:
    """Whether one more value of so many bytes fits."""
    return bool(used_bytes(state) + extra <= state[ENCODED_ROOM] and state[MADE] < state[CAPACITY])


@njit(nogil=True, cache=True, inline="always")
def first_slot(tag: int, key: np.uint64, shift: int) -> int:
    """Where to begin looking: the highest bits of a product with 2^64 / the golden ratio.

    Only those depend on all bits of the key: a number such as 50.0 has nothing but zeros in its lower
    half.
    """
    stirred = (key ^ np.uint64(tag)) * np.uint64(11400714819323198485)
    return int(np.int64(stirred >> np.uint64(shift)))


@njit(nogil=True, cache=True)
def _slots_of(keys: NDArray[np.uint64], tags: NDArray[np.uint8], made: int) -> NDArray[np.int32]:
    """Slots for as many values as there are keys, with those made so far."""
    slots = np.full(2 * len(keys), NO_VALUE, np.int32)
    mask, shift = len(slots) - 1, slot_shift(slots)
    for number in range(made):
        slot = first_slot(tags[number], keys[number], shift)
        while slots[slot] != NO_VALUE:
            slot = (slot + 1) & mask
        slots[slot] = number
    return slots


@njit(nogil=True, cache=True)
def grown(values: Values, state: NDArray[np.int64], extra: int) -> Values:
    """Make room for one more value of so many bytes, and for as many again as there are."""
    made = state[MADE]
    encoded = with_room(values.encoded, used_bytes(state), extra)
    ends, keys, tags, slots = values.ends, values.keys, values.tags, values.slots
    if made == len(keys):
        keys = with_room(keys, made, 1)
        ends = with_room(ends, made + 1, len(keys) - made)
        tags = with_room(tags, made, len(keys) - made)
        slots = _slots_of(keys, tags, made)
    larger = Values(encoded, ends, keys, tags, slots)
    note(larger, state)
    return larger


@njit(nogil=True, cache=True)
def _take(state: NDArray[np.int64], slot: int, tag: int, key: np.uint64, end: int) -> int:
    """Take in the value that was written up to ``end``; its number."""
    number = state[MADE]
    int32_view(state[SLOTS], slot + 1)[slot] = number
    uint8_view(state[TAGS], number + 1)[number] = tag
    uint64_view(state[KEYS], number + 1)[number] = key
    int64_view(state[ENDS], number + 2)[number + 1] = end
    state[MADE] = number + 1
    return int(number)


@njit(nogil=True, cache=True)
def add_text(state: NDArray[np.int64], text: int, length: int) -> int:
    """Take in the text of ``length`` bytes at an address, for which there is room; its number."""
    key, mask, at = hashed(text, length), state[SLOT_MASK], state[ENCODED]
    slots, keys = int32_view(state[SLOTS], mask + 1), uint64_view(state[KEYS], mask + 1)
    tags, ends = uint8_view(state[TAGS], mask + 1), int64_view(state[ENDS], mask + 1)
    slot = first_slot(_STRING, key, state[SLOT_SHIFT])
    while slots[slot] != NO_VALUE:
        number = slots[slot]
        if keys[number] == key and tags[number] == _STRING:
            end = ends[number + 1]
            if end - ends[number] == _text_size(length) and same_bytes(at + end - length, text, length):
                return int(number)
        slot = (slot + 1) & mask
    out, end = uint8_view(at, state[ENCODED_ROOM]), used_bytes(state)
    out[end] = _VALUES
    end = put_varint(out, end + 1, length + 1 + varint_length(length))
    out[end] = _STRING
    end = put_varint(out, end + 1, length)
    copy_bytes(at + end, text, length)
    return _take(state, slot, _STRING, key, end + length)


@njit(nogil=True, cache=True)
def _text_size(length: int) -> int:
    """Bytes of the field of a text of ``length`` bytes."""
    message = 1 + varint_length(length) + length
    return 1 + varint_length(message) + message


@njit(nogil=True, cache=True)
def add_number(state: NDArray[np.int64], slot: int, tag: int, bits: Any) -> int:
    """Take in a number or a truth value that is not there, for which there is room; its number.

    Parameters
    ----------
    slot
        The free one at which looking for it ended.
    tag
        UINT or SINT of an integer, DOUBLE of the bits of a double, TRUTH of 0 or 1.
    """
    out, at = uint8_view(state[ENCODED], state[ENCODED_ROOM]), used_bytes(state)
    out[at], out[at + 2] = _VALUES, tag
    if tag == DOUBLE:
        end = put_fixed64(out, at + 3, bits)
    elif tag == SINT:
        end = put_int64(out, at + 3, bits)
    else:
        end = put_varint(out, at + 3, bits)
    out[at + 1] = end - at - 2
    return _take(state, slot, tag, np.uint64(bits), end)
