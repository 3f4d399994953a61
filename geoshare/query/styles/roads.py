"""Roads as on a street map; from close by, lanes as they are painted on the ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from geoshare.model.appearance import BASE, STYLE
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
    get,
    lettered,
    metres,
    name_of,
)

_ROADS: Final[dict[str, Any]] = STYLE["roads"]
_LANES: Final[dict[str, str]] = STYLE["lanes"]
_IS_RAIL: Final = ["==", get("subtype"), "rail"]
_WALKS: Final = ("walkway", "shared_walkway", "stairs")
_KERBS: Final = (
    *("curbstone", "road_border", "guard_rail", "wall", "fence", "jersey_barrier", "curb"),
    *("edge", "rail", "gate"),
)
_DASHED: Final = ("dashed", "dashed_solid", "solid_dashed", "broken", "broken broken")


def _by_class(values: Mapping[str, Any]) -> Expression:
    """A value for each class of roads; those of no known class are minor ones."""
    pairs = [part for kind, names in _ROADS["kinds"].items() for part in (names, values[kind])]
    return ["match", get("class"), *pairs, values["minor"]]


def _width(said: str) -> Expression:
    stops: dict[str, list[list[float]]] = _ROADS[said]
    zooms = [zoom for zoom, _ in stops["minor"]]
    return by_zoom(
        *(
            (zoom, _by_class({kind: widths[at][1] for kind, widths in stops.items()}))
            for at, zoom in enumerate(zooms)
        )
    )


def _segments(context: Context) -> Sequence[Drawn]:
    order = {kind: 2 * at + 1 for at, kind in enumerate(_ROADS["order"])}
    casing = {"line-color": _by_class(_ROADS["edge"]), "line-width": _width("casing")}
    road = {"line-color": _by_class(_ROADS["fill"]), "line-width": _width("width")}
    rail = {"line-color": BASE["rail"], "line-width": by_zoom((10, 0.8), (17, 3))}
    sleepers = {
        "line-color": "#ffffff",
        "line-width": by_zoom((13, 0.8), (17, 2)),
        "line-dasharray": [5, 5],
    }
    on_top = {**ROUND, "line-sort-key": _by_class(order)}
    name = lettered(name_of(context), by_zoom((14, 10.5), (18, 14))) | {
        "symbol-placement": "line",
        "symbol-spacing": 320,
    }
    letters = {**HALO, "text-color": BASE["text"]}
    no_rail = ["!", _IS_RAIL]
    return (
        drawn(context, "casing", "line", 340, filter=no_rail, layout=ROUND, paint=casing),
        drawn(context, "road", "line", 341, filter=no_rail, layout=on_top, paint=road),
        drawn(context, "rail", "line", 342, filter=_IS_RAIL, paint=rail),
        drawn(context, "sleepers", "line", 343, minzoom=13, filter=_IS_RAIL, paint=sleepers),
        drawn(context, "name", "symbol", 910, minzoom=14, layout=name, paint=letters),
    )


def _lanes(context: Context) -> Sequence[Drawn]:
    kind, subtype = get("type"), get("subtype")
    colour = [
        "case",
        ["==", subtype, "crosswalk"],
        _LANES["crosswalk"],
        ["any", among("type", "sidewalk", "walking", "curb"), among("subtype", *_WALKS)],
        _LANES["walking"],
        ["any", ["==", kind, "biking"], ["==", subtype, "bicycle_lane"]],
        _LANES["biking"],
        [
            "any",
            among("type", "shoulder", "border", "stop", "none", "restricted", "median"),
            among("subtype", "road_shoulder", "pedestrian_lane"),
        ],
        _LANES["shoulder"],
        _LANES["driving"],
    ]
    width = get("width_m", 3)
    crossing = ["==", subtype, "crosswalk"]
    surface = {"line-join": "round", "line-cap": "butt", "line-sort-key": ["case", crossing, 2, 1]}
    stripes = {
        "line-color": _LANES["white"],
        "line-width": metres(["*", 0.85, width], context.latitude),
        "line-dasharray": [0.14, 0.14],
    }
    arrow = {
        "symbol-placement": "line",
        "symbol-spacing": 140,
        "icon-image": [
            "match",
            get("turn_direction"),
            ["left"],
            "arrow-left",
            ["right"],
            "arrow-right",
            "arrow-straight",
        ],
        "icon-size": by_zoom((17, 0.4), (20, 1.2)),
        "icon-rotate": 90,
        "icon-rotation-alignment": "map",
        "icon-padding": 1,
    }
    paint = {"line-color": colour, "line-width": metres(width, context.latitude)}
    on_wheels = ["!", among("subtype", "crosswalk", *_WALKS)]
    return (
        drawn(context, "surface", "line", 400, minzoom=15, layout=surface, paint=paint),
        drawn(context, "stripes", "line", 401, minzoom=16, filter=crossing, paint=stripes),
        drawn(context, "arrow", "symbol", 420, minzoom=17, filter=on_wheels, layout=arrow),
    )


def _boundaries(context: Context) -> Sequence[Drawn]:
    yellow = ["match", get("color"), ["yellow", "orange"], _LANES["yellow"], _LANES["white"]]
    width = metres(["max", 0.12, get("width_m", 0.15)], context.latitude)
    kerb, virtual, dashed = (
        among("type", *_KERBS),
        ["==", get("type"), "virtual"],
        among("subtype", *_DASHED),
    )
    painted = ["!", ["any", kerb, virtual]]
    paint = {"line-color": yellow, "line-width": width}
    stone = {"line-color": _LANES["kerb"], "line-width": metres(0.2, context.latitude)}
    unseen = {
        "line-color": _LANES["virtual"],
        "line-width": 1,
        "line-dasharray": [2, 4],
        "line-opacity": 0.7,
    }
    whole, broken = ["all", painted, ["!", dashed]], ["all", painted, dashed]
    dashes = {**paint, "line-dasharray": [14, 14]}
    return (
        drawn(context, "kerb", "line", 410, minzoom=16, filter=kerb, layout=ROUND, paint=stone),
        drawn(context, "solid", "line", 411, minzoom=16, filter=whole, layout=ROUND, paint=paint),
        drawn(context, "dashed", "line", 412, minzoom=16, filter=broken, paint=dashes),
        drawn(context, "virtual", "line", 413, minzoom=18, filter=virtual, paint=unseen),
    )


ROAD_LAYERS: Final[dict[str, Draw]] = {
    "segments": _segments,
    "lanes": _lanes,
    "lane_boundaries": _boundaries,
}
