r"""Drawings (DXF) for CAD: points and polylines in metres, ids and attributes as extended data.

AutoCAD R12 (AC1009) is what every program reads: ASCII groups of a code and a value, a line each. The
file is in cp932 and says so; other letters are escaped as ``\U+XXXX``. Each ring of an area is a
closed polyline of its own. Extended data of the application ``GEOSHARE`` hold ``name=value``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.extracts.layer import Layer
from geoshare.extracts.tables import plain

APPLICATION: Final = "GEOSHARE"
MAX_TEXT: Final = 255  # bytes of one text of extended data
MAX_DATA: Final = 16_000  # bytes of all extended data of an entity
MAX_LAYER: Final = 31  # letters of a layer's name
LABELS: Final = "_TEXT"  # what the layer of names ends with
LABEL_M: Final = 2.0  # height of names
_CONTROL: Final = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]+")
Group = tuple[int, Any]


def write_dxf(path: Path, layer: Layer, batches: Iterator[pa.RecordBatch]) -> None:
    """Write one drawing of one collection; names are texts on a layer of their own."""
    with open(path, "w", encoding="cp932", errors="strict", newline="\r\n") as file:
        drawing = _Drawing(layer)
        file.write(_lines(drawing.head()))
        for batch in batches:
            file.write(_lines(drawing.entities(batch)))
        file.write(_lines([(0, "ENDSEC"), (0, "EOF")]))
    if drawing.shortened:
        layer.said["texts_shortened"] = drawing.shortened


class _Drawing:
    """The groups of a drawing."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._name = layer.about.name[:MAX_LAYER]
        self._labels = layer.about.name[: MAX_LAYER - len(LABELS)] + LABELS
        shown = layer.about.label
        self._label = shown if shown in layer.schema.names[:-1] else ""
        self._digits = layer.decimals
        self.shortened = 0

    def head(self) -> Iterator[Group]:
        """Header and tables."""
        yield from [(0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, "AC1009")]
        yield from [(9, "$DWGCODEPAGE"), (3, "ANSI_932"), (0, "ENDSEC")]
        yield from [(0, "SECTION"), (2, "TABLES"), (0, "TABLE"), (2, "LTYPE"), (70, 1)]
        yield from [(0, "LTYPE"), (2, "CONTINUOUS"), (70, 0), (3, "Solid line"), (72, 65), (73, 0)]
        yield from [(40, 0.0), (0, "ENDTAB"), (0, "TABLE"), (2, "LAYER"), (70, 2)]
        for name, colour in ((self._name, 7), (self._labels, 8)):
            yield from [(0, "LAYER"), (2, name), (70, 0), (62, colour), (6, "CONTINUOUS")]
        yield from [(0, "ENDTAB"), (0, "TABLE"), (2, "APPID"), (70, 1)]
        yield from [(0, "APPID"), (2, APPLICATION), (70, 0), (0, "ENDTAB"), (0, "ENDSEC")]
        yield from [(0, "SECTION"), (2, "ENTITIES")]

    def entities(self, batch: pa.RecordBatch) -> Iterator[Group]:
        """Entities of each row that has a place."""
        names = self._layer.schema.names[:-1]
        shapes = shapely.from_wkb(batch.column("geometry").to_numpy(zero_copy_only=False))
        columns = [plain(batch.column(name)).to_pylist() for name in names]
        for shape, values in zip(shapes, zip(*columns, strict=True), strict=True):
            if shape is None or shape.is_empty:
                continue
            row = dict(zip(names, values, strict=True))
            data = self._data(row)
            for piece, closed in _pieces(shape):
                yield from self._entity(piece, closed)
                yield from data
                yield from self._vertices(piece, closed)
            if self._label and row[self._label] is not None:
                yield from self._text(str(row[self._label]), shapely.point_on_surface(shape))

    def _data(self, row: dict[str, Any]) -> list[Group]:
        found: list[Group] = [(1001, APPLICATION)]
        left = MAX_DATA
        for name, value in row.items():
            if value is None:
                continue
            text = _written(f"{name}={value}")
            if len(text.encode("cp932")) > min(MAX_TEXT, left):
                self.shortened += 1
                text = text.encode("cp932")[: max(0, min(MAX_TEXT, left))].decode("cp932", "ignore")
            left -= len(text.encode("cp932"))
            if text:
                found.append((1000, text))
        return found

    def _entity(self, piece: BaseGeometry, closed: bool) -> Iterator[Group]:
        if piece.geom_type == "Point":
            yield from [(0, "POINT"), (8, self._name), *self._place(*piece.coords[0])]
            return
        flags = (1 if closed else 0) | (8 if piece.has_z else 0)
        yield from [(0, "POLYLINE"), (8, self._name), (66, 1), *self._place(0.0, 0.0), (70, flags)]

    def _vertices(self, piece: BaseGeometry, closed: bool) -> Iterator[Group]:
        if piece.geom_type == "Point":
            return
        places = list(piece.coords)
        for place in places[:-1] if closed else places:
            yield from [(0, "VERTEX"), (8, self._name), *self._place(*place)]
            if piece.has_z:
                yield (70, 32)
        yield from [(0, "SEQEND"), (8, self._name)]

    def _text(self, text: str, place: BaseGeometry) -> Iterator[Group]:
        yield from [(0, "TEXT"), (8, self._labels), *self._place(*place.coords[0])]
        yield from [(40, LABEL_M), (1, _written(text)[:200])]

    def _place(self, x: float, y: float, z: float = 0.0) -> list[Group]:
        digits = self._digits
        high = round(z, 3) if z == z else 0.0
        return [(10, round(x, digits)), (20, round(y, digits)), (30, high)]


def _pieces(shape: BaseGeometry) -> Iterator[tuple[BaseGeometry, bool]]:
    """Points, lines and rings of a shape, and whether each is closed."""
    for part in getattr(shape, "geoms", [shape]):
        if part.geom_type == "Polygon":
            yield from ((ring, True) for ring in (part.exterior, *part.interiors))
        elif part.geom_type in ("Point", "LineString"):
            yield part, False
        else:
            yield from _pieces(part)


def _written(text: str) -> str:
    """A text of one line in the letters of cp932."""
    text = _CONTROL.sub(" ", text)
    try:
        text.encode("cp932")
    except UnicodeEncodeError:
        text = "".join(_letter(letter) for letter in text)
    return text


def _letter(letter: str) -> str:
    try:
        letter.encode("cp932")
    except UnicodeEncodeError:
        units = letter.encode("utf-16-be", "surrogatepass")
        pairs = (units[at : at + 2].hex().upper() for at in range(0, len(units), 2))
        return "".join(f"\\U+{pair}" for pair in pairs)
    return letter


def _lines(groups: Iterable[Group]) -> str:
    return "".join(f"{code:>3}\n{value}\n" for code, value in groups)
