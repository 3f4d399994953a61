"""Lanes of the main streets, as a survey car would draw them: left-hand traffic, shared edges.

A lane road is the stretch of one street between two surveyed junctions, trimmed to the junction's
edge. Its boundaries are parallel to its centre line. Inside a junction each permitted movement is
a connection of its own. Both car makers' files are written from this one model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.ndimage import gaussian_filter1d
from shapely.geometry import LineString, Point
from shapely.ops import linemerge, substring

from sample_data.town.curves import offset_polyline
from sample_data.town.frame import Array
from sample_data.town.network import Link, Streets
from sample_data.town.terrain import Terrain

STEP_M = 5.0
LANE_M = 3.25
TURNS = {"left": (30.0, 150.0), "right": (-150.0, -30.0)}  # change of heading in degrees


@dataclass(frozen=True)
class JunctionPlan:
    """A surveyed junction: its name, where it is, how far it reaches, and its control."""

    id: str
    name: str
    name_en: str
    xy: tuple[float, float]
    reach_m: float = 15.0
    signals: bool = True
    main: tuple[str, ...] = ()  # roads with the right of way where there are no signals


@dataclass(frozen=True)
class LaneRoad:
    """A two-way street between junctions; ``xyz`` is its centre line (n, 3), ``lanes`` each way."""

    id: str
    street: str
    xyz: Array
    lanes: int
    speed_kmh: int
    start: str
    end: str
    bridge: str = ""

    def boundary(self, number: int) -> Array:
        """The boundary ``number`` lane widths left of the centre line (negative: right), (n, 3)."""
        return np.column_stack([offset_polyline(self.xyz[:, :2], number * LANE_M), self.xyz[:, 2]])

    @property
    def length_m(self) -> float:
        """Length of the centre line."""
        return float(np.hypot(*np.diff(self.xyz[:, :2], axis=0).T).sum())


@dataclass(frozen=True)
class LaneEnd:
    """A lane where it meets a junction: its bounds there, and its direction of travel.

    Lane 1 and more lie left of the road's centre line and run along it; -1 and less lie right of
    it and run against it. ``left`` and ``right`` are as the driver sees them.
    """

    road: str
    lane: int
    left: Array
    right: Array
    heading: Array


@dataclass(frozen=True)
class Connection:
    """A movement through a junction: right bound (n, 3), left bound, and what it joins."""

    id: str
    junction: str
    turn: str
    source: LaneEnd
    target: LaneEnd
    left: Array
    right: Array
    speed_kmh: int


@dataclass(frozen=True)
class LaneMap:
    """Roads, junctions and connections by id."""

    roads: dict[str, LaneRoad]
    junctions: dict[str, JunctionPlan]
    connections: list[Connection]


JUNCTIONS = [
    JunctionPlan("A", "西通り入口", "Nishi-dori Entrance", (-640, -352), 14, False, ("国道509号",)),
    JunctionPlan("B", "駅前通り南", "Ekimae-dori South", (-205, -290), 19),
    JunctionPlan("D", "潮見大橋西詰", "Shiomi Bridge West", (350, -262), 15),
    JunctionPlan("E", "東町入口", "Higashimachi Entrance", (945, -300), 14, False, ("国道509号",)),
    JunctionPlan("F", "城山下", "Shiroyama-shita", (-712, 62), 13, False, ("西通り",)),
    JunctionPlan("G", "駅前中央", "Ekimae Chuo", (-225, 30), 19),
    JunctionPlan("H", "中橋西詰", "Naka Bridge West", (338, 60), 15),
    JunctionPlan("I", "東町中央", "Higashimachi Chuo", (958, 46), 14),
]
# street, from, to: a letter names a junction, a pair of numbers is where the survey ended.
STRETCHES: list[tuple[str, str | tuple[float, float], str | tuple[float, float]]] = [
    ("国道509号", (-1120, -500), "A"),
    ("国道509号", "A", "B"),
    ("国道509号", "B", "D"),
    ("国道509号", "D", "E"),
    ("国道509号", "E", (1250, -378)),
    ("中央通り", "F", "G"),
    ("中央通り", "G", "H"),
    ("中央通り", "H", "I"),
    ("中央通り", "I", (1180, -10)),
    ("西通り", "A", "F"),
    ("西通り", "F", (-732, 300)),
    ("駅前通り", (-248, 268), "G"),
    ("駅前通り", "G", "B"),
    ("港通り", "B", (-205, -520)),
    ("川端通り", "D", "H"),
    ("川端通り", "H", (308, 540)),
    ("東町通り", "E", "I"),
    ("東町通り", "I", (984, 540)),
]


def make_lanes(streets: Streets, terrain: Terrain) -> LaneMap:
    """Survey the main streets."""
    plans = {plan.id: _on_crossing(plan, streets) for plan in JUNCTIONS}
    level = {key: float(terrain.height(np.array([plan.xy]))[0]) + 0.1 for key, plan in plans.items()}
    roads = {}
    for number, (street, first, last) in enumerate(STRETCHES, 1):
        road = _road(f"{number:02d}", street, first, last, plans, level, streets, terrain)
        roads[road.id] = road
    connections: list[Connection] = []
    for key in plans:
        connections += _connect(key, roads, len(connections))
    return LaneMap(roads, plans, connections)


def _on_crossing(plan: JunctionPlan, streets: Streets) -> JunctionPlan:
    """Move a plan to the network's node where its streets meet."""
    names = {street for street, first, last in STRETCHES if plan.id in (first, last)}
    meeting: dict[str, set[str]] = {}
    for link in streets.links:
        if link.route.name in names:
            for node in (link.start, link.end):
                meeting.setdefault(node, set()).add(link.route.name)
    candidates = [streets.nodes[node] for node, found in meeting.items() if len(found) > 1]
    nearest = min(candidates, key=lambda xy: np.hypot(xy[0] - plan.xy[0], xy[1] - plan.xy[1]))
    return JunctionPlan(
        plan.id, plan.name, plan.name_en, nearest, plan.reach_m, plan.signals, plan.main
    )


