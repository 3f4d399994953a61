"""A change set as a picture: what came, what went, what was moved and from where."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import shapely
from reportlab.pdfgen.canvas import Canvas

from geoshare.errors import BadRequest
from geoshare.extracts.maps.fonts import BOLD, MEDIUM, load_fonts, spelled, width
from geoshare.extracts.maps.frame import Frame, Shapes
from geoshare.extracts.maps.furniture import INK, length, round_part
from geoshare.extracts.maps.pen import Pen
from geoshare.extracts.maps.picture import frame_around, rendered
from geoshare.model.box import Box

Kind = Literal["added", "removed", "moved", "other", "same"]
# Blue and orange, not green and red: told apart by people who see few colours, and by brightness.
COLOURS: Final[dict[Kind, str]] = {
    "same": "#b9c0c6",
    "other": "#8a4fbf",
    "removed": "#d1491b",
    "moved": "#c58a00",
    "added": "#0b62c4",
}
_WIDTH_MM: Final = {"same": 0.25, "other": 0.5, "removed": 0.9, "moved": 0.7, "added": 1.3}
_DOT_MM: Final = 0.9
DRAWN: Final[tuple[Kind, ...]] = ("added", "other", "moved", "removed")
"""One above the other, from wide lines to thin ones and to outlines, so that none hides another."""
_WORDS: Final[dict[Kind, tuple[str, str]]] = {
    "added": ("追加", "Added"),
    "removed": ("削除（破線）", "Removed (dashed)"),
    "moved": ("移動・高さ変更（破線: 変更前）", "Moved or raised (dashed: before)"),
    "other": ("属性・構成の変更", "Attributes or topology"),
    "same": ("変更なし", "Unchanged"),
}
_WORDS_OF_DOTS: Final[dict[Kind, tuple[str, str]]] = {
    "removed": ("削除（輪）", "Removed (ring)"),
    "moved": ("移動・高さ変更（輪: 変更前）", "Moved or raised (ring: before)"),
}
_MARGIN: Final = 0.08  # of the extent, around it
_LEAST_DEG: Final = 0.0002
_DASH: Final = (1.6, 1.2)
_BAR: Final = 0.22  # of the picture's width, at most


@dataclass(frozen=True, slots=True)
class Difference:
    """What is drawn of one change; shapes in degrees, None where there is none."""

    kind: Kind
    before: shapely.Geometry | None
    after: shapely.Geometry | None


def draw_changes(
    differences: Sequence[Difference],
    size_px: tuple[int, int],
    language: Literal["ja", "en"] = "ja",
    unchanged: Sequence[shapely.Geometry] = (),
) -> bytes:
    """Draw differences as a PNG.

    Parameters
    ----------
    differences
        What changed; the picture shows all of it.
    size_px
        Width and height, at most 4,000 each.
    language
        Of the legend.
    unchanged
        Shapes that are drawn below it.

    Raises
    ------
    BadRequest
        where nothing has a place, or for a size out of range.
    Unavailable
        where the font has not been laid there by the web build.
    """
    frame = frame_around(_extent(differences), *size_px, 1.0)
    load_fonts()
    content = io.BytesIO()
    pen = Pen(Canvas(content, invariant=1, pageCompression=0, initialFontName=MEDIUM))
    pen.begin_page(frame.width_mm, frame.height_mm)
    pen.rect(0, 0, frame.width_mm, frame.height_mm, fill="#ffffff")
    _draw(pen, frame, "same", unchanged)
    for kind in DRAWN:
        mine = [item for item in differences if item.kind == kind]
        _draw(pen, frame, kind, [item.before for item in mine], dashed=True)
        _draw(pen, frame, kind, [item.after for item in mine])
        if kind == "moved":
            _arrows(pen, frame, mine)
    _legend(pen, frame, differences, 0 if language == "ja" else 1, unchanged)
    _scale(pen, frame)
    pen.canvas.save()
    return rendered(content.getvalue(), *size_px)


def _extent(differences: Sequence[Difference]) -> Box:
    shapes = [shape for item in differences for shape in (item.before, item.after) if shape is not None]
    if not shapes:
        raise BadRequest(
            "Nothing that has changed has a place",
            parameter="picture",
            allowed="a difference of things with a geometry",
            message_ja="位置のある変更がありません",
        )
    west, south, east, north = (float(value) for value in shapely.total_bounds(shapes))
    aside = max((east - west) * _MARGIN, (north - south) * _MARGIN, _LEAST_DEG)
    return Box(west - aside, max(south - aside, -85), east + aside, min(north + aside, 85))


def _draw(
    pen: Pen,
    frame: Frame,
    kind: Kind,
    shapes: Sequence[shapely.Geometry | None],
    dashed: bool = False,
) -> None:
    present = np.array([shape for shape in shapes if shape is not None], object)
    if not len(present):
        return
    drawn: Shapes = shapely.get_parts(frame.drawn(shapely.force_2d(present)))
    colour, wide = COLOURS[kind], _WIDTH_MM[kind]
    points = drawn[shapely.get_dimensions(drawn) == 0]
    areas = drawn[shapely.get_dimensions(drawn) == 2]
    if not dashed:
        pen.fill(areas, colour, 0.15)
    pen.stroke(drawn[shapely.get_dimensions(drawn) > 0], colour, wide, _DASH if dashed else ())
    for x, y in shapely.get_coordinates(points):
        _dot(pen, x, y, kind, dashed)


def _dot(pen: Pen, x: float, y: float, kind: Kind, before: bool) -> None:
    """A point as it is, or a ring where it was."""
    colour, wide = COLOURS[kind], _WIDTH_MM[kind] / 2
    fill = None if before else colour
    pen.circle(x, y, _DOT_MM if kind != "same" else _DOT_MM / 2, fill=fill, edge=colour, width=wide)


def _arrows(pen: Pen, frame: Frame, moved: Sequence[Difference]) -> None:
    """Where points have gone to."""
    lines = []
    for item in moved:
        if (
            item.before is None
            or item.after is None
            or shapely.get_type_id(item.after) != shapely.GeometryType.POINT
        ):
            continue
        ends = frame.drawn(shapely.force_2d(np.array([item.before, item.after], object)))
        lines.append([(float(x), float(y)) for x, y in shapely.get_coordinates(ends)])
    pen.polylines(lines, COLOURS["moved"], 0.35)


def _legend(
    pen: Pen,
    frame: Frame,
    differences: Sequence[Difference],
    word: int,
    unchanged: Sequence[shapely.Geometry],
) -> None:
    shapes: dict[Kind, list[shapely.Geometry | None]] = {kind: [] for kind in _WORDS}
    for item in differences:
        shapes[item.kind].append(item.before if item.after is None else item.after)
    shapes["same"] = list(unchanged)
    rows = [kind for kind in _WORDS if shapes[kind]]
    size, step, pad = 3.6, 6.0, 3.0
    texts = [spelled(_words(kind, shapes[kind], word)) for kind in rows]
    wide = max(width(text, size, MEDIUM) for text in texts) + 30
    tall = step * len(rows) + 2 * pad - 1
    left, low = 4.0, frame.height_mm - 4.0 - tall
    pen.rect(left, low, wide, tall, fill="#ffffff", edge="#c9d0d6", width=0.2, radius=1.5)
    for number, (kind, text) in enumerate(zip(rows, texts, strict=True)):
        y = low + tall - pad - step * (number + 0.5) + 0.4
        if _dots(shapes[kind]):
            _dot(pen, left + 7.5, y, kind, kind == "removed")
        else:
            dash = _DASH if kind == "removed" else ()
            ends = [[(left + 3, y), (left + 12, y)]]
            pen.polylines(ends, COLOURS[kind], max(_WIDTH_MM[kind], 0.5), dash)
        pen.text(left + 15, y - 1.2, text, size)
        if kind != "same":
            number_of = f"{len(shapes[kind]):,}"
            pen.text(left + wide - 3, y - 1.2, number_of, size, font=BOLD, anchor=1.0)


def _words(kind: Kind, shapes: Sequence[shapely.Geometry | None], word: int) -> str:
    """What a kind is called, with how it is drawn."""
    if not _dots(shapes):
        return _WORDS[kind][word]
    return _WORDS_OF_DOTS.get(kind, _WORDS[kind])[word]


def _dots(shapes: Sequence[shapely.Geometry | None]) -> bool:
    """Whether all of them that have a place are points."""
    placed = [shape for shape in shapes if shape is not None]
    return bool(placed) and not shapely.get_dimensions(placed).any()


def _scale(pen: Pen, frame: Frame) -> None:
    """A bar of a round number of metres, in the lower left corner."""
    metres = round_part(frame.width_mm * _BAR * frame.scale / 1000)
    long, left, y, high = metres * 1000 / frame.scale, 6.0, 8.0, 1.6
    text = spelled(length(metres))
    wide = long + width(text, 3.6, MEDIUM) + 7
    pen.rect(left - 2, y - 2.4, wide, 6.0, fill="#ffffff", edge="#c9d0d6", width=0.2, radius=1.5)
    ends = [(left, y + high), (left, y), (left + long, y), (left + long, y + high)]
    pen.polylines([ends], INK, 0.4)
    pen.text(left + long + 2, y - 0.6, text, 3.6, MEDIUM, INK)
