"""What an agreement lets somebody edit ends where it says, though they see farther; and it says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from geoshare.errors import BadRequest
from geoshare.services.keeping import make_worker
from geoshare.services.written import Author
from tests.desk.conftest import Town, point, square
from tests.desk.sheets import apply, items, preview

COUNTY, CODE = "county", "089991"
HERE, BEYOND = [139.55, 35.45], [139.85, 35.45]


@pytest.fixture
def county(town: Town, tmp_path: Path) -> Town:
    """An officer who sees everything and edits in the municipality of one code alone."""
    areas = [
        _feature(CODE, square(139.5, 35.4, 0.1), code=CODE, name="潮見町", level="municipality"),
        _feature("089991001", square(139.5, 35.4, 0.05), code="089991001", level="district"),
        _feature("089982001", square(139.8, 35.4, 0.1), code="089982001", level="district"),
    ]
    roads = [
        _feature(name, {"type": "LineString", "coordinates": [at, [at[0] + 0.01, at[1]]]}, name=name)
        for name, at in (("here", HERE), ("beyond", BEYOND))
    ]
    for collection, features in (("admin_areas", areas), ("segments", roads)):
        path = tmp_path / f"{collection}.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
        town.contribute(path, collection=collection)
    town.local.agree(COUNTY, ("municipal",), days=1, reason="a test", contribute_area=CODE)
    town.keys[COUNTY] = town.local.create_key(COUNTY, (), days=1)
    town.publish()
    return town


def _feature(key: str, geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "id": key, "properties": properties, "geometry": geometry}


def _refused(answer: Any, status: int) -> dict[str, Any]:
    """A refusal that names the area in both languages."""
    assert answer.status_code == status, answer.data.decode()
    said: dict[str, Any] = answer.json
    assert "潮見町 (089991)" in said["allowed"]
    assert "潮見町 (089991)" in said["allowed_ja"]
    assert "潮見町" in said["detail_ja"]
    return said


def test_an_area_of_contributions_narrows_what_is_edited_and_nothing_that_is_seen(county: Town) -> None:
    made = county.make("shelters", {"name": "隣村の公民館"}, point(BEYOND))
    seen = county.seen("shelters", made["id"], COUNTY)
    assert seen is not None
    assert seen["name"] == "隣村の公民館"
    county.make("shelters", {"name": "本町公民館"}, point(HERE), key=COUNTY)
    rights = county.ask("GET", "/desk/collections", key=COUNTY).json["collections"]
    assert {tuple(item["area"]) for item in rights} == {(139.5, 35.4, 139.6, 35.5)}
    assert {tuple(item["area_names"]) for item in rights} == {("潮見町 (089991)",)}
    assert {tuple(item["area_codes"]) for item in rights} == {("089991",)}
    county.publish()
    listed = county.ask("GET", "/desk/collections/shelters/items", key=COUNTY).json["features"]
    told = {item["properties"]["name"]: item["editable"] for item in listed}
    assert told == {"隣村の公民館": False, "本町公民館": True}
    path = f"/desk/collections/shelters/items/{made['id']}"
    assert county.ask("GET", path, key=COUNTY).json["editable"] is False
    assert county.ask("GET", path).json["editable"] is True  # who is bounded by nothing


def test_whoever_edits_beyond_it_is_told_where_they_may(county: Town) -> None:
    theirs = county.make("shelters", {"name": "隣村の公民館"}, point(BEYOND))
    county.publish()
    path = f"/collections/shelters/items/{theirs['id']}"
    seen = f'"{county.version("shelters", theirs["id"], COUNTY)}"'
    for method in ("PATCH", "PUT", "DELETE"):
        body = None if method == "DELETE" else {"properties": {"name": "変更", "status": "full"}}
        _refused(county.ask(method, path, body, COUNTY, If_Match=seen), 403)
    body = {"geometry": point(BEYOND), "properties": {"name": "新しい"}}
    _refused(county.ask("POST", "/collections/shelters/items", body, COUNTY), 400)
    for said in ({"geometry": square(139.55, 35.45, 0.3)}, {}):
        blocks = {} if said else {"area_codes": ["089982001"]}
        body = said | {"properties": {"level": 4} | blocks}
        _refused(county.ask("POST", "/collections/evacuation_areas/items", body, COUNTY), 400)


def test_a_closure_names_no_road_beyond_the_area(county: Town) -> None:
    listed = county.ask("GET", "/collections/segments/items").json["features"]
    ids = {item["properties"]["name"]: item["id"] for item in listed}
    said = {"kind": "closure", "regulation_category": "closedWeather"}
    for name, status in (("here", 201), ("beyond", 400)):
        body = {"geometry": point(HERE), "properties": said | {"segment_ids": [ids[name]]}}
        answer = county.ask("POST", "/collections/events/items", body, COUNTY)
        assert answer.status_code == status, answer.data
    assert _refused(answer, 400)["parameter"] == "segment_ids"


def test_an_edit_is_not_taken_back_where_one_may_edit_no_more(county: Town) -> None:
    made = county.make("shelters", {"name": "公民館"}, point(BEYOND))
    agreements = county.services.agreements
    (row,) = agreements.rows("town")
    agreements.end(row.id, Author("operator", "a test"))
    county.local.agree("town", ("municipal",), days=1, reason="a test", contribute_area=CODE)
    _refused(county.ask("POST", f"/desk/edits/{made['edit']}/undo", {}), 403)


def test_a_sheet_names_rows_beyond_the_area_and_does_the_others(county: Town) -> None:
    table = "名称,緯度,経度\r\n中,35.45,139.55\r\n外,10,10\r\n逆,139.55,35.45\r\n逆,35.45,139.85\r\n"
    shown = preview(county, table.encode(), key=COUNTY)
    assert [row["kind"] for row in shown["rows"]] == ["new", "error", "error", "error"]
    wrong = [cell["error"] for row in shown["rows"][1:] for cell in row["cells"] if "error" in cell]
    assert "潮見町 (089991)" in wrong[0]["ja"]
    assert "潮見町 (089991)" in wrong[0]["allowed_ja"]
    assert "緯度と経度が入れ替わっていませんか" in wrong[1]["ja"]
    assert apply(county, shown, key=COUNTY).json["features"] == 1
    assert [item["name"] for item in items(county).values()] == ["中"]


def test_a_place_that_lies_right_the_other_way_round_is_said_to_be_turned(county: Town) -> None:
    body = {"geometry": point(HERE[::-1]), "properties": {"name": "逆"}}
    answer = county.ask("POST", "/collections/shelters/items", body, COUNTY)
    assert (answer.status_code, answer.json["detail_ja"]) == (
        400,
        "図形の緯度と経度が入れ替わっています",
    )


def test_a_sent_file_with_features_beyond_the_area_is_refused_whole(county: Town) -> None:
    worker = make_worker(county.services)
    for places, error in (((HERE,), None), ((HERE, BEYOND), "outside-area")):
        features = [_feature(str(at), point(at), name=f"給水 {at}") for at in places]
        body = json.dumps({"type": "FeatureCollection", "features": features}).encode()
        path = f"/contributions?collection=water_points&filename={len(places)}.geojson"
        sent = county.ask("POST", path, body, COUNTY)
        assert sent.status_code == 202, sent.data
        assert worker.run_one()
        done = county.ask("GET", sent.headers["Location"], key=COUNTY).json
        said = done.get("error") or {}
        assert said.get("code") == error, done
    assert "潮見町 (089991)" in said["allowed_ja"]
    assert len(items(county, "water_points")) == 1


def test_an_agreement_names_only_areas_that_are_there(county: Town) -> None:
    with pytest.raises(BadRequest) as caught:
        county.local.agree(COUNTY, ("municipal",), days=1, reason="a test", contribute_area="099999")
    assert caught.value.parameter == "area"
