"""Autoware's requirements (vm-*) on regulatory elements: which members they have, of which types.

What each subtype needs is a row of ``NEEDS``; ids that follow no pattern stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from geoshare.model.findings import Finding, Severity
from geoshare.model.lanelet2 import TRUE
from geoshare.sources.lanelet2.elements import Element
from geoshare.sources.lanelet2.rules.facts import MapFacts


@dataclass(frozen=True, slots=True)
class Need:
    """How many members of a role a regulatory element has, and of which types they are.

    ``rule`` is for a wrong number, ``typed`` for a wrong type, ``many`` for too many where that is a
    rule of its own. ``kind`` is the tag asked (type of a way, subtype of a lanelet).
    """

    subtype: str
    role: str
    least: int
    most: int
    rule: str
    types: tuple[str, ...] = ()
    typed: str = ""
    many: str = ""
    severity: Severity = "error"
    lanelets: bool = False


_CROSS, _LIGHT = (
    "vm-05-01:Crosswalk.RegulatoryElementDetails-",
    "vm-04-01:TrafficLight.RegulatoryElementDetails-",
)
_SIGN = "vm-02-02:StopLine.RegulatoryElementDetailsForTrafficSigns-"
_VIRTUAL = "vm-03-16:Intersection.RegulatoryElementDetailsForVirtualTrafficLights-"
_DETECT, _STOP, _PARK = (
    "vm-06-05:Area.DetectionArea-",
    "vm-06-04:Area.NoStoppingArea-",
    "vm-06-02:Area.NoParkingArea-",
)
_ANY: Final = 1_000
NEEDS: Final = (
    Need("crosswalk", "refers", 1, 1, _CROSS + "001", ("crosswalk",), _CROSS + "006", _CROSS + "002",
         lanelets=True),
    Need("crosswalk", "ref_line", 1, _ANY, _CROSS + "003", severity="info"),
    Need("crosswalk", "ref_line", 0, 1, _CROSS + "009", ("stop_line",), _CROSS + "007"),
    Need("traffic_light", "refers", 1, _ANY, "autoware:TrafficLight.RegulatoryElement-refers",
         ("traffic_light",), _LIGHT + "002"),
    Need("traffic_light", "ref_line", 1, _ANY, _LIGHT + "001", ("stop_line",), _LIGHT + "003"),
    Need("traffic_light", "light_bulbs", 0, _ANY, "", ("light_bulbs",), _LIGHT + "004"),
    Need("traffic_sign", "refers", 1, _ANY, _SIGN + "001", ("traffic_sign",), _SIGN + "002"),
    Need("traffic_sign", "ref_line", 1, _ANY, _SIGN + "003", ("stop_line",), _SIGN + "004"),
    Need("virtual_traffic_light", "refers", 1, _ANY, _VIRTUAL + "005", ("intersection_coordination",),
         _VIRTUAL + "006"),
    Need("virtual_traffic_light", "ref_line", 1, 1, _VIRTUAL + "002", ("stop_line",), _VIRTUAL + "003"),
    Need("virtual_traffic_light", "start_line", 1, 1, "autoware:VirtualTrafficLight.start_line",
         ("virtual",), _VIRTUAL + "001"),
    Need("virtual_traffic_light", "end_line", 1, _ANY, "autoware:VirtualTrafficLight.end_line",
         ("virtual",), _VIRTUAL + "004"),
    Need("detection_area", "refers", 1, 1, _DETECT + "001", ("detection_area",), _DETECT + "003",
         _DETECT + "002"),
    Need("detection_area", "ref_line", 1, 1, _DETECT + "004", ("stop_line",), _DETECT + "004"),
    Need("no_stopping_area", "refers", 1, 1, _STOP + "002", ("no_stopping_area",), _STOP + "003"),
    Need("no_stopping_area", "ref_line", 0, 1, _STOP + "004", ("stop_line",), _STOP + "005"),
    Need("no_parking_area", "refers", 1, 1, _PARK + "002", ("no_parking_area",), _PARK + "003"),
)  # fmt: skip
# subtype -> rule where no lanelet names the element, rule where only others than roads do
USED_BY_ROADS: Final = {
    "detection_area": (_DETECT + "005", _DETECT + "005"),
    "no_stopping_area": (_STOP + "006", _STOP + "007"),
    "no_parking_area": (_PARK + "004", _PARK + "005"),
    "traffic_light": ("vm-04-01:TrafficLight.MissingReferrers-001",) * 2,
}
# type of a way -> rule where no regulatory element names it
REGULATED: Final = {
    "no_stopping_area": _STOP + "001",
    "no_parking_area": _PARK + "001",
    "bus_stop_area": "vm-06-06:Area.MissingRegulatoryElementsForBusStopAreas-001",
    "traffic_light": "vm-04-01:TrafficLight.MissingRegulatoryElements-001",
    "stop_line": "vm-02-02:StopLine.MissingRegulatoryElements-001",
}
# subtype -> rule and the longest diagonal of the box around all members, metres
_WIDEST: Final = {
    "crosswalk": (_CROSS + "012", 100.0, "warning"),
    "traffic_sign": (_SIGN + "005", 40.0, "warning"),
    "virtual_traffic_light": (_VIRTUAL + "007", 200.0, "error"),
}


def needs(facts: MapFacts) -> Iterator[Finding]:
    """Numbers and types of the members of regulatory elements."""
    for need in NEEDS:
        for item in facts.relations("regulatory_element", need.subtype):
            refs = [member.ref for member in item.first(need.role)]
            if need.rule and not need.least <= len(refs) <= need.most:
                rule = need.many if need.many and len(refs) > need.most else need.rule
                yield _count(facts, need, item, rule, len(refs))
            for ref in refs if need.types else ():
                if not _fits(facts, need, ref):
                    wanted = " / ".join(need.types)
                    yield facts.found(
                        need.typed,
                        need.severity,
                        "relation",
                        item.id,
                        f"Member {ref} ({need.role}) of this {need.subtype} is not of type {wanted}.",
                        f"この{need.subtype}の{need.role} {ref}は、種類{wanted}でなければなりません。",
                    )


def _fits(facts: MapFacts, need: Need, ref: str) -> bool:
    if need.lanelets:
        relation = facts.elements.relations.get(ref)
        return relation is not None and relation.tags.get("subtype") in need.types
    way = facts.elements.ways.get(ref)
    if way is None:
        return need.subtype == "traffic_light" and ref in facts.elements.relations
    if need.subtype == "traffic_sign" and need.role == "refers":
        return way.tags.get("type") == "traffic_sign" and way.tags.get("subtype") == "stop_sign"
    return way.tags.get("type") in need.types


def _count(facts: MapFacts, need: Need, item: Element, rule: str, count: int) -> Finding:
    allowed = str(need.least) if need.least == need.most else f"{need.least}+"
    allowed = f"0-{need.most}" if need.least == 0 else allowed
    return facts.found(
        rule,
        need.severity,
        "relation",
        item.id,
        f"This {need.subtype} has {count} member(s) {need.role}; {allowed} are needed.",
        f"この{need.subtype}の{need.role}は{count}個です({allowed}個が必要)。",
    )


def pedestrians(facts: MapFacts) -> Iterator[Finding]:
    """A crosswalk that a regulatory element names is for pedestrians (vm-05-01)."""
    for item in facts.relations("regulatory_element", "crosswalk"):
        for member in item.first("refers"):
            lanelet = facts.elements.relations.get(member.ref)
            if lanelet is None or lanelet.tags.get("subtype") != "crosswalk":
                continue
            said = lanelet.tags.get("participant:pedestrian")
            if said is None or said.lower() not in TRUE:
                yield facts.found(
                    _CROSS + ("010" if said is None else "011"),
                    "error",
                    "relation",
                    lanelet.id,
                    "The crosswalk has to say participant:pedestrian=yes.",
                    "横断歩道にはparticipant:pedestrian=yesが必要です。",
                )


def users(facts: MapFacts) -> Iterator[Finding]:
    """Regulatory elements are named by road lanelets."""
    for subtype, (unused, elsewhere) in USED_BY_ROADS.items():
        for item in facts.relations("regulatory_element", subtype):
            used = facts.users.get(item.id, [])
            others = [user.id for user in used if user.subtype != "road"]
            if not used or (subtype != "traffic_light" and len(others) == len(used)):
                yield facts.found(
                    elsewhere if used else unused,
                    "error",
                    "relation",
                    item.id,
                    f"No road lanelet names this {subtype}.",
                    f"この{subtype}を参照する車道のレーンレットがありません。",
                )
            elif others and subtype != "traffic_light":
                yield facts.found(
                    elsewhere,
                    "warning",
                    "relation",
                    item.id,
                    f"Lanelets that are no roads name this {subtype}, too: {', '.join(others[:5])}.",
                    f"車道以外のレーンレットも、この{subtype}を参照しています: {', '.join(others[:5])}",
                )


def regulated(facts: MapFacts) -> Iterator[Finding]:
    """Lines and areas that only mean something within a regulatory element are named by one."""
    named = {
        member.ref
        for item in facts.relations("regulatory_element")
        for member in item.members
        if member.type == "way"
    }
    for kind, rule in REGULATED.items():
        for way in facts.ways(kind):
            if way.id not in named:
                yield facts.found(
                    rule,
                    "error",
                    "way",
                    way.id,
                    f"No regulatory element names this {kind}.",
                    f"この{kind}を参照する規制要素がありません。",
                )
    crosswalks = {
        member.ref
        for item in facts.relations("regulatory_element", "crosswalk")
        for member in item.first("refers")
    }
    for lanelet in facts.relations("lanelet", "crosswalk"):
        if lanelet.id not in crosswalks:
            yield facts.found(
                "vm-05-01:Crosswalk.MissingRegulatoryElements-001",
                "error",
                "relation",
                lanelet.id,
                "No regulatory element names this crosswalk.",
                "この横断歩道を参照する規制要素がありません。",
            )


def extents(facts: MapFacts) -> Iterator[Finding]:
    """Members of a regulatory element lie near each other."""
    for subtype, (rule, most_m, severity) in _WIDEST.items():
        for item in facts.relations("regulatory_element", subtype):
            lines = [line for m in item.members for line in _lines(facts, m.type, m.ref)]
            if not lines:
                continue
            spread = np.ptp(np.vstack(lines)[:, :2], axis=0)
            if float(np.hypot(*spread)) > most_m:
                yield facts.found(
                    rule,
                    "warning" if severity == "warning" else "error",
                    "relation",
                    item.id,
                    f"Its members lie up to {np.hypot(*spread):.0f} m apart: is one of them another's?",
                    f"構成要素が最大{np.hypot(*spread):.0f} m離れています。確認してください。",
                )


def _lines(facts: MapFacts, kind: str, ref: str) -> Iterator[np.ndarray]:
    if kind == "way":
        line = facts.line(ref)
        if line is not None:
            yield line
    elif ref in facts.lanelets:
        yield from (facts.lanelets[ref].left_xyz, facts.lanelets[ref].right_xyz)


def lamps(facts: MapFacts) -> Iterator[Finding]:
    """Lamps say which traffic light they belong to, one group for each (vm-04-01)."""
    for item in facts.relations("regulatory_element", "traffic_light"):
        lights = [member.ref for member in item.first("refers")]
        groups = [facts.elements.ways.get(member.ref) for member in item.first("light_bulbs")]
        if not groups:
            continue
        owners = [None if way is None else way.tags.get("traffic_light_id") for way in groups]
        wrong = None
        if None in owners:
            wrong = "005"
        elif len(groups) != len(lights):
            wrong = "006"
        elif sorted(map(str, owners)) != sorted(lights):
            wrong = "007"
        if wrong:
            yield facts.found(
                _LIGHT + wrong,
                "error",
                "relation",
                item.id,
                "Traffic lights (refers) and groups of lamps (light_bulbs) do not make pairs.",
                "信号機(refers)と灯火(light_bulbs)が1対1に対応していません。",
            )


RULES: Final = (needs, pedestrians, users, regulated, extents, lamps)