def _road(
    number: str,
    street: str,
    first: str | tuple[float, float],
    last: str | tuple[float, float],
    plans: dict[str, JunctionPlan],
    level: dict[str, float],
    streets: Streets,
    terrain: Terrain,
) -> LaneRoad:
    links = [link for link in streets.named(street) if not link.tunnel]
    whole = linemerge([link.line for link in links])
    parts = list(shapely.get_parts(whole))
    a = plans[first].xy if isinstance(first, str) else first
    b = plans[last].xy if isinstance(last, str) else last
    line = min(parts, key=lambda part: part.distance(Point(a)) + part.distance(Point(b)))
    at_a, at_b = line.project(Point(a)), line.project(Point(b))
    trim_a = plans[first].reach_m if isinstance(first, str) else 0.0
    trim_b = plans[last].reach_m if isinstance(last, str) else 0.0
    sign = 1 if at_b > at_a else -1
    cut = substring(line, at_a + sign * trim_a, at_b - sign * trim_b)
    xy = _even(cut)
    z = _profile(xy, links, terrain)
    if isinstance(first, str):
        z = _ease(xy, z, level[first], at_start=True)
    if isinstance(last, str):
        z = _ease(xy, z, level[last], at_start=False)
    route = links[0].route
    bridge = next(
        (
            link.bridge
            for link in links
            if link.bridge
            and cut.distance(link.line) < 0.5
            and cut.intersection(link.line.buffer(0.5)).length > 20
        ),
        "",
    )
    kept = _telling(xy)
    return LaneRoad(
        number,
        street,
        np.column_stack([xy, z])[kept],
        2 if route.lanes >= 4 else 1,
        route.speed_kmh,
        first if isinstance(first, str) else "",
        last if isinstance(last, str) else "",
        bridge,
    )


def _even(line: LineString) -> Array:
    """The line at even steps with its small kinks smoothed, ends kept."""
    count = max(4, round(line.length / STEP_M))
    xy = shapely.get_coordinates(
        shapely.line_interpolate_point(line, np.linspace(0, line.length, count + 1))
    )
    smooth = gaussian_filter1d(xy, 1.6, axis=0, mode="nearest")
    weight = np.minimum(np.arange(len(xy)), np.arange(len(xy))[::-1])[:, None].clip(0, 4) / 4
    return xy + weight * (smooth - xy)


def _telling(xy: Array, tolerance_m: float = 0.02, gap_m: float = 30.0) -> Array:
    """Which vertices a surveyor keeps: those that tell the bend, and one in every gap."""
    told = {
        tuple(point) for point in shapely.get_coordinates(shapely.simplify(LineString(xy), tolerance_m))
    }
    kept = [0]
    for k in range(1, len(xy)):
        due = k == len(xy) - 1 or tuple(xy[k]) in told
        due = due or (k - kept[-1] + 1) * STEP_M > gap_m
        # The last vertices before a junction stay, so that every lane meets it in its own direction.
        if due or k in (1, len(xy) - 2):
            kept.append(k)
    return np.array(kept)


