"""What leads where, written anew from the lanes: links of lanes and roads, and junctions.

Only features of the view are asked, so a link never names what the view does not show.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from lxml import etree

from geoshare.extracts.opendrive.model import END, ENDS, LINKS, START, Losses, Numbers, OutLane, OutRoad
from geoshare.extracts.opendrive.xml import add, put_first


class RoadEnd(NamedTuple):
    """One end of a road, by the road's id."""

    road: str
    end: int


Pair = tuple[OutLane, OutLane]
Connections = dict[tuple[str, str, int], list[Pair]]  # incoming road, the other, its end


@dataclass
class Linker:
    """Joins the lanes of all roads of a file."""

    roads: dict[str, OutRoad]  # by id
    losses: Losses
    numbers: Numbers  # of junctions
    names: dict[str, etree._Element]  # junction feature -> its kept element
    _meeting: dict[RoadEnd, dict[RoadEnd, list[Pair]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def link(self) -> list[etree._Element]:
        """Write links into the roads; returns the junctions."""
        joints = list(self._joints())
        for one, one_end, two, two_end in joints:
            if one.road is two.road and self._adjacent(one, two, one_end):
                _link_lane(one, one_end, two, self.losses)
                _link_lane(two, two_end, one, self.losses)
            else:
                a, b = RoadEnd(one.road.id, one_end), RoadEnd(two.road.id, two_end)
                self._meeting[a][b].append((one, two))
                self._meeting[b][a].append((two, one))
        self._meet_at_connectors()
        self._close_direct()
        for road in self.roads.values():
            road.element.set("junction", "-1")
        junctions = self._junctions(joints)
        for road in self.roads.values():
            self._link_road(road)
        return junctions

    def _joints(self) -> Iterator[tuple[OutLane, int, OutLane, int]]:
        lanes = {lane.feature: lane for road in self.roads.values() for lane in road.lanes}
        for lane in lanes.values():
            for key in lane.successors:
                after = lanes.get(key)
                if after is None:
                    self.losses.dropped["links out of the area"] += 1
                else:
                    yield lane, lane.exit, after, _side_of_entry(lane, after)

    @staticmethod
    def _adjacent(one: OutLane, two: OutLane, end: int) -> bool:
        """Whether a lane's section at an end is followed by the other's, on its side of the road."""
        side = 1 if one.id > 0 else -1
        held = sorted({lane.section for lane in one.road.lanes if lane.id * side > 0})
        order = [section for section in one.road.sections if section in held]
        if one.section == two.section or two.section not in order:
            return False
        return order.index(two.section) - order.index(one.section) == (1 if end == END else -1)

    def _meet_at_connectors(self) -> None:
        """Roads that meet without lanes that do: only where neither has any that meet another."""
        at: dict[str, list[RoadEnd]] = defaultdict(list)
        for road in self.roads.values():
            for end, key in enumerate(road.connectors):
                if key is not None:
                    at[key].append(RoadEnd(road.id, end))
        for ends in at.values():
            for one in ends:
                for two in ends:
                    inside = {self.roads[one.road].junction, self.roads[two.road].junction}
                    if one.road >= two.road or self._meeting.get(one) or self._meeting.get(two):
                        continue
                    if len(ends) == 2 or (len(inside) == 2 and None in inside):
                        self._meeting[one][two] = []
                        self._meeting[two][one] = []

    def _close_direct(self) -> None:
        """Roads that part or join without roads between them get a junction of type direct."""
        parent: dict[RoadEnd, RoadEnd] = {}

        def root(item: RoadEnd) -> RoadEnd:
            while parent.setdefault(item, item) != item:
                item = parent[item]
            return item

        plain = {
            one: [two for two in others if self.roads[two.road].junction is None]
            for one, others in self._meeting.items()
            if self.roads[one.road].junction is None
        }
        for one, others in plain.items():
            for two in others:
                if len(others) > 1 or len(plain.get(two, ())) > 1:
                    first, second = sorted((root(one), root(two)))
                    parent[second] = first
        self._direct = {item: root(item) for item in list(parent)}

    def _junctions(self, joints: list[tuple[OutLane, int, OutLane, int]]) -> list[etree._Element]:
        """Junctions with their connections, as traffic enters them."""
        inside = {road.junction for road in self.roads.values() if road.junction is not None}
        self._ids = {key: self.numbers.give(self._wished(key)) for key in sorted(inside)}
        direct = {place: self.numbers.give() for place in sorted(set(self._direct.values()))}
        self._direct_ids = {item: direct[place] for item, place in self._direct.items()}
        found: dict[str, Connections] = defaultdict(lambda: defaultdict(list))
        kinds: dict[str, str] = dict.fromkeys(direct.values(), "direct")
        for one, one_end, two, two_end in joints:
            a, b = RoadEnd(one.road.id, one_end), RoadEnd(two.road.id, two_end)
            if two.road.junction is not None and one.road.junction != two.road.junction:
                key = self._ids[two.road.junction]
                found[key][one.road.id, two.road.id, two_end].append((one, two))
            elif a in self._direct_ids and b in self._direct_ids and self._meeting.get(a, {}).get(b):
                found[self._direct_ids[a]][one.road.id, two.road.id, two_end].append((one, two))
        for road in self.roads.values():
            if road.junction is not None:
                road.element.set("junction", self._ids[road.junction])
        kept = {self._ids[key]: element for key, element in self.names.items() if key in self._ids}
        return [
            _junction(key, found[key], kept.get(key), kinds.get(key, "default"))
            for key in (*self._ids.values(), *direct.values())
        ]

    def _wished(self, junction: str) -> str:
        element = self.names.get(junction)
        return "" if element is None else element.get("id") or ""

    def _link_road(self, road: OutRoad) -> None:
        link = road.element.find("link")
        link = put_first(road.element, "link") if link is None else link
        for end in (START, END):
            here = RoadEnd(road.id, end)
            others = self._meeting.get(here, {})
            if not others:
                continue
            if here in self._direct_ids:
                add(link, LINKS[end], elementType="junction", elementId=self._direct_ids[here])
                continue
            through = Counter(
                key
                for other in others
                if (key := self.roads[other.road].junction) is not None and key != road.junction
            )
            if road.junction is None and through:
                [(key, _)] = through.most_common(1)
                add(link, LINKS[end], elementType="junction", elementId=self._ids[key])
                self.losses.dropped["links beside a junction"] += len(others) - through[key]
            else:
                self._link_directly(link, road, end, others)

    def _link_directly(
        self,
        link: etree._Element,
        road: OutRoad,
        end: int,
        others: dict[RoadEnd, list[Pair]],
    ) -> None:
        other = max(
            others,
            key=lambda item: (
                self._outside(road, item),
                self._alike(road, item),
                len(others[item]),
                item,
            ),
        )
        add(
            link,
            LINKS[end],
            elementType="road",
            elementId=other.road,
            contactPoint=ENDS[other.end],
        )
        self.losses.dropped["links of a road to several"] += len(others) - 1
        for one, two in others[other]:
            _link_lane(one, end, two, self.losses)

    def _alike(self, road: OutRoad, other: RoadEnd) -> bool:
        """Whether both are fitted, or both kept: streets of two makers each stay whole."""
        return (road.fitted is None) == (self.roads[other.road].fitted is None)

    def _outside(self, road: OutRoad, other: RoadEnd) -> bool:
        return self.roads[other.road].junction != road.junction or road.junction is None


def _side_of_entry(lane: OutLane, after: OutLane) -> int:
    """Where traffic enters the lane that follows; one open both ways lists it at that end."""
    turned = lane.feature in after.successors and lane.feature not in after.predecessors
    return after.exit if after.travel == 0 and turned else after.entry


def _link_lane(lane: OutLane, end: int, other: OutLane, losses: Losses) -> None:
    link = lane.element.find("link")
    link = put_first(lane.element, "link") if link is None else link
    found = link.find(LINKS[end])
    if found is None:
        child = add(link, LINKS[end], id=other.id)
        if end == START:
            link.insert(0, child)
    elif found.get("id") != str(other.id):
        losses.dropped["links of a lane to several"] += 1


def _junction(
    key: str,
    connections: Connections,
    kept: etree._Element | None,
    kind: str,
) -> etree._Element:
    element = etree.Element("junction", {"name": ""}) if kept is None else kept
    element.set("id", key)
    if kept is None:
        element.set("type", kind)
    joined = element.get("type") == "direct"
    for number, ((incoming, connecting, end), pairs) in enumerate(connections.items()):
        road = {"linkedRoad" if joined else "connectingRoad": connecting}
        item = etree.Element(
            "connection",
            {"id": str(number), "incomingRoad": incoming, **road, "contactPoint": ENDS[end]},
        )
        for one, two in dict.fromkeys((one.id, two.id) for one, two in pairs):
            etree.SubElement(item, "laneLink", {"from": str(one), "to": str(two)})
        element.insert(number, item)
    return element
