"""Rows of a view in another reference system: the same tables with other coordinates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.model.crs import from_lon_lat_z, is_metric, is_native
from tiles.arrays import FeatureTable, Rows
from tiles.geojson.features import MAX_DECIMALS_M

_FINER = 4  # decimals of a metre are so many fewer than those of a degree, or a little finer


def in_crs(rows: Rows, crs: str) -> Rows:
    """Return the rows with the coordinates of a system (``model.crs``), in its axis order.

    Only the vertices of these rows are transformed; the rest of each table's coordinates is room that
    is never touched.
    """
    if is_native(crs):
        return rows
    tables = tuple(_moved(table, numbers, crs) for table, numbers in rows.pairs)
    return Rows(tables, rows.numbers)


def geojson_in(view: View, rows: Rows, columns: tuple[str, ...], crs: str) -> bytes:
    """Comma-joined GeoJSON features whose geometries are in a system."""
    metres = is_metric(crs)
    decimals = view.collection.decimals
    if metres:
        decimals = min(max(decimals - _FINER, 0), MAX_DECIMALS_M)
    return view.geojson(in_crs(rows, crs), columns, decimals=decimals, metres=metres)


def _moved(table: FeatureTable, numbers: NDArray[np.int32], crs: str) -> FeatureTable:
    old = table.geometries.lon_lat_z
    vertices, _ = vertices_of(table, numbers)
    moved = from_lon_lat_z(old[vertices], crs)
    new = np.empty((len(old), moved.shape[1]))
    new[vertices] = moved
    return replace(table, geometries=replace(table.geometries, lon_lat_z=new))


def vertices_of(
    table: FeatureTable, numbers: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the vertices of the rows, row after row, and how many each row has."""
    shape = table.geometries
    first = shape.vertex_starts[shape.ring_starts[shape.part_starts[numbers]]].astype(np.int64)
    last = shape.vertex_starts[shape.ring_starts[shape.part_starts[numbers + 1]]].astype(np.int64)
    counts = last - first
    starts = np.cumsum(counts) - counts
    return np.repeat(first - starts, counts) + np.arange(counts.sum()), counts
