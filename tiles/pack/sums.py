"""Sums over hashes of what rows say: column by column, so that any choice of rows and columns has one.

Each value of each row gives a 64-bit term over the row's id, the column's name and the value; a null
gives none, and the geometry counts as a column of its own (``GEOMETRY``). What rows say is summed up by
two sums modulo 2^64, of the terms and of a second mix of them. Sums of columns and of rows simply add
up: a part keeps the sums of all its rows, and who leaves rows out subtracts theirs. Order, files and
dictionaries make no difference. The mixing step is the finaliser of SplitMix64 (Steele, Lea, Flood,
"Fast splittable pseudorandom number generators", 2014); text is FNV-1a before it is mixed. Sums tell
versions apart; they are no signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.arrays import Column, FeatureTable, Kind

GEOMETRY = ""
"""The name under which a geometry is summed up."""

Hashes = NDArray[np.uint64]
Sums = tuple[int, int]

_FNV_START, _FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


@njit(nogil=True, cache=True)
def _mix(value: np.uint64) -> np.uint64:
    value = np.uint64(value + np.uint64(0x9E3779B97F4A7C15))
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(nogil=True, cache=True)
def _terms(id_hash: Hashes, bits: Hashes, valid: NDArray[np.uint8], salt: np.uint64) -> Hashes:
    """Term of each row (n,), 0 where its value is null; ``valid`` without items: none is."""
    out = np.zeros(bits.shape[0], np.uint64)
    for i in range(bits.shape[0]):
        if valid.shape[0] == 0 or valid[i]:
            out[i] = _mix(_mix(id_hash[i]) ^ _mix(bits[i] ^ salt))
    return out


@njit(nogil=True, cache=True)
def _both_sums(terms: Hashes) -> tuple[np.uint64, np.uint64]:
    first, second = np.uint64(0), np.uint64(0)
    for i in range(terms.shape[0]):
        if terms[i]:
            first += terms[i]
            second += _mix(terms[i] ^ np.uint64(0xD1B54A32D192ED03))
    return first, second


@njit(nogil=True, cache=True)
def _text_hashes(
    starts: NDArray[np.int32], data: NDArray[np.uint8], codes: NDArray[np.int32]
) -> Hashes:
    out = np.empty(codes.shape[0], np.uint64)
    for i in range(codes.shape[0]):
        value = _FNV_START
        for at in range(starts[codes[i]], starts[codes[i] + 1]):
            value = (value ^ np.uint64(data[at])) * _FNV_PRIME
        out[i] = value
    return out


@njit(nogil=True, cache=True)
def _geometry_hashes(
    types: NDArray[np.uint8],
    part_starts: NDArray[np.int32],
    ring_starts: NDArray[np.int32],
    vertex_starts: NDArray[np.int32],
    bits: Hashes,
    axes: int,
    rows: NDArray[np.int32],
) -> Hashes:
    """Hash of type, structure and coordinates; ``bits`` are those of (v, axes) doubles, flat."""
    out = np.empty(rows.shape[0], np.uint64)
    infinity = np.uint64(0x7FF0000000000000)
    for i in range(rows.shape[0]):
        row = rows[i]
        value = _mix(np.uint64(types[row]))
        for part in range(part_starts[row], part_starts[row + 1]):
            value = _mix(value ^ np.uint64(1))
            for ring in range(ring_starts[part], ring_starts[part + 1]):
                value = _mix(value ^ np.uint64(2))
                for at in range(axes * vertex_starts[ring], axes * vertex_starts[ring + 1], axes):
                    value = _mix(_mix(value ^ bits[at]) ^ bits[at + 1])
                    # an unknown height is the same whether or not there is room for it
                    if axes == 3 and (bits[at + 2] & np.uint64(0x7FFFFFFFFFFFFFFF)) <= infinity:
                        value = _mix(~value ^ bits[at + 2])
        out[i] = value
    return out


def column_terms(table: FeatureTable, name: str, rows: NDArray[np.int32], ids: Hashes) -> Hashes:
    """Terms (n,) of one column, or of ``GEOMETRY``, for rows with these id hashes; 0 for nulls."""
    if name == GEOMETRY:
        bits, valid = _shapes(table, rows), None
    else:
        column = table.column(name)
        valid = None if column.valid is None else column.valid[rows]
        if valid is not None and not valid.any():
            return np.zeros(len(rows), np.uint64)
        bits = _bits(column, rows)
    said = np.zeros(0, np.uint8) if valid is None else valid
    terms: Hashes = _terms(ids, bits, said, _salt(name))
    return terms


def row_hashes(table: FeatureTable, names: Iterable[str], rows: NDArray[np.int32]) -> Hashes:
    """One hash per row (n,) over its id, geometry and these columns."""
    ids = table.id_hash[rows]
    found = column_terms(table, GEOMETRY, rows, ids)
    for name in names:
        found += column_terms(table, name, rows, ids)
    return found


def sums_of(table: FeatureTable, names: Iterable[str], rows: NDArray[np.int32]) -> dict[str, Sums]:
    """Sums of the geometry and of each of these columns over the rows (n,)."""
    found, ids = {}, table.id_hash[rows]
    for name in (GEOMETRY, *names):
        first, second = _both_sums(column_terms(table, name, rows, ids))
        found[name] = int(first), int(second)
    return found


def _salt(name: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little"))


def _bits(column: Column, rows: NDArray[np.int32]) -> Hashes:
    if column.kind in (Kind.STRING, Kind.JSON):
        return _texts(column, column.values[rows].astype(np.int32, copy=False))
    if column.kind is Kind.FLOAT:
        return column.values[rows].astype(np.float64, copy=False).view(np.uint64)
    return column.values[rows].astype(np.int64).view(np.uint64)


def _texts(column: Column, codes: NDArray[np.int32]) -> Hashes:
    starts, data = column.dictionary_offsets, column.dictionary_bytes
    if starts is None or data is None or len(starts) < 2:
        return np.zeros(len(codes), np.uint64)
    words = len(starts) - 1
    if words > len(codes):
        hashes: Hashes = _text_hashes(starts, data, codes)
        return hashes
    every: Hashes = _text_hashes(starts, data, np.arange(words, dtype=np.int32))
    return every[codes]


def _shapes(table: FeatureTable, rows: NDArray[np.int32]) -> Hashes:
    shape = table.geometries
    hashes: Hashes = _geometry_hashes(
        shape.types,
        shape.part_starts,
        shape.ring_starts,
        shape.vertex_starts,
        np.ascontiguousarray(shape.lon_lat_z).reshape(-1).view(np.uint64),
        shape.lon_lat_z.shape[1],
        rows,
    )
    return hashes
