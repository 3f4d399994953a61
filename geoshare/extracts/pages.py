"""A page of features as a small file: as extracts are written, in the order of the page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyogrio
import shapely

from geoshare.extracts.chunks import schema_of
from geoshare.extracts.formats import WRITERS, arrow_schema, sequence
from geoshare.extracts.layer import Layer, Style, layer_of
from geoshare.extracts.projection import projection
from geoshare.extracts.request import FileFormat, Selected
from geoshare.extracts.styles import stamp
from geoshare.extracts.tables import csv_pieces
from geoshare.query.items import ItemsPage

CHUNK_ROWS: Final = 5_000
_FILED: Final[dict[str, FileFormat]] = {"gpkg": "gpkg", "fgb": "fgb", "parquet": "parquet"}


def page_pieces(
    page: ItemsPage, form: str, crs: str, style: Style, *, now_us: int, folder: Path
) -> Iterator[bytes]:
    """The bytes of a page in a format, some thousand rows at a time.

    Parameters
    ----------
    page
        Rows and columns, which leave through ``materialise`` of its view.
    form
        csv, geojsonseq, arrow (a stream), gpkg, fgb or parquet.
    crs
        Address of a reference system; files have x to the east first whatever its axis order is.
    style
        How a csv is written.
    now_us
        Moment that a GeoPackage states as its making.
    folder
        Of the caller's own, for a file in the making.
    """
    selected = Selected(page.view, page.rows, columns=page.columns)
    layer = layer_of(selected, projection(crs), style, now_us)
    batches = _batches(page, layer)
    if form == "csv":
        yield from csv_pieces(layer, batches)
    elif form == "geojsonseq":
        yield from (sequence(layer, batch) for batch in batches)
    elif form == "arrow":
        yield from _arrow(layer, batches)
    else:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp(now_us)})
        path = folder / f"page.{form}"
        WRITERS[_FILED[form]](path, layer, batches)
        with open(path, "rb") as file:
            yield from iter(partial(file.read, 1 << 20), b"")


def _batches(page: ItemsPage, layer: Layer) -> Iterator[pa.RecordBatch]:
    schema = schema_of(layer.selected)
    copied = page.view.materialise(page.rows, page.columns).select(schema.names).cast(schema)
    at = schema.get_field_index("geometry")
    for batch in copied.combine_chunks().to_batches(max_chunksize=CHUNK_ROWS):
        if layer.projection.moves:
            shapes = shapely.from_wkb(batch.column(at).to_numpy(zero_copy_only=False))
            moved = shapely.to_wkb(layer.projection.apply(shapes), flavor="iso")
            batch = batch.set_column(at, "geometry", pa.array(moved, pa.binary()))
        yield batch


def _arrow(layer: Layer, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    schema = arrow_schema(layer)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
    yield sink.getvalue().to_pybytes()
