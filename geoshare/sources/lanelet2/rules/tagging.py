"""Autoware's requirements (vm-*) on tags: of lanelets, traffic lights, lamps, crosswalks, coordinates.

Rule ids are the requirement's number and the issue code of TIER IV's validator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np

from geoshare.model.findings import Finding, Severity
from geoshare.model.lanelet2 import number
from geoshare.sources.lanelet2.rules.facts import MapFacts

_HEIGHT_M: Final = (0.2, 2.0)
_SPEED_KMH: Final = (10.0, 50.0)
_PLAIN: Final = re.compile(r"\s*\+?\d+(\.\d+)?\s*")
_AGREE_M, _AGREE = 0.2, 0.006  # metres, and share of the map's size that a sphere may be wrong by
_COLOURS: Final = frozenset(["red", "yellow", "green"])
_ARROWS: Final = frozenset(["up", "left", "right", "up_right", "up_left"])


def roads(facts: MapFacts) -> Iterator[Finding]:
    """Road lanelets are urban and one-way, in Autoware's sense of both words (vm-01-01)."""
    for item in facts.relations("lanelet", "road"):
        for code, tag, wanted in (("001", "location", "urban"), ("002", "one_way", "yes")):
            if item.tags.get(tag) != wanted:
                yield facts.found(
                    f"vm-01-01:Lane.RoadLaneletAttribute-{code}",
                    "error",
                    "relation",
                    item.id,
                    f"A road lanelet has to have {tag}={wanted}.",
                    f"車道のレーンレットには{tag}={wanted}が必要です。",
                )


def speed_limits(facts: MapFacts) -> Iterator[Finding]:
    """A stated speed limit is a positive number, within the range that Autoware expects (vm-01-09)."""
    rule = "vm-01-09:Lane.SpeedLimitValidity-00"
    for item in facts.relations("lanelet"):
        said = item.tags.get("speed_limit")
        if said is None or item.tags.get("subtype") not in ("road", "private"):
            continue
        value = number(said)
        if value is None or value <= 0.0:
            yield facts.found(
                rule + "1",
                "error",
                "relation",
                item.id,
                f"The speed limit '{said[:40]}' is no positive number.",
                f"速度制限「{said[:40]}」が正の数ではありません。",
            )
        elif not _SPEED_KMH[0] <= value <= _SPEED_KMH[1]:
            yield facts.found(
                rule + "2",
                "warning",
                "relation",
                item.id,
                f"The speed limit {value:g} km/h lies outside 10 to 50 km/h, which Autoware expects.",
                f"速度制限{value:g} km/hが、Autowareの想定範囲(10〜50 km/h)の外です。",
            )


def lane_changes(facts: MapFacts) -> Iterator[Finding]:
    """A line between two road lanelets of one direction says whether it may be crossed (vm-01-02)."""
    for lanelet in facts.lanelets.values():
        other = facts.lanelets.get(lanelet.beside.left or "")
        if lanelet.subtype != "road" or other is None or other.subtype != "road":
            continue
        said = facts.elements.ways[lanelet.left].tags.get("lane_change")
        if said in ("yes", "no"):
            continue
        yield facts.found(
            f"vm-01-02:Lane.LaneChangeAttribute-00{1 if said is None else 2}",
            "error",
            "way",
            lanelet.left,
            "The line between two lanes of one direction has to say lane_change=yes or no.",
            "同方向の車線間の線には、lane_change=yesまたはnoが必要です。",
        )


def crosswalks(facts: MapFacts) -> Iterator[Finding]:
    """Where a vehicle slows down before a crosswalk, and how much, are positive numbers (vm-05-03)."""
    for item in facts.relations("lanelet", "crosswalk"):
        for code, tag in (("001", "safety_slow_down_speed"), ("002", "safety_slow_down_distance")):
            said = item.tags.get(tag)
            if said is not None and (not _PLAIN.fullmatch(said) or float(said) <= 0.0):
                yield facts.found(
                    f"vm-05-03:Crosswalk.SafetyAttributes-{code}",
                    "error",
                    "relation",
                    item.id,
                    f"{tag}='{said[:40]}' is no positive number.",
                    f"{tag}の値「{said[:40]}」が正の数ではありません。",
                )


