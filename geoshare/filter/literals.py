"""Literals of CQL2: instants, intervals and geometries."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import orjson
import shapely
from shapely import affinity
from shapely.geometry.base import BaseGeometry

DAY_US: Final = 86_400_000_000
EVER: Final = (np.iinfo(np.int64).min, np.iinfo(np.int64).max)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# The geometry that a thread read last: that of a filter is asked for when the filter is checked, when
# rows near it are looked for and when it is related to them. Threads share none: asking completes them.
_last = threading.local()
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}$")
_TIMESTAMP: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$"
)


def instant_us(text: object) -> tuple[int, int]:
    """First and last microsecond (since 1970, UTC) of an RFC 3339 timestamp or date.

    Raises
    ------
    ValueError
        where the text is neither.
    """
    if isinstance(text, str) and _TIMESTAMP.match(text):
        # Python reads six decimals; further ones are below the resolution kept.
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.upper()))
        at = _since_epoch(moment)
        return at, at
    if isinstance(text, str) and _DATE.match(text):
        start = _since_epoch(datetime.fromisoformat(text).replace(tzinfo=UTC))
        return start, start + DAY_US - 1
    raise ValueError("a time is neither 2026-01-31 nor 2026-01-31T12:00:00Z")


def _since_epoch(moment: datetime) -> int:
    gap = moment - _EPOCH
    return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds


def interval_us(ends: list[Any]) -> tuple[int, int]:
    """First and last microsecond of an interval closed at both ends.

    An end is a text, ``{"date": ...}`` or ``{"timestamp": ...}``; ``..`` is open, as is a property.
    """
    texts = [
        end.get("timestamp", end.get("date", "..")) if isinstance(end, dict) else end for end in ends
    ]
    start = EVER[0] if texts[0] == ".." else instant_us(texts[0])[0]
    end = EVER[1] if texts[1] == ".." else instant_us(texts[1])[1]
    return start, end


def is_geometry(node: dict[str, Any]) -> bool:
    """Whether a node is a GeoJSON geometry or a bbox."""
    return "bbox" in node or "coordinates" in node or "geometries" in node


def read_geometry(node: dict[str, Any]) -> BaseGeometry:
    """Read a literal geometry, longitude before latitude; a bbox with west > east crosses 180 degrees.

    Raises
    ------
    ValueError
        where it cannot be read or lies outside the world.
    """
    try:
        said = orjson.dumps(node)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise ValueError("a geometry is not GeoJSON") from error
    known: tuple[bytes, BaseGeometry] | None = getattr(_last, "read", None)
    if known is not None and known[0] == said:
        return known[1]
    found = _read(node, said)
    _last.read = said, found
    return found


def _read(node: dict[str, Any], said: bytes) -> BaseGeometry:
    """A literal geometry, valid, within the world and prepared."""
    if "bbox" in node:
        geometry = _read_bbox(node["bbox"])
    else:
        try:
            geometry = shapely.from_geojson(said)
        except shapely.GEOSException as error:
            raise ValueError("a geometry is not GeoJSON") from error
    bounds = geometry.bounds if geometry is not None and not geometry.is_empty else ()
    if len(bounds) != 4 or not np.isfinite(bounds).all():
        raise ValueError("a geometry is empty or not finite")
    if bounds[0] < -360 or bounds[2] > 360 or bounds[1] < -90 or bounds[3] > 90:
        raise ValueError("a geometry lies outside longitude -180..180, latitude -90..90")
    valid = geometry if geometry.is_valid else shapely.make_valid(geometry)
    if bounds[0] < -180 or bounds[2] > 180:
        valid = _wrapped(valid)
    shapely.prepare(valid)
    return valid


def read_area(node: dict[str, Any]) -> BaseGeometry:
    """Read a polygon that states an area: of a request, an agreement, a grant, an emergency.

    A literal of a filter that crosses itself is mended; an area is not, since what its edges enclose
    could be another ground than was meant.

    Raises
    ------
    ValueError
        as :func:`read_geometry`, and for what is no polygon, or crosses or overlaps itself.
    """
    found = read_geometry(node)
    if node.get("type") not in ("Polygon", "MultiPolygon"):
        raise ValueError(f"{str(node.get('type', 'a box'))[:20]} is no Polygon or MultiPolygon")
    reason = str(shapely.is_valid_reason(shapely.from_geojson(orjson.dumps(node))))
    if reason == "Valid Geometry":
        return found
    what, _, place = reason.rstrip("]").partition("[")
    near = ", ".join(f"{float(number):.6f}" for number in place.split()[:2])
    crosses = "Self-intersection" in what
    said = "the polygon crosses itself" if crosses else f"the polygon is not valid ({what.lower()})"
    raise ValueError(f"{said} near {near}" if near else said)


def _wrapped(geometry: BaseGeometry) -> BaseGeometry:
    """Move what lies beyond 180 degrees to the other side of the world."""
    pieces = []
    for west in (-540, -180, 180):
        part = shapely.intersection(geometry, shapely.box(west, -90, west + 360, 90))
        if not part.is_empty:
            pieces.append(affinity.translate(part, -180 - west))
    return shapely.union_all(pieces)


def _read_bbox(numbers: Any) -> BaseGeometry:
    if not isinstance(numbers, list) or len(numbers) not in (4, 6):
        raise ValueError("a bbox has four numbers")
    if not all(isinstance(item, int | float) and np.isfinite(item) for item in numbers):
        raise ValueError("a bbox has four numbers")
    half = len(numbers) // 2
    west, south, east, north = numbers[0], numbers[1], numbers[half], numbers[half + 1]
    if south > north:
        raise ValueError("the south of a bbox is above its north")
    if west <= east:
        return shapely.box(west, south, east, north)
    return shapely.union_all(
        [shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)]
    )
