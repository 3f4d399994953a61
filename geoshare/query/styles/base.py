"""The background: land, water, buildings and names, quiet enough for data to stand out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from geoshare.model.appearance import BASE
from geoshare.query.styles.parts import (
    HALO,
    Context,
    Draw,
    Drawn,
    by_zoom,
    drawn,
    geometry,
    get,
    lettered,
    name_of,
)

_LARGE: Final = ["prefecture", "city"]
_TOWNS: Final = ["city", "town", "village"]
_WATERS: Final = ["water", "river", "sea", "bay"]


def _land(context: Context) -> Sequence[Drawn]:
    level = get("level")
    return (
        drawn(context, "land", "fill", 10, paint={"fill-color": BASE["land"]}),
        drawn(
            context,
            "edge",
            "line",
            330,
            minzoom=8,
            paint={
                "line-color": ["match", level, _LARGE, BASE["boundary"], BASE["boundaryFine"]],
                "line-width": by_zoom(
                    (9, ["match", level, _LARGE, 0.8, 0.2]), (16, ["match", level, _LARGE, 2.2, 1.1])
                ),
                "line-dasharray": [4, 2],
            },
        ),
    )


def _water(context: Context) -> Sequence[Drawn]:
    edge = {"line-color": BASE["waterEdge"], "line-width": by_zoom((10, 0.4), (17, 1.2))}
    return (
        drawn(
            context, "area", "fill", 20, filter=geometry("Polygon"), paint={"fill-color": BASE["water"]}
        ),
        drawn(context, "line", "line", 21, paint=edge),
    )


def _buildings(context: Context) -> Sequence[Drawn]:
    edge = {"line-color": BASE["buildingEdge"], "line-width": 0.8}
    return (
        drawn(context, "area", "fill", 320, minzoom=13, paint={"fill-color": BASE["building"]}),
        drawn(context, "edge", "line", 321, minzoom=16, paint=edge),
    )


def _places(context: Context) -> Sequence[Drawn]:
    kind = get("class")
    size = by_zoom((9, ["match", kind, _TOWNS, 13, 10]), (16, ["match", kind, _TOWNS, 21, 14]))
    colour = ["match", kind, _WATERS, BASE["waterText"], ["station"], BASE["stationText"], BASE["text"]]
    layout = lettered(name_of(context), size) | {
        "text-max-width": 8,
        "text-padding": 6,
        "symbol-sort-key": get("rank", 50),
    }
    return (drawn(context, "name", "symbol", 900, layout=layout, paint={**HALO, "text-color": colour}),)


BASE_LAYERS: Final[dict[str, Draw]] = {
    "admin_areas": _land,
    "water": _water,
    "buildings": _buildings,
    "places": _places,
}
