"""Rules and things beside fitted roads, as signals and objects by station and distance."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyproj
import shapely
from lxml import etree

from geoshare.extracts.opendrive.fit import Ruler
from geoshare.extracts.opendrive.frame import OutFrame
from geoshare.extracts.opendrive.furniture import put_spans
from geoshare.extracts.opendrive.model import Losses, OutLane, OutRoad
from geoshare.extracts.opendrive.xml import add, put_after
from geoshare.extracts.road_rows import MapRows, Row

_SIGNALS: Final = ("traffic_light", "traffic_sign", "speed_limit")
_OBJECTS: Final = {
    "pole": "pole",
    "street_lamp": "streetLamp",
    "tree": "tree",
    "vegetation": "vegetation",
    "building": "building",
    "crosswalk": "crosswalk",
    "parking_space": "parkingSpace",
    "symbol": "roadMark",
    "stop_line": "roadMark",
    "arrow": "roadMark",
}
_WIDEST_M: Final = 50.0
_CODE: Final = re.compile(r"(opendrive|[a-z]{2,3})([0-9].*)")
_GEOD: Final = pyproj.Geod(ellps="WGS84")


def place_rules(roads: Mapping[str, OutRoad], rows: MapRows, frame: OutFrame, losses: Losses) -> None:
    """Put signals where rules of fitted lanes have their place, and objects beside the nearest road."""
    if not roads:
        return
    lanes = {lane.feature: lane for road in roads.values() for lane in road.lanes}
    shelf = _Shelf(roads)
    placed: set[str] = set()
    for row in rows["regulatory_elements"].values():
        meant = [lanes[key] for key in row.list("lane_ids") if key in lanes]
        if row.object("opendrive") or (row.list("lane_ids") and not meant):
            continue
        kind = row.text("subtype") or ""
        if kind not in _SIGNALS or row.geometry is None:
            losses.dropped[f"rule {kind}"] += 1
            continue
        standing = [rows["roadside_features"].get(key) for key in row.list("refers_ids")]
        signs = [sign for sign in standing if sign is not None and sign.geometry is not None]
        losses.approximated["rules with several signals"] += len(signs) > 1
        for number, sign in enumerate(signs or [row]):
            name = row.id if number == 0 else sign.id
            if _signal(_Sign(name, row, sign), meant, shelf, frame):
                placed.add(sign.id)
            else:
                losses.dropped[f"rule {kind}"] += 1
    for row in rows["roadside_features"].values():
        if row.object("opendrive") or row.id in placed:
            continue
        wanted = _OBJECTS.get(row.text("class") or "")
        if wanted is None or row.geometry is None or not _object(row, wanted, shelf, frame):
            losses.dropped[f"feature {row.text('class') or ''}"] += 1


@dataclass(frozen=True)
class _Sign:
    """One signal to be: its id, its rule, and what stands there (the rule, where that is all)."""

    id: str
    rule: Row
    standing: Row

    @property
    def is_light(self) -> bool:
        """Whether it changes."""
        return self.rule.text("subtype") == "traffic_light"

    def codes(self) -> dict[str, str]:
        """Country, type and subtype, as the sign's own number says them."""
        code = _CODE.fullmatch(self.standing.text("subtype") or "")
        if code is not None and self.standing is not self.rule:
            kind, _, subtype = code.group(2).partition("-")
            country = "OpenDRIVE" if code.group(1) == "opendrive" else code.group(1).upper()
            return {"type": kind, "subtype": subtype or "-1", "country": country}
        limited = self.rule.number("speed_limit_kmh") is not None
        kind = "1000001" if self.is_light else "274" if limited else "-1"
        return {"type": kind, "subtype": "-1", "country": "OpenDRIVE"}


class _Shelf:
    """Reference lines of fitted roads, to find stations on."""

    def __init__(self, roads: Mapping[str, OutRoad]) -> None:
        self._roads = [road for road in roads.values() if road.fitted is not None]
        self._rulers: dict[str, Ruler] = {}
        lines = [
            shapely.LineString(road.fitted.plan.at(np.linspace(0, road.fitted.length, 50))[0])
            for road in self._roads
            if road.fitted is not None
        ]
        self._tree = shapely.STRtree(lines)

    def nearest(self, xyz: np.ndarray) -> OutRoad | None:
        """The road within reach that lies nearest."""
        found = self._tree.query_nearest(shapely.Point(xyz[:2]), max_distance=_WIDEST_M)
        return self._roads[int(found[0])] if len(found) else None

    def measure(self, road: OutRoad, xyz: np.ndarray) -> tuple[float, float, float]:
        """Station, distance to the left, and height over the road of a place."""
        if road.fitted is None:
            raise ValueError("a kept road has no fitted line")
        ruler = self._rulers.setdefault(road.id, Ruler(road.fitted.plan))
        found = ruler.measure(xyz[None])
        s = float(np.clip(found.s[0], 0.0, road.fitted.length))
        surface, _ = road.fitted.place(np.array([s]), found.t[:1])
        up = float(xyz[2] - surface[0, 2])
        return s, float(found.t[0]), up if np.isfinite(up) else 0.0


