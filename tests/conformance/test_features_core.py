"""OGC API Features Part 1 (17-069r4), annex A: core, GeoJSON and OpenAPI 3.0.

Each test is named after the abstract test that it asks, ``/conf/core/...``.
"""

from __future__ import annotations

import re
from datetime import datetime

import pytest
import shapely
from openapi_spec_validator import validate
from shapely.geometry import shape

from tests.conformance.server import GEOJSON, SPEC, Server, rels

CORE = f"{SPEC}/ogcapi-features-1/1.0/conf/core"


def test_core_root_op_and_success(served: Server):
    answer = served.ask("/", "application/json")
    assert (answer.status, answer.kind) == (200, "application/json")
    found = rels(answer.json["links"])
    assert {"conformance", "data"} <= found
    assert found & {"service-desc", "service-doc"}


def test_core_conformance_op_and_success(served: Server):
    link = next(item for item in served.landing["links"] if item["rel"] == "conformance")
    assert served.get(link["href"], "application/json")["conformsTo"] == served.classes
    assert CORE in served.classes
    assert len(set(served.classes)) == len(served.classes)


def test_core_api_definition_op_and_success(served: Server):
    link = next(item for item in served.landing["links"] if item["rel"] == "service-desc")
    answer = served.ask(link["href"], link.get("type"))
    assert answer.status == 200
    assert answer.kind == link["type"].partition(";")[0]


def test_core_fc_md_op_success_items_and_links(served: Server):
    answer = served.ask("/collections", "application/json")
    assert (answer.status, answer.kind) == (200, "application/json")
    assert "self" in rels(answer.json["links"])
    listed = answer.json["collections"]
    assert len({item["id"] for item in listed}) == len(listed)
    for item in served.collections:
        links = [link for link in item["links"] if link["rel"] == "items"]
        assert any(link.get("type") == GEOJSON for link in links), item["id"]


def test_core_fc_md_extent(served: Server):
    for item in served.collections:
        for box in item.get("extent", {}).get("spatial", {}).get("bbox", []):
            assert len(box) in (4, 6)
            assert -90 <= box[1] <= 90
            assert -180 <= box[0] <= 180
        for ends in item.get("extent", {}).get("temporal", {}).get("interval", []):
            assert len(ends) == 2
            assert all(end is None or datetime.fromisoformat(end) for end in ends)


def test_core_sfc_md_op_and_success(served: Server):
    for item in served.collections:
        one = served.get(f"/collections/{item['id']}", "application/json")
        for name in ("id", "title", "description", "extent", "itemType"):
            assert one.get(name) == item.get(name)
        assert "items" in rels(one["links"])


def test_core_fc_op_response_and_links(served: Server):
    for item in served.collections:
        answer = served.ask(served.items(item["id"]), GEOJSON)
        assert (answer.status, answer.kind) == (200, GEOJSON)
        found = answer.json
        assert found["type"] == "FeatureCollection"
        assert "self" in rels(found["links"])
        assert all("type" in link for link in found["links"] if link["rel"] in ("self", "next"))
        for feature in found["features"]:
            assert feature["type"] == "Feature"
            assert {"geometry", "properties"} <= set(feature)


def test_core_fc_time_stamp_number_matched_and_number_returned(served: Server):
    for item in served.collections:
        page = served.page(item["id"], limit=2)
        if "timeStamp" in page:
            assert datetime.fromisoformat(page["timeStamp"]).tzinfo is not None
        assert page.get("numberReturned", len(page["features"])) == len(page["features"])
        if "numberMatched" in page:
            assert page["numberMatched"] == len(served.every(item["id"], limit=1000))


def test_core_http_and_crs84(served: Server):
    for item in served.collections:
        for feature in served.page(item["id"], limit=50)["features"]:
            if feature["geometry"] is not None:
                lon_lat = shapely.get_coordinates(shape(feature["geometry"]))
                assert (abs(lon_lat) <= (180, 90)).all()


def parameter(served: Server, name: str) -> dict:
    """A parameter of the items operation, as the definition has it."""
    paths = served.definition["paths"]
    path = next(path for path in paths if re.fullmatch(r"/collections/[^/]+/items", path))
    said = paths[path].get("parameters", []) + paths[path]["get"].get("parameters", [])
    for item in said:
        if "$ref" in item:
            item = served.definition["components"]["parameters"][item["$ref"].rsplit("/", 1)[1]]
        if item["name"] == name:
            return item
    pytest.fail(f"there is no parameter {name}")


def test_core_fc_limit_definition(served: Server):
    found = parameter(served, "limit")
    assert (found["in"], found.get("required", False)) == ("query", False)
    assert found["schema"]["type"] == "integer"
    assert found["schema"]["minimum"] >= 1
    assert found["schema"]["maximum"] >= found["schema"]["default"]


def test_core_fc_limit_response(served: Server):
    most = parameter(served, "limit")["schema"]["maximum"]
    for item in served.collections:
        assert len(served.page(item["id"], limit=1)["features"]) == 1
        above = served.page(item["id"], limit=most + 1)
        assert len(above["features"]) <= most


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", ""])
def test_core_query_param_invalid_limit(served: Server, value):
    assert served.ask(served.items(served.collections[0]["id"]), limit=value).status == 400


def test_core_fc_bbox_definition(served: Server):
    found = parameter(served, "bbox")
    assert found["schema"]["type"] == "array"
    assert found["schema"]["items"]["type"] == "number"
    assert found.get("style", "form") == "form"
    assert found["explode"] is False


