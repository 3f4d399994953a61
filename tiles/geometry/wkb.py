"""Well-known binary straight from the flat arrays (ISO 13249-3 codes, little endian)."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.arrays import Geometries

_POLYGON = 3
_FIRST_MULTI = 4
_Z_CODES = 1000  # ISO: a type with heights is the type plus 1000


@njit(nogil=True, cache=True)
def _put_u32(out: NDArray[np.uint8], at: int, value: int) -> int:
    for byte in range(4):
        out[at + byte] = (value >> (8 * byte)) & 255
    return at + 4


@njit(nogil=True, cache=True)
def _has_heights(lon_lat_z: NDArray[np.float64], first: int, last: int) -> bool:
    known = 0
    if lon_lat_z.shape[1] < 3:
        return False
    for v in range(first, last):
        known += not np.isnan(lon_lat_z[v, 2])
    return known > 0


@njit(nogil=True, cache=True)
def _sizes(
    types: NDArray[np.uint8],
    part_starts: NDArray[np.int32],
    ring_starts: NDArray[np.int32],
    vertex_starts: NDArray[np.int32],
    lon_lat_z: NDArray[np.float64],
    rows: NDArray[np.int32],
    ends: NDArray[np.int64],
    dimensions: NDArray[np.uint8],
) -> None:
    total = 0
    for i in range(rows.shape[0]):
        kind = types[rows[i]]
        if kind > 0:
            first_part, last_part = part_starts[rows[i]], part_starts[rows[i] + 1]
            first_ring, last_ring = ring_starts[first_part], ring_starts[last_part]
            first, last = vertex_starts[first_ring], vertex_starts[last_ring]
            dimensions[i] = 3 if _has_heights(lon_lat_z, first, last) else 2
            single = kind - 3 if kind >= _FIRST_MULTI else kind
            if kind >= _FIRST_MULTI:
                total += 9
            total += 5 * (last_part - first_part)
            if single == 2:
                total += 4 * (last_part - first_part)
            elif single == _POLYGON:
                total += 4 * (last_part - first_part) + 4 * (last_ring - first_ring)
            total += 8 * dimensions[i] * (last - first)
        ends[i + 1] = total


@njit(nogil=True, cache=True)
def _write(
    types: NDArray[np.uint8],
    part_starts: NDArray[np.int32],
    ring_starts: NDArray[np.int32],
    vertex_starts: NDArray[np.int32],
    lon_lat_z: NDArray[np.float64],
    rows: NDArray[np.int32],
    dimensions: NDArray[np.uint8],
    out: NDArray[np.uint8],
) -> None:
    bits = np.empty(1, dtype=np.float64)
    octets = bits.view(np.uint8)
    at = 0
    for i in range(rows.shape[0]):
        kind = types[rows[i]]
        if kind == 0:
            continue
        above = _Z_CODES if dimensions[i] == 3 else 0
        first_part, last_part = part_starts[rows[i]], part_starts[rows[i] + 1]
        single = kind
        if kind >= _FIRST_MULTI:
            single = kind - 3
            out[at] = 1
            at = _put_u32(out, at + 1, kind + above)
            at = _put_u32(out, at, last_part - first_part)
        for part in range(first_part, last_part):
            out[at] = 1
            at = _put_u32(out, at + 1, single + above)
            if single == _POLYGON:
                at = _put_u32(out, at, ring_starts[part + 1] - ring_starts[part])
            for ring in range(ring_starts[part], ring_starts[part + 1]):
                first, last = vertex_starts[ring], vertex_starts[ring + 1]
                if single != 1:
                    at = _put_u32(out, at, last - first)
                for v in range(first, last):
                    for axis in range(dimensions[i]):
                        bits[0] = lon_lat_z[v, axis]
                        for byte in range(8):
                            out[at + byte] = octets[byte]
                        at += 8


def write_wkb(
    geometries: Geometries, rows: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """WKB of the chosen rows: offsets (k + 1,) and bytes; a row without geometry has no bytes.

    A geometry is written with heights if any of its vertices has one.
    """
    arrays = (
        geometries.types,
        geometries.part_starts,
        geometries.ring_starts,
        geometries.vertex_starts,
        geometries.lon_lat_z,
        rows,
    )
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    dimensions = np.zeros(len(rows), dtype=np.uint8)
    _sizes(*arrays, offsets, dimensions)
    out = np.empty(int(offsets[-1]), dtype=np.uint8)
    _write(*arrays, dimensions, out)
    return offsets, out
