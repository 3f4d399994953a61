"""Hazards, evacuation information, warnings, closures.

In the colours their readers are taught, and in patterns that are told apart without them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import numpy as np
import shapely

from geoshare.extracts.maps import symbols
from geoshare.extracts.maps.drawing import Drawing, Layer
from geoshare.extracts.maps.fonts import BOLD
from geoshare.extracts.maps.frame import Shapes
from geoshare.extracts.maps.labels import Label, Place, around
from geoshare.extracts.maps.legend import Draw, swatch
from geoshare.extracts.maps.pen import Hatch, Pen
from geoshare.extracts.maps.reading import Features
from geoshare.extracts.maps.style import STYLE, by_zoom
from geoshare.model.drills import plain_name
from geoshare.model.times import JAPAN

DEPTHS: Final = [tuple(step) for step in STYLE["depths"]]
SHADE: Final = 0.55  # of hazards, so that the map shows through
TOLD_SHADE, WARNED_SHADE = 0.28, 0.05  # of evacuation areas; of warnings, which cover whole towns
CLOSED: Final = ("closedWeather", "closedConstruction", "closedHeavyVehicle", "closedWinter")
OVER: Final = ("ended", "cancelled")
DRILLS: Final = ("drill", "test")
LEVELS: Final = {
    3: Hatch((67.5,), 3.0, 0.22, STYLE["alert"]["3"]),
    4: Hatch((45, -45), 3.0, 0.25, STYLE["alert"]["4"]),
    5: Hatch((0, 90), 2.0, 0.32, STYLE["alert"]["5"]),
}
LEVEL_DASHES: Final[dict[int, tuple[float, ...]]] = {3: (4.0, 1.4), 4: (4.0, 1.2, 0.6, 1.2), 5: ()}
DRILL_HATCH: Final = Hatch((-60,), 7.0, 0.12, STYLE["drill"])
DRILL_SWATCH: Final = Hatch((-60,), 1.5, 0.12, STYLE["drill"])
EVENTS, LEVEL_GROUP, WARNINGS, HAZARD_GROUP = 20, 10, 15, 30  # of the legend
KINDS: Final = ("flood", "inland_flood", "storm_surge", "tsunami", "landslide")


# Hazard zones


def depth_step(low: float | None) -> int | None:
    """Which step of the official legend a depth's lower bound is of; None where it is not known."""
    if low is None:
        return None
    return max(at for at, (start, _, _) in enumerate(DEPTHS) if low >= start or at == 0)


def hatch_of(kind: str, step: int | None) -> Hatch:
    """Pattern of a kind of hazard: its direction tells the kind, its closeness how deep or grave."""
    said = STYLE["hatches"].get(kind, STYLE["hatches"]["other"])
    spacing = STYLE["hatchSpacing"][1 if step is None else step]
    if said.get("dots"):
        return Hatch((), spacing * 0.8, 0.34, said["colour"], dots=True)
    return Hatch(tuple(said["angles"]), spacing, 0.1, said["colour"])


def paint_hazards(drawing: Drawing, features: Features) -> None:
    """Zones by kind and depth, the shallow first."""
    classes: dict[tuple[str, int, str], list[int]] = {}
    columns = features.columns
    for at in np.flatnonzero(features.of_dimension(2)):
        kind = columns["hazard_type"][at] or "other"
        if drawing.hazards is not None and kind not in drawing.hazards:
            continue
        zone, low, high = (columns[name][at] for name in ("zone_class", "depth_min_m", "depth_max_m"))
        order, colour = _shade(kind, zone, low, high)
        classes.setdefault((kind if kind in KINDS else "other", order, colour), []).append(int(at))
    in_order = sorted(classes.items(), key=lambda item: (item[0][1], item[0][0]))
    for (kind, order, colour), members in in_order:
        shapes = features.shapes[members]
        hatch = hatch_of(kind, min(order, 5) if order >= 0 else None)
        drawing.pen.fill(shapes, colour, SHADE)
        drawing.pen.hatch(shapes, hatch)
        drawing.pen.stroke(shapes, STYLE["hazardEdge"], drawing.px(0.6))
        _explain_hazard(drawing, kind, order, colour, hatch)


