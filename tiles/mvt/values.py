"""The values of a layer: each written once, and which of them each feature has.

Two values are the same only if their encoded bytes are, so the integer 1, the number 1.0, true and
the text "1" stay apart. A dictionary entry is encoded the first time a tile meets its code; after
that the code alone says which value it is.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import (
    BOOL,
    BYTES,
    DATE,
    ENTRIES,
    FLOAT,
    INT,
    JSON,
    KIND,
    OFFSETS,
    STRING,
    TIMESTAMP,
    VALID,
    VALUES,
    borrowed,
    float64_view,
    int32_view,
    int64_view,
    uint8_view,
)
from tiles.buffers import with_room
from tiles.mvt.wire import VARINT_ROOM, put_bytes, put_fixed64, put_int64, put_varint, varint_length
from tiles.text import TIMESTAMP_ROOM, put_date, put_timestamp

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
    count: NDArray[np.int64]  # (1,)


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
def _has_room(values: Values, extra: int) -> bool:
    return values.ends[values.count[0]] + extra <= len(values.encoded)


@njit(nogil=True, cache=True)
def _grown(values: Values, extra: int) -> Values:
    encoded = with_room(values.encoded, values.ends[values.count[0]], extra)
    return Values(encoded, values.ends, values.keys, values.tags, values.slots, values.count)


@njit(nogil=True, cache=True)
def _borrowed(values: Values) -> Values:
    return Values(
        borrowed(values.encoded),
        borrowed(values.ends),
        borrowed(values.keys),
        borrowed(values.tags),
        borrowed(values.slots),
        borrowed(values.count),
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
    return np.int64(stirred >> np.uint64(32)) & (len(values.slots) - 1)


@njit(nogil=True, cache=True)
def _ends_with(values: Values, number: int, text: NDArray[np.uint8], first: int, last: int) -> bool:
    """Whether an encoded text is ``text[first:last]``, of the same length or longer."""
    start = values.ends[number + 1] - (last - first)
    for i in range(last - first):
        if values.encoded[start + i] != text[first + i]:
            return False
    return True


@njit(nogil=True, cache=True)
def _take(values: Values, slot: int, tag: int, key: np.uint64, end: int) -> int:
    """Take in the value that was written up to ``end``; its number."""
    number = values.count[0]
    values.slots[slot] = number
    values.tags[number], values.keys[number] = tag, key
    values.ends[number + 1] = end
    values.count[0] += 1
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
    out, at = values.encoded, values.ends[values.count[0]]
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
    out, at = values.encoded, values.ends[values.count[0]]
    out[at], out[at + 2] = _VALUES, tag
    if tag == DOUBLE:
        end = put_fixed64(out, at + 3, bits)
    elif tag == SINT:
        end = put_int64(out, at + 3, bits)
    else:
        end = put_varint(out, at + 3, bits)
    out[at + 1] = end - at - 2
    return _take(values, slot, tag, key, end)


@njit(nogil=True, cache=True)
def _add_texts(
    column: NDArray[np.int64],
    rows: NDArray[np.int32],
    valid: NDArray[np.uint8],
    begin: int,
    values: Values,
    known: NDArray[np.int32],
    out: NDArray[np.int32],
) -> int:
    """Take in the texts of rows from ``begin`` until one has no room; where it stopped.

    ``known`` has the value of each code met so far, or is empty.
    """
    codes, entries = int32_view(column[VALUES], 1), column[ENTRIES]
    offsets, text = int32_view(column[OFFSETS], 1), uint8_view(column[BYTES], 1)
    for i in range(begin, len(rows)):
        code = codes[rows[i]]
        if valid[i] == 0 or code < 0 or code >= entries:
            continue
        if code < len(known) and known[code] != NO_VALUE:
            out[i] = known[code]
            continue
        first, last = offsets[code], offsets[code + 1]
        if not _has_room(values, last - first + TEXT_ROOM):
            return i
        out[i] = add_text(values, text, first, last)
        if code < len(known):
            known[code] = out[i]
    return len(rows)


@njit(nogil=True, cache=True)
def _grown_for(column: NDArray[np.int64], row: int, values: Values) -> Values:
    """Make room for the text of a row."""
    code = int32_view(column[VALUES], 1)[row]
    offsets = int32_view(column[OFFSETS], 1)
    return _grown(values, offsets[code + 1] - offsets[code] + TEXT_ROOM)


@njit(nogil=True, cache=True)
def _add_all_texts(
    column: NDArray[np.int64],
    rows: NDArray[np.int32],
    valid: NDArray[np.uint8],
    values: Values,
    out: NDArray[np.int32],
) -> Values:
    # A table of codes is cleared for every tile: not worth it for a large dictionary.
    entries = column[ENTRIES]
    known = np.full(entries if entries <= 8 * len(rows) + 1024 else 0, NO_VALUE, np.int32)
    i = 0
    while i < len(rows):
        i = _add_texts(column, rows, valid, i, _borrowed(values), known, out)
        if i < len(rows):
            values = _grown_for(column, rows[i], values)
    return values


@njit(nogil=True, cache=True)
def _add_times(
    column: NDArray[np.int64],
    rows: NDArray[np.int32],
    valid: NDArray[np.uint8],
    values: Values,
    out: NDArray[np.int32],
) -> None:
    text = np.empty(TIMESTAMP_ROOM, np.uint8)
    is_date = column[KIND] == DATE
    days, times = int32_view(column[VALUES], 1), int64_view(column[VALUES], 1)
    for i in range(len(rows)):
        if valid[i] == 0:
            continue
        row = rows[i]
        end = put_date(text, 0, int(days[row])) if is_date else put_timestamp(text, 0, times[row])
        if end > 0:
            out[i] = add_text(values, text, 0, end)


@njit(nogil=True, cache=True)
def _add_numbers(
    column: NDArray[np.int64],
    rows: NDArray[np.int32],
    valid: NDArray[np.uint8],
    values: Values,
    out: NDArray[np.int32],
) -> None:
    kind, address = column[KIND], column[VALUES]
    ints, floats, bools = int64_view(address, 1), float64_view(address, 1), uint8_view(address, 1)
    for i in range(len(rows)):
        row = rows[i]
        if valid[i] == 0 or (kind == FLOAT and not np.isfinite(floats[row])):
            continue
        if kind == INT:
            out[i] = add_number(values, UINT if ints[row] >= 0 else SINT, ints[row])
        elif kind == FLOAT:
            out[i] = add_number(values, DOUBLE, ints[row])
        elif kind == BOOL:
            out[i] = add_number(values, TRUTH, 1 if bools[row] != 0 else 0)


@njit(nogil=True, cache=True)
def _validity(address: int, rows: NDArray[np.int32]) -> NDArray[np.uint8]:
    valid = np.ones(len(rows), np.uint8)
    if address != 0:
        given = uint8_view(address, 1)
        for i in range(len(rows)):
            valid[i] = given[rows[i]]
    return valid


@njit(nogil=True, cache=True)
def layer_values(
    columns: NDArray[np.int64],
    starts: NDArray[np.int64],
    numbers: NDArray[np.int32],
    positions: NDArray[np.int32],
) -> Any:
    """The distinct values of a layer, and each feature's.

    Parameters
    ----------
    columns, starts, numbers
        As in ``addresses.Source``.
    positions
        (f,) which of the chosen rows become features, ascending.

    Returns
    -------
    (values, numbers of values per column and feature: (c, f), NO_VALUE for nulls).
    """
    n, n_columns = len(positions), columns.shape[1]
    values = empty_values(n * n_columns)
    out = np.full((n_columns, n), NO_VALUE, np.int32)
    rows = np.empty(n, np.int32)
    for i in range(n):
        rows[i] = numbers[positions[i]]
    # Columns outside, tables inside: the order of values must not tell which table a row lies in.
    for c in range(n_columns):
        first = 0
        for t in range(columns.shape[0]):
            last = first
            while last < n and positions[last] < starts[t + 1]:
                last += 1
            column = columns[t, c]
            chosen, line = rows[first:last], out[c, first:last]
            valid, kind = _validity(column[VALID], chosen), column[KIND]
            most = len(chosen) * (TEXT_ROOM + TIMESTAMP_ROOM)
            if not _has_room(values, most):
                values = _grown(values, most)
            if kind in (STRING, JSON):
                values = _add_all_texts(column, chosen, valid, values, line)
            elif kind in (TIMESTAMP, DATE):
                _add_times(column, chosen, valid, _borrowed(values), line)
            else:
                _add_numbers(column, chosen, valid, _borrowed(values), line)
            first = last
    return values, out
