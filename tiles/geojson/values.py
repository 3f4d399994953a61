"""Values of columns as JSON, in kernels."""

from __future__ import annotations

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
    VALID,
    VALUES,
    int32_view,
    int64_view,
    uint8_view,
)
from tiles.eights import is_plain, load, store
from tiles.geojson.numbers import FLOAT_ROOM, put_float, put_int
from tiles.text import put_date, put_timestamp

_QUOTE, _BACKSLASH = 34, 92
_ESCAPE_ROOM = 6


@njit(nogil=True, cache=True)
def _hexadecimal(value: int) -> int:
    return 48 + value if value < 10 else 87 + value


@njit(nogil=True, cache=True, forceinline=True)
def _put_escaped(out: NDArray[np.uint8], at: int, byte: int) -> int:
    """Write one byte of a string."""
    if byte >= 32 and byte != _QUOTE and byte != _BACKSLASH:
        out[at] = byte
        return at + 1
    out[at] = _BACKSLASH
    if byte >= 32:
        out[at + 1] = byte
        return at + 2
    out[at + 1], out[at + 2], out[at + 3] = 117, 48, 48
    out[at + 4], out[at + 5] = _hexadecimal(byte >> 4), _hexadecimal(byte & 15)
    return at + _ESCAPE_ROOM


@njit(nogil=True, cache=True)
def put_string(out: NDArray[np.uint8], at: int, text: NDArray[np.uint8], first: int, last: int) -> int:
    """Write the UTF-8 ``text[first:last]`` as a JSON string, of at most 6 bytes for each and 2."""
    out[at] = _QUOTE
    at += 1
    i = first
    while i < last:
        # by eights as far as nothing has to be escaped, and never a byte of the text that follows
        if i + 8 <= last:
            word = load(text, i)
            if is_plain(word):
                store(out, at, word)
                i, at = i + 8, at + 8
                continue
        at = _put_escaped(out, at, text[i])
        i += 1
    out[at] = _QUOTE
    return at + 1


@njit(nogil=True, cache=True, forceinline=True)
def _is_null(column: NDArray[np.int64], row: int) -> bool:
    if column[VALID] != 0 and uint8_view(column[VALID], 1)[row] == 0:
        return True
    if column[KIND] in (STRING, JSON):
        code = int32_view(column[VALUES], 1)[row]
        return code < 0 or code >= column[ENTRIES]
    return False


@njit(nogil=True, cache=True, forceinline=True)
def _text_bounds(column: NDArray[np.int64], row: int) -> tuple[int, int]:
    code = int32_view(column[VALUES], 1)[row]
    offsets = int32_view(column[OFFSETS], 2)
    return offsets[code], offsets[code + 1]


@njit(nogil=True, cache=True)
def put_text(out: NDArray[np.uint8], at: int, column: NDArray[np.int64], row: int) -> int:
    """Write a string, or a JSON text as it is; nothing for an empty JSON text."""
    first, last = _text_bounds(column, row)
    text = uint8_view(column[BYTES], 1)
    if column[KIND] == STRING:
        return put_string(out, at, text, first, last)
    for k in range(first, last):
        out[at + k - first] = text[k]
    return at + last - first


@njit(nogil=True, cache=True)
def _put_time(out: NDArray[np.uint8], at: int, column: NDArray[np.int64], row: int) -> int:
    """Write a date or a time as a string; nothing where its year has not four digits."""
    if column[KIND] == DATE:
        end = put_date(out, at + 1, int(int32_view(column[VALUES], 1)[row]))
    else:
        end = put_timestamp(out, at + 1, int64_view(column[VALUES], 1)[row])
    if end == at + 1:
        return at
    out[at], out[end] = _QUOTE, _QUOTE
    return end + 1


@njit(nogil=True, cache=True, forceinline=True)
def _put_bool(out: NDArray[np.uint8], at: int, value: int) -> int:
    if value != 0:
        out[at], out[at + 1], out[at + 2], out[at + 3] = 116, 114, 117, 101
        return at + 4
    out[at], out[at + 1], out[at + 2], out[at + 3], out[at + 4] = 102, 97, 108, 115, 101
    return at + 5


@njit(nogil=True, cache=True, forceinline=True)
def _put_number(
    out: NDArray[np.uint8], at: int, column: NDArray[np.int64], row: int, digits: NDArray[np.uint8]
) -> int:
    """Write a number or a truth value; nothing for one that is not finite."""
    if column[KIND] == BOOL:
        return _put_bool(out, at, int(uint8_view(column[VALUES], 1)[row]))
    bits = int64_view(column[VALUES], 1)[row]
    if column[KIND] == INT:
        return put_int(out, at, bits)
    if (bits >> 52) & 0x7FF == 0x7FF:
        return at
    return put_float(out, at, bits, digits)


@njit(nogil=True, cache=True, forceinline=True)
def put_value(
    out: NDArray[np.uint8], at: int, column: NDArray[np.int64], row: int, digits: NDArray[np.uint8]
) -> int:
    """Write one value; nothing where JSON has none for it."""
    kind = column[KIND]
    if _is_null(column, row):
        return at
    if kind in (STRING, JSON):
        return put_text(out, at, column, row)
    if kind in (INT, FLOAT, BOOL):
        return _put_number(out, at, column, row, digits)
    return _put_time(out, at, column, row)


@njit(nogil=True, cache=True)
def values_room(columns: NDArray[np.int64], row: int) -> int:
    """Bytes that the values of a row take at most."""
    room = 0
    for c in range(columns.shape[0]):
        room += FLOAT_ROOM
        if columns[c, KIND] in (STRING, JSON) and not _is_null(columns[c], row):
            first, last = _text_bounds(columns[c], row)
            room += _ESCAPE_ROOM * (last - first)
    return room
