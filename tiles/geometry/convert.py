"""Between shapely geometries or WKB and the flat arrays of ``tiles.arrays.Geometries``.

Coordinates are taken as they come (CRS84h: longitude, latitude, height). A geometry without height
has NaN heights; missing and empty geometries become ``GeometryType.NONE``.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
import shapely
from numba import njit
from numpy.typing import NDArray

from tiles.arrays import Geometries, GeometryType
from tiles.errors import BadGeometry
from tiles.geometry.wkb import write_wkb
from tiles.geometry.wkb_read import read_wkb

MAX_VERTICES = 2**31 - 1

# shapely's type numbers, in order: Point, LineString, LinearRing, Polygon, the three multi types
_TYPE_OF_SHAPELY = np.array(
    [
        GeometryType.POINT,
        GeometryType.LINESTRING,
        GeometryType.LINESTRING,
        GeometryType.POLYGON,
        GeometryType.MULTIPOINT,
        GeometryType.MULTILINESTRING,
        GeometryType.MULTIPOLYGON,
    ],
    dtype=np.uint8,
)
_SHAPELY_POLYGON = 3


def from_shapely(geometry: NDArray[np.object_] | Sequence[shapely.Geometry | None]) -> Geometries:
    """Flat arrays of shapely geometries.

    Empty parts of multi-geometries are left out. Raises ``BadGeometry`` for geometry collections
    and for more vertices than 32-bit offsets can count.
    """
    shapes = np.asarray(geometry, dtype=object)
    types = _types(shapes)
    present = np.flatnonzero(types)
    parts, part_feature = shapely.get_parts(shapes[present], return_index=True)
    kept = ~shapely.is_empty(parts)
    parts, part_feature = parts[kept], present[part_feature[kept]]
    rings, ring_part = _rings(parts)
    coordinates, vertex_ring = shapely.get_coordinates(rings, include_z=True, return_index=True)
    if len(coordinates) > MAX_VERTICES:
        raise BadGeometry(f"{len(coordinates)} vertices: at most {MAX_VERTICES} fit one set of arrays")
    return Geometries(
        types=types,
        part_starts=_starts(part_feature, len(shapes)),
        ring_starts=_starts(ring_part, len(parts)),
        vertex_starts=_starts(vertex_ring, len(rings)),
        lon_lat_z=np.ascontiguousarray(coordinates, dtype=np.float64).reshape(-1, 3),
    )


def _types(shapes: NDArray[np.object_]) -> NDArray[np.uint8]:
    ids = shapely.get_type_id(shapes)
    unknown = np.flatnonzero(ids >= len(_TYPE_OF_SHAPELY))
    if len(unknown):
        raise BadGeometry(f"geometry {int(unknown[0])} is a collection: give its members one row each")
    types = np.zeros(len(shapes), dtype=np.uint8)
    present = (ids >= 0) & ~shapely.is_empty(shapes)
    types[present] = _TYPE_OF_SHAPELY[ids[present]]
    return types


def _rings(parts: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Each part's rings, exterior first; points and lines are rings of their own."""
    is_polygon = shapely.get_type_id(parts) == _SHAPELY_POLYGON
    counts = np.where(is_polygon, 1 + shapely.get_num_interior_rings(parts), 1)
    ring_part = np.repeat(np.arange(len(parts)), counts)
    rings = np.empty(len(ring_part), dtype=object)
    of_polygon = is_polygon[ring_part]
    rings[~of_polygon] = parts[~is_polygon]
    rings[of_polygon] = shapely.get_rings(parts[is_polygon])
    return rings, ring_part


def _starts(owner: NDArray[np.intp], owners: int) -> NDArray[np.int32]:
    """Offsets of runs, from the owner of each member in ascending order."""
    starts = np.zeros(owners + 1, dtype=np.int32)
    np.cumsum(np.bincount(owner, minlength=owners), out=starts[1:])
    return starts


def to_wkb(geometries: Geometries, rows: NDArray[np.integer] | None = None) -> list[bytes | None]:
    """ISO WKB (little endian) of the chosen rows, all where ``rows`` is None; None for NONE.

    A geometry is written with heights if any of its vertices has one; unknown heights among them
    stay NaN.
    """
    offsets, data = write_wkb(geometries, _all_or(geometries, rows))
    text = data.tobytes()
    bounds = offsets.tolist()
    pieces = (text[begin:end] for begin, end in pairwise(bounds))
    return [piece or None for piece in pieces]


def from_wkb(wkb: Sequence[bytes | None] | pa.Array) -> Geometries:
    """Flat arrays of WKB or EWKB geometries; ``BadGeometry`` where one cannot be read.

    An Arrow array of binary values is read without making an object of each.
    """
    array = wkb if isinstance(wkb, pa.Array) else pa.array(wkb, type=pa.large_binary())
    plain = read_wkb(*_binary_arrays(array.cast(pa.large_binary())))
    if plain is not None:
        return plain
    try:
        shapes = shapely.from_wkb(np.asarray(array.to_pylist(), dtype=object))
    except shapely.errors.GEOSException as error:
        raise BadGeometry(f"not well-known binary: {error}") from error
    return from_shapely(shapes)


