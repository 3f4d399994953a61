"""What a file looks like before it is contributed: format, columns with samples, a few features."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import shapely

from geoshare.model.batch import FeatureBatch, RasterItem
from geoshare.model.collections import known
from geoshare.model.report import Report
from geoshare.sources.reading import read_file
from geoshare.sources.request import ReadRequest

MAX_FEATURES = 500
MAX_SAMPLES = 5
MAX_VERTICES = 50_000  # of all shown features together; larger ones are shown by their envelopes
_PLACE = (
    {"name": "latitude", "title": "Latitude", "title_ja": "緯度"},
    {"name": "longitude", "title": "Longitude", "title_ja": "経度"},
)


def preview(path: Path, request: ReadRequest) -> dict[str, Any]:
    """Read the first few hundred features and say what would become of each column.

    Returns
    -------
    dict
        ``format``, ``encoding``, ``profile``, ``collection``, ``columns`` (name, property, sample),
        ``properties`` (name, title, title_ja) that a column may become, ``geojson`` of at most 500
        features, and the ``report`` so far (JSON-ready).

    Raises
    ------
    BadData
        As `read_file` would refuse the file.
    """
    watched: dict[str, list[Any]] = {}
    report = Report(path.name)
    items = read_file(
        path, dataclasses.replace(request, watch=lambda rows: _sample(rows, watched)), report
    )
    features: list[dict[str, Any]] = []
    collection: str | None = request.collection
    for item in items:
        collection = collection or item.collection
        features.extend(itertools.islice(_features(item), MAX_FEATURES - len(features)))
        if len(features) >= MAX_FEATURES:
            break
    schema = known().get(collection or "")
    properties = [
        {"name": item.name, "title": item.title, "title_ja": item.title_ja}
        for item in (schema.properties if schema else ())
    ]
    table = report.format.startswith("CSV") or report.format == "xlsx"
    return {
        "format": report.format,
        "encoding": _encoding(report.format),
        "profile": report.mapping or None,
        "collection": collection,
        "columns": [
            {"name": name, "property": target, "sample": watched.get(name, [])}
            for name, target in report.columns.items()
        ],
        "properties": [*(_PLACE if table else ()), *properties],
        "geojson": {"type": "FeatureCollection", "features": _light(features)},
        "report": orjson.loads(orjson.dumps(dataclasses.asdict(report), default=str)),
    }


def _encoding(said: str) -> str | None:
    return said.partition("(")[2].rstrip(")") or None if said.startswith("CSV") else None


def _sample(rows: pa.RecordBatch, watched: dict[str, list[Any]]) -> None:
    """Keep the first different cells of every column."""
    for name in rows.schema.names:
        kept = watched.setdefault(name, [])
        if len(kept) < MAX_SAMPLES:
            for value in rows.column(name).slice(0, 200).to_pylist():
                shown = (
                    value
                    if isinstance(value, (int, float, bool)) or value is None
                    else str(value)[:200]
                )
                if shown not in (None, "") and shown not in kept and len(kept) < MAX_SAMPLES:
                    kept.append(shown)


def _features(item: FeatureBatch | RasterItem) -> Iterator[dict[str, Any]]:
    if isinstance(item, RasterItem):
        shape = shapely.from_wkb(item.footprint_wkb)
        properties: dict[str, Any] = {"collection": item.collection} | item.properties
        yield {"type": "Feature", "id": item.record_id, "geometry": shape, "properties": properties}
        return
    rows = item.properties.slice(0, MAX_FEATURES).to_pylist() or [{}] * len(
        item.record_ids[:MAX_FEATURES]
    )
    for key, shape, row in zip(item.record_ids, item.geometry, rows, strict=False):
        filled = {name: value for name, value in row.items() if value is not None}
        yield {
            "type": "Feature",
            "id": key,
            "geometry": shape,
            "properties": {"collection": item.collection} | filled,
        }


def _light(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Features with JSON geometry and values; heavy shapes are simplified to what a preview needs."""
    shapes = [feature["geometry"] for feature in features]
    total = int(shapely.get_num_coordinates(shapes).sum()) if shapes else 0
    for feature, shape in zip(features, shapes, strict=True):
        if shape is not None and total > MAX_VERTICES:
            west, south, east, north = shape.bounds
            shape = shapely.simplify(shape, max(east - west, north - south) / 500)
        flat = None if shape is None else shapely.force_2d(shape)
        feature["geometry"] = None if flat is None else orjson.loads(shapely.to_geojson(flat))
    return list(orjson.loads(orjson.dumps(features, default=str)))
