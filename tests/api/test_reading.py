"""What a reader relies on over HTTP, asked of a real server with the sample town."""

from __future__ import annotations

import gzip
import json
from urllib.parse import quote

import mapbox_vector_tile
import pytest
import shapely
from openapi_spec_validator import validate
from shapely.geometry import box, shape

MASKED = {"date", "server", "ratelimit"}


def lines(headers: dict[str, str]) -> dict[str, str]:
    """Headers without those that differ from second to second, or from request to request."""
    return {name: value for name, value in headers.items() if name not in MASKED}


def all_items(live_server, collection: str, key: str | None, limit: int = 500) -> list[dict]:
    """Every feature, by following next links."""
    found, path = [], f"/collections/{collection}/items?limit={limit}"
    while path:
        page = live_server.json(path, key)
        found += page["features"]
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        path = following[0].removeprefix(live_server.url) if following else ""
    return found


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int]:
    import math

    n = 1 << z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * n), int(y * n)


@pytest.mark.parametrize("path", ["", "/items", "/schema", "/queryables", "/items/x"])
def test_a_hidden_collection_answers_like_one_that_does_not_exist(live_server, path):
    for key in ("developer", None):
        hidden = live_server.get(f"/collections/lanes{path}", key)
        nonsense = live_server.get(f"/collections/nonsense{path}", key)
        assert hidden[0] == 404
        assert hidden[2] == nonsense[2]
        assert lines(hidden[1]) == lines(nonsense[1])


def test_hidden_tiles_rasters_and_extracts_answer_like_nonsense(live_server):
    for template in (
        "/tiles/{}/14/1/1.mvt",
        "/tiles/{}.json",
        "/tiles/places,{}.json",
        "/raster/{}.json",
    ):
        hidden = live_server.get(template.format("lanes"), "developer")
        nonsense = live_server.get(template.format("nonsense"), "developer")
        assert (hidden[0], hidden[2]) == (404, nonsense[2])
        assert lines(hidden[1]) == lines(nonsense[1])


def test_a_car_maker_gets_lanes_with_heights(live_server):
    page = live_server.json("/collections/lanes/items?limit=5", "automaker")
    assert page["numberMatched"] > 50
    assert len(page["features"][0]["geometry"]["coordinates"][0]) == 3


def test_a_wrong_key_is_refused_and_no_key_is_the_open_tier(live_server):
    status, headers, body = live_server.get("/collections", **{"X-API-Key": "gs_wrong"})
    assert status == 401
    assert headers["content-type"] == "application/problem+json"
    assert "Bearer" in headers["www-authenticate"]
    assert json.loads(body)["status"] == 401
    names = {item["id"] for item in live_server.json("/collections")["collections"]}
    assert {"shelters", "evacuation_sites", "hazard_zones", "segments", "satellite", "rain"} <= names
    assert not names & {"lanes", "buildings", "people_flow"}


def test_every_key_sees_its_collections_and_no_other(live_server):
    for key in live_server.keys:
        found = live_server.json("/collections", key)["collections"]
        listed = [item["id"] for item in found if item.get("itemType") != "record"]
        assert listed == sorted(listed) or len(set(listed)) == len(listed)
        held = live_server.json("/me", key)["collections"]
        assert sorted(held) == sorted(listed)


@pytest.mark.parametrize(("collection", "key"), [("buildings", "developer"), ("segments", None)])
def test_following_next_links_gives_every_feature_once(live_server, collection, key):
    found = all_items(live_server, collection, key, limit=97)
    ids = [feature["id"] for feature in found]
    matched = live_server.json(f"/collections/{collection}/items?limit=1", key)["numberMatched"]
    assert len(ids) == len(set(ids)) == matched > 100


