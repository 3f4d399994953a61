"""Draws a map: all collections in their order, then signs, then names where there is room."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from geoshare.extracts.maps.base_layers import (
    BASE_LAYERS,
    colour_of,
    paint_boundaries,
    paint_land,
    plain,
)
from geoshare.extracts.maps.disaster_layers import DISASTER_LAYERS
from geoshare.extracts.maps.drawing import Drawing, Layer
from geoshare.extracts.maps.places import SHELTERS, SITES
from geoshare.extracts.maps.point_layers import POINT_LAYERS, paint_place_signs
from geoshare.extracts.maps.reading import read
from geoshare.extracts.maps.road_layers import ROAD_LAYERS
from geoshare.extracts.maps.style import BASE
from geoshare.query import View

LAND: Final = "admin_areas"
LAYERS: Final[Mapping[str, Sequence[Layer]]] = {
    LAND: (
        Layer(10, ("level",), paint_land),
        Layer(45, ("level",), paint_boundaries),
    ),
    **{
        name: (layer,)
        for name, layer in {**BASE_LAYERS, **ROAD_LAYERS, **DISASTER_LAYERS, **POINT_LAYERS}.items()
    },
}
PASSING: Final = ("events", "evacuation_areas", "warnings", "water_points")
"""Collections of what passes: it may be over, or be a drill."""
DESIGNED: Final = (*LAYERS, SITES, SHELTERS)
"""Collections that are drawn if none are named, in no particular order."""


def draw_map(
    drawing: Drawing, views: Mapping[str, View], step: Callable[[], object] = lambda: None
) -> None:
    """Draw the frame of a drawing from the views of the collections that are wanted.

    Collections without a design are drawn by their geometry in one colour. ``step`` is called between
    layers and may raise to stop. What sites and shelters show stands in ``drawing.places``.

    Raises
    ------
    TooLarge
        as :func:`geoshare.extracts.maps.reading.read`.
    """
    pen = drawing.pen
    with pen.within(drawing.edge):
        pen.fill(drawing.edge, BASE["land"])
        for name, layer in _in_order(views):
            if drawing.zoom >= layer.from_zoom:
                found = read(views[name], drawing.frame, layer.columns)
                layer.paint(drawing, drawing.shown(found) if name in PASSING else found)
            step()
        paint_place_signs(drawing)
        drawing.labels.draw(pen)


def _in_order(views: Mapping[str, View]) -> list[tuple[str, Layer]]:
    found: list[tuple[int, str, Layer]] = []
    for order, (name, view) in enumerate(views.items()):
        if name in (SITES, SHELTERS):
            continue
        layers = LAYERS.get(name)
        if layers is None:
            layers = (_plain_layer(view, order),)
        found += [(layer.height, name, layer) for layer in layers]
    return [(name, layer) for _, name, layer in sorted(found, key=lambda item: item[:2])]


def _plain_layer(view: View, order: int) -> Layer:
    label = view.collection.label or "name"
    paint = plain(colour_of(view.collection.name), view.collection.title_ja, order, label)
    return Layer(55, (label,), paint)
