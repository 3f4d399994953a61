"""Any vector file GDAL reads, and GeoParquet: layer by layer, in Arrow batches of bounded size."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
import pyogrio.errors
import shapely
from numpy.typing import NDArray

from geoshare.errors import BadData
from geoshare.model.batch import FeatureBatch
from geoshare.model.collections import Property
from geoshare.model.datum import Transform
from geoshare.model.report import Report
from geoshare.sources import indirect, messages, shape
from geoshare.sources.assemble import Assembler, has_heights
from geoshare.sources.coerce import Rule, convert_column
from geoshare.sources.contradicting import id_findings, named_by_text
from geoshare.sources.encoding import mend_column_names, shapefile_encoding
from geoshare.sources.plan import Plan, bind
from geoshare.sources.profiles import choose
from geoshare.sources.request import BATCH_ROWS, ReadRequest
from geoshare.sources.transform import layer_transform, note_mapping

FEATURE_MB = 600
"""What one feature of a GeoJSON file may take while GDAL takes it apart, as GDAL reckons: some 200 MB
for a million vertices, and the process grows by thrice as much."""

XML_SUFFIXES = (".gml", ".kml", ".gpx")
GDAL_OPTIONS = {
    "GML_DOWNLOAD_SCHEMA": "NO",  # a contribution is its own bytes
    "OGR_GEOJSON_MAX_OBJ_SIZE": str(FEATURE_MB),
    "OGR_ARROW_MEM_LIMIT": str(40_000_000),  # bytes of one batch: fewer rows where shapes are heavy
}
SLICE_BYTES = 8_000_000
_GEOJSON = (".geojson", ".json", ".geojsonl")
_OWN_LAYERS = frozenset(["layer_styles", "qgis_projects"])
_FORMATS = {
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".geojsonl": "GeoJSON sequence",
    ".gpkg": "GeoPackage",
    ".fgb": "FlatGeobuf",
    ".shp": "Shapefile",
    ".gml": "GML",
    ".kml": "KML",
    ".gpx": "GPX",
}


class VectorReader:
    """GeoJSON, GeoPackage, FlatGeobuf, Shapefile and what else GDAL opens as vector."""

    name = "vector"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By magic bytes, and by file name among texts."""
        suffix = path.suffix.lower()
        start = head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1]
        if start == b"{":
            return suffix not in (".csv", ".txt")
        if suffix in XML_SUFFIXES:
            return start == b"<"
        magic = {".gpkg": b"SQLite format 3", ".fgb": b"fgb\x03", ".shp": b"\x00\x00\x27\x0a"}
        return suffix in magic and head.startswith(magic[suffix])

    def read(self, path: Path, request: ReadRequest, report: Report) -> Iterator[FeatureBatch]:
        """Feature batches of every layer."""
        if path.suffix.lower() == ".shp":
            codec = request.encoding or shapefile_encoding(path)
            if codec is not None:
                path = mend_column_names(path, codec, request.work_dir)
        elif path.suffix.lower() in _GEOJSON:
            path = named_by_text(path, request.work_dir)
        layers = list_layers(path, report)
        for layer, geometry_type in layers:
            if layer in _OWN_LAYERS:
                continue
            report.layers.append(layer)
            yield from self._layer(path, layer, geometry_type, len(layers), request, report)

    def _layer(
        self,
        path: Path,
        layer: str,
        geometry_type: str | None,
        count: int,
        request: ReadRequest,
        report: Report,
    ) -> Iterator[FeatureBatch]:
        encoding = request.encoding or shapefile_encoding(path)
        options: dict[str, Any] = {"encoding": encoding} if encoding else {}
        try:
            with (
                warnings.catch_warnings(),
                pyogrio.open_arrow(
                    path,
                    layer=layer,
                    batch_size=BATCH_ROWS,
                    use_pyarrow=True,
                    return_fids=_keeps_fids(path),
                    datetime_as_string=True,
                    **options,
                ) as (meta, reader),
            ):
                warnings.simplefilter("ignore")
                report.format = report.format or _FORMATS.get(path.suffix.lower(), "vector")
                columns = [str(name) for name in meta["fields"]]
                columns += [meta["fid_column"]] if _keeps_fids(path) else []
                if "id" in columns and path.suffix.lower() in _GEOJSON:
                    report.find(id_findings(path))
                profile = choose(
                    columns, collection=request.collection, mapping=request.mapping, layer=layer
                )
                plan = bind(profile, columns, report)
                note_mapping(plan, report)
                if geometry_type is None and not count_geometry(meta):
                    report.note(messages.layer_skipped(layer))
                    return
                prefix = request.part + (f"{layer}:" if count > 1 else "")
                source = _Stream(plan, request, report, str(meta["crs"] or ""), prefix, path)
                yield from source.features(reader, meta["geometry_name"] or "wkb_geometry")
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
            raise _broken(report, error) from error
        except (RuntimeError, pa.ArrowException, shapely.errors.ShapelyError) as error:
            raise _broken(report, error) from error


