"""A map of several layers over each other: vectors drawn, rasters warped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geoshare.access.view import View
from geoshare.api.context import services
from geoshare.api.drawn import DEFAULT
from geoshare.api.ows_layers import OwsLayer
from geoshare.drawing import Frame
from geoshare.model.times import parse_interval
from geoshare.services.pictures import picture_of
from tiles.drawing import Canvas

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Wanted:
    """A map: its frame, its layers with their styles, the lowest first, and of which time."""

    frame: Frame
    layers: tuple[tuple[OwsLayer, str], ...]
    when: str | None
    language: str


def drawn(wanted: Wanted) -> Pixels:
    """The map (height, width, 4). Names of vectors that follow each other lie above them all."""
    frame = wanted.frame
    found: Pixels | None = None
    for layers in _runs(wanted):
        raster, style = layers[0][0].raster, layers[0][1]
        if raster is not None:
            chosen = None if style in ("", DEFAULT) else style
            on_top = services().rasters.picture(raster, frame, wanted.when, chosen)
        else:
            on_top = _vectors([layer for layer, _ in layers], wanted)
        if on_top is not None:
            found = on_top if found is None else _over(found, on_top)
    return np.zeros((frame.height, frame.width, 4), np.uint8) if found is None else found


def _runs(wanted: Wanted) -> Iterator[list[tuple[OwsLayer, str]]]:
    """Vectors that follow each other together, rasters one by one."""
    run: list[tuple[OwsLayer, str]] = []
    for layer, style in wanted.layers:
        if layer.raster is None:
            run.append((layer, style))
            continue
        if run:
            yield run
        yield [(layer, style)]
        run = []
    if run:
        yield run


def _vectors(layers: list[OwsLayer], wanted: Wanted) -> Pixels:
    interval = parse_interval(wanted.when) if wanted.when else None
    groups = [layer.views for layer in layers]
    views: dict[str, View] = {view.collection.name: view for group in groups for view in group}
    picture = picture_of(wanted.frame, *groups, language=wanted.language)
    return services().pictures.map(list(views.values()), picture, interval)


def _over(below: Pixels, above: Pixels) -> Pixels:
    canvas = Canvas(below.shape[1], below.shape[0])
    canvas.picture(below, 0, 0)
    canvas.picture(above, 0, 0)
    return canvas.rgba()
