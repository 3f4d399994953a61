"""What a sheet's signs mean: entries are made while it is drawn, so they are of what is on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import shapely

from geoshare.extracts.maps.fonts import BOLD, MEDIUM, shortened, spelled
from geoshare.extracts.maps.frame import Shapes
from geoshare.extracts.maps.pen import Hatch, Pen

Draw = Callable[[Pen, float, float, float, float], None]  # left, bottom, width, height in millimetres
ROW_MM: Final = 4.6
SWATCH_MM: Final = 6.2
INK: Final = "#20262b"


@dataclass(frozen=True)
class Entry:
    """One line of a legend; a heading has nothing drawn."""

    label: str
    draw: Draw | None


@dataclass
class Legend:
    """Entries by their place in the order, each once."""

    entries: dict[tuple[int, int], Entry] = field(default_factory=dict)

    def add(self, group: int, order: int, label: str, draw: Draw | None) -> None:
        """Note that something is on the sheet; a heading goes by order -1."""
        self.entries.setdefault((group, order), Entry(label, draw))

    def rows(self) -> list[Entry]:
        """Entries in order."""
        return [self.entries[key] for key in sorted(self.entries)]


def swatch(
    colour: str | None,
    edge: str | None,
    hatch: Hatch | None = None,
    alpha: float = 1.0,
    width: float = 0.2,
    dash: tuple[float, ...] = (),
) -> Draw:
    """Draw a piece of an area."""

    def draw(pen: Pen, x: float, y: float, w: float, h: float) -> None:
        area = shapely_box(x, y, w, h)
        if colour:
            pen.fill(area, colour, alpha)
        if hatch:
            pen.hatch(area, hatch)
        if edge:
            pen.stroke(area, edge, width, dash)

    return draw


def line(layers: list[tuple[str, float, tuple[float, ...]]]) -> Draw:
    """Draw a piece of a line: colour, width and dashes of each layer, the lowest first."""

    def draw(pen: Pen, x: float, y: float, w: float, h: float) -> None:
        for colour, width, dash in layers:
            pen.polylines([[(x, y + h / 2), (x + w, y + h / 2)]], colour, width, dash, cap=0)

    return draw


def shapely_box(x: float, y: float, w: float, h: float) -> Shapes:
    """Return a rectangle as an array of one area."""
    made: Shapes = shapely.box([x], [y], [x + w], [y + h])
    return made


def draw_legend(
    pen: Pen, rows: list[Entry], area: tuple[float, float, float, float], title: str, columns: int
) -> list[Entry]:
    """Write a legend from the top of an area (left, bottom, width, height) on.

    Returns
    -------
    Entries that found no room.
    """
    x, y, w, h = area
    pen.text(x, y + h - 3.4, spelled(title, BOLD), 3.4, BOLD, INK)
    top = y + h - 5.4
    gap = 3.0
    column_w = (w - gap * (columns - 1)) / columns
    fitting = int((top - y) / ROW_MM)
    column, row = 0, 0
    for at, entry in enumerate(rows):
        left_over = fitting - row
        if row and (left_over < 1 or (entry.draw is None and left_over < 2)):
            column, row = column + 1, 0
        if column >= columns or fitting < 2:
            return rows[at:]
        left, base = x + column * (column_w + gap), top - (row + 1) * ROW_MM
        _draw_row(pen, entry, left, base, column_w)
        row += 1
    return []


def _draw_row(pen: Pen, entry: Entry, x: float, y: float, w: float) -> None:
    if entry.draw is None:
        label = shortened(spelled(entry.label, BOLD), 2.5, w, BOLD)
        pen.text(x, y + 1.2, label, 2.5, BOLD, INK)
        return
    entry.draw(pen, x, y + 0.7, SWATCH_MM, ROW_MM - 1.4)
    room = w - SWATCH_MM - 1.6
    label = shortened(spelled(entry.label), 2.55, room, MEDIUM)
    pen.text(x + SWATCH_MM + 1.6, y + 1.35, label, 2.55, MEDIUM, INK)
