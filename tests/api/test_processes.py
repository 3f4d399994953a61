"""Processes over HTTP, on the sample town."""

from __future__ import annotations

import io
import json
import urllib.error
import urllib.request
from typing import Any

import openpyxl
import pytest
import shapely

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CITY = {"codes": ["089991"], "hazard_type": "flood"}


def execute(live: Any, process: str, body: dict[str, Any], key: str | None) -> tuple[int, str, bytes]:
    """Status, media type and body of an execution."""
    request = urllib.request.Request(
        f"{live.url}/processes/{process}/execution", json.dumps(body).encode(), method="POST"
    )
    request.add_header("Content-Type", "application/json")
    if key is not None:
        request.add_header("X-API-Key", live.keys[key])
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read()


def summary(live: Any, key: str | None, **inputs: Any) -> Any:
    status, _, body = execute(live, "area-summary", {"inputs": {**CITY, **inputs}}, key)
    assert status == 200, body
    return json.loads(body)


def test_processes_describe_what_they_take(live_server: Any) -> None:
    listed = live_server.json("/processes")["processes"]
    assert [item["id"] for item in listed] == ["area-summary", "road-exposure", "difference"]
    about = live_server.json("/processes/area-summary")
    assert about["inputs"]["hazard_type"]["minOccurs"] == 1
    assert about["inputs"]["scenario"]["minOccurs"] == 0
    assert about["jobControlOptions"] == ["sync-execute"]
    assert live_server.get("/processes/nothing")[0] == 404


def test_the_city_is_counted_by_depth_for_a_municipality_and_unknown_to_a_stranger(
    live_server: Any,
) -> None:
    found = summary(live_server, "municipal")
    assert [row["class"] for row in found["rows"]][-1] == "unknown"
    counts = [row["buildings"]["value"] for row in found["rows"]]
    assert sum(counts) == found["total"]["buildings"]["value"] > 1000
    assert found["total"]["people"]["population"]["value"] > 5000
    stranger = summary(live_server, None)
    assert stranger["total"]["people"]["population"] == {"value": None, "state": "unknown"}
    assert stranger["total"]["buildings"] == {"value": None, "state": "unknown"}
    assert [source["collection"] for source in stranger["sources"]] == ["hazard_zones"]


def test_buildings_by_depth_are_those_of_an_overlay_of_the_items(live_server: Any) -> None:
    box = shapely.box(140.893, 36.249, 140.906, 36.258)
    found = summary(
        live_server, "municipal", codes=None, area=box.__geo_interface__, hazard_type="flood"
    )
    side = "bbox=140.893,36.249,140.906,36.258&limit=10000"
    zones = live_server.json(f"/collections/hazard_zones/items?{side}", "municipal")["features"]
    houses = live_server.json(f"/collections/buildings/items?{side}", "municipal")["features"]
    deepest = {}
    for house in houses:
        shape = shapely.geometry.shape(house["geometry"])
        if not box.contains(shape.point_on_surface()):
            continue
        depths = [
            zone["properties"]["depth_min_m"]
            for zone in zones
            if zone["properties"]["hazard_type"] == "flood"
            and shapely.geometry.shape(zone["geometry"]).intersects(shape)
        ]
        deepest[house["id"]] = max(depths, default=None)
    told = {row["depth_min_m"]: row["buildings"]["value"] for row in found["rows"]}
    values = list(deepest.values())
    assert told == {depth: values.count(depth) for depth in told}


def test_a_workbook_is_made_of_the_same_figures(live_server: Any) -> None:
    body = {"inputs": CITY, "outputs": {"result": {"format": {"mediaType": XLSX}}}}
    status, kind, content = execute(live_server, "area-summary", body, "municipal")
    assert (status, kind) == (200, XLSX)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["集計", "方法と出典"]
    body["response"] = "document"
    assert execute(live_server, "area-summary", body, "municipal")[0] == 400


def test_a_closed_road_tells_its_depths_its_closure_and_what_is_unknown(live_server: Any) -> None:
    query = "filter=name='川端通り'&limit=1000".replace(
        "川端通り", "%E5%B7%9D%E7%AB%AF%E9%80%9A%E3%82%8A"
    )
    page = live_server.json(f"/collections/segments/items?{query}", "municipal")
    told = []
    for road in page["features"]:
        body = {"inputs": {"segment": road["id"], "datetime": "2026-09-17T05:00:00Z"}}
        status, _, answer = execute(live_server, "road-exposure", body, "municipal")
        assert status == 200
        told.append(json.loads(answer))
    assert any(item["closures"]["state"] == "reported" for item in told)
    assert any(item["closures"]["state"] == "none_reported" for item in told)
    first = told[0]
    assert first["rain"]["state"] == "known"
    assert first["rain"]["datetime"] == "2026-09-17T05:00:00Z"
    surge = next(item for item in first["hazards"] if item["hazard_type"] == "storm_surge")
    assert surge["state"] == "unknown"
    stranger = execute(
        live_server, "road-exposure", {"inputs": {"segment": first["segment"]["id"]}}, None
    )
    assert json.loads(stranger[2])["structures"]["state"] == "unknown"


@pytest.mark.parametrize(
    ("process", "body", "parameter"),
    [
        ("area-summary", {"inputs": {"hazard_type": "flood"}}, None),
        ("area-summary", {"inputs": {**CITY, "hazard_type": "rain"}}, "hazard_type"),
        ("area-summary", {"inputs": {**CITY, "meshes": ["5440269823"]}}, None),
        ("area-summary", {"inputs": {**CITY, "codes": ["' OR 1=1"]}}, "codes.0"),
        (
            "area-summary",
            {"inputs": CITY, "outputs": {"result": {"format": {"mediaType": "a"}}}},
            "outputs",
        ),
        ("area-summary", {"input": CITY}, "inputs"),
        ("road-exposure", {"inputs": {"segment": "x", "datetime": "noon"}}, None),
        ("road-exposure", {"inputs": {"segment": ""}}, "segment"),
    ],
)
def test_bad_input_is_refused_by_name(
    live_server: Any, process: str, body: dict[str, Any], parameter: str | None
) -> None:
    status, kind, answer = execute(live_server, process, body, "municipal")
    missing = body.get("inputs", {}).get("segment") == "x"
    assert (status, kind) == (404 if missing else 400, "application/problem+json")
    assert json.loads(answer).get("parameter") == parameter


def test_a_hidden_road_is_like_one_that_does_not_exist(live_server: Any) -> None:
    lanes = live_server.json("/collections/lanes/items?limit=1", "automaker")["features"][0]["id"]
    answers = [
        execute(live_server, "road-exposure", {"inputs": {"segment": name}}, None)
        for name in (lanes, "nothing")
    ]
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
