"""Draws on a PDF page in millimetres: whole arrays of shapes at a time, hatches, text with a halo.

Coordinates are written as whole hundredths of a millimetre, which keeps files small; whatever is given
in millimetres is multiplied here and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from geoshare.extracts.maps.fonts import MEDIUM, width
from geoshare.extracts.maps.frame import Shapes
from geoshare.model.appearance import STYLE

UNITS: Final = 100  # to a millimetre
POINTS_PER_MM: Final = 72 / 25.4
ROUND, FLAT = 1, 0


@dataclass(frozen=True)
class Hatch:
    """Parallel lines at some angles, or dots; ``spacing`` and ``width`` in millimetres."""

    angles: tuple[float, ...]
    spacing: float
    width: float
    colour: str
    dots: bool = False


class Pen:
    """A page's canvas, measured in millimetres from its lower left corner."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas

    def begin_page(self, width_mm: float, height_mm: float) -> None:
        """Set the size of the page that is now drawn, and its unit."""
        self.canvas.setPageSize((width_mm * POINTS_PER_MM, height_mm * POINTS_PER_MM))
        self.canvas.scale(POINTS_PER_MM / UNITS, POINTS_PER_MM / UNITS)

    @contextmanager
    def moved(self, x: float = 0.0, y: float = 0.0, angle: float = 0.0) -> Iterator[None]:
        """Draw with the origin at a place, turned by degrees against the clock."""
        self.canvas.saveState()
        self.canvas.translate(x * UNITS, y * UNITS)
        if angle:
            self.canvas.rotate(angle)
        try:
            yield
        finally:
            self.canvas.restoreState()

    @contextmanager
    def within(self, shapes: Shapes) -> Iterator[None]:
        """Draw inside these areas alone."""
        self.canvas.saveState()
        self.canvas.addLiteral(f"{operators(shapes)} W n")
        try:
            yield
        finally:
            self.canvas.restoreState()

    def fill(self, shapes: Shapes, colour: str, alpha: float = 1.0) -> None:
        """Fill areas as one: where two overlap, the colour is no stronger."""
        path = operators(shapes)
        if path:
            self._fill_colour(colour, alpha)
            self.canvas.addLiteral(f"{path} f")

    def stroke(
        self,
        shapes: Shapes,
        colour: str,
        width: float,
        dash: Sequence[float] = (),
        cap: int = ROUND,
    ) -> None:
        """Draw lines, and the edges of areas."""
        path = operators(shapes)
        if path and width > 0:
            self._line(colour, width, dash, cap)
            self.canvas.addLiteral(f"{path} S")

    def hatch(self, shapes: Shapes, hatch: Hatch) -> None:
        """Lay a pattern over areas; it lies the same wherever on the sheet they are."""
        if not len(shapes) or shapely.is_empty(shapes).all():
            return
        bounds = tuple(float(value) for value in shapely.total_bounds(shapes))
        with self.within(shapes):
            if hatch.dots:
                self._dots(bounds, hatch)
            for angle in hatch.angles:
                self._lines(bounds, hatch, angle)

    def _lines(self, bounds: tuple[float, ...], hatch: Hatch, angle: float) -> None:
        west, south, east, north = bounds
        across = math.radians(angle + 90)
        normal = (math.cos(across), math.sin(across))
        along = (normal[1], -normal[0])
        corners = [(west, south), (east, south), (east, north), (west, north)]
        far = [x * normal[0] + y * normal[1] for x, y in corners]
        near = [x * along[0] + y * along[1] for x, y in corners]
        first, last = math.floor(min(far) / hatch.spacing), math.ceil(max(far) / hatch.spacing)
        lines = []
        for step in range(first, last + 1):
            at = step * hatch.spacing
            lines.append(
                [
                    (at * normal[0] + side * along[0], at * normal[1] + side * along[1])
                    for side in (min(near), max(near))
                ]
            )
        self.polylines(lines, hatch.colour, hatch.width, cap=FLAT)

    def _dots(self, bounds: tuple[float, ...], hatch: Hatch) -> None:
        """Dots in rows that are set off by half: strokes of no length with round ends."""
        west, south, east, north = bounds
        rise = hatch.spacing * 0.866
        lines = []
        for row in range(math.floor(south / rise), math.ceil(north / rise) + 1):
            off = hatch.spacing / 2 * (row % 2)
            first, last = math.floor(west / hatch.spacing) - 1, math.ceil(east / hatch.spacing)
            lines += [
                [(column * hatch.spacing + off, row * rise)] * 2 for column in range(first, last + 1)
            ]
        self.polylines(lines, hatch.colour, hatch.width)

    def polylines(
        self,
        lines: Iterable[Sequence[tuple[float, float]]],
        colour: str,
        width: float,
        dash: Sequence[float] = (),
        cap: int = ROUND,
    ) -> None:
        """Draw lines through points."""
        path = " ".join(_polyline(line) for line in lines)
        if path:
            self._line(colour, width, dash, cap)
            self.canvas.addLiteral(f"{path} S")

    def polygon(
        self,
        points: Sequence[tuple[float, float]],
        fill: str | None = None,
        edge: str | None = None,
        width: float = 0.2,
        dash: Sequence[float] = (),
    ) -> None:
        """Draw one area through points."""
        path = f"{_polyline(points)} h"
        if fill:
            self._fill_colour(fill, 1.0)
        if edge:
            self._line(edge, width, dash, FLAT)
        self.canvas.addLiteral(f"{path} {'B' if fill and edge else 'f' if fill else 'S'}")

    def rect(
        self,
        x: float,
        y: float,
        w: float,
        h: float,
        fill: str | None = None,
        edge: str | None = None,
        width: float = 0.2,
        radius: float = 0.0,
        dash: Sequence[float] = (),
    ) -> None:
        """Draw a rectangle, its corners round where a radius is given."""
        if fill:
            self._fill_colour(fill, 1.0)
        if edge:
            self._line(edge, width, dash, FLAT)
        numbers = [value * UNITS for value in (x, y, w, h, radius)]
        self.canvas.roundRect(*numbers, stroke=int(edge is not None), fill=int(fill is not None))

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        fill: str | None = None,
        edge: str | None = None,
        width: float = 0.2,
    ) -> None:
        """Draw a circle."""
        if fill:
            self._fill_colour(fill, 1.0)
        if edge:
            self._line(edge, width, (), FLAT)
        self.canvas.circle(
            x * UNITS,
            y * UNITS,
            radius * UNITS,
            stroke=int(edge is not None),
            fill=int(fill is not None),
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        font: str = MEDIUM,
        colour: str = STYLE["ink"],
        anchor: float = 0.0,
        halo: float = 0.0,
        angle: float = 0.0,
    ) -> float:
        """Write a spelled text on a base line; ``anchor`` 0 begins, 0.5 centres, 1 ends it at ``x``.

        Returns
        -------
        Its width in millimetres.
        """
        if not text:
            return 0.0
        wide = width(text, size, font)
        with self.moved(x, y, angle):
            self.canvas.setFont(font, size * UNITS)
            left = -anchor * wide * UNITS
            if halo:
                self.canvas.setLineJoin(ROUND)
                self._line("#ffffff", 2 * halo, (), ROUND)
                self.canvas.drawString(left, 0, text, mode=1)
            self._fill_colour(colour, 1.0)
            self.canvas.drawString(left, 0, text, mode=0)
        return wide

    def _fill_colour(self, colour: str, alpha: float) -> None:
        self.canvas.setFillColor(HexColor(colour))
        self.canvas.setFillAlpha(alpha)

    def _line(self, colour: str, width: float, dash: Sequence[float], cap: int) -> None:
        self.canvas.setStrokeColor(HexColor(colour))
        self.canvas.setLineWidth(width * UNITS)
        self.canvas.setLineCap(cap)
        self.canvas.setLineJoin(ROUND)
        self.canvas.setDash([part * UNITS for part in dash], 0)


