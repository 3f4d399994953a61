"""Where names go: the most important first, each at the first of its places where nothing else is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geoshare.extracts.maps.fonts import MEDIUM, spelled, width
from geoshare.extracts.maps.pen import Pen

Area = tuple[float, float, float, float]  # left, bottom, right, top in millimetres
ASCENT, DESCENT = 0.86, 0.2  # of the size of the type, as far as letters reach
GAP: Final = 0.5
SECOND, LINE = 0.85, 1.25  # of a second line: its size, and how far it is below the first


@dataclass(frozen=True)
class Place:
    """Where a text might begin: its base line, the part of its width left of ``x``, its turn."""

    x: float
    y: float
    anchor: float = 0.5
    angle: float = 0.0


@dataclass(frozen=True)
class Label:
    """A text and its places, in the order in which they are tried; the least ``rank`` goes first."""

    text: str
    places: Sequence[Place]
    size: float
    rank: float
    font: str = MEDIUM
    colour: str = "#33404a"
    halo: float = 0.35
    again_mm: float = 0.0  # the same text is not written nearer than this
    below: str = ""  # a second, smaller line, written with the first or not at all


@dataclass
class Labels:
    """Labels of one sheet, and what they must not cover."""

    width_mm: float
    height_mm: float
    wanted: list[Label] = field(default_factory=list)
    taken: list[Area] = field(default_factory=list)

    def add(self, label: Label) -> None:
        """Ask for a label."""
        self.wanted.append(label)

    def reserve(self, area: Area) -> None:
        """Keep labels from an area: a symbol stands there."""
        self.taken.append(area)

    def draw(self, pen: Pen) -> list[tuple[Label, Place]]:
        """Write the labels that have room; returns which, and where."""
        room = _Room(self.taken, self.width_mm, self.height_mm)
        written: list[tuple[Label, Place]] = []
        for label in sorted(self.wanted, key=lambda wanted: (wanted.rank, wanted.text)):
            text = spelled(label.text, label.font)
            second, small = spelled(label.below, label.font), label.size * SECOND
            wide = max(width(text, label.size, label.font), width(second, small, label.font))
            for place in label.places:
                areas = _areas(place, wide, label.size)
                if second:
                    areas[:, 1] -= small * LINE
                if _is_near(written, label, place) or not room.take(areas):
                    continue
                pen.text(
                    place.x,
                    place.y,
                    text,
                    label.size,
                    label.font,
                    label.colour,
                    place.anchor,
                    label.halo,
                    place.angle,
                )
                if second:
                    low = place.y - small * LINE
                    pen.text(
                        place.x,
                        low,
                        second,
                        small,
                        label.font,
                        label.colour,
                        place.anchor,
                        label.halo,
                        place.angle,
                    )
                written.append((label, place))
                break
        return written


def around(x: float, y: float, reach: float, size: float) -> list[Place]:
    """Places for the name of a point: right, left, below and above its symbol."""
    middle = y - (ASCENT - DESCENT) / 2 * size
    return [
        Place(x + reach + GAP, middle, 0.0),
        Place(x - reach - GAP, middle, 1.0),
        Place(x, y - reach - GAP - ASCENT * size, 0.5),
        Place(x, y + reach + GAP + DESCENT * size, 0.5),
    ]


def _is_near(written: Iterable[tuple[Label, Place]], label: Label, place: Place) -> bool:
    return label.again_mm > 0 and any(
        other.text == label.text
        and math.hypot(other_place.x - place.x, other_place.y - place.y) < label.again_mm
        for other, other_place in written
    )


def _areas(place: Place, wide: float, size: float) -> NDArray[np.float64]:
    """Boxes that cover a text, one where it is level; several small ones where it is turned."""
    left, right = -place.anchor * wide, (1 - place.anchor) * wide
    if not place.angle:
        box = (place.x + left, place.y - DESCENT * size, place.x + right, place.y + ASCENT * size)
        return np.array([box])
    turn = math.radians(place.angle)
    steps = max(2, math.ceil(wide / size))
    along = np.linspace(left, right, steps)
    up = (ASCENT - DESCENT) / 2 * size
    x = place.x + along * math.cos(turn) - up * math.sin(turn)
    y = place.y + along * math.sin(turn) + up * math.cos(turn)
    half = size * 0.6
    return np.column_stack([x - half, y - half, x + half, y + half])


class _Room:
    """What is taken already, as an array that grows."""

    def __init__(self, taken: Sequence[Area], wide: float, high: float) -> None:
        self._boxes = np.zeros((max(64, 2 * len(taken)), 4))
        self._boxes[: len(taken)] = np.array(taken, np.float64).reshape(-1, 4)
        self._count = len(taken)
        self._edges = (wide, high)

    def take(self, areas: NDArray[np.float64]) -> bool:
        """Take the areas, if all of them lie on the sheet and are free."""
        wide, high = self._edges
        if (areas[:, :2] < 1).any() or (areas[:, 2] > wide - 1).any() or (areas[:, 3] > high - 1).any():
            return False
        taken = self._boxes[: self._count]
        for west, south, east, north in areas:
            meets = (
                (taken[:, 0] < east)
                & (taken[:, 2] > west)
                & (taken[:, 1] < north)
                & (taken[:, 3] > south)
            )
            if meets.any():
                return False
        while self._count + len(areas) > len(self._boxes):
            self._boxes = np.concatenate([self._boxes, np.zeros_like(self._boxes)])
        self._boxes[self._count : self._count + len(areas)] = areas
        self._count += len(areas)
        return True
