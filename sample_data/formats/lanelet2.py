"""Car maker A's map: Lanelet2 in Autoware's dialect."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import shapely

from sample_data.formats.osm import OsmMap
from sample_data.town.frame import Array
from sample_data.town.lanes import LANE_M, Connection, LaneEnd, LaneMap, LaneRoad, make_lanes
from sample_data.town.town import Town

PIECE_M = 300.0
ROAD_TAGS = {
    "type": "lanelet",
    "subtype": "road",
    "location": "urban",
    "one_way": "yes",
    "participant:vehicle": "yes",
}
SOLID = {"type": "line_thin", "subtype": "solid"}
DASHED = {"type": "line_thin", "subtype": "dashed", "color": "white", "lane_change": "yes"}


@dataclass
class Draft:
    """The map while it is drawn: lanelets by road and lane (in the order of the centre line)."""

    osm: OsmMap
    lanes: LaneMap
    pieces: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    passing: dict[str, int] = field(default_factory=dict)  # connection -> lanelet
    stop_lines: dict[tuple[str, int], int] = field(default_factory=dict)  # junction arm -> way
    drawn: dict[tuple[int, ...], int] = field(default_factory=dict)

    def line(self, xyz: Array, tags: dict[str, str]) -> int:
        """A way; the same points drawn before, in either direction, are the same way."""
        key = tuple(self.osm.node(point) for point in xyz)
        key = min(key, key[::-1])
        if key not in self.drawn:
            self.drawn[key] = self.osm.way(xyz, tags)
        return self.drawn[key]


def write_lanelet2(town: Town, path: Path) -> None:
    """Write the map of the main streets."""
    draft = Draft(OsmMap(), make_lanes(town.streets, town.terrain))
    for road in draft.lanes.roads.values():
        _draw_road(draft, road)
    for junction in draft.lanes.junctions:
        _draw_junction(draft, junction)
    for road in draft.lanes.roads.values():
        _limit_speed(draft, road)
    _draw_bus_stop(draft)
    draft.osm.write(path, "2026.9")


def _boundary_tags(road: LaneRoad, number: int) -> dict[str, str]:
    if abs(number) == road.lanes:
        if road.bridge:
            return {"type": "guard_rail", "height": "1.1"}
        if road.street in ("駅前通り", "中央通り", "港通り"):
            return {"type": "curbstone", "subtype": "high", "height": "0.15"}
        return (
            {"type": "road_border"}
            if road.street == "川端通り"
            else {**SOLID, "color": "white", "width": "0.15"}
        )
    if number:
        return DASHED
    if road.lanes > 1:
        return {"type": "line_thin", "subtype": "solid_solid", "color": "white", "lane_change": "no"}
    if road.street == "国道509号":
        return {**SOLID, "color": "yellow", "lane_change": "no"}
    return DASHED


def _draw_road(draft: Draft, road: LaneRoad) -> None:
    """Lanelets of at most 300 m; opposite lanes share the centre line, neighbours their divider."""
    last = len(road.xyz) - 1
    count = max(1, round(road.length_m / PIECE_M))
    cuts = [round(k * last / count) for k in range(count + 1)]
    bounds = {number: road.boundary(number) for number in range(-road.lanes, road.lanes + 1)}
    for first, end in pairwise(cuts):
        way = {
            number: draft.line(xyz[first : end + 1], _boundary_tags(road, number))
            for number, xyz in bounds.items()
        }
        for lane in [*range(1, road.lanes + 1), *range(-1, -road.lanes - 1, -1)]:
            outer, inner = lane, lane - 1 if lane > 0 else lane + 1
            members = [("way", "left", way[outer]), ("way", "right", way[inner])]
            tags = {**ROAD_TAGS, "speed_limit": str(road.speed_kmh), "name": road.street}
            lanelet = draft.osm.relation(members, tags)
            draft.pieces.setdefault((road.id, lane), []).append(lanelet)


def _arm(end: LaneEnd) -> tuple[str, int]:
    """The side of a road at which lanes enter a junction: the road and which way they run."""
    return end.road, 1 if end.lane > 0 else -1


def _entering_piece(draft: Draft, end: LaneEnd) -> int:
    pieces = draft.pieces[end.road, end.lane]
    return pieces[-1] if end.lane > 0 else pieces[0]


def _draw_junction(draft: Draft, key: str) -> None:
    plan = draft.lanes.junctions[key]
    connections = [item for item in draft.lanes.connections if item.junction == key]
    hull = shapely.convex_hull(
        shapely.multipoints(np.vstack([c.left for c in connections] + [c.right for c in connections]))
    )
    ring = shapely.get_coordinates(hull.buffer(1.0, quad_segs=2).simplify(0.3))[:-1]
    level = float(np.mean([c.left[0, 2] for c in connections]))
    area = draft.osm.way(
        np.column_stack([ring, np.full(len(ring), level)]),
        {"type": "intersection_area", "area": "yes", "name": plan.name},
        closed=True,
    )
    for item in connections:
        step = 4 if item.turn == "straight" else 2
        left = draft.line(item.left[::step], {"type": "virtual"})
        right = draft.line(item.right[::step], {"type": "virtual"})
        tags = {
            **ROAD_TAGS,
            "speed_limit": str(item.speed_kmh),
            "turn_direction": item.turn,
            "intersection_area": str(area),
        }
        members = [("way", "left", left), ("way", "right", right)]
        draft.passing[item.id] = draft.osm.relation(members, tags)
    arms: dict[tuple[str, int], list[Connection]] = {}
    for item in connections:
        arms.setdefault(_arm(item.source), []).append(item)
    for arm, leaving in arms.items():
        ends = {item.source.lane: item.source for item in leaving}
        if plan.signals:
            _draw_signal(draft, arm, ends, leaving, plan.reach_m)
        elif draft.lanes.roads[arm[0]].street not in plan.main:
            _draw_stop_sign(draft, arm, ends)
    if not plan.signals:
        _give_way(draft, connections, plan.main)


def _frame(ends: dict[int, LaneEnd]) -> tuple[Array, Array, Array]:
    """The kerb, the centre line and the direction where an arm meets its junction."""
    outer = max(ends.values(), key=lambda end: abs(end.lane))
    inner = min(ends.values(), key=lambda end: abs(end.lane))
    return outer.left, inner.right, inner.heading


def _back(point: Array, heading: Array, metres: float) -> Array:
    return np.array([point[0] - metres * heading[0], point[1] - metres * heading[1], point[2]])


def _stop_line(draft: Draft, arm: tuple[str, int], ends: dict[int, LaneEnd], metres: float) -> int:
    kerb, centre, heading = _frame(ends)
    line = np.array([_back(kerb, heading, metres), _back(centre, heading, metres)])
    draft.stop_lines[arm] = draft.osm.way(
        line, {"type": "stop_line", "subtype": "solid", "color": "white", "width": "0.45"}
    )
    return draft.stop_lines[arm]


def _draw_signal(
    draft: Draft,
    arm: tuple[str, int],
    ends: dict[int, LaneEnd],
    leaving: list[Connection],
    reach_m: float,
) -> None:
    """Signal heads on the far side as in Japan, a stop line, and a crosswalk between them."""
    kerb, centre, heading = _frame(ends)
    stop = _stop_line(draft, arm, ends, 6.5)
    left = np.array([-heading[1], heading[0]])
    far = _back((kerb + centre) / 2, heading, -(2 * reach_m - 1.0))
    head = np.array([[*(far[:2] + 0.6 * left), far[2] + 5.2], [*(far[:2] - 0.6 * left), far[2] + 5.2]])
    light = draft.osm.way(
        head, {"type": "traffic_light", "subtype": "red_yellow_green", "height": "0.45"}
    )
    bulbs = np.linspace(head[0], head[1], 5)[1:4] + np.array([0, 0, 0.22])
    for place, colour in zip(bulbs, ("green", "yellow", "red"), strict=True):  # from the left, in Japan
        draft.osm.tag(draft.osm.node(place), {"color": colour})
    bulb = draft.osm.way(bulbs, {"type": "light_bulbs", "traffic_light_id": str(light)})
    rule = draft.osm.relation(
        [("way", "refers", light), ("way", "ref_line", stop), ("way", "light_bulbs", bulb)],
        {"type": "regulatory_element", "subtype": "traffic_light", "dynamic": "yes", "fallback": "no"},
    )
    for item in leaving:
        draft.osm.add_member(draft.passing[item.id], ("relation", "regulatory_element", rule))
    _draw_crosswalk(draft, arm, ends, stop)


def _draw_crosswalk(draft: Draft, arm: tuple[str, int], ends: dict[int, LaneEnd], stop: int) -> None:
    kerb, _, heading = _frame(ends)
    road = draft.lanes.roads[arm[0]]
    left = np.array([-heading[1], heading[0]])
    width = 2 * road.lanes * LANE_M
    near, far = _back(kerb, heading, 4.8), _back(kerb, heading, 0.9)
    sides = []
    for point in (near, far):
        start = np.array([*(point[:2] + 0.4 * left), point[2]])
        end = np.array([*(point[:2] - (width + 0.4) * left), point[2]])
        sides.append(np.linspace(start, end, 3))
    ways = [draft.osm.way(side, {"type": "pedestrian_marking"}) for side in sides]
    # Walkers cross from the driver's left: the junction's side of the stripes is on their left.
    lanelet = draft.osm.relation(
        [("way", "left", ways[1]), ("way", "right", ways[0])],
        {
            "type": "lanelet",
            "subtype": "crosswalk",
            "speed_limit": "10",
            "location": "urban",
            "one_way": "no",
            "participant:pedestrian": "yes",
        },
    )
    ring = np.vstack([sides[0][[0, 2]], sides[1][[2, 0]]])
    polygon = draft.osm.way(ring, {"type": "crosswalk_polygon", "area": "yes"}, closed=True)
    rule = draft.osm.relation(
        [
            ("relation", "refers", lanelet),
            ("way", "ref_line", stop),
            ("way", "crosswalk_polygon", polygon),
        ],
        {"type": "regulatory_element", "subtype": "crosswalk"},
    )
    for end in ends.values():
        draft.osm.add_member(_entering_piece(draft, end), ("relation", "regulatory_element", rule))


def _sign(draft: Draft, at: Array, heading: Array, subtype: str) -> int:
    left = np.array([-heading[1], heading[0]])
    place = at[:2] + 0.7 * left
    edge = np.array([[*(place + 0.3 * left), at[2] + 2.0], [*(place - 0.3 * left), at[2] + 2.0]])
    return draft.osm.way(edge, {"type": "traffic_sign", "subtype": subtype, "height": "0.6"})


def _draw_stop_sign(draft: Draft, arm: tuple[str, int], ends: dict[int, LaneEnd]) -> None:
    kerb, _, heading = _frame(ends)
    stop = _stop_line(draft, arm, ends, 1.0)
    sign = _sign(draft, _back(kerb, heading, 1.0), heading, "jp330")
    rule = draft.osm.relation(
        [("way", "refers", sign), ("way", "ref_line", stop)],
        {"type": "regulatory_element", "subtype": "traffic_sign", "sign_type": "stop_sign"},
    )
    for end in ends.values():
        draft.osm.add_member(_entering_piece(draft, end), ("relation", "regulatory_element", rule))


def _give_way(draft: Draft, connections: list[Connection], main: tuple[str, ...]) -> None:
    """Whoever comes from the side road yields to the main road's movements that cross theirs."""
    roads = draft.lanes.roads
    first = [item for item in connections if roads[item.source.road].street in main]
    for item in connections:
        if item in first:
            continue
        path = shapely.LineString((item.left + item.right)[:, :2] / 2)
        crossing = [
            c
            for c in first
            if path.crosses(shapely.LineString((c.left + c.right)[:, :2] / 2))
            or c.target.road == item.target.road
        ]
        members = [("relation", "yield", draft.passing[item.id])]
        members += [("relation", "right_of_way", draft.passing[c.id]) for c in crossing]
        if len(members) > 1:
            rule = draft.osm.relation(
                members, {"type": "regulatory_element", "subtype": "right_of_way"}
            )
            for _, _, lanelet in members:
                draft.osm.add_member(lanelet, ("relation", "regulatory_element", rule))


