"""OGC API Common Part 3 / Features Part 5 (23-058r2), annex A: references, and profiles of answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from jsonschema import Draft202012Validator

from tests.conformance.server import GEOJSON, Answer, Server

PART = "ogcapi-common-3/1.0/conf"
PROFILE = "http://www.opengis.net/def/profile/OGC/0/"
SCHEMA = "application/schema+json"
SCHEMAS = ("schema", "queryables")
MOST = 4  # collections with references, or with lists of known values, that are asked


def features(served: Server) -> list[str]:
    """Names of all collections of features."""
    listed = served.get("/collections", "application/json")["collections"]
    return [item["id"] for item in listed if item.get("itemType", "feature") == "feature"]


def schema_of(served: Server, name: str, page: str = "schema", **query: str) -> dict[str, Any]:
    return dict(served.get(f"/collections/{name}/{page}", SCHEMA, **query))


def references(schema: dict[str, Any]) -> dict[str, str]:
    """Properties that refer, and the collections they refer to."""
    return {
        name: part["x-ogc-collectionId"]
        for name, part in schema["properties"].items()
        if part.get("x-ogc-role") == "reference" and "x-ogc-collectionId" in part
    }


def referring(served: Server) -> dict[str, dict[str, str]]:
    """Collections with references, and those that have features first."""
    every = {name: references(schema_of(served, name)) for name in features(served)}
    found = {name: named for name, named in every.items() if named}
    full = [name for name in found if served.page(name, limit=1)["features"]]
    return {name: found[name] for name in full[:MOST]}


def stated(answer: Answer) -> set[str]:
    """Profiles that the links of a body name, and the header ``Link`` too."""
    links = {link["href"] for link in answer.json["links"] if link["rel"] == "profile"}
    assert all(f"<{link}>" in answer.headers["link"] for link in links)
    return {link.removeprefix(PROFILE) for link in links}


def shown(served: Server, profile: str) -> list[tuple[str, str, Any]]:
    """Values of references of a page and of single features: collection referred to, and value."""
    found = []
    for name, named in referring(served).items():
        answer = served.ask(served.items(name), GEOJSON, profile=profile, limit=40)
        assert answer.status == 200
        assert profile in stated(answer)
        page = answer.json["features"]
        one = served.ask(f"{served.items(name)}/{quote(page[0]['id'])}", GEOJSON, profile=profile)
        assert profile in stated(one)
        assert one.json["properties"] == page[0]["properties"]
        found += [
            (named[column], feature["id"], feature["properties"][column])
            for feature in page
            for column in named
            if feature["properties"][column] is not None
        ]
    assert found, "no feature refers to another one"
    return found


def test_references_role_reference(served: Server):
    served.needs(f"{PART}/references")
    for name, named in referring(served).items():
        parts = schema_of(served, name)["properties"]
        for column, target in named.items():
            kinds = parts[column]["type"]
            assert {"string", "integer"} & {*([kinds] if isinstance(kinds, str) else kinds)}
            own = schema_of(served, target)["properties"].values()
            [identity] = [part["type"] for part in own if part.get("x-ogc-role") == "id"]
            assert identity in kinds


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/collections/{}/items", ["rfc7946", "rel-as-link", "rel-as-key,jsonfg"]),
        ("/collections/{}/schema", ["codelists-ref", "codelists-inline,actual-domain"]),
        ("/collections/{}/queryables", ["valid-domain", f"{PROFILE}actual-domain"]),
    ],
)
def test_profile_parameter_profile_param_response(served: Server, path: str, allowed: list[str]):
    served.needs(f"{PART}/profile-parameter")
    where, accept = path.format(served.collections[0]["id"]), f"{GEOJSON}, {SCHEMA}"
    for query in ({}, *({"profile": said} for said in allowed)):
        answer = served.ask(where, accept, **query)
        assert answer.status == 200, answer.body
        assert 'rel="profile"' in answer.headers["link"]
        if query and "links" in answer.json:
            assert "profile" in {link["rel"] for link in answer.json["links"]}
    for wrong in ("no-such-profile", f"{allowed[0]},no-such-profile"):
        answer = served.ask(where, accept, profile=wrong)
        assert answer.status == 400
        assert answer.json["parameter"] == "profile"
        assert allowed[0] in answer.json["allowed"]


def test_profile_parameter_profile_param(served: Server):
    served.needs(f"{PART}/profile-parameter")
    paths = served.definition["paths"]
    for last in ("items", "items/{feature_id}", "schema", "queryables"):
        every = paths[f"/collections/{{collection}}/{last}"]["get"]["parameters"]
        [said] = [item for item in every if item["name"] == "profile"]
        assert (said["required"], said["explode"], said["schema"]["type"]) == (False, False, "array")
        names = said["schema"]["items"]["enum"]
        assert all("://" in name or PROFILE + name in names for name in names)


def test_profile_references_rel_as_key(served: Server):
    served.needs(f"{PART}/profile-references")
    assert all(isinstance(value, str | int) for _, _, value in shown(served, "rel-as-key"))


def test_profile_references_rel_as_uri(served: Server):
    served.needs(f"{PART}/profile-references")
    keys = shown(served, "rel-as-key")
    addresses = shown(served, "rel-as-uri")
    for (target, owner, key), (_, again, address) in zip(keys, addresses, strict=True):
        assert owner == again
        assert address.startswith(("http://", "https://"))
        assert address.endswith(f"/collections/{target}/items/{quote(str(key), safe='')}")
    key, address = keys[0][2], addresses[0][2]
    assert served.get(address, GEOJSON)["id"] == key


def test_profile_references_rel_as_link(served: Server):
    served.needs(f"{PART}/profile-references")
    links = shown(served, "rel-as-link")
    addresses = [value for _, _, value in shown(served, "rel-as-uri")]
    assert [link["href"] for _, _, link in links] == addresses
    assert all(isinstance(link.get("title", ""), str) for _, _, link in links)


@pytest.mark.parametrize("page", SCHEMAS)
def test_profile_codelists_codelists(served: Server, page: str):
    served.needs(f"{PART}/profile-codelists")
    coded = [name for name in features(served) if '"enum"' in str_of(served, name, page)][:MOST]
    assert coded
    for name in coded:
        closed = {
            column: {value for value in part["enum"] if value is not None}
            for column, part in schema_of(served, name, page)["properties"].items()
            if "enum" in part
        }
        for profile in ("", "codelists-ref", "codelists-inline"):
            asked = {"profile": profile} if profile else {}
            answer = served.ask(f"/collections/{name}/{page}", SCHEMA, **asked)
            assert answer.status == 200
            inline = profile == "codelists-inline"
            assert ("codelists-inline" in answer.headers["link"]) == inline
            assert ("codelists-ref" in answer.headers["link"]) == (not inline)
            Draft202012Validator.check_schema(answer.json)
            for column, codes in closed.items():
                part = answer.json["properties"][column]
                if inline:
                    assert not {"enum", "x-ogc-codelistUri"} & {*part}
                    values = {choice["const"] for choice in part["oneOf"]}
                    assert all(choice["title"] for choice in part["oneOf"])
                else:
                    assert "oneOf" not in part
                    found = served.get(part["x-ogc-codelistUri"], "application/json")
                    values = {code["code"] for code in found["codes"]}
                assert values - {None} == codes


def str_of(served: Server, name: str, page: str) -> str:
    return served.ask(f"/collections/{name}/{page}", SCHEMA).body.decode()


@pytest.mark.parametrize("page", SCHEMAS)
def test_profile_domains_domains(served: Server, page: str):
    served.needs(f"{PART}/profile-domains")
    for item in served.collections:
        name = item["id"]
        plain = served.ask(f"/collections/{name}/{page}", SCHEMA)
        valid = served.ask(f"/collections/{name}/{page}", SCHEMA, profile="valid-domain")
        assert plain.json == valid.json
        assert f"<{PROFILE}valid-domain>" in plain.headers["link"]
        actual = served.ask(f"/collections/{name}/{page}", SCHEMA, profile="actual-domain")
        assert f"<{PROFILE}actual-domain>" in actual.headers["link"]
        Draft202012Validator.check_schema(actual.json)
        every = served.every(name, limit=10_000)
        for column, part in actual.json["properties"].items():
            if part.get("x-ogc-role") == "primary-geometry":
                kinds = {one["geometry"]["type"].lower() for one in every if one["geometry"]}
                words = part["format"].removeprefix("geometry-").split("-or-")
                assert {*words} in (kinds, {"any"})
            elif part.get("x-ogc-role") != "id":
                values = [one["properties"].get(column) for one in every]
                domain_holds(part, values)


def domain_holds(part: dict[str, Any], values: list[Any]) -> None:
    """Keywords are what the values are, no more and no less."""
    known = [value for value in values if value is not None]
    if "enum" in part:
        assert {*part["enum"]} == {*values}
    if "minimum" in part:
        assert (part["minimum"], part["maximum"]) == pytest.approx((min(known), max(known)))
    if "maxLength" in part:
        lengths = [len(value) for value in known]
        assert (part["minLength"], part["maxLength"]) == (min(lengths), max(lengths))
