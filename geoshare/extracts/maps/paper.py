"""Where things lie on a sheet: the map, and what is written around it. All in millimetres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

SIZES: Final = {"A4": (210.0, 297.0), "A3": (297.0, 420.0)}
EDGE: Final = 8.0  # that printers leave white
HEADER: Final = 14.0
TICKS: Final = 4.5  # around the map, for coordinates and neighbours
FOOTER: Final = 4.0


class Rect(NamedTuple):
    """A rectangle by its lower left corner."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.w

    @property
    def top(self) -> float:
        """Its upper edge."""
        return self.y + self.h


@dataclass(frozen=True)
class Layout:
    """The places of a sheet."""

    width: float
    height: float
    header: Rect
    map: Rect
    legend: Rect
    legend_columns: int
    scale: Rect
    north: Rect
    code: Rect
    imprint: Rect


def layout(paper: Literal["A4", "A3"], orientation: Literal["portrait", "landscape"]) -> Layout:
    """Return the places of a sheet: beside the map where it is wide, below it where it is high."""
    short, long = SIZES[paper]
    if orientation == "landscape":
        return _beside(long, short, 58.0 if paper == "A4" else 74.0)
    return _below(short, long, 66.0 if paper == "A4" else 78.0)


def page_size(paper: str, orientation: str) -> tuple[float, float]:
    """Width and height of a page."""
    short, long = SIZES[paper]
    return (long, short) if orientation == "landscape" else (short, long)


def _beside(width: float, height: float, column: float) -> Layout:
    header = Rect(EDGE, height - EDGE - HEADER, width - 2 * EDGE, HEADER)
    bottom = EDGE + FOOTER
    high = header.y - 1 - bottom
    chart = Rect(
        EDGE + TICKS,
        bottom + TICKS,
        width - 2 * EDGE - column - 2 * TICKS - 3,
        high - 2 * TICKS,
    )
    left = width - EDGE - column
    imprint_h, code_h, scale_h = 41.0, 29.0, 18.0
    imprint = Rect(left, bottom, column, imprint_h)
    code = Rect(left, imprint.top + 1, column * 0.52, code_h)
    north = Rect(code.right, code.y, column * 0.48, code_h)
    scale = Rect(left, header.y - 1 - TICKS / 2 - scale_h, column, scale_h)
    legend = Rect(left, code.top + 2, column, scale.y - code.top - 3)
    return Layout(width, height, header, chart, legend, 1, scale, north, code, imprint)


def _below(width: float, height: float, band: float) -> Layout:
    header = Rect(EDGE, height - EDGE - HEADER, width - 2 * EDGE, HEADER)
    bottom = EDGE + FOOTER
    chart = Rect(
        EDGE + TICKS,
        bottom + band + TICKS,
        width - 2 * EDGE - 2 * TICKS,
        header.y - 1 - bottom - band - 2 * TICKS,
    )
    inner = width - 2 * EDGE
    side = 66.0
    legend = Rect(EDGE, bottom, inner - side - 4, band - 1)
    left = legend.right + 4
    scale = Rect(left, bottom + band - 17, side, 16)
    code = Rect(left, scale.y - 27, side * 0.5, 26)
    north = Rect(code.right, code.y, side * 0.5, 26)
    imprint = Rect(left, bottom, side, code.y - bottom - 1)
    columns = 2 if width < 250 else 4
    return Layout(width, height, header, chart, legend, columns, scale, north, code, imprint)
