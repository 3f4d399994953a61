from __future__ import annotations

import pytest
import shapely

from geoshare.query.search import fold, search_names
from tests.access.town import Town, policy


@pytest.fixture
def views(tmp_path):
    town = Town(tmp_path)
    square = shapely.box(139, 35, 140, 36)
    town.packs.publish(
        "places",
        [
            (
                "p1",
                shapely.Point(139.1, 35.1),
                {"name": "潮見", "name_kana": "シオミ", "name_en": "Shiomi"},
            ),
            ("p2", shapely.Point(139.2, 35.2), {"name": "潮見公園", "name_kana": "シオミコウエン"}),
            ("p3", shapely.Point(139.3, 35.3), {"name": "北潮見", "class": "secret"}),
            ("p4", shapely.Point(139.4, 35.4), {"name": "潮見", "class": "secret"}),
        ],
    )
    town.packs.publish("admin_areas", [("a1", square, {"name": "潮見町", "name_en": "Shiomi Town"})])
    line = shapely.LineString([(139, 35), (139.5, 35.5)])
    town.packs.publish("segments", [(f"s{n}", line, {"name": "潮見通り"}) for n in range(30)])
    open_rows = {"op": "isNull", "args": [{"property": "class"}]}
    held = policy(
        {"collections": ["places"], "columns": ["name", "name_kana", "name_en"], "rows": open_rows},
        {"collections": ["admin_areas"], "columns": ["name", "name_en"]},
        {"collections": ["segments"], "columns": ["name"]},
    )
    return [town.view(held, name) for name in ("segments", "admin_areas", "places")]


def test_whole_names_come_first_then_beginnings_and_a_street_once(views):
    assert [hit["id"] for hit in search_names(views, "潮見")][:3] == ["p1", "p2", "a1"]
    assert [hit["name"] for hit in search_names(views, "潮見")].count("潮見通り") == 1


def test_a_drill_is_told_from_what_is_real_as_far_as_one_may_know_it(tmp_path):
    town = Town(tmp_path)
    area = shapely.box(139, 35, 140, 36)
    town.packs.publish(
        "evacuation_areas",
        [
            ("e1", area, {"name": "北潮見", "level": 4, "status": "active"}),
            ("e2", area, {"name": "北潮見", "level": 5, "status": "drill"}),
        ],
    )
    told = {}
    for columns in (["name", "status"], ["name"]):
        held = policy({"collections": ["evacuation_areas"], "columns": columns})
        found = search_names([town.view(held, "evacuation_areas")], "潮見")
        told[len(columns)] = {hit["id"]: hit.get("drill") for hit in found}
    assert told == {2: {"e1": None, "e2": "drill"}, 1: {"e1": None, "e2": None}}


@pytest.mark.parametrize("text", ["しおみこう", "ｼｵﾐｺｳ", "シオミ コウ"])
def test_kana_of_any_kind_and_width_finds_the_same(views, text):
    assert [hit["id"] for hit in search_names(views, text)] == ["p2"]


def test_latin_names_are_found_in_any_case_and_say_where_they_are(views):
    hit = search_names(views, "shiomi")[0]
    assert hit == {
        "id": "p1",
        "collection": "places",
        "name": "潮見",
        "name_en": "Shiomi",
        "lon_lat": [139.1, 35.1],
        "bbox": [139.1, 35.1, 139.1, 35.1],
    }
    assert search_names(views, "Shiomi Town")[0]["bbox"] == [139, 35, 140, 36]


def test_hidden_rows_are_not_found_and_the_limit_holds(views):
    assert not {"p3", "p4"} & {hit["id"] for hit in search_names(views, "潮見", 50)}
    assert len(search_names(views, "潮", 2)) == 2
    assert search_names(views, "  ") == []


def test_folding_keeps_voiced_kana_apart():
    assert fold("ガ") != fold("カ")
    assert fold("Ａé ") == "ae"
