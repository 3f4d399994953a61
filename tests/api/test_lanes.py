"""Asking about lanes over HTTP, of the sample town."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from shapely.geometry import shape

from tests.api.test_extracting import extract
from tests.extracts.lanelets import contribute, osm


@pytest.fixture(scope="module")
def lanes(live_server) -> list[dict]:
    found = live_server.json("/collections/lanes/items?limit=10000", "automaker")["features"]
    return [lane for lane in found if lane["properties"]["subtype"] == "road"]


def problem(live_server, path: str, key: str | None = "automaker") -> tuple[int, dict]:
    status, _, content = live_server.get(path, key)
    return status, json.loads(content)


def test_who_drives_along_a_lane_is_found_on_it(live_server, lanes):
    for lane in lanes[::40]:
        middle = shape(lane["geometry"]).interpolate(0.5, normalized=True)
        place = live_server.json(
            f"/collections/lanes/items/{lane['id']}/along?position={middle.x},{middle.y}", "automaker"
        )
        found = live_server.json(
            f"/collections/lanes/locate?position={middle.x:.9f},{middle.y:.9f}"
            f"&heading={place['bearing_deg']}&accuracy=0.3&limit=50",
            "automaker",
        )
        ids = [item["id"] for item in found["candidates"]]
        assert lane["id"] in ids[:4], "lanes of a junction lie over one another"
        assert sum(item["probability"] for item in found["candidates"]) + found["none"] <= 1.0001


def test_the_horizon_follows_a_lane_and_brings_its_boundaries(live_server, lanes):
    start = next(lane for lane in lanes if lane["properties"]["successor_ids"])
    found = live_server.json(f"/collections/lanes/horizon?lane={start['id']}&distance=300", "automaker")
    kinds = {feature["featureType"] for feature in found["features"]}
    assert {"lanes", "lane_boundaries"} <= kinds
    ahead = [item for item in found["features"] if item["featureType"] == "lanes"]
    following = {item["id"] for item in ahead if item["horizon"].get("previous") == start["id"]}
    assert following == set(start["properties"]["successor_ids"])
    assert found["complete"] is True
    bounds = {start["properties"]["left_boundary_id"], start["properties"]["right_boundary_id"]}
    assert bounds <= {item["id"] for item in found["features"]}


def test_the_lanes_of_two_makers_are_one_network(live_server):
    every = live_server.json("/collections/lanes/items?limit=10000", "operator")["features"]
    shown = {lane["id"]: lane["properties"] for lane in every}
    told = [live_server.json(f"/collections/lanes/items/{id_}/explain", "operator") for id_ in shown]
    several = {said["id"] for said in told if len(said["claims"]) == 2}
    apart = {said["id"] for said in told if not said["claims"]}
    assert len(several) > len(apart) > 0
    joined = [
        said for said in told if said["properties"].get("successor_ids", {}).get("reason") == "joined"
    ]
    assert joined
    assert {said["geometry"]["reason"] for said in told if said["id"] in several} == {"accuracy"}
    for id_, said in shown.items():
        for after in said["successor_ids"] or ():
            assert id_ in shown[after]["predecessor_ids"]
        for before in said["predecessor_ids"] or ():
            assert id_ in shown[before]["successor_ids"]
    assert any(
        {id_, after} & several and {id_, after} & apart
        for id_, said in shown.items()
        for after in said["successor_ids"] or ()
    )


def test_the_lanelet2_map_of_two_makers_joins_all_their_lanes_and_has_each_border_once(
    live_server, tmp_path
):
    wanted = {
        "format": "lanelet2",
        "collections": ["lanes", "lane_boundaries"],
        "bbox": [140.86, 36.23, 140.92, 36.29],
    }
    with extract(live_server, wanted, "automaker") as archive:
        archive.extractall(tmp_path)
    told = json.loads((tmp_path / "conversion.json").read_bytes())
    assert "ends of lanes too far apart to be joined" not in told["dropped"]
    assert told["dropped"]["lines of which another maker's bound the lanes"] > 0
    assert 0.3 < told["largest_error_m"]["horizontal"] < 0.8  # both makers' accuracies together
    found = osm(tmp_path / "geoshare.osm")
    sides = [members[side] for members in found.lanelets().values() for side in ("left", "right")]
    bounds = {ref for side in sides for _, ref in side}
    assert {key for key, (_, tags) in found.ways.items() if tags["type"].startswith("line_")} <= bounds
    every = live_server.json("/collections/lanes/items?limit=10000", "automaker")["features"]
    again = contribute(tmp_path / "geoshare.osm", "other").of["lanes"].values()
    assert sum(len(json.loads(said.get("successor_ids") or "[]")) for _, said in again) >= sum(
        len(lane["properties"]["successor_ids"] or ()) for lane in every
    )


def test_a_place_on_a_road_is_told_both_ways(live_server):
    (road,) = live_server.json("/collections/segments/items?limit=1")["features"]
    about = f"/collections/segments/items/{road['id']}/along"
    there = live_server.json(f"{about}?at=0.25")
    back = live_server.json(f"{about}?position={','.join(map(str, there['point'][:2]))}")
    assert back["at"] == pytest.approx(0.25, abs=1e-6)
    assert live_server.json(f"{about}?m={there['m']}")["at"] == pytest.approx(0.25, abs=1e-4)


def test_a_position_far_from_the_road_is_none_on_it(live_server):
    (road,) = live_server.json("/collections/segments/items?limit=1")["features"]
    about = f"/collections/segments/items/{road['id']}/along"
    lon, lat = shape(road["geometry"]).interpolate(0.5, normalized=True).coords[0][:2]
    away = f"{about}?position={lon},{lat + 0.01}"  # 1.1 km
    for path, most in (
        (away, "100 m"),
        (f"{away}&within=50", "50 m"),
        (f"{about}?position=0,0", "100 m"),
    ):
        status, said = problem(live_server, path)
        assert (status, said["parameter"]) == (400, "position")
        assert most in said["allowed"]
    assert live_server.json(f"{away}&within=5000")["distance_m"] < 1200
    status, said = problem(live_server, f"{away}&within=1e6")
    assert (status, said["parameter"]) == (400, "within")


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/collections/lanes/locate", "position"),
        ("/collections/lanes/locate?position=36,140", "position"),
        ("/collections/lanes/locate?position=140,36,1,2", "position"),
        ("/collections/lanes/locate?position=140,nan", "position"),
        ("/collections/lanes/locate?position=140,36&covariance=1,2", "covariance"),
        ("/collections/lanes/locate?position=140,36&covariance=1,2,1", "covariance"),
        ("/collections/lanes/locate?position=140,36&heading=400", "heading"),
        ("/collections/places/locate?position=140,36", "collection"),
        ("/collections/segments/horizon?lane=x", "collection"),
        ("/collections/segments/openlr", "reference"),
        ("/collections/segments/openlr?reference=CwAAAA==", "reference"),
        ("/collections/lanes/horizon?lane=x&distance=1e9", "distance"),
        ("/collections/lanes/horizon?lane=x&include=everything", "include"),
    ],
)
def test_what_cannot_be_asked_is_named(live_server, path, parameter):
    status, said = problem(live_server, path)
    assert (status, said["parameter"]) == (400, parameter)
    assert said["allowed"]


def test_hidden_lanes_are_as_those_that_do_not_exist(live_server, lanes):
    hidden = lanes[0]["id"]
    for path in ("locate?position=140.9,36.26", f"horizon?lane={hidden}", f"items/{hidden}/along?at=0"):
        missing = path.replace(hidden, "nothing")
        said = [
            live_server.get(f"/collections/{name}/{asked}", None)
            for name, asked in (("lanes", path), ("not_there", missing))
        ]
        assert said[0][0] == said[1][0] == 404
        assert said[0][2] == said[1][2]
    missing = [
        problem(live_server, f"/collections/lanes/horizon?lane={quote(name)}") for name in ("x", "車線")
    ]
    assert missing[0] == missing[1]
