"""The two car makers' maps describe the same streets, within B's stated offset and noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from lxml import etree
from pyproj import CRS, Transformer

from sample_data.formats.opendrive import OFFSET_M
from sample_data.town.frame import from_lon_lat, to_utm
from sample_data.town.lanes import make_lanes
from sample_data.town.town import Town

NOISE_BOUND_M = 0.2


@pytest.fixture(scope="module")
def osm(files: Path) -> etree._Element:
    return etree.parse(files / "lanes_maker_a.osm").getroot()


@pytest.fixture(scope="module")
def xodr(files: Path) -> etree._Element:
    return etree.parse(files / "lanes_maker_b.xodr").getroot()


def tags(element: etree._Element) -> dict[str, str]:
    return {tag.get("k"): tag.get("v") for tag in element.findall("tag")}


@pytest.fixture(scope="module")
def nodes(osm: etree._Element) -> dict[str, np.ndarray]:
    found = osm.findall("node")
    lon_lat = np.array([[float(node.get("lon")), float(node.get("lat"))] for node in found])
    xy = from_lon_lat(lon_lat)
    return {node.get("id"): place for node, place in zip(found, xy, strict=True)}


@pytest.fixture(scope="module")
def lanelets(osm: etree._Element, nodes: dict[str, np.ndarray]) -> dict[str, dict]:
    """Bounds in the direction of travel: a shared bound is turned where it runs against its partner."""
    ways = {w.get("id"): [nd.get("ref") for nd in w.findall("nd")] for w in osm.findall("way")}
    made = {}
    for relation in osm.findall("relation"):
        said = tags(relation)
        if said.get("type") != "lanelet":
            continue
        bounds = {
            m.get("role"): ways[m.get("ref")]
            for m in relation.findall("member")
            if m.get("type") == "way"
        }
        left, right = bounds["left"], bounds["right"]
        a = np.array([nodes[ref] for ref in left])
        b = np.array([nodes[ref] for ref in right])
        if (a[-1] - a[0]) @ (b[-1] - b[0]) < 0:
            right, b = right[::-1], b[::-1]
        side = (a[-1] - a[0])[0] * (b.mean(0) - a.mean(0))[1] - (a[-1] - a[0])[1] * (
            b.mean(0) - a.mean(0)
        )[0]
        if side > 0:
            left, right, a, b = left[::-1], right[::-1], a[::-1], b[::-1]
        made[relation.get("id")] = {"left": left, "right": right, "a": a, "b": b, "tags": said}
    return made


def test_places_of_nodes_are_the_same_in_degrees_and_in_local_metres(osm, nodes) -> None:
    for node in osm.findall("node")[::7]:
        said = tags(node)
        utm = to_utm(nodes[node.get("id")][None, :])[0] % 100_000
        assert abs(utm[0] - float(said["local_x"])) < 0.002
        assert abs(utm[1] - float(said["local_y"])) < 0.002
        assert -1 < float(said["ele"]) < 60


def test_there_are_lanes_signals_stop_lines_crosswalks_and_limits(osm, lanelets) -> None:
    assert 80 <= len(lanelets) <= 160
    kinds = [tags(r).get("subtype") for r in osm.findall("relation")]
    assert {"traffic_light", "crosswalk", "speed_limit", "right_of_way", "traffic_sign", "road"} <= set(
        kinds
    )
    assert any(tags(way).get("type") == "stop_line" for way in osm.findall("way"))


def test_every_reference_in_the_lanelet_map_is_defined(osm) -> None:
    defined = {kind: {e.get("id") for e in osm.findall(kind)} for kind in ("node", "way", "relation")}
    assert sum(map(len, defined.values())) == len(set().union(*defined.values()))
    for way in osm.findall("way"):
        assert {nd.get("ref") for nd in way.findall("nd")} <= defined["node"]
    for relation in osm.findall("relation"):
        for member in relation.findall("member"):
            assert member.get("ref") in defined[member.get("type")]


def test_traffic_keeps_left(lanelets, town: Town) -> None:
    """Two opposite lanes share the line between them, and each driver has it on the right."""
    rights: dict[tuple[str, ...], int] = {}
    for lane in lanelets.values():
        if lane["tags"]["subtype"] == "road" and "turn_direction" not in lane["tags"]:
            key = min(tuple(lane["right"]), tuple(lane["right"][::-1]))
            rights[key] = rights.get(key, 0) + 1
    shared = sum(count == 2 for count in rights.values())
    assert shared >= 25


def test_every_lane_leads_on_except_where_the_survey_ended(lanelets) -> None:
    roads = {key: lane for key, lane in lanelets.items() if lane["tags"]["subtype"] == "road"}
    starts = {(lane["left"][0], lane["right"][0]) for lane in roads.values()}
    ends = {(lane["left"][-1], lane["right"][-1]) for lane in roads.values()}
    dead = [key for key, lane in roads.items() if (lane["left"][-1], lane["right"][-1]) not in starts]
    unreached = [key for key, lane in roads.items() if (lane["left"][0], lane["right"][0]) not in ends]
    assert len(dead) == len(unreached) == 9


def test_lanes_are_as_wide_as_lanes(lanelets) -> None:
    for lane in lanelets.values():
        if lane["tags"]["subtype"] == "road":
            widths = shapely.distance(shapely.points(lane["a"]), shapely.LineString(lane["b"]))
            assert 2.6 < np.median(widths) < 3.6


def test_lanes_follow_the_map_company_s_streets(lanelets, town: Town) -> None:
    network = shapely.union_all([link.line for link in town.streets.links])
    for lane in lanelets.values():
        if lane["tags"]["subtype"] == "road":
            middle = shapely.LineString(lane["b"]).interpolate(0.5, normalized=True)
            assert network.distance(middle) < 12


def evaluate(road: etree._Element, step: float = 0.1) -> np.ndarray:
    """Points (x, y, z) of a reference line, by the standard's formulas alone."""
    points = []
    profile = [{k: float(v) for k, v in e.attrib.items()} for e in road.find("elevationProfile")]
    for geometry in road.find("planView"):
        g = {k: float(v) for k, v in geometry.attrib.items()}
        cubic = geometry.find("paramPoly3")
        assert cubic.get("pRange") == "normalized"
        c = {k: float(v) for k, v in cubic.attrib.items() if k != "pRange"}
        for p in np.arange(0, 1 + 1e-9, step):
            u = c["aU"] + c["bU"] * p + c["cU"] * p**2 + c["dU"] * p**3
            v = c["aV"] + c["bV"] * p + c["cV"] * p**2 + c["dV"] * p**3
            s = g["s"] + p * g["length"]
            e = [row for row in profile if row["s"] <= s + 1e-6][-1]
            ds = s - e["s"]
            z = e["a"] + e["b"] * ds + e["c"] * ds**2 + e["d"] * ds**3
            x = g["x"] + u * np.cos(g["hdg"]) - v * np.sin(g["hdg"])
            y = g["y"] + u * np.sin(g["hdg"]) + v * np.cos(g["hdg"])
            points.append((x, y, z))
    return np.array(points)


