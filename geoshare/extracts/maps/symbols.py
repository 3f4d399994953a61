"""Signs of the map: those of the browser, told apart without colour too.

States of a shelter differ by how its plate is filled: open is full, full and closed are struck
through, what is not open (yet) is an outline, what is not known has a question mark.
"""

from __future__ import annotations

from typing import Final

from geoshare.extracts.maps.fonts import BOLD, spelled
from geoshare.extracts.maps.pen import FLAT, Pen
from geoshare.extracts.maps.style import STYLE, glyph

WHITE: Final = "#ffffff"
INK: Final[str] = STYLE["ink"]
HAZARDS: Final = tuple(STYLE["hazards"])
SIDE: Final = 1.0  # of a plate; sizes below are parts of it
STATES: Final = ("open", "full", "preparing", "not_open", "closed", "unknown")


def draw_glyph(pen: Pen, name: str, x: float, y: float, size: float, width: float, colour: str) -> None:
    """Draw a glyph in a square of ``size`` around a place; the width in units of its 24."""
    scale = size / 24
    lines = [
        [(x + (px - 12) * scale, y - (py - 12) * scale) for px, py in line] for line in glyph(name)
    ]
    pen.polylines(lines, colour, width * scale)


def _plate(pen: Pen, x: float, y: float, size: float, colour: str, solid: bool, dashed: bool) -> None:
    half = size / 2
    pen.rect(x - half, y - half, size, size, fill=WHITE, radius=size * 0.2)
    inner = size * 0.9
    dash = (size * 0.14, size * 0.1) if dashed else ()
    edge = size * 0.075
    pen.rect(
        x - inner / 2 + edge / 2,
        y - inner / 2 + edge / 2,
        inner - edge,
        inner - edge,
        fill=colour if solid else WHITE,
        edge=colour,
        width=edge,
        radius=size * 0.15,
        dash=dash,
    )


def shelter(pen: Pen, x: float, y: float, size: float, state: str | None) -> None:
    """A designated shelter (指定避難所) in a state."""
    state = state if state in STYLE["shelter"] else "unknown"
    colour = STYLE["shelter"][state]
    solid = state in ("open", "full", "unknown")
    _plate(pen, x, y, size, colour, solid, dashed=state == "preparing")
    line = WHITE if solid else colour
    draw_glyph(pen, "house", x, y, size * 0.77, 2.0, line)
    if state == "unknown":
        draw_glyph(pen, "question", x, y - size * 0.08, size * 0.48, 3.2, line)
    else:
        _runner(pen, x, y - size * 0.08, size * 0.43, line)
    if state in ("full", "closed"):
        draw_glyph(pen, "strike", x, y, size * 0.86, 5.0, WHITE if solid else colour)
        draw_glyph(pen, "strike", x, y, size * 0.86, 2.2, INK if solid else WHITE)


def site(pen: Pen, x: float, y: float, size: float) -> None:
    """A designated evacuation site (指定緊急避難場所)."""
    _plate(pen, x, y, size, STYLE["site"], solid=True, dashed=False)
    _runner(pen, x, y + size * 0.03, size * 0.72, WHITE)
    draw_glyph(pen, "ground", x, y + size * 0.02, size * 0.72, 1.8, WHITE)


def _runner(pen: Pen, x: float, y: float, size: float, colour: str) -> None:
    draw_glyph(pen, "runner", x, y, size, 2.3, colour)
    pen.circle(x + (14.8 - 12) * size / 24, y - (5 - 12) * size / 24, 2.2 * size / 24, fill=colour)


def hazard_mark(pen: Pen, x: float, y: float, radius: float, hazard: str, language: str) -> None:
    """What a site is designated for, as a letter in a circle."""
    japanese, english, colour = STYLE["hazards"][hazard]
    pen.circle(x, y, radius, fill=colour, edge=WHITE, width=radius * 0.14)
    letter = japanese if language == "ja" else english
    size = radius * 1.35
    pen.text(x, y - size * 0.36, spelled(letter, BOLD), size, BOLD, WHITE, 0.5)


def event(pen: Pen, x: float, y: float, size: float, state: str) -> None:
    """A closure (a cross), a restriction (a mark) or one that is only planned (a clock)."""
    colour = STYLE["event"][state]
    pen.circle(x, y, size / 2, fill=WHITE)
    pen.circle(x, y, size * 0.42, fill=colour)
    name, width = {"closed": ("cross", 4.4), "restricted": ("mark", 3.6), "planned": ("clock", 2.6)}[
        state
    ]
    draw_glyph(pen, name, x, y, size * 0.72, width, WHITE)


def water_point(pen: Pen, x: float, y: float, size: float, is_open: bool) -> None:
    """A water point: a drop, white on blue while water is given."""
    colour = STYLE["waterPoint"]
    pen.circle(x, y, size / 2, fill=WHITE)
    pen.circle(x, y, size * 0.43, fill=colour if is_open else WHITE, edge=colour, width=size * 0.07)
    draw_glyph(pen, "drop", x, y, size * 0.72, 2.4, WHITE if is_open else colour)


def damage(pen: Pen, x: float, y: float, size: float) -> None:
    """A damage report."""
    half = size / 2
    pen.rect(x - half, y - half, size, size, fill=WHITE, radius=size * 0.5)
    draw_glyph(pen, "damage", x, y + size * 0.04, size * 0.8, 2.6, STYLE["damage"])


def number_badge(pen: Pen, x: float, y: float, number: int, size: float) -> float:
    """Write the number of a place in the list; returns half of its width."""
    text = str(number)
    half = max(size * 0.52, size * 0.3 * len(text) + size * 0.16)
    pen.rect(
        x - half,
        y - size * 0.52,
        2 * half,
        size * 1.04,
        fill=WHITE,
        edge=INK,
        width=size * 0.07,
        radius=size * 0.5,
    )
    pen.text(x, y - size * 0.34, text, size * 0.92, BOLD, INK, 0.5)
    return half


def closure_line(pen: Pen, line: list[tuple[float, float]], width: float, state: str) -> None:
    """A stretch of road that is closed: barred across its length, so that it shows in grey too."""
    pen.polylines([line], WHITE, width * 1.7)
    pen.polylines([line], INK if state == "closed" else STYLE["event"][state], width * 1.25)
    pen.polylines([line], STYLE["event"][state], width)
    pen.polylines([line], WHITE, width * 0.62, dash=(width * 0.9, width * 0.9), cap=FLAT)
