"""Collections without a design of their own, by their geometry; and pictures of rasters."""

from __future__ import annotations

from collections.abc import Sequence

from geoshare.model.appearance import BASE, colour_of
from geoshare.query.styles.parts import (
    HALO,
    Context,
    Drawn,
    by_zoom,
    drawn,
    geometry,
    lettered,
    name_of,
)


def any_vector(context: Context) -> Sequence[Drawn]:
    """Areas, lines and points in a steady colour, with names where there are any."""
    about = context.shown.collection
    colour = colour_of(about.name)
    area = {"fill-color": colour, "fill-opacity": 0.3}
    line = {"line-color": colour, "line-width": by_zoom((10, 1), (16, 3))}
    dot = {
        "circle-color": colour,
        "circle-radius": by_zoom((8, 2), (16, 6)),
        "circle-stroke-color": "#ffffff",
        "circle-stroke-width": 1.5,
    }
    edged, points = geometry("Polygon", "LineString"), geometry("Point")
    found = [
        drawn(context, "area", "fill", 350, filter=geometry("Polygon"), paint=area),
        drawn(context, "line", "line", 450, filter=edged, paint=line),
        drawn(context, "point", "circle", 650, filter=points, paint=dot),
    ]
    label = about.label or "name"
    if context.shown.has_column(label):
        name = lettered(["to-string", name_of(context, label)], 11) | {
            "text-anchor": "left",
            "text-offset": [0.8, 0],
            "text-optional": True,
        }
        letters = {**HALO, "text-color": BASE["text"]}
        found.append(
            drawn(context, "name", "symbol", 930, minzoom=14, filter=points, layout=name, paint=letters)
        )
    return found


def any_raster(context: Context) -> Sequence[Drawn]:
    """The pictures as the server draws them: those of rain are seen through."""
    is_cube = context.shown.collection.kind == "cube"
    paint = {"raster-opacity": 0.6 if is_cube else 1, "raster-fade-duration": 0}
    return (drawn(context, "picture", "raster", 150 if is_cube else 50, paint=paint),)
