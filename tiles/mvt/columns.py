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
)
from tiles.mvt.values import (
    DOUBLE,
    NO_VALUE,
    SINT,
    TEXT_ROOM,
    TRUTH,
    UINT,
    Values,
    add_number,
    add_text,
    borrowed_values,
    empty_values,
    grown,
    has_room,
)
from tiles.text import TIMESTAMP_ROOM, put_date, put_timestamp


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
        if not has_room(values, last - first + TEXT_ROOM):
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
    return grown(values, offsets[code + 1] - offsets[code] + TEXT_ROOM)


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
        i = _add_texts(column, rows, valid, i, borrowed_values(values), known, out)
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
            if not has_room(values, most):
                values = grown(values, most)
            if kind in (STRING, JSON):
                values = _add_all_texts(column, chosen, valid, values, line)
            elif kind in (TIMESTAMP, DATE):
                _add_times(column, chosen, valid, borrowed_values(values), line)
            else:
                _add_numbers(column, chosen, valid, borrowed_values(values), line)
            first = last
    return values, out
