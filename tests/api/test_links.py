"""Signed links: one path and query, the giver's rights at the time of use, until they end."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from geoshare.api.links import CLOSED

FAR_US = 3_600_000_000


@pytest.fixture
def town(own, tmp_path: Path):
    """A collection that visitors do not know, with more than a page of features."""
    rows = "".join(f"s{n},避難所{n},139.{n:03d},35.6\n" for n in range(100, 130))
    path = tmp_path / "sites.csv"
    path.write_text("id,name,lon,lat\n" + rows, "utf-8")
    own.contribute(path, collection="segments_x", crs="EPSG:4326")
    return own


HIDDEN = "/collections/segments_x/items?limit=10"


def link(town, path: str, key: str = "operator", seconds: int = 3_600) -> str:
    answer = town.client.post(
        "/me/links",
        headers={"X-API-Key": town.keys[key]},
        json={"path": path, "seconds": seconds},
    )
    assert answer.status_code == 201, answer.data
    return relative(answer.json["href"])


def relative(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def get(town, path: str):
    return town.client.get(path)


def test_a_link_shows_what_its_key_may_and_is_followed_to_the_last_page(town):
    assert get(town, HIDDEN).status_code == 404
    address, seen = link(town, HIDDEN), []
    while address:
        answer = get(town, address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, no-cache"
        page = json.loads(answer.data)
        seen += [feature["id"] for feature in page["features"]]
        following = [item["href"] for item in page["links"] if item["rel"] == "next"]
        address = relative(following[0]) if following else ""
        others = [item["href"] for item in page["links"] if item["rel"] != "next"]
        assert not [href for href in others if "sig=" in href]
    assert len(set(seen)) == 30


def test_tilejson_gives_links_to_its_tiles_and_to_nothing_else(town):
    answer = get(town, link(town, "/tiles/segments_x.json"))
    (tiles,) = answer.json["tiles"]
    tile = relative(tiles).replace("{z}", "0").replace("{x}", "0").replace("{y}", "0")
    assert get(town, tile).status_code == 200
    assert get(town, tile.replace("/0/0/0.mvt", "/1/1/0.mvt")).status_code in (200, 204)
    query = tile.partition("?")[2]
    for other in ("/collections/segments_x/items", "/tiles/segments_x/0/0/0/0.mvt", "/me"):
        assert get(town, f"{other}?{query}").status_code == 401


def test_tile_sets_give_links_to_their_tiles(town):
    path = "/collections/segments_x/tiles/WebMercatorQuad"
    found = get(town, link(town, path)).json["links"]
    (item,) = [relative(entry["href"]) for entry in found if entry["rel"] == "item"]
    for hole in ("{tileMatrix}", "{tileRow}", "{tileCol}"):
        item = item.replace(hole, "0")
    assert get(town, item).status_code == 200


def test_whatever_is_altered_ends_the_link(town):
    good = link(town, HIDDEN)
    token = good.partition("sig=")[2]
    key_id, expires, template, mark = token.split(".")
    other = town.keys["developer"].split("_")[1]
    altered = [
        good.replace("limit=10", "limit=11"),
        good.replace("limit=10&", ""),
        good + "&properties=name",
        good.replace("segments_x", "segments"),
        good.replace(f".{expires}.", f".{int(expires, 16) + 300:x}."),
        good.replace(key_id, other),
        good.replace(f".{template}.{mark}", f".e3p9.{mark}"),
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good[:-2],
        good.replace(token, ""),
        good.replace(token, "x" * 9_000),
    ]
    answers = {(get(town, path).status_code, get(town, path).data) for path in altered}
    assert len(answers) == 1
    assert answers.pop()[0] == 401
    assert town.client.post("/jobs" + good[good.index("?") :]).status_code == 401
    assert town.client.head(good).status_code == 200
    assert get(town, good).status_code == 200


def test_a_link_ends_with_its_time_its_key_and_its_secret(town):
    good, key_id = link(town, HIDDEN), town.keys["operator"].split("_")[1]
    town.services.keys.rotate(key_id, overlap_us=60_000_000)
    town.services.authenticator.forget()
    assert get(town, good).status_code == 200
    real = town.services.clock

    class Later:
        by_us = 0

        def now_us(self) -> int:
            return real.now_us() + self.by_us

    later = town.services.authenticator._clock = town.services.links._clock = Later()
    later.by_us = 61_000_000  # the overlap is over
    assert get(town, good).status_code == 401
    later.by_us = 0
    town.services.keys.rotate(key_id, overlap_us=FAR_US, end_overlap=True)
    town.services.authenticator.forget()
    later.by_us = 3_600_000_000 + 301_000_000
    assert get(town, good).status_code == 401


def test_revoking_a_key_ends_its_links_within_a_second(town):
    good = link(town, HIDDEN)
    assert get(town, good).status_code == 200
    town.services.keys.revoke(town.keys["operator"].split("_")[1])
    town.services.authenticator.forget()
    assert get(town, good).status_code == 401


def test_a_link_is_bounded_and_given_away_by_keys_alone(town):
    for body in ({"path": "/me", "seconds": 0}, {"path": "/me", "seconds": 10**7}, {"path": "me"}):
        answer = town.client.post("/me/links", headers={"X-API-Key": town.keys["developer"]}, json=body)
        assert (answer.status_code, answer.json["parameter"]) == (
            400,
            next(iter({*body} - {"path"}), "path"),
        )
    assert town.client.post("/me/links", json={"path": "/me"}).status_code == 403
    told = get(town, link(town, "/me")).json
    assert told["role"] == "consumer"
    assert get(town, link(town, "/me/audit")).json == {"entries": []}


def test_a_link_beside_another_credential_is_refused(town):
    good = link(town, HIDDEN)
    answer = town.client.get(good, headers={"X-API-Key": town.keys["operator"]})
    assert (answer.status_code, answer.json["parameter"]) == (400, "sig")
    twice = good + "&" + good.partition("&")[2]
    assert get(town, twice).status_code == 400


def test_a_link_that_could_never_open_is_not_made(own):
    whole = {"/admin/": "/admin/tiers", "/desk/": "/desk/edits", "/audit/tile/": "/audit/tile/0/000"}
    whole |= {"/warnings/": "/warnings/x/evacuation-area", "/me/organisation/": "/me/organisation/keys"}
    others = ("/nothing", "/extracts", "/collections/../me", "/tiles/a/{z1}/0/0.mvt")
    key, end_s = own.keys["operator"].split("_")[1], own.services.links.expiry(60)
    for path in (*others, *(whole.get(start, start) for start in CLOSED)):
        headers = {"X-API-Key": own.keys["operator"]}
        answer = own.client.post("/me/links", headers=headers, json={"path": path})
        assert (answer.status_code, answer.json["parameter"]) == (400, "path"), path
        assert "openapi" in answer.json["allowed"]
        signed = own.services.links.sign(key, end_s, path)
        assert get(own, relative(signed)).status_code in (401, 403, 404, 405), path
