"""Which value of its layer each feature has in each column.

A dictionary entry is encoded the first time a tile meets its code; after that the code alone says
which value it is.
"""

from __future__ import annotations

from typing import Any

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
    float64_view,
    int32_view,
    int64_view,
    uint8_view,
    uint64_view,
)
from tiles.mvt.values import (
    DOUBLE,
    KEYS,
    NO_VALUE,
    NUMBER_ROOM,
    SINT,
    SLOT_MASK,
    SLOT_SHIFT,
    SLOTS,
    STATE_LENGTH,
    TAGS,
    TEXT_ROOM,
    TRUTH,
    UINT,
    Values,
    add_number,
    add_text,
    empty_values,
    first_slot,
    grown,
    has_room,
    note,
    used_bytes,
)
from tiles.text import TIMESTAMP_ROOM, put_date, put_timestamp


@njit(nogil=True, cache=True)
def _add_texts(
    column: NDArray[np.int64],
    rows: NDArray[np.int32],
    begin: int,
    state: NDArray[np.int64],
    known: NDArray[np.int32],
    out: NDArray[np.int32],
) -> int:
    """Take in the texts of rows from ``begin`` until one has no room; where it stopped.

    ``known`` has the value of each code met so far, or is empty.
    """
    codes, entries = int32_view(column[VALUES], 1), column[ENTRIES]
    offsets, text = int32_view(column[OFFSETS], 1), column[BYTES]
    valid, never_null = uint8_view(column[VALID], 1), column[VALID] == 0
    for i in range(begin, len(rows)):
        code = codes[rows[i]]
        if code < 0 or code >= entries or not (never_null or valid[rows[i]] != 0):
            continue
        if code < len(known) and known[code] != NO_VALUE:
            out[i] = known[code]
            continue
        length = offsets[code + 1] - offsets[code]
        if not has_room(state, length + TEXT_ROOM):
            return i
        out[i] = add_text(state, text + offsets[code], length)
        if code < len(known):
            known[code] = out[i]
    return len(rows)


@njit(nogil=True, cache=True)
def _add_times(
    column: NDArray[np.int64],
    rows: NDArray[np.int32],
    begin: int,
    state: NDArray[np.int64],
    out: NDArray[np.int32],
) -> int:
    """Like ``_add_texts`` for what becomes text."""
    text = np.empty(TIMESTAMP_ROOM, np.uint8)
    is_date = column[KIND] == DATE
    days, times = int32_view(column[VALUES], 1), int64_view(column[VALUES], 1)
    valid, never_null = uint8_view(column[VALID], 1), column[VALID] == 0
    for i in range(begin, len(rows)):
        row = rows[i]
        if not (never_null or valid[row] != 0):
            continue
        if not has_room(state, TEXT_ROOM + TIMESTAMP_ROOM):
            return i
        end = put_date(text, 0, int(days[row])) if is_date else put_timestamp(text, 0, times[row])
        if end > 0:
            out[i] = add_text(state, text.ctypes.data, end)
    return len(rows)


@njit(nogil=True, cache=True)
def _tag(kind: int, bits: Any) -> int:
    if kind == INT:
        return UINT if bits >= 0 else SINT
    return DOUBLE if kind == FLOAT else TRUTH


@njit(nogil=True, cache=True)
def _add_numbers(
    column: NDArray[np.int64],
    rows: NDArray[np.int32],
    begin: int,
    state: NDArray[np.int64],
    out: NDArray[np.int32],
) -> int:
    """Like ``_add_texts`` for numbers and truth values."""
    kind, address = column[KIND], column[VALUES]
    ints, floats, bools = int64_view(address, 1), float64_view(address, 1), uint8_view(address, 1)
    valid, never_null = uint8_view(column[VALID], 1), column[VALID] == 0
    mask, shift = state[SLOT_MASK], state[SLOT_SHIFT]
    slots, keys = int32_view(state[SLOTS], 1), uint64_view(state[KEYS], 1)
    tags = uint8_view(state[TAGS], 1)
    for i in range(begin, len(rows)):
        row = rows[i]
        if not (never_null or valid[row] != 0) or (kind == FLOAT and not np.isfinite(floats[row])):
            continue
        bits = np.int64(bools[row] != 0) if kind == BOOL else ints[row]
        tag, key = _tag(kind, bits), np.uint64(bits)
        slot = first_slot(tag, key, shift)
        number = slots[slot]
        while number != NO_VALUE and (keys[number] != key or tags[number] != tag):
            slot = (slot + 1) & mask
            number = slots[slot]
        if number == NO_VALUE:
            if not has_room(state, NUMBER_ROOM):
                return i
            number = add_number(state, slot, tag, bits)
        out[i] = number
    return len(rows)


@njit(nogil=True, cache=True)
def _room(column: NDArray[np.int64], row: int) -> int:
    """Bytes that the value of a row needs at most."""
    if column[KIND] not in (STRING, JSON):
        return TEXT_ROOM + TIMESTAMP_ROOM
    code = int32_view(column[VALUES], 1)[row]
    offsets = int32_view(column[OFFSETS], 1)
    return int(offsets[code + 1] - offsets[code]) + TEXT_ROOM


@njit(nogil=True, cache=True)
def _add_column(
    column: NDArray[np.int64],
    rows: NDArray[np.int32],
    values: Values,
    state: NDArray[np.int64],
    out: NDArray[np.int32],
) -> Values:
    """Take in the values of some rows of one table."""
    kind, entries, i = column[KIND], column[ENTRIES], 0
    # A table of codes is cleared for every tile: not worth it for a large dictionary.
    known = np.full(entries if entries <= 32 * len(rows) + 1024 else 0, NO_VALUE, np.int32)
    while i < len(rows):
        if kind in (STRING, JSON):
            i = _add_texts(column, rows, i, state, known, out)
        elif kind in (TIMESTAMP, DATE):
            i = _add_times(column, rows, i, state, out)
        else:
            i = _add_numbers(column, rows, i, state, out)
        if i < len(rows):
            values = grown(values, state, _room(column, rows[i]))
    return values


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
    (values as they stand in the layer, how many bytes they are, numbers of values per column and
    feature: (c, f), NO_VALUE for nulls).
    """
    n, n_columns = len(positions), columns.shape[1]
    values, state = empty_values(3 * n), np.zeros(STATE_LENGTH, np.int64)
    note(values, state)
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
            values = _add_column(columns[t, c], rows[first:last], values, state, out[c, first:last])
            first = last
    return values.encoded, used_bytes(state), out
