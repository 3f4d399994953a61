"""Which stretches of two boundaries bound a lane, where they do not begin and end with it.

A lane's line begins and ends in the middle between its boundaries; in every map of one making it does
so to the millimetre. It does not where records of several days are put together: a later edition cut
a boundary at another place under the same id, and a lane that this edition no longer knows still names
it. Such a boundary runs on for tens of metres beside other lanes, or is elsewhere.
"""

from __future__ import annotations

from itertools import product
from typing import Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

Array = NDArray[np.float64]
ASIDE_M: Final = 1.0  # by which the middle of two ends may lie beside the end of the lane's line
SHORTEST_M: Final = 0.5


class Stretch(NamedTuple):
    """A part of a line: from and to, in metres along it."""

    start: float
    end: float


def aside(centre: Array, left: Array, right: Array) -> float:
    """How far the middle of two boundaries lies from a lane's line (n, 2 or 3) at its worse end."""
    return max(_aside(centre, left, right, end) for end in (0, -1))


def _aside(centre: Array, left: Array, right: Array, end: int) -> float:
    return float(np.hypot(*((left[end] + right[end]) / 2 - centre[end])[:2]))


def bounding(centre: Array, left: Array, right: Array) -> tuple[Stretch | None, Stretch | None] | None:
    """The stretches of two lines that bound a lane; None where they are the lines as a whole.

    Parameters
    ----------
    centre, left, right
        The lane's line and its boundaries (n, 2 or 3) in metres, all as traffic runs.

    Returns
    -------
    Stretches of the left and the right line. A line that no stretch of bounds the lane, as one that
    is too short or elsewhere, has None.
    """
    if aside(centre, left, right) <= ASIDE_M:
        return None
    lines = [shapely.LineString(line[:, :2]) for line in (left, right)]
    found = []
    for end in (0, -1):
        whole = (0.0, 0.0) if end == 0 else (lines[0].length, lines[1].length)
        fits = _aside(centre, left, right, end) <= ASIDE_M
        found.append(whole if fits else _cuts(centre[end, :2], lines, whole))
    stretches = [Stretch(found[0][side], found[1][side]) for side in (0, 1)]
    kept: list[Stretch | None] = [
        part if part.end - part.start >= SHORTEST_M else None for part in stretches
    ]
    for place, end in enumerate((0, -1)):
        ends = [_place(line, part[place]) for line, part in zip(lines, stretches, strict=True)]
        if np.hypot(*((ends[0] + ends[1]) / 2 - centre[end, :2])) > ASIDE_M:
            kept[_wrong(centre, end, ends)] = None
    return kept[0], kept[1]


def _wrong(centre: Array, end: int, ends: list[Array]) -> int:
    """Which of two lines is not a lane's at one end: that on the wrong side of it, or farther away."""
    ahead = (centre[1] - centre[0] if end == 0 else centre[-1] - centre[-2])[:2]
    away = [place - centre[end, :2] for place in ends]
    left = [float(ahead[0] * step[1] - ahead[1] * step[0]) for step in away]
    wrong = [left[0] < 0, left[1] > 0]
    if wrong[0] != wrong[1]:
        return wrong.index(True)
    return int(np.argmax([np.hypot(*step) for step in away]))


def _cuts(
    middle: Array, lines: list[shapely.LineString], own: tuple[float, float]
) -> tuple[float, float]:
    """Where two lines are cut at one end of a lane: as they are, or beside the lane's end.

    Lanes may end askew, so a line is also cut where it lies opposite to the other's end; of two such
    ways the less askew one is taken.
    """
    tried = []
    for line, other, its in zip(lines, lines[::-1], own[::-1], strict=True):
        opposite = 2 * middle - _place(other, its)
        tried.append([float(line.project(shapely.Point(at))) for at in (opposite, middle)])

    def badness(cuts: tuple[float, float]) -> tuple[float, bool, float]:
        one, two = (_place(line, along) for line, along in zip(lines, cuts, strict=True))
        neither = cuts[0] != own[0] and cuts[1] != own[1]
        away = float(np.hypot(*((one + two) / 2 - middle)))
        return round(away, 2), neither, float(np.hypot(*(one - two)))

    return min(product([own[0], *tried[0]], [own[1], *tried[1]]), key=badness)


def _place(line: shapely.LineString, along: float) -> Array:
    found: Array = shapely.get_coordinates(line.interpolate(along))[0]
    return found


def cut(line: Array, stretch: Stretch) -> tuple[Array, list[int | None]]:
    """The part of a line (n, 3), and for each of its vertices which of the line's it is, if any."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line[:, :2], axis=0).T))])
    inside = np.flatnonzero((along > stretch.start + 1e-6) & (along < stretch.end - 1e-6))
    at = [stretch.start, *along[inside], stretch.end]
    places = np.column_stack([np.interp(at, along, line[:, axis]) for axis in range(line.shape[1])])
    vertices: list[int | None] = [int(place) for place in inside]
    first = 0 if stretch.start <= 1e-6 else None
    last = len(line) - 1 if stretch.end >= along[-1] - 1e-6 else None
    return places, [first, *vertices, last]
