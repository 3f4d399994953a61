"""An officer turns a warning into an evacuation area, with one confirmation and never without."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from geoshare.errors import Conflict
from geoshare.services.evacuation_proposals import follows
from sample_data.formats import telegrams as made
from tests.desk.conftest import OTHER, TOWN, Town, square

IN_FORCE = {"state": "in_force", "status": "normal", "hazard": "landslide", "level": 4}


@pytest.mark.parametrize(
    ("changes", "level", "kind", "hazard"),
    [
        ({}, 4, "evacuate", "landslide"),
        ({"level": 3, "hazard": "flood"}, 3, "elderly", "flood"),
        ({"level": 5, "hazard": "heavy_rain"}, 5, "emergency", "inland_flood"),
        ({"level": None, "hazard": "tsunami", "severity": "advisory"}, 4, "evacuate", "tsunami"),
        ({"level": 4, "hazard": "other"}, 4, "evacuate", None),
    ],
)
def test_level_and_hazard_follow_from_the_warning(
    changes: dict[str, Any], level: int, kind: str, hazard: str | None
) -> None:
    found = follows(IN_FORCE | changes)
    assert (found["level"], found["kind"], found["hazard_type"]) == (level, kind, hazard)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "drill"},
        {"state": "test"},
        {"state": "lifted"},
        {"state": "cancelled"},
        {"state": "reported"},
        {"state": None},
        {"status": "drill"},
        {"level": 2},
        {"level": None, "hazard": "storm"},
        {"level": None, "hazard": "tsunami", "severity": "forecast"},
    ],
)
def test_nothing_follows_from_a_drill_what_is_over_or_has_no_level(changes: dict[str, Any]) -> None:
    with pytest.raises(Conflict) as error:
        follows(IN_FORCE | changes)
    assert error.value.message_ja


@pytest.fixture
def warned(town: Town, tmp_path: Path) -> Town:
    """Both municipalities warned of landslides, the first drilled as well."""
    features = [
        {
            "type": "Feature",
            "geometry": square(west, 35.4, 0.2),
            "properties": {"code": code, "name": name, "level": "city"},
        }
        for name, code, west in (("潮見町", "089991", 139.4), ("北潮村", "089982", 140.4))
    ]
    path = tmp_path / "areas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    town.contribute(path, collection="admin_areas")
    kinds = [("レベル４土砂災害危険警報", "49", "発表")]
    both = made.weather({made.TOWN: kinds, made.VILLAGE: kinds}, phenomenon="土砂")
    for telegram in (both, made.DRILL):
        assert town.services.warnings.take(telegram.xml(), "t.xml").error is None
    town.publish()
    return town


def warnings_of(town: Town, key: str | None = TOWN) -> dict[tuple[str, str], str]:
    headers = {"X-API-Key": town.keys[key]} if key else {}
    answer = town.client.get("/collections/warnings/items", headers=headers)
    assert answer.status_code == 200
    return {
        (item["properties"]["area_name"], item["properties"]["state"]): item["id"]
        for item in answer.json["features"]
    }


def test_everybody_sees_what_is_in_force_and_drills_as_such(warned: Town) -> None:
    assert set(warnings_of(warned, None)) == {
        ("潮見町", "in_force"),
        ("北潮村", "in_force"),
        ("潮見町", "drill"),
    }
    over = made.weather({made.TOWN: []}, made.RAIN + timedelta(hours=9), phenomenon="土砂")
    warned.services.warnings.take(over.xml(), "t.xml")
    warned.publish()
    assert ("潮見町", "lifted") in warnings_of(warned)
    assert {state for area, state in warnings_of(warned, None) if area == "潮見町"} == {"drill"}


def test_one_confirmation_makes_one_evacuation_area_and_a_second_none(warned: Town) -> None:
    warning = warnings_of(warned)["潮見町", "in_force"]
    path = f"/warnings/{warning}/evacuation-area"
    before = warned.client.get("/collections/evacuation_areas/items").json["numberMatched"]
    proposal = warned.ask("GET", path).json
    assert proposal["areas"] == [{"code": "089991"}]
    assert (proposal["proposed"]["level"], proposal["proposed"]["kind"]) == (4, "evacuate")
    warned.publish()
    unmade = warned.client.get("/collections/evacuation_areas/items").json["numberMatched"]
    assert unmade == before  # looking makes nothing

    answers = [warned.ask("POST", path, {"version": proposal["version"]}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    (first,), (second,) = (answer.json["features"] for answer in answers)
    assert first["id"] == second["id"]
    seen = warned.seen("evacuation_areas", first["id"], None)
    assert seen is not None
    assert (seen["level"], seen["status"], seen["hazard_type"]) == (4, "active", "landslide")
    assert seen["area_codes"] == ["089991"]
    assert "9月17日10時05分発表" in seen["notes"]


def test_a_drill_a_stranger_and_a_changed_warning_make_nothing(warned: Town) -> None:
    known = warnings_of(warned)
    drill = f"/warnings/{known['潮見町', 'drill']}/evacuation-area"
    real = f"/warnings/{known['潮見町', 'in_force']}/evacuation-area"
    assert warned.ask("GET", drill).status_code == 409
    assert warned.ask("POST", drill, {"version": "x"}).status_code == 409
    assert warned.ask("POST", real, {"version": "x"}).status_code == 409
    assert warned.ask("POST", real, {}).status_code == 400
    assert warned.ask("GET", real, key=None).status_code == 401
    assert warned.ask("GET", real, key="developer").status_code == 403
    assert warned.ask("GET", "/warnings/nothing/evacuation-area").status_code == 404
    version = warned.ask("GET", real).json["version"]
    goes_on = made.weather(
        {made.TOWN: [("レベル３土砂災害警報", "09", "発表")]},
        made.RAIN + timedelta(hours=1),
        phenomenon="土砂",
    )
    warned.services.warnings.take(goes_on.xml(), "t.xml")
    warned.publish()
    assert warned.ask("POST", real, {"version": version}).status_code == 409
    assert warned.client.get("/collections/evacuation_areas/items").json["numberMatched"] == 0


def test_an_officer_makes_areas_of_the_own_municipality_alone(warned: Town) -> None:
    path = f"/warnings/{warnings_of(warned)['北潮村', 'in_force']}/evacuation-area"
    proposal = warned.ask("GET", path).json
    assert proposal["areas"] == []
    version = {"version": proposal["version"]}
    assert warned.ask("POST", path, version).status_code == 400
    assert warned.ask("POST", path, version | {"area_codes": ["089982"]}).status_code == 400
    theirs = warned.ask("GET", path, key=OTHER).json
    assert theirs["areas"] == [{"code": "089982"}]
    body = {"version": theirs["version"], "level": 5}
    answer = warned.ask("POST", path, body, key=OTHER)
    assert answer.status_code == 201
    seen = warned.seen("evacuation_areas", answer.json["features"][0]["id"], None)
    assert seen is not None
    assert (seen["level"], seen["kind"]) == (5, "emergency")


def test_a_drill_by_the_same_office_leaves_the_real_warning(warned: Town) -> None:
    drill = replace(
        made.weather({made.TOWN: []}, made.RAIN + timedelta(hours=2), phenomenon="土砂"), status="訓練"
    )
    warned.services.warnings.take(drill.xml(), "t.xml")
    warned.publish()
    assert ("潮見町", "in_force") in warnings_of(warned, None)
