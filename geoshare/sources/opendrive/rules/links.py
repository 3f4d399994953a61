"""Rules about what leads where: links of lanes and roads, appearing and ending lanes, levels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from geoshare.sources.opendrive.rules.facts import (
    SIDES,
    ConnectionFacts,
    Facts,
    Fault,
    LaneFacts,
    RoadFacts,
    SectionFacts,
    Side,
    Xy,
)

ACROSS: Final = "asam.net:xodr:1.4.0:road.lane.link.lanes_across_lane_sections"
APPEARS: Final = "asam.net:xodr:1.4.0:road.lane.link.new_lane_appear"
ZERO: Final[dict[Side, str]] = {
    "predecessor": "asam.net:xodr:1.7.0:road.lane.link.zero_width_at_start",
    "successor": "asam.net:xodr:1.7.0:road.lane.link.zero_width_at_end",
}
NEEDED: Final = "asam.net:xodr:1.4.0:road.linkage.is_junction_needed"
LEVEL: Final = "asam.net:xodr:1.7.0:road.lane.level_true_one_side"
_NONE_M: Final = 1e-6
_END_OF: Final[dict[Side, str]] = {"predecessor": "start", "successor": "end"}
_OTHER: Final[dict[Side, Side]] = {"predecessor": "successor", "successor": "predecessor"}


def lane_name(road: RoadFacts, section: SectionFacts, lane: LaneFacts | int) -> str:
    """The name of a lane in findings."""
    number = lane if isinstance(lane, int) else lane.id
    return f"road/{road.id}/section/{section.index}/lane/{number}"


def lane_xy(road: RoadFacts, section: SectionFacts, lane: int, s: float) -> Xy | None:
    """The middle of a lane at a station."""
    borders = road.borders_m(section, s)
    inner, outer = borders.get(lane - (1 if lane > 0 else -1)), borders.get(lane)
    known = [t for t in (inner, outer) if t is not None]
    return road.xy(s, sum(known) / len(known)) if known else road.xy(s)


def neighbours(facts: Facts) -> Iterator[tuple[RoadFacts, SectionFacts, Side, RoadFacts, SectionFacts]]:
    """Every section and the section that lies at one end of it, within a road and across roads.

    Comes from both sides: (section, successor, next) and (next, predecessor, section). Ends of roads
    that meet at their links come from each road that states the link.
    """
    for road in facts.roads.values():
        for first, second in pairwise(road.sections):
            yield road, first, "successor", road, second
            yield road, second, "predecessor", road, first
        for side in SIDES:
            link = road.links.get(side)
            other = facts.road(link)
            own = road.section("start" if side == "predecessor" else "end")
            if other is None or link is None or link.contact is None or own is None:
                continue
            theirs = other.section(link.contact)
            if theirs is not None:
                yield road, own, side, other, theirs


def back(road: RoadFacts, side: Side, other: RoadFacts) -> Side:
    """On which side of the neighbouring section this one lies."""
    if road is other:
        return _OTHER[side]
    return "predecessor" if road.links[side].contact == "start" else "successor"


def lanes_across(facts: Facts) -> Iterator[Fault]:
    """Lanes that continue are linked from both sides; ends of connecting roads are the junction's."""
    for road, section, side, other, theirs in neighbours(facts):
        if road is not other and road.in_junction:
            continue
        returned = back(road, side, other)
        pairs = [(road, section, side, theirs, returned)]
        if road is not other:  # within a road the same pair comes from the other side, too
            pairs.append((other, theirs, returned, section, side))
        for home, start, way, goal, reverse in pairs:
            for lane in start.lanes.values():
                for target in lane.links[way]:
                    found = goal.lanes.get(target)
                    if found is not None and lane.id not in found.links[reverse]:
                        s = start.s if way == "predecessor" else start.s + start.length
                        yield Fault(
                            ACROSS,
                            "error",
                            lane_name(home, start, lane),
                            f"The lane names lane {target} as its {way}, and is not named in turn.",
                            f"車線{target}を接続先({way})としていますが、相手側に対応する接続がありません。",
                            lane_xy(home, start, lane.id, s),
                        )


