"""What is in an answer: features with their values and shapes, whatever format they come in."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import mapbox_vector_tile
import numpy as np
import pyarrow.parquet as pq
import pyogrio
import shapely
from PIL import Image
from shapely.geometry.base import BaseGeometry

from tests.matrix.judge import Shown
from tests.matrix.world import BUFFER, EXTENT, TILE_PX, tile_box

DEGREE_M = 110_574.0  # the shortest degree of latitude
ROUNDING = 2e-7  # degrees: seven decimals are written


class Found(NamedTuple):
    """A feature as it came out."""

    values: dict[str, Any]
    geometry: BaseGeometry


def of_geojson(content: bytes | Mapping[str, Any]) -> dict[str, Found]:
    """Features by id."""
    said = json.loads(content) if isinstance(content, bytes) else content
    return {
        item["id"]: Found(item["properties"], shapely.from_geojson(json.dumps(item["geometry"])))
        for item in said["features"]
    }


def of_extract(content: bytes, collection: str, form: str, folder: Path) -> dict[str, Found]:
    """Features by id of the file in a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(f".{form}")]
        archive.extract(name, folder)
    path = folder / name
    if form == "geojson":
        return of_geojson(path.read_bytes())
    if form == "parquet":
        rows = pq.read_table(path).to_pylist()
        shapes = [row.pop("geometry") for row in rows]
    else:
        meta, _, shapes, columns = pyogrio.raw.read(path, layer=collection)
        lists = [column.tolist() for column in columns]
        rows = [dict(zip(meta["fields"], row, strict=True)) for row in zip(*lists, strict=True)]
    return {
        row.pop("id"): Found({name: _plain(value) for name, value in row.items()}, shape)
        for row, shape in zip(rows, shapely.from_wkb(list(shapes)), strict=True)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def of_tile(content: bytes, tile: tuple[int, int, int]) -> dict[str, dict[str, Found]]:
    """Features by id of each layer, in degrees."""
    west, south, east, north = map(math.radians, tile_box(*tile))
    top, bottom = (math.asinh(math.tan(side)) for side in (north, south))

    def degrees(units: np.ndarray) -> np.ndarray:
        lon = west + units[:, 0] / EXTENT * (east - west)
        lat = np.arctan(np.sinh(bottom + units[:, 1] / EXTENT * (top - bottom)))
        return np.degrees(np.column_stack([lon, lat]))

    layers: Any = mapbox_vector_tile.decode(content)
    return {
        name: {
            item["properties"].pop("id"): Found(
                item["properties"],
                shapely.transform(shapely.from_geojson(json.dumps(item["geometry"])), degrees),
            )
            for item in layer["features"]
        }
        for name, layer in layers.items()
    }


def buffered(tile: tuple[int, int, int], units: float = BUFFER) -> BaseGeometry:
    """A tile with so many units around it."""
    west, south, east, north = tile_box(*tile)
    wide, high = (east - west) * units / EXTENT, (north - south) * units / EXTENT
    return shapely.box(west - wide, south - high, east + wide, north + high)


def unit(tile: tuple[int, int, int]) -> float:
    """The wider side of a tile's unit in degrees."""
    west, _, east, _ = tile_box(*tile)
    return (east - west) / EXTENT


def drawn(content: bytes, tile: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Middles (n, 2) in degrees of the pixels of a picture, and which of them are drawn (n,)."""
    alpha = np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"))[:, :, 3].ravel() > 0
    west, south, east, north = map(math.radians, tile_box(*tile))
    top, bottom = (math.asinh(math.tan(side)) for side in (north, south))
    row, column = np.mgrid[0:TILE_PX, 0:TILE_PX].reshape(2, -1) + 0.5
    lon = west + column / TILE_PX * (east - west)
    lat = np.arctan(np.sinh(top - row / TILE_PX * (top - bottom)))
    return np.degrees(np.column_stack([lon, lat])), alpha


def reach(shown: Shown) -> float:
    """Degrees by which snapping may move a vertex, and simplifying a line."""
    return 2.5 * shown.snap_m / DEGREE_M


def check_shape(found: BaseGeometry, shown: Shown, slack: float = ROUNDING) -> None:
    """Nothing of a shape lies beyond what is shown of it, and beyond the fence nothing at all."""
    near = reach(shown) + slack
    assert not found.is_empty
    assert found.difference(shown.geometry.buffer(near)).is_empty
    if shown.fence is not None:
        assert found.difference(shown.fence.buffer(slack)).is_empty
    if shown.snap_m and shown.fence is None and slack == ROUNDING:
        step = shown.snap_m / DEGREE_M
        lat = shapely.get_coordinates(found)[:, 1]
        assert np.abs(lat - np.round(lat / step) * step).max() < step / 100


def check_whole(found: BaseGeometry, shown: Shown, slack: float = ROUNDING) -> None:
    """All of what is shown of a feature is there."""
    assert shown.geometry.difference(found.buffer(reach(shown) + slack)).is_empty