def test_a_box_gives_the_features_that_a_geometry_library_finds(live_server):
    found = all_items(live_server, "buildings", "developer")
    middle = shape(found[len(found) // 2]["geometry"]).centroid
    window = box(middle.x - 0.003, middle.y - 0.002, middle.x + 0.003, middle.y + 0.002)
    expected = {
        item["id"] for item in found if shapely.box(*shape(item["geometry"]).bounds).intersects(window)
    }
    corners = ",".join(str(value) for value in window.bounds)
    page = live_server.json(f"/collections/buildings/items?limit=10000&bbox={corners}", "developer")
    assert {item["id"] for item in page["features"]} == expected
    assert page["numberMatched"] == page["numberReturned"] == len(expected)


def test_one_item_equals_the_item_in_its_page(live_server):
    page = live_server.json("/collections/shelters/items?limit=3")
    for feature in page["features"]:
        one = live_server.json(f"/collections/shelters/items/{feature['id']}")
        assert {"self", "collection"} <= {link["rel"] for link in one.pop("links")}
        assert one == feature


def test_features_of_a_box_are_in_the_tiles_of_that_box(live_server):
    found = all_items(live_server, "buildings", "municipal")
    middle = shape(found[0]["geometry"]).centroid
    x, y = tile_of(middle.x, middle.y, 16)
    status, headers, body = live_server.get(f"/tiles/buildings/16/{x}/{y}.mvt", "municipal")
    assert status == 200
    assert headers["content-type"] == "application/vnd.mapbox-vector-tile"
    decoded = mapbox_vector_tile.decode(body)["buildings"]
    ids = {feature["properties"]["id"] for feature in decoded["features"]}
    assert found[0]["id"] in ids
    assert decoded["extent"] == 4096


def test_several_collections_come_in_one_tile(live_server):
    extent = live_server.json("/collections/shelters")["extent"]["spatial"]["bbox"][0]
    x, y = tile_of((extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2, 12)
    names = "segments,admin_areas,water"
    tilejson = live_server.json(f"/tiles/{names}.json")
    assert [layer["id"] for layer in tilejson["vector_layers"]] == names.split(",")
    assert tilejson["bounds"][0] <= extent[2]
    status, _, body = live_server.get(f"/tiles/{names}/12/{x}/{y}.mvt")
    assert status == 200
    assert set(mapbox_vector_tile.decode(body)) <= set(names.split(","))
    assert mapbox_vector_tile.decode(body)


def test_an_empty_tile_is_204_with_an_entity_tag(live_server):
    status, headers, body = live_server.get("/tiles/shelters/14/1/1.mvt")
    assert (status, body) == (204, b"")
    assert "etag" in headers


def test_the_open_tier_sees_less_of_a_road_than_a_municipality(live_server):
    open_names = set(live_server.json("/collections/segments/schema")["properties"])
    full_names = set(live_server.json("/collections/segments/schema", "municipal")["properties"])
    assert open_names < full_names
    feature = live_server.json("/collections/segments/items?limit=1")["features"][0]
    assert set(feature["properties"]) <= open_names


@pytest.mark.parametrize("image", ["png", "webp", "jpg"])
def test_scenes_and_rain_are_drawn(live_server, image):
    for name in ("satellite", "rain"):
        about = live_server.json(f"/raster/{name}.json")
        assert about["times"]
        west, south, east, north = about["bounds"]
        z = 12 if name == "satellite" else 8
        x, y = tile_of((west + east) / 2, (south + north) / 2, z)
        answers = [
            live_server.get(f"/raster/{name}/{z}/{x}/{y}.{image}?datetime={moment}")
            for moment in about["times"]
        ]
        drawn = [answer for answer in answers if answer[0] == 200]
        assert drawn
        assert all(answer[1]["content-type"].startswith("image/") for answer in drawn)
        assert {answer[0] for answer in answers} <= {200, 204}


def test_an_answer_is_not_sent_twice_to_who_has_it(live_server):
    path = "/collections/shelters/items"
    _, headers, _ = live_server.get(path)
    status, again, body = live_server.get(path, **{"If-None-Match": headers["etag"]})
    assert (status, body) == (304, b"")
    assert again["etag"] == headers["etag"]
    assert "Authorization" in headers["vary"]


def test_answers_are_compressed_when_asked(live_server):
    path = "/collections/shelters/items"
    plain = live_server.get(path)
    packed = live_server.get(path, **{"Accept-Encoding": "gzip"})
    assert packed[1]["content-encoding"] == "gzip"
    assert gzip.decompress(packed[2]) == plain[2]
    assert packed[1]["etag"] != plain[1]["etag"]


def test_answers_to_a_key_are_private_and_open_ones_may_be_shared(live_server):
    assert "private" in live_server.get("/collections", "municipal")[1]["cache-control"]
    assert "public" in live_server.get("/collections")[1]["cache-control"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("bbox=1,2,3", "bbox"),
        ("bbox=a,b,c,d", "bbox"),
        ("bbox=35,139,36,140", "bbox"),
        ("bbox=nan,0,1,1", "bbox"),
        ("limit=0", "limit"),
        ("limit=ten", "limit"),
        ("colour=red", "colour"),
        ("limit=1&limit=2", "limit"),
        ("datetime=yesterday", "datetime"),
        ("cursor=forged", "cursor"),
        ("f=exe", "f"),
        ("properties=secret", "properties"),
    ],
)
def test_bad_input_names_the_parameter_and_what_is_allowed(live_server, query, parameter):
    status, headers, body = live_server.get(f"/collections/segments/items?{query}")
    problem = json.loads(body)
    assert status == 400
    assert headers["content-type"] == "application/problem+json"
    assert problem["parameter"] == parameter
    assert problem.get("allowed")


def test_a_filter_may_be_as_long_as_the_parser_takes_it(live_server):
    ring = ", ".join(f"{140.8 + n / 10_000} {36.2 + n % 2 / 10}" for n in range(300))
    area = f"POLYGON(({ring}, 141 36.3, 140.8 36.3, 140.8 36.2))"
    long = quote(f"S_INTERSECTS(geometry, {area}) OR class = 'quarter'")
    assert len(long) > 5_000
    assert live_server.json(f"/collections/places/items?filter={long}")["numberMatched"] >= 36
    status, _, body = live_server.get(f"/collections/places/items?filter={'a' * 20_000}")
    assert (status, json.loads(body)["parameter"]) == (400, "filter")


def test_tiles_outside_the_matrix_are_refused(live_server):
    assert live_server.get("/tiles/segments/3/8/0.mvt")[0] == 400
    assert live_server.get("/tiles/segments/99/0/0.mvt")[0] == 400
    assert live_server.get("/raster/rain/3/0/8.png")[0] == 400


def test_search_finds_a_place_by_its_name(live_server):
    places = all_items(live_server, "places", None)
    name = next(place["properties"]["name"] for place in places if place["properties"].get("name"))
    found = live_server.json(f"/search?q={quote(name)}")["results"]
    assert found[0]["name"] == name
    assert len(found[0]["lon_lat"]) == 2


def test_the_api_document_is_valid_and_names_no_hidden_collection(live_server):
    for key in (None, "operator"):
        document = live_server.json("/openapi.json", key)
        validate(document)
    assert "people_flow" not in json.dumps(live_server.json("/openapi.json"))


def test_health_needs_no_key_and_says_little(live_server):
    assert live_server.json("/healthz") == {"status": "ok"}
    assert live_server.json("/readyz") == {"status": "ready"}


def test_links_are_built_from_allowed_hosts_only(live_server):
    status, _, body = live_server.get("/collections", Host="evil.example")
    assert status == 200
    assert b"evil.example" not in body


def test_methods_that_do_not_exist_say_which_do(live_server):
    import urllib.request

    request = urllib.request.Request(live_server.url + "/collections", method="DELETE")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    with caught.value as error:
        assert error.code == 405
        assert "GET" in error.headers["Allow"]
