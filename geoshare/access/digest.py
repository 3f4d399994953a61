"""A digest of what a view shows, whatever the order and the files its rows lie in.

Each visible row gets a 64-bit hash over its id, its visible values and its geometry; the sum of these,
and the sum of a second mix of them, are the digest. So it changes when a visible value changes, and
only then, and a part adds to it what its own rows add. The mixing step is the finaliser of SplitMix64
(Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014); text is FNV-1a before it
is mixed. It tells versions apart; it is no signature.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.arrays import Column, FeatureTable, Geometries, Kind, Rows

Hashes = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@njit(nogil=True, cache=True)
def _mix(value: np.uint64) -> np.uint64:
    value = np.uint64(value + np.uint64(0x9E3779B97F4A7C15))
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(nogil=True, cache=True)
def _add_bits(hashes: Hashes, bits: Hashes, valid: NDArray[np.uint8], salt: np.uint64) -> None:
    """Mix a value of each row into the row's hash; nulls differ from every value."""
    for i in range(hashes.shape[0]):
        term = _mix(bits[i] ^ salt) if valid[i] else _mix(~salt)
        hashes[i] = _mix(hashes[i] ^ term)


@njit(nogil=True, cache=True)
def _word_hashes(
    starts: NDArray[np.int32], data: NDArray[np.uint8], codes: NDArray[np.int32]
) -> Hashes:
    out = np.empty(codes.shape[0], np.uint64)
    for i in range(codes.shape[0]):
        value = np.uint64(0xCBF29CE484222325)
        for at in range(starts[codes[i]], starts[codes[i] + 1]):
            value = (value ^ np.uint64(data[at])) * np.uint64(0x100000001B3)
        out[i] = value
    return out


@njit(nogil=True, cache=True)
def _geometry_hashes(
    types: NDArray[np.uint8],
    part_starts: NDArray[np.int32],
    ring_starts: NDArray[np.int32],
    vertex_starts: NDArray[np.int32],
    bits: Hashes,
    rows: NDArray[np.int32],
) -> Hashes:
    """Hash of type, structure and coordinates; ``bits`` are those of (v, 3) doubles, flat."""
    out = np.empty(rows.shape[0], np.uint64)
    for i in range(rows.shape[0]):
        row = rows[i]
        value = _mix(np.uint64(types[row]))
        for part in range(part_starts[row], part_starts[row + 1]):
            value = _mix(value ^ np.uint64(1))
            for ring in range(ring_starts[part], ring_starts[part + 1]):
                value = _mix(value ^ np.uint64(2))
                for at in range(3 * vertex_starts[ring], 3 * vertex_starts[ring + 1]):
                    value = _mix(value ^ bits[at])
        out[i] = value
    return out


@njit(nogil=True, cache=True)
def _second_sum(hashes: Hashes) -> np.uint64:
    total = np.uint64(0)
    for i in range(hashes.shape[0]):
        total += _mix(hashes[i] ^ np.uint64(0xD1B54A32D192ED03))
    return total


def rows_digest(rows: Rows) -> tuple[int, int]:
    """Add up, modulo 2^64, two hashes per row over id, columns and geometry."""
    sums = [0, 0]
    for table, numbers in rows.pairs:
        hashes = row_hashes(table, np.ascontiguousarray(numbers, np.int32))
        sums[0] = (sums[0] + int(hashes.sum(dtype=np.uint64))) % 2**64
        sums[1] = (sums[1] + int(_second_sum(hashes))) % 2**64
    return sums[0], sums[1]


def token(*parts: object) -> str:
    """Return an opaque text that differs where any of the parts differs."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()


def row_hashes(table: FeatureTable, rows: NDArray[np.int32]) -> Hashes:
    """One hash per row (n,) over id, columns and geometry."""
    salt = _GOLDEN
    hashes = np.full(len(rows), salt, np.uint64)
    present = np.ones(len(rows), np.uint8)
    _add_bits(hashes, table.id_hash[rows], present, salt)
    _add_bits(hashes, _shapes(table.geometries, rows), present, salt)
    for column in sorted(table.columns, key=lambda item: item.name):
        name = hashlib.blake2b(column.name.encode(), digest_size=8).digest()
        valid = present if column.valid is None else column.valid[rows]
        _add_bits(hashes, _bits(column, rows), valid, salt ^ np.uint64(int.from_bytes(name, "little")))
    return hashes


def _bits(column: Column, rows: NDArray[np.int32]) -> Hashes:
    values = column.values[rows]
    if column.kind in (Kind.STRING, Kind.JSON):
        return _words(column, values.astype(np.int32))
    if column.kind is Kind.FLOAT:
        return values.astype(np.float64).view(np.uint64)
    return values.astype(np.int64).view(np.uint64)


def _words(column: Column, codes: NDArray[np.int32]) -> Hashes:
    starts, data = column.dictionary_offsets, column.dictionary_bytes
    if starts is None or data is None or len(starts) < 2:
        return np.zeros(len(codes), np.uint64)
    hashes: Hashes = _word_hashes(starts, data, codes)
    return hashes


def _shapes(geometries: Geometries, rows: NDArray[np.int32]) -> Hashes:
    bits = np.ascontiguousarray(geometries.lon_lat_z).reshape(-1).view(np.uint64)
    hashes: Hashes = _geometry_hashes(
        geometries.types,
        geometries.part_starts,
        geometries.ring_starts,
        geometries.vertex_starts,
        bits,
        rows,
    )
    return hashes
