"""What rules are asked of: roads, lanes and junctions as the file states them, nothing repaired."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

import numpy as np
from lxml import etree

from geoshare.model.findings import Severity
from geoshare.model.roads import Cubics, Piece, Plan
from geoshare.model.roads.plan import plan_of
from geoshare.sources.opendrive.parse import is_left_hand, shape_of
from geoshare.sources.opendrive.xml import BrokenError, number, word

End = Literal["start", "end"]
Side = Literal["predecessor", "successor"]
SIDES: Final[tuple[Side, Side]] = ("predecessor", "successor")
_PLACE: Final = ("s", "x", "y", "hdg", "length")
OUTSIDE: Final = ("", "-1")  # junction ids of a road that is in none
Record = tuple[float, float, float, float, float]  # start, a, b, c, d
Xy = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Fault:
    """A breach, placed in the map's own metres; becomes a finding when the map is placed."""

    rule: str
    severity: Severity
    feature: str
    en: str
    ja: str
    xy: Xy | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """Where a road leads: to an end of a road, or to a junction (``contact`` None)."""

    junction: bool
    id: str
    contact: End | None


@dataclass(slots=True)
class LaneFacts:
    """A lane as stated."""

    id: int
    type: str
    level: bool
    direction: str
    links: dict[Side, list[int]]
    widths: list[Record]
    borders: list[Record]
    access: list[tuple[float, str]]

    def width_m(self, ds: float) -> float | None:
        """Width at metres from the section's start; None where none is stated."""
        valid = [record for record in self.widths if record[0] <= ds]
        return _value(valid[-1], ds) if valid else None

    def border_m(self, ds: float) -> float | None:
        """Distance of the outer border from the reference line; None where none is stated."""
        valid = [record for record in self.borders if record[0] <= ds]
        return _value(valid[-1], ds) if valid else None


@dataclass(slots=True)
class SectionFacts:
    """A lane section: number in the file, station, length and lanes without the middle one."""

    index: int
    s: float
    lanes: dict[int, LaneFacts]
    length: float = 0.0

    def side(self, sign: int) -> list[LaneFacts]:
        """Lanes of one side (1 left, -1 right), from the middle outwards."""
        return sorted(
            (lane for lane in self.lanes.values() if lane.id * sign > 0), key=lambda lane: abs(lane.id)
        )

    def borders_m(self, middle_m: float, ds: float) -> dict[int, float]:
        """Outer borders by lane id, metres left of the reference line; the middle is 0."""
        widths = {lane.id: lane.width_m(ds) for lane in self.lanes.values()}
        known = {lane: width for lane, width in widths.items() if width is not None}
        if not known:
            stated = {lane.id: lane.border_m(ds) for lane in self.lanes.values()}
            return {0: middle_m} | {lane: t for lane, t in stated.items() if t is not None}
        found = {0: middle_m}
        for sign in (1, -1):
            t = middle_m
            for lane in self.side(sign):
                t += sign * known.get(lane.id, 0.0)
                if lane.id in known:
                    found[lane.id] = t
        return found


@dataclass
class RoadFacts:
    """A road as stated; ``pieces`` in the order of the file."""

    id: str
    junction: str
    left_hand: bool
    length: float
    pieces: list[Piece]
    links: dict[Side, Link]
    elevation: list[Record]
    superelevation: list[Record]
    offsets: list[Record]
    sections: list[SectionFacts] = field(default_factory=list)

    @property
    def in_junction(self) -> bool:
        """Whether the road connects others within a junction."""
        return self.junction not in OUTSIDE

    @cached_property
    def plan(self) -> Plan | None:
        """The reference line; None where no piece of it is usable."""
        return plan_of(self.pieces) if self.pieces else None

    @cached_property
    def middle(self) -> Cubics:
        """The lane offset."""
        return Cubics.of(self.offsets)

    @cached_property
    def _tilt(self) -> Cubics:
        return Cubics.of(self.superelevation)

    def section(self, end: End) -> SectionFacts | None:
        """The section at one end."""
        if not self.sections:
            return None
        return self.sections[0] if end == "start" else self.sections[-1]

    def station(self, end: End) -> float:
        """Station of one end, in metres."""
        return 0.0 if end == "start" else self.length

    def xy(self, s: float, t: float = 0.0) -> Xy | None:
        """A place t metres left of the reference line; None where there is no line."""
        if self.plan is None or not math.isfinite(s):
            return None
        found, heading = self.plan.at(np.array([s]))
        t = t * math.cos(float(self._tilt.at(np.array([s]))[0]))
        return (
            float(found[0, 0] - t * math.sin(heading[0])),
            float(found[0, 1] + t * math.cos(heading[0])),
        )

    def borders_m(self, section: SectionFacts, s: float) -> dict[int, float]:
        """Outer borders of a section's lanes at a station, by lane id."""
        return section.borders_m(float(self.middle.at(np.array([s]))[0]), s - section.s)