def _shade(kind: str, zone: str | None, low: float | None, high: float | None) -> tuple[int, str]:
    """Step (-1: not known) and colour of a zone."""
    if zone and zone.startswith("special_warning"):
        return 5, STYLE["zoneSpecial"]
    if (zone and zone.startswith("warning")) or (low is None and kind == "landslide"):
        return 1, STYLE["zoneWarning"]
    step = depth_step(low)
    if step is None:
        return -1, STYLE["depthUnknown"]
    if low == 0.5 and high == 1:
        return step, STYLE["depthHalfToOne"]
    return step, DEPTHS[step][2]


def _explain_hazard(drawing: Drawing, kind: str, order: int, colour: str, hatch: Hatch) -> None:
    say, legend = drawing.say, drawing.legend
    group = HAZARD_GROUP + (KINDS.index(kind) if kind in KINDS else len(KINDS))
    legend.add(group, -1, say(kind if kind in KINDS else "other_hazard"), None)
    if colour in (STYLE["zoneSpecial"], STYLE["zoneWarning"]):
        label = say("special_zone" if colour == STYLE["zoneSpecial"] else "warning_zone")
    elif order < 0:
        label = say("depth_unknown")
    else:
        low, high, _ = DEPTHS[order]
        if colour == STYLE["depthHalfToOne"]:
            high = 1
        label = say("depth_from", low=low) if high is None else say("depth", low=low, high=high)
    fine = colour == STYLE["depthHalfToOne"]
    place = 2 * (6 - order) + fine  # the deepest at the top
    look = swatch(colour, STYLE["hazardEdge"], hatch, SHADE, 0.12)
    legend.add(group, place, label, look, half=kind != "landslide")


# Evacuation information


def paint_evacuation(drawing: Drawing, features: Features) -> None:
    """Areas by alert level, each with its own hatch and edge, and the level written in it."""
    columns = features.columns
    for at in np.flatnonzero(features.of_dimension(2)):
        status, level = columns["status"][at], columns["level"][at]
        if status == "lifted" or columns["kind"][at] == "lifted":
            continue
        shape = features.shapes[at : at + 1]
        _note_time(drawing, columns["valid_from"][at])
        drill = status in DRILLS
        if drill or level not in LEVELS:
            _draw_drill(drawing, shape, 1.6)
            look = swatch("#ffffff", STYLE["drill"], DRILL_SWATCH, 1.0, 0.5, (1.4, 0.8))
            drawing.legend.add(LEVEL_GROUP, 9, drawing.say("evacuation_drill"), look)
        else:
            _draw_level(drawing, shape, level)
        words = _level_words(drawing, level, status if drill else None)
        when = _when(drawing, columns["valid_from"][at], "told_at")
        _label_area(drawing, features.shapes[at], words, 5, when, drill=drill)


def _draw_level(drawing: Drawing, shape: Shapes, level: int) -> None:
    colour = STYLE["alert"][str(level)]
    width = max(drawing.px(by_zoom([[10, 1.5], [16, 4]], drawing.zoom)), 0.5)
    drawing.pen.fill(shape, colour, TOLD_SHADE)
    drawing.pen.hatch(shape, LEVELS[level])
    drawing.pen.stroke(shape, "#ffffff", width + 0.4)
    drawing.pen.stroke(shape, colour, width, LEVEL_DASHES[level], cap=0)
    look = swatch(colour, colour, LEVELS[level], TOLD_SHADE, 0.6, LEVEL_DASHES[level])
    drawing.legend.add(LEVEL_GROUP, 5 - level, _level_words(drawing, level, None), look)


