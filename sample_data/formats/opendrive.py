"""Car maker B's map: OpenDRIVE 1.7 of the same streets, surveyed on its own.

B's survey lies 0.42 m east, 0.31 m south and 0.18 m above A's, with smooth noise of 4 cm on top:
what two good surveys of one street differ by. Coordinates are metres in plane rectangular system
IX with the town's origin taken off in the header.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from scipy.ndimage import gaussian_filter1d

from sample_data.town.frame import FILE_DATE, ORIGIN_PLANE, Array, random_numbers
from sample_data.town.lanes import LANE_M, Connection, LaneMap, LaneRoad, make_lanes
from sample_data.town.town import Town

OFFSET_M = np.array([0.42, -0.31, 0.18])
NOISE_M = 0.04
GEO_REFERENCE = (
    "+proj=tmerc +lat_0=36 +lon_0=139.833333333333 +k=0.9999 +x_0=0 +y_0=0 +ellps=GRS80 "
    "+towgs84=0,0,0,0,0,0,0 +units=m +vunits=m +no_defs"
)
FIRST_CONNECTION = 1000
FIRST_JUNCTION = 9000


@dataclass(frozen=True)
class Arc:
    """One cubic of the reference line in its own frame (u along its start, v to the left)."""

    s: float
    x: float
    y: float
    heading: float
    length: float
    u: Array  # a, b, c, d of a parameter from 0 to 1
    v: Array


def write_opendrive(town: Town, path: Path) -> None:
    """Write the map."""
    lanes = make_lanes(town.streets, town.terrain)
    root = ET.Element("OpenDRIVE")
    _header(root, lanes)
    for road in lanes.roads.values():
        _road(root, road, lanes)
    for item in lanes.connections:
        _connecting_road(root, item, lanes)
    for number, key in enumerate(lanes.junctions):
        _junction(root, number, key, lanes)
    ET.indent(root, " ")
    path.write_bytes(b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "utf-8") + b"\n")


def _header(root: ET.Element, lanes: LaneMap) -> None:
    xy = np.vstack([road.xyz[:, :2] for road in lanes.roads.values()])
    (west, south), (east, north) = xy.min(axis=0) - 20, xy.max(axis=0) + 20
    header = ET.SubElement(
        root,
        "header",
        revMajor="1",
        revMinor="7",
        name="Shiomi",
        version="3.2",
        date=FILE_DATE.isoformat(),
        north=f"{north:.1f}",
        south=f"{south:.1f}",
        east=f"{east:.1f}",
        west=f"{west:.1f}",
        vendor="Car maker B",
    )
    ET.SubElement(header, "geoReference").text = GEO_REFERENCE
    x, y = ORIGIN_PLANE
    ET.SubElement(header, "offset", x=f"{x:.1f}", y=f"{y:.1f}", z="0.0", hdg="0.0")


def survey(name: str, xyz: Array) -> Array:
    """A line of A's model as B measured it: moved by B's offset, with smooth noise between fixed ends.

    The noise is nothing at the ends, so that roads still meet.
    """
    rng = random_numbers(f"survey {name}")
    noise = gaussian_filter1d(rng.standard_normal(xyz.shape), 1.5, axis=0, mode="reflect")
    noise *= NOISE_M / 0.45  # a blur of 1.5 steps leaves 0.45 of the deviation
    ends = np.minimum(np.arange(len(xyz)), np.arange(len(xyz))[::-1])[:, None]
    return xyz + OFFSET_M + noise * np.clip(ends / 2, 0, 1)


def fit(
    xyz: Array, tangents: tuple[Array, Array] | None = None
) -> tuple[list[Arc], list[tuple[float, Array]]]:
    """Cubic Hermite pieces through points: the plan view, and heights as (s, a b c d).

    Tangents are those of a Catmull-Rom curve over chord lengths, or the given ones at the ends.
    """
    xy, z = xyz[:, :2], xyz[:, 2]
    chord = np.hypot(*np.diff(xy, axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(chord)])
    slope = np.gradient(xy, at, axis=0, edge_order=2 if len(xy) > 2 else 1)
    slope /= np.hypot(*slope.T)[:, None]
    if tangents is not None:
        slope[0], slope[-1] = tangents
    arcs, heights = [], []
    rise = np.gradient(z, at)
    s = 0.0
    for k in range(len(xy) - 1):
        arc = _arc(s, xy[k], xy[k + 1], slope[k] * chord[k], slope[k + 1] * chord[k])
        arcs.append(arc)
        stretch = chord[k] / arc.length
        heights.append(
            (s, _hermite(z[k], z[k + 1], rise[k] * stretch, rise[k + 1] * stretch, arc.length))
        )
        s += arc.length
    return arcs, heights


def _arc(s: float, p0: Array, p1: Array, m0: Array, m1: Array) -> Arc:
    heading = float(np.arctan2(m0[1], m0[0]))
    turn = np.array([[np.cos(heading), np.sin(heading)], [-np.sin(heading), np.cos(heading)]])
    end, t0, t1 = turn @ (p1 - p0), turn @ m0, turn @ m1
    c, d = 3 * end - 2 * t0 - t1, -2 * end + t0 + t1
    p = np.linspace(0, 1, 201)[:, None]
    speed = np.hypot(*(t0 + 2 * c * p + 3 * d * p**2).T)
    length = float(np.trapezoid(speed, p[:, 0]))
    return Arc(
        s,
        float(p0[0]),
        float(p0[1]),
        heading,
        length,
        np.array([0, t0[0], c[0], d[0]]),
        np.array([0, 0, c[1], d[1]]),
    )


def _hermite(z0: float, z1: float, g0: float, g1: float, length: float) -> Array:
    """Coefficients in metres of s of the cubic with these end values and gradients."""
    c = (3 * (z1 - z0) / length - 2 * g0 - g1) / length
    d = (2 * (z0 - z1) / length + g0 + g1) / length**2
    return np.array([z0, g0, c, d])


def _plan(road: ET.Element, xyz: Array, tangents: tuple[Array, Array] | None) -> float:
    arcs, heights = fit(xyz, tangents)
    plan = ET.SubElement(road, "planView")
    for arc in arcs:
        piece = ET.SubElement(
            plan,
            "geometry",
            s=f"{arc.s:.6f}",
            x=f"{arc.x:.4f}",
            y=f"{arc.y:.4f}",
            hdg=f"{arc.heading:.8f}",
            length=f"{arc.length:.6f}",
        )
        cubic = {
            f"{name}{axis}": f"{value:.7g}"
            for axis, row in (("U", arc.u), ("V", arc.v))
            for name, value in zip("abcd", row, strict=True)
        }
        ET.SubElement(piece, "paramPoly3", pRange="normalized", **cubic)
    profile = ET.SubElement(road, "elevationProfile")
    for s, row in heights:
        ET.SubElement(
            profile,
            "elevation",
            s=f"{s:.6f}",
            **{n: f"{v:.7g}" for n, v in zip("abcd", row, strict=True)},
        )
    length = arcs[-1].s + arcs[-1].length
    road.set("length", f"{length:.6f}")
    return length


def _road_element(root: ET.Element, name: str, number: int, junction: int) -> ET.Element:
    return ET.SubElement(
        root, "road", name=name, length="0", id=str(number), junction=str(junction), rule="LHT"
    )


def _junction_id(lanes: LaneMap, key: str) -> int:
    return FIRST_JUNCTION + list(lanes.junctions).index(key)


def _road(root: ET.Element, road: LaneRoad, lanes: LaneMap) -> None:
    element = _road_element(root, road.street, int(road.id), -1)
    link = ET.SubElement(element, "link")
    for tag, key in (("predecessor", road.start), ("successor", road.end)):
        if key:
            ET.SubElement(link, tag, elementType="junction", elementId=str(_junction_id(lanes, key)))
    kind = ET.SubElement(element, "type", s="0.0", type="town", country="JP")
    ET.SubElement(kind, "speed", max=str(road.speed_kmh), unit="km/h")
    length = _plan(element, survey(road.id, road.xyz), _tangents(road.xyz))
    section = ET.SubElement(ET.SubElement(element, "lanes"), "laneSection", s="0.0")
    left, centre, right = (ET.SubElement(section, side) for side in ("left", "center", "right"))
    for lane in range(road.lanes, 0, -1):
        _lane(left, lane, LANE_M, "solid" if lane == road.lanes else "broken", road.speed_kmh)
    middle = ET.SubElement(centre, "lane", id="0", type="none", level="false")
    double = "solid solid" if road.lanes > 1 else "solid" if road.street == "国道509号" else "broken"
    colour = "yellow" if road.street == "国道509号" else "standard"
    ET.SubElement(
        middle, "roadMark", sOffset="0.0", type=double, color=colour, width="0.15", laneChange="none"
    )
    for lane in range(-1, -road.lanes - 1, -1):
        _lane(right, lane, LANE_M, "solid" if lane == -road.lanes else "broken", road.speed_kmh)
    objects = ET.SubElement(element, "objects")
    if road.bridge:
        ET.SubElement(
            objects,
            "bridge",
            s=f"{length * 0.02:.3f}",
            length=f"{length * 0.6:.3f}",
            name=road.bridge,
            id=road.id,
            type="concrete",
        )
    _signals(element, road, lanes, length)


def _lane(
    side: ET.Element,
    number: int,
    width: float,
    mark: str,
    speed: int,
    link: tuple[int, int] | None = None,
) -> None:
    lane = ET.SubElement(side, "lane", id=str(number), type="driving", level="false")
    if link is not None:
        joined = ET.SubElement(lane, "link")
        ET.SubElement(joined, "predecessor", id=str(link[0]))
        ET.SubElement(joined, "successor", id=str(link[1]))
    ET.SubElement(lane, "width", sOffset="0.0", a=f"{width:.4f}", b="0.0", c="0.0", d="0.0")
    if mark:
        change = "both" if mark == "broken" else "none"
        ET.SubElement(
            lane,
            "roadMark",
            sOffset="0.0",
            type=mark,
            color="standard",
            width="0.15",
            laneChange=change,
        )
    ET.SubElement(lane, "speed", sOffset="0.0", max=str(speed), unit="km/h")


def _signals(element: ET.Element, road: LaneRoad, lanes: LaneMap, length: float) -> None:
    """Signal heads at arms of junctions with signals, a stop sign at the other side roads."""
    signals = ET.SubElement(element, "signals")
    for number, (key, s, way) in enumerate(((road.start, 6.5, "-"), (road.end, length - 6.5, "+")), 1):
        if not key:
            continue
        plan = lanes.junctions[key]
        # In left-hand traffic lanes along the line lie on its left, where t is positive.
        t = (1 if way == "+" else -1) * (road.lanes * LANE_M + 0.8)
        code = {"type": "1000001", "subtype": "-1"} if plan.signals else {"type": "330", "subtype": "A"}
        if plan.signals or road.street not in plan.main:
            ET.SubElement(
                signals,
                "signal",
                s=f"{s:.3f}",
                t=f"{t:.3f}",
                id=f"{road.id}{number}",
                name=plan.name,
                dynamic="yes" if plan.signals else "no",
                orientation=way,
                zOffset="5.2" if plan.signals else "2.0",
                country="JP",
                height="0.45",
                width="1.2",
                **code,
            )


def _tangents(xyz: Array) -> tuple[Array, Array]:
    """Directions of a model line at its ends: exact ones, so that connections join without a kink."""
    first, last = (xyz[b, :2] - xyz[a, :2] for a, b in ((0, 1), (-2, -1)))
    return first / np.hypot(*first), last / np.hypot(*last)


def _connecting_road(root: ET.Element, item: Connection, lanes: LaneMap) -> None:
    """A one-lane road on the right bound of its lane: lane 1 lies to its left and runs along it."""
    number = FIRST_CONNECTION + int(item.id)
    element = _road_element(root, "", number, _junction_id(lanes, item.junction))
    link = ET.SubElement(element, "link")
    for tag, end, along in (("predecessor", item.source, "end"), ("successor", item.target, "start")):
        against = "start" if along == "end" else "end"
        point = along if end.lane > 0 else against
        ET.SubElement(link, tag, elementType="road", elementId=str(int(end.road)), contactPoint=point)
    ET.SubElement(element, "type", s="0.0", type="town", country="JP")
    _plan(
        element,
        survey(f"connection {item.id}", item.right[::4]),
        (item.source.heading, item.target.heading),
    )
    section = ET.SubElement(ET.SubElement(element, "lanes"), "laneSection", s="0.0")
    left, centre = ET.SubElement(section, "left"), ET.SubElement(section, "center")
    _lane(left, 1, LANE_M, "", item.speed_kmh, (item.source.lane, item.target.lane))
    ET.SubElement(centre, "lane", id="0", type="none", level="false")


def _junction(root: ET.Element, number: int, key: str, lanes: LaneMap) -> None:
    plan = lanes.junctions[key]
    element = ET.SubElement(
        root, "junction", name=plan.name, id=str(FIRST_JUNCTION + number), type="default"
    )
    found = [item for item in lanes.connections if item.junction == key]
    for count, item in enumerate(found):
        joined = ET.SubElement(
            element,
            "connection",
            id=str(count),
            incomingRoad=str(int(item.source.road)),
            connectingRoad=str(FIRST_CONNECTION + int(item.id)),
            contactPoint="start",
        )
        ET.SubElement(joined, "laneLink", **{"from": str(item.source.lane), "to": "1"})
