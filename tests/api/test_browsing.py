"""Every resource that is JSON is a page too, by one rule: in both languages, without scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from tests.api.test_contributing import send

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
MACHINES_ONLY = {  # and why nobody reads a page of it
    "/.well-known/oauth-authorization-server": "RFC 8414: asked by libraries, at an address of theirs",
    "/healthz": "asked by a supervisor, which counts on these bytes",
    "/readyz": "asked by a supervisor, which counts on these bytes",
    "/s/{share}/data.json": "the page of a share is at /s/{share}",
    "/sprites/{name}": "where the signs stand in a picture; the other format is the picture",
    "/wms": "says itself in the formats of its standard, HTML among them",
}
ASKED = {  # what else a route needs to be told
    "/admin/policies/diff": "?before=1&after=1",
    "/changes": "?collections=shelters",
    "/collections/{collection}/horizon": "?lon_lat=140.9,36.25",
    "/search": "?q=a",
}
REFUSED = (400, 403, 404)  # a key may not, or there is none of it in the town


class Seen(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.marks: list[str] = []
        self.leads: list[str] = []
        self.pictures: list[str] = []
        self.heads: list[str] = []
        self.others: list[tuple[str, str]] = []
        self._in_head = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        self.marks.append(tag)
        if tag == "a":
            self.leads.append(said["href"])
        if tag == "img":
            self.pictures.append(said["src"])
        if tag == "link" and said["rel"] == "alternate":
            self.others.append((said["type"], said["href"]))
        self._in_head = tag in ("th", "h2")
        if self._in_head:
            self.heads.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_head = False

    def handle_data(self, data: str) -> None:
        if self._in_head:
            self.heads[-1] += data


@pytest.fixture(scope="module")
def walked(live_server: Any) -> list[tuple[str, str]]:
    """Every route of the OpenAPI document that is read and answers JSON, and an address of each."""
    wanted = json.dumps({"collections": ["shelters"], "format": "csv"}).encode()
    send(live_server, "/extracts", wanted, "operator", Content_Type="application/json")
    document = live_server.json("/openapi.json", "operator")
    features = live_server.json("/collections/shelters/items?limit=1", "operator")["features"]
    known = {
        "collection": "shelters",
        "collections": "segments,shelters",
        "matrix_set_id": "WebMercatorQuad",
        "style_id": "shelters",
        "record_id": "shelters",
        "process": "area-summary",
        "number": "1",
        "feature_id": features[0]["id"],
        "job": live_server.json("/jobs", "operator")["jobs"][0]["id"],
        "agreement": live_server.json("/admin/agreements", "operator")["agreements"][0]["id"],
    }
    return [
        (path, _filled(path, known) + ASKED.get(path, ""))
        for path, methods in document["paths"].items()
        if _is_json(methods.get("get"))
    ]


def _is_json(about: dict[str, Any] | None) -> bool:
    content = {} if about is None else about["responses"].get("200", {}).get("content", {})
    return any(kind.partition(";")[0].endswith("json") for kind in content)


def _filled(path: str, known: dict[str, str]) -> str:
    if path.startswith("/raster"):
        return "/raster/satellite.json"
    return re.sub(r"\{(\w+)\}", lambda name: quote(known.get(name[1], "nothing")), path)


def pages(live_server: Any, walked: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Route, address and text of all pages there are in the town."""
    for route, path in walked:
        if route in MACHINES_ONLY:
            continue
        status, headers, body = live_server.get(path, "operator", Accept=BROWSER)
        assert headers["content-type"] == "text/html; charset=utf-8", path
        if status == 200:
            yield route, path, body.decode()
        else:
            assert status in REFUSED, path


def test_every_resource_is_a_page_without_scripts_that_leads_back_and_to_its_json(live_server, walked):
    found = set()
    for route, path, text in pages(live_server, walked):
        seen = Seen(text)
        assert "script" not in seen.marks, path
        assert seen.marks.count("h1") == 1, path
        assert any(urlsplit(lead).path == "/" for lead in seen.leads) or route == "/", path
        found.add(route)
        if route == "/":
            continue
        [(media, other)] = seen.others
        assert media.endswith(("json", "json;version=3.0")), path
        status, headers, body = live_server.get(other.removeprefix(live_server.url), "operator")
        assert (status, headers["content-type"].partition(";")[0]) == (200, media), path
        json.loads(body)
    assert len(found) > 45
    assert {"/jobs/{job}", "/dcat", "/collections/catalogue/items/{record_id}", "/processes"} <= found
    assert {"/tileMatrixSets/{matrix_set_id}", "/collections/{collection}/tiles"} <= found


def test_titles_and_heads_are_japanese_and_english(live_server, walked):
    same = {"ID", "URI", "URL", "SHA-256", "operator"}  # the same word in both
    for _, path, text in pages(live_server, walked):
        for head in Seen(text).heads:
            words = head.split(" › ")[-1].strip()
            assert JAPANESE.search(words) or words in same or not words, (path, head)


def test_units_and_codes_are_said_in_words(live_server):
    _, _, body = live_server.get("/collections/shelters/items?f=html")
    assert "(人 / people)" in body.decode()
    assert "{persons}" not in body.decode()
    features = live_server.json("/collections/shelters/items?limit=100")["features"]
    coded = next(item for item in features if item["properties"]["status"] == "open")
    _, _, body = live_server.get(f"/collections/shelters/items/{coded['id']}?f=html")
    assert "開設 / Open" in body.decode()
    for page in ("schema", "queryables"):
        assert b"{persons}" not in live_server.get(f"/collections/shelters/{page}?f=html")[2]


def test_the_map_of_a_page_is_a_picture_of_what_the_caller_sees(live_server):
    for path in ("/collections/shelters", "/collections/shelters/items", "/tiles/shelters.json"):
        seen = Seen(live_server.get(f"{path}?f=html")[2].decode())
        [picture] = seen.pictures
        status, headers, body = live_server.get(picture.removeprefix(live_server.url))
        assert (status, headers["content-type"]) == (200, "image/png"), path
        assert len(body) > 2_000, path  # something is drawn
        assert any("/map#map=" in lead and "shelters" in lead for lead in seen.leads), path
    hidden = [live_server.get(f"/collections/{name}/tiles?f=html") for name in ("lanes", "nothing")]
    assert hidden[0][0] == hidden[1][0] == 404
    assert hidden[0][2] == hidden[1][2]


def test_json_leads_to_the_page_and_its_links_keep_what_was_asked(live_server):
    for path in ("/tiles", "/collections/shelters/items?limit=3&properties=name", "/collections"):
        said = live_server.json(path)
        [page] = [link for link in said["links"] if link["rel"] == "alternate"]
        assert page["type"] == "text/html"
        assert page["href"].endswith("f=html")
        assert "limit=3" in page["href"] or "limit" not in path
        status, headers, _ = live_server.get(page["href"].removeprefix(live_server.url))
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