def _limit_speed(draft: Draft, road: LaneRoad) -> None:
    """A sign at each road's beginning whose limit holds for the lanelets of that direction."""
    for side in (1, -1):
        edge = road.boundary(side * road.lanes)
        ahead = road.xyz[1] - road.xyz[0] if side > 0 else road.xyz[-2] - road.xyz[-1]
        heading = ahead[:2] / np.hypot(*ahead[:2])
        at = edge[0] if side > 0 else edge[-1]
        sign = _sign(draft, _back(at, heading, -18.0), heading, "jp323")
        rule = draft.osm.relation(
            [("way", "refers", sign)],
            {
                "type": "regulatory_element",
                "subtype": "speed_limit",
                "sign_type": "jp323",
                "speed_limit": str(road.speed_kmh),
            },
        )
        for lane in range(1, road.lanes + 1):
            for lanelet in draft.pieces[road.id, side * lane]:
                draft.osm.add_member(lanelet, ("relation", "regulatory_element", rule))


def _draw_bus_stop(draft: Draft) -> None:
    """The bus bay before the station."""
    road = next(
        road for road in draft.lanes.roads.values() if road.street == "駅前通り" and not road.start
    )
    edge = road.boundary(road.lanes)
    outside = road.boundary(road.lanes + 1)
    far = min(3, len(edge) - 1)
    ring = np.vstack([edge[1 : far + 1], outside[far:0:-1]])
    draft.osm.way(ring, {"type": "bus_stop_area", "area": "yes", "name": "潮見駅前"}, closed=True)
