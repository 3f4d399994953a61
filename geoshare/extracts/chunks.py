"""Rows of an extract in its order, a few thousand at a time, as tables that hold nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.access.precision import cut
from geoshare.access.view import ViewColumn
from geoshare.extracts.projection import Projection
from geoshare.extracts.request import Selected
from geoshare.query.items import arrange
from tiles.arrays import Kind

CHUNK_ROWS = 5_000  # more of them cost memory, and time as well
_TYPES = {
    Kind.INT: pa.int64(),
    Kind.FLOAT: pa.float64(),
    Kind.BOOL: pa.bool_(),
    Kind.TIMESTAMP: pa.timestamp("us", "UTC"),
    Kind.DATE: pa.date32(),
}
_TO_WKB = partial(shapely.to_wkb, flavor="iso")


def columns_of(selected: Selected) -> list[ViewColumn]:
    """The properties that are written, in the order of the view."""
    return [column for column in selected.view.columns if column.name in selected.columns]


def schema_of(selected: Selected) -> pa.Schema:
    """Columns of every chunk: id, the properties that are wanted, geometry as WKB."""
    columns = [(item.name, _TYPES.get(item.kind, pa.utf8())) for item in columns_of(selected)]
    return pa.schema([("id", pa.utf8()), *columns, ("geometry", pa.binary())])


def chunks(
    selected: Selected, area: BaseGeometry | None, projection: Projection | None = None
) -> Iterator[pa.RecordBatch]:
    """Read the rows in order; with an area, cut their geometry at its edge.

    Measures (a length) of what is cut are null; rows of which nothing is left are not given.
    """
    found, order = arrange(selected.rows)
    schema = schema_of(selected)
    for first in range(0, len(order), CHUNK_ROWS):
        places = order[first : first + CHUNK_ROWS]
        by_table = np.argsort(found.table[places], kind="stable")
        copied = selected.view.materialise(found.rows(places[by_table]), selected.columns)
        back = np.empty(len(places), np.int64)
        back[by_table] = np.arange(len(places))
        table = copied.take(pa.array(back)).select(schema.names).cast(schema)
        if area is not None:
            table = _cut(table, area, selected)
        if projection is not None and projection.moves:
            table = _moved(table, projection)
        yield from table.combine_chunks().to_batches()


def feature_chunks(selected: Selected) -> Iterator[tuple[int, bytes]]:
    """Read the rows in order as comma-joined GeoJSON features, with how many there are."""
    found, order = arrange(selected.rows)
    for first in range(0, len(order), CHUNK_ROWS):
        places = order[first : first + CHUNK_ROWS]
        yield len(places), selected.view.geojson(found.rows(places), selected.columns)


def _moved(table: pa.Table, projection: Projection) -> pa.Table:
    shapes = projection.apply(shapely.from_wkb(table.column("geometry").to_numpy()))
    return _with_geometry(table, pa.array(_TO_WKB(shapes), pa.binary()))


def _cut(table: pa.Table, area: BaseGeometry, selected: Selected) -> pa.Table:
    shapes = shapely.from_wkb(table.column("geometry").to_numpy())
    whole = shapely.covers(area, shapes)
    if whole.all():
        return table
    pieces = cut(shapes[~whole], area)
    wkb = table.column("geometry").to_numpy().copy()
    wkb[~whole] = _TO_WKB(pieces)
    table = _with_geometry(table, pa.array(wkb, pa.binary()))
    for column in columns_of(selected):
        if column.property.measure:
            at = table.schema.get_field_index(column.name)
            values = table.column(column.name).combine_chunks()
            kept = pc.if_else(pa.array(whole), values, pa.scalar(None, values.type))
            table = table.set_column(at, column.name, kept)
    return table.filter(pc.is_valid(table.column("geometry")))


def _with_geometry(table: pa.Table, wkb: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index("geometry"), "geometry", wkb)
