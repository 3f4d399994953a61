"""Files that providers really send, asked for again and compared with an independent read."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from PIL import Image
from shapely.geometry import shape

pytestmark = pytest.mark.real


def osm(path: Path) -> tuple[dict, dict, list]:
    """Nodes, ways and relations of an OSM file by the standard library alone."""
    root = ElementTree.parse(path).getroot()
    nodes = {}
    for node in root.iter("node"):
        tags = {tag.get("k"): tag.get("v") for tag in node.iter("tag")}
        nodes[node.get("id")] = (
            float(node.get("lon")),
            float(node.get("lat")),
            float(tags.get("ele", "nan")),
        )
    ways = {way.get("id"): [nd.get("ref") for nd in way.iter("nd")] for way in root.iter("way")}
    relations = []
    for relation in root.iter("relation"):
        tags = {tag.get("k"): tag.get("v") for tag in relation.iter("tag")}
        members = [(m.get("type"), m.get("ref"), m.get("role")) for m in relation.iter("member")]
        relations.append((relation.get("id"), tags, members))
    return nodes, ways, relations


@pytest.mark.parametrize(
    ("name", "lanelets", "areas", "rules"),
    [("kashiwanoha_base.osm", 81, 0, None), ("karlsruhe_mapping_example.osm", 371, 76, 9)],
)
def test_every_lanelet_boundary_and_rule_of_a_map_comes_back(
    own, real_data, name, lanelets, areas, rules
):
    path = real_data / "lanelet2" / name
    nodes, ways, relations = osm(path)
    own.contribute(path)
    lanes = own.items("lanes", "automaker")
    assert len(lanes) == lanelets == sum(tags.get("type") == "lanelet" for _, tags, _ in relations)
    bounds = {
        ref
        for _, tags, members in relations
        if tags.get("type") == "lanelet"
        for kind, ref, role in members
        if role in ("left", "right") and kind == "way"
    }
    found = own.items("lane_boundaries", "automaker")
    ids = {item["id"] for item in found}
    assert len(found) >= len(bounds)
    for lane in lanes:
        assert {lane["properties"]["left_boundary_id"], lane["properties"]["right_boundary_id"]} <= ids
    expected_rules = sum(tags.get("type") == "regulatory_element" for _, tags, _ in relations)
    assert len(own.items("regulatory_elements", "automaker")) == expected_rules
    assert rules is None or rules == expected_rules
    if areas:
        assert len(own.items("areas")) >= areas
    lines: dict[int, list[np.ndarray]] = {}
    for item in found:
        line = np.array(item["geometry"]["coordinates"])[:, :2]
        lines.setdefault(len(line), []).append(line)
    for ref in bounds:
        line = np.array([nodes[node][:2] for node in ways[ref]])
        others = np.stack(lines[len(line)])
        apart = np.minimum(abs(others - line).max((1, 2)), abs(others - line[::-1]).max((1, 2)))
        assert apart.min() < 2e-9  # degrees: 0.2 mm
    heights = [c[2] for item in found for c in item["geometry"]["coordinates"] if len(c) > 2]
    # GeoJSON has heights for a whole line or not at all.
    measured = [[nodes[node][2] for node in ways[ref]] for ref in bounds]
    known = [height for line in measured if not np.isnan(line).any() for height in line]
    assert bool(heights) == bool(known)
    if known:
        assert min(heights) == pytest.approx(min(known), abs=1e-3)
        assert max(heights) == pytest.approx(max(known), abs=1e-3)


def lanes_of(path: Path) -> int:
    """How many lanes a road map has, by the standard library alone."""
    root = ElementTree.parse(path).getroot()
    if path.suffix == ".xodr":
        return sum(lane.get("id") != "0" for lane in root.iter("lane"))
    kinds = [tag.get("v") for item in root.iter("relation") for tag in item if tag.get("k") == "type"]
    return kinds.count("lanelet")


@pytest.mark.parametrize(
    "path",
    ["lanelet2/kashiwanoha_base.osm", "opendrive/multi_intersections.xodr"],
)
def test_every_lane_of_a_map_is_found_by_its_box(own, real_data, path):
    options = {"crs": "EPSG:6677"} if path.endswith("xodr") else {}
    own.contribute(real_data / path, **options)
    lanes = own.items("lanes", "automaker")
    assert len(lanes) == lanes_of(real_data / path)
    boxes = {lane["id"]: shape(lane["geometry"]).bounds for lane in lanes}

    def asked(west: float, south: float, east: float, north: float) -> dict:
        box = ",".join(map(repr, (west, south, east, north)))
        answer = own.get(f"/collections/lanes/items?limit=10000&bbox={box}", "automaker")
        assert answer.status_code == 200
        return answer.json

    for key, box in boxes.items():
        assert key in {item["id"] for item in asked(*box)["features"]}
    west, south, east, north = shapely.MultiPolygon(
        [shapely.box(*box) for box in boxes.values()]
    ).bounds
    assert asked(west, south, east, north)["numberMatched"] == len(lanes)
    middle = (west + east) / 2
    halves = [asked(west, south, middle, north), asked(middle, south, east, north)]
    assert {item["id"] for half in halves for item in half["features"]} == boxes.keys()


@pytest.mark.parametrize(
    ("name", "collection", "count"),
    [
        ("emergency_401307.json", "evacuation_sites", 786),
        ("evacuation_401307.json", "shelters", 439),
        ("emergency_122173.json", "evacuation_sites", 146),
        ("evacuation_122173.json", "shelters", 112),
    ],
)
def test_every_site_of_the_national_lists_is_where_the_list_says(
    own, real_data, name, collection, count
):
    path = real_data / "shelters" / name
    report = own.contribute(path, provider="gsi")
    assert (report.rows_read, report.refused) == (count, 0)
    expected = sorted(
        tuple(round(value, 7) for value in feature["geometry"]["coordinates"][:2])
        for feature in json.loads(path.read_text("utf-8"))["features"]
    )
    found = own.items(collection, None)
    assert sorted(tuple(item["geometry"]["coordinates"][:2]) for item in found) == expected


def test_segments_and_connectors_of_overture_come_back(own, real_data):
    path = next((real_data / "roads").glob("overture*"))
    own.contribute(path, provider="overture")
    source = json.loads(path.read_text("utf-8"))["features"]
    for collection, kind in (("segments", "LineString"), ("connectors", "Point")):
        expected = sorted(
            shape(item["geometry"]).length for item in source if item["geometry"]["type"] == kind
        )
        found = sorted(shape(item["geometry"]).length for item in own.items(collection))
        assert found == pytest.approx(expected, abs=1e-6)


def test_administrative_areas_keep_their_area_and_become_valid(own, real_data):
    path = next((real_data / "admin").glob("*.geojson"))
    _, _, wkb, _ = pyogrio.raw.read(path)
    raw = shapely.from_wkb(wkb)
    report = own.contribute(path, provider="mlit")
    found = [shape(item["geometry"]) for item in own.items("admin_areas", None)]
    assert len(found) == len(raw) == 143
    assert all(item.is_valid for item in found)
    assert (
        sum(repair.count for repair in report.repairs.values()) >= (~shapely.is_valid(raw)).sum() == 60
    )
    expected = shapely.area(shapely.make_valid(raw)).sum()
    assert sum(item.area for item in found) == pytest.approx(expected, rel=1e-3)


def test_hourly_counts_of_a_camera_keep_their_sum(own, real_data):
    path = next((real_data / "peopleflow").glob("*.csv"))
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    own.contribute(path, provider="fukui")
    found = own.items("people_flow")
    assert len(found) == len(rows)
    assert sum(item["properties"]["count"] for item in found) == sum(
        int(row["total count"]) for row in rows
    )


def test_a_landsat_scene_is_drawn_where_it_lies(own, real_data):
    path = real_data / "imagery" / "landsat_pucallpa" / "2000.tif"
    own.contribute(path, provider="usgs", collection="satellite")
    about = json.loads(own.get("/raster/satellite.json").data)
    with rasterio.open(path) as source:
        assert about["bounds"] == pytest.approx(list(source.bounds), abs=1e-3)
        middle = (
            (source.bounds.left + source.bounds.right) / 2,
            (source.bounds.bottom + source.bounds.top) / 2,
        )
    assert (drawn(own, "satellite", middle, 12)[..., 3] > 0).mean() > 0.5


def test_the_radar_mosaic_s_strips_become_tiles(own, real_data):
    path = real_data / "imagery" / "palsar2_mosaic_2020_N23W161.tar.gz"
    own.contribute(path, provider="jaxa", collection="satellite")
    about = json.loads(own.get("/raster/satellite.json").data)
    west, south, east, north = about["bounds"]
    assert (west, south, east, north) == pytest.approx((-161, 22, -160, 23), abs=1e-2)
    assert any(
        (
            drawn(own, "satellite", (west + (east - west) * x, south + (north - south) * y), 10)[..., 3]
            > 0
        ).any()
        for x in (0.1, 0.5, 0.8)
        for y in (0.2, 0.5, 0.9)
    )


def drawn(own, collection: str, lon_lat: tuple[float, float], z: int) -> np.ndarray:
    n = 1 << z
    x = int((lon_lat[0] + 180) / 360 * n)
    y = int((1 - math.asinh(math.tan(math.radians(lon_lat[1]))) / math.pi) / 2 * n)
    answer = own.get(f"/raster/{collection}/{z}/{x}/{y}.png")
    if answer.status_code == 204:
        return np.zeros((256, 256, 4), np.uint8)
    assert answer.status_code == 200
    return np.asarray(Image.open(io.BytesIO(answer.data)).convert("RGBA"))
