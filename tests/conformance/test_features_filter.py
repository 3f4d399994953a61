"""OGC API Features Part 3 (19-079r2), annex A: queryables, filter and features-filter.

The predicates of CQL2 itself are asked in ``test_cql2.py``, of the standard's own data.
"""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest

from tests.conformance.server import CRS84, GEOJSON, OGC_REL, Server

PART = "ogcapi-features-3/1.0/conf"
WRONG = "THIS IS NOT A FILTER"


@pytest.fixture
def filtering(served: Server) -> Server:
    served.needs(f"{PART}/filter", f"{PART}/features-filter")
    return served


def test_queryables_link_and_success(served: Server):
    served.needs(f"{PART}/queryables")
    for item in served.collections:
        about = served.get(f"/collections/{item['id']}")
        link = next(one for one in about["links"] if one["rel"] == f"{OGC_REL}queryables")
        answer = served.ask(link["href"], "application/schema+json")
        assert (answer.status, answer.kind) == (200, "application/schema+json")
        found = answer.json
        assert found["$schema"] in (
            "https://json-schema.org/draft/2019-09/schema",
            "https://json-schema.org/draft/2020-12/schema",
        )
        assert found["$id"] == link["href"]
        assert found["type"] == "object"
        assert found["properties"]
        for part in found["properties"].values():
            assert "type" in part or part["format"].startswith("geometry-")


def name_of_text(served: Server, collection: str) -> tuple[str, str]:
    """A queryable that is a text, and a value of it."""
    found = served.get(f"/collections/{collection}/queryables", "application/schema+json")
    for name, part in found["properties"].items():
        kinds = [part.get("type")] if isinstance(part.get("type"), str) else part.get("type", [])
        for feature in served.page(collection, limit=50)["features"]:
            value = feature["properties"].get(name)
            plain = "string" in kinds and "format" not in part and name.isidentifier()
            if plain and isinstance(value, str) and "'" not in value:
                return name, value
    pytest.skip(f"{collection} has no texts")


def test_queryables_query_parameters_response(served: Server):
    served.needs(f"{PART}/queryables-query-parameters")
    for item in served.collections:
        found = served.get(f"/collections/{item['id']}/queryables", "application/schema+json")
        whole = served.every(item["id"], limit=1000)
        asked = 0
        for name, part in found["properties"].items():
            values = {one["properties"].get(name) for one in whole if name in one["properties"]} - {
                None
            }
            kinds = {part["type"]} if isinstance(part.get("type"), str) else set(part.get("type", ()))
            if not values or kinds & {"object", "array"} or asked == 4:
                continue
            value = sorted(values, key=str)[0]
            text = str(value).lower() if isinstance(value, bool) else str(value)
            expected = {one["id"] for one in whole if one["properties"].get(name) == value}
            query = urlencode({name: text, "limit": max(1, len(expected) // 2)})
            path = f"/collections/{item['id']}/items?{query}"
            hits: set[str] = set()
            while path:
                page = served.get(path, GEOJSON)
                hits |= {one["id"] for one in page["features"]}
                path = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
            assert hits == expected, (item["id"], name)
            asked += 1
        one = whole[0]["id"]
        assert [hit["id"] for hit in served.page(item["id"], id=one)["features"]] == [one]


def test_queryables_query_parameters_of_other_names_and_values_are_400(served: Server):
    served.needs(f"{PART}/queryables-query-parameters")
    for item in served.collections:
        page = f"/collections/{item['id']}/items"
        assert served.ask(f"{page}?no_such_queryable=1").status == 400
        assert served.ask(f"{page}?geometry=1").status == 400
        found = served.get(f"/collections/{item['id']}/queryables", "application/schema+json")
        for name, part in found["properties"].items():
            kinds = part.get("type", ())
            names = {kinds} if isinstance(kinds, str) else set(kinds)
            if names & {"integer", "number", "boolean"}:
                assert served.ask(f"{page}?{name}=seven").status == 400
                break


def test_filter_param_lang_and_response(filtering: Server):
    for item in filtering.collections:
        name, value = name_of_text(filtering, item["id"])
        whole = filtering.every(item["id"], limit=1000)
        expected = {one["id"] for one in whole if one["properties"].get(name) == value}
        tree = {"op": "=", "args": [{"property": name}, value]}
        asked = {
            "default": {"filter": f"{name} = '{value}'"},
            "cql2-text": {"filter": f"{name} = '{value}'", "filter_lang": "cql2-text"},
            "cql2-json": {"filter": json.dumps(tree), "filter_lang": "cql2-json"},
        }
        for query in asked.values():
            found = filtering.every(item["id"], limit=1000, **query)
            assert {one["id"] for one in found} == expected
        other = filtering.every(item["id"], limit=1000, filter=f"{name} <> '{value}'")
        unknown = filtering.every(item["id"], limit=1000, filter=f"{name} IS NULL")
        parts = [{one["id"] for one in part} for part in (other, unknown)]
        assert not expected & parts[0]
        assert expected | parts[0] | parts[1] == {one["id"] for one in whole}


def test_filter_is_joined_with_other_parameters(filtering: Server):
    item = filtering.collections[0]["id"]
    name, value = name_of_text(filtering, item)
    said = f"{name} = '{value}'"
    box = filtering.get(f"/collections/{item}")["extent"]["spatial"]["bbox"][0]
    half = f"{box[0]},{box[1]},{(box[0] + box[2]) / 2},{box[3]}"
    both = {one["id"] for one in filtering.every(item, filter=said, bbox=half, limit=1000)}
    alone = {one["id"] for one in filtering.every(item, filter=said, limit=1000)}
    boxed = {one["id"] for one in filtering.every(item, bbox=half, limit=1000)}
    assert both == alone & boxed
    spatial = f"S_INTERSECTS(geometry,BBOX({half}))"
    assert {one["id"] for one in filtering.every(item, filter=spatial, limit=1000)} == boxed


@pytest.mark.parametrize(
    "query",
    [
        {"filter": WRONG},
        {"filter": "this_is_not_a_queryable = 1"},
        {"filter": "TRUE", "filter_lang": "nonsense"},
        {"filter": "TRUE", "filter_crs": "nonsense"},
        {"filter": "{", "filter_lang": "cql2-json"},
        {"filter": ""},
    ],
)
def test_filter_that_does_not_fit_is_400(filtering: Server, query):
    assert (
        filtering.ask(filtering.items(filtering.collections[0]["id"]), GEOJSON, **query).status == 400
    )


def test_filter_crs_is_that_of_its_geometries(filtering: Server):
    item = filtering.collections[0]["id"]
    box = filtering.get(f"/collections/{item}")["extent"]["spatial"]["bbox"][0]
    west, south, east, north = box[0], box[1], box[0] + 0.01, box[3]
    plain = f"S_INTERSECTS(geometry,BBOX({west},{south},{east},{north}))"
    turned = f"S_INTERSECTS(geometry,BBOX({south},{west},{north},{east}))"
    expected = {one["id"] for one in filtering.every(item, filter=plain, filter_crs=CRS84, limit=1000)}
    latitude_first = "http://www.opengis.net/def/crs/EPSG/0/4326"
    found = filtering.every(item, filter=turned, filter_crs=latitude_first, limit=1000)
    assert {one["id"] for one in found} == expected
