"""Which lane follows which, across sections, roads and junctions: the first look at a file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from lxml import etree

from geoshare.sources.opendrive.parse import is_left_hand
from geoshare.sources.opendrive.words import DRIVEN, truth
from geoshare.sources.opendrive.xml import BrokenError, number, word

START, END = 0, 1
_ENDS = {"start": START, "end": END}
NO_JUNCTION = ("", "-1")


class LaneKey(NamedTuple):
    """A lane by road, number of its section in the file, and id."""

    road: str
    section: int
    lane: int


class Target(NamedTuple):
    """Where a road leads: to a road's end, or to a junction."""

    junction: bool
    id: str
    contact: int | None


@dataclass(slots=True)
class LaneLinks:
    """Way of travel (1 along the road, -1 against it, 0 both) and the lanes linked at both ends."""

    travel: int
    at: tuple[int | None, int | None]
    driven: bool = True


@dataclass(slots=True)
class SectionLinks:
    """A section's station, the sides it speaks of, and its lanes."""

    index: int
    s: float
    sides: tuple[int, ...]
    lanes: dict[int, LaneLinks]


@dataclass(slots=True)
class RoadLinks:
    """What a road says of its neighbours."""

    junction: str
    at: tuple[Target | None, Target | None]
    sections: list[SectionLinks]

    def of_side(self, side: int) -> list[SectionLinks]:
        """Sections that speak of one side, in the order of their stations."""
        return [section for section in self.sections if side in section.sides]

    def lane(self, key: LaneKey) -> LaneLinks | None:
        """What is said of a lane; None where there is none."""
        for section in self.sections:
            if section.index == key.section:
                return section.lanes.get(key.lane)
        return None


class Post(NamedTuple):
    """Where a signal, or a reference to it, stands, and which lanes it is for (none said: all)."""

    road: str
    s: float
    orientation: str
    lanes: tuple[tuple[int, int], ...]


class Connection(NamedTuple):
    """One connection of a junction; ``end`` is the end of ``connecting`` that it is about."""

    incoming: str
    connecting: str
    end: int
    lanes: tuple[tuple[int, int], ...]


