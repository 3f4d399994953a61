"""What a writer is told of the collection it writes, and what it says of its work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa

from geoshare.access.view import ViewColumn
from geoshare.extracts.chunks import columns_of, schema_of
from geoshare.extracts.projection import CRS84_DEGREES, Projection
from geoshare.extracts.request import Selected
from geoshare.model.collections import Collection
from geoshare.query.projected import vertices_of
from tiles.arrays import GeometryType

_ROWS: Final = 20_000

_TYPE_NAMES: Final = {
    GeometryType.POINT: "Point",
    GeometryType.LINESTRING: "LineString",
    GeometryType.POLYGON: "Polygon",
    GeometryType.MULTIPOINT: "MultiPoint",
    GeometryType.MULTILINESTRING: "MultiLineString",
    GeometryType.MULTIPOLYGON: "MultiPolygon",
}


@dataclass(frozen=True)
class Style:
    """How tables are written: see the members of the same names of an extract's request."""

    geometry_as: str = "auto"
    headings: str = "auto"
    bom: bool = True


@dataclass(frozen=True)
class Layer:
    """One collection as it is to be written.

    ``said`` is for writers: what they note there stands in the manifest (shortened names, what the
    format could not hold).
    """

    selected: Selected
    projection: Projection = CRS84_DEGREES
    style: Style = Style()
    now_us: int = 0
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def about(self) -> Collection:
        """The collection."""
        return self.selected.view.collection

    @property
    def decimals(self) -> int:
        """Decimals of its coordinates."""
        return self.projection.decimals(self.about.decimals)

    @cached_property
    def columns(self) -> list[ViewColumn]:
        """The properties, in order."""
        return columns_of(self.selected)

    @cached_property
    def schema(self) -> pa.Schema:
        """Columns of every batch: id, the properties, geometry as WKB in the layer's system."""
        return schema_of(self.selected)


def layer_of(
    selected: Selected, projection: Projection, style: Style = Style(), now_us: int = 0
) -> Layer:
    """A layer in a system; in its horizontal part where no row has a height that it could speak of."""
    flat = projection.without_heights()
    if flat != projection and not any(high for _, high in shape_kinds(selected)):
        projection = flat
    return Layer(selected, projection, style, now_us)


class Writer(Protocol):
    """Writes one collection to a file, or to a layer of it."""

    def __call__(self, path: Path, layer: Layer, batches: Iterator[pa.RecordBatch]) -> None:
        """Write all batches, and keep none of them."""
        ...


def shape_kinds(selected: Selected) -> set[tuple[GeometryType, bool]]:
    """Types of the geometries of the rows, before they are cut, each with whether it has heights."""
    found: set[tuple[int, bool]] = set()
    for table, every in selected.rows.pairs:
        for first in range(0, len(every), _ROWS):  # a table has millions of vertices
            numbers = every[first : first + _ROWS]
            places, counts = vertices_of(table, numbers)
            high = (~np.isnan(table.geometries.lon_lat_z[places, 2:])).any(axis=1)
            passed = np.concatenate([[0], np.cumsum(high)])
            ends = np.cumsum(counts)
            heights = passed[ends] > passed[ends - counts]
            types = table.geometries.types[numbers]
            found |= set(zip(types.tolist(), heights.tolist(), strict=True))
    return {(GeometryType(kind), bool(high)) for kind, high in found if kind}


def geometry_type(selected: Selected) -> str:
    """Name the one type that all geometries have, with Z where all have heights; Unknown otherwise.

    An Unknown layer of a GeoPackage keeps each geometry as it is. FlatGeobuf has one dimension for a
    whole file: heights of some features only are left out of it, since a missing one would become 0.
    """
    kinds = shape_kinds(selected)
    if len(kinds) != 1 or selected.cut:  # cutting makes multi-geometries of some
        return "Unknown"
    [(kind, high)] = kinds
    return _TYPE_NAMES[kind] + (" Z" if high else "")
