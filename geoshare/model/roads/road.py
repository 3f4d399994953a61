"""A road's cross sections: lanes beside the reference line, in three dimensions.

The cross section at a station is a line through the reference line, perpendicular to it on the ground,
tilted by the superelevation, with lanes laid side by side on it from the middle outwards. Lanes that
are kept on level run flat from the lane they lie at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from geoshare.model.roads.cubics import Array, Cubics
from geoshare.model.roads.plan import Plan

_NONE = Cubics.of([])


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane of a section: ids above zero lie left of the middle, below zero right of it.

    ``width`` (metres) or ``border`` (metres from the reference line, to the left positive) count from
    the section's start; where there is both, the width holds.
    """

    id: int
    type: str = "none"
    level: bool = False
    width: Cubics = _NONE
    border: Cubics = _NONE


@dataclass(frozen=True, slots=True)
class Section:
    """A lane section: its number in the road, where it starts, which sides it says, its lanes."""

    index: int
    s: float
    left: tuple[Lane, ...] = ()  # from the middle outwards
    right: tuple[Lane, ...] = ()
    single_side: bool = False

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides (1 left, -1 right) that this section speaks of."""
        if not self.single_side:
            return (1, -1)
        return (*((1,) if self.left else ()), *((-1,) if self.right else ()))


@dataclass(frozen=True, slots=True)
class Band:
    """Lanes that lie side by side between two stations: one section, one or both sides of it."""

    section: Section
    start: float
    end: float
    sides: tuple[int, ...]

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """From left to right."""
        left = self.section.left[::-1] if 1 in self.sides else ()
        return left + (self.section.right if -1 in self.sides else ())

    @property
    def borders(self) -> tuple[int, ...]:
        """Which line is the outer border of which lane, from left to right; 0 is the middle."""
        left = [lane.id for lane in self.section.left[::-1]] if 1 in self.sides else []
        right = [lane.id for lane in self.section.right] if -1 in self.sides else []
        return (*left, 0, *right)


@dataclass(frozen=True)
class Road:
    """One road: its reference line, and what lies across it. Angles in radians, the rest in metres.

    ``shapes`` holds, for each station at which the surface's shape is given, the heights above the
    cross section as cubics of t. ``crossfall`` is the slope towards (left, right), positive downwards.
    """

    id: str
    length: float
    plan: Plan
    left_hand: bool = False
    elevation: Cubics = _NONE
    superelevation: Cubics = _NONE
    crossfall: tuple[Cubics, Cubics] = (_NONE, _NONE)
    shapes: tuple[tuple[float, Cubics], ...] = ()
    offset: Cubics = _NONE
    sections: tuple[Section, ...] = field(default=())

    def bands(self) -> Iterator[Band]:
        """Every section with the stations it holds for, which may differ between its two sides."""
        ends = {side: self._ends(side) for side in (1, -1)}
        for number, section in enumerate(self.sections):
            by_end: dict[float, list[int]] = {}
            for side in section.sides:
                by_end.setdefault(ends[side][number], []).append(side)
            for end, sides in by_end.items():
                if end > section.s:
                    yield Band(section, section.s, end, tuple(sides))

    def _ends(self, side: int) -> dict[int, float]:
        ends, end = {}, self.length
        for number in range(len(self.sections) - 1, -1, -1):
            if side in self.sections[number].sides:
                ends[number] = end
                end = self.sections[number].s
        return ends

    def reference(self, s: Array) -> Array:
        """The reference line (m, 3) at stations (m,)."""
        xy, _ = self.plan.at(s)
        return np.column_stack([xy, self.elevation.at(s)])

    def place(self, s: Array, t: Array) -> tuple[Array, Array]:
        """Points (m, 3) of the surface t metres left of the reference line, and headings (m,)."""
        xy, heading = self.plan.at(s)
        tilt = self.superelevation.at(s)
        across, up = t * np.cos(tilt), t * np.sin(tilt) + self._bulge(s, t)
        x = xy[:, 0] - across * np.sin(heading)
        y = xy[:, 1] + across * np.cos(heading)
        return np.column_stack([x, y, self.elevation.at(s) + up]), heading

    def lines(self, band: Band, s: Array) -> Array:
        """Borders of a band (k, m, 3) at stations (m,), in the order of ``band.borders``."""
        xy, heading = self.plan.at(s)
        tilt, middle = self.superelevation.at(s), self.offset.at(s)
        out = {0: (middle * np.cos(tilt), middle * np.sin(tilt) + self._bulge(s, middle))}
        for side, lanes in ((1, band.section.left), (-1, band.section.right)):
            if side in band.sides:
                out |= self._side(lanes, side, s - band.section.s, s, (tilt, middle), out[0])
        across = np.array([out[number][0] for number in band.borders])
        up = np.array([out[number][1] for number in band.borders])
        found = np.empty((*across.shape, 3))
        found[..., 0] = xy[:, 0] - across * np.sin(heading)
        found[..., 1] = xy[:, 1] + across * np.cos(heading)
        found[..., 2] = self.elevation.at(s) + up
        return found

    def _side(
        self,
        lanes: tuple[Lane, ...],
        side: int,
        ds: Array,
        s: Array,
        tilt_middle: tuple[Array, Array],
        first: tuple[Array, Array],
    ) -> dict[int, tuple[Array, Array]]:
        """Horizontal distance and height of each outer border of one side, over the reference line."""
        tilt, t = tilt_middle
        across, up = first
        found = {}
        for lane in lanes:
            if len(lane.width) or not len(lane.border):
                outer = t + side * lane.width.at(ds)
            else:
                outer = lane.border.at(ds)
            if lane.level:
                across, up = across + (outer - t), up
            else:
                rise = self._bulge(s, outer) - self._bulge(s, t)
                across = across + (outer - t) * np.cos(tilt)
                up = up + (outer - t) * np.sin(tilt) + rise
            t = outer
            found[lane.id] = (across, up)
        return found

    def _bulge(self, s: Array, t: Array) -> Array:
        """Height of the surface over the straight cross section: its shape and crossfall."""
        up = np.zeros(len(s))
        left, right = self.crossfall
        if len(left) or len(right):
            slope = np.where(t >= 0, left.at(s), right.at(s))
            up -= np.abs(t) * np.tan(slope)
        if self.shapes:
            starts = np.array([start for start, _ in self.shapes])
            heights = np.array([shape.at(t) for _, shape in self.shapes])  # (n, m)
            after = np.clip(np.searchsorted(starts, s, side="right"), 0, len(starts) - 1)
            before = np.maximum(after - (starts[after] > s), 0)
            span = starts[after] - starts[before]
            share = np.divide(s - starts[before], span, out=np.zeros(len(s)), where=span > 0)
            column = np.arange(len(s))
            up += (1 - share) * heights[before, column] + share * heights[after, column]
        return up