def _draw_drill(drawing: Drawing, shape: Shapes, pixels: float) -> None:
    drawing.pen.hatch(shape, DRILL_HATCH)
    drawing.pen.stroke(shape, STYLE["drill"], max(drawing.px(pixels), 0.35), (2.0, 1.2), cap=0)


def _level_words(drawing: Drawing, level: Any, drill: str | None) -> str:
    say = drawing.say
    words = say("level", level=level, name=say(f"level{level}")) if level in LEVELS else ""
    return (say(drill) if drill else "") + words


def _when(drawing: Drawing, moment: Any, word: str) -> str:
    """Date and time of day in Japan, in words; nothing where it is not stated."""
    if not isinstance(moment, datetime):
        return ""
    there = moment.astimezone(JAPAN)
    return drawing.say(word, when=f"{there.month}/{there.day} {there:%H:%M}")


def _label_area(
    drawing: Drawing, shape: Any, words: str, rank: float, when: str, *, drill: bool = False
) -> None:
    """Write words inside an area, as near its middle as there is room, and since when below them."""
    seen = shapely.intersection(shapely.make_valid(shape), drawing.edge[0])
    if not words or seen.is_empty or seen.area < 60:
        return
    part = max(shapely.get_parts(seen), key=lambda piece: piece.area)
    size = drawing.px(13)
    spots = [shapely.point_on_surface(part), shapely.centroid(part)]
    spots += [shapely.point_on_surface(half) for half in _halves(part)]
    spots = [spot for spot in spots if not spot.is_empty]
    places = [Place(spot.x, spot.y + off * size) for off in (0.0, 1.3, -1.3) for spot in spots]
    colour = "#5a646c" if drill else STYLE["ink"]
    drawing.labels.add(Label(words, places, size, rank, BOLD, colour, 0.5, below=when))


def _halves(part: Any) -> list[Any]:
    west, south, east, north = part.bounds
    middle, centre = (south + north) / 2, (west + east) / 2
    rects = [
        shapely.box(west, middle, east, north),
        shapely.box(west, south, east, middle),
        shapely.box(west, south, centre, north),
        shapely.box(centre, south, east, north),
    ]
    return [shapely.intersection(part, rect) for rect in rects]


# Warnings


def paint_warnings(drawing: Drawing, features: Features) -> None:
    """Areas of warnings in force by their edge, drills hatched and called so."""
    columns, say = features.columns, drawing.say
    for at in np.flatnonzero(features.of_dimension(2)):
        state, level = columns["state"][at], columns["level"][at]
        if state in ("lifted", "cancelled"):
            continue
        shape = features.shapes[at : at + 1]
        _note_time(drawing, columns["reported_at"][at])
        drill = state in DRILLS
        if drill:
            drawing.pen.stroke(shape, STYLE["drill"], max(drawing.px(2), 0.4), (2.0, 1.2), cap=0)
            look = swatch("#ffffff", STYLE["drill"], None, 1.0, 0.4, (1.4, 0.8))
            drawing.legend.add(WARNINGS, 9, say("warning_drill"), look)
        else:
            colour = STYLE["alert"].get(str(level), STYLE["levelUnknown"])
            colour = STYLE["advisory"] if level == 2 else colour
            width = max(drawing.px(by_zoom([[8, 1.5], [16, 4]], drawing.zoom)), 0.5)
            dash = (0.8, 1.4, 3.0, 1.4)
            drawing.pen.fill(shape, colour, WARNED_SHADE)
            drawing.pen.stroke(shape, colour, width, dash, cap=0)
            known = level in (2, 3, 4, 5)
            label = say("warning_level", level=level) if known else say("warning_other")
            order = 8 - level if known else 8
            look = swatch(colour, colour, None, WARNED_SHADE, 0.6, dash)
            drawing.legend.add(WARNINGS, order, label, look)
        words = say.warning(columns["kind_name"][at], columns["hazard"][at], level)
        words = (say(state) if drill else "") + words
        when = _when(drawing, columns["reported_at"][at], "reported_at")
        _label_area(drawing, features.shapes[at], words, 12 if drill else 8, when, drill=drill)


