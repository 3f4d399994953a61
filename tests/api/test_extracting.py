"""What a developer relies on: an area as a file that opens elsewhere and says the same."""

from __future__ import annotations

import io
import itertools
import json
import time
import urllib.request
import zipfile

import geopandas
import pytest

from tests.api.test_contributing import send
from tests.api.test_reading import all_items

SUFFIX = {"gpkg": ".gpkg", "geojson": ".geojson", "parquet": ".parquet", "fgb": ".fgb"}


def extract(live_server, request: dict, key: str | None) -> zipfile.ZipFile:
    status, headers, body = send(
        live_server, "/extracts", json.dumps(request).encode(), key, Content_Type="application/json"
    )
    while status == 202 or headers.get("content-type", "").startswith("application/json"):
        job = json.loads(body)
        time.sleep(0.2)
        found = live_server.json(f"/jobs/{job.get('job') or job['id']}", key)
        if found["status"] == "done":
            status, headers, body = live_server.get(f"/jobs/{found['id']}/result", key)
            break
        assert found["status"] in ("queued", "running"), found
    assert status == 200, body[:500]
    return zipfile.ZipFile(io.BytesIO(body))


@pytest.mark.parametrize("file_format", sorted(SUFFIX))
def test_an_extract_opens_in_geopandas_with_the_features_the_api_shows(
    live_server, file_format, tmp_path
):
    expected = all_items(live_server, "buildings", "developer")
    archive = extract(live_server, {"collections": ["buildings"], "format": file_format}, "developer")
    archive.extractall(tmp_path)
    path = next(path for path in tmp_path.rglob("*") if path.suffix == SUFFIX[file_format])
    if file_format == "parquet":
        frame = geopandas.read_parquet(path)
    else:
        frame = geopandas.read_file(path, layer="buildings")
    assert sorted(frame["id"]) == sorted(item["id"] for item in expected)
    assert frame.crs.to_epsg() == 4326 or "CRS84" in frame.crs.to_string()
    names = {name for item in expected for name in item["properties"]}
    assert names <= set(frame.columns)
    heights = {item["id"]: item["properties"].get("height_m") for item in expected}
    for identifier, height in zip(frame["id"], frame["height_m"], strict=True):
        assert heights[identifier] is None or abs(heights[identifier] - height) < 1e-9


def test_an_extract_carries_its_terms_and_a_manifest_that_fits(live_server):
    import hashlib

    archive = extract(
        live_server, {"collections": ["shelters", "hazard_zones"], "format": "geojson"}, None
    )
    names = archive.namelist()
    manifest = json.loads(archive.read("manifest.json"))
    assert any(name.upper().startswith("LICENCE") for name in names)
    for entry in manifest["files"]:
        assert hashlib.sha256(archive.read(entry["name"])).hexdigest() == entry["sha256"]


def test_an_extract_of_an_area_has_what_lies_in_it(live_server):
    extent = live_server.json("/collections/buildings", "developer")["extent"]["spatial"]["bbox"][0]
    middle = [(extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2]
    box = [extent[0], extent[1], *middle]
    archive = extract(
        live_server, {"collections": ["buildings"], "bbox": box, "format": "geojson"}, "developer"
    )
    name = next(name for name in archive.namelist() if name.endswith("buildings.geojson"))
    ids = {item["id"] for item in json.loads(archive.read(name))["features"]}
    corners = ",".join(map(str, box))
    page = live_server.json(f"/collections/buildings/items?limit=10000&bbox={corners}", "developer")
    assert ids == {item["id"] for item in page["features"]}
    assert ids


def test_an_area_can_be_named_by_its_administrative_code(live_server):
    town = next(
        item
        for item in all_items(live_server, "admin_areas", None)
        if item["properties"].get("level") == "city"
    )
    request = {"collections": ["shelters"], "area": town["properties"]["code"], "format": "geojson"}
    archive = extract(live_server, request, None)
    assert any(name.endswith("shelters.geojson") for name in archive.namelist())


def test_a_hidden_collection_cannot_be_extracted(live_server):
    bodies = []
    for name in ("lanes", "nonsense"):
        request = json.dumps({"collections": [name], "format": "gpkg"}).encode()
        status, _, body = send(
            live_server, "/extracts", request, "developer", Content_Type="application/json"
        )
        assert status in (400, 404)
        bodies.append((status, body))
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize(
    ("request_", "parameter"),
    [
        ({"collections": [], "format": "gpkg"}, "collections"),
        ({"collections": ["shelters"], "format": "exe"}, "format"),
        ({"collections": ["shelters"], "format": "gpkg", "bbox": [1, 2, 3]}, "bbox"),
        ({"collections": ["shelters"], "format": "gpkg", "colour": "red"}, "colour"),
    ],
)
def test_a_bad_request_names_what_is_wrong(live_server, request_, parameter):
    status, _, body = send(
        live_server, "/extracts", json.dumps(request_).encode(), None, Content_Type="application/json"
    )
    assert status == 400
    assert json.loads(body)["parameter"].startswith(parameter)


def test_a_job_is_its_owners_alone(live_server):
    jobs = live_server.json("/jobs", "developer")["jobs"]
    if not jobs:
        extract(live_server, {"collections": ["segments"], "format": "gpkg"}, "developer")
        jobs = live_server.json("/jobs", "developer")["jobs"]
    assert jobs
    for job, key, part in itertools.product(jobs[:3], ("automaker", "operator", None), ("", "/result")):
        status, _, body = live_server.get(f"/jobs/{job['id']}{part}", key)
        assert (status, body) == (404, live_server.get(f"/jobs/0000000000000001{part}", key)[2])


def test_a_result_can_be_fetched_in_ranges(live_server):
    done = [job for job in live_server.json("/jobs", "developer")["jobs"] if job["status"] == "done"]
    if not done:
        extract(live_server, {"collections": ["segments"], "format": "gpkg"}, "developer")
        done = [
            job for job in live_server.json("/jobs", "developer")["jobs"] if job["status"] == "done"
        ]
    request = urllib.request.Request(f"{live_server.url}/jobs/{done[0]['id']}/result")
    request.add_header("X-API-Key", live_server.keys["developer"])
    request.add_header("Range", "bytes=0-3")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 206
        assert answer.read() == b"PK\x03\x04"