def test_core_fc_bbox_response(served: Server):
    for item in served.collections:
        features = [one for one in served.every(item["id"], limit=1000) if one["geometry"]]
        middle = shape(features[len(features) // 2]["geometry"]).centroid
        west, south, east, north = middle.buffer(0.004).bounds
        flat = f"{west},{south},{east},{north}"
        area = shapely.box(west, south, east, north)
        expected = {one["id"] for one in features if shape(one["geometry"]).intersects(area)}
        found = {one["id"] for one in served.every(item["id"], bbox=flat, limit=1000)}
        assert expected <= found
        assert all(
            shape(one["geometry"]).envelope.intersects(area) for one in features if one["id"] in found
        )
        upright = f"{west},{south},-1000,{east},{north},9000"
        assert {one["id"] for one in served.every(item["id"], bbox=upright, limit=1000)} == found
        assert not served.page(
            item["id"], bbox=f"{(middle.x + 90) % 180 - 179},-60,{(middle.x + 90) % 180 - 178},-59"
        )["features"]


def test_core_fc_bbox_across_the_antimeridian(served: Server):
    for item in served.collections:
        west = served.page(item["id"], bbox="170,-90,-170,90", limit=1000)["features"]
        for feature in west:
            lon = shapely.get_coordinates(shape(feature["geometry"]))[:, 0]
            assert lon.max() >= 170 or lon.min() <= -170
        around = served.page(item["id"], bbox="0,-90,-0.0001,90", limit=1)["features"]
        assert around, "a box that goes nearly all the way around holds everything"


@pytest.mark.parametrize("value", ["1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,nan,4", "", "0,50,10,40"])
def test_core_query_param_invalid_bbox(served: Server, value):
    assert served.ask(served.items(served.collections[0]["id"]), bbox=value).status == 400


def test_core_fc_time_definition(served: Server):
    found = parameter(served, "datetime")
    assert found["schema"]["type"] == "string"
    assert found.get("required", False) is False


def test_core_fc_time_response(served: Server):
    for item in served.collections:
        everything = {one["id"] for one in served.every(item["id"], limit=1000)}
        for said in (
            "2026-01-01T00:00:00Z",
            "1900-01-01/2100-01-01",
            "../2100-01-01T00:00:00Z",
            "2000-01-01/..",
        ):
            found = {one["id"] for one in served.every(item["id"], datetime=said, limit=1000)}
            assert found <= everything


@pytest.mark.parametrize("value", ["never", "2026-13-01", "2026-02-01/2026-01-01", "../..", "1/2/3"])
def test_core_query_param_invalid_datetime(served: Server, value):
    assert served.ask(served.items(served.collections[0]["id"]), datetime=value).status == 400


def test_core_query_param_unknown(served: Server):
    name = served.collections[0]["id"]
    for path in (served.items(name), "/collections", f"/collections/{name}", "/conformance"):
        assert served.ask(path, nosuchparameter="1").status == 400


def test_core_f_op_success_and_links(served: Server):
    for item in served.collections:
        feature = served.page(item["id"], limit=1)["features"][0]
        answer = served.ask(f"{served.items(item['id'])}/{feature['id']}", GEOJSON)
        assert (answer.status, answer.kind) == (200, GEOJSON)
        assert {"self", "collection"} <= rels(answer.json["links"])
        for name in ("id", "geometry", "properties"):
            assert answer.json[name] == feature[name]


def test_core_what_does_not_exist_is_404(served: Server):
    name = served.collections[0]["id"]
    for path in ("/collections/nosuchcollection", "/collections/nosuchcollection/items"):
        assert served.ask(path).status == 404
    assert served.ask(f"{served.items(name)}/nosuchfeature").status == 404


def test_core_pages_hold_every_feature_once(served: Server):
    for item in served.collections:
        whole = [one["id"] for one in served.every(item["id"], limit=1000)]
        if len(whole) > 300:
            continue
        found = [one["id"] for one in served.every(item["id"], limit=max(1, len(whole) // 7))]
        assert sorted(found) == sorted(whole)
        assert len(set(found)) == len(found)


def test_geojson_content(served: Server):
    served.needs("ogcapi-features-1/1.0/conf/geojson")
    for item in served.collections:
        page = served.page(item["id"], limit=100)
        for feature in page["features"]:
            assert feature["geometry"] is None or shape(feature["geometry"]).geom_type
            assert isinstance(feature["properties"], dict)
            assert isinstance(feature["id"], str | int)


def test_oas30_completeness_and_definition(served: Server):
    served.needs("ogcapi-features-1/1.0/conf/oas30")
    definition = served.definition
    validate(definition)
    assert definition["openapi"].startswith("3.0.")
    paths = set(definition["paths"])
    assert {"/", "/conformance", "/collections"} <= paths
    for pattern in (
        r"/collections/[^/]+",
        r"/collections/[^/]+/items",
        r"/collections/[^/]+/items/\{\w+\}",
    ):
        assert any(re.fullmatch(pattern, path) for path in paths)


def test_oas30_exception_codes(served: Server):
    served.needs("ogcapi-features-1/1.0/conf/oas30")
    for path, operations in served.definition["paths"].items():
        if path.startswith("/collections"):
            said = operations["get"]["responses"] if "get" in operations else {"400": {}, "404": {}}
            assert "default" in said or {"400", "404"} <= set(said), path


def test_oas30_security(served: Server):
    served.needs("ogcapi-features-1/1.0/conf/oas30")
    schemes = served.definition.get("components", {}).get("securitySchemes", {})
    named = {name for choice in served.definition.get("security", []) for name in choice}
    assert named <= set(schemes)
