"""Which names are written where, the same in every tile that they reach into.

Names that lie in several tiles are drawn in each of them, so whether and where one is written must not
depend on the tile. Places to write come from whole geometries at the picture's scale. Of two names
that would touch, the one of the layer on top goes first, then the lower sort key, then the smaller id.
That is settled in two rounds among all names near a picture, so that only names a few labels away
matter, and these are known beyond its edge (``ACROSS_PX``, ``DOWN_PX``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geoshare.drawing.layers import Layer, Look
from geoshare.drawing.lettering import Lettered, lettered, lines_of
from geoshare.drawing.shapes import Drawable
from geoshare.drawing.signs import sign
from tiles.drawing import Canvas, Colour

ACROSS_PX: Final = 416
DOWN_PX: Final = 192
ROUNDS: Final = 2
MAX_LABELS: Final = 1_200
_AGAIN_PX: Final = (120.0, 48.0)  # nearer than this the same name is not written again
_BEND: Final = 0.35  # of a line under its name, as a share of the letters' height
_ANGLE: Final = 3.0  # degrees between two turns of a text
_MAX_SPOTS: Final = 50
_BLACK: Final = Colour(0.0, 0.0, 0.0)
_ANCHORS: Final = {
    "left": (0.5, 0.0), "right": (-0.5, 0.0), "top": (0.0, 0.5), "bottom": (0.0, -0.5),
    "top-left": (0.5, 0.5), "top-right": (-0.5, 0.5),
    "bottom-left": (0.5, -0.5), "bottom-right": (-0.5, -0.5),
}  # fmt: skip


Spot = tuple[float, float, float]  # x, y, and a turn in degrees against the clock
Rank = tuple[float, float, str, int]


@dataclass(frozen=True)
class Label:
    """A name or a sign, and the place for it."""

    rank: Rank
    text: str  # empty for a sign
    x: float  # of its middle, pixels
    y: float
    half: tuple[float, float]  # of the room it needs
    is_free: bool = False  # shown whatever it touches
    sign: NDArray[np.uint8] | None = None
    drawn: Lettered | None = None
    colour: Colour = _BLACK
    halo: Colour = _BLACK


def labels_of(
    layer: Layer, above: int, drawable: Drawable, zoom: float, ratio: float
) -> Iterator[Label]:
    """The names and signs that a symbol layer would show, ``above`` so many other layers."""
    for look, numbers in layer.looks(drawable, zoom):
        text, image = look.text("text-field").strip(), look.text("icon-image")
        if not text and not image:
            continue
        key = look.number("symbol-sort-key", 0.0)
        along = look.text("symbol-placement") in ("line", "line-center")
        ids = drawable.column("id")
        for number in numbers.tolist():
            places = _along(drawable, number, look, text, ratio) if along else _at(drawable, number)
            for turn, place in enumerate(places):
                rank = (-float(above), key, str(ids[number]), turn)
                shown = _sign(look, image, place, rank, ratio) if image else None
                if shown is not None:
                    yield shown
                if text:
                    yield _label(look, text, place, rank, ratio, along=along)


def _sign(look: Look, image: str, place: Spot, rank: Rank, ratio: float) -> Label | None:
    x, y, turn = place
    angle = look.number("icon-rotate", 0.0)
    if look.text("icon-rotation-alignment") != "viewport":
        angle -= turn
    size = min(max(look.number("icon-size", 1.0), 0.0), 8.0)
    drawn = sign(image, round(size * ratio, 2), round(angle / _ANGLE) * _ANGLE)
    if drawn is None:
        return None
    high, wide = drawn.shape[:2]
    dx, dy = _ANCHORS.get(look.text("icon-anchor"), (0.0, 0.0))
    more = look.numbers("icon-offset") or (0.0, 0.0)
    pad = look.number("icon-padding", 2.0) * ratio
    return Label(
        rank,
        "",
        x + dx * wide + more[0] * size * ratio,
        y + dy * high + more[1] * size * ratio,
        (wide / 2 + pad, high / 2 + pad),
        is_free=look.get("icon-allow-overlap") is True,
        sign=drawn,
    )


def _label(
    look: Look,
    text: str,
    place: Spot,
    rank: Rank,
    ratio: float,
    *,
    along: bool,
) -> Label:
    size = _size(look, ratio)
    lines = (text,) if along else lines_of(text, look.number("text-max-width", 10.0))
    halo_px = look.number("text-halo-width", 0.0) * ratio
    fonts = look.get("text-font") or []
    bold = any("Bold" in str(font) for font in fonts)
    drawn = lettered(lines or (text,), round(size, 1), round(halo_px, 1), place[2], bold=bold)
    opacity = look.number("text-opacity", 1.0)
    dx, dy = _offset(look, drawn, size)
    pad = look.number("text-padding", 2.0) * ratio
    turned = math.radians(place[2])
    wide = abs(math.cos(turned)) * drawn.width + abs(math.sin(turned)) * drawn.height
    high = abs(math.sin(turned)) * drawn.width + abs(math.cos(turned)) * drawn.height
    return Label(
        rank,
        text,
        place[0] + dx,
        place[1] + dy,
        (wide / 2 + pad, high / 2 + pad),
        drawn=drawn,
        colour=look.colour("text-color").faded(opacity),
        halo=look.colour("text-halo-color", "rgba(0,0,0,0)").faded(opacity),
    )


def _size(look: Look, ratio: float) -> float:
    return min(max(look.number("text-size", 16.0), 4.0), 60.0) * ratio


def _offset(look: Look, drawn: Lettered, size: float) -> tuple[float, float]:
    """From the place that is named to the middle of the text, in pixels."""
    anchors = look.get("text-variable-anchor")
    anchor = anchors[0] if isinstance(anchors, list) and anchors else look.text("text-anchor")
    side = _ANCHORS.get(str(anchor), (0.0, 0.0))
    radial = look.number("text-radial-offset", 0.0)
    offset = look.numbers("text-offset") or (radial * 2 * side[0], radial * 2 * side[1])
    return (
        side[0] * drawn.width + offset[0] * size,
        side[1] * drawn.height + offset[1] * size,
    )


def _at(drawable: Drawable, number: int) -> list[tuple[float, float, float]]:
    """The place of a point; the middle of the largest part of an area, or of a line."""
    pieces = drawable.shapes.pieces(number)
    kind = drawable.kinds[number]
    if not pieces or not all(len(piece) and np.isfinite(piece).all() for piece in pieces):
        return []
    if kind == "Point":
        return [(float(piece[0, 0]), float(piece[0, 1]), 0.0) for piece in pieces[:_MAX_SPOTS]]
    if kind == "LineString":
        longest = max(pieces, key=lambda piece: float(np.ptp(piece, axis=0).sum()))
        x, y = _middle(longest)
        return [(x, y, 0.0)]
    largest = max(pieces, key=lambda piece: abs(_area(piece)))
    x, y = _inner(largest)
    return [(x, y, 0.0)]


def _area(ring: NDArray[np.float64]) -> float:
    x, y = (ring - ring[0]).T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)


def _middle(line: NDArray[np.float64]) -> tuple[float, float]:
    steps = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    half = along[-1] / 2
    return float(np.interp(half, along, line[:, 0])), float(np.interp(half, along, line[:, 1]))


def _inner(ring: NDArray[np.float64]) -> tuple[float, float]:
    """A place inside of a ring: the middle of its longest cut through the centroid's height."""
    x, y = (ring - ring[0]).T
    cross = x[:-1] * y[1:] - x[1:] * y[:-1]
    twice = cross.sum()
    level = float(y.mean() if abs(twice) < 1e-9 else ((y[:-1] + y[1:]) * cross).sum() / (3 * twice))
    meets = (y[:-1] > level) != (y[1:] > level)
    if not meets.any():
        return float(ring[:, 0].mean()), float(ring[:, 1].mean())
    lean = (level - y[:-1][meets]) / (y[1:][meets] - y[:-1][meets])
    cuts = np.sort(x[:-1][meets] + lean * (x[1:][meets] - x[:-1][meets]))
    spans = cuts[1::2] - cuts[: len(cuts) // 2 * 2 : 2]
    best = int(np.argmax(spans))
    middle = (cuts[2 * best] + cuts[2 * best + 1]) / 2
    return float(ring[0, 0] + middle), float(ring[0, 1] + level)


def _along(
    drawable: Drawable, number: int, look: Look, text: str, ratio: float
) -> Iterator[tuple[float, float, float]]:
    """Places on a line where it is straight enough for a text, at the layer's spacing."""
    size = _size(look, ratio)
    wide = lettered((text,), round(size, 1), 0.0, 0.0, bold=False).width if text else size
    spacing = max(look.number("symbol-spacing", 250.0) * ratio, wide * 1.2)
    for line in drawable.shapes.pieces(number, wide):
        if len(line) < 2 or not np.isfinite(line).all():
            continue
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        length = float(along[-1])
        if length < wide:
            continue
        count = min(max(int(length / spacing), 1), _MAX_SPOTS)
        if look.text("symbol-placement") == "line-center":
            count = 1
        for spot in range(count):
            middle = length * (spot + 0.5) / count
            found = _straight(line, along, middle, wide, size)
            if found is not None:
                yield found


def _straight(
    line: NDArray[np.float64], along: NDArray[np.float64], middle: float, wide: float, size: float
) -> tuple[float, float, float] | None:
    """Middle and turn (degrees against the clock) of a text over a part of a line that is straight."""
    reach = np.linspace(middle - wide / 2, middle + wide / 2, 7)
    x, y = np.interp(reach, along, line[:, 0]), np.interp(reach, along, line[:, 1])
    dx, dy = x[-1] - x[0], y[-1] - y[0]
    chord = math.hypot(dx, dy)
    if chord < 0.9 * wide:
        return None
    away = np.abs((x - x[0]) * dy - (y - y[0]) * dx) / chord
    if away.max() > _BEND * size:
        return None
    angle = -math.degrees(math.atan2(dy, dx))
    if angle > 90:
        angle -= 180
    elif angle < -90:
        angle += 180
    return float(x[3]), float(y[3]), round(angle / _ANGLE) * _ANGLE


def placed(labels: list[Label]) -> list[Label]:
    """The labels that are shown: none touches another, but for those that are free to."""
    ordered = sorted(labels, key=lambda label: label.rank)[:MAX_LABELS]
    if not ordered:
        return []
    touching = _touching(ordered)
    taken = np.array([label.is_free for label in ordered])
    open_ = ~taken & ~touching[:, taken].any(axis=1)
    earlier = np.tri(len(ordered), k=-1, dtype=bool)
    for _ in range(ROUNDS):
        waits = (touching & earlier & open_[None, :]).any(axis=1)
        now = open_ & ~waits
        taken |= now
        open_ &= ~now & ~(touching[:, now]).any(axis=1)
    return [label for label, is_taken in zip(ordered, taken, strict=True) if is_taken]


def _touching(labels: list[Label]) -> NDArray[np.bool_]:
    x, y = np.array([label.x for label in labels]), np.array([label.y for label in labels])
    half = np.array([label.half for label in labels])
    dx, dy = np.abs(x[:, None] - x[None, :]), np.abs(y[:, None] - y[None, :])
    near = (dx < half[:, None, 0] + half[None, :, 0]) & (dy < half[:, None, 1] + half[None, :, 1])
    _, owner = np.unique([f"{label.rank[0]} {label.rank[2]}" for label in labels], return_inverse=True)
    near &= owner[:, None] != owner[None, :]  # a sign and its own name belong together
    _, named = np.unique([label.text for label in labels], return_inverse=True)
    is_name = np.array([bool(label.text) for label in labels])
    again = (
        is_name[:, None]
        & (named[:, None] == named[None, :])
        & (dx < _AGAIN_PX[0])
        & (dy < _AGAIN_PX[1])
    )
    found: NDArray[np.bool_] = near | again
    np.fill_diagonal(found, val=False)
    return found


def write(canvas: Canvas, label: Label) -> None:
    """Draw a label; it begins at a whole pixel."""
    if label.sign is not None:
        high, wide = label.sign.shape[:2]
        canvas.picture(label.sign, _whole(label.x - wide / 2), _whole(label.y - high / 2))
    if label.drawn is None:
        return
    left = _whole(label.x - label.drawn.middle[0])
    top = _whole(label.y - label.drawn.middle[1])
    if label.halo.alpha > 0:
        canvas.mask(label.drawn.halo, left, top, label.halo)
    canvas.mask(label.drawn.letters, left, top, label.colour)


def _whole(pixel: float) -> int:
    """The nearest whole pixel, the same in each tile: halves are not left to errors of rounding."""
    return math.floor(pixel + 0.5 + 1e-6)