def _profile(xy: Array, links: list[Link], terrain: Terrain) -> Array:
    """Road height: the ground smoothed, and over water the straight line between the banks, arched."""
    z = terrain.height(xy) + 0.1
    spans = shapely.union_all([link.line.buffer(12) for link in links if link.bridge])
    over = (
        shapely.intersects(spans, shapely.points(xy)) if not spans.is_empty else np.zeros(len(xy), bool)
    )
    index = np.arange(len(xy))
    if over.any():
        z = np.interp(index, index[~over], z[~over])
        z = z + 1.6 * gaussian_filter1d(over.astype(float), 8)
    return gaussian_filter1d(z, 4, mode="nearest")


def _ease(xy: Array, z: Array, level: float, at_start: bool) -> Array:
    """Bend the last 50 m of a profile to the junction's level."""
    away = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    away = away if at_start else away[-1] - away
    weight = np.clip(1 - away / min(50.0, away.max() / 2), 0, 1)
    return z + weight * (level - (z[0] if at_start else z[-1]))


def _ends(key: str, roads: dict[str, LaneRoad]) -> tuple[list[LaneEnd], list[LaneEnd]]:
    """Lanes that enter a junction and lanes that leave it."""
    entering, leaving = [], []
    for road in roads.values():
        for at, joined in ((0, road.start), (-1, road.end)):
            if joined != key:
                continue
            ahead = (
                road.xyz[1, :2] - road.xyz[0, :2] if at == 0 else road.xyz[-1, :2] - road.xyz[-2, :2]
            )
            ahead = ahead / np.hypot(*ahead)
            for lane in range(1, road.lanes + 1):
                outer, inner = road.boundary(lane)[at], road.boundary(lane - 1)[at]
                along = LaneEnd(road.id, lane, outer, inner, ahead)
                outer, inner = road.boundary(-lane)[at], road.boundary(1 - lane)[at]
                against = LaneEnd(road.id, -lane, outer, inner, -ahead)
                (leaving if at == 0 else entering).append(along)
                (entering if at == 0 else leaving).append(against)
    return entering, leaving


def _connect(key: str, roads: dict[str, LaneRoad], count: int) -> list[Connection]:
    """All permitted movements of a junction: left from the outer lane, right from the inner one."""
    entering, leaving = _ends(key, roads)
    made: list[Connection] = []
    for source in entering:
        for target in leaving:
            if source.road == target.road:
                continue
            turn = _turn(source.heading, target.heading)
            if not _lane_fits(turn, source, target, roads):
                continue
            right = _bezier(source.right, source.heading, target.right, target.heading)
            width = np.linspace(
                *(np.hypot(*(end.left - end.right)[:2]) for end in (source, target)), len(right)
            )
            left = np.column_stack([offset_polyline(right[:, :2], width), right[:, 2]])
            left[0], left[-1] = source.left, target.left
            speed = min(roads[source.road].speed_kmh, 30 if turn != "straight" else 60)
            made.append(
                Connection(
                    f"{count + len(made) + 1:03d}", key, turn, source, target, left, right, speed
                )
            )
    return made


def _turn(before: Array, after: Array) -> str:
    angle = np.degrees(np.arctan2(before[0] * after[1] - before[1] * after[0], float(before @ after)))
    return next((name for name, (low, high) in TURNS.items() if low < angle < high), "straight")


def _lane_fits(turn: str, source: LaneEnd, target: LaneEnd, roads: dict[str, LaneRoad]) -> bool:
    out, into = abs(source.lane), abs(target.lane)
    most_out, most_into = roads[source.road].lanes, roads[target.road].lanes
    if turn == "left":
        return out == most_out and into == most_into
    if turn == "right":
        return out == 1 and into == 1
    return into == min(out, most_into) if most_out >= most_into else into == most_into


def _bezier(p0: Array, d0: Array, p1: Array, d1: Array, count: int = 13) -> Array:
    """A cubic that leaves along ``d0`` and arrives along ``d1``; heights go straight."""
    reach = 0.4 * float(np.hypot(*(p1 - p0)[:2])) * (1 + 0.35 * (1 - float(d0 @ d1)) / 2)
    a, b = p0[:2] + reach * d0, p1[:2] - reach * d1
    t = np.linspace(0, 1, count)[:, None]
    xy = (1 - t) ** 3 * p0[:2] + 3 * t * (1 - t) ** 2 * a + 3 * t**2 * (1 - t) * b + t**3 * p1[:2]
    return np.column_stack([xy, p0[2] + (p1[2] - p0[2]) * t[:, 0]])
