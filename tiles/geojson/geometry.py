"""Geometry as GeoJSON (RFC 7946), in kernels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.eights import SLACK, put_padded
from tiles.geojson.numbers import put_fixed

NUMBER_ROOM = 26
VERTEX_ROOM = 3 * NUMBER_ROOM + 3
GEOMETRY_ROOM = 64
BRACKETS_ROOM = 6

HEIGHT_DECIMALS = 3
_HEIGHT_SCALE = 10.0**HEIGHT_DECIMALS
LARGEST = 1e6
"""Degrees and heights beyond this are no coordinates, and would not fit the fixed-point form."""
LARGEST_M = 5e7
"""Metres to the east and north beyond this are no coordinates."""

_OPEN, _CLOSE, _COMMA = 91, 93, 44

_NAMES = ("", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
_HEADS = [f'{{"type":"{name}","coordinates":'.encode() for name in _NAMES]
_HEAD_BYTES = np.frombuffer(b"".join(_HEADS) + bytes(SLACK), dtype=np.uint8).copy()
_HEAD_STARTS = np.cumsum([0, *(len(head) for head in _HEADS)]).astype(np.int64)
_POLYGON, _MULTIPOINT, _MULTIPOLYGON = 3, 4, 6


class Shape(NamedTuple):
    """The geometry of a table."""

    types: NDArray[np.uint8]
    part_starts: NDArray[np.int32]
    ring_starts: NDArray[np.int32]
    vertex_starts: NDArray[np.int32]
    lon_lat_z: NDArray[np.float64]


class Precision(NamedTuple):
    """Decimals of the first two coordinates; ``scale`` is 10^decimals, ``largest`` bounds them."""

    decimals: int
    scale: float
    largest: float


@njit(nogil=True, cache=True)
def dimensions(lon_lat_z: NDArray[np.float64], first: int, last: int, largest: float) -> int:
    """3 where all vertices have heights, 2 where not, 0 where some position is none."""
    found = lon_lat_z.shape[1]
    for i in range(first, last):
        # written so that NaN fails
        if not (abs(lon_lat_z[i, 0]) <= largest and abs(lon_lat_z[i, 1]) <= largest):
            return 0
        if found == 3 and not abs(lon_lat_z[i, 2]) <= LARGEST:
            found = 2
    return found


@njit(nogil=True, cache=True)
def turns_left(lon_lat_z: NDArray[np.float64], first: int, last: int) -> bool:
    """Whether the closed ring runs anticlockwise."""
    x0, y0, total = lon_lat_z[first, 0], lon_lat_z[first, 1], 0.0
    for i in range(first + 1, last - 1):
        total += (lon_lat_z[i, 0] - x0) * (lon_lat_z[i + 1, 1] - y0)
        total -= (lon_lat_z[i + 1, 0] - x0) * (lon_lat_z[i, 1] - y0)
    return total >= 0.0


@njit(nogil=True, cache=True, forceinline=True)
def _put_vertex(
    out: NDArray[np.uint8],
    at: int,
    lon_lat_z: NDArray[np.float64],
    i: int,
    n_dimensions: int,
    precision: Precision,
) -> int:
    out[at] = _OPEN
    at = put_fixed(out, at + 1, lon_lat_z[i, 0], precision.decimals, precision.scale)
    out[at] = _COMMA
    at = put_fixed(out, at + 1, lon_lat_z[i, 1], precision.decimals, precision.scale)
    if n_dimensions == 3:
        out[at] = _COMMA
        at = put_fixed(out, at + 1, lon_lat_z[i, 2], HEIGHT_DECIMALS, _HEIGHT_SCALE)
    out[at] = _CLOSE
    return at + 1


@njit(nogil=True, cache=True, forceinline=True)
def _put_ring(
    out: NDArray[np.uint8],
    at: int,
    lon_lat_z: NDArray[np.float64],
    first: int,
    last: int,
    step: int,
    n_dimensions: int,
    precision: Precision,
) -> int:
    """Write the vertices ``first:last``, from the last one where ``step`` is -1."""
    out[at] = _OPEN
    at += 1
    for k in range(last - first):
        i = first + k if step > 0 else last - 1 - k
        at = _put_vertex(out, at, lon_lat_z, i, n_dimensions, precision)
        out[at] = _COMMA
        at += 1
    # over the last comma
    out[at - 1] = _CLOSE
    return at


@njit(nogil=True, cache=True)
def _put_rings(
    out: NDArray[np.uint8],
    at: int,
    shape: Shape,
    part: int,
    n_dimensions: int,
    precision: Precision,
) -> int:
    """Write the rings of a polygon, the exterior anticlockwise and the holes clockwise."""
    first_ring = shape.ring_starts[part]
    out[at] = _OPEN
    at += 1
    for ring in range(first_ring, shape.ring_starts[part + 1]):
        first, last = shape.vertex_starts[ring], shape.vertex_starts[ring + 1]
        right_way = turns_left(shape.lon_lat_z, first, last) == (ring == first_ring)
        step = 1 if right_way else -1
        at = _put_ring(out, at, shape.lon_lat_z, first, last, step, n_dimensions, precision)
        out[at] = _COMMA
        at += 1
    out[at - 1] = _CLOSE
    return at


@njit(nogil=True, cache=True, forceinline=True)
def _put_part(
    out: NDArray[np.uint8],
    at: int,
    shape: Shape,
    kind: int,
    part: int,
    n_dimensions: int,
    precision: Precision,
) -> int:
    """Write the coordinates of one point, line or polygon."""
    if kind in (_POLYGON, _MULTIPOLYGON):
        return _put_rings(out, at, shape, part, n_dimensions, precision)
    ring = shape.ring_starts[part]
    first, last = shape.vertex_starts[ring], shape.vertex_starts[ring + 1]
    if kind in (1, _MULTIPOINT):
        return _put_vertex(out, at, shape.lon_lat_z, first, n_dimensions, precision)
    return _put_ring(out, at, shape.lon_lat_z, first, last, 1, n_dimensions, precision)


@njit(nogil=True, cache=True)
def vertices_of(shape: Shape, row: int) -> tuple[int, int]:
    """First and last + 1 of the vertices of a feature."""
    first, last = shape.part_starts[row], shape.part_starts[row + 1]
    starts = shape.vertex_starts
    return starts[shape.ring_starts[first]], starts[shape.ring_starts[last]]


@njit(nogil=True, cache=True)
def geometry_room(shape: Shape, row: int) -> int:
    """Bytes that the geometry of a feature takes at most."""
    first, last = vertices_of(shape, row)
    first_part, last_part = shape.part_starts[row], shape.part_starts[row + 1]
    rings = shape.ring_starts[last_part] - shape.ring_starts[first_part]
    brackets = BRACKETS_ROOM * (rings + last_part - first_part)
    return GEOMETRY_ROOM + VERTEX_ROOM * (last - first) + brackets


@njit(nogil=True, cache=True)
def put_geometry(out: NDArray[np.uint8], at: int, shape: Shape, row: int, precision: Precision) -> int:
    """Write the geometry of a feature, ``null`` where it has none or a position is not finite.

    ``out`` has ``geometry_room`` left.
    """
    kind = int(shape.types[row])
    first, last = vertices_of(shape, row)
    n_dimensions = dimensions(shape.lon_lat_z, first, last, precision.largest)
    if kind == 0 or first == last or n_dimensions == 0:
        out[at], out[at + 1], out[at + 2], out[at + 3] = 110, 117, 108, 108
        return at + 4
    at = put_padded(out, at, _HEAD_BYTES, _HEAD_STARTS[kind], _HEAD_STARTS[kind + 1])
    part, last_part = shape.part_starts[row], shape.part_starts[row + 1]
    if kind < _MULTIPOINT:
        at = _put_part(out, at, shape, kind, part, n_dimensions, precision)
    else:
        out[at] = _OPEN
        at += 1
        for p in range(part, last_part):
            at = _put_part(out, at, shape, kind, p, n_dimensions, precision)
            out[at] = _COMMA
            at += 1
        out[at - 1] = _CLOSE
    out[at] = 125
    return at + 1
