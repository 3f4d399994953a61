"""What a lane element says beside its shape: type, speed, height, road marks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from lxml import etree
from numpy.typing import NDArray

from geoshare.model.roads import Road
from geoshare.sources.opendrive import words
from geoshare.sources.opendrive.xml import BrokenError, number, word

Array = NDArray[np.float64]
_STRAIGHT_DEG = 30.0
_PARTICIPANTS = {
    "biking": ["bicycle"],
    "sidewalk": ["pedestrian"],
    "walking": ["pedestrian"],
    "bus": ["vehicle_bus"],
    "taxi": ["vehicle_taxi"],
    "tram": ["train"],
    "rail": ["train"],
}


def lane_tags(element: etree._Element, travel: int, road_limit_kmh: float | None) -> dict[str, Any]:
    """Properties that a lane element states itself; a limit of the road's holds where it has none."""
    kind = words.lane_type(element)
    speeds = [words.speed_kmh(item) for item in element.iterfind("speed")]
    driven = word(element, "type") in words.DRIVEN
    out: dict[str, Any] = {
        "type": kind,
        "speed_limit_kmh": speeds[0] if speeds else road_limit_kmh if driven else None,
        "one_way": travel != 0 if driven else None,
        "participants": _PARTICIPANTS.get(kind or "", ["vehicle"] if driven else None),
    }
    if kind is None and word(element, "type"):
        out["extra"] = {"type": word(element, "type")}
    return out


def raised_m(element: etree._Element, ds: Array) -> Array | None:
    """Height (m,) of a lane's middle over the road surface, where it is raised at all."""
    rows = []
    for item in element.iterfind("height"):
        try:
            rows.append([number(item, name, 0.0) for name in ("sOffset", "inner", "outer")])
        except BrokenError:
            continue
    rows.sort()
    if not rows or not any(inner or outer for _, inner, outer in rows):
        return None
    table = np.array(rows)
    place = np.searchsorted(table[:, 0], ds, side="right") - 1
    middle = table[:, 1:].mean(axis=1)
    return np.where(place >= 0, middle[np.maximum(place, 0)], 0.0)


def turn(road: Road, travel: int) -> str:
    """Where a road through a junction leads: straight on, left or right."""
    _, heading = road.plan.at(np.array([0.0, road.length]))
    change = math.degrees(float(heading[1] - heading[0]))
    change = (change + 180.0) % 360.0 - 180.0
    if abs(change) <= _STRAIGHT_DEG:
        return "straight"
    return "left" if (change > 0) == (travel >= 0) else "right"


class Marks:
    """Road marks as the types of boundaries; counts those that had to be joined."""

    def __init__(self) -> None:
        self.joined = 0

    def tags(self, lane: etree._Element | None, number_: int, length_m: float) -> dict[str, Any]:
        """Properties of the outer boundary of a lane; of several marks the longest one's."""
        found = []
        for item in () if lane is None else lane.iterfind("roadMark"):
            try:
                found.append((number(item, "sOffset", 0.0), item))
            except BrokenError:
                continue
        if not found:
            return {"type": "virtual"}
        found.sort(key=lambda pair: pair[0])
        ends = [start for start, _ in found[1:]] + [length_m]
        spans = [end - start for (start, _), end in zip(found, ends, strict=True)]
        item = found[int(np.argmax(spans))][1]
        said = {(word(each, "type"), word(each, "color")) for _, each in found}
        self.joined += len(said) > 1
        kind, subtype = words.mark(word(item, "type"), word(item, "weight"), number_)
        colour = word(item, "color")
        return {
            "type": kind,
            "subtype": subtype,
            "color": None if kind == "virtual" else words.COLOURS.get(colour, colour) or None,
            "width_m": _positive(item, "width"),
            "height_m": _positive(item, "height"),
            "lane_change": words.LANE_CHANGES.get(word(item, "laneChange")),
        }


def _positive(item: etree._Element, name: str) -> float | None:
    try:
        value = number(item, name)
    except BrokenError:
        return None
    return value if value > 0 else None
