"""The validators of Lanelet2 itself, under its own names, and what else makes a map unusable.

Duplicate ids, missing members and lines that cross themselves are not among Lanelet2's validators,
because its loader refuses them or they cannot be said in its data model; they are ours.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, Final

import numpy as np
import shapely

from geoshare.model.findings import Finding
from geoshare.model.lanelet2 import FALSE, TRUE
from geoshare.sources.lanelet2.elements import Element
from geoshare.sources.lanelet2.rules.facts import Array, MapFacts

BOOL: Final = "lanelet2:mapping.bool_tags"
CURVATURE: Final = "lanelet2:mapping.curvature_too_big"
DUPLICATED: Final = "lanelet2:mapping.duplicated_points"
MANDATORY: Final = "lanelet2:mapping.mandatory_tags"
CLOSE: Final = "lanelet2:mapping.points_too_close"
UNKNOWN: Final = "lanelet2:mapping.unknown_tags"
VALUE: Final = "lanelet2:mapping.unknown_tag_value"
GRAPH: Final = "lanelet2:routing.graph_is_valid"
TWICE: Final = "geoshare:lanelet2.duplicate_id"
MISSING: Final = "geoshare:lanelet2.member_missing"
CROSSES: Final = "geoshare:lanelet2.self_crossing_line"
BORDERS: Final = "geoshare:lanelet2.borders_cross"
_TRUTHS: Final = ("one_way", "temporary", "dynamic", "fallback", "lane_change", "area")
_CLOSE_M: Final = 0.05
_TIGHTEST_PER_M: Final = 0.5
_LANELET_TAGS: Final = frozenset(
    [
        *(
            "type",
            "subtype",
            "location",
            "one_way",
            "speed_limit",
            "region",
            "road_name",
            "road_surface",
        ),
        *(
            "name",
            "turn_direction",
            "intersection_area",
            "turn_signal_distance",
            "lane_change",
            "width",
        ),
        *("safety_slow_down_speed", "safety_slow_down_distance", "dynamic"),
    ]
)
_SUBTYPES: Final = frozenset(
    [
        *("road", "highway", "play_street", "emergency_lane", "bus_lane", "bicycle_lane", "exit"),
        *("walkway", "shared_walkway", "crosswalk", "stairs", "private", "road_shoulder"),
        *("pedestrian_lane", "freespace", "vegetation", "keepout", "building", "parking"),
        "traffic_island",
    ]
)
_LOCATIONS: Final = frozenset(["urban", "nonurban", "private"])


def bool_tags(facts: MapFacts) -> Iterator[Finding]:
    """Tags that are yes or no say one of both."""
    for kind, items in (("way", facts.elements.ways), ("relation", facts.elements.relations)):
        for item in items.values():
            for key, value in item.tags.items():
                asked = key in _TRUTHS or key.startswith("participant:")
                if asked and value.strip().lower() not in TRUE | FALSE:
                    yield facts.found(
                        BOOL,
                        "warning",
                        kind,
                        item.id,
                        f"Tag {key} is '{value[:40]}'; it can be yes or no.",
                        f"タグ{key}の値「{value[:40]}」は、yesかnoにしてください。",
                    )


def mandatory_tags(facts: MapFacts) -> Iterator[Finding]:
    """Lanelets, regulatory elements and areas have a subtype; bounding lines a type."""
    bounding = {name for item in facts.lanelets.values() for name in (item.left, item.right)}
    for relation in facts.elements.relations.values():
        if relation.tags.get("type") in ("lanelet", "regulatory_element") and not relation.tags.get(
            "subtype"
        ):
            yield _lacks(facts, "relation", relation.id, "subtype")
    for name in sorted(bounding):
        if not facts.kind(name):
            yield _lacks(facts, "way", name, "type")


def _lacks(facts: MapFacts, kind: str, key: str, tag: str) -> Finding:
    return facts.found(
        MANDATORY, "warning", kind, key, f"Tag {tag} is missing.", f"タグ{tag}がありません。"
    )


def unknown_tags(facts: MapFacts) -> Iterator[Finding]:
    """Tags and values of lanelets that the format does not know."""
    for item in facts.relations("lanelet"):
        odd = sorted(
            key
            for key in item.tags
            if key not in _LANELET_TAGS and not key.startswith(("participant:", "speed_limit:"))
        )
        if odd:
            yield facts.found(
                UNKNOWN,
                "info",
                "relation",
                item.id,
                f"Tags that the format does not know: {', '.join(odd)[:120]}.",
                f"形式にないタグ: {', '.join(odd)[:120]}",
            )
        for key, known in (("subtype", _SUBTYPES), ("location", _LOCATIONS)):
            value = item.tags.get(key)
            if value and value not in known:
                yield facts.found(
                    VALUE,
                    "warning",
                    "relation",
                    item.id,
                    f"Tag {key} has the value '{value[:40]}', which the format does not know.",
                    f"タグ{key}の値「{value[:40]}」は形式にありません。",
                )


def duplicated_points(facts: MapFacts) -> Iterator[Finding]:
    """No line has the same node twice in a row."""
    for way in facts.elements.ways.values():
        for before, after in zip(way.nodes, way.nodes[1:], strict=False):
            if before == after:
                yield facts.found(
                    DUPLICATED,
                    "error",
                    "way",
                    way.id,
                    f"Node {after} stands twice in a row.",
                    f"点{after}が連続して2回使われています。",
                )
                break


def points_too_close(facts: MapFacts) -> Iterator[Finding]:
    """Nodes closer than 5 cm to another are probably one node."""
    finite = np.flatnonzero(np.isfinite(facts.xyz[:, :2]).all(axis=1))
    if len(finite) < 2:
        return
    names = list(facts.elements.node_index)
    points: Any = shapely.points(facts.xyz[finite, :2])
    first, second = shapely.STRtree(points).query(points, predicate="dwithin", distance=_CLOSE_M)
    apart_m = np.abs(facts.xyz[finite[first], 2] - facts.xyz[finite[second], 2])
    for one, two in zip(first[apart_m < _CLOSE_M], second[apart_m < _CLOSE_M], strict=True):
        if one < two:
            yield facts.found(
                CLOSE,
                "warning",
                "node",
                names[finite[one]],
                f"Node {names[finite[two]]} is less than 5 cm away; lines that meet share a node.",
                f"点{names[finite[two]]}との距離が5 cm未満です。接する線では点を共有してください。",
            )


def curvature(facts: MapFacts) -> Iterator[Finding]:
    """No border of a driven lanelet bends more tightly than with a radius of two metres."""
    for lanelet in facts.lanelets.values():
        if not facts.driven(lanelet):
            continue
        for way, line in ((lanelet.left, lanelet.left_xyz), (lanelet.right, lanelet.right_xyz)):
            if _tightest(line) > _TIGHTEST_PER_M:
                yield facts.found(
                    CURVATURE,
                    "warning",
                    "way",
                    way,
                    "The border bends with a radius of less than two metres.",
                    "境界線の曲線半径が2 m未満です。",
                )


def _tightest(line: Array) -> float:
    """The largest curvature (1/m) through three vertices in a row."""
    a, b, c = line[:-2, :2], line[1:-1, :2], line[2:, :2]
    if not len(a):
        return 0.0
    ab, bc, ac = b - a, c - b, c - a
    cross = np.abs(ab[:, 0] * bc[:, 1] - ab[:, 1] * bc[:, 0])
    lengths = np.hypot(*ab.T) * np.hypot(*bc.T) * np.hypot(*ac.T)
    return float(np.divide(2 * cross, lengths, out=np.zeros_like(cross), where=lengths > 1e-9).max())


def graph(facts: MapFacts) -> Iterator[Finding]:
    """A lanelet is not its own neighbour, and its borders are two."""
    for item in facts.relations("lanelet"):
        sides = [[member.ref for member in item.first(side)] for side in ("left", "right")]
        if sides[0] and sides[0] == sides[1]:
            yield facts.found(
                GRAPH,
                "error",
                "relation",
                item.id,
                "Both borders of the lanelet are the same line.",
                "左右の境界が同じ線です。",
            )


def duplicate_ids(facts: MapFacts) -> Iterator[Finding]:
    """Every id is used once."""
    for kind, key in facts.elements.twice:
        yield facts.found(
            TWICE,
            "error",
            kind,
            key,
            f"Two {kind}s have the id {key}; the last one counts.",
            f"id {key}が複数回使われています。最後のものを使います。",
        )


def missing_members(facts: MapFacts) -> Iterator[Finding]:
    """What ways and relations name is in the file."""
    elements = facts.elements
    known: dict[str, Container[str]] = {
        "node": elements.node_index,
        "way": elements.ways,
        "relation": elements.relations,
    }
    for way in elements.ways.values():
        gone = [node for node in way.nodes if node not in elements.node_index]
        if gone:
            yield _missing(facts, "way", way, "node", gone)
    for relation in elements.relations.values():
        for kind, there in known.items():
            gone = [m.ref for m in relation.members if m.type == kind and m.ref not in there]
            if gone:
                yield _missing(facts, "relation", relation, kind, gone)


def _missing(facts: MapFacts, kind: str, item: Element, what: str, gone: list[str]) -> Finding:
    names = ", ".join(gone[:5])
    return facts.found(
        MISSING,
        "error",
        kind,
        item.id,
        f"It names {len(gone)} {what}(s) that are not in the file: {names}.",
        f"ファイルにない{what}を{len(gone)}件参照しています: {names}",
    )


def self_crossing(facts: MapFacts) -> Iterator[Finding]:
    """Lines do not cross themselves, and the borders of a lanelet do not cross each other."""
    for way in facts.elements.ways.values():
        line = facts.line(way.id)
        if line is None or len(line) < 4:
            continue
        if not shapely.LineString(line[:, :2]).is_simple:
            yield facts.found(
                CROSSES,
                "error",
                "way",
                way.id,
                "The line crosses or touches itself.",
                "線が自分自身と交差または接触しています。",
            )
    for lanelet in facts.lanelets.values():
        left, right = (
            shapely.LineString(line[:, :2]) for line in (lanelet.left_xyz, lanelet.right_xyz)
        )
        if left.crosses(right):
            yield facts.found(
                BORDERS,
                "error",
                "relation",
                lanelet.id,
                "The left and the right border cross.",
                "左右の境界線が交差しています。",
            )


RULES: Final = (
    bool_tags,
    mandatory_tags,
    unknown_tags,
    duplicated_points,
    points_too_close,
    curvature,
    graph,
    duplicate_ids,
    missing_members,
    self_crossing,
)
