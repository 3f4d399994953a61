"""Legends: how a collection's features look, by the known values of what decides on it.

Everything is read from the style and from the schema of visible columns, never from rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geoshare.drawing.expressions import Feature, evaluated
from geoshare.drawing.layers import Layer, Look
from geoshare.drawing.lettering import lettered
from geoshare.drawing.signs import sign
from geoshare.model.collections import Collection
from tiles.drawing import Canvas, Colour

WIDTH: Final = 280
ROW: Final = 24
SWATCH: Final = (34, 18)
ZOOM: Final = 15.5
MAX_ENTRIES: Final = 40
_INK: Final = Colour(0.13, 0.15, 0.17)
_WHITE: Final = Colour(1.0, 1.0, 1.0)
_KINDS: Final = {"point": "Point", "line": "LineString", "polygon": "Polygon"}
_SIZE: Final = 12.0

Swatch = NDArray[np.uint8]


class Entry(NamedTuple):
    """One row: what is shown, and what it means."""

    swatch: Swatch
    text: str


def entries(about: Collection, layers: Sequence[Layer], language: str) -> list[Entry]:
    """What features of a collection look like, each look once."""
    own = [layer for layer in layers if layer.source == about.name]
    kinds = [_KINDS[about.geometry]] if about.geometry in _KINDS else list(_KINDS.values())
    title = (about.title_ja if language == "ja" else about.title) or about.name
    found: list[Entry] = []
    seen: set[bytes] = set()
    for text, values in (*_values(about, own, language), (title, {})):
        for kind in kinds:
            swatch = _swatch(own, Feature(ZOOM, kind, values))
            if swatch[..., 3].any() and swatch.tobytes() not in seen:
                seen.add(swatch.tobytes())
                found.append(Entry(swatch, text))
    return found[:MAX_ENTRIES]


def _values(
    about: Collection, layers: Sequence[Layer], language: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Known values of the columns that decide most on how features look, with their titles."""
    counted = Counter(name for layer in layers for name in layer.names)
    known = {item.name: item for item in about.properties}
    for name, _ in sorted(counted.items(), key=lambda each: (-each[1], each[0])):
        item = known.get(name)
        titles = {} if item is None else (item.titles_ja if language == "ja" else item.titles)
        for value, text in titles.items():
            yield text, {name: value == "true" if item and item.type == "boolean" else value}


def _swatch(layers: Iterable[Layer], feature: Feature) -> Swatch:
    width, height = SWATCH
    canvas = Canvas(width, height)
    box = np.array([(2.0, 2.0), (width - 2.0, 2.0), (width - 2.0, height - 2.0), (2.0, height - 2.0)])
    ring = np.concatenate([box, box[:1]])
    line = np.array([(2.0, height / 2), (width - 2.0, height / 2)])
    middle = np.array([(width / 2, height / 2)])
    for layer in layers:
        if not layer.is_shown(ZOOM) or evaluated(layer.shows, feature, False) is not True:
            continue
        look = Look(layer, feature)
        if layer.kind == "fill" and feature.kind == "Polygon" and "fill-color" in layer.plain:
            colour = look.colour("fill-color").faded(look.number("fill-opacity", 1.0))
            canvas.areas(ring, np.array([0, 5]), np.ones(1, np.uint8), colour)
        elif layer.kind == "line" and feature.kind != "Point":
            drawn = ring if feature.kind == "Polygon" else line
            thick = min(look.number("line-width", 1.0), height / 2)
            dash = [part * thick for part in look.numbers("line-dasharray")]
            colour = look.colour("line-color").faded(look.number("line-opacity", 1.0))
            canvas.lines(drawn, np.array([0, len(drawn)]), thick, colour, dash)
        elif layer.kind == "circle":
            canvas.discs(
                middle,
                min(look.number("circle-radius", 5.0), height / 2 - 2),
                look.colour("circle-color"),
                look.number("circle-stroke-width", 0.0),
                look.colour("circle-stroke-color"),
            )
        elif layer.kind == "symbol" and look.text("icon-image"):
            image = sign(look.text("icon-image"), 0.75)
            if image is not None:
                canvas.picture(image, (width - image.shape[1]) // 2, (height - image.shape[0]) // 2)
    return canvas.rgba()


def picture(rows: Sequence[Entry]) -> NDArray[np.uint8]:
    """The legend (height, width, 4) on white."""
    height = ROW * max(len(rows), 1) + 8
    canvas = Canvas(WIDTH, height)
    ground = np.array([(0.0, 0.0), (WIDTH, 0.0), (WIDTH, height), (0.0, height)])
    canvas.areas(ground, np.array([0, 4]), np.ones(1, np.uint8), _WHITE)
    for number, entry in enumerate(rows):
        top = 4 + number * ROW
        canvas.picture(entry.swatch, 8, top + (ROW - SWATCH[1]) // 2)
        if entry.text.strip():
            text = lettered((entry.text.strip()[:60],), _SIZE, 0.0, 0.0, bold=False)
            up = round(top + ROW / 2 - text.middle[1])
            canvas.mask(text.letters, 8 + SWATCH[0] + 6, up, _INK)
    return canvas.rgba()


def plain_swatch(colour: str) -> Swatch:
    """A swatch of one colour."""
    from_hex = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    found = np.full((SWATCH[1], SWATCH[0], 4), 255, np.uint8)
    found[..., :3] = from_hex
    return found
