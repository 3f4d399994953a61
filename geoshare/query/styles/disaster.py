"""Shelters, closures, evacuation areas and warnings, in the colours their readers are taught."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from geoshare.model.appearance import STYLE
from geoshare.model.hazards import WARNED_OF
from geoshare.query.styles.parts import (
    HALO,
    ROUND,
    Context,
    Draw,
    Drawn,
    Expression,
    among,
    by_zoom,
    drawn,
    geometry,
    get,
    lettered,
    name_of,
)

ALERT: Final[dict[str, str]] = STYLE["alert"]
SHELTER_STATES: Final = ("open", "full", "preparing", "not_open", "closed")
EVENT_STATES: Final = ("closed", "restricted", "planned")
_SHUT: Final = ("closedWeather", "closedConstruction", "closedHeavyVehicle", "closedWinter")
_NOT_NOW: Final = ("planned", "ended", "cancelled", "drill")
_OVER: Final = ("ended", "cancelled")  # which is drawn no more
_DRILLS: Final = ("drill", "test")


def _place(context: Context, height: int, image: Any, offset: Any, name: Expression) -> Drawn:
    """Sign and name of a facility in one layer: a name gives way to every sign, not to its own."""
    text = lettered(["step", ["zoom"], "", 14.5, name], by_zoom((13, 11), (18, 14)))
    layout = text | {
        "icon-image": image,
        "icon-anchor": "top",
        "icon-offset": offset,
        "icon-size": by_zoom((9, 0.35), (13, 0.7), (16, 1)),
        "icon-allow-overlap": True,
        "icon-padding": 0,
        "symbol-sort-key": ["-", 0, get("max_capacity", 0)],
        "text-anchor": "left",
        "text-offset": [1.5, 0],
        "text-max-width": 9,
        "text-optional": True,
    }
    paint = {**HALO, "text-color": STYLE["facilityInk"]}
    return drawn(context, "icon", "symbol", height, minzoom=9, layout=layout, paint=paint)


def _sites(context: Context) -> Sequence[Drawn]:
    """Where one place is site and shelter, the signs stand side by side, the name is written once."""
    name = name_of(context)
    if "shelters" not in context.names:
        return (_place(context, 1000, "site", [0, -15], name),)
    both = ["==", ["get", "also_designated_shelter"], True]
    offset = ["case", both, ["literal", [-29, -15]], ["literal", [0, -15]]]
    return (_place(context, 1000, "site", offset, ["case", both, "", name]),)


def _shelters(context: Context) -> Sequence[Drawn]:
    pairs = [part for state in SHELTER_STATES for part in (state, f"shelter-{state}")]
    image = ["match", get("status"), *pairs, "shelter-unknown"]
    return (_place(context, 1001, image, [0, -15], name_of(context)),)


def _water_points(context: Context) -> Sequence[Drawn]:
    image = ["match", get("status"), ["open"], "water-open", "water"]
    return (_place(context, 1002, image, [0, -15], name_of(context)),)


def event_state(shut: str, restricted: str, planned: str) -> Expression:
    """A value for each state of an event."""
    by_kind = ["all", ["!", ["has", "regulation_category"]], among("kind", "closure", "flood")]
    full = ["any", among("regulation_category", *_SHUT), by_kind]
    return ["case", among("status", *_NOT_NOW), planned, full, shut, restricted]


def _events(context: Context) -> Sequence[Drawn]:
    colour = event_state(*(STYLE["event"][state] for state in EVENT_STATES))
    image = event_state(*(f"event-{state}" for state in EVENT_STATES))
    is_shut = ["==", event_state(*EVENT_STATES), "closed"]
    lasts = ["!", among("status", *_OVER)]
    edged = ["all", geometry("LineString", "Polygon"), lasts]
    areas = ["all", geometry("Polygon"), lasts]
    lines = ["all", geometry("LineString"), lasts]
    barred = ["all", edged, is_shut]
    area = {"fill-color": colour, "fill-opacity": 0.25}
    casing = {"line-color": "#ffffff", "line-width": by_zoom((10, 4), (16, 10))}
    line = {"line-color": colour, "line-width": by_zoom((10, 2.4), (16, 6.5))}
    bars = {
        "line-color": "#ffffff",
        "line-width": by_zoom((10, 1), (16, 2.6)),
        "line-dasharray": [2, 2.4],
    }
    sign = {
        "icon-image": image,
        "icon-allow-overlap": True,
        "icon-size": by_zoom((10, 0.55), (16, 1)),
    }
    middle = {**sign, "symbol-placement": "line-center", "icon-rotation-alignment": "viewport"}
    spots = ["all", geometry("Point", "Polygon"), lasts]
    return (
        drawn(context, "area", "fill", 440, filter=areas, paint=area),
        drawn(context, "casing", "line", 441, filter=edged, layout=ROUND, paint=casing),
        drawn(context, "line", "line", 442, filter=edged, layout=ROUND, paint=line),
        drawn(context, "bars", "line", 443, filter=barred, paint=bars),
        drawn(context, "sign", "symbol", 1010, minzoom=11, filter=lines, layout=middle),
        drawn(context, "point", "symbol", 1011, filter=spots, layout=sign),
    )


def _level(otherwise: str, advisory: str | None = None) -> Expression:
    """The colour of an alert level (警戒レベル)."""
    pairs = [part for level, colour in ALERT.items() for part in (int(level), colour)]
    if advisory:
        pairs += [2, advisory]
    return ["match", get("level"), *pairs, otherwise]


def _evacuation_areas(context: Context) -> Sequence[Drawn]:
    colour = _level(STYLE["levelOther"])
    drill = among("status", *_DRILLS)
    lifted = ["any", ["==", get("status"), "lifted"], ["==", get("kind"), "lifted"]]
    real = ["!", ["any", drill, lifted]]
    area = {"fill-color": colour, "fill-opacity": 0.22}
    edge = {"line-color": colour, "line-width": by_zoom((10, 1.5), (16, 4))}
    return (
        drawn(context, "drill", "fill", 327, filter=drill, paint=_HATCHED),
        drawn(context, "drill-edge", "line", 328, filter=drill, paint=_DASHED),
        drawn(context, "area", "fill", 330, filter=real, paint=area),
        drawn(context, "edge", "line", 331, filter=real, paint=edge),
    )


_HATCHED: Final = {"fill-pattern": "hatch", "fill-opacity": 0.4}
_DASHED: Final = {"line-color": STYLE["drill"], "line-width": 2, "line-dasharray": [3, 2]}


def _warnings(context: Context) -> Sequence[Drawn]:
    """What is real lies above what is a drill."""
    colour = _level(STYLE["levelUnknown"], STYLE["advisory"])
    drill = among("state", *_DRILLS)
    real = ["!", among("state", "lifted", "cancelled", *_DRILLS)]
    area = {"fill-color": colour, "fill-opacity": 0.05}  # several lie on one another, over depths
    edge = {"line-color": colour, "line-width": by_zoom((8, 1.5), (16, 4))}
    name = lettered(_warning_name(context.language), by_zoom((8, 11), (14, 14))) | {
        "text-max-width": 12,
        "text-padding": 60,
        "symbol-sort-key": ["case", drill, 1, 0],
    }
    said = ["!", among("state", "lifted", "cancelled")]
    letters = {**HALO, "text-color": STYLE["ink"]}
    return (
        drawn(context, "drill", "fill", 317, filter=drill, paint=_HATCHED),
        drawn(context, "drill-edge", "line", 318, filter=drill, paint=_DASHED),
        drawn(context, "area", "fill", 320, filter=real, paint=area),
        drawn(context, "edge", "line", 322, filter=real, paint=edge),
        drawn(context, "name", "symbol", 1020, filter=said, layout=name, paint=letters),
    )


def _warning_name(language: str) -> Expression:
    """What a warning is called: a drill first of all; the service's own names are Japanese alone."""
    marks = ("【訓練】", "【試験】") if language == "ja" else ("[DRILL] ", "[TEST] ")
    mark = ["match", get("state"), "drill", marks[0], "test", marks[1], ""]
    if language == "ja":
        return ["concat", mark, get("kind_name", "")]
    hazard = [
        "match",
        get("hazard"),
        *(part for pair in WARNED_OF.items() for part in pair),
        get("kind_name", ""),
    ]
    level = ["case", ["has", "level"], ["concat", "Level ", ["to-string", ["get", "level"]], " "], ""]
    return ["concat", mark, level, hazard]


def _damage(context: Context) -> Sequence[Drawn]:
    colour = STYLE["damage"]
    area = {"fill-color": colour, "fill-opacity": 0.25}
    line = {"line-color": colour, "line-width": by_zoom((10, 1.5), (16, 4))}
    sign = {
        "icon-image": "damage",
        "icon-allow-overlap": True,
        "icon-size": by_zoom((10, 0.6), (16, 1)),
    }
    edged, points = geometry("LineString", "Polygon"), geometry("Point")
    open_ = ["!", among("status", "resolved", "rejected")]
    return (
        drawn(context, "area", "fill", 435, filter=["all", geometry("Polygon"), open_], paint=area),
        drawn(context, "line", "line", 436, filter=["all", edged, open_], paint=line),
        drawn(context, "point", "symbol", 1005, filter=["all", points, open_], layout=sign),
    )


DISASTER_LAYERS: Final[dict[str, Draw]] = {
    "evacuation_sites": _sites,
    "shelters": _shelters,
    "water_points": _water_points,
    "events": _events,
    "evacuation_areas": _evacuation_areas,
    "warnings": _warnings,
    "damage_reports": _damage,
}