class ParquetReader:
    """GeoParquet 1.x by its own metadata, in row groups."""

    name = "geoparquet"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By the magic bytes."""
        return head.startswith(b"PAR1")

    def read(self, path: Path, request: ReadRequest, report: Report) -> Iterator[FeatureBatch]:
        """Feature batches of the file."""
        report.format = "GeoParquet"
        try:
            with pq.ParquetFile(path) as file:
                yield from self._file(file, path, request, report)
        except (pa.ArrowException, OSError) as error:
            raise _broken(report, error) from error

    def _file(
        self, file: pq.ParquetFile, path: Path, request: ReadRequest, report: Report
    ) -> Iterator[FeatureBatch]:
        geo = (file.schema_arrow.metadata or {}).get(b"geo")
        description = orjson.loads(geo) if geo else {}
        column = description.get("primary_column", "geometry")
        names = file.schema_arrow.names
        if column not in names:
            raise messages.refuse_and_note(report, messages.no_place(", ".join(names)[:200]))
        details = description.get("columns", {}).get(column, {})
        crs = details.get("crs", "OGC:CRS84")  # absent means CRS84 by the specification; null: unknown
        columns = [name for name in names if name not in (column, "bbox")]
        profile = choose(
            columns, collection=request.collection, mapping=request.mapping, layer=path.stem
        )
        plan = bind(profile, columns, report)
        note_mapping(plan, report)
        report.layers.append(path.stem)
        text = orjson.dumps(crs).decode() if isinstance(crs, dict) else str(crs or "")
        stream = _Stream(plan, request, report, text, request.part, path)
        yield from stream.features(file.iter_batches(BATCH_ROWS, columns=[*columns, column]), column)


class _Stream:
    """Arrow batches of one layer on their way to feature batches."""

    def __init__(
        self, plan: Plan, request: ReadRequest, report: Report, crs: str, prefix: str, path: Path
    ) -> None:
        self._plan, self._request, self._report = plan, request, report
        self._crs, self._prefix, self._path = crs, prefix, path
        self._assembler: Assembler | None = None

    def features(self, batches: Any, geometry_column: str) -> Iterator[FeatureBatch]:
        first = 1
        for batch in batches:
            for start, stop in _slices(batch.column(geometry_column)):
                rows = batch.slice(start, stop - start)
                numbers = np.arange(first, first + rows.num_rows, dtype=np.int64)
                first += rows.num_rows
                if first > self._request.bounds.table_rows:
                    limit = self._request.bounds.table_rows
                    raise messages.refuse_and_note(
                        self._report, messages.too_large("rows", "行数", limit)
                    )
                yield from self._rows(rows, geometry_column, numbers)

    def _rows(
        self, rows: pa.RecordBatch, geometry_column: str, numbers: NDArray[np.int64]
    ) -> Iterator[FeatureBatch]:
        geometry, spoilt = read_shapes(rows.column(geometry_column), self._report)
        if self._assembler is None:
            transform = self._transform(has_heights(geometry))
            self._assembler = Assembler(
                self._plan, transform, self._report, self._request, prefix=self._prefix
            )
        names = [name for name in rows.schema.names if name != geometry_column]
        _note_mixed(rows, self._plan, self._report)
        yield from self._assembler.batches(_with_times(rows.select(names)), geometry, numbers, spoilt)

    def _transform(self, has_height: bool) -> Transform:
        return layer_transform(
            self._request,
            self._report,
            found=self._crs,
            published=self._plan.profile.crs,
            has_height=has_height,
            what="GeoJSON" if self._path.suffix.lower() in (".geojson", ".json") else "",
        )


def list_layers(path: Path, report: Report) -> list[tuple[str, str | None]]:
    """Layers and their geometry types; BadData where the file is no vector file of its own."""
    indirect.refuse_pointers(path, report)
    if path.suffix.lower() == ".gpkg":
        indirect.refuse_virtual_tables(path, report)
    pyogrio.set_gdal_config_options(GDAL_OPTIONS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = pyogrio.list_layers(path)
    except pyogrio.errors.DataSourceError as error:
        raise _broken(report, error) from error
    if not len(found):
        raise messages.refuse_and_note(report, messages.no_rows())
    return [(str(name), None if kind is None else str(kind)) for name, kind in found]


def count_geometry(meta: dict[str, Any]) -> bool:
    """Whether GDAL found a geometry column in the layer."""
    return bool(meta.get("geometry_type"))


def _keeps_fids(path: Path) -> bool:
    """Whether feature numbers are part of the data, as in a GeoPackage, and not made up on opening."""
    return path.suffix.lower() == ".gpkg"


def _with_times(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Date-times, which come as text so that their zones survive, as instants."""
    for index, entry in enumerate(rows.schema):
        if (entry.metadata or {}).get(b"GDAL:OGR:type") == b"DateTime":
            item = Property(entry.name, "string", "date-time")
            values = convert_column(rows.column(index), item, Rule(), Report(""), strict=False)
            rows = rows.set_column(index, pa.field(entry.name, values.type), values)
    return rows