def test_maker_b_differs_from_maker_a_by_the_stated_offset_and_noise(xodr, town: Town) -> None:
    lanes = make_lanes(town.streets, town.terrain)
    roads = {road.get("id"): road for road in xodr.findall("road")}
    across, up = [], []
    for number, model in lanes.roads.items():
        surveyed = evaluate(roads[str(int(number))]) - OFFSET_M
        across.append(
            shapely.distance(shapely.points(surveyed[:, :2]), shapely.LineString(model.xyz[:, :2]))
        )
        along = [
            shapely.LineString(model.xyz[:, :2]).project(shapely.Point(p)) for p in surveyed[:, :2]
        ]
        told = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(model.xyz[:, :2], axis=0).T))])
        up.append(np.abs(surveyed[:, 2] - np.interp(along, told, model.xyz[:, 2])))
    distances, heights = np.concatenate(across), np.concatenate(up)
    assert distances.max() < NOISE_BOUND_M
    assert 0.01 < distances.mean() < 0.06
    assert heights.max() < 0.3


def test_maker_b_s_frame_puts_its_roads_where_maker_a_s_are(xodr, lanelets) -> None:
    header = xodr.find("header")
    offset = header.find("offset")
    frame = CRS.from_user_input(header.findtext("geoReference"))
    to_degrees = Transformer.from_crs(frame, frame.geodetic_crs, always_xy=True)
    network = shapely.union_all([shapely.LineString(lane["b"]) for lane in lanelets.values()])
    for road in xodr.findall("road"):
        xy = evaluate(road, 0.5)[:, :2] + [float(offset.get("x")), float(offset.get("y"))]
        placed = from_lon_lat(np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1])))
        assert shapely.distance(shapely.points(placed), network).max() < 0.52 + NOISE_BOUND_M + 0.2


def test_roads_of_maker_b_meet_where_they_are_linked(xodr) -> None:
    roads = {road.get("id"): road for road in xodr.findall("road")}
    lines = {key: evaluate(road) for key, road in roads.items()}
    for road in roads.values():
        if road.get("junction") == "-1":
            continue
        for tag, at in (("predecessor", 0), ("successor", -1)):
            link = road.find(f"link/{tag}")
            other = lines[link.get("elementId")][0 if link.get("contactPoint") == "start" else -1]
            lane = int(road.find(f".//lane[@id='1']/link/{tag}").get("id"))
            # The connecting road's line is its lane's right bound, |lane| - 1 widths from the other's.
            gap = np.hypot(*(lines[road.get("id")][at] - other)[:2])
            assert abs(gap - (abs(lane) - 1) * 3.25) < 0.02


def test_lengths_and_stations_of_maker_b_agree(xodr) -> None:
    for road in xodr.findall("road"):
        assert road.get("rule") == "LHT"
        pieces = road.find("planView")
        s = 0.0
        for geometry in pieces:
            assert abs(float(geometry.get("s")) - s) < 1e-4
            s += float(geometry.get("length"))
        assert abs(float(road.get("length")) - s) < 1e-4
        points = evaluate(road, 0.02)
        assert abs(np.hypot(*np.diff(points[:, :2], axis=0).T).sum() - s) < 0.01 * s
