"""Signals, objects, bridges and tunnels of a road as features, each with the element it was made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from lxml import etree
from numpy.typing import NDArray

from geoshare.model.report import Report
from geoshare.model.roads import Road
from geoshare.model.roads.sampling import refine
from geoshare.sources import messages
from geoshare.sources.opendrive import words
from geoshare.sources.opendrive.fragments import text_of, without
from geoshare.sources.opendrive.map import MapContext
from geoshare.sources.opendrive.outlines import Local, outline_of
from geoshare.sources.opendrive.parse import Parsed
from geoshare.sources.opendrive.xml import BrokenError, attributes, number, word
from geoshare.sources.records import Record

Array = NDArray[np.float64]
MAX_REPEATED = 10_000
_STOP_LINES = {"de": "294", "opendrive": "294"}


def things_of(parsed: Parsed, context: MapContext, report: Report) -> Iterator[Record]:
    """Records of everything that stands on or beside a road."""
    makers = (
        ("signals/signal", _signal),
        ("objects/object", _object),
        ("objects/bridge", _span),
        ("objects/tunnel", _span),
    )
    for path, make in makers:
        for item in parsed.element.iterfind(path):
            try:
                yield from make(parsed, context, item)
            except BrokenError as error:
                key = context.id(parsed.road.id, item.tag, word(item, "id"))
                report.rows_read += 1
                report.refuse(key, messages.thing_broken(str(error)[:80]), attributes(item))


def _signal(parsed: Parsed, context: MapContext, item: etree._Element) -> Iterator[Record]:
    """A sign or signal as what stands there, and as the rule that it is."""
    road, signal = parsed.road, word(item, "id")
    s, t = number(item, "s"), number(item, "t")
    place, heading = road.place(np.array([s]), np.array([t]))
    place[:, 2] += number(item, "zOffset", 0.0)
    point = shapely.Point(context.frame.apply(place)[0])
    way = word(item, "orientation")
    facing = float(heading[0]) + number(item, "hOffset", 0.0) + (0.0 if way == "-" else np.pi)
    country, kind = word(item, "country"), word(item, "type")
    dynamic = words.truth(word(item, "dynamic"))
    limit = words.sign_speed_kmh(item)
    code = "-".join(part for part in (kind, word(item, "subtype")) if part not in ("", "-1", "none"))
    stop_line = kind == _STOP_LINES.get(country.lower() or "opendrive")
    key = context.signal(road.id, signal)
    standing: dict[str, Any] = {
        "class": "stop_line" if stop_line else "signal" if dynamic else "sign",
        "subtype": (country.lower() + code) or None,
        "orientation_deg": context.frame.bearing_deg(np.array([point.x, point.y]), facing),
        "height_m": number(item, "height", 0.0) or None,
        "segment_id": context.id(road.id),
        "side": _side(t),
        "extra": {"name": word(item, "name")} if word(item, "name") else None,
    }
    rule = {
        "subtype": "traffic_light" if dynamic else "speed_limit" if limit else "traffic_sign",
        "lane_ids": context.ruled.get((road.id, signal)),
        "refers_ids": [f"roadside_features/{key}"],
        "roles": {"refers": [f"roadside_features/{key}"]},
        "speed_limit_kmh": limit,
        "dynamic": dynamic,
        "opendrive": {"signal": signal, "controllers": context.network.controllers.get(signal, [])},
    }
    without(item, "validity", "dependency", "reference")
    standing["opendrive"] = {"signal": text_of(item)}
    yield Record("roadside_features", key, point, standing)
    yield Record("regulatory_elements", key, point, rule)


def _side(t: float) -> str | None:
    return "left" if t > 0 else "right" if t < 0 else "on"


def _object(parsed: Parsed, context: MapContext, item: etree._Element) -> Iterator[Record]:
    """An object: by its outline, its repetition, its size, or its place, whichever says most."""
    kind, road = word(item, "type"), parsed.road
    key = context.id(road.id, "object", word(item, "id"))
    s, t = number(item, "s"), number(item, "t")
    (place,), (heading,) = road.place(np.array([s]), np.array([t]))
    place[2] += number(item, "zOffset", 0.0)
    local = Local(place, float(heading) + number(item, "hdg", 0.0))
    sized = kind in words.AREAS or kind in ("crosswalk", "parkingSpace", "building")
    shape = _repeated(parsed, context, item) or outline_of(road, item, local, context.frame)
    if shape is None and sized:
        shape = local.box(number(item, "length", 0.0), number(item, "width", 0.0), context.frame)
    if shape is None:
        shape = shapely.Point(context.frame.apply(place[None])[0])
    name = word(item, "name") or None
    extra = {"name": name} if name else {}
    without(item, "validity")
    properties: dict[str, Any] = {"opendrive": {"object": text_of(item)}, "extra": extra or None}
    if kind in words.AREAS and shapely.get_dimensions(shape) == 2:
        properties |= {"subtype": words.AREAS[kind], "segment_id": context.id(road.id)}
        yield Record("areas", key, shape, properties)
    elif kind in words.STRUCTURES:
        properties |= {"kind": words.STRUCTURES[kind], "name": name, "segment_id": context.id(road.id)}
        yield Record("structures", key, shape, properties)
    else:
        properties |= {
            "class": words.OBJECTS.get(kind, words.snake(kind) or "object"),
            "subtype": word(item, "subtype") or None,
            "height_m": number(item, "height", 0.0) or None,
            "segment_id": context.id(road.id),
            "side": _side(t),
        }
        yield Record("roadside_features", key, shape, properties)


def _repeated(parsed: Parsed, context: MapContext, item: etree._Element) -> shapely.Geometry | None:
    """Objects in a row as points, one that runs along the road as a line."""
    points, lines = [], []
    for repeat in item.iterfind("repeat"):
        row = _Row.of(parsed.road, repeat)
        if row is not None and row.distance > 0:
            points.append(row.at(row.stations()))
        elif row is not None:
            lines.append(refine(row.line, row.breaks(), context.chord_m).lines[0])
    shapes = [shapely.LineString(context.frame.apply(line)) for line in lines]
    if shapes:
        return shapes[0] if len(shapes) == 1 else shapely.MultiLineString(shapes)
    if points:
        return shapely.MultiPoint(context.frame.apply(np.vstack(points)))
    return None


@dataclass(frozen=True, slots=True)
class _Row:
    """One ``repeat``: objects every ``distance`` metres, or one that runs on where that is zero."""

    road: Road
    s: float
    length: float
    distance: float
    t: tuple[float, float]
    z: tuple[float, float]

    @classmethod
    def of(cls, road: Road, repeat: etree._Element) -> _Row | None:
        s, length = number(repeat, "s"), number(repeat, "length")
        distance = number(repeat, "distance", 0.0)
        if length <= 0 or distance < 0:
            return None
        t, z = (
            (number(repeat, f"{name}Start", 0.0), number(repeat, f"{name}End", 0.0))
            for name in ("t", "zOffset")
        )
        return cls(road, s, length, distance, t, z)

    def at(self, s: Array) -> Array:
        share = (s - self.s) / self.length
        found, _ = self.road.place(s, self.t[0] + share * (self.t[1] - self.t[0]))
        found[:, 2] += self.z[0] + share * (self.z[1] - self.z[0])
        return found

    def line(self, s: Array) -> Array:
        return self.at(s)[None]

    def stations(self) -> Array:
        count = min(int(self.length / self.distance + 1e-9) + 1, MAX_REPEATED)
        return self.s + self.distance * np.arange(count, dtype=np.float64)

    def breaks(self) -> Array:
        end = self.s + self.length
        return np.unique(np.clip([self.s, *self.road.plan.starts, end], self.s, end))


def _span(parsed: Parsed, context: MapContext, item: etree._Element) -> Iterator[Record]:
    """A bridge or tunnel: the part of the reference line that runs over or through it."""
    road = parsed.road
    s = number(item, "s")
    start, end = max(s, 0.0), min(s + number(item, "length"), road.length)
    if end <= start:
        raise BrokenError(f"{item.tag}@length")
    breaks = np.unique(np.clip([start, *road.plan.starts, *road.elevation.starts, end], start, end))
    found = refine(lambda at: road.reference(at)[None], breaks, context.chord_m)
    extra = {f"{item.tag}_type": word(item, "type")} if word(item, "type") else None
    properties = {
        "kind": str(item.tag),
        "name": word(item, "name") or None,
        "segment_id": context.id(road.id),
        "extra": extra,
        "opendrive": {str(item.tag): text_of(without(item, "validity"))},
    }
    key = context.id(road.id, item.tag, word(item, "id"))
    yield Record("structures", key, shapely.LineString(context.frame.apply(found.lines[0])), properties)
