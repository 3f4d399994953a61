"""References as addresses and links, codes by their titles, and what values there are, of views."""

from __future__ import annotations

import json
from typing import Any

import pytest
import shapely

from geoshare.access.view import View
from geoshare.query import codelists, domains, filters
from geoshare.query.items import ItemsQuery, items
from geoshare.query.rewording import Wording, reworded
from tests.access.town import Town, policy
from tests.query.test_projected import CURSORS

LINE = shapely.LineString([(139.7, 35.6), (139.71, 35.6)])
SEGMENTS = [
    (
        "s1",
        LINE,
        {"name": "本町通り", "class": "primary", "surface": "paved", "start_connector_id": "c1"},
    ),
    ("s2", LINE, {"name": "秘密", "class": "service", "surface": "paved", "start_connector_id": "c2"}),
    ("s3", LINE, {"name": None, "class": "ours", "surface": "paved", "start_connector_id": None}),
]
LANES = [
    ("l1", LINE, {"segment_id": "s1", "successor_ids": '["l2","l3"]', "width_m": 2.5}),
    ("l2", LINE, {"segment_id": "s2", "successor_ids": "[]", "width_m": 3.5}),
    ("l3", LINE, {"segment_id": "s3", "successor_ids": None, "width_m": None}),
]
GRANTS = (
    {"collections": ["lanes"], "columns": ["segment_id", "successor_ids", "width_m"]},
    {
        "collections": ["segments"],
        "columns": ["name", "class", "start_connector_id"],
        "rows": {"op": "<>", "args": [{"property": "class"}, "service"]},
    },
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    made = Town(tmp_path_factory.mktemp("town"))
    made.packs.publish("segments", SEGMENTS[:1], SEGMENTS[1:])
    made.packs.publish("lanes", LANES[:2], LANES[2:])
    made.packs.publish("connectors", [("c1", shapely.Point(139.7, 35.6), {"name": "x"})])
    return made


def titles(town: Town, *grants: dict[str, Any]):
    def found(collection: str, ids: list[str]) -> dict[str, str]:
        view = town.view(policy(*grants), collection)
        if not view.has_column("name"):
            return {}
        rows = view.materialise(view.lookup(ids), ["name"], None).to_pylist()
        return {row["id"]: row["name"] for row in rows if row["name"]}

    return found


def written(town: Town, view: View, form: str, language: str = "") -> dict[str, dict[str, Any]]:
    page = items(view, ItemsQuery(), CURSORS)
    wording = Wording(form, lambda c, i: f"at:{c}/{i}", titles(town, *GRANTS), language)
    rows = reworded(view, page.rows, page.columns, wording)
    found = json.loads(b"[" + view.geojson(rows, page.columns) + b"]")
    return {feature["id"]: feature["properties"] for feature in found}


def test_references_are_ids_addresses_or_links_and_hidden_ones_are_not_there(town):
    view = town.view(policy(*GRANTS), "lanes")
    keys = written(town, view, "key")
    assert [keys[name]["segment_id"] for name in ("l1", "l2", "l3")] == ["s1", None, "s3"]
    addresses = written(town, view, "uri")
    assert addresses["l1"]["segment_id"] == "at:segments/s1"
    assert addresses["l1"]["successor_ids"] == ["at:lanes/l2", "at:lanes/l3"]
    assert [addresses[name]["segment_id"] for name in ("l2", "l3")] == [None, "at:segments/s3"]
    links = written(town, view, "link")
    assert links["l1"]["segment_id"] == {"href": "at:segments/s1", "title": "本町通り"}
    assert links["l3"]["segment_id"] == {"href": "at:segments/s3"}
    assert links["l2"]["segment_id"] is None
    assert "s2" not in json.dumps([keys, addresses, links])
    assert {name: row["width_m"] for name, row in links.items()} == {"l1": 2.5, "l2": 3.5, "l3": None}


def test_codes_come_by_their_titles_and_what_has_none_as_it_is(town):
    view = town.view(policy(*GRANTS), "segments")
    assert {row["class"] for row in written(town, view, "key", "en").values()} == {
        "Primary road",
        "ours",
    }
    assert {row["class"] for row in written(town, view, "key").values()} == {"primary", "ours"}


def test_schemas_name_collections_that_may_be_known_alone(town):
    schema = town.view(policy(*GRANTS), "lanes").schema()
    found = filters.returnables(schema, "line", "at:schema", ["segments"])["properties"]
    assert found["segment_id"]["x-ogc-role"] == "reference"
    assert found["segment_id"]["x-ogc-collectionId"] == "segments"
    assert "x-ogc-role" not in found["successor_ids"]["items"]
    every = filters.returnables(schema, "line", "at:schema", ["segments", "lanes"])["properties"]
    assert every["successor_ids"]["items"]["x-ogc-collectionId"] == "lanes"
    assert "x-ogc-role" not in every["successor_ids"]


def test_domains_are_those_of_the_rows_that_are_shown(town):
    view = town.view(policy(*GRANTS), "segments")
    schema = filters.returnables(view.schema(), "line", "at:schema")
    found = domains.actual(view, schema)["properties"]
    assert found["class"]["enum"] == ["primary", "ours"]
    assert found["geometry"]["format"] == "geometry-linestring"
    assert "enum" not in schema["properties"]["class"]
    lanes = town.view(policy(*GRANTS), "lanes")
    width = domains.actual(lanes, lanes.schema())["properties"]["width_m"]
    assert (width["minimum"], width["maximum"]) == (2.5, 3.5)


def test_a_collection_without_rows_has_no_bounds_and_empty_lists(town):
    view = town.view(
        policy({**GRANTS[1], "rows": {"op": "=", "args": [{"property": "class"}, "none"]}}), "segments"
    )
    found = domains.actual(view, filters.returnables(view.schema(), "line", "at:x"))["properties"]
    assert found["class"]["enum"] == []
    assert found["geometry"]["format"] == "geometry-any"


def test_a_closed_list_is_a_choice_of_constants_and_an_open_one_stays():
    closed = {"enum": ["a", None], "x-enum-titles": {"a": "A"}, "x-enum-titles-ja": {"a": "あ"}}
    opened = {"type": "string", "x-enum-titles": {"b": "B"}}
    schema = {"properties": {"closed": closed, "opened": opened, "name": {"type": "string"}}}
    found = codelists.inline(schema)["properties"]
    assert found["closed"]["oneOf"][0] == {"const": "a", "title": "A", "x-title-ja": "あ"}
    assert found["closed"]["oneOf"][1]["const"] is None
    assert found["opened"] == opened
    said = codelists.referring(schema, lambda name: f"at:{name}")["properties"]
    assert [said[name].get("x-ogc-codelistUri") for name in said] == ["at:closed", "at:opened", None]
    assert codelists.codes(opened) == [{"code": "b", "title": "B"}]
