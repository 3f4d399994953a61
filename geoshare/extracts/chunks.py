"""Rows of an extract in its order, some thousands at a time, as tables that hold nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.access.precision import cut
from geoshare.extracts.request import Selected
from geoshare.query.items import arrange
from tiles.arrays import Kind

CHUNK_ROWS = 20_000
_TYPES = {
    Kind.INT: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.BOOL: pa.bool_(),
    Kind.TIMESTAMP: pa.timestamp("us", "UTC"),
    Kind.DATE: pa.date32(),
}


def schema_of(selected: Selected) -> pa.Schema:
    """Columns of every chunk: id, the visible properties, geometry as WKB."""
    columns = [(column.name, _TYPES.get(column.kind, pa.utf8())) for column in selected.view.columns]
    return pa.schema([("id", pa.utf8()), *columns, ("geometry", pa.binary())])


def chunks(selected: Selected, area: BaseGeometry | None) -> Iterator[pa.RecordBatch]:
    """Read the rows in order; with an area, cut their geometry at its edge.

    Measures (a length) of what is cut are null; rows of which nothing is left are not given.
    """
    found, order = arrange(selected.rows)
    schema = schema_of(selected)
    for first in range(0, len(order), CHUNK_ROWS):
        places = order[first : first + CHUNK_ROWS]
        by_table = np.argsort(found.table[places], kind="stable")
        copied = selected.view.materialise(found.rows(places[by_table]))
        back = np.empty(len(places), np.int64)
        back[by_table] = np.arange(len(places))
        table = copied.take(pa.array(back)).select(schema.names).cast(schema)
        if area is not None:
            table = _cut(table, area, selected)
        yield from table.combine_chunks().to_batches()


def feature_chunks(selected: Selected) -> Iterator[tuple[int, bytes]]:
    """Read the rows in order as comma-joined GeoJSON features, with how many there are."""
    found, order = arrange(selected.rows)
    for first in range(0, len(order), CHUNK_ROWS):
        places = order[first : first + CHUNK_ROWS]
        yield len(places), selected.view.geojson(found.rows(places))


def _cut(table: pa.Table, area: BaseGeometry, selected: Selected) -> pa.Table:
    shapes = shapely.from_wkb(table.column("geometry").to_numpy())
    whole = shapely.covers(area, shapes)
    pieces = shapes.copy()
    pieces[~whole] = cut(shapes[~whole], area)
    kept = ~shapely.is_missing(pieces)
    to_wkb = partial(shapely.to_wkb, flavor="iso")
    table = table.set_column(
        table.schema.get_field_index("geometry"), "geometry", pa.array(to_wkb(pieces), pa.binary())
    )
    for column in selected.view.columns:
        if column.property.measure:
            at = table.schema.get_field_index(column.name)
            kept_value = pa.array(whole)
            table = table.set_column(
                at, column.name, _null_where(table.column(column.name), kept_value)
            )
    return table.filter(pa.array(kept))


def _null_where(values: pa.ChunkedArray, keep: pa.Array) -> pa.ChunkedArray:
    """Keep values where ``keep`` holds, null elsewhere."""
    return pa.chunked_array(
        [pa.compute.if_else(keep, values.combine_chunks(), pa.scalar(None, values.type))]
    )
