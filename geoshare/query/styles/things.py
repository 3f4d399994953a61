"""What stands along roads: a sign at points, coloured lines and areas, and names."""

from __future__ import annotations

from collections.abc import Sequence
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
    geometry,
    get,
    lettered,
    metres,
    name_of,
)

_COLOURS: Final[dict[str, Any]] = STYLE["things"]
_SURVEYED_AS_LINES: Final = ("signal", "sign")
RULES: Final = ("traffic_light", "traffic_sign", "speed_limit", "right_of_way", "crosswalk")
STRUCTURES: Final = ("bridge", "overpass", "tunnel", "underpass")
ROADSIDE: Final = ("signal", "sign", "pole", "street_lamp", "tree", "hydrant")
SIGNS: Final = {"rule": RULES, "structure": STRUCTURES, "roadside": ROADSIDE}
"""Signs that sprites have, beside one of each kind's own name for everything else."""


def _surface(minzoom: int) -> Draw:
    """Areas along roads, and what of them is stated as a line or a point."""

    def draw(context: Context) -> Sequence[Drawn]:
        colour, edge = _COLOURS[context.shown.collection.name]
        zoom, outlined = {"minzoom": minzoom}, geometry("Polygon", "LineString")
        area = {"fill-color": colour, "fill-opacity": 0.75}
        line = {"line-color": edge, "line-width": 1}
        dot = _dot(4, colour, edge)
        return (
            drawn(context, "area", "fill", 395, **zoom, filter=geometry("Polygon"), paint=area),
            drawn(context, "edge", "line", 396, **zoom, filter=outlined, paint=line),
            drawn(context, "point", "circle", 521, **zoom, filter=geometry("Point"), paint=dot),
        )

    return draw


def _dot(radius: Any, colour: str, edge: str) -> dict[str, Any]:
    return {
        "circle-radius": radius,
        "circle-color": colour,
        "circle-stroke-color": edge,
        "circle-stroke-width": 1.5,
    }


def _sign(images: str, column: str) -> Expression:
    """The sign of a thing's kind."""
    pairs = [part for kind in SIGNS[images] for part in (kind, f"{images}-{kind}")]
    return ["match", get(column), *pairs, images]


def _marked(minzoom: int, images: str, column: str) -> Draw:
    """Things of any geometry."""

    def draw(context: Context) -> Sequence[Drawn]:
        colour, zoom = _COLOURS[context.shown.collection.name], {"minzoom": minzoom}
        area = {"fill-color": colour, "fill-opacity": 0.25}
        line = {"line-color": colour, "line-width": by_zoom((13, 1), (18, 2.4)), "line-opacity": 0.85}
        sign = {
            "icon-image": _sign(images, column),
            "icon-size": by_zoom((13, 0.55), (19, 1)),
            "icon-allow-overlap": True,
        }
        edged, points = geometry("LineString", "Polygon"), geometry("Point")
        found = [
            drawn(context, "area", "fill", 430, **zoom, filter=geometry("Polygon"), paint=area),
            drawn(context, "line", "line", 431, **zoom, filter=edged, layout=ROUND, paint=line),
            drawn(context, "point", "symbol", 620, **zoom, filter=points, layout=sign),
        ]
        if context.shown.has_column("name"):
            name = lettered(name_of(context), 11) | {
                "text-anchor": "top",
                "text-offset": [0, 0.9],
                "text-optional": True,
            }
            letters = {**HALO, "text-color": BASE["text"]}
            near = minzoom + 1
            found.append(
                drawn(context, "name", "symbol", 905, minzoom=near, layout=name, paint=letters)
            )
        return found

    return draw


def _roadside(context: Context) -> Sequence[Drawn]:
    """Signals and signs are surveyed as short lines: their sign stands in the middle."""
    colour, zoom = _COLOURS["roadside_features"], {"minzoom": 16}
    is_line, stop = geometry("LineString"), among("class", "stop_line")
    others = ["!", among("class", "stop_line", "light_bulb", *_SURVEYED_AS_LINES)]
    edged = ["all", geometry("LineString", "Polygon"), others]
    area = {"fill-color": colour, "fill-opacity": 0.25}
    line = {"line-color": colour, "line-width": by_zoom((16, 1), (19, 3))}
    white = {"line-color": "#ffffff", "line-width": metres(0.45, context.latitude)}
    sign = {
        "icon-image": _sign("roadside", "class"),
        "icon-size": by_zoom((16, 0.5), (19, 0.95)),
        "icon-allow-overlap": True,
    }
    middle = {**sign, "symbol-placement": "line-center", "icon-rotation-alignment": "viewport"}
    signs = ["all", is_line, among("class", *_SURVEYED_AS_LINES)]
    stops = ["all", is_line, stop]
    return (
        drawn(context, "area", "fill", 430, **zoom, filter=geometry("Polygon"), paint=area),
        drawn(context, "line", "line", 431, **zoom, filter=edged, paint=line),
        drawn(context, "stop", "line", 432, **zoom, filter=stops, paint=white),
        drawn(context, "sign", "symbol", 621, minzoom=16.5, filter=signs, layout=middle),
        drawn(context, "point", "symbol", 620, **zoom, filter=geometry("Point"), layout=sign),
    )


def _connectors(context: Context) -> Sequence[Drawn]:
    dot = _dot(by_zoom((14, 2), (18, 5)), *_COLOURS["connectors"])
    return (drawn(context, "point", "circle", 520, minzoom=14, paint=dot),)


THING_LAYERS: Final[dict[str, Draw]] = {
    "areas": _surface(15),
    "junctions": _surface(15),
    "regulatory_elements": _marked(16, "rule", "subtype"),
    "structures": _marked(13, "structure", "kind"),
    "roadside_features": _roadside,
    "connectors": _connectors,
}