def _note_mixed(rows: pa.RecordBatch, plan: Plan, report: Report) -> None:
    """Say which columns hold values of several types, where these are kept as text.

    GDAL gives such a column as JSON, like one of objects and lists.
    """
    texts = {source for item, source, _ in plan.bound if source and item.type == "string"}
    for name in rows.schema.names:
        column = rows.column(name)
        if name in texts.union(plan.kept) and str(column.type) == "extension<arrow.json>":
            starts = pc.utf8_slice_codeunits(column.storage.cast(pa.string()), 0, 1)
            plain = pc.invert(pc.is_in(starts, pa.array(["{", "["]))).filter(pc.is_valid(starts))
            if pc.any(plain).as_py():
                report.note(messages.values_mixed(name, "values of several types", "複数の型の値"))


def _slices(geometry: pa.Array) -> Iterator[tuple[int, int]]:
    """Cuts of a batch: at most ``BATCH_ROWS`` rows and, if more than one, ``SLICE_BYTES`` of shapes.

    A shape takes some five times its bytes while it is moved and mended.
    """
    sizes = np.cumsum(
        pc.fill_null(pc.binary_length(_binary(geometry)), 0).to_numpy(zero_copy_only=False)
    )
    start = 0
    while start < len(sizes):
        before = int(sizes[start - 1]) if start else 0
        stop = int(np.searchsorted(sizes, before + SLICE_BYTES, side="right"))
        stop = min(max(stop, start + 1), start + BATCH_ROWS)
        yield start, stop
        start = stop


def _binary(column: pa.Array) -> pa.Array:
    return column.storage if isinstance(column, pa.ExtensionArray) else column


def read_shapes(column: pa.Array, report: Report) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Shapes of a column of WKB, open rings closed; and which rows have bytes that are no shape."""
    values = np.array(column.to_pylist(), dtype=object)
    if not len(values):
        return values, np.zeros(0, dtype=bool)
    shapes, spoilt = shape.closed(values, shapely.from_wkb, report)
    measured = shapely.has_m(shapes)
    if measured.any():
        shapes[measured] = shapely.from_wkb(
            shapely.to_wkb(shapes[measured], output_dimension=3, flavor="iso"), on_invalid="ignore"
        )
    return shapes, spoilt


def _broken(report: Report, error: Exception) -> BadData:
    if "OGR_GEOJSON_MAX_OBJ_SIZE" in str(error):
        return messages.refuse_and_note(report, messages.feature_too_large(FEATURE_MB * 5_000))
    detail = str(error).split("\n")[0].split("': ")[-1].split("; ")[0]
    detail = "" if "/" in detail else detail[:120]  # a path of this machine is nobody's
    return messages.refuse_and_note(report, messages.broken("a vector file", "ベクタファイル", detail))
