"""Signs at points: evacuation sites and shelters with their numbers, water points, damage."""

from __future__ import annotations

from typing import Any, Final

import shapely

from geoshare.extracts.maps import symbols
from geoshare.extracts.maps.drawing import Drawing, Layer
from geoshare.extracts.maps.fonts import BOLD
from geoshare.extracts.maps.labels import Area, Label, around
from geoshare.extracts.maps.legend import Draw
from geoshare.extracts.maps.pen import Pen
from geoshare.extracts.maps.places import Place
from geoshare.extracts.maps.reading import Features
from geoshare.extracts.maps.style import by_zoom
from geoshare.model.appearance import STYLE

PLACES, OTHERS = 0, 25  # groups of the legend
NAMES_FROM_ZOOM: Final = 13.5
MARKS_FROM_ZOOM: Final = 14.0
SIZE: Final[list[list[float]]] = [
    [9, 10.5],
    [13, 21],
    [16, 30],
]  # pixels of a sign by zoom, as in the browser
GREEN: Final[str] = STYLE["facilityInk"]


def paint_place_signs(drawing: Drawing) -> None:
    """Signs of all places of the drawing: a site and a shelter of one place side by side.

    What a site is designated for stands below its sign where there is room; the list has it too.
    """
    frame = drawing.frame
    size = drawing.px(by_zoom(SIZE, drawing.zoom))
    signs = []
    for place in drawing.places:
        x = (place.east_north[0] - frame.west_m) * 1000 / frame.scale
        y = (place.east_north[1] - frame.south_m) * 1000 / frame.scale
        if -size < x < frame.width_mm + size and -size < y < frame.height_mm + size:
            signs.append((place, x, y))
    taken = [_reach(place, x, y, size) for place, x, y in signs]
    for at in reversed(range(len(signs))):
        place, x, y = signs[at]
        _draw_signs(drawing, place, x, y, size)
        others = taken[:at] + taken[at + 1 :]
        if drawing.zoom >= MARKS_FROM_ZOOM and place.site is not None:
            taken[at] = _hazard_marks(drawing, place, x - _off(place, size), taken[at], size, others)
        drawing.labels.reserve(taken[at])
        name = drawing.say.name(place.says("name"), place.says("name_en"))
        if drawing.zoom >= NAMES_FROM_ZOOM and name:
            letters = drawing.px(by_zoom([[13, 11], [18, 14]], drawing.zoom))
            half = (taken[at][2] - taken[at][0]) / 2
            places = around((taken[at][0] + taken[at][2]) / 2, y, half, letters)
            drawing.labels.add(Label(name, places, letters, 10, BOLD, GREEN, 0.4))


def _off(place: Place, size: float) -> float:
    """How far the signs of a site and a shelter stand from their place."""
    return size * 0.5 if place.site is not None and place.shelter is not None else 0.0


def _reach(place: Place, x: float, y: float, size: float) -> Area:
    """What the signs of a place cover, with its number."""
    wide = size / 2 + _off(place, size)
    number = max(size * 0.5, 2.3) / 2 if place.number else 0.0
    return x - wide, y - size / 2, x + wide + number, y + size / 2 + number


def _draw_signs(drawing: Drawing, place: Place, x: float, y: float, size: float) -> None:
    pen, off = drawing.pen, _off(place, size)
    if place.site is not None:
        symbols.site(pen, x - off, y, size)
        _explain_site(drawing)
    if place.shelter is not None:
        symbols.shelter(pen, x + off, y, size, place.state)
        _explain_shelter(drawing, place)
    if drawing.numbered and place.number:
        number = max(size * 0.5, 2.3)
        symbols.number_badge(pen, x + size / 2 + off, y + size / 2, place.number, number)
        drawing.legend.add(PLACES, 20, drawing.say("list_number"), _number_swatch)


