"""Autoware's requirements (vm-*) on areas, and on lanelets within intersections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import shapely

from geoshare.model.findings import Finding
from geoshare.model.lanelet2 import number
from geoshare.sources.lanelet2.elements import Element
from geoshare.sources.lanelet2.rules.facts import Lanelet, MapFacts

BUFFER: Final = "vm-06-01:Area.BufferZoneValidity-00"
VALID: Final = "vm-03-08:Intersection.IntersectionAreaValidity-001"
SEGMENT: Final = "vm-03-08:Intersection.IntersectionAreaSegmentType-001"
TURN: Final = "vm-03-02:Intersection.TurnDirectionTagging-00"
BORDER: Final = "vm-03-02:Intersection.LaneletBorderType-001"
DANGLING: Final = "vm-03-01:Intersection.IntersectionAreaDanglingReference-001"
TAGGING: Final = "vm-03-01:Intersection.IntersectionAreaTagging-00"
SIGNAL: Final = "vm-03-02:Intersection.TurnSignalDistanceOverlap-001"
LIGHTS: Final = "vm-03-10:Intersection.RightOfWayWithTrafficLights-00"
NO_LIGHTS: Final = "vm-03-11:Intersection.RightOfWayWithoutTrafficLights-00"
VIRTUAL: Final = "vm-03-17:Intersection.RightOfWayForVirtualTrafficLights-00"
_TURNS: Final = frozenset(["left", "straight", "right"])
_SIGNAL_M: Final = 15.0
_OVERLAP: Final = 0.01
_SLACK_M: Final = 0.01


def buffer_zones(facts: MapFacts) -> Iterator[Finding]:
    """Hatched areas are simple, share their nodes with lanelets, and overlap none (vm-06-01)."""
    shared = {
        node
        for item in facts.lanelets.values()
        for way in (item.left, item.right)
        for node in facts.elements.ways[way].nodes
    }
    for way in facts.ways("hatched_road_markings"):
        loose = [node for node in way.nodes if node not in shared]
        if loose:
            yield _about(
                facts, BUFFER + "1", way,
                f"Nodes that belong to no lanelet's border: {', '.join(loose[:5])}.",
                f"レーンレットの境界と共有していない点があります: {', '.join(loose[:5])}",
            )  # fmt: skip
        shape = facts.area(way.id)
        if shape is None:
            continue
        if not shape.is_valid:
            yield _about(
                facts, BUFFER + "2", way, f"Not a simple area: {shapely.is_valid_reason(shape)[:80]}.",
                "ゼブラゾーンの形が不正です(自己交差など)。",
            )  # fmt: skip
            continue
        for lanelet in facts.near(shape):
            if lanelet.subtype not in ("road", "road_shoulder") or not lanelet.shape.is_valid:
                continue
            share = lanelet.shape.intersection(shape).area / max(shape.area, 1e-9)
            if share > _OVERLAP:
                yield _about(
                    facts, BUFFER + "3", way, f"It overlaps lanelet {lanelet.id} by {share:.0%}.",
                    f"レーンレット{lanelet.id}と{share:.0%}重なっています。",
                )  # fmt: skip


def _about(facts: MapFacts, rule: str, way: Element, en: str, ja: str) -> Finding:
    return facts.found(rule, "error", "way", way.id, en, ja)


def intersections(facts: MapFacts) -> Iterator[Finding]:
    """Intersection areas are simple, follow edges of lanelets, and what lies inside says so."""
    ends = {
        facts.elements.ways[way].nodes[index]
        for item in facts.lanelets.values()
        if item.subtype == "road"
        for way in (item.left, item.right)
        for index in (0, -1)
    }
    rim = {node for way in facts.ways("road_border") for node in way.nodes} | ends
    for way in facts.ways("intersection_area"):
        shape = facts.area(way.id)
        if shape is None or not shape.is_valid:
            reason = "" if shape is None else shapely.is_valid_reason(shape)[:80]
            yield _about(
                facts, VALID, way, f"The intersection area is not simple: {reason}.",
                "交差点領域の形が不正です(自己交差など)。",
            )  # fmt: skip
            continue
        loose = [node for node in dict.fromkeys(way.nodes) if node not in rim]
        if loose:
            yield _about(
                facts, SEGMENT, way,
                f"Nodes on no end of a road lanelet and on no road border: {', '.join(loose[:5])}.",
                f"車道の端にも道路境界にもない点があります: {', '.join(loose[:5])}",
            )  # fmt: skip
        roomy = shape.buffer(_SLACK_M)
        for lanelet in facts.near(shape):
            if lanelet.subtype == "road" and roomy.covers(lanelet.shape):
                yield from _inside(facts, way.id, lanelet)


def _inside(facts: MapFacts, area: str, lanelet: Lanelet) -> Iterator[Finding]:
    turn, said = lanelet.tags.get("turn_direction"), lanelet.tags.get("intersection_area")
    if turn not in _TURNS:
        yield facts.found(
            TURN + ("1" if turn is None else "2"), "error", "relation", lanelet.id,
            "A lanelet within an intersection turns left, straight or right (turn_direction).",
            "交差点内のレーンレットには、turn_direction=left・straight・rightが必要です。",
        )  # fmt: skip
    if said != area:
        yield facts.found(
            TAGGING + ("1" if said is None else "2"), "error", "relation", lanelet.id,
            f"The lanelet lies within intersection area {area} and does not name it.",
            f"交差点領域{area}の中にあるのに、intersection_areaが一致しません。",
        )  # fmt: skip


def references(facts: MapFacts) -> Iterator[Finding]:
    """Lanelets that name an intersection area lie within it, between virtual lines (vm-03-01, -02)."""
    for lanelet in facts.lanelets.values():
        said = lanelet.tags.get("intersection_area")
        if said is None:
            continue
        if facts.kind(said) != "intersection_area":
            yield facts.found(
                DANGLING, "error", "relation", lanelet.id,
                f"Intersection area {said[:40]} is not in the file.",
                f"交差点領域{said[:40]}がファイルにありません。",
            )  # fmt: skip
            continue
        shape = facts.area(said)
        if shape is not None and not shape.buffer(_SLACK_M).covers(lanelet.shape):
            yield facts.found(
                TAGGING + "3", "error", "relation", lanelet.id,
                f"The lanelet does not lie within intersection area {said}, which it names.",
                f"intersection_areaに書かれた交差点領域{said}の外にはみ出しています。",
            )  # fmt: skip
        kinds = {facts.kind(way) for way in (lanelet.left, lanelet.right)}
        if kinds - {"virtual", "road_border", ""}:
            yield facts.found(
                BORDER, "error", "relation", lanelet.id,
                "Borders within an intersection are of type virtual or road_border.",
                "交差点内の境界線の種類は、virtualかroad_borderにしてください。",
            )  # fmt: skip


def turn_signals(facts: MapFacts) -> Iterator[Finding]:
    """Nobody has to signal a turn before having made the opposite one (vm-03-02)."""
    opposite = {"left": "right", "right": "left"}
    for lanelet in facts.lanelets.values():
        turn = lanelet.tags.get("turn_direction", "")
        if turn not in opposite:
            continue
        reach_m = number(lanelet.tags.get("turn_signal_distance"))
        reach_m = _SIGNAL_M if reach_m is None else reach_m
        for other in _before(facts, lanelet, reach_m):
            if other.tags.get("turn_direction") == opposite[turn]:
                yield facts.found(
                    SIGNAL, "error", "relation", lanelet.id,
                    f"Its turn is signalled from {reach_m:g} m on, before the opposite turn of lanelet "
                    f"{other.id} is over.",
                    f"合図の開始({reach_m:g} m手前)が、逆に曲がるレーンレット{other.id}と重なります。",
                )  # fmt: skip
                break


def _before(facts: MapFacts, lanelet: Lanelet, reach_m: float) -> Iterator[Lanelet]:
    """Lanelets that end within reach before one begins, counted over their whole length."""
    waiting = [(name, 0.0) for name in lanelet.beside.predecessors]
    seen = set()
    while waiting:
        name, passed_m = waiting.pop()
        other = facts.lanelets[name]
        passed_m += other.length_m
        if name in seen or passed_m > reach_m:
            continue
        seen.add(name)
        yield other
        waiting.extend((before, passed_m) for before in other.beside.predecessors)


def right_of_way(facts: MapFacts) -> Iterator[Finding]:
    """Who turns at lights has a right_of_way element of his own (vm-03-10 to -17)."""
    with_any: dict[str, bool] = {}
    for lanelet in facts.lanelets.values():
        elements = facts.regulations(lanelet, "right_of_way")
        area = lanelet.tags.get("intersection_area")
        if area is not None:
            with_any[area] = with_any.get(area, False) or bool(elements)
        lights = bool(facts.regulations(lanelet, "traffic_light"))
        virtual = bool(facts.regulations(lanelet, "virtual_traffic_light"))
        turns = "turn_direction" in lanelet.tags
        if virtual:
            yield from _own_right(facts, lanelet, elements, VIRTUAL)
        elif lights and turns:
            yield from _own_right(facts, lanelet, elements, LIGHTS)
        elif turns or area is not None:
            for element in elements:
                yield from _roles(
                    facts,
                    lanelet,
                    element,
                    NO_LIGHTS,
                    (1, 2),
                )
                yield from _yields(facts, lanelet, element)
    for area, some in with_any.items():
        if not some:
            yield facts.found(
                NO_LIGHTS + "5", "error", "way", area,
                "No lanelet of the intersection has a right_of_way element.",
                "この交差点には、優先関係(right_of_way)の規制要素がありません。",
            )  # fmt: skip


def _own_right(
    facts: MapFacts, lanelet: Lanelet, elements: list[Element], rule: str
) -> Iterator[Finding]:
    if len(elements) != 1:
        code = "1" if not elements else "2"
        yield facts.found(
            rule + code, "error", "relation", lanelet.id,
            f"The lanelet has {len(elements)} right_of_way elements; one is needed.",
            f"優先関係(right_of_way)の規制要素が{len(elements)}個あります(1個が必要)。",
        )  # fmt: skip
        return
    yield from _roles(facts, lanelet, elements[0], rule, (3, 4))


def _roles(
    facts: MapFacts, lanelet: Lanelet, element: Element, rule: str, codes: tuple[int, int]
) -> Iterator[Finding]:
    holders = [member.ref for member in element.first("right_of_way")]
    if len(holders) != 1:
        yield facts.found(
            f"{rule}{codes[0]}", "error", "relation", element.id,
            f"{len(holders)} lanelets have the role right_of_way; one is needed.",
            f"right_of_wayの役割を持つレーンレットが{len(holders)}個あります(1個が必要)。",
        )  # fmt: skip
    elif holders[0] != lanelet.id:
        yield facts.found(
            f"{rule}{codes[1]}", "error", "relation", element.id,
            f"Lanelet {lanelet.id} names it and is not the one with the role right_of_way.",
            f"参照元のレーンレット{lanelet.id}に、right_of_wayの役割がありません。",
        )  # fmt: skip


def _yields(facts: MapFacts, lanelet: Lanelet, element: Element) -> Iterator[Finding]:
    """The lanelets that cross one's way, and no others, have to yield (vm-03-11)."""
    if [member.ref for member in element.first("right_of_way")] != [lanelet.id]:
        return
    given = {member.ref for member in element.first("yield")}
    crossing = {
        other.id
        for other in facts.conflicts(lanelet)
        if facts.driven(other)
        and _share(lanelet, other) >= _OVERLAP
        and not set(lanelet.beside.predecessors) & set(other.beside.predecessors)
    }
    for name in sorted(crossing - given):
        yield facts.found(
            NO_LIGHTS + "3", "error", "relation", element.id,
            f"Lanelet {name} crosses lanelet {lanelet.id} and is not told to yield.",
            f"レーンレット{lanelet.id}と交差する{name}に、yieldの役割がありません。",
        )  # fmt: skip
    for name in sorted(given - crossing):
        yield facts.found(
            NO_LIGHTS + "4", "warning", "relation", element.id,
            f"Lanelet {name} is told to yield and does not cross lanelet {lanelet.id}.",
            f"レーンレット{lanelet.id}と交差しない{name}に、yieldの役割があります。",
        )  # fmt: skip


def _share(first: Lanelet, second: Lanelet) -> float:
    """The overlap of two lanelets as a share of the smaller one."""
    smaller = min(first.shape.area, second.shape.area)
    return float(np.divide(first.shape.intersection(second.shape).area, max(smaller, 1e-9)))


RULES: Final = (buffer_zones, intersections, references, turn_signals, right_of_way)
