"""Rows as GeoJSON features (RFC 7946)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import (
    AXES,
    ID,
    LON_LAT_Z,
    PART_STARTS,
    PARTS,
    RING_STARTS,
    RINGS,
    ROWS,
    TYPES,
    VERTEX_STARTS,
    VERTICES,
    borrowed,
    int32_view,
    lon_lat_z_view,
    source,
    uint8_view,
)
from tiles.arrays import Rows
from tiles.buffers import with_room
from tiles.eights import SLACK, put_padded
from tiles.geojson.geometry import (
    LARGEST,
    LARGEST_M,
    Precision,
    Shape,
    geometry_room,
    put_geometry,
)
from tiles.geojson.values import put_text, put_value, values_room

MAX_DECIMALS, MAX_DECIMALS_M = 9, 6

_BYTES_PER_FEATURE = 512


class _Words(NamedTuple):
    """Texts that stand in every feature, one after the other: as many as properties and five more.

    The start of a feature, what stands between identity and geometry, between geometry and
    properties, the names of the properties, the end, and ``null``.
    """

    text: NDArray[np.uint8]
    starts: NDArray[np.int64]


@lru_cache(maxsize=1024)
def _words(columns: tuple[str, ...]) -> _Words:
    names = [json.dumps(name, ensure_ascii=False) + ":" for name in columns]
    words = ['{"type":"Feature","id":', ',"geometry":', ',"properties":{', "}},", "null"]
    words += [name if i == 0 else "," + name for i, name in enumerate(names)]
    encoded = [word.encode() for word in words]
    starts = np.cumsum([0, *(len(word) for word in encoded)]).astype(np.int64)
    return _Words(np.frombuffer(b"".join(encoded) + bytes(SLACK), dtype=np.uint8).copy(), starts)


_FEATURE, _GEOMETRY, _PROPERTIES, _END, _NULL, _NAMES = range(6)


@njit(nogil=True, cache=True, forceinline=True)
def _put_word(out: NDArray[np.uint8], at: int, words: _Words, word: int) -> int:
    return put_padded(out, at, words.text, words.starts[word], words.starts[word + 1])


@njit(nogil=True, cache=True)
def _put_feature(
    out: NDArray[np.uint8],
    at: int,
    shape: Shape,
    columns: NDArray[np.int64],
    row: int,
    words: _Words,
    precision: Precision,
    digits: NDArray[np.uint8],
) -> int:
    """Write a feature and a comma. The first column is the identity."""
    at = _put_word(out, at, words, _FEATURE)
    at = put_text(out, at, columns[0], row)
    at = _put_word(out, at, words, _GEOMETRY)
    at = put_geometry(out, at, shape, row, precision)
    at = _put_word(out, at, words, _PROPERTIES)
    for c in range(1, columns.shape[0]):
        at = _put_word(out, at, words, _NAMES + c - 1)
        begin = at
        at = put_value(out, at, columns[c], row, digits)
        if at == begin:
            at = _put_word(out, at, words, _NULL)
    return _put_word(out, at, words, _END)


@njit(nogil=True, cache=True)
def _put_features(
    out: NDArray[np.uint8],
    place: NDArray[np.int64],
    shape: Shape,
    columns: NDArray[np.int64],
    numbers: NDArray[np.int32],
    last: int,
    words: _Words,
    precision: Precision,
    digits: NDArray[np.uint8],
) -> int:
    """Write rows until one has no room; the room it needs, 0 when all are written.

    ``place`` is the next row and the next byte.
    """
    for i in range(place[0], last):
        row = numbers[i]
        need = len(words.text) + geometry_room(shape, row) + values_room(columns, row)
        # `null` is as long as a word may get beyond the words' own length
        need += 4 * columns.shape[0]
        place[0] = i
        if place[1] + need > len(out):
            return need
        place[1] = _put_feature(out, place[1], shape, columns, row, words, precision, digits)
    return 0


@njit(nogil=True, cache=True)
def _shape(at: NDArray[np.int64]) -> Shape:
    return Shape(
        uint8_view(at[TYPES], at[ROWS]),
        int32_view(at[PART_STARTS], at[ROWS] + 1),
        int32_view(at[RING_STARTS], at[PARTS] + 1),
        int32_view(at[VERTEX_STARTS], at[RINGS] + 1),
        lon_lat_z_view(at[LON_LAT_Z], at[VERTICES], at[AXES]),
    )


@njit(nogil=True, cache=True)
def write_rows(
    tables: NDArray[np.int64],
    columns: NDArray[np.int64],
    starts: NDArray[np.int64],
    numbers: NDArray[np.int32],
    words: _Words,
    precision: Precision,
) -> Any:
    """Write the chosen rows, each followed by a comma.

    Parameters
    ----------
    tables, columns, starts, numbers
        As in ``addresses.Source``; the first column is the identity.

    Returns
    -------
    (bytes, how many of them are used).
    """
    out = np.empty(_BYTES_PER_FEATURE * len(numbers) + _BYTES_PER_FEATURE, np.uint8)
    place, digits = np.zeros(2, np.int64), np.empty(32, np.uint8)
    lent = _Words(borrowed(words.text), borrowed(words.starts))
    for t in range(tables.shape[0]):
        shape, table_columns = _shape(tables[t]), borrowed(columns[t])
        place[0] = starts[t]
        need = 1
        while need != 0:
            need = _put_features(
                borrowed(out),
                borrowed(place),
                shape,
                table_columns,
                borrowed(numbers),
                starts[t + 1],
                lent,
                precision,
                borrowed(digits),
            )
            out = with_room(out, place[1], need)
    return out, place[1]


def write_features(
    rows: Rows, *, columns: Sequence[str], decimals: int = 7, metres: bool = False
) -> bytes:
    """Write rows as GeoJSON features with commas between them.

    Parameters
    ----------
    rows
        In the order in which they are to stand.
    columns
        Names of the properties to write. The identity is the feature's ``id`` and not among them,
        whether named here or not. What has no value in JSON is null: nulls, NaN, infinities, times
        outside the years 0 to 9999.
    decimals
        Of the first two coordinates, 0 to 9 (0 to 6 of metres); trailing zeros are left out. Heights
        have three, and are written where every vertex of the feature has one.
    metres
        The first two coordinates are lengths in a projected system, and not degrees.

    Returns
    -------
    UTF-8. Polygons follow the right-hand rule; a feature without geometry, or with a position that
    is not finite, has a null geometry.

    Raises
    ------
    ValueError
        ``decimals`` is out of range.
    KeyError
        There is no such column.
    """
    most = MAX_DECIMALS_M if metres else MAX_DECIMALS
    if not 0 <= decimals <= most:
        raise ValueError(f"decimals must be 0 to {most}, not {decimals}")
    names = tuple(name for name in columns if name != ID)
    read = source(rows, (ID, *names))
    out, length = write_rows(
        read.tables,
        read.columns,
        read.starts,
        read.numbers,
        _words(names),
        Precision(decimals, 10.0**decimals, LARGEST_M if metres else LARGEST),
    )
    return bytes(out[: max(length - 1, 0)].tobytes())
