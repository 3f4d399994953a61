"""What is coloured by its values: hazards by depth, meshes by counts; what is unknown looks unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from geoshare.model.appearance import STYLE
from geoshare.query.styles.parts import (
    Context,
    Draw,
    Drawn,
    Expression,
    among,
    by_zoom,
    drawn,
    geometry,
    get,
)

Depth = tuple[float, float | None, str]
DEPTHS: Final[list[Depth]] = [tuple(step) for step in STYLE["depths"]]
SLIDES: Final[dict[str, tuple[str, str]]] = STYLE["slides"]
HAZARD_KINDS: Final = ("flood", "inland_flood", "storm_surge", "tsunami", "landslide")
CLASSES: Final = {"value": (10, 50, 100, 500, 1_000), "count": (10, 50, 100, 500, 1_000)}
"""Lower bounds of the classes of meshes. They are the same for everybody: breaks that follow the data
would tell of it."""
_NO_DEPTH: Final = -1
_NO_END: Final = 1000
_OPACITY: Final = 0.75


def hazard_colour() -> Expression:
    """The colour of a hazard zone: by zone and movement, else by depth in steps of the official legend.

    A depth whose bounds are no step of a legend has the colour of the standard step that its lower
    bound lies in.
    """
    low, high = get("depth_min_m", _NO_DEPTH), get("depth_max_m", _NO_END)
    scenario = get("scenario")
    steps: list[Depth] = [
        tuple(step) for step in (*STYLE["tsunamiDepths"], *DEPTHS, *STYLE["finerDepths"])
    ]
    fitting: dict[tuple[float, float], str] = {}
    for start, end, colour in steps:
        fitting.setdefault((start, _NO_END if end is None else end), colour)

    def slide(which: int) -> Expression:
        pairs = [part for name, said in SLIDES.items() for part in (name, said[which])]
        return ["match", scenario, *pairs, SLIDES["steep_slope"][which]]

    others: list[Any] = [part for start, _, colour in DEPTHS[1:] for part in (start, colour)]
    return [
        "case",
        among("zone_class", "special_warning", "special_warning_planned"),
        slide(0),
        among("zone_class", "warning", "warning_planned"),
        slide(1),
        ["<", low, 0],
        ["case", ["==", get("hazard_type"), "landslide"], slide(1), STYLE["depthUnknown"]],
        *(
            part
            for (start, end), colour in fitting.items()
            for part in (["all", ["==", low, start], ["==", high, end]], colour)
        ),
        ["step", low, DEPTHS[0][2], *others],
    ]


def _hazard_zones(context: Context) -> Sequence[Drawn]:
    area = {"fill-color": hazard_colour(), "fill-opacity": _OPACITY}
    edge = {"line-color": STYLE["hazardEdge"], "line-width": 0.4}
    deepest = {"fill-sort-key": get("depth_min_m", _NO_DEPTH)}
    return (
        drawn(context, "area", "fill", 300, layout=deepest, paint=area),
        drawn(context, "edge", "line", 301, minzoom=14, paint=edge),
    )


def _counted(column: str, palette: Sequence[str], kind: str, of: str, order: Expression) -> Draw:
    """Meshes and places by a number; a suppressed one is hatched, never like zero."""

    def draw(context: Context) -> Sequence[Drawn]:
        steps = [part for pair in zip(CLASSES[column], palette[1:], strict=True) for part in pair]
        colour = [
            "case",
            ["!", ["has", column]],
            STYLE["notCounted"],
            ["step", get(column, 0), palette[0], *steps],
        ]
        chosen = [["==", get(kind), of]] if context.shown.has_column(kind) else []
        areas = ["all", geometry("Polygon"), *chosen]
        hidden = [*areas, ["==", ["get", "suppressed"], True]]
        points = ["all", geometry("Point"), *chosen]
        area = {"fill-color": colour, "fill-opacity": _OPACITY}
        edge = {
            "line-color": STYLE["cellEdge"],
            "line-width": by_zoom((11, 0.2), (16, 0.8)),
            "line-opacity": 0.6,
        }
        dot = {
            "circle-color": colour,
            "circle-stroke-color": STYLE["cellPointEdge"],
            "circle-stroke-width": 1.2,
            "circle-radius": by_zoom((9, 4), (16, 14)),
        }
        layout = {"fill-sort-key": order}
        return (
            drawn(context, "area", "fill", 200, filter=areas, layout=layout, paint=area),
            drawn(context, "suppressed", "fill", 201, filter=hidden, paint={"fill-pattern": "hatch"}),
            drawn(context, "edge", "line", 202, minzoom=11, filter=areas, paint=edge),
            drawn(context, "point", "circle", 640, filter=points, paint=dot),
        )

    return draw


_FINEST_ON_TOP: Final = ["-", 0, get("mesh_size_m", 0)]
VALUE_LAYERS: Final[dict[str, Draw]] = {
    "hazard_zones": _hazard_zones,
    "statistics": _counted("value", STYLE["population"], "indicator", "population", _FINEST_ON_TOP),
    "people_flow": _counted("count", STYLE["flow"], "object_class", "person", get("count", 0)),
}
