"""One writer for each format; each takes batches of rows and keeps none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.extracts.drawing import write_dxf
from geoshare.extracts.layer import Layer, Writer, geometry_type
from geoshare.extracts.request import FileFormat
from geoshare.extracts.shapefile import write_shp
from geoshare.extracts.styles import GEOMETRY, add_style
from geoshare.extracts.tables import write_csv
from geoshare.extracts.workbook import write_xlsx
from geoshare.model.times import iso
from tiles.arrays import Kind

SUFFIXES: Final[dict[FileFormat, str]] = {
    "gpkg": ".gpkg",
    "geojson": ".geojson",
    "geojsonseq": ".geojsonl",
    "parquet": ".parquet",
    "fgb": ".fgb",
    "arrow": ".arrow",
    "csv": ".csv",
    "xlsx": ".xlsx",
    "shp": ".shp",
    "dxf": ".dxf",
    "pmtiles": ".pmtiles",
    "opendrive": ".xodr",
    "lanelet2": ".osm",
}
_OLDER: Final = {"VERSION": "1.3"}  # of GeoPackage; newer ones make GDAL 3.6 and its QGIS warn
_RECORD: Final = b"\x1e"  # RFC 8142: each text begins with it and ends with a line feed
_GROUP_ROWS: Final = 20_000  # of GeoParquet, whose readers skip or read a group as a whole


def write_gpkg(path: Path, layer: Layer, batches: Iterator[pa.RecordBatch]) -> None:
    """Write one layer of a GeoPackage, and its style for QGIS."""
    options = {"FID": "fid", "GEOMETRY_NAME": GEOMETRY}
    _write_gdal(path, layer, batches, "GPKG", options, None if path.exists() else _OLDER)
    add_style(path, layer, geometry_type(layer.selected))


def write_fgb(path: Path, layer: Layer, batches: Iterator[pa.RecordBatch]) -> None:
    """Write a FlatGeobuf file, with a spatial index where every row has a place."""
    placeless = any(
        (table.geometries.types[numbers] == 0).any() for table, numbers in layer.selected.rows.pairs
    )
    options = {"SPATIAL_INDEX": "NO"} if placeless and not layer.selected.cut else {}
    _write_gdal(path, layer, batches, "FlatGeobuf", options)


def write_parquet(path: Path, layer: Layer, batches: Iterator[pa.RecordBatch]) -> None:
    """Write GeoParquet 1.1; statistics in it are of the rows in it."""
    west = south = np.inf
    east = north = -np.inf
    kinds: set[int] = set()
    group: list[pa.RecordBatch] = []
    with pq.ParquetWriter(path, layer.schema, compression="zstd") as writer:
        for batch in batches:
            shapes = shapely.from_wkb(batch.column("geometry").to_numpy(zero_copy_only=False))
            present = shapes[~shapely.is_missing(shapes)]
            if len(present):
                bounds = shapely.total_bounds(present)
                west, south = min(west, bounds[0]), min(south, bounds[1])
                east, north = max(east, bounds[2]), max(north, bounds[3])
                high = shapely.has_z(present) * 1_000
                kinds |= set(np.unique(shapely.get_type_id(present) + high).tolist())
            group.append(batch)
            if sum(map(len, group)) >= _GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(group))
                group = []
        if group:
            writer.write_table(pa.Table.from_batches(group))
        names = [_TYPE_IDS[kind % 1_000] + (" Z" if kind >= 1_000 else "") for kind in kinds]
        column: dict[str, Any] = {"encoding": "WKB", "geometry_types": sorted(names)}
        if layer.projection.code:
            column["crs"] = layer.projection.crs().to_json_dict()
        if np.isfinite([west, south, east, north]).all():
            column["bbox"] = [west, south, east, north]
        said = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
        writer.add_key_value_metadata(
            {"geo": orjson.dumps(said, option=orjson.OPT_SERIALIZE_NUMPY).decode()}
        )


def arrow_schema(layer: Layer) -> pa.Schema:
    """The schema of an Arrow stream whose geometry says that it is GeoArrow WKB, and its system."""
    said = {"crs": layer.projection.crs().to_json_dict(), "crs_type": "projjson"}
    marks = {
        "ARROW:extension:name": "geoarrow.wkb",
        "ARROW:extension:metadata": orjson.dumps(said).decode(),
    }
    at = layer.schema.get_field_index("geometry")
    return layer.schema.set(at, layer.schema.field(at).with_metadata(marks))


def write_arrow(path: Path, layer: Layer, batches: Iterator[pa.RecordBatch]) -> None:
    """Write an Arrow IPC file with GeoArrow WKB."""
    schema = arrow_schema(layer)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=schema))


def write_geojson(path: Path, layer: Layer, batches: Iterator[pa.RecordBatch]) -> None:
    """Write a GeoJSON FeatureCollection, RFC 7946."""
    write_features(path, (b",".join(features(layer, batch)) for batch in batches))


def write_geojsonseq(path: Path, layer: Layer, batches: Iterator[pa.RecordBatch]) -> None:
    """Write a GeoJSON text sequence, RFC 8142."""
    with open(path, "wb") as file:
        for batch in batches:
            file.write(sequence(layer, batch))


def features(layer: Layer, batch: pa.RecordBatch) -> Iterator[bytes]:
    """One GeoJSON feature for each row."""
    kinds = {column.name: column.kind for column in layer.columns}
    return (_feature(row, kinds, layer.about.decimals) for row in batch.to_pylist())


def sequence(layer: Layer, batch: pa.RecordBatch) -> bytes:
    """Rows as records of a GeoJSON text sequence."""
    return b"".join(_RECORD + feature + b"\n" for feature in features(layer, batch))


def write_features(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a FeatureCollection of comma-joined features, piece by piece."""
    with open(path, "wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[\n')
        first = True
        for piece in filter(None, pieces):
            file.write(piece if first else b",\n" + piece)
            first = False
        file.write(b"\n]}\n")


_TYPE_IDS: Final = {  # as shapely numbers them
    0: "Point", 1: "LineString", 2: "LinearRing", 3: "Polygon", 4: "MultiPoint", 5: "MultiLineString",
    6: "MultiPolygon", 7: "GeometryCollection",
}  # fmt: skip
WRITERS: Final[dict[FileFormat, Writer]] = {
    "gpkg": write_gpkg,
    "geojson": write_geojson,
    "geojsonseq": write_geojsonseq,
    "parquet": write_parquet,
    "fgb": write_fgb,
    "arrow": write_arrow,
    "csv": write_csv,
    "xlsx": write_xlsx,
    "shp": write_shp,
    "dxf": write_dxf,
}


def _write_gdal(
    path: Path,
    layer: Layer,
    batches: Iterator[pa.RecordBatch],
    driver: str,
    options: dict[str, str],
    whole: dict[str, str] | None = None,
) -> None:
    kind, system = geometry_type(layer.selected), layer.projection
    if driver == "FlatGeobuf" and not kind.endswith(" Z"):
        system = system.without_heights()  # the file leaves heights out
    caught: list[BaseException] = []
    reader = pa.RecordBatchReader.from_batches(layer.schema, _carried(batches, caught))
    try:
        pyogrio.write_arrow(
            reader,
            path,
            layer=layer.about.name,
            driver=driver,
            geometry_name="geometry",
            geometry_type=kind,
            crs=f"EPSG:{system.code or 4326}",  # east first, as all these formats have it
            layer_options=options,
            dataset_options=whole,
        )
    except Exception as error:
        if caught:
            raise caught[0] from error
        raise


def _carried(
    batches: Iterator[pa.RecordBatch], caught: list[BaseException]
) -> Iterator[pa.RecordBatch]:
    """The batches; what stops them is kept, since GDAL tells only that they stopped."""
    try:
        yield from batches
    except BaseException as error:
        caught.append(error)
        raise


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
