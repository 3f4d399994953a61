"""Autoware's requirements (vm-*) on the shapes of lanes and how they lie beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Final

import numpy as np
import shapely

from geoshare.model.findings import Finding
from geoshare.sources.lanelet2.rules.facts import Array, Lanelet, MapFacts

SHARING: Final = {True: "vm-01-03:Lane.BorderSharing-001", False: "vm-01-04:Lane.BorderSharing-002"}
CENTRE: Final = "vm-01-10:Lane.CenterlineGeometry-00"
WALKWAY: Final = "vm-01-19:Lane.WalkwayIntersection-00"
SIDE: Final = {
    "road_shoulder": "vm-01-15:Lane.RoadShoulder-00",
    "pedestrian_lane": "vm-01-17:Lane.PedestrianLane-00",
}
_VEHICLES: Final = frozenset(["road", "road_shoulder", "pedestrian_lane"])
_ROADS: Final = frozenset(["road", "private"])
_WIDER: Final = 1.05
_ALIKE: Final = 0.05
_PLANE_M, _UPRIGHT_M, _BEYOND_M = 0.01, 0.1, 3.0


def border_sharing(facts: MapFacts) -> Iterator[Finding]:
    """Lanelets that lie side by side share the line between them (vm-01-03, vm-01-04).

    Two lanelets are taken to be neighbours where one, made five per cent wider, covers a border of the
    other, unless they overlap so much that they are one lane drawn for two directions.
    """
    pairs: list[tuple[str, str]] = []
    for lanelet in facts.lanelets.values():
        wide = _widened(lanelet)
        for other in facts.near(wide):
            if not _related(lanelet, other) and _covers(wide, lanelet, other):
                pairs.append((lanelet.id, other.id))
    mutual = {pair for pair in pairs if pair[::-1] in pairs}
    alone: defaultdict[str, list[str]] = defaultdict(list)
    for first, second in pairs:
        if (first, second) in mutual:
            yield _unshared(facts, first, [second], both=True)
        else:
            alone[first].append(second)
    for first, others in alone.items():
        yield _unshared(facts, first, others, both=False)


def _related(first: Lanelet, second: Lanelet) -> bool:
    beside = first.beside
    known = {first.id, *beside.predecessors, *beside.successors, beside.left, beside.right}
    return second.id in known or bool({first.left, first.right} & {second.left, second.right})


def _covers(wide: shapely.Polygon, lanelet: Lanelet, other: Lanelet) -> bool:
    if not wide.is_valid or not other.shape.is_valid:
        return False
    if lanelet.shape.is_valid and shapely.relate_pattern(lanelet.shape, other.shape, "T********"):
        common = wide.intersection(other.shape).area
        if common / (wide.area + other.shape.area - common) > _ALIKE:
            return False
    return any(
        wide.covers(shapely.LineString(line[:, :2])) for line in (other.left_xyz, other.right_xyz)
    )


def _widened(lanelet: Lanelet) -> shapely.Polygon:
    """The lanelet, its borders moved out and its ends on by a twentieth of its width."""
    left, right = lanelet.left_xyz[:, :2], lanelet.right_xyz[:, :2]
    ends = [np.hypot(*(left[index] - right[index])) for index in (0, -1)]
    by = float(np.mean(ends)) * (_WIDER - 1.0)
    return shapely.Polygon(np.vstack([_moved(left, by), _moved(right[::-1], by)]))


def _moved(line: Array, by: float) -> Array:
    """A line moved to its left, and on at both ends."""
    along = np.diff(line, axis=0)
    along = along / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    left = np.column_stack([-along[:, 1], along[:, 0]])
    out = line + by * np.vstack([left[:1], (left[:-1] + left[1:]) / 2.0, left[-1:]])
    out[0] -= by * along[0]
    out[-1] += by * along[-1]
    return out


def _unshared(facts: MapFacts, first: str, others: list[str], *, both: bool) -> Finding:
    names = ", ".join(others[:5])
    return facts.found(
        SHARING[both], "error", "relation", first,
        f"It seems to lie beside lanelet {names} and shares no border with it.",
        f"レーンレット{names}と隣り合っているようですが、境界線を共有していません。",
    )  # fmt: skip


def centre_lines(facts: MapFacts) -> Iterator[Finding]:
    """A centre line of its own runs from end to end within the lanelet, on its surface (vm-01-10)."""
    for lanelet in facts.lanelets.values():
        line = facts.line(lanelet.centre) if lanelet.centre else None
        if lanelet.centre is None or line is None or not lanelet.shape.is_valid:
            continue
        wrong = []
        for point, index in ((line[0], 0), (line[-1], -1)):
            edge = shapely.LineString([lanelet.left_xyz[index, :2], lanelet.right_xyz[index, :2]])
            if edge.distance(shapely.Point(point[:2])) > _PLANE_M:
                wrong.append(("1", "The centre line does not end at an edge of its lanelet.",
                              "中心線の端が、レーンレットの端にありません。"))  # fmt: skip
                break
        inner = shapely.points(line[1:-1, :2])
        if not shapely.dwithin(lanelet.shape, inner, _PLANE_M).all():
            wrong.append(("2", "The centre line leaves its lanelet.",
                          "中心線がレーンレットからはみ出しています。"))  # fmt: skip
        if _off_plane(lanelet, line) > _UPRIGHT_M:
            wrong.append(("3", "The centre line leaves the lanelet's surface by more than 10 cm.",
                          "中心線が、レーンレットの面から10 cmを超えて離れています。"))  # fmt: skip
        for code, en, ja in wrong:
            yield facts.found(CENTRE + code, "error", "way", lanelet.centre, en, ja)


def _off_plane(lanelet: Lanelet, line: Array) -> float:
    """The largest distance of a line's vertices from the plane through the lanelet's borders."""
    rim = np.vstack([lanelet.left_xyz, lanelet.right_xyz])
    middle = rim.mean(axis=0)
    _, _, axes = np.linalg.svd(rim - middle, full_matrices=False)
    return float(np.abs((line - middle) @ axes[-1]).max())


def _by_border(facts: MapFacts) -> dict[str, list[Lanelet]]:
    """Lanelets by the ways that bound them."""
    found: defaultdict[str, list[Lanelet]] = defaultdict(list)
    for lanelet in facts.lanelets.values():
        for way in {lanelet.left, lanelet.right}:
            found[way].append(lanelet)
    return found


def sides(facts: MapFacts) -> Iterator[Finding]:
    """Shoulders and side strips lie beside a road, and end in a road border (vm-01-15, vm-01-17)."""
    by_way = _by_border(facts)
    for lanelet in facts.lanelets.values():
        rule = SIDE.get(lanelet.subtype)
        if rule is None:
            continue
        beside = {
            way: [other for other in by_way[way] if other.id != lanelet.id]
            for way in (lanelet.left, lanelet.right)
        }
        taken = [others for others in beside.values() if others]
        if not taken:
            yield facts.found(
                rule + "1", "error", "relation", lanelet.id,
                "It lies beside no other lanelet.", "隣り合うレーンレットがありません。",
            )  # fmt: skip
        elif len(taken) == 1 and all(other.subtype != "road" for other in taken[0]):
            yield facts.found(
                rule + "2", "error", "relation", lanelet.id,
                "The lanelet beside it is no road.", "隣のレーンレットが車道(road)ではありません。",
            )  # fmt: skip
        for way, others in beside.items():
            if taken and not others and facts.kind(way) != "road_border":
                yield facts.found(
                    rule + "3", "error", "way", way,
                    "The outer border has to be of type road_border.",
                    "外側の境界線の種類は、road_borderにしてください。",
                )  # fmt: skip


def walkways(facts: MapFacts) -> Iterator[Finding]:
    """A walkway crosses a road, and goes on for three metres on both sides of it (vm-01-19)."""
    for lanelet in facts.lanelets.values():
        if lanelet.subtype != "walkway":
            continue
        crossed = [other for other in facts.conflicts(lanelet) if other.subtype in _ROADS]
        if not crossed:
            yield facts.found(
                WALKWAY + "1", "error", "relation", lanelet.id,
                "The walkway crosses no road lanelet.", "車道と交差していない歩行者通路です。",
            )  # fmt: skip
        for road in crossed:
            common = lanelet.shape.intersection(road.shape)
            beyond_m = min(
                shapely.LineString([lanelet.left_xyz[i, :2], lanelet.right_xyz[i, :2]]).distance(common)
                for i in (0, -1)
            )
            if beyond_m < _BEYOND_M:
                yield facts.found(
                    WALKWAY + "2", "error", "relation", lanelet.id,
                    f"The walkway goes {beyond_m:.1f} m beyond road lanelet {road.id}; 3 m are needed.",
                    f"車道{road.id}の外に{beyond_m:.1f} mしか出ていません(3 m必要)。",
                )  # fmt: skip


def connections(facts: MapFacts) -> Iterator[Finding]:
    """Lanelets beside and behind each other are of kinds that go together (vm-01-20, -21, vm-03-05)."""
    for sharing in _by_border(facts).values():
        for lanelet, other in combinations(sharing, 2):
            if {lanelet.subtype, other.subtype} <= _VEHICLES:
                continue
            yield facts.found(
                "vm-01-20:Lane.LateralSubtypeConnection-001", "error", "relation", lanelet.id,
                f"A {lanelet.subtype} shares a border with lanelet {other.id}, a {other.subtype}.",
                f"{lanelet.subtype}が、隣の{other.subtype}(レーンレット{other.id})と境界線を共有しています。",
            )  # fmt: skip
    for lanelet in facts.lanelets.values():
        for name in lanelet.beside.successors:
            yield from _onwards(facts, lanelet, facts.lanelets[name])


def _onwards(facts: MapFacts, lanelet: Lanelet, after: Lanelet) -> Iterator[Finding]:
    rule = "vm-01-21:Lane.LongitudinalSubtypeConnection-00"
    if lanelet.subtype in ("crosswalk", "walkway"):
        yield facts.found(
            rule + "1", "error", "relation", lanelet.id,
            f"A {lanelet.subtype} has no successor; here lanelet {after.id} follows.",
            f"{lanelet.subtype}の後にレーンレット{after.id}を接続することはできません。",
        )  # fmt: skip
    elif lanelet.subtype != after.subtype:
        yield facts.found(
            rule + "2", "error", "relation", lanelet.id,
            f"Lanelet {after.id} follows and is of another subtype ({after.subtype or '?'}).",
            f"後に続くレーンレット{after.id}の種別({after.subtype or '?'})が異なります。",
        )  # fmt: skip
    area = lanelet.tags.get("intersection_area")
    if area is not None and area == after.tags.get("intersection_area"):
        yield facts.found(
            "vm-03-05:Intersection.LaneletDivision-001", "error", "relation", lanelet.id,
            f"The way through intersection {area} is divided; lanelet {after.id} goes on with it.",
            f"交差点{area}の中でレーンレットが分割されています(次は{after.id})。",
        )  # fmt: skip


RULES: Final = (border_sharing, centre_lines, sides, walkways, connections)