def _hazard_marks(
    drawing: Drawing, place: Place, x: float, own: Area, size: float, others: list[Area]
) -> Area:
    """What the site is designated for, in rows of four below its sign; returns what is covered now."""
    chosen = [name for name in symbols.HAZARDS if place.hazards.get(name)]
    radius = size * 0.25
    wide = min(4, len(chosen)) * radius * 1.03
    high = radius * 2.1 * -(-len(chosen) // 4)
    marks = (x - wide, own[1] - high, x + wide, own[1])
    if not chosen or any(_meet(marks, other) for other in others):
        return own
    for at, name in enumerate(chosen):
        row, column = divmod(at, 4)
        in_row = min(4, len(chosen) - 4 * row)
        left = x + (column - (in_row - 1) / 2) * radius * 2.05
        low = own[1] - radius * (1.05 + 2.1 * row)
        symbols.hazard_mark(drawing.pen, left, low, radius, name, drawing.say.language)
        order = symbols.HAZARDS.index(name)
        look = _mark_swatch(name, drawing.say.language)
        drawing.legend.add(PLACES + 1, -1, drawing.say("site_hazards"), None)
        drawing.legend.add(PLACES + 1, order, drawing.say(f"h_{name}"), look, half=True)
    return min(own[0], marks[0]), marks[1], max(own[2], marks[2]), own[3]


def _meet(one: Area, other: Area) -> bool:
    return one[0] < other[2] and one[2] > other[0] and one[1] < other[3] and one[3] > other[1]


def _explain_site(drawing: Drawing) -> None:
    drawing.legend.add(
        PLACES,
        0,
        drawing.say("site"),
        lambda pen, x, y, w, h: symbols.site(pen, x + w / 2, y + h / 2, h * 1.2),
    )


def _explain_shelter(drawing: Drawing, place: Place) -> None:
    state = place.state if place.state in symbols.STATES else "unknown"

    def draw(pen: Pen, x: float, y: float, w: float, h: float) -> None:
        symbols.shelter(pen, x + w / 2, y + h / 2, h * 1.2, state)

    bracket = "（{}）" if drawing.say.language == "ja" else " ({})"
    label = drawing.say("shelter") + bracket.format(drawing.say(state))
    drawing.legend.add(PLACES, 1 + symbols.STATES.index(state), label, draw)
    moment = (place.shelter or {}).get("status_updated_at")
    if moment is not None:
        drawing.times_us.append(int(moment.timestamp() * 1_000_000))


def _number_swatch(pen: Pen, x: float, y: float, w: float, h: float) -> None:
    symbols.number_badge(pen, x + w / 2, y + h / 2, 1, h * 0.9)


def _mark_swatch(hazard: str, language: str) -> Draw:
    def draw(pen: Pen, x: float, y: float, w: float, h: float) -> None:
        symbols.hazard_mark(pen, x + w / 2, y + h / 2, h * 0.58, hazard, language)

    return draw


def paint_water_points(drawing: Drawing, features: Features) -> None:
    """Water points, with their names."""
    for x, y, at in _points(features):
        status = features.columns["status"][at]
        if status == "closed":
            continue
        is_open = status == "open"
        size = drawing.px(by_zoom(SIZE, drawing.zoom)) * 0.8
        symbols.water_point(drawing.pen, x, y, size, is_open)
        _note(drawing, x, y, size, features.columns["name"][at], 16, features, at)

        def draw(pen: Pen, x: float, y: float, w: float, h: float, is_open: bool = is_open) -> None:
            symbols.water_point(pen, x + w / 2, y + h / 2, h * 1.2, is_open)

        word = "water_open" if is_open else "water_other"
        drawing.legend.add(OTHERS, int(not is_open), drawing.say(word), draw)


def paint_damage(drawing: Drawing, features: Features) -> None:
    """Damage reports that are not settled, lines and areas by their middle."""
    for x, y, at in _points(features):
        if features.columns["status"][at] in ("resolved", "rejected", "drill"):
            continue
        size = drawing.px(by_zoom(SIZE, drawing.zoom)) * 0.8
        symbols.damage(drawing.pen, x, y, size)
        _note(drawing, x, y, size, features.columns["name"][at], 18, features, at)
        drawing.legend.add(
            OTHERS,
            5,
            drawing.say("damage"),
            lambda pen, x, y, w, h: symbols.damage(pen, x + w / 2, y + h / 2, h * 1.2),
        )


def _points(features: Features) -> list[tuple[float, float, int]]:
    spots = shapely.get_coordinates(shapely.point_on_surface(features.shapes))
    return [(float(x), float(y), int(at)) for at, (x, y) in enumerate(spots)] if len(spots) else []


def _note(
    drawing: Drawing,
    x: float,
    y: float,
    size: float,
    name: Any,
    rank: float,
    features: Features,
    at: int,
) -> None:
    reach = size / 2
    drawing.labels.reserve((x - reach, y - reach, x + reach, y + reach))
    for column in ("status_updated_at", "observed_at"):
        moment = features.columns.get(column, [None] * len(features))[at]
        if moment is not None:
            drawing.times_us.append(int(moment.timestamp() * 1_000_000))
    if name and drawing.zoom >= NAMES_FROM_ZOOM:
        letters = drawing.px(10.5)
        drawing.labels.add(Label(name, around(x, y, reach, letters), letters, rank))


POINT_LAYERS: Final = {
    "water_points": Layer(
        80, ("name", "status", "status_updated_at", "valid_to"), paint_water_points, 9
    ),
    "damage_reports": Layer(82, ("name", "status", "observed_at"), paint_damage, 9),
}
