"""What a printed map is drawn with: widths at a scale, and the lines of signs."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import Final

from geoshare.model.appearance import BASE, STYLE

__all__ = ["BASE", "STYLE", "Points", "by_zoom", "glyph"]

_STEP: Final = re.compile(r"([MLHVlhv])([^MLHVlhv]*)")
_NUMBER: Final = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
_GROWTH: Final = 1.5  # of widths between two zooms, as in the browser
Points = list[tuple[float, float]]


def by_zoom(stops: list[list[float]], zoom: float) -> float:
    """Return a width in pixels at a zoom: exponential to the base 1.5 between stops, then constant."""
    if zoom <= stops[0][0]:
        return stops[0][1]
    for (low, first), (high, last) in pairwise(stops):
        if zoom <= high:
            share = (_GROWTH ** (zoom - low) - 1) / (_GROWTH ** (high - low) - 1)
            return float(first + share * (last - first))
    return stops[-1][1]


@lru_cache(maxsize=64)
def glyph(name: str) -> list[Points]:
    """Lines of a glyph in a square of 24 units, y downwards.

    The paths are those of the browser's symbols: straight pieces alone (``M L H V l h v``).
    """
    lines: list[Points] = []
    x = y = 0.0
    for command, said in _STEP.findall(STYLE["glyphs"][name]):
        numbers = [float(text) for text in _NUMBER.findall(said)]
        pairs = list(zip(numbers[::2], numbers[1::2], strict=False))
        if command in "HVhv":
            across = command in "Hh"
            pairs = [(n, 0.0) if across else (0.0, n) for n in numbers]
        for first, second in pairs:
            if command in "lhv":
                x, y = x + first, y + second
            elif command == "H":
                x = first
            elif command == "V":
                y = second
            else:
                x, y = first, second
            if command == "M":
                lines.append([])
            lines[-1].append((x, y))
    return lines
