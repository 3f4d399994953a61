"""JSON-FG 1.0 (21-045r1), annex A: core, types-schemas, profiles and api."""

from __future__ import annotations

import re

import pytest
from shapely.geometry import shape

from tests.conformance.server import GEOJSON, SPEC, Server

PART = "json-fg-1/1.0/conf"
ZONE = "http://www.opengis.net/def/crs/EPSG/0/3857"
PROFILE = "http://www.opengis.net/def/profile/OGC/0/"
TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@pytest.fixture
def jsonfg(served: Server) -> Server:
    served.needs(f"{PART}/core", f"{PART}/api")
    return served


def documents(served: Server, **query: str) -> list[dict]:
    """A page and a feature of each collection, as JSON-FG."""
    found = []
    for item in served.collections:
        page = served.page(item["id"], limit=5, **query)
        one = page["features"][0]["id"]
        found += [page, served.get(f"{served.items(item['id'])}/{one}", GEOJSON, **query)]
    return found


def features(document: dict) -> list[dict]:
    return list(document.get("features", [document]))


def test_core_metadata_and_types_schemas(jsonfg: Server):
    for found in documents(jsonfg, profile="jsonfg"):
        assert f"{SPEC}/{PART}/core" in found["conformsTo"]
        assert f"{SPEC}/{PART}/types-schemas" in found["conformsTo"]
        assert isinstance(found["featureType"], str)
        assert jsonfg.get(found["featureSchema"], "application/schema+json")["type"] == "object"
        assert all("conformsTo" not in one for one in found.get("features", []))


def test_core_instant_interval_and_utc(jsonfg: Server):
    for found in documents(jsonfg, profile="jsonfg"):
        for feature in features(found):
            time = feature["time"] or {}
            assert TIMESTAMP.fullmatch(time.get("timestamp", "2000-01-01T00:00:00Z"))
            assert DATE.fullmatch(time.get("date", "2000-01-01"))
            ends = [end for end in time.get("interval", ["..", ".."]) if end != ".."]
            assert all(TIMESTAMP.fullmatch(end) or DATE.fullmatch(end) for end in ends)


def test_core_place_is_never_in_crs84(jsonfg: Server):
    for found in documents(jsonfg, profile="jsonfg"):
        assert all(feature["place"] is None for feature in features(found))
        assert "coordRefSys" not in found


def test_core_place_geometry_and_fallback(jsonfg: Server):
    for profile in ("jsonfg", "jsonfg-plus"):
        for found in documents(jsonfg, profile=profile, crs=ZONE):
            assert found["coordRefSys"] == ZONE
            for feature in features(found):
                if feature["place"] is None:
                    continue
                assert abs(shape(feature["place"]).bounds[0]) > 180
                plus = profile == "jsonfg-plus"
                assert (feature["geometry"] is not None) == plus
                assert not plus or abs(shape(feature["geometry"]).bounds[0]) <= 180


def test_types_schemas_geometry_dimension(jsonfg: Server):
    words = ("Point", "LineString", "Polygon")
    for found in documents(jsonfg, profile="jsonfg"):
        if "geometryDimension" in found:
            kind = words[found["geometryDimension"]]
            assert all(
                one["geometry"]["type"].endswith(kind) for one in features(found) if one["geometry"]
            )


@pytest.mark.parametrize(
    "form", ["jsonfg", f"{PROFILE}jsonfg", "[ogc-profile:jsonfg]", "rel-as-key,jsonfg"]
)
def test_api_profile_parameter(jsonfg: Server, form):
    page = jsonfg.page(jsonfg.collections[0]["id"], profile=form, limit=1)
    assert "conformsTo" in page
    links = [link["href"] for link in page["links"] if link["rel"] == "profile"]
    assert [link for link in links if "/rel-as-" not in link] == [f"{PROFILE}jsonfg"]


def test_profiles_rfc7946_is_the_default_and_plain(jsonfg: Server):
    for item in jsonfg.collections:
        page = jsonfg.page(item["id"], limit=3)
        asked = jsonfg.page(item["id"], limit=3, profile="rfc7946")
        assert page["features"] == asked["features"]
        assert "conformsTo" not in page
        assert all("place" not in feature for feature in page["features"])
