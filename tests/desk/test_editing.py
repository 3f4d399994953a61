"""One officer edits: what is said is shown, what is not allowed is refused in words."""

from __future__ import annotations

import json

import pytest

from geoshare.merge.conform import moment_us
from geoshare.model.times import iso
from tests.desk.conftest import INSIDE, OTHER, OUTSIDE, TOWN, Town, point, square

SHELTER = {"name": "潮見小学校", "status": "open", "people_count": 12, "care_count": 3}
CLOSURE = {"kind": "closure", "regulation_category": "closedWeather", "name": "川端通り"}


def test_a_shelter_is_shown_to_the_public_without_what_is_not_for_it(town: Town) -> None:
    made = town.make("shelters", SHELTER)
    public, own = town.seen("shelters", made["id"], None), town.seen("shelters", made["id"])
    assert public is not None
    assert own is not None
    assert (public["status"], public["people_count"]) == ("open", 12)
    assert "care_count" not in public
    assert own["care_count"] == 3


@pytest.mark.parametrize("state", ["not_open", "open", "full", "closed"])
def test_a_state_is_set_with_its_time_and_counted_values_are_zero_or_unknown(
    town: Town, state: str
) -> None:
    made = town.make("shelters", {"name": "A", "people_count": 5})
    assert town.change(made, {"status": state, "people_count": 0}).status_code == 200
    seen = town.seen("shelters", made["id"], None)
    assert seen is not None
    assert (seen["status"], seen["people_count"], seen["pets_accepted"]) == (state, 0, None)
    assert moment_us(seen["status_updated_at"]) <= town.services.clock.now_us()


def test_a_null_takes_a_value_away_and_what_is_not_named_stays(town: Town) -> None:
    made = town.make("shelters", SHELTER)
    answer = town.change(made, {"people_count": None})
    assert answer.status_code == 200
    seen = town.seen("shelters", made["id"])
    assert seen is not None
    assert (seen["people_count"], seen["care_count"], seen["name"]) == (None, 3, "潮見小学校")


def test_replacing_says_only_what_is_said(town: Town) -> None:
    made = town.make("shelters", SHELTER)
    path = f"/collections/shelters/items/{made['id']}"
    body = {"properties": {"name": "B"}}
    assert town.ask("PUT", path, body, If_Match=f'"{made["version"]}"').status_code == 200
    seen = town.seen("shelters", made["id"])
    assert seen is not None
    assert (seen["name"], seen["people_count"]) == ("B", None)


@pytest.mark.parametrize(
    "geometry",
    [
        point(INSIDE),
        {"type": "LineString", "coordinates": [INSIDE, [139.51, 35.51]]},
        square(139.4, 35.4, 0.1),
    ],
)
def test_a_closure_is_a_point_a_line_or_an_area_and_begins_now(town: Town, geometry: dict) -> None:
    made = town.make("events", CLOSURE, geometry)
    town.publish()
    answer = town.client.get(f"/collections/events/items/{made['id']}")
    assert json.loads(answer.data)["geometry"]["type"] == geometry["type"]
    assert json.loads(answer.data)["properties"]["valid_from"] is not None
    assert json.loads(answer.data)["properties"]["status"] == "active"


def test_an_evacuation_area_is_made_of_town_blocks(town: Town, tmp_path) -> None:
    blocks = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": code, "level": "district"},
            "geometry": at,
        }
        for code, at in (
            ("089991001", square(139.4, 35.4, 0.1)),
            ("089991002", square(139.5, 35.4, 0.1)),
            ("089991003", square(139.6, 35.4, 0.1)),
        )
    ]
    path = tmp_path / "blocks.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": blocks}))
    town.contribute(path, collection="admin_areas")
    body = {"properties": {"level": 4, "area_codes": ["089991001", "089991002"], "name": "東部"}}
    answer = town.ask("POST", "/collections/evacuation_areas/items", body)
    assert answer.status_code == 201, answer.data.decode()
    town.publish()
    found = json.loads(town.client.get(f"/collections/evacuation_areas/items/{answer.json['id']}").data)
    assert found["properties"]["kind"] == "evacuate"
    corners = {tuple(corner) for corner in found["geometry"]["coordinates"][0]}
    assert {(139.4, 35.4), (139.6, 35.5)} <= corners
    assert (139.7, 35.5) not in corners
    named = town.ask("POST", "/collections/evacuation_areas/items", body | {"geometry": None})
    assert named.status_code == 201, named.data.decode()  # GeoJSON asks for the member
    body["properties"]["area_codes"] = ["089991009"]
    refused = town.ask("POST", "/collections/evacuation_areas/items", body)
    assert (refused.status_code, refused.json["parameter"]) == (400, "area_codes")
    assert "089991009" in refused.json["detail_ja"]