def operators(shapes: Shapes) -> str:
    """Path of lines and areas in PDF's operators, areas one way round and their holes the other."""
    parts = shapely.get_parts(np.atleast_1d(np.asarray(shapes, object)))
    parts = parts[~(shapely.is_missing(parts) | shapely.is_empty(parts))]
    flat = shapely.get_dimensions(parts) == 2
    areas, lines = parts[flat], parts[shapely.get_dimensions(parts) == 1]
    rings = shapely.get_rings(shapely.orient_polygons(areas)) if len(areas) else areas
    return " ".join([text for text in (_joined(rings, " h"), _joined(lines, "")) if text])


def _joined(lines: Shapes, end: str) -> str:
    if not len(lines):
        return ""
    coordinates, line_of = shapely.get_coordinates(lines, return_index=True)
    whole = np.rint(coordinates * UNITS).astype(np.int64)
    new = np.ones(len(whole), bool)
    new[1:] = (whole[1:] != whole[:-1]).any(axis=1) | (line_of[1:] != line_of[:-1])
    whole, line_of = whole[new], line_of[new]
    starts = np.flatnonzero(np.r_[True, line_of[1:] != line_of[:-1]])
    words = [f"{x} {y} l" for x, y in whole.tolist()]
    for start in starts.tolist():
        words[start] = f"{words[start][:-1]}m"
    if end:
        for stop in [*(starts[1:] - 1).tolist(), len(words) - 1]:
            words[stop] += end
    return "\n".join(words)


def _polyline(points: Sequence[tuple[float, float]]) -> str:
    words = [f"{x * UNITS:.0f} {y * UNITS:.0f} l" for x, y in points]
    return " ".join([f"{words[0][:-1]}m", *words[1:]])