# Closures


def event_state(status: str | None, category: str | None, kind: str | None) -> str:
    """Return how an event is drawn: closed, restricted, or planned (also for drills)."""
    if status in ("planned", "drill"):
        return "planned"
    full = category in CLOSED or (category is None and kind in ("closure", "flood"))
    return "closed" if full else "restricted"


def paint_events(drawing: Drawing, features: Features) -> None:
    """Closures: barred lines, hatched areas and a sign for each."""
    columns = features.columns
    width = max(drawing.px(by_zoom([[10, 2.4], [16, 6.5]], drawing.zoom)), 0.7)
    size = drawing.px(28 * by_zoom([[10, 0.6], [16, 1]], drawing.zoom))
    for at, shape in enumerate(features.shapes):
        status = columns["status"][at]
        if status in OVER:
            continue
        state = event_state(status, columns["regulation_category"][at], columns["kind"][at])
        _note_time(drawing, columns["valid_from"][at])
        _draw_event(drawing, shape, state, width)
        spot = _middle(shape)
        symbols.event(drawing.pen, spot[0], spot[1], size, state)
        reach = size / 2
        drawing.labels.reserve((spot[0] - reach, spot[1] - reach, spot[0] + reach, spot[1] + reach))
        name = plain_name(columns["name"][at] or "")
        if status == "drill":
            name = drawing.say("drill") + name
        if name and drawing.zoom >= 14:
            letters = drawing.px(11)
            drawing.labels.add(
                Label(name, around(*spot, reach, letters), letters, 20, BOLD, "#8f1114", 0.4)
            )
        order = ("closed", "restricted", "planned").index(state)
        word = ("closure_full", "closure_part", "closure_planned")[order]
        drawing.legend.add(EVENTS, order, drawing.say(word), _event_swatch(state))


def _draw_event(drawing: Drawing, shape: Any, state: str, width: float) -> None:
    colour = STYLE["event"][state]
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            area = np.array([part], object)
            drawing.pen.fill(area, colour, 0.18)
            drawing.pen.hatch(area, Hatch((45, -45), 2.2, 0.2, colour))
            drawing.pen.stroke(area, colour, width * 0.6)
        elif part.geom_type == "LineString":
            symbols.closure_line(drawing.pen, [tuple(at) for at in part.coords], width, state)


def _middle(shape: Any) -> tuple[float, float]:
    part = max(shapely.get_parts(shape), key=lambda piece: (piece.area, piece.length))
    if part.geom_type == "LineString":
        spot = shapely.line_interpolate_point(part, 0.5, normalized=True)
    else:
        spot = shapely.point_on_surface(part)
    return float(spot.x), float(spot.y)


def _event_swatch(state: str) -> Draw:
    def draw(pen: Pen, x: float, y: float, w: float, h: float) -> None:
        symbols.closure_line(pen, [(x, y + h / 2), (x + w, y + h / 2)], 0.9, state)
        symbols.event(pen, x + w / 2, y + h / 2, h * 1.15, state)

    return draw


def _note_time(drawing: Drawing, moment: Any) -> None:
    """Remember a time that the data tell of themselves."""
    if isinstance(moment, datetime):
        drawing.times_us.append(int(moment.timestamp() * 1_000_000))


DISASTER_LAYERS: Final = {
    "hazard_zones": Layer(
        40, ("hazard_type", "zone_class", "depth_min_m", "depth_max_m"), paint_hazards
    ),
    "warnings": Layer(60, ("state", "level", "kind_name", "hazard", "reported_at"), paint_warnings),
    "evacuation_areas": Layer(
        62, ("kind", "level", "status", "valid_from", "valid_to"), paint_evacuation
    ),
    "events": Layer(
        70, ("kind", "regulation_category", "status", "name", "valid_from", "valid_to"), paint_events
    ),
}
