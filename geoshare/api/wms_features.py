"""What lies at a pixel of a map: features that are drawn there, and values of rasters."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, Final

import numpy as np
import orjson
import shapely

from geoshare.access.view import View
from geoshare.api.context import caller, services
from geoshare.api.ows import OwsError
from geoshare.api.ows_layers import OwsLayer
from geoshare.api.wms_capabilities import INFO_FORMATS
from geoshare.api.wms_map import Wanted
from geoshare.drawing import Frame
from geoshare.model.times import iso, parse_interval
from geoshare.query.detail import detail_rule
from geoshare.query.select import of_time
from tiles.arrays import Rows
from tiles.geometry.convert import to_shapely

REACH_PX: Final = 5.0
MAX_LOOKED_AT: Final = 2_000


def answered(
    layers: Sequence[OwsLayer], wanted: Wanted, pixel: tuple[int, int], most: int, media: str
) -> tuple[bytes, str]:
    """Body and media type. Raises OwsError, and Withheld for what the caller may see but not read."""
    if media not in INFO_FORMATS:
        raise OwsError(
            f"The format is one of {', '.join(INFO_FORMATS)}", "InvalidFormat", "INFO_FORMAT"
        )
    found: list[tuple[str, str, list[dict[str, Any]]]] = []
    for layer in layers:
        if layer.raster is not None:
            found.append((layer.name, layer.title, _value(layer, wanted, pixel)))
        for drawn in layer.views:
            name = drawn.collection.name
            view = services().view(caller(), name, "read")
            title = drawn.collection.title_ja or drawn.collection.title
            found.append((name, title, _features(view, wanted, pixel, most)))
    return _written(found, media), media if media == "application/json" else f"{media}; charset=utf-8"


def _features(view: View, wanted: Wanted, pixel: tuple[int, int], most: int) -> list[dict[str, Any]]:
    """GeoJSON features, the nearest to the pixel's middle first."""
    frame = wanted.frame
    column, row = pixel
    west, south, east, north = frame.box
    wide, high = (east - west) / frame.width, (north - south) / frame.height
    corner = (west + column * wide, north - (row + 1) * high)
    spot = Frame(frame.matrix_set, (*corner, corner[0] + wide, corner[1] + high), 1, 1)
    rows = view.search(
        spot.search_boxes(REACH_PX, REACH_PX),
        limit=MAX_LOOKED_AT,
        detail=(detail_rule(view.collection.name), frame.detail_zoom),
    )
    interval = parse_interval(wanted.when) if wanted.when else None
    near: list[tuple[float, int, int]] = []
    for number, (table, chosen) in enumerate(of_time(view, rows, interval).pairs):
        away = _away(frame, to_shapely(table.geometries, chosen), pixel)
        near += [
            (float(px), number, int(at)) for px, at in zip(away, chosen, strict=True) if px <= REACH_PX
        ]
    found: list[dict[str, Any]] = []
    for _, number, at in sorted(near)[:most]:
        one = Rows((rows.tables[number],), (np.array([at], np.int32),))
        found.append(orjson.loads(view.geojson(one)))
    return found


def _away(frame: Frame, shapes: Any, pixel: tuple[int, int]) -> Any:
    """Pixels from the middle of a pixel to shapes in degrees; 0 inside of areas."""
    west, south, east, north = frame.box

    def placed(lon_lat: Any) -> Any:
        xy = frame.matrices.to_crs(lon_lat)
        return np.column_stack(
            [
                (xy[:, 0] - west) / (east - west) * frame.width,
                (north - xy[:, 1]) / (north - south) * frame.height,
            ]
        )

    if not len(shapes):
        return np.zeros(0)
    drawn = shapely.transform(shapely.force_2d(shapes), placed)
    away = shapely.distance(drawn, shapely.Point(pixel[0] + 0.5, pixel[1] + 0.5))
    return np.where(np.isnan(away), np.inf, away)


def _value(layer: OwsLayer, wanted: Wanted, pixel: tuple[int, int]) -> list[dict[str, Any]]:
    """The value of a raster as a feature without a place."""
    assert layer.raster is not None
    frame = wanted.frame
    west, south, east, north = frame.box
    x = west + (pixel[0] + 0.5) / frame.width * (east - west)
    y = north - (pixel[1] + 0.5) / frame.height * (north - south)
    lon, lat = frame.matrices.from_crs(np.array([[x, y]])).tolist()[0]
    found = services().rasters.value(layer.raster, (lon, lat), wanted.when)
    if found is None or found.value is None:
        return []
    said = {"value": found.value, "unit": found.unit, "time": iso(found.datetime_us)}
    return [{"type": "Feature", "geometry": None, "properties": said}]


def _written(found: list[tuple[str, str, list[dict[str, Any]]]], media: str) -> bytes:
    if media == "application/json":
        features = [{**feature, "layer": name} for name, _, features in found for feature in features]
        return orjson.dumps({"type": "FeatureCollection", "features": features})
    rows = [
        (title, feature.get("id"), feature["properties"])
        for _, title, features in found
        for feature in features
    ]
    if media == "text/plain":
        return "".join(_plain(*row) for row in rows).encode() or "該当なし / Nothing here\n".encode()
    tables = "".join(_table(*row) for row in rows) or "<p>該当なし / Nothing here</p>"
    head = '<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>GetFeatureInfo</title>'
    return f"{head}</head><body>{tables}</body></html>".encode()


def _known(properties: dict[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in properties.items() if value is not None}


def _plain(title: str, feature_id: object, properties: dict[str, Any]) -> str:
    lines = [f"[{title}] {feature_id or ''}".rstrip()]
    lines += [f"  {name} = {value}" for name, value in _known(properties).items()]
    return "\n".join(lines) + "\n"


def _table(title: str, feature_id: object, properties: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in _known(properties).items()
    )
    head = escape(f"{title} {feature_id or ''}".strip())
    return f'<table border="1"><caption>{head}</caption>{rows}</table>'
