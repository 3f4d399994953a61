"""One writer for each format; each takes batches of rows and keeps none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.extracts.request import FileFormat, Selected
from geoshare.model.times import iso
from tiles.arrays import GeometryType, Kind

CRS: Final = "EPSG:4326"  # written longitude first, as all these formats do
SUFFIXES: Final[dict[FileFormat, str]] = {
    "gpkg": ".gpkg",
    "geojson": ".geojson",
    "parquet": ".parquet",
    "fgb": ".fgb",
    "pmtiles": ".pmtiles",
    "opendrive": ".xodr",
}


class Writer(Protocol):
    """Writes one collection to a file, or to a layer of it."""

    def __call__(
        self, path: Path, selected: Selected, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
    ) -> None:
        """Write all batches."""
        ...


def write_gpkg(
    path: Path, selected: Selected, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> None:
    """Write one layer of a GeoPackage."""
    _write_gdal(path, selected, schema, batches, "GPKG", {"FID": "fid"})


def write_fgb(
    path: Path, selected: Selected, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> None:
    """Write a FlatGeobuf file with its spatial index."""
    _write_gdal(path, selected, schema, batches, "FlatGeobuf", {})


def write_parquet(
    path: Path, selected: Selected, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> None:
    """Write GeoParquet 1.1; statistics in it are of the rows in it."""
    west = south = np.inf
    east = north = -np.inf
    kinds: set[str] = set()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            shapes = shapely.from_wkb(batch.column("geometry").to_numpy(zero_copy_only=False))
            present = shapes[~shapely.is_missing(shapes)]
            if len(present):
                bounds = shapely.total_bounds(present)
                west, south = min(west, bounds[0]), min(south, bounds[1])
                east, north = max(east, bounds[2]), max(north, bounds[3])
                kinds |= {_kind(shape) for shape in present}
            writer.write_batch(batch)
        column: dict[str, Any] = {"encoding": "WKB", "geometry_types": sorted(kinds)}
        if np.isfinite([west, south, east, north]).all():
            column["bbox"] = [west, south, east, north]
        said = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
        writer.add_key_value_metadata(
            {"geo": orjson.dumps(said, option=orjson.OPT_SERIALIZE_NUMPY).decode()}
        )


def write_geojson(
    path: Path, selected: Selected, schema: pa.Schema, batches: Iterator[pa.RecordBatch]
) -> None:
    """Write a GeoJSON FeatureCollection, RFC 7946."""
    kinds = {column.name: column.kind for column in selected.view.columns}
    digits = selected.view.collection.decimals
    write_features(
        path,
        (b",".join(_feature(row, kinds, digits) for row in batch.to_pylist()) for batch in batches),
    )


def write_features(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a FeatureCollection of comma-joined features, piece by piece."""
    with open(path, "wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[\n')
        first = True
        for piece in filter(None, pieces):
            file.write(piece if first else b",\n" + piece)
            first = False
        file.write(b"\n]}\n")


_TYPE_NAMES: Final = {
    GeometryType.POINT: "Point",
    GeometryType.LINESTRING: "LineString",
    GeometryType.POLYGON: "Polygon",
    GeometryType.MULTIPOINT: "MultiPoint",
    GeometryType.MULTILINESTRING: "MultiLineString",
    GeometryType.MULTIPOLYGON: "MultiPolygon",
}
WRITERS: Final[dict[FileFormat, Writer]] = {
    "gpkg": write_gpkg,
    "geojson": write_geojson,
    "parquet": write_parquet,
    "fgb": write_fgb,
}


def _write_gdal(
    path: Path,
    selected: Selected,
    schema: pa.Schema,
    batches: Iterator[pa.RecordBatch],
    driver: str,
    options: dict[str, str],
) -> None:
    reader = pa.RecordBatchReader.from_batches(schema, batches)
    pyogrio.write_arrow(
        reader,
        path,
        layer=selected.view.collection.name,
        driver=driver,
        geometry_name="geometry",
        geometry_type=_geometry_type(selected),
        crs=CRS,
        layer_options=options,
    )


def _geometry_type(selected: Selected) -> str:
    """Name the one type that all geometries have, with Z where all have heights; Unknown otherwise.

    An Unknown layer of a GeoPackage keeps each geometry as it is. FlatGeobuf has one dimension for a
    whole file: heights of some features only are left out of it, since a missing one would become 0.
    """
    found = set()
    for table, numbers in selected.rows.pairs:
        shapes = table.geometries
        vertices = shapes.vertex_starts[shapes.ring_starts[shapes.part_starts]]
        high = np.concatenate([[0], np.cumsum((~np.isnan(shapes.lon_lat_z[:, 2:])).any(axis=1))])
        heights = high[vertices[numbers + 1]] > high[vertices[numbers]]
        found |= set(zip(shapes.types[numbers].tolist(), heights.tolist(), strict=True))
    kinds = [item for item in found if item[0]]
    if len(kinds) != 1 or selected.cut:  # cutting makes multi-geometries of some
        return "Unknown"
    return _TYPE_NAMES[GeometryType(kinds[0][0])] + (" Z" if kinds[0][1] else "")


def _feature(row: dict[str, Any], kinds: dict[str, Kind], digits: int) -> bytes:
    wkb = row["geometry"]
    geometry = None
    if wkb is not None:
        shape = shapely.orient_polygons(shapely.from_wkb(wkb))
        geometry = orjson.Fragment(shapely.to_geojson(_rounded(shape, digits)))
    properties = {name: _value(row[name], kind) for name, kind in kinds.items()}
    return orjson.dumps(
        {"type": "Feature", "id": row["id"], "geometry": geometry, "properties": properties}
    )


def _rounded(shape: BaseGeometry, digits: int) -> BaseGeometry:
    return shapely.transform(shape, lambda xyz: np.round(xyz, digits), include_z=shape.has_z)


def _value(value: Any, kind: Kind) -> Any:
    """Turn a value into what JSON has for it: instants with Z, JSON texts as what they say."""
    if value is None:
        return None
    if kind is Kind.JSON:
        return orjson.Fragment(value)
    if isinstance(value, datetime):
        return iso(round(value.timestamp() * 1_000_000))
    return value.isoformat() if isinstance(value, date) else value


def _kind(shape: BaseGeometry) -> str:
    return f"{shape.geom_type} Z" if shape.has_z else shape.geom_type