@dataclass(frozen=True, slots=True)
class ConnectionFacts:
    """A connection of a junction; ``links`` are (from, to) lane ids."""

    incoming: str
    connecting: str
    contact: End | None
    links: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Facts:
    """Everything that rules across roads are asked of."""

    version: tuple[int, int] = (0, 0)
    roads: dict[str, RoadFacts] = field(default_factory=dict)
    junctions: dict[str, list[ConnectionFacts]] = field(default_factory=dict)

    def since(self, major: int, minor: int) -> bool:
        """Whether the file is of this version of the standard or a later one."""
        return self.version >= (major, minor)

    def road(self, link: Link | None) -> RoadFacts | None:
        """The road that a link leads to."""
        return None if link is None or link.junction else self.roads.get(link.id)

    def connections(self, road: RoadFacts, side: Side) -> list[ConnectionFacts]:
        """Connections that begin at one end of a road, in the junction that it leads to there."""
        link = road.links.get(side)
        if link is None or not link.junction:
            return []
        end: End = "start" if side == "predecessor" else "end"
        return [
            found
            for found in self.junctions.get(link.id, [])
            if found.incoming == road.id and self.incoming_end(found) == end
        ]

    def incoming_end(self, connection: ConnectionFacts) -> End | None:
        """At which end of its incoming road a connection begins, as the connecting road says."""
        road = self.roads.get(connection.connecting)
        if road is None or connection.contact is None:
            return None
        link = road.links.get("predecessor" if connection.contact == "start" else "successor")
        return None if link is None or link.junction else link.contact


def road_facts(element: etree._Element) -> RoadFacts:
    """The facts of a ``road`` element; parts that cannot be read are left out."""
    pieces = []
    for item in element.iterfind("planView/geometry"):
        try:
            s, x, y, heading, length = (number(item, name) for name in _PLACE)
            if length > 0:
                pieces.append(Piece(s, x, y, heading, length, *shape_of(item, length)))
        except BrokenError:
            continue
    road = RoadFacts(
        word(element, "id"),
        word(element, "junction"),
        is_left_hand(element),
        _float(element, "length") or sum(piece.length for piece in pieces),
        pieces,
        {side: link for side in SIDES if (link := _link(element, side)) is not None},
        _records(element, "elevationProfile/elevation", "s"),
        _records(element, "lateralProfile/superelevation", "s"),
        _records(element, "lanes/laneOffset", "s"),
    )
    for index, item in enumerate(element.iterfind("lanes/laneSection")):
        road.sections.append(SectionFacts(index, _float(item, "s") or 0.0, _lanes(item)))
    road.sections.sort(key=lambda section: section.s)
    ends = [*(section.s for section in road.sections[1:]), road.length]
    for section, end in zip(road.sections, ends, strict=False):
        section.length = end - section.s
    return road


def junction_facts(element: etree._Element) -> list[ConnectionFacts]:
    """Connections of a ``junction`` element."""
    found = []
    for item in element.iterfind("connection"):
        links = tuple(
            (start, end)
            for link in item.iterfind("laneLink")
            if (start := _int(link, "from")) is not None and (end := _int(link, "to")) is not None
        )
        connecting = word(item, "connectingRoad") or word(item, "linkedRoad")
        found.append(ConnectionFacts(word(item, "incomingRoad"), connecting, _end(item), links))
    return found


def _lanes(section: etree._Element) -> dict[int, LaneFacts]:
    found = {}
    for item in [*section.iterfind("left/lane"), *section.iterfind("right/lane")]:
        lane = _int(item, "id")
        if lane is None or lane == 0:
            continue
        links: dict[Side, list[int]] = {
            side: [
                target
                for link in item.iterfind(f"link/{side}")
                if (target := _int(link, "id")) is not None
            ]
            for side in SIDES
        }
        found[lane] = LaneFacts(
            lane,
            word(item, "type"),
            word(item, "level") == "true",
            word(item, "direction") or "standard",
            links,
            _records(item, "width", "sOffset"),
            _records(item, "border", "sOffset"),
            [
                (_float(access, "sOffset") or 0.0, word(access, "rule"))
                for access in item.iterfind("access")
                if word(access, "rule")
            ],
        )
    return found


def _link(element: etree._Element, side: Side) -> Link | None:
    item = element.find(f"link/{side}")
    kind = word(item, "elementType")
    if item is None or kind not in ("road", "junction"):
        return None
    contact = _end(item)
    if kind == "road" and contact is None:
        return None
    return Link(kind == "junction", word(item, "elementId"), contact)


def _end(item: etree._Element) -> End | None:
    said = word(item, "contactPoint")
    return said if said in ("start", "end") else None  # type: ignore[return-value]


def _records(element: etree._Element, path: str, start: str) -> list[Record]:
    found = []
    for item in element.iterfind(path):
        try:
            a, b, c, d = (number(item, name) for name in "abcd")
            found.append((number(item, start), a, b, c, d))
        except BrokenError:
            continue
    return found


def _value(record: Record, at: float) -> float:
    start, a, b, c, d = record
    ds = at - start
    return a + ds * (b + ds * (c + ds * d))


def _float(element: etree._Element, name: str) -> float | None:
    try:
        return number(element, name)
    except BrokenError:
        return None


def _int(element: etree._Element, name: str) -> int | None:
    try:
        return int(word(element, name))
    except ValueError:
        return None
