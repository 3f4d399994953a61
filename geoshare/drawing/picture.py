"""A picture of views: the layers of a style over each other, then the names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.drawing.frame import Frame
from geoshare.drawing.labels import ACROSS_PX, DOWN_PX, labels_of, placed, write
from geoshare.drawing.layers import Layer
from geoshare.drawing.shapes import Drawable
from geoshare.drawing.strokes import draw_shapes
from geoshare.model.times import Interval
from geoshare.query.detail import detail_rule
from geoshare.query.select import of_time
from tiles.arrays import Rows
from tiles.drawing import Canvas

NEAR_PX: Final = 32
"""Beyond the edge of a picture: half of the widest line, or the radius of a circle."""


class Shown(NamedTuple):
    """What a view has to show in a picture: rows for shapes; rows for names, which reach further."""

    shapes: Rows
    names: Rows | None


def rows_shown(
    view: View, frame: Frame, layers: Sequence[Layer], interval: Interval | None = None
) -> Shown:
    """The rows that decide on what a picture shows of a view, by the detail rule of vector tiles.

    Of those of a time, where one is given.
    """
    zoom, name = frame.zoom, view.collection.name
    kinds = {layer.kind for layer in layers if layer.source == name and layer.is_shown(zoom)}
    detail = (detail_rule(name), frame.detail_zoom)
    near, far = frame.search_boxes(NEAR_PX, NEAR_PX), frame.search_boxes(ACROSS_PX, DOWN_PX)
    shapes = of_time(view, view.search(near, detail=detail), interval)
    if "symbol" not in kinds:
        return Shown(shapes, None)
    return Shown(shapes, of_time(view, view.search(far, detail=detail), interval))


def draw(
    frame: Frame, layers: Sequence[Layer], shown: Mapping[str, tuple[View, Shown]]
) -> NDArray[np.uint8]:
    """Draw a picture.

    Parameters
    ----------
    frame
        What it shows, and its size.
    layers
        Of a style document, the lowest first; what each shows is named by its ``source-layer``.
    shown
        By the names of collections.

    Returns
    -------
    (height, width, 4) colours, transparent where nothing is.
    """
    canvas = Canvas(frame.width, frame.height)
    zoom = frame.zoom
    near = {name: Drawable(view, rows.shapes, frame) for name, (view, rows) in shown.items()}
    far = {
        name: Drawable(view, rows.names, frame)
        for name, (view, rows) in shown.items()
        if rows.names is not None
    }
    labels = []
    for above, layer in enumerate(layers):
        if not layer.is_shown(zoom):
            continue
        if layer.kind == "symbol":
            if layer.source in far and len(far[layer.source]):
                labels += list(labels_of(layer, above, far[layer.source], zoom, frame.ratio))
        elif layer.source in near and len(near[layer.source]):
            draw_shapes(canvas, layer, near[layer.source], zoom, frame.ratio)
    for label in reversed(placed(labels)):
        write(canvas, label)
    return canvas.rgba()
