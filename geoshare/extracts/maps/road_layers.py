"""Roads by their class, railways, and their names along them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import shapely

from geoshare.extracts.maps.drawing import Drawing, Layer
from geoshare.extracts.maps.frame import Shapes
from geoshare.extracts.maps.labels import Label, Place
from geoshare.extracts.maps.legend import line
from geoshare.extracts.maps.reading import Features
from geoshare.extracts.maps.style import BASE, STYLE, by_zoom

ROADS: Final = STYLE["roads"]
GROUP: Final = 80
NAMES_FROM_ZOOM: Final = 14
STRAIGHT: Final = 0.985  # of a stretch's length lie between its ends, or no name fits along it
AGAIN_MM: Final = 70.0
_KIND_OF: Final[dict[str, str]] = {
    name: kind for kind, names in ROADS["kinds"].items() for name in names
}


def kind_of(road_class: str | None) -> str:
    """Return which of the five looks a class of roads has."""
    return _KIND_OF.get(road_class or "", "minor")


def paint_roads(drawing: Drawing, features: Features) -> None:
    """Casings first, then roads from footways to motorways, so that crossings join."""
    kinds = np.array([kind_of(name) for name in features.columns["class"]], dtype=object)
    lined = features.of_dimension(1)
    rails = lined & features.being("subtype", "rail")
    roads = lined & ~rails & ~features.being("subtype", "water")
    zoom, pen = drawing.zoom, drawing.pen
    for part, colours in (("casing", ROADS["edge"]), ("width", ROADS["fill"])):
        for kind in ROADS["order"]:
            width = drawing.px(by_zoom(ROADS[part][kind], zoom))
            pen.stroke(features.shapes[roads & (kinds == kind)], colours[kind], width)
    _rails(drawing, features.shapes[rails])
    _explain(drawing, set(kinds[roads]), bool(rails.any()))
    if zoom >= NAMES_FROM_ZOOM:
        _name(drawing, features.where(roads | rails))


def _rails(drawing: Drawing, rails: Shapes) -> None:
    width = drawing.px(by_zoom([[10, 0.8], [17, 3]], drawing.zoom))
    drawing.pen.stroke(rails, BASE["rail"], max(width, 0.3))
    if drawing.zoom >= 13:
        drawing.pen.stroke(rails, "#ffffff", max(width * 0.6, 0.15), (1.6, 1.6), cap=0)


def _explain(drawing: Drawing, kinds: set[str], has_rails: bool) -> None:
    say = drawing.say
    for order, (kind, word) in enumerate(
        (("motorway", "motorway"), ("main", "main"), ("minor", "minor"), ("foot", "foot"))
    ):
        shown = kinds & ({kind, "tertiary"} if kind == "minor" else {kind})
        if shown:
            look = line([(ROADS["edge"][kind], 1.5, ()), (ROADS["fill"][kind], 1.1, ())])
            drawing.legend.add(GROUP, order, say(word), look)
    if has_rails:
        look = line([(BASE["rail"], 0.7, ()), ("#ffffff", 0.4, (1.6, 1.6))])
        drawing.legend.add(GROUP, 4, say("railway"), look)


def _name(drawing: Drawing, features: Features) -> None:
    """One name for each stretch of a road, along its longest straight piece."""
    by_name: dict[str, list[int]] = {}
    for at, (name, name_en) in enumerate(
        zip(features.columns["name"], features.columns["name_en"], strict=True)
    ):
        if spoken := drawing.say.name(name, name_en):
            by_name.setdefault(spoken, []).append(at)
    size = drawing.px(by_zoom([[14, 10.5], [18, 14]], drawing.zoom))
    for name in sorted(by_name):
        members = by_name[name]
        kinds = [kind_of(features.columns["class"][at]) for at in members]
        rank = 40 - max(ROADS["order"].index(kind) for kind in kinds)
        for piece in _pieces(features.shapes[members]):
            places = list(along(piece, len(name) * size * 1.05, size))
            if places:
                drawing.labels.add(Label(name, places, size, rank, again_mm=AGAIN_MM))


def _pieces(shapes: Shapes) -> list[shapely.LineString]:
    """Join lines end to end; the longest pieces first."""
    merged = shapely.line_merge(shapely.multilinestrings(shapely.get_parts(shapes)))
    pieces = [piece for piece in shapely.get_parts(merged) if piece.geom_type == "LineString"]
    return sorted(pieces, key=lambda piece: (-piece.length, piece.wkb))[:8]


def along(piece: shapely.LineString, long_mm: float, size: float) -> Iterator[Place]:
    """Places where a text lies along a line: its straight stretches, the middle ones first."""
    length = piece.length
    if length < long_mm:
        return
    middles = np.arange(long_mm / 2, length - long_mm / 2 + 1e-9, max(long_mm / 2, 5.0))
    for middle in sorted(middles.tolist(), key=lambda middle: abs(middle - length / 2))[:12]:
        ends = shapely.line_interpolate_point(piece, [middle - long_mm / 2, middle + long_mm / 2])
        (x0, y0), (x1, y1) = shapely.get_coordinates(ends)
        if math.hypot(x1 - x0, y1 - y0) < STRAIGHT * long_mm:
            continue
        angle = math.degrees(math.atan2(y1 - y0, x1 - x0))
        if angle > 90 or angle <= -90:
            angle -= math.copysign(180, angle)
        turn = math.radians(angle)
        low = 0.33 * size
        x, y = (x0 + x1) / 2 + low * math.sin(turn), (y0 + y1) / 2 - low * math.cos(turn)
        yield Place(x, y, 0.5, round(angle, 2))


ROAD_LAYERS: Final = {
    "segments": Layer(50, ("subtype", "class", "name", "name_en"), paint_roads),
}
