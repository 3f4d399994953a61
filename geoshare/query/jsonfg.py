"""Features as JSON-FG 1.0 (OGC 21-045r1): GeoJSON with time, type and geometry in any system."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.filter.values import Numbers, Spans, read_column
from geoshare.model.crs import CRS84, is_native
from geoshare.model.times import iso
from geoshare.query.projected import geojson_in
from tiles.arrays import FeatureTable, Rows

_SPEC: Final = "http://www.opengis.net/spec/json-fg-1/1.0/conf"
CONFORMS: Final = (f"{_SPEC}/core", f"{_SPEC}/types-schemas")
_DIMENSIONS: Final = {"point": 0, "line": 1, "polygon": 2}
_DAY_US: Final = 86_400_000_000


def head(view: View, crs: str, schema: str) -> dict[str, Any]:
    """Members of the root object: what it conforms to, type, schema and reference system.

    ``schema`` is the address of the collection's schema; ``crs`` the system of ``place``.
    """
    found: dict[str, Any] = {
        "conformsTo": list(CONFORMS),
        "featureType": view.collection.name,
        "featureSchema": schema,
    }
    if not is_native(crs):
        found["coordRefSys"] = crs
    return found


def dimension(view: View) -> dict[str, int]:
    """``geometryDimension`` of a collection whose features all have the same."""
    kind = view.collection.geometry
    return {"geometryDimension": _DIMENSIONS[kind]} if kind in _DIMENSIONS else {}


def features(
    view: View, rows: Rows, columns: tuple[str, ...], crs: str, *, both: bool
) -> list[dict[str, Any]]:
    """JSON-FG features of the rows.

    In a system other than CRS84 the geometry is the ``place``, and ``geometry`` is null, or the
    geometry in longitude and latitude too where ``both`` is wanted.
    """
    found = _read(view, rows, columns, CRS84)
    times = [time for table, numbers in rows.pairs for time in _times(view, table, numbers)]
    for feature, time in zip(found, times, strict=True):
        feature["time"] = time
        feature["place"] = None
    if is_native(crs):
        return found
    for feature, moved in zip(found, _read(view, rows, (), crs), strict=True):
        feature["place"] = moved["geometry"]
        if not both:
            feature["geometry"] = None
    return found


def _read(view: View, rows: Rows, columns: tuple[str, ...], crs: str) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = orjson.loads(b"[" + geojson_in(view, rows, columns, crs) + b"]")
    return read


def _times(view: View, table: FeatureTable, rows: NDArray[np.int32]) -> list[dict[str, Any] | None]:
    """The ``time`` of each row, of the collection's times that are visible; None: not known."""
    names = view.collection.time
    if not names or not all(view.has_column(name) for name in names):
        return [None] * len(rows)
    read = [read_column(table.column(name), rows) for name in names]
    ends = [value for value in read if isinstance(value, Numbers | Spans)]
    days = all(isinstance(value, Spans) for value in ends)
    texts = [_texts(value, days=days) for value in ends]
    if len(texts) == 1:
        word = "date" if days else "timestamp"
        return [None if text is None else {word: text} for text in texts[0]]
    return [
        None if start is None and end is None else {"interval": [start or "..", end or ".."]}
        for start, end in zip(texts[0], texts[-1], strict=True)
    ]


def _texts(value: Numbers | Spans, *, days: bool) -> list[str | None]:
    moments = value.values if isinstance(value, Numbers) else value.start
    return [
        _text(int(at), days=days) if known else None
        for at, known in zip(moments, value.valid, strict=True)
    ]


def _text(moment_us: int, *, days: bool) -> str | None:
    """RFC 3339 text in UTC; None for a time that has none."""
    try:
        if days:
            day = datetime.fromtimestamp(moment_us // _DAY_US * 86_400, UTC)
            return day.date().isoformat()
        return iso(moment_us)
    except (ValueError, OverflowError, OSError):
        return None
