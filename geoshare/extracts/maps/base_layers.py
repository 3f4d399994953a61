"""The background: land, water, buildings, boundaries, names, and whatever has no design of its own."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from geoshare.extracts.maps.drawing import Drawing, Layer, Paint
from geoshare.extracts.maps.fonts import BOLD, MEDIUM
from geoshare.extracts.maps.labels import Label, Place, around
from geoshare.extracts.maps.legend import line, swatch
from geoshare.extracts.maps.reading import Features
from geoshare.extracts.maps.style import BASE, STYLE, by_zoom

TOWNS: Final = ("city", "town", "village", "prefecture")
GROUP: Final = 90  # of the legend


def paint_land(drawing: Drawing, features: Features) -> None:
    """Land, where anything is known of it: what is left is sea."""
    land = features.shapes[features.of_dimension(2)]
    drawing.pen.fill(drawing.edge, BASE["sea"])
    drawing.pen.fill(land, BASE["land"])


def paint_boundaries(drawing: Drawing, features: Features) -> None:
    """Boundaries of areas, fine between districts."""
    coarse = features.being("level", "prefecture", "city")
    flat = features.of_dimension(2)
    pen, zoom = drawing.pen, drawing.zoom
    for chosen, colour, stops in (
        (flat & ~coarse, BASE["boundaryFine"], [[9, 0.2], [16, 1.1]]),
        (flat & coarse, BASE["boundary"], [[9, 0.8], [16, 2.2]]),
    ):
        width = drawing.px(by_zoom(stops, zoom))
        pen.stroke(features.shapes[chosen], colour, width, (4 * width, 2 * width), cap=0)
    if flat.any() and drawing.frame.zoom > 8:
        look = line([(BASE["boundary"], 0.4, (1.6, 0.8))])
        drawing.legend.add(GROUP, 5, drawing.say("boundary"), look)


def paint_water(drawing: Drawing, features: Features) -> None:
    """Sea, rivers, ponds."""
    areas = features.shapes[features.of_dimension(2)]
    width = drawing.px(by_zoom([[10, 0.4], [17, 1.2]], drawing.zoom))
    drawing.pen.fill(areas, BASE["water"])
    drawing.pen.stroke(features.shapes[~features.of_dimension(0)], BASE["waterEdge"], width)
    if len(features):
        look = swatch(BASE["water"], BASE["waterEdge"])
        drawing.legend.add(GROUP, 6, drawing.say("water"), look)


def paint_buildings(drawing: Drawing, features: Features) -> None:
    """Buildings."""
    areas = features.shapes[features.of_dimension(2)]
    drawing.pen.fill(areas, BASE["building"])
    drawing.pen.stroke(areas, BASE["buildingEdge"], drawing.px(0.5))
    if len(areas):
        look = swatch(BASE["building"], BASE["buildingEdge"])
        drawing.legend.add(GROUP, 7, drawing.say("building"), look)


def paint_places(drawing: Drawing, features: Features) -> None:
    """Names of places, the important first."""
    zoom, columns = drawing.zoom, features.columns
    for at, shape in enumerate(features.shapes):
        kind = columns["class"][at] or ""
        name = drawing.say.name(columns["name"][at], columns["name_en"][at])
        if not name or shape.geom_type != "Point":
            continue
        town = kind in TOWNS
        size = drawing.px(by_zoom([[9, 13 if town else 10], [16, 21 if town else 14]], zoom))
        colour = BASE["text"]
        if kind in ("water", "river", "sea", "bay"):
            colour = BASE["waterText"]
        elif kind == "station":
            colour = BASE["stationText"]
        low = shape.y - size * 0.33
        rank = columns["rank"][at]
        drawing.labels.add(
            Label(
                name,
                [Place(shape.x, low), Place(shape.x, low + size), Place(shape.x, low - size)],
                size,
                30 + (50 if rank is None else min(max(rank, 0), 99)) / 100 - (5 if town else 0),
                BOLD if town else MEDIUM,
                colour,
            )
        )


def plain(colour: str, title: str, order: int, label: str) -> Paint:
    """Draw a collection that has no design: by its geometry, in one colour, points with their names."""

    def paint(drawing: Drawing, features: Features) -> None:
        pen = drawing.pen
        areas = features.shapes[features.of_dimension(2)]
        pen.fill(areas, colour, 0.25)
        width = drawing.px(by_zoom([[10, 1], [16, 3]], drawing.zoom))
        pen.stroke(features.shapes[~features.of_dimension(0)], colour, width)
        radius = drawing.px(by_zoom([[8, 2], [16, 6]], drawing.zoom))
        names = features.columns.get(label) or [None] * len(features)
        for at in np.flatnonzero(features.of_dimension(0)):
            for x, y in shapely.get_coordinates(features.shapes[at]):
                pen.circle(x, y, radius, fill=colour, edge="#ffffff", width=drawing.px(1.5))
                drawing.labels.reserve((x - radius, y - radius, x + radius, y + radius))
                if isinstance(names[at], str) and drawing.zoom >= 14:
                    size = drawing.px(11)
                    drawing.labels.add(Label(names[at], around(x, y, radius, size), size, 50))
        if len(features):
            look = swatch(colour, colour, alpha=0.25, width=0.4)
            drawing.legend.add(60, order, title, look)

    return paint


def colour_of(name: str) -> str:
    """Return the steady colour of a collection without a design, as in the browser."""
    value = 0
    for character in name:
        value = (value * 31 + ord(character)) & 0xFFFFFFFF
    others: list[str] = STYLE["others"]
    return others[value % len(others)]


BASE_LAYERS: Final = {
    "water": Layer(20, (), paint_water),
    "buildings": Layer(30, (), paint_buildings, from_zoom=13),
    "places": Layer(95, ("class", "name", "name_en", "rank"), paint_places),
}
