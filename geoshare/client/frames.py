"""Features as GeoDataFrames, and as a GeoPackage."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import geopandas
import orjson
import pandas
import shapely

CRS: Final = "OGC:CRS84"


def frame_of(features: Iterable[Mapping[str, Any]]) -> geopandas.GeoDataFrame:
    """GeoJSON features as a GeoDataFrame in CRS84 (longitude, latitude), indexed by id."""
    found = list(features)
    shapes = shapely.from_geojson(
        [None if item["geometry"] is None else orjson.dumps(item["geometry"]) for item in found]
    )
    columns = dict.fromkeys(name for item in found for name in item["properties"])
    data = {name: [item["properties"].get(name) for item in found] for name in columns}
    index = pandas.Index([item["id"] for item in found], name="id", dtype="str")
    return geopandas.GeoDataFrame(data, geometry=shapes, crs=CRS, index=index)


def write_gpkg(path: Path, layers: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
    """Write one layer for each collection; the file appears whole or not at all."""
    aside = path.with_name(f".{path.name}.new.gpkg")
    aside.unlink(missing_ok=True)
    for name, features in layers.items():
        frame = frame_of(features)
        for column in frame.columns.drop("geometry"):
            frame[column] = [_plain(value) for value in frame[column]]
        frame = frame.rename_axis("feature_id").reset_index()
        frame.to_file(
            aside, layer=name, driver="GPKG", engine="pyogrio", mode="a" if aside.exists() else "w"
        )
    os.replace(aside, path)


def _plain(value: Any) -> Any:
    """Lists and objects as JSON text, which a table can hold."""
    return orjson.dumps(value).decode() if isinstance(value, list | dict) else value
