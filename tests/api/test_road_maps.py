"""What a car maker relies on: every lane of its map by its place, and the map back as a file."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from lxml import etree

from geoshare.extracts.road_maps import COLLECTIONS
from geoshare.services.keeping import make_worker
from tests.api.conftest import Own
from tests.extracts.roads import apart, roads
from tests.sources.opendrive.maps import road, shapes, xodr

EVERYTHING = "-180,-90,180,90"


def sent(own: Own, path: Path, text: str, **options: object) -> Path:
    path.write_text(text, "utf-8")
    own.contribute(path, **options)
    return path


def lanes_in(own: Own, box: str) -> list[dict]:
    answer = own.get(f"/collections/lanes/items?limit=10000&bbox={box}", "automaker")
    assert answer.status_code == 200, answer.data
    found = json.loads(answer.data)
    assert found["numberMatched"] == len(found["features"])
    return found["features"]


def test_every_lane_of_a_file_is_found_by_its_box_and_the_map_comes_back(
    own: Own, tmp_path: Path
) -> None:
    path = sent(own, tmp_path / "map.xodr", shapes())
    expected = sum(
        lane.get("id") != "0" for lane in etree.parse(path).getroot().iterfind(".//laneSection//lane")
    )
    lanes = lanes_in(own, EVERYTHING)
    assert len(lanes) == expected
    for lane in lanes:
        lon, lat = zip(*(point[:2] for point in lane["geometry"]["coordinates"]), strict=True)
        found = lanes_in(own, f"{min(lon)},{min(lat)},{max(lon)},{max(lat)}")
        assert lane["id"] in {other["id"] for other in found}

    worker = make_worker(own.services)
    own.services.extracts.pause = lambda _: worker.run_one()
    names = [name for name in COLLECTIONS if own.get(f"/collections/{name}").status_code == 200]
    answer = own.client.post(
        "/extracts",
        json={"collections": names, "format": "opendrive"},
        headers={"X-API-Key": own.keys["automaker"]},
    )
    assert answer.status_code == 200, answer.data
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        report = json.loads(archive.read("conversion.json"))
        back = tmp_path / "back.xodr"
        back.write_bytes(archive.read("geoshare.xodr"))
    assert report["roads_kept_exactly"] == 5
    assert report["dropped"] == {}
    assert {item["id"]: item["features"] for item in manifest["collections"]}["lanes"] == expected
    before, after = roads(path), roads(back)
    for key, one in before.items():
        assert apart(one, after[key]) < 1e-3


def test_a_wrong_place_is_refused_over_http_until_it_is_said(own: Own, tmp_path: Path) -> None:
    text = xodr(road(), reference="+proj=utm +zone=32 +lon_0=-122.08 +lat_0=37 +datum=WGS84")
    before = own.state()
    with pytest.raises(Exception, match="believably"):
        sent(own, tmp_path / "map.xodr", text)
    assert own.state() == before
    sent(own, tmp_path / "map.xodr", text, crs="EPSG:6677", offset="1000,2000")
    assert len(lanes_in(own, EVERYTHING)) == 2
    for wrong in ("1000", "1,2,3,4,5", "a,b", "1,nan"):
        answer = own.client.post(
            f"/contributions?filename=map.xodr&offset={wrong}",
            data=text.encode(),
            headers={"X-API-Key": own.keys["provider"]},
        )
        assert answer.status_code == 400
        assert json.loads(answer.data)["parameter"] == "offset"


def test_an_area_without_lanes_is_said_by_name(own: Own, tmp_path: Path) -> None:
    sent(own, tmp_path / "map.xodr", xodr(road()))
    answer = own.client.post(
        "/extracts",
        json={"collections": ["lanes"], "format": "opendrive", "bbox": [0, 0, 1, 1]},
        headers={"X-API-Key": own.keys["automaker"]},
    )
    assert (answer.status_code, answer.json["parameter"]) == (400, "bbox")
