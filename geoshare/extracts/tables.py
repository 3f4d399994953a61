"""Rows as texts and numbers for tables: what CSV and workbooks have in common, and CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import shapely
from numpy.typing import NDArray

from geoshare.extracts.layer import Layer, Style

BOM: Final = "\ufeff".encode()
_PLACES: Final = {  # names and headings of columns of a place, by whether it is in degrees
    True: (("lon", "経度"), ("lat", "緯度")),
    False: (("x_east", "東距(m)"), ("y_north", "北距(m)")),
}
_HEIGHT: Final = ("height_m", "高さ(m)")
_WKT: Final = ("wkt", "形状(WKT)")


class Columns:
    """The columns of a table of one collection: how they are headed, and their values.

    Where a place is written as two columns, it is a point's own or, if ``lon_lat`` is asked for, one
    within the shape. By ``auto`` points have two columns and everything else is WKT.
    """

    def __init__(self, layer: Layer, style: Style, default_headings: str) -> None:
        self._layer = layer
        self._as = style.geometry_as
        if self._as == "auto":
            self._as = "lon_lat" if layer.about.geometry == "point" else "wkt"
        headings = default_headings if style.headings == "auto" else style.headings
        degrees = not layer.projection.metric
        place = (*_PLACES[degrees], _HEIGHT) if self._as == "lon_lat" else (_WKT,)
        said = [("id", "ID")]
        said += [(item.name, item.property.title_ja or item.name) for item in layer.columns]
        said += place
        self.names = [name for name, _ in said]
        self.headings = _unique([ja if headings == "ja" else name for name, ja in said], self.names)

    def arrays(self, batch: pa.RecordBatch) -> list[pa.Array]:
        """Values of a batch: texts, integers, numbers and truths; instants as RFC 3339 texts."""
        found = [plain(batch.column(name)) for name in self._layer.schema.names[:-1]]
        shapes = shapely.from_wkb(batch.column("geometry").to_numpy(zero_copy_only=False))
        return found + self._place(shapes)

    def _place(self, shapes: NDArray[np.object_]) -> list[pa.Array]:
        digits = self._layer.decimals
        if self._as == "wkt":
            return [pa.array(shapely.to_wkt(shapes, rounding_precision=digits), pa.utf8())]
        points = np.array(shapes, object)
        others = (shapely.get_type_id(points) != 0) & ~shapely.is_missing(points)
        points[others] = shapely.point_on_surface(points[others])
        flat = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
        high = np.where(others, np.nan, shapely.get_z(points))
        return [
            pa.array(values, from_pandas=True)
            for values in (*np.round(flat, digits).T, np.round(high, 3))
        ]


def write_csv(path: Path, layer: Layer, batches: Iterator[pa.RecordBatch]) -> None:
    """Write a CSV file: UTF-8, commas, one line for each row, texts quoted where they must be."""
    with open(path, "wb") as file:
        for piece in csv_pieces(layer, batches):
            file.write(piece)


def csv_pieces(layer: Layer, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
    """The bytes of a CSV file, batch by batch."""
    columns = Columns(layer, layer.style, "names")
    heads = pa.RecordBatch.from_arrays(
        [pa.array([heading]) for heading in columns.headings], names=columns.names
    )
    yield (BOM if layer.style.bom else b"") + _lines(heads)
    for batch in batches:
        if batch.num_rows:
            yield _lines(pa.RecordBatch.from_arrays(columns.arrays(batch), names=columns.names))


def _lines(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    pyarrow.csv.write_csv(batch, sink, options)
    return bytes(sink.getvalue().to_pybytes())


def plain(values: pa.Array) -> pa.Array:
    """Values as tables hold them: instants and dates become texts."""
    if pa.types.is_timestamp(values.type):
        texts = pc.strftime(values, "%Y-%m-%dT%H:%M:%SZ")
        return pc.replace_substring_regex(texts, r"\.?0+Z$", "Z").cast(pa.utf8())
    if pa.types.is_date(values.type):
        return pc.strftime(values, "%Y-%m-%d")
    return values


def _unique(headings: list[str], names: list[str]) -> list[str]:
    """Headings, with the name beside those that several columns have."""
    return [
        heading if headings.count(heading) == 1 else f"{heading} ({name})"
        for heading, name in zip(headings, names, strict=True)
    ]
