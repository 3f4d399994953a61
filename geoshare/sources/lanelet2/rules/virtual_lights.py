"""Autoware's requirements (vm-03-16, vm-03-18) on the lines of virtual traffic lights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import shapely

from geoshare.model.findings import Finding
from geoshare.sources.lanelet2.elements import Element
from geoshare.sources.lanelet2.rules.facts import Lanelet, MapFacts

ORDER: Final = "vm-03-16:Intersection.VirtualTrafficLightLineOrder-00"
OVERLAP: Final = "vm-03-18:Intersection.VirtualTrafficLightSectionOverlap-001"
_SHARE: Final = 0.1


def line_order(facts: MapFacts) -> Iterator[Finding]:
    """On the way through an intersection come the start line, the stop line and the end line."""
    for item in facts.relations("regulatory_element", "virtual_traffic_light"):
        lines = {role: _lines(facts, item, role) for role in ("start_line", "ref_line", "end_line")}
        if not lines["start_line"] or not lines["end_line"]:
            continue
        start = lines["start_line"][0]
        home = _lanelet_of(facts, start)
        if home is None:
            yield _about(facts, "1", item, "The start line lies on no lanelet.",
                         "開始線(start_line)がレーンレットの上にありません。")  # fmt: skip
            continue
        users = facts.users.get(item.id, [])
        if any(user.shape.intersects(start) for user in users):
            yield _about(facts, "3", item, "The start line touches a lanelet that the light is for.",
                         "開始線が、対象のレーンレットと重なっています。")  # fmt: skip
            continue
        for user in users:
            yield from _along(facts, item, home, user, lines)


def _along(
    facts: MapFacts,
    item: Element,
    home: Lanelet,
    user: Lanelet,
    lines: dict[str, list[shapely.LineString]],
) -> Iterator[Finding]:
    ends = sorted(lines["end_line"], key=lambda line: _share(line, user.shape))
    if _share(ends[-1], user.shape) <= 0.0:
        yield _about(facts, "2", item, f"No end line lies on lanelet {user.id}, which names the light.",
                     f"参照元のレーンレット{user.id}の上に終了線(end_line)がありません。")  # fmt: skip
        return
    path = _path(facts, home, user)
    if path is None:
        yield _about(facts, "4", item, f"No way leads from the start line to lanelet {user.id}.",
                     f"開始線からレーンレット{user.id}までの経路がありません。")  # fmt: skip
        return
    if not lines["ref_line"]:
        return
    stop = lines["ref_line"][0]
    surface = shapely.union_all([lanelet.shape.buffer(0) for lanelet in path])
    if _share(stop, surface) < _SHARE:
        yield _about(facts, "5", item, "The stop line does not lie on the way from start to end.",
                     "停止線が、開始線から終了線までの経路の上にありません。")  # fmt: skip
    for side in ("left_xyz", "right_xyz"):
        border = shapely.LineString(np.vstack([getattr(lanelet, side)[:, :2] for lanelet in path]))
        at = [_measure(border, line) for line in (lines["start_line"][0], stop, ends[-1])]
        if not at[0] < at[1] < at[2]:
            yield _about(facts, "6", item, "Start line, stop line and end line are not in this order.",
                         "開始線・停止線・終了線の順序が正しくありません。")  # fmt: skip
            return


def section_overlap(facts: MapFacts) -> Iterator[Finding]:
    """Nobody passes a start line before the end line of the light before it."""
    sections = {
        item.id: (item, list(_paths(facts, item)))
        for item in facts.relations("regulatory_element", "virtual_traffic_light")
    }
    for key, (item, paths) in sections.items():
        for other, (second, others) in sections.items():
            if key == other:
                continue
            if any(_runs_into(facts, item, path, second, far) for path in paths for far in others):
                yield facts.found(
                    OVERLAP, "error", "relation", key,
                    f"Its section runs into that of virtual traffic light {other}.",
                    f"区間が、別の仮想信号{other}の区間と重なっています。",
                )  # fmt: skip


def _runs_into(
    facts: MapFacts, item: Element, path: list[Lanelet], second: Element, far: list[Lanelet]
) -> bool:
    """Whether two sections share more than a lane in which one ends before the other begins."""
    names, others = [lane.id for lane in path], [lane.id for lane in far]
    shared = _tail(names, others) or _tail(others, names)
    if not shared:
        return False
    if len(shared) > 1:
        return True
    lanelet = facts.lanelets[shared[0]]
    ending, beginning = (item, second) if names[-1] == shared[0] else (second, item)
    ends = sorted(_lines(facts, ending, "end_line"), key=lambda line: _share(line, lanelet.shape))
    starts = _lines(facts, beginning, "start_line")
    if not ends or not starts:
        return False
    border = shapely.LineString(lanelet.left_xyz[:, :2])
    return _measure(border, ends[-1]) > _measure(border, starts[0])


def _tail(first: list[str], second: list[str]) -> list[str]:
    """The lanes at the end of one way with which another begins; all of it where it lies within."""
    if any(second[i : i + len(first)] == first for i in range(len(second) - len(first) + 1)):
        return first
    for count in range(min(len(first), len(second)), 0, -1):
        if first[-count:] == second[:count]:
            return first[-count:]
    return []


def _paths(facts: MapFacts, item: Element) -> Iterator[list[Lanelet]]:
    starts = _lines(facts, item, "start_line")
    home = _lanelet_of(facts, starts[0]) if starts else None
    if home is None:
        return
    for user in facts.users.get(item.id, []):
        path = _path(facts, home, user)
        if path is not None:
            yield path


def _path(facts: MapFacts, home: Lanelet, goal: Lanelet) -> list[Lanelet] | None:
    """The way with the fewest lanelets from one to another, without changing lanes."""
    before: dict[str, str | None] = {home.id: None}
    waiting = [home.id]
    for name in waiting:
        if name == goal.id:
            path = [name]
            while (previous := before[path[-1]]) is not None:
                path.append(previous)
            return [facts.lanelets[found] for found in reversed(path)]
        for after in facts.lanelets[name].beside.successors:
            if after not in before:
                before[after] = name
                waiting.append(after)
    return None


def _lines(facts: MapFacts, item: Element, role: str) -> list[shapely.LineString]:
    found = [facts.line(member.ref) for member in item.first(role)]
    return [shapely.LineString(line[:, :2]) for line in found if line is not None and len(line) > 1]


def _lanelet_of(facts: MapFacts, line: shapely.LineString) -> Lanelet | None:
    """The driven lanelet on which most of a line lies."""
    driven = [lanelet for lanelet in facts.near(line) if facts.driven(lanelet)]
    best = max(driven, key=lambda lanelet: _share(line, lanelet.shape), default=None)
    return best if best is not None and _share(line, best.shape) > 0.0 else None


def _share(line: shapely.LineString, shape: shapely.Geometry) -> float:
    """The share of a line that lies within a shape."""
    if not shapely.is_valid(shape) or line.length <= 0.0:
        return 0.0
    return float(line.intersection(shape).length / line.length)


def _measure(border: shapely.LineString, line: shapely.LineString) -> float:
    """How far along a border a line stands: of its end that is nearer to it."""
    ends = [shapely.Point(line.coords[index]) for index in (0, -1)]
    return float(border.project(min(ends, key=border.distance)))


def _about(facts: MapFacts, code: str, item: Element, en: str, ja: str) -> Finding:
    return facts.found(ORDER + code, "error", "relation", item.id, en, ja)


RULES: Final = (line_order, section_overlap)
