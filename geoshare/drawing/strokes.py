"""Areas, lines and circles of a layer on a canvas."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from geoshare.drawing.layers import Layer, Look
from geoshare.drawing.shapes import Drawable
from geoshare.drawing.signs import sign
from tiles.arrays import GeometryType
from tiles.drawing import BUTT, ROUND_CAP, SQUARE, Canvas, Colour

_CAPS: Final = {"butt": BUTT, "round": ROUND_CAP, "square": SQUARE}
_AREAS: Final = (GeometryType.POLYGON, GeometryType.MULTIPOLYGON)
_POINTS: Final = (GeometryType.POINT, GeometryType.MULTIPOINT)
_HAIR_PX: Final = 1.0  # of the outline that an area has with ``fill-outline-color``
MAX_WIDTH: Final = 500.0


def draw_shapes(canvas: Canvas, layer: Layer, drawable: Drawable, zoom: float, ratio: float) -> None:
    """Draw a layer of type fill, line or circle; widths are ``ratio`` times what the style says."""
    draw = {"fill": _fill, "line": _line, "circle": _circle}[layer.kind]
    types = drawable.shapes.types
    allowed = np.isin(types, _AREAS) if layer.kind == "fill" else ~np.isin(types, _POINTS)
    if layer.kind == "circle":
        allowed = types > 0
    if not allowed.any():
        return
    for look, numbers in layer.looks(drawable, zoom):
        chosen = numbers[allowed[numbers]]
        if len(chosen):
            draw(canvas, look, drawable, chosen, ratio)


def _fill(
    canvas: Canvas, look: Look, drawable: Drawable, chosen: NDArray[np.int64], ratio: float
) -> None:
    xy, starts, outer = drawable.shapes.lines(chosen)
    opacity = look.number("fill-opacity", 1.0)
    if "fill-pattern" in look.layer.plain:
        _pattern(canvas, look, (xy, starts, outer), opacity, ratio)
        return
    canvas.areas(xy, starts, outer, look.colour("fill-color").faded(opacity))
    if "fill-outline-color" in look.layer.plain:
        canvas.lines(xy, starts, _HAIR_PX * ratio, look.colour("fill-outline-color").faded(opacity))


def _pattern(
    canvas: Canvas,
    look: Look,
    areas: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.uint8]],
    opacity: float,
    ratio: float,
) -> None:
    """Fill areas with a sign side by side, from the picture's corner on."""
    drawn = sign(look.text("fill-pattern"), ratio)
    if drawn is None:
        return
    within = Canvas(canvas.width, canvas.height)
    within.areas(*areas, Colour(0.0, 0.0, 0.0, opacity))
    share = within.rgba()[..., 3].astype(np.uint16)
    high, wide = -(-canvas.height // drawn.shape[0]), -(-canvas.width // drawn.shape[1])
    laid = np.tile(drawn, (high, wide, 1))[: canvas.height, : canvas.width].copy()
    laid[..., 3] = (laid[..., 3] * share + 127) // 255
    canvas.picture(laid, 0, 0)


def _line(
    canvas: Canvas, look: Look, drawable: Drawable, chosen: NDArray[np.int64], ratio: float
) -> None:
    width = min(look.number("line-width", 1.0), MAX_WIDTH)
    opacity = look.number("line-opacity", 1.0)
    if width <= 0 or opacity <= 0:
        return
    xy, starts, _ = drawable.shapes.lines(chosen)
    dash = [part * width * ratio for part in look.numbers("line-dasharray")]
    cap = _CAPS.get(look.text("line-cap"), BUTT)
    colour = look.colour("line-color").faded(opacity)
    canvas.lines(xy, starts, width * ratio, colour, dash, cap)


def _circle(
    canvas: Canvas, look: Look, drawable: Drawable, chosen: NDArray[np.int64], ratio: float
) -> None:
    xy, _, _ = drawable.shapes.lines(chosen)
    edge = look.number("circle-stroke-width", 0.0) * ratio
    canvas.discs(
        xy,
        min(look.number("circle-radius", 5.0), MAX_WIDTH) * ratio,
        look.colour("circle-color").faded(look.number("circle-opacity", 1.0)),
        edge,
        look.colour("circle-stroke-color").faded(look.number("circle-stroke-opacity", 1.0)),
    )