def _middle(row: Row, frame: OutFrame) -> np.ndarray:
    places = shapely.get_coordinates(row.geometry, include_z=True)
    middle: np.ndarray = frame.apply(places).mean(axis=0)
    return middle


def _signal(sign: _Sign, lanes: list[OutLane], shelf: _Shelf, frame: OutFrame) -> bool:
    """Put a signal beside the road of its lanes; one for no lane beside the nearest road."""
    middle = _middle(sign.standing, frame)
    road = lanes[0].road if lanes else shelf.nearest(middle)
    if road is None:
        return False
    s, t, up = shelf.measure(road, middle)
    signals = road.element.find("signals")
    if signals is None:
        behind = "lanes" if road.element.find("objects") is None else "objects"
        signals = put_after(road.element, behind, "signals")
    item = etree.Element("signal")
    orientation, turned = _facing(sign.standing, road, s, lanes, frame)
    said: dict[str, object] = {
        "s": s,
        "t": t,
        "id": sign.id,
        "name": "",
        "dynamic": "yes" if sign.is_light else "no",
        "orientation": orientation,
        "zOffset": up,
        **sign.codes(),
    }
    if turned:
        said["hOffset"] = turned
    height = sign.standing.number("height_m")
    if height:
        said["height"] = height
    limit = sign.rule.number("speed_limit_kmh")
    if limit and not sign.is_light:
        said |= {"value": limit, "unit": "km/h"}
    for name, value in said.items():
        item.set(name, repr(value) if isinstance(value, float) else str(value))
    put_spans(item, [lane.id for lane in lanes if lane.road is road])
    places = [place for place, other in enumerate(signals) if other.tag == "signal"]
    signals.insert(len(places), item)
    for other in {lane.road.id: lane.road for lane in lanes if lane.road is not road}.values():
        group = other.element.find("signals")
        group = put_after(other.element, "lanes", "signals") if group is None else group
        reference = add(group, "signalReference", s=0.0, t=0.0, id=sign.id, orientation="+")
        put_spans(reference, [lane.id for lane in lanes if lane.road is other])
    return True


def _facing(
    row: Row, road: OutRoad, s: float, lanes: list[OutLane], frame: OutFrame
) -> tuple[str, float]:
    """For which way of traffic a signal stands, and how far it is turned from it, in radians."""
    bearing = row.number("orientation_deg")
    if bearing is None or row.geometry is None or road.fitted is None:
        return ("-" if lanes and lanes[0].travel < 0 else "+"), 0.0
    place = shapely.get_coordinates(row.geometry, include_z=True)[:1]
    lon, lat, _ = _GEOD.fwd(place[0, 0], place[0, 1], bearing, 1.0)
    ends = frame.apply(np.vstack([place, [[lon, lat, place[0, 2]]]]))
    step = ends[1] - ends[0]
    _, heading = road.fitted.plan.at(np.array([s]))
    away = _within_pi(math.atan2(step[1], step[0]) - float(heading[0]))
    if abs(away) <= math.pi / 2:
        return "-", round(away, 6)
    return "+", round(_within_pi(away - math.pi), 6)


def _within_pi(angle: float) -> float:
    return (angle + math.pi) % (2 * math.pi) - math.pi


def _object(row: Row, kind: str, shelf: _Shelf, frame: OutFrame) -> bool:
    middle = _middle(row, frame)
    road = shelf.nearest(middle)
    if road is None:
        return False
    s, t, up = shelf.measure(road, middle)
    objects = road.element.find("objects")
    objects = put_after(road.element, "lanes", "objects") if objects is None else objects
    add(
        objects,
        "object",
        id=row.id,
        name="",
        type=kind,
        subtype=row.text("class") if kind == "roadMark" else None,
        s=s,
        t=t,
        zOffset=up,
        hdg=0.0,
        pitch=0.0,
        roll=0.0,
        orientation="none",
        height=row.number("height_m") or None,
    )
    return True
