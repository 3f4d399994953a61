"""OGC API Common Part 3 / Features Part 5: Schemas (23-058r2), annex A, and property selection."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from tests.conformance.server import OGC_REL, SPEC, Server

PART = "ogcapi-common-3/1.0/conf"
SCHEMA = "application/schema+json"
PAGES = {"schema": "returnables-and-receivables", "queryables": "queryables", "sortables": "sortables"}
INSTANTS = ("date", "date-time")


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, served: Server) -> str:
    served.needs(f"{PART}/schemas", f"{PART}/{PAGES[request.param]}")
    return request.param


def schema_of(served: Server, collection: str, page: str) -> dict:
    return dict(served.get(f"/collections/{collection}/{page}", SCHEMA))


def test_link_op_and_response(served: Server, page: str):
    for item in served.collections:
        about = served.get(f"/collections/{item['id']}", "application/json")
        link = next(one for one in about["links"] if one["rel"] == OGC_REL + page)
        assert link["href"].endswith(f"/collections/{item['id']}/{page}")
        answer = served.ask(link["href"], SCHEMA)
        assert (answer.status, answer.kind) == (200, SCHEMA)


def test_basic_schema_inspection(served: Server, page: str):
    for item in served.collections:
        found = schema_of(served, item["id"], page)
        Draft202012Validator.check_schema(found)
        assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert found["type"] == "object"
        assert "?" not in found["$id"]
        assert served.get(found["$id"], SCHEMA) == found
        for part in found["properties"].values():
            spatial = part.get("format", "").startswith("geometry-")
            assert spatial != ("type" in part)
            assert not spatial or "$ref" not in part


def test_role_role_id_and_property_seq(served: Server, page: str):
    for item in served.collections:
        parts = schema_of(served, item["id"], page)["properties"].values()
        roles = [part["x-ogc-role"] for part in parts if "x-ogc-role" in part]
        assert all(isinstance(role, str) for role in roles)
        assert roles.count("id") == 1
        assert roles.count("primary-geometry") <= 1
        places = [part["x-ogc-propertySeq"] for part in parts if "x-ogc-propertySeq" in part]
        assert all(isinstance(place, int) for place in places)
        assert len(set(places)) == len(places)
        for part in parts:
            if part.get("x-ogc-role", "").startswith("primary-in"):
                assert part["format"] in INSTANTS
            if "x-ogc-unit" in part:
                assert {"number", "integer"} & {
                    *([part["type"]] if isinstance(part["type"], str) else part["type"])
                }


def test_sortables_have_an_order(served: Server):
    served.needs(f"{PART}/sortables")
    for item in served.collections:
        for part in schema_of(served, item["id"], "sortables")["properties"].values():
            kinds = [part["type"]] if isinstance(part["type"], str) else part["type"]
            assert not {"object", "array"} & set(kinds)


def test_returnables_response_1(served: Server):
    served.needs(f"{PART}/returnables-and-receivables")
    for item in served.collections:
        found = schema_of(served, item["id"], "schema")
        parts = {
            name: part
            for name, part in found["properties"].items()
            if part.get("x-ogc-role") not in ("id", "primary-geometry")
        }
        judge = Draft202012Validator({"type": "object", "properties": parts})
        for feature in served.page(item["id"], limit=30)["features"]:
            assert not list(judge.iter_errors(feature["properties"])), feature["id"]
            assert set(feature["properties"]) <= set(parts)


def test_properties_parameter_and_response(served: Server):
    if not any(name.startswith(f"{SPEC}/ogcapi-features-6/") for name in served.classes):
        pytest.skip("the server does not declare property selection")
    for item in served.collections:
        names = sorted(served.page(item["id"], limit=1)["features"][0]["properties"])[:2]
        found = served.page(item["id"], limit=5, properties=",".join(names))
        assert all(sorted(one["properties"]) == names for one in found["features"])
        answer = served.ask(served.items(item["id"]), properties="no_such_property")
        assert answer.status in (200, 400)
