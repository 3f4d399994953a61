"""Signals, objects and controllers of kept roads, put back where they stood."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import shapely
from lxml import etree

from geoshare.extracts.opendrive.model import Losses, OutLane, OutRoad
from geoshare.extracts.opendrive.xml import add, parsed, put_after
from geoshare.extracts.road_rows import MapRows, Row

_NAMES: Final = (
    "driving entry exit onRamp offRamp connectingRamp slipLane bidirectional bus taxi HOV stop"
)
_DRIVEN: Final = frozenset(_NAMES.split())
Standing = dict[str, list[tuple[str, Row, etree._Element]]]
_OBJECTS: Final = ("object", "tunnel", "bridge")  # in the order of the schema
_FEATURES: Final = ("roadside_features", "structures", "areas")


def furnish(roads: dict[str, OutRoad], rows: MapRows, losses: Losses) -> list[etree._Element]:
    """Put kept signals and objects back into their roads (by feature); returns the controllers."""
    rules = _rules(rows)
    controllers: dict[str, list[str]] = {}
    for key, things in _standing(roads, rows, losses).items():
        road = roads[key]
        for tag in _OBJECTS:
            for kind, _, element in things:
                if kind == tag:
                    _group(road, "objects", "lanes").append(element)
        for kind, row, element in things:
            if kind == "signal":
                _group(road, "signals", "objects", "lanes").append(element)
                rule = rules.get(_place(row, element.get("id") or ""))
                if rule is None:
                    losses.dropped["validities of signals"] += 1
                    continue
                _validities(road, element, rule, roads, losses)
                for name in rule.object("opendrive").get("controllers") or ():
                    controllers.setdefault(str(name), []).append(element.get("id") or "")
    for road in roads.values():
        group = road.element.find("signals")
        if group is not None:  # the schema has references behind all signals
            group[:] = sorted(group, key=lambda item: item.tag == "signalReference")
    return [_controller(name, signals) for name, signals in sorted(controllers.items())]


def _controller(name: str, signals: list[str]) -> etree._Element:
    item = etree.Element("controller", {"id": name, "name": "", "sequence": "0"})
    for signal in signals:
        add(item, "control", signalId=signal, type="0")
    return item


def _standing(roads: dict[str, OutRoad], rows: MapRows, losses: Losses) -> Standing:
    """What stands on each road: its kind, feature and element."""
    found: Standing = {}
    for name in _FEATURES:
        for row in rows[name].values():
            road, kind, element = _kept(row)
            if element is not None and road in roads:
                found.setdefault(road, []).append((kind, row, element))
            elif element is not None:
                losses.dropped[f"{name} without a road"] += 1
    return found


def _kept(row: Row) -> tuple[str, str, etree._Element | None]:
    source = row.object("opendrive")
    for kind in ("signal", *_OBJECTS):
        element = parsed(source.get(kind))
        if element is not None:
            return row.text("segment_id") or "", kind, element
    return "", "", None


def _rules(rows: MapRows) -> dict[tuple[float | str, ...], Row]:
    return {
        _place(row, str(row.object("opendrive").get("signal") or "")): row
        for row in rows["regulatory_elements"].values()
    }


def _place(row: Row, signal: str) -> tuple[float | str, ...]:
    """A signal and its rule are two features at one place under one id of the map's."""
    place = [] if row.geometry is None else shapely.get_coordinates(row.geometry)[0].tolist()
    return (signal, *(round(value, 9) for value in place))


def _group(road: OutRoad, name: str, *before: str) -> etree._Element:
    found = road.element.find(name)
    if found is not None:
        return found
    behind = next((item for item in before if road.element.find(item) is not None), "lanes")
    return put_after(road.element, behind, name)


def _validities(
    road: OutRoad, signal: etree._Element, rule: Row, roads: dict[str, OutRoad], losses: Losses
) -> None:
    """Say which lanes a signal is for, where that is not simply those that face it."""
    meant = set(rule.list("lane_ids"))
    here = _at(road, float(signal.get("s") or 0.0))
    own = [lane for lane in here if lane.feature in meant]
    facing = {"+": 1, "-": -1}.get(signal.get("orientation") or "", 0)
    usual = [
        lane.feature
        for lane in here
        if lane.element.get("type") in _DRIVEN and lane.travel * facing >= 0
    ]
    if {lane.feature for lane in own} != set(usual):
        put_spans(signal, [lane.id for lane in own])
    for other in roads.values():
        for section in other.sections if other is not road else ():
            there = [lane for lane in other.lanes if lane.section == section and lane.feature in meant]
            if there:
                _refer(other, section, signal, there)
    missing = len(meant) - sum(lane.feature in meant for each in roads.values() for lane in each.lanes)
    losses.dropped["validities for lanes out of the area"] += missing


def _at(road: OutRoad, s: float) -> list[OutLane]:
    """Lanes of the road at a station."""
    starts = {
        index: float(item.get("s") or 0.0)
        for index, item in enumerate(road.element.iterfind("lanes/laneSection"))
    }
    found = []
    for side in (1, -1):
        held = {lane.section for lane in road.lanes if lane.id * side > 0}
        sections = [index for index in road.sections if index in held and starts[index] <= s]
        found += [lane for lane in road.lanes if lane.section in sections[-1:] and lane.id * side > 0]
    return found


def put_spans(element: etree._Element, ids: Iterable[int]) -> None:
    """Validities for lanes by id; runs of neighbouring ids become one. No lane at all is 0 to 0."""
    runs: list[list[int]] = []
    for number in sorted(ids):
        if runs and number - runs[-1][1] == (2 if number == 1 else 1):  # there is no lane 0
            runs[-1][1] = number
        else:
            runs.append([number, number])
    for place, (low, high) in enumerate(runs or [[0, 0]]):
        element.insert(place, etree.Element("validity", {"fromLane": str(low), "toLane": str(high)}))


def _refer(road: OutRoad, section: int, signal: etree._Element, lanes: list[OutLane]) -> None:
    item = etree.Element("signalReference")
    start = road.element.findall("lanes/laneSection")[section].get("s") or "0.0"
    way = "+" if lanes[0].travel >= 0 else "-"
    said = {"s": start, "t": "0.0", "id": signal.get("id") or "", "orientation": way}
    for name, value in said.items():
        item.set(name, value)
    put_spans(item, [lane.id for lane in lanes])
    _group(road, "signals", "objects", "lanes").append(item)
