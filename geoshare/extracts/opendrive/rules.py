"""Rules and things beside fitted roads, as signals and objects by station and distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import shapely
from lxml import etree

from geoshare.extracts.opendrive.fit import Ruler
from geoshare.extracts.opendrive.frame import OutFrame
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


def place_rules(roads: Mapping[str, OutRoad], rows: MapRows, frame: OutFrame, losses: Losses) -> None:
    """Put signals where rules of fitted lanes have their place, and objects beside the nearest road."""
    if not roads:
        return
    lanes = {lane.feature: lane for road in roads.values() for lane in road.lanes}
    shelf = _Shelf(roads)
    for row in rows["regulatory_elements"].values():
        meant = [lanes[key] for key in row.list("lane_ids") if key in lanes]
        if not meant or row.object("opendrive"):
            continue
        kind = row.text("subtype") or ""
        if kind not in _SIGNALS or row.geometry is None:
            losses.dropped[f"rule {kind}"] += 1
            continue
        _signal(row, meant, shelf, frame)
    for row in rows["roadside_features"].values():
        if row.object("opendrive"):
            continue
        wanted = _OBJECTS.get(row.text("class") or "")
        if wanted is None or row.geometry is None or not _object(row, wanted, shelf, frame):
            losses.dropped[f"feature {row.text('class') or ''}"] += 1


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


def _signal(row: Row, lanes: list[OutLane], shelf: _Shelf, frame: OutFrame) -> None:
    road = lanes[0].road
    s, t, up = shelf.measure(road, _middle(row, frame))
    limit = row.number("speed_limit_kmh")
    kind = row.text("subtype")
    signals = road.element.find("signals")
    if signals is None:
        behind = "lanes" if road.element.find("objects") is None else "objects"
        signals = put_after(road.element, behind, "signals")
    light = kind == "traffic_light"
    item = etree.Element("signal")
    said = {
        "s": s,
        "t": t,
        "id": row.id,
        "name": "",
        "dynamic": "yes" if light else "no",
        "orientation": "+",
        "zOffset": up,
        "type": "1000001" if light else "274" if limit else "-1",
        "subtype": "-1",
        "country": "OpenDRIVE",
    }
    if limit and not light:
        said |= {"value": limit, "unit": "km/h"}
    for name, value in said.items():
        item.set(name, repr(value) if isinstance(value, float) else str(value))
    own = sorted(lane.id for lane in lanes if lane.road is road)
    if len(own) < len(road.lanes):
        for number in own:
            add(item, "validity", fromLane=number, toLane=number)
    places = [place for place, other in enumerate(signals) if other.tag == "signal"]
    signals.insert(len(places), item)
    for other in {lane.road.id: lane.road for lane in lanes if lane.road is not road}.values():
        group = other.element.find("signals")
        group = put_after(other.element, "lanes", "signals") if group is None else group
        reference = add(group, "signalReference", s=0.0, t=0.0, id=row.id, orientation="+")
        for lane in lanes:
            if lane.road is other:
                add(reference, "validity", fromLane=lane.id, toLane=lane.id)


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