def zero_widths(facts: Facts) -> Iterator[Fault]:
    """A lane that begins or ends without width leads nowhere there."""
    for road in facts.roads.values():
        for section in road.sections:
            for lane in section.lanes.values():
                for side in SIDES:
                    if lane.links[side] and _zero(lane, section, side):
                        yield _zero_fault(road, section, lane, side)
        for side in SIDES:
            section_there = road.section("start" if side == "predecessor" else "end")
            if section_there is None:
                continue
            for number in sorted(_linked_by_junction(facts, road, side)):
                lane_there = section_there.lanes.get(number)
                if lane_there is not None and _zero(lane_there, section_there, side):
                    yield _zero_fault(road, section_there, lane_there, side)


def _linked_by_junction(facts: Facts, road: RoadFacts, side: Side) -> set[int]:
    """Lanes of a road that a junction's connections link at one end."""
    if road.in_junction:
        return {
            link[1]
            for found in facts.junctions.get(road.junction, [])
            if found.connecting == road.id and found.contact == _END_OF[side]
            for link in found.links
        }
    return {link[0] for found in facts.connections(road, side) for link in found.links}


def _zero(lane: LaneFacts, section: SectionFacts, side: Side) -> bool:
    width = lane.width_m(0.0 if side == "predecessor" else section.length)
    return width is not None and abs(width) < _NONE_M


def _zero_fault(road: RoadFacts, section: SectionFacts, lane: LaneFacts, side: Side) -> Fault:
    s = section.s + (0.0 if side == "predecessor" else section.length)
    return Fault(
        ZERO[side],
        "error",
        lane_name(road, section, lane),
        f"The lane has no width at its {_END_OF[side]}, and yet a {side}.",
        f"{'始点' if side == 'predecessor' else '終点'}で幅が0なのに、接続({side})があります。",
        lane_xy(road, section, lane.id, s),
    )


def appearing(facts: Facts) -> Iterator[Fault]:
    """No lane is linked to one that only begins to appear beside it."""
    for road, section, side, other, theirs in neighbours(facts):
        if road is other and side == "predecessor":
            continue
        at = back(road, side, other)
        for lane in section.lanes.values():
            for target in lane.links[side]:
                found = theirs.lanes.get(target)
                if found is not None and _zero(found, theirs, at):
                    yield _appears(road, section, lane, side, target)
    for road in facts.roads.values():
        for side in SIDES:
            for connection in facts.connections(road, side):
                yield from _appearing_in_junction(facts, road, side, connection)


def _appearing_in_junction(
    facts: Facts, road: RoadFacts, side: Side, connection: ConnectionFacts
) -> Iterator[Fault]:
    home = road.section("start" if side == "predecessor" else "end")
    connecting = facts.roads[connection.connecting]
    goal = connecting.section(connection.contact or "start")
    if home is None or goal is None:
        return
    at: Side = "predecessor" if connection.contact == "start" else "successor"
    for start, end in connection.links:
        lane, found = home.lanes.get(start), goal.lanes.get(end)
        if lane is not None and found is not None and _zero(found, goal, at):
            yield _appears(road, home, lane, side, end)


def _appears(road: RoadFacts, section: SectionFacts, lane: LaneFacts, side: Side, target: int) -> Fault:
    s = section.s + (0.0 if side == "predecessor" else section.length)
    return Fault(
        APPEARS,
        "error",
        lane_name(road, section, lane),
        f"The lane is linked to lane {target}, which has no width where they meet: "
        "only the lane that goes on may be linked.",
        f"この車線は、接続点で幅が0の車線{target}に接続されています。続く車線だけを接続してください。",
        lane_xy(road, section, lane.id, s),
    )