def traffic_lights(facts: MapFacts) -> Iterator[Finding]:
    """A traffic light has a height (vm-04-02); each lamp has a colour, and may have an arrow (-03)."""
    for way in facts.ways("traffic_light"):
        height = number(way.tags.get("height"))
        if height is None:
            yield facts.found(
                "vm-04-02:TrafficLight.BodyHeight-001",
                "error",
                "way",
                way.id,
                "The traffic light has no height.",
                "信号機に高さ(height)がありません。",
            )
        elif not _HEIGHT_M[0] <= height <= _HEIGHT_M[1]:
            yield facts.found(
                "vm-04-02:TrafficLight.BodyHeight-002",
                "error",
                "way",
                way.id,
                f"The traffic light's body is {height:g} m high; 0.2 to 2 m are allowed.",
                f"信号機本体の高さ{height:g} mが、0.2〜2 mの範囲外です。",
            )
    for way in facts.ways("light_bulbs"):
        for node in way.nodes:
            yield from _lamp(facts, node)


def _lamp(facts: MapFacts, node: str) -> Iterator[Finding]:
    tags = facts.elements.node_tags.get(node, {})
    rule = "vm-04-03:TrafficLight.LightBulbTagging-00"
    colour, arrow = tags.get("color"), tags.get("arrow")
    if colour not in _COLOURS:
        yield facts.found(
            rule + ("1" if colour is None else "2"),
            "error",
            "node",
            node,
            "A lamp has to be red, yellow or green.",
            "灯火のcolorは、red・yellow・greenのいずれかにしてください。",
        )
    if arrow is not None and arrow not in _ARROWS:
        yield facts.found(
            rule + "3",
            "error",
            "node",
            node,
            "An arrow points up, left, right, up_right or up_left.",
            "arrowは、up・left・right・up_right・up_leftのいずれかにしてください。",
        )


def local_coordinates(facts: MapFacts) -> Iterator[Finding]:
    """Where any node has local coordinates, all have both."""
    local = np.isfinite(facts.elements.local_xy)
    if not local.any():
        return
    names = list(facts.elements.node_index)
    for row in np.flatnonzero(~local.all(axis=1)).tolist():
        code: str = "1" if not local[row].any() else ("2" if local[row, 0] else "3")
        severity: Severity = "error"
        yield facts.found(
            f"autoware:Lane.LocalCoordinatesDeclaration-00{code}",
            severity,
            "node",
            names[row],
            "Other nodes have local_x and local_y, this one lacks at least one of them.",
            "他の点にはlocal_x・local_yがありますが、この点にはどちらか、または両方がありません。",
        )


def local_agrees(facts: MapFacts) -> Iterator[Finding]:
    """Local coordinates and geographic ones have the same shape: they differ by a shift and a turn."""
    local = facts.elements.local_xy
    rows = np.flatnonzero(np.isfinite(local).all(axis=1) & np.isfinite(facts.xyz[:, :2]).all(axis=1))
    geographic = np.isfinite(facts.elements.lat_lon).all(axis=1) & (facts.elements.lat_lon != 0).any(
        axis=1
    )
    rows = rows[geographic[rows]]
    if len(rows) < 3:
        return
    ours, theirs = facts.xyz[rows, :2], local[rows]
    away = np.hypot(*(theirs - _fitted(ours, theirs)).T)
    worst = int(np.argmax(away))
    span = float(np.hypot(*np.ptp(ours, axis=0)))
    if away[worst] > max(_AGREE_M, _AGREE * span):
        name = list(facts.elements.node_index)[rows[worst]]
        count = int((away > max(_AGREE_M, _AGREE * span)).sum())
        yield facts.found(
            "geoshare:lanelet2.local_coordinates_disagree",
            "warning",
            "node",
            name,
            f"local_x, local_y and latitude, longitude disagree at {count} node(s), by up to "
            f"{away[worst]:.2f} m.",
            f"local_x・local_yと緯度経度が{count}点で食い違い、最大{away[worst]:.2f} m異なります。",
        )


def _fitted(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Points (n, 2) turned, scaled and moved onto others, outliers counting for little.

    A similarity by least squares in complex numbers, of the half that fits best in a first round.
    """
    a, b = source[:, 0] + 1j * source[:, 1], target[:, 0] + 1j * target[:, 1]
    use = np.ones(len(a), bool)
    for _ in range(3):
        middle_a, middle_b = a[use].mean(), b[use].mean()
        spread = float((np.abs(a[use] - middle_a) ** 2).sum())
        turn = complex((np.conj(a[use] - middle_a) * (b[use] - middle_b)).sum() / max(spread, 1e-9))
        fitted = (a - middle_a) * turn + middle_b
        away = np.abs(fitted - b)
        use = away <= max(float(np.median(away)), 1e-6) * 1.5
    return np.column_stack([fitted.real, fitted.imag])


RULES: Final = (
    local_agrees,
    roads,
    speed_limits,
    lane_changes,
    crosswalks,
    traffic_lights,
    local_coordinates,
)