def _binary_arrays(array: pa.LargeBinaryArray) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Offsets and bytes; a null has no bytes."""
    if array.null_count:
        array = array.fill_null(b"")
    _, offsets, data = array.buffers()
    starts = np.zeros(1, dtype=np.int64)
    if len(array):
        starts = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    if data is None:
        return starts, np.zeros(0, dtype=np.uint8)
    return starts, np.frombuffer(data, dtype=np.uint8)


def to_shapely(geometries: Geometries, rows: NDArray[np.integer] | None = None) -> NDArray[np.object_]:
    """Shapely geometries of the chosen rows, all where ``rows`` is None; None for NONE."""
    shapes: NDArray[np.object_] = shapely.from_wkb(
        np.array([*to_wkb(geometries, rows), None], dtype=object)
    )
    return shapes[:-1]  # the extra None keeps an empty choice an object array


def take(
    geometries: Geometries, world_xy: NDArray[np.int32], rows: NDArray[np.integer]
) -> tuple[Geometries, NDArray[np.int32]]:
    """Copy the chosen rows, in the order of ``rows``: geometries and their world coordinates."""
    chosen = np.ascontiguousarray(rows, dtype=np.int64)
    part_starts, parts = _take_runs(geometries.part_starts, chosen)
    ring_starts, rings = _take_runs(geometries.ring_starts, parts)
    vertex_starts = _run_starts(geometries.vertex_starts, rings)
    taken = Geometries(
        types=geometries.types[chosen],
        part_starts=part_starts,
        ring_starts=ring_starts,
        vertex_starts=vertex_starts,
        lon_lat_z=np.empty((vertex_starts[-1], geometries.lon_lat_z.shape[1]), dtype=np.float64),
    )
    taken_world = np.empty((vertex_starts[-1], 2), dtype=np.int32)
    _copy_runs(geometries.vertex_starts, rings, geometries.lon_lat_z, taken.lon_lat_z)
    _copy_runs(geometries.vertex_starts, rings, world_xy, taken_world)
    return taken, taken_world


def joined_positions(pieces: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Positions of several sets one after the other: (v, 2) where none has heights, else (v, 3)."""
    axes = max(piece.shape[1] for piece in pieces)
    out = np.full((sum(map(len, pieces)), axes), np.nan)
    at = 0
    for piece in pieces:
        out[at : at + len(piece), : piece.shape[1]] = piece
        at += len(piece)
    return out


@njit(nogil=True, cache=True)
def _run_starts(starts: NDArray[np.int32], owners: NDArray[np.int64]) -> NDArray[np.int32]:
    """Offsets of the chosen owners' runs when they lie one after the other."""
    taken = np.zeros(owners.shape[0] + 1, dtype=np.int32)
    for i in range(owners.shape[0]):
        taken[i + 1] = taken[i] + starts[owners[i] + 1] - starts[owners[i]]
    return taken


@njit(nogil=True, cache=True)
def _take_runs(
    starts: NDArray[np.int32], owners: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Offsets of the chosen owners' runs, and the numbers of the members in them."""
    taken = _run_starts(starts, owners)
    members = np.empty(taken[-1], dtype=np.int64)
    at = 0
    for i in range(owners.shape[0]):
        for member in range(starts[owners[i]], starts[owners[i] + 1]):
            members[at] = member
            at += 1
    return taken, members


@njit(nogil=True, cache=True)
def _copy_runs(
    starts: NDArray[np.int32],
    owners: NDArray[np.int64],
    values: NDArray[np.number],
    out: NDArray[np.number],
) -> None:
    at = 0
    for i in range(owners.shape[0]):
        for member in range(starts[owners[i]], starts[owners[i] + 1]):
            for axis in range(values.shape[1]):
                out[at, axis] = values[member, axis]
            at += 1


@njit(nogil=True, cache=True)
def lon_lat_extent(lon_lat_z: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """West, south, east, north of all vertices; west > east where there are none."""
    west, south, east, north = np.inf, np.inf, -np.inf, -np.inf
    for v in range(lon_lat_z.shape[0]):
        west = min(west, lon_lat_z[v, 0])
        south = min(south, lon_lat_z[v, 1])
        east = max(east, lon_lat_z[v, 0])
        north = max(north, lon_lat_z[v, 1])
    return west, south, east, north


@njit(nogil=True, cache=True)
def _boxes(
    part_starts: NDArray[np.int32],
    ring_starts: NDArray[np.int32],
    vertex_starts: NDArray[np.int32],
    world_xy: NDArray[np.int32],
    out: NDArray[np.int32],
) -> None:
    for i in range(out.shape[0]):
        west, south, east, north = 2147483647, 2147483647, -2147483648, -2147483648
        first = vertex_starts[ring_starts[part_starts[i]]]
        last = vertex_starts[ring_starts[part_starts[i + 1]]]
        for v in range(first, last):
            west = min(west, world_xy[v, 0])
            south = min(south, world_xy[v, 1])
            east = max(east, world_xy[v, 0])
            north = max(north, world_xy[v, 1])
        out[i, 0] = west
        out[i, 1] = south
        out[i, 2] = east
        out[i, 3] = north


def world_boxes(geometries: Geometries, world_xy: NDArray[np.int32]) -> NDArray[np.int32]:
    """World boxes (n, 4) west, south, east, north; west > east where there is no geometry."""
    out = np.empty((len(geometries), 4), dtype=np.int32)
    _boxes(geometries.part_starts, geometries.ring_starts, geometries.vertex_starts, world_xy, out)
    return out


def _all_or(geometries: Geometries, rows: NDArray[np.integer] | None) -> NDArray[np.int32]:
    if rows is None:
        return np.arange(len(geometries), dtype=np.int32)
    return np.ascontiguousarray(rows, dtype=np.int32)