@dataclass
class Network:
    """All roads and junctions of a file, by their ids."""

    roads: dict[str, RoadLinks] = field(default_factory=dict)
    junctions: dict[str, list[Connection]] = field(default_factory=dict)
    posts: dict[str, dict[str, list[Post]]] = field(default_factory=dict)  # signal, its road -> posts
    pointers: list[tuple[str, Post]] = field(default_factory=list)  # signal, post on another road
    controllers: dict[str, list[str]] = field(default_factory=dict)  # signal -> controllers
    missing: list[str] = field(default_factory=list)  # links that lead nowhere

    def take(self, element: etree._Element) -> None:
        """Note a top element of the file; the first of several with one id counts."""
        key = word(element, "id")
        if element.tag == "road" and key not in self.roads:
            self.roads[key] = _road(element)
            self._take_signals(key, element)
        elif element.tag == "junction" and key not in self.junctions:
            self.junctions[key] = list(_connections(element))
        elif element.tag == "controller":
            for item in element.iterfind("control"):
                self.controllers.setdefault(word(item, "signalId"), []).append(key)

    def _take_signals(self, road: str, element: etree._Element) -> None:
        for item in element.iterfind("signals/signal"):
            post = _post(road, item)
            if post is not None:
                self.posts.setdefault(word(item, "id"), {}).setdefault(road, [post])
        for item in element.iterfind("signals/signalReference"):
            post = _post(road, item)
            if post is not None:
                self.pointers.append((word(item, "id"), post))

    def ruled(self) -> Iterator[tuple[str, str, LaneKey]]:
        """Signals (road, id) with each lane that they are for; one that another road points to, too."""
        for signal, post in self.pointers:
            homes = self.posts.get(signal)
            if homes is None:
                self.missing.append(f"{post.road}: signal {signal}")
            else:
                next(iter(homes.values())).append(post)
        for signal, homes in self.posts.items():
            for road, posts in homes.items():
                found = dict.fromkeys(lane for post in posts for lane in self._lanes_at(post))
                yield from ((road, signal, lane) for lane in found)

    def _lanes_at(self, post: Post) -> Iterator[LaneKey]:
        road = self.roads[post.road]
        for side in (1, -1):
            sections = [section for section in road.of_side(side) if section.s <= post.s]
            for section in sections[-1:]:
                for lane, links in section.lanes.items():
                    if lane * side > 0 and _meant(post, lane, links):
                        yield LaneKey(post.road, section.index, lane)

    def joined(self) -> tuple[dict[LaneKey, list[LaneKey]], dict[LaneKey, list[LaneKey]]]:
        """Predecessors and successors of lanes, in their direction of travel."""
        before: dict[LaneKey, list[LaneKey]] = defaultdict(list)
        after: dict[LaneKey, list[LaneKey]] = defaultdict(list)
        pairs = dict.fromkeys((*self._within(), *self._between(), *self._through()))
        for one, one_end, two, two_end in pairs:
            for a, a_end, b, b_end in ((one, one_end, two, two_end), (two, two_end, one, one_end)):
                if self._leaves(a, a_end) and self._enters(b, b_end) and b not in after[a]:
                    after[a].append(b)
                    before[b].append(a)
        return before, after

    def _travel(self, lane: LaneKey) -> int:
        links = self.roads[lane.road].lane(lane)
        return 1 if links is None else links.travel

    def _leaves(self, lane: LaneKey, end: int) -> bool:
        travel = self._travel(lane)
        return end == (END if travel >= 0 else START)

    def _enters(self, lane: LaneKey, end: int) -> bool:
        travel = self._travel(lane)
        return end == (START if travel >= 0 else END)

    def _within(self) -> Iterator[Joint]:
        """Lanes of sections that follow each other in one road."""
        for key, road in self.roads.items():
            for side in (1, -1):
                sections = road.of_side(side)
                for first, second in pairwise(sections):
                    for here, there, end in ((first, second, END), (second, first, START)):
                        for lane, links in here.lanes.items():
                            if lane * side <= 0 or links.at[end] is None:
                                continue
                            found = self._key(key, there, links.at[end], f"{key}/{here.index}/{lane}")
                            if found is not None:
                                own = LaneKey(key, here.index, lane)
                                yield own, end, found, 1 - end

    def _key(
        self, road: str, section: SectionLinks | None, lane: int | None, said_by: str
    ) -> LaneKey | None:
        if section is None or lane is None or lane not in section.lanes:
            self.missing.append(said_by)
            return None
        return LaneKey(road, section.index, lane)

    def _last(self, road: str, end: int, lane: int) -> SectionLinks | None:
        found = self.roads[road].of_side(1 if lane > 0 else -1)
        return found[-end] if found else None  # -0 is the first one

    def _between(self) -> Iterator[Joint]:
        """Lanes of roads that follow each other directly."""
        for key, road in self.roads.items():
            for end in (START, END):
                target = road.at[end]
                if target is None or target.junction:
                    continue
                if target.id not in self.roads or target.contact is None:
                    self.missing.append(key)
                    continue
                for side in (1, -1):
                    for section in road.of_side(side)[-end:][:1]:
                        for lane, links in section.lanes.items():
                            linked = links.at[end]
                            if lane * side <= 0 or linked is None:
                                continue
                            other = self._last(target.id, target.contact, linked)
                            said_by = f"{key}/{section.index}/{lane}"
                            found = self._key(target.id, other, linked, said_by)
                            if found is not None:
                                own = LaneKey(key, section.index, lane)
                                yield own, end, found, target.contact

    def _through(self) -> Iterator[Joint]:
        """Lanes that junctions join."""
        for junction, connections in self.junctions.items():
            for item in connections:
                if item.incoming not in self.roads or item.connecting not in self.roads:
                    self.missing.append(f"junction {junction}")
                    continue
                for end in self.incoming_ends(junction, item):
                    for source, target in item.lanes:
                        said_by = f"junction {junction}: {item.incoming}, {item.connecting}"
                        one = self._key(
                            item.incoming, self._last(item.incoming, end, source), source, said_by
                        )
                        two = self._key(
                            item.connecting,
                            self._last(item.connecting, item.end, target),
                            target,
                            said_by,
                        )
                        if one is not None and two is not None:
                            yield one, end, two, item.end

    def incoming_ends(self, junction: str, item: Connection) -> list[int]:
        """At which ends the incoming road meets the connecting one: as that says, else as it says."""
        target = self.roads[item.connecting].at[item.end]
        if target is not None and not target.junction and target.id == item.incoming:
            return [] if target.contact is None else [target.contact]
        road = self.roads[item.incoming]
        return [
            end
            for end in (START, END)
            if (found := road.at[end]) is not None and found.junction and found.id == junction
        ]


