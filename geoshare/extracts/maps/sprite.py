"""The signs of the map in one picture, as clients of style documents take them.

Drawn as a page with the pen and the signs of printed maps, and rendered by PDFium: no sign is drawn in
two places. Names are those that ``geoshare.query.styles`` gives to ``icon-image`` and ``fill-pattern``.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Final, NamedTuple

import numpy as np
import pypdfium2
import shapely
from reportlab.pdfgen.canvas import Canvas

from geoshare.extracts.maps import symbols
from geoshare.extracts.maps.pen import POINTS_PER_MM, Pen
from geoshare.extracts.maps.picture import PDFIUM
from geoshare.extracts.maps.style import STYLE, glyph
from geoshare.query.styles import EVENT_STATES, SHELTER_STATES, SIGNS

RATIOS: Final = (1, 2)
ROW_PX: Final = 256
GAP_PX: Final = 2  # between signs, so that none shows at another's edge
_THINGS: Final = STYLE["things"]
_RULE_GLYPHS: Final = {
    "traffic_sign": "octagon",
    "speed_limit": "round",
    "right_of_way": "diamond",
    "crosswalk": "stripes",
}
_STRUCTURE_GLYPHS: Final = {
    "bridge": "bridge",
    "overpass": "bridge",
    "tunnel": "tunnel",
    "underpass": "tunnel",
}
_ROADSIDE_GLYPHS: Final = {
    "sign": "sign",
    "pole": "pole",
    "street_lamp": "lamp",
    "tree": "tree",
    "hydrant": "hydrant",
}

Draw = Callable[[Pen, float, float], None]


class Sign(NamedTuple):
    """A sign: its size in CSS pixels, and what draws it around its middle (y upwards)."""

    name: str
    width: int
    height: int
    draw: Draw


class Spot(NamedTuple):
    """A sign on the sheet: its upper left corner in CSS pixels, y downwards."""

    sign: Sign
    x: int
    y: int


class Sprite(NamedTuple):
    """Where each sign is, and the picture as a PNG."""

    places: dict[str, dict[str, int]]
    picture: bytes


@lru_cache(maxsize=len(RATIOS))
def sprite(ratio: int) -> Sprite:
    """All signs in one picture, with so many pixels to a CSS pixel.

    Raises
    ------
    ValueError
        for another ratio than those of ``RATIOS``.
    """
    if ratio not in RATIOS:
        raise ValueError(f"ratio {ratio}")
    spots, height = _placed(list(_signs()))
    content = io.BytesIO()
    pen = Pen(Canvas(content, invariant=1, pageCompression=0))
    pen.begin_page(ROW_PX, height)  # a millimetre to a CSS pixel
    for spot in spots:
        sign = spot.sign
        sign.draw(pen, spot.x + sign.width / 2, height - spot.y - sign.height / 2)
    pen.canvas.save()
    places = {
        spot.sign.name: {
            "x": spot.x * ratio,
            "y": spot.y * ratio,
            "width": spot.sign.width * ratio,
            "height": spot.sign.height * ratio,
            "pixelRatio": ratio,
        }
        for spot in spots
    }
    return Sprite(places, _rendered(content.getvalue(), (ROW_PX * ratio, height * ratio), ratio))


def _rendered(pdf: bytes, size: tuple[int, int], ratio: int) -> bytes:
    """The page on nothing: what no sign covers is transparent."""
    with PDFIUM:
        document = pypdfium2.PdfDocument(pdf)
        try:
            shown = document[0].render(scale=ratio / POINTS_PER_MM, fill_color=(0, 0, 0, 0))
            image = shown.to_pil().convert("RGBA")
        finally:
            document.close()
    out = io.BytesIO()
    image.crop((0, 0, *size)).save(out, "PNG", optimize=True)
    return out.getvalue()


def _placed(signs: list[Sign]) -> tuple[list[Spot], int]:
    """Places in rows, the highest signs first, and the height of all rows."""
    x = y = row = 0
    spots = []
    for sign in sorted(signs, key=lambda one: (-one.height, one.name)):
        if x + sign.width > ROW_PX:
            x, y, row = 0, y + row + GAP_PX, 0
        spots.append(Spot(sign, x, y))
        x, row = x + sign.width + GAP_PX, max(row, sign.height)
    return spots, y + row


def _signs() -> Iterator[Sign]:
    yield Sign("site", 30, 30, partial(symbols.site, size=30))
    for state in (*SHELTER_STATES, "unknown"):
        yield Sign(f"shelter-{state}", 30, 30, partial(symbols.shelter, size=30, state=state))
    for state in EVENT_STATES:
        yield Sign(f"event-{state}", 28, 28, partial(symbols.event, size=28, state=state))
    yield Sign("water", 26, 26, partial(symbols.water_point, size=26, is_open=False))
    yield Sign("water-open", 26, 26, partial(symbols.water_point, size=26, is_open=True))
    yield Sign("damage", 26, 26, partial(symbols.damage, size=26))
    for turn in ("straight", "left", "right"):
        yield Sign(f"arrow-{turn}", 24, 40, partial(_arrow, turn=turn))
    yield Sign("hatch", 8, 8, _hatch)
    yield from _rules()
    for kind in ("", *SIGNS["structure"]):
        image = _STRUCTURE_GLYPHS.get(kind, "gate")
        yield _badge(_named("structure", kind), 22, _THINGS["structures"], image)
    for kind in ("", *SIGNS["roadside"]):
        name = _named("roadside", kind)
        if kind == "signal":
            yield Sign(name, 24, 24, _signal)
        else:
            colour = _THINGS["roadside_kinds"].get(kind, _THINGS["roadside_features"])
            yield _badge(name, 20, colour, _ROADSIDE_GLYPHS.get(kind, "plus"))


def _rules() -> Iterator[Sign]:
    for kind in ("", *SIGNS["rule"]):
        name = _named("rule", kind)
        if kind == "traffic_light":
            yield Sign(name, 24, 24, _signal)
        else:
            yield Sign(name, 24, 24, partial(_rule, image=_RULE_GLYPHS.get(kind, "plus")))


def _named(images: str, kind: str) -> str:
    return f"{images}-{kind}" if kind else images


def _badge(name: str, size: int, colour: str, image: str) -> Sign:
    """A glyph on a coloured circle."""

    def draw(pen: Pen, x: float, y: float) -> None:
        pen.circle(x, y, size / 2 - 0.5, fill=symbols.WHITE)
        pen.circle(x, y, size / 2 - 1.8, fill=colour)
        symbols.draw_glyph(pen, image, x, y, size * 0.68, 2.4, symbols.WHITE)

    return Sign(name, size, size, draw)


def _rule(pen: Pen, x: float, y: float, image: str) -> None:
    pen.rect(x - 11, y - 11, 22, 22, fill=symbols.WHITE, radius=5)
    pen.rect(x - 9.8, y - 9.8, 19.6, 19.6, fill=_THINGS["regulatory_elements"], radius=4)
    symbols.draw_glyph(pen, image, x, y, 19, 2.2, symbols.WHITE)


def _signal(pen: Pen, x: float, y: float) -> None:
    case, *lamps = _THINGS["signal"]
    pen.rect(x - 11, y - 11, 22, 22, fill=symbols.WHITE, radius=5)
    pen.rect(x - 10, y - 5, 20, 10, fill=case, radius=5)
    for at, colour in enumerate(lamps):
        pen.circle(x - 6 + 6 * at, y, 2.4, fill=colour)


def _arrow(pen: Pen, x: float, y: float, turn: str) -> None:
    """As painted on a lane: a shaft, and a filled head."""
    shaft, head = ([(x + px - 12, y + 20 - py) for px, py in line] for line in glyph(f"arrow-{turn}"))
    pen.polylines([shaft], symbols.WHITE, 2.4)
    pen.polygon(head, fill=symbols.WHITE)


def _hatch(pen: Pen, x: float, y: float) -> None:
    """A square that joins with itself on all sides."""
    ground, line = _THINGS["hatch"]
    pen.rect(x - 4, y - 4, 8, 8, fill=ground)
    square = np.array([shapely.box(x - 4, y - 4, x + 4, y + 4)], dtype=object)
    with pen.within(square):
        for off in (-8, 0, 8):
            pen.polylines([[(x - 4 + off, y - 4), (x + 4 + off, y + 4)]], line, 1.2)