WHOLE_COUNTRY = square(130.0, 31.0, 10)


@pytest.mark.parametrize(
    ("collection", "properties", "geometry", "parameter"),
    [
        ("shelters", {"name": "A", "status": "burning"}, point(INSIDE), "status"),
        ("shelters", {"name": "A", "people_count": -1}, point(INSIDE), "people_count"),
        ("shelters", {"name": "A", "people_count": "many"}, point(INSIDE), "people_count"),
        ("shelters", {"name": "A", "people_count": True}, point(INSIDE), "people_count"),
        ("shelters", {"name": "A" * 3000}, point(INSIDE), "name"),
        ("water_points", {"name": "A", "valid_to": "tomorrow"}, point(INSIDE), "valid_to"),
        ("shelters", {"name": "A", "common_id": "E1"}, point(INSIDE), "common_id"),
        ("shelters", {"name": "A", "nothing": 1}, point(INSIDE), "nothing"),
        ("shelters", {"status": "open"}, point(INSIDE), "name"),
        ("shelters", {"name": "A"}, None, "geometry"),
        ("shelters", {"name": "A"}, square(139.4, 35.4, 0.1), "geometry"),
        ("shelters", {"name": "A"}, point(OUTSIDE), "geometry"),
        ("shelters", {"name": "A"}, point([139.5, 95]), "geometry"),
        ("shelters", {"name": "A"}, {"type": "Point", "coordinates": ["x", 1]}, "geometry"),
        ("shelters", {"name": "A"}, {"type": "Point", "coordinates": []}, "geometry"),
        ("events", {"kind": "closure"}, point(INSIDE), "regulation_category"),
        ("events", CLOSURE | {"segment_ids": ["nothing"]}, point(INSIDE), "segment_ids"),
        ("evacuation_areas", {"level": 2}, square(139.4, 35.4, 0.1), "level"),
        ("evacuation_areas", {"level": 4, "kind": "elderly"}, square(139.4, 35.4, 0.1), "kind"),
        (
            "evacuation_areas",
            {"level": 4, "valid_from": "2026-09-17T20:00:00Z", "valid_to": "2026-09-17T10:00:00Z"},
            square(139.4, 35.4, 0.1),
            "valid_to",
        ),
        ("evacuation_areas", {"level": 4}, WHOLE_COUNTRY, "geometry"),
        (
            "evacuation_areas",
            {"level": 4},
            {"type": "Polygon", "coordinates": [[[139.1, 35.1], [139.2, 35.2], [139.2, 35.1],
                                                 [139.1, 35.2], [139.1, 35.1]]]},
            "geometry",
        ),
        ("damage_reports", {"kind": "road", "photo": "0" * 64}, point(INSIDE), "photo"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name_in_both_languages_and_nothing_is_kept(
    town: Town, collection: str, properties: dict, geometry: dict | None, parameter: str
) -> None:
    before = town.services.record.row_counts()
    body = {"properties": properties} | ({} if geometry is None else {"geometry": geometry})
    answer = town.ask("POST", f"/collections/{collection}/items", body)
    assert (answer.status_code, answer.json["parameter"]) == (400, parameter), answer.data.decode()
    assert answer.json["allowed"]
    assert any(ord(letter) > 0x3000 for letter in answer.json["detail_ja"])
    assert town.services.record.row_counts() == before


def test_a_polygon_of_the_whole_country_is_refused_naming_the_allowed_area(town: Town) -> None:
    body = {"geometry": WHOLE_COUNTRY, "properties": {"level": 4}}
    answer = town.ask("POST", "/collections/evacuation_areas/items", body)
    assert "[139.0, 35.0, 140.0, 36.0]" in answer.json["allowed"]
    # also where no agreement names an area
    answer = town.ask("POST", "/collections/evacuation_areas/items", body, key="municipal")
    assert answer.status_code == 400
    assert "km2" in answer.json["allowed"]


def test_a_clock_ten_minutes_off_is_taken_and_the_recorded_time_is_the_servers(town: Town) -> None:
    now_us = town.services.clock.now_us()
    ahead = iso(now_us // 1_000_000 * 1_000_000 + 600_000_000)
    made = town.make("shelters", {"name": "A", "status": "open", "status_updated_at": ahead})
    assert town.seen("shelters", made["id"])["status_updated_at"] == ahead  # type: ignore[index]
    said = {"properties": {"status": "full", "status_updated_at": ahead}, "edit": {"at": ahead}}
    path = f"/collections/shelters/items/{made['id']}"
    assert town.ask("PATCH", path, said, If_Match=made["version"]).status_code == 200
    newest = town.ask("GET", f"/desk{path}/history").json["history"][0]
    assert newest["said_at"] == ahead
    assert newest["at"] < ahead
    far = iso(now_us + 3_600_000_000)
    body = {"geometry": point(INSIDE), "properties": {"name": "B", "status_updated_at": far}}
    refused = town.ask("POST", "/collections/shelters/items", body)
    assert (refused.status_code, refused.json["parameter"]) == (400, "status_updated_at")


def test_only_who_holds_an_agreement_to_contribute_edits_and_the_rest_is_told_nothing(
    town: Town,
) -> None:
    made = town.make("shelters", SHELTER)
    path = f"/collections/shelters/items/{made['id']}"
    town.publish()
    body = {"geometry": point(INSIDE), "properties": {"name": "A"}}
    assert town.ask("POST", "/collections/shelters/items", body, key=None).status_code == 401
    assert town.ask("POST", "/collections/shelters/items", body, key="developer").status_code == 403
    assert town.ask("GET", f"/desk{path}", key="developer").status_code == 403
    # a collection that nobody edits here, and one that is hidden or is not
    assert town.ask("POST", "/collections/places/items", body).status_code == 403
    hidden = town.ask("POST", "/collections/lanes/items", body)
    missing = town.ask("POST", "/collections/nothing/items", body)
    assert hidden.status_code == missing.status_code == 404
    assert hidden.data == missing.data


def test_a_feature_of_another_town_is_as_if_it_were_not_there(town: Town) -> None:
    made = town.make("damage_reports", {"kind": "road"})
    town.publish()
    for method in ("GET", "PATCH", "DELETE"):
        desk = "/desk" if method == "GET" else ""
        paths = [f"{desk}/collections/damage_reports/items/{name}" for name in (made["id"], "nothing")]
        body = None if method == "GET" else {}
        answers = [town.ask(method, path, body, key=OTHER, If_Match=made["version"]) for path in paths]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].data == answers[1].data
    path = f"/desk/collections/damage_reports/items/{made['id']}/history"
    assert town.ask("GET", path, key=OTHER).status_code == 404
    assert town.ask("GET", "/desk/edits", key=OTHER).json["edits"] == []
    assert town.ask("POST", f"/desk/edits/{made['edit']}/undo", {}, key=OTHER).status_code == 404
    assert town.seen("damage_reports", made["id"]) is not None


def test_what_is_public_and_outside_ones_own_area_is_seen_and_not_edited(town: Town) -> None:
    made = town.make("shelters", SHELTER)
    town.publish()
    version = town.version("shelters", made["id"], OTHER)
    assert version != made["version"]
    answer = town.change(made | {"version": version}, {"status": "closed"}, key=OTHER)
    assert answer.status_code == 403
    assert (
        town.ask("GET", f"/desk/collections/shelters/items/{made['id']}", key=OTHER).json["own"] == {}
    )


def test_asking_twice_for_a_feature_of_ones_own_name_makes_one(town: Town) -> None:
    body = {"geometry": point(INSIDE), "properties": {"name": "A"}, "name": "queued-1"}
    first, second = (town.ask("POST", "/collections/water_points/items", body) for _ in range(2))
    assert first.json["id"] == second.json["id"]
    assert first.json["version"] == second.json["version"]
    town.publish()
    assert len(town.items("water_points", None)) == 1


def test_many_edits_are_done_together_or_not_at_all(town: Town) -> None:
    def create(name: str) -> dict:
        return {"action": "create", "collection": "water_points", "geometry": point(INSIDE),
                "properties": {"name": name}}  # fmt: skip

    good = town.ask("POST", "/desk/edits", {"reason": "断水", "edits": [create("A"), create("B")]})
    assert good.status_code == 201
    bad = create("C") | {"properties": {"name": "C", "status": "none"}}
    refused = town.ask("POST", "/desk/edits", {"edits": [create("D"), bad]})
    assert refused.status_code == 400
    town.publish()
    assert {item["properties"]["name"] for item in town.items("water_points", None)} == {"A", "B"}
    (edit,) = town.ask("GET", "/desk/edits").json["edits"]
    assert (edit["reason"], len(edit["features"])) == ("断水", 2)
    assert town.ask("POST", "/desk/edits", {"edits": [create("E")] * 501}).status_code == 400


def test_a_later_file_of_the_same_town_keeps_what_was_said_at_the_desk(town: Town, tmp_path) -> None:
    def send(phone: str) -> None:
        path = tmp_path / "list.geojson"
        row = {"name": "A", "common_id": "E0001", "phone": phone}
        feature = {"type": "Feature", "properties": row, "geometry": point(INSIDE)}
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
        town.contribute(path, provider=TOWN, collection="shelters")

    send("03-1")
    (item,) = town.items("shelters", None)
    path = f"/collections/shelters/items/{item['id']}"
    version = town.version("shelters", item["id"])
    answer = town.ask("PATCH", path, {"properties": {"status": "full"}}, If_Match=version)
    assert answer.status_code == 200
    send("03-2")
    seen = town.seen("shelters", item["id"], None)
    assert seen is not None
    assert (seen["status"], seen["phone"]) == ("full", "03-2")
    kinds = [entry["kind"] for entry in town.ask("GET", f"/desk{path}/history").json["history"]]
    assert kinds == ["file", "update", "file"]


def test_what_may_be_edited_is_told_with_titles_and_area(town: Town) -> None:
    found = town.ask("GET", "/desk/collections").json
    about = {item["id"]: item for item in found["collections"]}
    assert set(about) == {"shelters", "evacuation_areas", "events", "water_points", "damage_reports"}
    status = about["shelters"]["properties"]["status"]
    assert status["x-enum-titles-ja"]["not_open"] == "未開設"
    assert status["x-enum-titles-ja"]["closed"] == "閉鎖"
    assert about["shelters"]["area"] == [139.0, 35.0, 140.0, 36.0]
    assert "common_id" not in about["shelters"]["properties"]


def test_a_reason_may_have_lines_and_nothing_may_have_marks_that_are_not_seen(town: Town) -> None:
    notes = "一行目\n二行目\tend"
    made = town.make("events", CLOSURE | {"reason": notes})
    assert town.seen("events", made["id"])["reason"] == notes
    said = {"collection": "events", "id": made["id"], "version": made["version"], "action": "update"}
    edits = {"edits": [said | {"properties": {"name": "x"}}], "reason": "one\ntwo"}
    assert town.ask("POST", "/desk/edits", edits).status_code == 201
    for value in ("a\u0000", "a\u202eb", "\u001b[2J"):
        for name in ("reason", "source"):
            answer = town.ask("POST", "/desk/edits", edits | {name: value})
            assert (answer.status_code, answer.json["parameter"]) == (400, name)
        answer = town.change(made, {"name": value})
        assert (answer.status_code, answer.json["parameter"]) == (400, "properties")
        assert answer.json["allowed"]


def test_a_drill_is_called_one_by_its_name_for_everybody_until_it_is_none(town: Town) -> None:
    area = town.make(
        "evacuation_areas", {"level": 4, "status": "drill", "name": "本町"}, square(139.5, 35.5, 0.01)
    )
    assert town.seen("evacuation_areas", area["id"], None)["name"] == "【訓練】本町"
    area["version"] = town.version("evacuation_areas", area["id"])
    assert town.change(area, {"name": "【訓練】港"}).status_code == 200
    assert town.seen("evacuation_areas", area["id"], None)["name"] == "【訓練】港"
    area["version"] = town.version("evacuation_areas", area["id"])
    assert town.change(area, {"status": "active"}).status_code == 200
    assert town.seen("evacuation_areas", area["id"], None)["name"] == "港"
    closure = {"kind": "closure", "regulation_category": "other", "status": "drill"}
    made = town.make("events", closure)
    assert town.seen("events", made["id"], None)["name"] == "【訓練】"
