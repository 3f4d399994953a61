"""Pages answered without the framework are those the framework answers: same bytes, same headers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from geoshare.errors import TooMany, Unavailable
from tests.api.conftest import Own
from tests.headers import steady

ITEMS = "/collections/segments/items"
USUAL = {"Range": "bytes=0-"}  # is not plain, and changes no answer
QUERIES = [
    "",
    "?limit=2",
    "?limit=0",
    "?limit=100000",
    "?limit=2&limit=3",
    "?limit=",
    "?bbox=139.6,35.5,139.8,35.7&limit=1",
    "?bbox=179,-1e1,-179,10",
    "?bbox=1,2,3",
    "?bbox=1,2,3,nan",
    "?bbox=139.6,35.5,0,139.8,35.7,9",
    "?properties=name",
    "?properties=name,secret",
    "?properties=",
    "?filter=name%20%3D%20%27First%20%26%20last%27",
    "?filter=name+LIKE+'%25a%25'&limit=1",
    "?filter=(((",
    "?datetime=2026-01-01T00:00:00Z/..",
    "?datetime=never",
    "?cursor=AAAA",
    "?cursor=%E6%97%A5",
    "?f=json",
    "?f=json&sortby=-name&limit=3",
    "?sortby=secret",
    "?crs=http://www.opengis.net/def/crs/EPSG/0/6677&limit=2",
    "?crs=http://www.opengis.net/def/crs/EPSG/0/1",
    "?profile=jsonfg&limit=2",
    "?bbox-crs=http://www.opengis.net/def/crs/EPSG/0/4326&bbox=35.5,139.6,35.7,139.8&limit=1",
    "?f=html",
    "?nonsense=1&limit=2",
    "?limit=2&;=%ff&&",
    "?limit=%32",
]


def _roads(path: Path, names: list[str]) -> Path:
    features = [
        {
            "type": "Feature",
            "properties": {"id": f"s{number}", "class": "primary", "name": name},
            "geometry": {
                "type": "LineString",
                "coordinates": [[139.69, 35.6 + number / 1e4], [139.71, 35.6]],
            },
        }
        for number, name in enumerate(names)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Own:
    own = Own(tmp_path_factory.mktemp("own"))
    now_us = own.services.clock.now_us()
    own.services.clock = SimpleNamespace(now_us=lambda: now_us)  # of pages alone: they say when
    names = ["First & last", "Zweite", "道路 3", *(f"a{n}" for n in range(30))]
    folder = tmp_path_factory.mktemp("roads")
    own.contribute(_roads(folder / "roads.geojson", names), collection="segments")
    return own


def _both(town: Own, path: str, key: str | None = "operator", **headers: str) -> list[tuple]:
    said = headers | ({"X-API-Key": town.keys.get(key, key)} if key else {})
    answers = [town.client.get(path, headers=said | more) for more in ({}, USUAL)]
    return [(answer.status_code, steady(answer.headers), answer.data) for answer in answers]


def _is_direct(town: Own, monkeypatch: pytest.MonkeyPatch, path: str, **headers: str) -> bool:
    asked = []
    usual = town.client.application.view_functions["collections.items_page"]
    monkeypatch.setitem(
        town.client.application.view_functions,
        "collections.items_page",
        lambda **path: asked.append(1) or usual(**path),
    )
    town.client.get(path, headers={"X-API-Key": town.keys["operator"], **headers})
    return not asked


@pytest.mark.parametrize("query", QUERIES)
def test_both_ways_give_the_same_answer(town, query):
    direct, usual = _both(town, ITEMS + query)
    assert direct == usual


@pytest.mark.parametrize("key", [None, "developer", "automaker", "gs_wrong", ""])
@pytest.mark.parametrize("collection", ["segments", "lanes", "nonsense", "..", "a b", "道"])
def test_both_ways_know_the_same_callers_and_collections(town, key, collection):
    direct, usual = _both(town, f"/collections/{collection}/items?limit=3", key)
    assert direct == usual


@pytest.mark.parametrize("coding", ["gzip", "zstd", "gzip;q=0, zstd", "br", "identity"])
def test_both_ways_encode_alike(town, coding):
    direct, usual = _both(town, ITEMS, **{"Accept-Encoding": coding})
    assert direct == usual
    status, headers, body = direct
    assert status == 200
    if ("Content-Encoding", "gzip") in headers:
        assert len(json.loads(gzip.decompress(body))["features"]) == 33


def test_both_ways_say_304_to_who_has_the_page(town):
    tag = dict(_both(town, ITEMS)[0][1])["ETag"]
    direct, usual = _both(town, ITEMS, **{"If-None-Match": f'"other", {tag}'})
    assert direct == usual
    assert direct[0] == 304
    assert direct[2] == b""


def test_both_ways_take_both_forms_of_a_key(town):
    key = town.keys["developer"]
    by_header = town.client.get(ITEMS, headers={"X-API-Key": key})
    by_bearer = town.client.get(ITEMS, headers={"Authorization": f"Bearer {key}"})
    assert by_header.status_code == 200
    assert by_header.data == by_bearer.data
    for wrong in ("Basic abc", "Bearer ", "Bearer gs_wrong"):
        direct, usual = _both(town, ITEMS, key=None, Authorization=wrong)
        assert direct == usual
        assert direct[0] == 401


def test_both_ways_build_links_from_allowed_hosts_alone(town):
    for host in ("localhost:9", "evil.example", "[::1]:80", "127.0.0.1:80", "bad host"):
        direct, usual = _both(town, ITEMS + "?limit=1", Host=host)
        assert direct == usual
        assert b"evil" not in direct[2]


def test_pages_follow_one_another(town):
    found, path = [], ITEMS + "?limit=7&filter=name%20LIKE%20%27%25a%25%27"
    while path:
        page = json.loads(town.get(path).data)
        found += [feature["properties"]["name"] for feature in page["features"]]
        assert page["numberMatched"] == 31
        following = [link["href"] for link in page["links"] if link["rel"] == "next"]
        path = following[0].removeprefix("http://localhost") if following else ""
    assert sorted(found) == sorted(["First & last", *(f"a{n}" for n in range(30))])


def test_plain_requests_do_not_reach_the_framework_and_others_do(town, monkeypatch):
    assert _is_direct(town, monkeypatch, ITEMS + "?limit=1")
    assert not _is_direct(town, monkeypatch, ITEMS + "?limit=1", Origin="https://map.example")
    assert not _is_direct(town, monkeypatch, ITEMS + "?limit=1", Range="bytes=0-")


@pytest.mark.parametrize("path", [ITEMS, ITEMS + "?limit=0", "/collections/nonsense/items", "/tiles/x"])
def test_each_request_is_counted_once_whatever_its_answer(town, monkeypatch, path):
    counted = []
    monkeypatch.setattr(town.services.quotas.limiter, "spend", lambda charges: counted.append(1))
    town.get(path)
    assert len(counted) == 1


def test_both_ways_are_noted_alike_and_refusals_are_not(town, monkeypatch):
    noted = []
    monkeypatch.setattr(
        town.services.trail.reads, "count", lambda who, name, action: noted.append((name, action))
    )
    _both(town, ITEMS)
    assert noted == [("segments", "collections.items_page")] * 2
    _both(town, ITEMS + "?limit=0")
    assert len(noted) == 2


def test_what_cannot_be_noted_is_not_answered(town, monkeypatch):
    def refuse(*_: object) -> None:
        raise Unavailable("Reads cannot be noted", retry_after_s=1)

    monkeypatch.setattr(town.services.trail.reads, "count", refuse)
    direct, usual = _both(town, ITEMS)
    assert direct == usual
    assert direct[0] == 503


def test_what_nobody_expected_is_a_plain_500(town, monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(town.services, "view_at", fail)
    direct, usual = _both(town, ITEMS)
    assert direct == usual
    assert direct[0] == 500
    assert b"secret" not in direct[2]


def test_a_revoked_key_gets_no_page(town):
    key = town.key("org-leaving", "developer")
    ask = {"X-API-Key": key}
    assert town.client.get(ITEMS, headers=ask).status_code == 200
    town.services.governance.revoke_key(key.split("_")[1], town.services.clock.now_us())
    town.services.authenticator.forget()
    assert town.client.get(ITEMS, headers=ask).status_code == 401


def test_above_the_rate_both_ways_say_when_to_come_again(town, monkeypatch):
    def refuse(*_: object) -> None:
        raise TooMany("Too many requests in this minute.", retry_after_s=7)

    monkeypatch.setattr(town.services.quotas.limiter, "spend", refuse)
    direct, usual = _both(town, ITEMS)
    assert direct[0] == usual[0] == 429
    assert direct[2] == usual[2]
    assert "Retry-After" in dict(direct[1])


def test_head_says_what_get_says(town):
    key = {"X-API-Key": town.keys["operator"]}
    get, head = town.client.get(ITEMS, headers=key), town.client.head(ITEMS, headers=key)
    assert steady(head.headers) == steady(get.headers)
    assert head.data == b""