def _meant(post: Post, lane: int, links: LaneLinks) -> bool:
    """Whether a signal is for a lane: one that is named, else one driven on in its direction."""
    if post.lanes:
        return any(low <= lane <= high for low, high in post.lanes)
    facing = {"+": 1, "-": -1}.get(post.orientation, 0)
    return links.driven and links.travel * facing >= 0


def _post(road: str, item: etree._Element) -> Post | None:
    try:
        lanes = []
        for span in item.iterfind("validity"):
            low, high = int(word(span, "fromLane")), int(word(span, "toLane"))
            lanes.append((min(low, high), max(low, high)))
        return Post(road, number(item, "s"), word(item, "orientation"), tuple(lanes))
    except ValueError:
        return None


Joint = tuple[LaneKey, int, LaneKey, int]


def _road(element: etree._Element) -> RoadLinks:
    ends = [_target(element.find(f"link/{name}")) for name in ("predecessor", "successor")]
    forward = -1 if is_left_hand(element) else 1
    sections = []
    for index, item in enumerate(element.iterfind("lanes/laneSection")):
        lanes: dict[int, LaneLinks] = {}
        for side, sign in (("left", 1), ("right", -1)):
            for lane in item.iterfind(f"{side}/lane"):
                try:
                    lane_id = int(word(lane, "id"))
                except ValueError:
                    continue
                if lane_id * sign > 0:
                    travel, driven = _travel(lane, -sign * forward), word(lane, "type") in DRIVEN
                    lanes.setdefault(lane_id, LaneLinks(travel, _linked(lane), driven))
        single = truth(word(item, "singleSide"))
        sides = tuple(s for s in (1, -1) if not single or any(lane * s > 0 for lane in lanes))
        try:
            sections.append(SectionLinks(index, number(item, "s"), sides, lanes))
        except BrokenError:
            continue
    sections.sort(key=lambda section: section.s)
    return RoadLinks(word(element, "junction"), (ends[0], ends[1]), sections)


def _travel(lane: etree._Element, standard: int) -> int:
    """Way of travel: 1.8 may turn a lane or open it both ways."""
    direction = word(lane, "direction")
    if direction == "both" or word(lane, "type") == "bidirectional":
        return 0
    return -standard if direction == "reversed" else standard


def _linked(lane: etree._Element) -> tuple[int | None, int | None]:
    found: list[int | None] = []
    for name in ("predecessor", "successor"):
        try:
            found.append(int(word(lane.find(f"link/{name}"), "id")))
        except ValueError:
            found.append(None)
    return found[0], found[1]


def _target(item: etree._Element | None) -> Target | None:
    if item is None or not word(item, "elementId"):
        return None
    junction = word(item, "elementType") == "junction"
    return Target(junction, word(item, "elementId"), _ENDS.get(word(item, "contactPoint")))


def _connections(element: etree._Element) -> Iterator[Connection]:
    for item in element.iterfind("connection"):
        end = _ENDS.get(word(item, "contactPoint"), START)
        lanes = []
        for link in item.iterfind("laneLink"):
            try:
                lanes.append((int(word(link, "from")), int(word(link, "to"))))
            except ValueError:
                continue
        connecting = word(item, "connectingRoad") or word(item, "linkedRoad")
        yield Connection(word(item, "incomingRoad"), connecting, end, tuple(lanes))