def junction_needed(facts: Facts) -> Iterator[Fault]:
    """An end of a road is linked by one other road at most; else a junction is needed."""
    users: defaultdict[tuple[str, str], list[tuple[RoadFacts, Side]]] = defaultdict(list)
    for road in facts.roads.values():
        for side, link in road.links.items():
            if not road.in_junction and not link.junction and link.contact is not None:
                users[link.id, link.contact].append((road, side))
    for (target, end), linked in users.items():
        if len(linked) < 2:
            continue
        names = ", ".join(road.id for road, _ in linked)
        found = facts.roads.get(target)
        yield Fault(
            NEEDED,
            "error",
            f"road/{target}",
            f"Several roads ({names}) are linked to the {end} of road {target}; a junction is needed.",
            f"複数の道路({names})が道路{target}の{'始点' if end == 'start' else '終点'}に直接"
            "接続されています。交差点(junction)が必要です。",
            found.xy(found.station("start" if end == "start" else "end")) if found else None,
        )


def levels(facts: Facts) -> Iterator[Fault]:
    """Lanes kept level are the outer ones, and stay level where they go on."""
    for road in facts.roads.values():
        for section in road.sections:
            for sign in (1, -1):
                kept = False
                for lane in section.side(sign):
                    if kept and not lane.level:
                        yield _level(road, section, lane, "error")
                    kept |= lane.level
    for road in facts.roads.values():
        yield from _levels_within(road)
        for side in SIDES:
            yield from _levels_across(facts, road, side)
    for connections in facts.junctions.values():
        for connection in connections:
            yield from _levels_in_junction(facts, connection)


def _levels_within(road: RoadFacts) -> Iterator[Fault]:
    for before, after in pairwise(road.sections):
        for section, goal, side in ((after, before, "predecessor"), (before, after, "successor")):
            for lane in section.lanes.values():
                targets = [goal.lanes.get(target) for target in lane.links[side]]  # type: ignore[index]
                if any(found is not None and found.level != lane.level for found in targets):
                    yield _level(road, section, lane, "warning")


def _levels_across(facts: Facts, road: RoadFacts, side: Side) -> Iterator[Fault]:
    link = road.links.get(side)
    other = facts.road(link)
    section = road.section("start" if side == "predecessor" else "end")
    goal = other.section(link.contact) if other and link and link.contact else None
    if section is None or goal is None:
        return
    for lane in section.lanes.values():
        for target in lane.links[side]:
            found = goal.lanes.get(target)
            if found is not None and found.level != lane.level:
                yield _level(road, section, lane, "warning")


def _levels_in_junction(facts: Facts, connection: ConnectionFacts) -> Iterator[Fault]:
    incoming, connecting = facts.roads.get(connection.incoming), facts.roads.get(connection.connecting)
    end = facts.incoming_end(connection)
    if incoming is None or connecting is None or end is None or connection.contact is None:
        return
    home, goal = incoming.section(end), connecting.section(connection.contact)
    if home is None or goal is None:
        return
    for start, target in connection.links:
        lane, found = home.lanes.get(start), goal.lanes.get(target)
        if lane is not None and found is not None and lane.level != found.level:
            yield _level(incoming, home, lane, "warning")


def _level(road: RoadFacts, section: SectionFacts, lane: LaneFacts, severity: str) -> Fault:
    grave = severity == "error"
    return Fault(
        LEVEL,
        "error" if grave else "warning",
        lane_name(road, section, lane),
        "The lane is not level, though a lane between it and the middle is."
        if grave
        else "The lane and one that it is linked to differ in whether they are kept level.",
        "内側の車線がlevel=trueなのに、この車線はlevel=falseです。"
        if grave
        else "この車線と接続先の車線とで、levelの値が異なります。",
        lane_xy(road, section, lane.id, section.s + section.length / 2.0),
    )
