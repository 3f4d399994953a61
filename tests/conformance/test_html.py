"""OGC API Features Part 1, ``/conf/html``, as far as pages go: every one opens without scripts."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tests.conformance.server import Server

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Reader(HTMLParser):
    """Collects the words, the links and the elements of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.links, self.tags = "", [], []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name == "href" and tag == "a"]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture
def pages(served: Server) -> Server:
    served.needs("ogcapi-common-1/1.0/conf/html")
    return served


def read(served: Server, path: str, status: int = 200) -> Reader:
    answer = served.ask(path, BROWSER)
    assert (answer.status, answer.kind) == (status, "text/html"), path
    return Reader(answer.body.decode())


def test_html_content_and_definition(pages: Server):
    name = pages.collections[0]["id"]
    for path in ("/", "/collections", f"/collections/{name}", "/conformance"):
        found = read(pages, path)
        assert "title" in found.tags
        assert found.links
    listed = read(pages, "/collections")
    assert all(item["title"] in listed.words for item in pages.collections)
    assert any(link.endswith(f"/collections/{name}") for link in listed.links)
    own = read(pages, f"/collections/{name}")
    assert any(link.endswith(f"/collections/{name}/items") for link in own.links)


def test_html_of_features(pages: Server):
    pages.needs("ogcapi-features-1/1.0/conf/html")
    for item in pages.collections:
        one = pages.page(item["id"], limit=1)["features"][0]["id"]
        for path in (pages.items(item["id"]), f"{pages.items(item['id'])}/{one}"):
            found = read(pages, path)
            assert one in found.words
            assert "script" not in found.tags
    assert "/collections" in read(pages, "/openapi.json").words


def test_html_of_schemas_names_every_property(pages: Server):
    name = pages.collections[0]["id"]
    for page in ("schema", "queryables", "sortables"):
        said = pages.get(f"/collections/{name}/{page}")
        found = read(pages, f"/collections/{name}/{page}")
        assert all(key in found.words for key in said["properties"])
        assert "script" not in found.tags


def test_html_is_also_what_refusals_are_to_a_browser(pages: Server):
    found = read(pages, "/collections?nonsense=%3Cscript%3E1", 400)
    assert "script" not in found.tags
    assert "nonsense" in found.words
    assert (
        read(pages, "/collections/nosuch1", 404).words == read(pages, "/collections/nosuch2", 404).words
    )


def test_json_is_what_everybody_else_gets(pages: Server):
    for accept in (None, "*/*", "application/json", "application/json, text/html;q=0.5"):
        assert pages.ask("/collections", accept).kind == "application/json"
        assert pages.ask("/collections?nonsense=1", accept).kind == "application/problem+json"
    assert pages.ask("/collections?f=json", BROWSER).kind == "application/json"
    assert pages.ask("/collections?f=html", "application/json").kind == "text/html"
