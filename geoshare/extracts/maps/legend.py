"""What a sheet's signs mean: entries are made while it is drawn, so they are of what is on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import shapely

from geoshare.extracts.maps.fonts import BOLD, MEDIUM, shortened, spelled, width
from geoshare.extracts.maps.frame import Shapes
from geoshare.extracts.maps.pen import Hatch, Pen
from geoshare.model.appearance import STYLE

Draw = Callable[[Pen, float, float, float, float], None]  # left, bottom, width, height in millimetres
ROWS_MM: Final = (
    5.6,
    5.1,
    4.6,
    4.3,
    4.0,
    3.7,
    3.4,
)  # height of a line, the first that all have room by
DENSE_MM: Final = (4.0, 3.7, 3.4, 3.1, 2.8, 2.5, 2.3)  # where short entries stand two to a line
LETTERS_MM, BESIDE_MM = 2.55, 1.6  # size of the letters, and their distance from the sign
SWATCH_MM, SWATCH_HIGH_MM = 6.2, 2.9
GAP_MM: Final = 3.0
INK: Final[str] = STYLE["ink"]


@dataclass(frozen=True)
class Entry:
    """One line of a legend, or half of one; a heading has nothing drawn."""

    label: str
    draw: Draw | None
    half: bool = False


@dataclass
class Legend:
    """Entries by their place in the order, each once."""

    entries: dict[tuple[int, int], Entry] = field(default_factory=dict)

    def add(self, group: int, order: int, label: str, draw: Draw | None, *, half: bool = False) -> None:
        """Note that something is on the sheet; a heading goes by order -1, halves two to a line."""
        self.entries.setdefault((group, order), Entry(label, draw, half))

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
        for colour, thick, dash in layers:
            pen.polylines([[(x, y + h / 2), (x + w, y + h / 2)]], colour, thick, dash, cap=0)

    return draw


def shapely_box(x: float, y: float, w: float, h: float) -> Shapes:
    """Return a rectangle as an array of one area."""
    made: Shapes = shapely.box([x], [y], [x + w], [y + h])
    return made


def draw_legend(
    pen: Pen, rows: list[Entry], area: tuple[float, float, float, float], title: str, columns: int
) -> list[Entry]:
    """Write a legend from the top of an area (left, bottom, width, height) on.

    Lines move closer together where there are many, then short entries stand two to a line: a sheet's
    legend is on the sheet.

    Returns
    -------
    Entries that found no room.
    """
    x, y, w, h = area
    pen.text(x, y + h - 3.4, spelled(title, BOLD), 3.4, BOLD, INK)
    top = y + h - 5.4
    column_w = (w - GAP_MM * (columns - 1)) / columns
    lines, row_mm = _spacing(rows, top - y, column_w, columns)
    placed, left_over = _place(lines, top - y, row_mm, columns)
    for line_of, (column, row) in zip(lines, placed, strict=False):
        left, base = x + column * (column_w + GAP_MM), top - (row + 1) * row_mm
        for at, entry in enumerate(line_of):
            part = column_w / 2 if entry.half else column_w
            _draw_row(
                pen, entry, left + at * part, base, part - (GAP_MM / 2 if entry.half else 0), row_mm
            )
    return [entry for line_of in lines[len(lines) - left_over :] for entry in line_of]


def _spacing(
    rows: list[Entry], high: float, column_w: float, columns: int
) -> tuple[list[list[Entry]], float]:
    """Lines, and the height of one by which all entries have room, if any has."""
    lines = _lines(rows)
    for row_mm in ROWS_MM:
        if _place(lines, high, row_mm, columns)[1] == 0:
            return lines, row_mm
    for row_mm in DENSE_MM:
        lines = _lines([_narrow(entry, column_w, row_mm) for entry in rows])
        if _place(lines, high, row_mm, columns)[1] == 0:
            break
    return lines, row_mm


def _narrow(entry: Entry, column_w: float, row_mm: float) -> Entry:
    """An entry as half a line, where all of it is read there."""
    if entry.draw is None or entry.half:
        return entry
    by = _growth(row_mm)
    needed = SWATCH_MM * by + BESIDE_MM + width(spelled(entry.label), LETTERS_MM * by, MEDIUM)
    return replace(entry, half=needed <= column_w / 2 - GAP_MM / 2)


def _growth(row_mm: float) -> float:
    """How much signs and letters grow where lines have room, or shrink where they lie close."""
    return max(row_mm / 4.6, min(1.0, row_mm / 3.4))


def _lines(rows: list[Entry]) -> list[list[Entry]]:
    """Put halves together, two to a line."""
    lines: list[list[Entry]] = []
    for entry in rows:
        if entry.half and lines and len(lines[-1]) == 1 and lines[-1][0].half:
            lines[-1].append(entry)
        else:
            lines.append([entry])
    return lines


def _place(
    lines: list[list[Entry]], high: float, row_mm: float, columns: int
) -> tuple[list[tuple[int, int]], int]:
    """Column and row of each line, and how many lines found no place."""
    fitting = int(high / row_mm)
    placed: list[tuple[int, int]] = []
    column, row = 0, 0
    for at in range(len(lines)):
        needed = _together(lines[at:], fitting)
        if row + needed > fitting:
            column, row = column + 1, 0
        if column >= columns or fitting < 1:
            return placed, len(lines) - at
        placed.append((column, row))
        row += 1
    return placed, 0


def _together(lines: list[list[Entry]], most: int) -> int:
    """How many lines from the first on stay in one column: a heading stays with what it heads."""
    if lines[0][0].draw is not None or len(lines) == 1:
        return 1
    halves = next((at for at, line_of in enumerate(lines[1:]) if not line_of[0].half), len(lines) - 1)
    return min(1 + max(halves, 1), max(most, 1))


def _draw_row(pen: Pen, entry: Entry, x: float, y: float, w: float, row_mm: float) -> None:
    by = _growth(row_mm)
    size = LETTERS_MM * by
    if entry.draw is None:
        label = shortened(spelled(entry.label, BOLD), size, w, BOLD)
        pen.text(x, y + row_mm * 0.22, label, size, BOLD, INK)
        return
    middle = y + row_mm / 2
    wide, high = SWATCH_MM * by, SWATCH_HIGH_MM * by
    entry.draw(pen, x, middle - high / 2, wide, high)
    label = shortened(spelled(entry.label), size, w - wide - BESIDE_MM, MEDIUM)
    pen.text(x + wide + BESIDE_MM, middle - size * 0.36, label, size, MEDIUM, INK)
