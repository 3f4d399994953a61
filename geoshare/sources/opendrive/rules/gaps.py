"""The rule that lanes which are linked meet: no horizontal gaps along a road or between roads."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np

from geoshare.model.roads.plan import plan_of
from geoshare.sources.opendrive.rules.facts import (
    SIDES,
    ConnectionFacts,
    Facts,
    Fault,
    RoadFacts,
    SectionFacts,
    Side,
    Xy,
)
from geoshare.sources.opendrive.rules.links import lane_name

GAPS: Final = "asam.net:xodr:1.7.0:lane_smoothness.contact_point_no_horizontal_gaps"
_GAP_M: Final = 0.01
_DRIVEN: Final = frozenset(
    [
        *("driving", "entry", "exit", "onRamp", "offRamp", "connectingRamp", "slipLane", "parking"),
        *("biking", "border", "stop", "restricted"),
    ]
)
Edge = tuple[Xy | None, Xy | None]  # inner and outer corner of a lane


class _Cut:
    """A section of a road at a station, and the corners of its lanes there."""

    def __init__(self, road: RoadFacts, section: SectionFacts, s: float) -> None:
        self.road, self.section, self.s = road, section, s
        self._borders = road.borders_m(section, s)

    def edge(self, lane: int) -> Edge:
        inner = self._borders.get(lane - (1 if lane > 0 else -1))
        outer = self._borders.get(lane)
        return (
            None if inner is None else self.road.xy(self.s, inner),
            None if outer is None else self.road.xy(self.s, outer),
        )

    def driven(self, lane: int) -> bool:
        found = self.section.lanes.get(lane)
        return found is not None and found.type in _DRIVEN


def gaps(facts: Facts) -> Iterator[Fault]:
    """Reference lines without gaps, and lanes that meet those they are linked to."""
    for road in facts.roads.values():
        yield from _line_gaps(road)
        for before, after in pairwise(road.sections):
            yield from _section_gaps(road, before, after)
    seen: set[tuple[str, str]] = set()
    for road in facts.roads.values():
        for side in SIDES:
            for fault, key in _road_gaps(facts, road, side):
                if key not in seen:
                    seen.add(key)
                    yield fault


def _line_gaps(road: RoadFacts) -> Iterator[Fault]:
    for before, after in pairwise(road.pieces):
        end, _ = plan_of([before]).at(np.array([before.s + before.length]))
        gap = math.hypot(end[0, 0] - after.x, end[0, 1] - after.y)
        if gap > _GAP_M:
            yield Fault(
                GAPS,
                "error",
                f"road/{road.id}/geometry/{after.s:g}",
                f"The reference line has a gap of {gap:.3f} m at s={after.s:g}.",
                f"基準線にs={after.s:g}で{gap:.3f} mの隙間があります。",
                (after.x, after.y),
            )


def _section_gaps(road: RoadFacts, before: SectionFacts, after: SectionFacts) -> Iterator[Fault]:
    s = before.s + before.length
    first, second = _Cut(road, before, s), _Cut(road, after, after.s)
    reported = set()
    for cut, goal, side in ((first, second, "successor"), (second, first, "predecessor")):
        for lane in cut.section.lanes.values():
            links = lane.links[side]  # type: ignore[index]
            if not cut.driven(lane.id) or not links:
                continue
            for target in _apart(cut.edge(lane.id), goal, links):
                pair = (lane.id, target) if cut is first else (target, lane.id)
                if pair not in reported:
                    reported.add(pair)
                    yield _fault(road, cut.section, lane.id, target, cut.edge(lane.id))


def _apart(edge: Edge, goal: _Cut, links: list[int]) -> Iterator[int]:
    """Of the lanes linked to, those that leave a gap: together they have to span the whole edge."""
    ordered = sorted(links, key=abs)
    inner, outer = ordered[0], ordered[-1]
    if not _meet(edge[0], goal.edge(inner)[0]):
        yield inner
    if not _meet(edge[1], goal.edge(outer)[1]) and (
        inner != outer or _meet(edge[0], goal.edge(inner)[0])
    ):
        yield outer


def _road_gaps(facts: Facts, road: RoadFacts, side: Side) -> Iterator[tuple[Fault, tuple[str, str]]]:
    section = road.section("start" if side == "predecessor" else "end")
    if section is None:
        return
    cut = _Cut(road, section, road.station("start" if side == "predecessor" else "end"))
    link = road.links.get(side)
    other = facts.road(link)
    if other is not None and link is not None and link.contact is not None:
        found = other.section(link.contact)
        goal = None if found is None else _Cut(other, found, other.station(link.contact))
        for lane in section.lanes.values() if goal is not None else ():
            needed = 1 if len(lane.links[side]) > 1 else 2
            for target in lane.links[side]:
                if (
                    cut.driven(lane.id)
                    and goal is not None
                    and _short(cut, lane.id, goal, target, needed)
                ):
                    yield _pair(cut, lane.id, goal, target)
    for connection in facts.connections(road, side):
        yield from _connection_gaps(facts, cut, connection)


def _connection_gaps(
    facts: Facts, cut: _Cut, connection: ConnectionFacts
) -> Iterator[tuple[Fault, tuple[str, str]]]:
    connecting = facts.roads[connection.connecting]
    found = connecting.section(connection.contact or "start")
    if found is None:
        return
    goal = _Cut(connecting, found, connecting.station(connection.contact or "start"))
    for start, target in connection.links:
        if cut.driven(start) and _short(cut, start, goal, target, 2):
            yield _pair(cut, start, goal, target)


def _short(cut: _Cut, lane: int, goal: _Cut, target: int, needed: int) -> bool:
    """Whether fewer corners of two lanes meet than have to; unknown corners say nothing."""
    ours, theirs = cut.edge(lane), goal.edge(target)
    if None in ours or None in theirs:
        return False
    return sum(_meet(mine, other) for mine in ours for other in theirs) < needed


def _meet(first: Xy | None, second: Xy | None) -> bool:
    if first is None or second is None:
        return False
    return math.hypot(first[0] - second[0], first[1] - second[1]) <= _GAP_M


def _pair(cut: _Cut, lane: int, goal: _Cut, target: int) -> tuple[Fault, tuple[str, str]]:
    names = sorted([lane_name(cut.road, cut.section, lane), lane_name(goal.road, goal.section, target)])
    fault = _fault(cut.road, cut.section, lane, target, cut.edge(lane))
    return fault, (names[0], names[1])


def _fault(road: RoadFacts, section: SectionFacts, lane: int, target: int, edge: Edge) -> Fault:
    return Fault(
        GAPS,
        "error",
        lane_name(road, section, lane),
        f"The lane is linked to lane {target} and does not meet it within 1 cm.",
        f"この車線と接続先の車線{target}の間に1 cmを超える隙間があります。",
        edge[1] or edge[0],
    )
