"""Rows as tables whose world coordinates are those of a tile matrix set.

Kernels read ``world_xy`` and take it for the square of 2^32 units that tiles divide. Here the chosen
rows get such coordinates in another square than Web Mercator's; everything else about them stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.arrays import Column, FeatureTable, Geometries, Rows
from tiles.geometry.convert import from_shapely, to_shapely
from tiles.matrices.sets import WEB_MERCATOR_QUAD, MatrixSet

LONGEST_EDGE_DEGREES = 0.02
"""Longer edges are divided where straight in degrees is not straight: over 2 km they are 7 cm apart."""

Numbers = NDArray[np.int32]


def in_matrix_set(rows: Rows, matrices: MatrixSet) -> Rows:
    """The same features in the same order, in tables of their own.

    Parameters
    ----------
    rows
        Chosen rows; all of their vertices are projected.
    matrices
        Whose world units ``world_xy`` shall have. Rows are returned as they are for Web Mercator,
        whose units they have.

    Returns
    -------
    Tables of the chosen rows alone, without boxes and order. What reaches beyond the domain of the
    set is cut there, and long edges are divided where they bend.
    """
    if matrices is WEB_MERCATOR_QUAD:
        return rows
    found = [piece for table, numbers in rows.pairs for piece in _pieces(table, numbers, matrices)]
    if not found:
        return Rows(rows.tables[:1], (np.zeros(0, np.int32),))
    return Rows(tuple(found), tuple(np.arange(len(table), dtype=np.int32) for table in found))


def _pieces(table: FeatureTable, numbers: Numbers, matrices: MatrixSet) -> Iterator[FeatureTable]:
    """Runs of rows that can be projected as they are, and between them those that cannot."""
    if not len(numbers):
        return
    shape = taken(table.geometries, numbers)
    odd = _odd(shape, matrices)
    changes = np.flatnonzero(np.diff(odd)) + 1
    for first, last in pairwise([0, *changes.tolist(), len(numbers)]):
        run = numbers[first:last]
        if odd[first]:
            piece = from_shapely(_tamed(to_shapely(table.geometries, run), matrices))
        elif len(run) == len(numbers):
            piece = shape
        else:
            piece = taken(table.geometries, run)
        yield _table(table, run, piece, matrices.world_xy(piece.lon_lat_z))


def _table(
    table: FeatureTable, numbers: Numbers, shape: Geometries, world_xy: NDArray[np.int32]
) -> FeatureTable:
    return FeatureTable(
        ids=_column(table.ids, numbers),
        id_hash=table.id_hash[numbers],
        geometries=shape,
        world_xy=world_xy,
        columns=tuple(_column(column, numbers) for column in table.columns),
    )


def _column(column: Column, numbers: Numbers) -> Column:
    valid = None if column.valid is None else column.valid[numbers]
    return replace(column, values=column.values[numbers], valid=valid)


def taken(shape: Geometries, numbers: Numbers) -> Geometries:
    """The geometries of some rows, in their order."""
    parts, part_starts = _spans(shape.part_starts, numbers)
    rings, ring_starts = _spans(shape.ring_starts, parts)
    vertices, vertex_starts = _spans(shape.vertex_starts, rings)
    return Geometries(
        types=shape.types[numbers],
        part_starts=part_starts,
        ring_starts=ring_starts,
        vertex_starts=vertex_starts,
        lon_lat_z=np.ascontiguousarray(shape.lon_lat_z[vertices]),
    )


def _spans(starts: NDArray[np.int32], chosen: NDArray[np.int32]) -> tuple[Numbers, Numbers]:
    """Members of the chosen spans one after the other (m,), and where each begins (n + 1,)."""
    first = starts[chosen].astype(np.int64)
    counts = starts[chosen.astype(np.int64) + 1] - first
    begins = np.zeros(len(chosen) + 1, np.int64)
    np.cumsum(counts, out=begins[1:])
    members = np.arange(begins[-1]) + np.repeat(first - begins[:-1], counts)
    return members.astype(np.int32), begins.astype(np.int32)


def _odd(shape: Geometries, matrices: MatrixSet) -> NDArray[np.bool_]:
    """Which rows lie beyond the domain in part, or have an edge that must be divided."""
    odd = np.zeros(len(shape.types), bool)
    if not matrices.bends or not len(shape.lon_lat_z):
        return odd
    lon_lat = shape.lon_lat_z[:, :2]
    west, south, east, north = matrices.domain
    # comparisons with NaN are false: what is nowhere is not projected anywhere else
    wild = np.asarray(((lon_lat < (west, south)) | (lon_lat > (east, north))).any(axis=1))
    steps = np.abs(np.diff(lon_lat, axis=0))
    long = np.asarray((steps > LONGEST_EDGE_DEGREES).any(axis=1))
    long[shape.vertex_starts[1:-1] - 1] = False  # from one ring to the next is no edge
    wild[:-1] |= long
    ends = shape.vertex_starts[shape.ring_starts[shape.part_starts]]
    sums = np.concatenate([[0], np.cumsum(wild)])
    return np.asarray(sums[ends[1:]] > sums[ends[:-1]])


def _tamed(shapes: NDArray[np.object_], matrices: MatrixSet) -> NDArray[np.object_]:
    """Shapes within the domain, with short edges; None where nothing is left."""
    coordinates, owners = shapely.get_coordinates(shapes, return_index=True)
    nowhere = owners[~np.isfinite(coordinates).all(axis=1)]
    shapes = shapes.copy()
    shapes[nowhere] = None
    inside = _clipped(shapes, matrices.domain)
    found: NDArray[np.object_] = shapely.segmentize(inside, LONGEST_EDGE_DEGREES)
    kinds = np.asarray(shapely.get_type_id(found))
    flat = shapely.get_dimensions(found) < shapely.get_dimensions(shapes)
    for at in np.flatnonzero((kinds == shapely.GeometryType.GEOMETRYCOLLECTION) | flat):
        found[at] = _of_one_kind(found[at], shapes[at])
    return found


def _clipped(
    shapes: NDArray[np.object_], domain: tuple[float, float, float, float]
) -> NDArray[np.object_]:
    """What lies within a box in degrees."""
    try:
        inside: NDArray[np.object_] = shapely.clip_by_rect(shapes, *domain)
    except shapely.GEOSException:  # a ring that comes back on itself has no ring left in the box
        inside = shapely.intersection(shapely.make_valid(shapes), shapely.box(*domain))
    return inside


def _of_one_kind(mixed: shapely.Geometry, source: shapely.Geometry) -> shapely.Geometry | None:
    """Members of the dimension that the source has: what touches the edge of the domain is left out."""
    members = np.asarray(shapely.get_parts(mixed))
    same = members[shapely.get_dimensions(members) == shapely.get_dimensions(source)]
    return shapely.union_all(same) if len(same) else None
