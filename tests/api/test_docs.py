"""/docs: the OpenAPI document and the ways to connect, for people, without scripts."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.api.conftest import Own
from tests.api.test_faults import places


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Own:
    return Own(tmp_path_factory.mktemp("own") / "data")


class Seen(HTMLParser):
    """Marks, addresses and ids of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.marks: set[str] = set()
        self.leads: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.marks.add(tag)
        self.leads += [said[name] or "" for name in ("href", "src") if name in said]
        self.ids += [said["id"] or ""] if "id" in said else []


@pytest.mark.parametrize("key", [None, "operator"])
def test_every_operation_of_the_document_stands_there_once(own, key):
    answer = own.get("/docs", key)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    seen = Seen(answer.text)
    paths = own.get("/openapi.json", key).json["paths"]
    named = {about["operationId"] for methods in paths.values() for about in methods.values()}
    assert named <= set(seen.ids)
    assert len(seen.ids) == len(set(seen.ids))
    for path in paths:
        assert f"<code>{path}</code>" in answer.text.replace("&lt;", "<"), path


def test_groups_are_named_in_both_languages(own):
    text = own.get("/docs", "operator").text
    heads = re.findall(r'<h2 id="([^"]+)">([^<]+?)(?: / <span lang="en">([^<]+)</span>)?</h2>', text)
    tags = {
        about["tags"][0]
        for methods in own.get("/openapi.json", "operator").json["paths"].values()
        for about in methods.values()
    }
    assert tags <= {tag for tag, _, _ in heads}
    for tag, ja, en in heads:
        assert re.search(r"[\u3040-\u9fff]", ja) or tag == "classic", tag
        assert en.isascii(), tag
        assert en, tag


def test_it_needs_no_script_and_nothing_from_elsewhere(own):
    seen = Seen(own.get("/docs", None).text)
    assert not {"script", "iframe", "img", "object"} & seen.marks
    assert all(re.match(r"(http://localhost/|#)", lead) for lead in seen.leads), seen.leads
    anchors = {lead[1:] for lead in seen.leads if lead.startswith("#")}
    assert anchors <= set(seen.ids)


def test_no_name_of_a_hidden_collection_stands_there(own, tmp_path):
    own.contribute(places(tmp_path, 0), collection="secret_places")
    assert "secret_places" in own.get("/docs", "operator").text
    assert "secret_places" not in own.get("/docs", None).text


def test_the_landing_page_leads_to_it(own):
    links = own.get("/", None).json["links"]
    assert [link["href"] for link in links if link["rel"] == "service-doc"] == ["http://localhost/docs"]
