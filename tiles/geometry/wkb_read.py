"""Well-known binary into the flat arrays, without an object for each geometry.

Reads what is common: little endian, heights as ISO 13249-3 codes or as the flag of EWKB, nothing
empty, no SRID, no measures. Anything else is left to the caller.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.arrays import Geometries

_POINT = 1
_POLYGON = 3
_FIRST_MULTI = 4
_ISO_Z = 1000
_EWKB_Z = 1 << 31
_MAX_COUNT = 2**31 - 1

# what is counted while reading
_PARTS, _RINGS, _VERTICES, _AXES = 0, 1, 2, 3
_UNUSUAL = -1


@njit(nogil=True, cache=True)
def _count(data: NDArray[np.uint8], at: int, end: int) -> int:
    """The unsigned 32-bit number at a place; 0, which stands for unusual, beyond the end."""
    if at + 4 > end:
        return 0
    value = 0
    for byte in range(4):
        value |= int(data[at + byte]) << (8 * byte)
    return value


@njit(nogil=True, cache=True)
def _head(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Geometry type and dimensions of the WKB at a place; type 0 where it is unusual."""
    if at + 5 > end or data[at] != 1:
        return 0, 0
    code = _count(data, at + 1, end)
    if 1 <= code <= 6:
        return code, 2
    if _ISO_Z + 1 <= code <= _ISO_Z + 6:
        return code - _ISO_Z, 3
    if _EWKB_Z + 1 <= code <= _EWKB_Z + 6:
        return code - _EWKB_Z, 3
    return 0, 0


@njit(nogil=True, cache=True)
def _read_ring(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    kind: int,
    dimensions: int,
    counts: NDArray[np.int64],
    fill: bool,
    vertex_starts: NDArray[np.int32],
    lon_lat_z: NDArray[np.float64],
) -> int:
    """Read one run of vertices; the place after it."""
    vertices = 1
    if kind != _POINT:
        vertices = _count(data, at, end)
        at += 4
    if vertices == 0 or vertices > (end - at) // (8 * dimensions):
        return _UNUSUAL
    bits = np.full(1, np.nan)
    octets = bits.view(np.uint8)
    for v in range(counts[_VERTICES], counts[_VERTICES] + vertices):
        for axis in range(dimensions):
            for byte in range(8):
                octets[byte] = data[at + byte]
            at += 8
            if axis < 2 and np.isnan(bits[0]):
                return _UNUSUAL
            if fill:
                lon_lat_z[v, axis] = bits[0]
    counts[_VERTICES] += vertices
    counts[_RINGS] += 1
    counts[_AXES] = max(counts[_AXES], dimensions)
    if fill:
        vertex_starts[counts[_RINGS]] = counts[_VERTICES]
    return at


@njit(nogil=True, cache=True)
def _read_geometry(
    data: NDArray[np.uint8],
    at: int,
    end: int,
    counts: NDArray[np.int64],
    fill: bool,
    ring_starts: NDArray[np.int32],
    vertex_starts: NDArray[np.int32],
    lon_lat_z: NDArray[np.float64],
) -> int:
    """Read one geometry with all its parts; its type."""
    kind, dimensions = _head(data, at, end)
    parts, single = 1, kind
    if kind >= _FIRST_MULTI:
        parts, single = _count(data, at + 5, end), kind - 3
        at += 9
    if kind == 0 or parts == 0:
        return _UNUSUAL
    for _ in range(parts):
        inner, dimensions = _head(data, at, end)
        if inner != single:
            return _UNUSUAL
        at += 5
        rings = 1
        if single == _POLYGON:
            rings = _count(data, at, end)
            at += 4
        if rings == 0:
            return _UNUSUAL
        for _ in range(rings):
            at = _read_ring(data, at, end, single, dimensions, counts, fill, vertex_starts, lon_lat_z)
            if at == _UNUSUAL:
                return _UNUSUAL
        counts[_PARTS] += 1
        if fill:
            ring_starts[counts[_PARTS]] = counts[_RINGS]
    return kind if at == end else _UNUSUAL


@njit(nogil=True, cache=True)
def _read(
    offsets: NDArray[np.int64],
    data: NDArray[np.uint8],
    fill: bool,
    types: NDArray[np.uint8],
    part_starts: NDArray[np.int32],
    ring_starts: NDArray[np.int32],
    vertex_starts: NDArray[np.int32],
    lon_lat_z: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Count parts, rings, vertices and axes, and with ``fill`` write them; empty where unusual."""
    counts = np.zeros(4, dtype=np.int64)
    counts[_AXES] = 2
    for i in range(offsets.shape[0] - 1):
        kind = 0
        if offsets[i] < offsets[i + 1]:
            kind = _read_geometry(
                data, offsets[i], offsets[i + 1], counts, fill, ring_starts, vertex_starts, lon_lat_z
            )
            if kind == _UNUSUAL:
                return counts[:0]
        if fill:
            types[i] = kind
            part_starts[i + 1] = counts[_PARTS]
    return counts


def read_wkb(offsets: NDArray[np.int64], data: NDArray[np.uint8]) -> Geometries | None:
    """Flat arrays of WKB given by offsets (n + 1,) and bytes; no bytes: no geometry.

    Positions have a third axis where any geometry has heights.
    None where anything unusual is among them, or a geometry is cut short.
    """
    counts = _read(offsets, data, False, *_arrays(0, 0, 0, 0, 2))
    if not len(counts) or counts.max() > _MAX_COUNT:
        return None
    arrays = _arrays(len(offsets) - 1, *(int(count) for count in counts))
    _read(offsets, data, True, *arrays)
    return Geometries(*arrays)


def _arrays(
    rows: int, parts: int, rings: int, vertices: int, axes: int
) -> tuple[
    NDArray[np.uint8], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]
]:
    return (
        np.zeros(rows, dtype=np.uint8),
        np.zeros(rows + 1, dtype=np.int32),
        np.zeros(parts + 1, dtype=np.int32),
        np.zeros(rings + 1, dtype=np.int32),
        np.empty((vertices, 2)) if axes == 2 else np.full((vertices, 3), np.nan),
    )
