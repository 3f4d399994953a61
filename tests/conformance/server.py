"""A server under test, known by its address alone, and what these tests look up of it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urljoin

import pytest

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
CRS84H = "http://www.opengis.net/def/crs/OGC/0/CRS84h"
SPEC = "http://www.opengis.net/spec"
OGC_REL = "http://www.opengis.net/def/rel/ogc/1.0/"
GEOJSON = "application/geo+json"
MOST = 3  # collections that are asked, where each would tell the same


@dataclass(frozen=True)
class Answer:
    """Status, headers (lower case) and body."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """Media type without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Server:
    """What is reached below one address, with a key or without."""

    url: str
    key: str | None = None
    _known: dict[str, Answer] = field(default_factory=dict)

    def ask(self, path: str, accept: str | None = None, **query: Any) -> Answer:
        """A GET of a path below the address, or of an absolute address."""
        where = path if "://" in path else self.url + path
        if query:
            said = {name.replace("_", "-"): value for name, value in query.items()}
            where += ("&" if "?" in where else "?") + urlencode(said)
        request = urllib.request.Request(urljoin(self.url, where))
        if self.key:
            request.add_header("X-API-Key", self.key)
        if accept:
            request.add_header("Accept", accept)
        try:
            with urllib.request.urlopen(request, timeout=60) as got:
                return Answer(where, got.status, _lower(got.headers), got.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(where, error.code, _lower(error.headers), error.read())

    def get(self, path: str, accept: str | None = None, **query: Any) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.ask(path, accept, **query)
        assert answer.status == 200, (answer.url, answer.status, answer.body[:300])
        return answer.json

    @cached_property
    def landing(self) -> dict[str, Any]:
        """The landing page."""
        return dict(self.get("/", "application/json"))

    @cached_property
    def classes(self) -> list[str]:
        """The conformance classes that are declared."""
        return list(self.get("/conformance", "application/json")["conformsTo"])

    @cached_property
    def definition(self) -> dict[str, Any]:
        """The OpenAPI document."""
        links = [link for link in self.landing["links"] if link["rel"] == "service-desc"]
        return dict(self.get(links[0]["href"], links[0].get("type")))

    @cached_property
    def collections(self) -> list[dict[str, Any]]:
        """The collections of features, those with features first, a few of them."""
        listed = self.get("/collections", "application/json")["collections"]
        found = [item for item in listed if item.get("itemType", "feature") == "feature"]
        full = [item for item in found if self.page(item["id"], limit=1)["features"]]
        assert full, "there is no collection with features"
        return full[:MOST]

    def items(self, collection: str) -> str:
        """Path of a collection's features."""
        return f"/collections/{collection}/items"

    def page(self, collection: str, **query: Any) -> dict[str, Any]:
        """A page of features."""
        return dict(self.get(self.items(collection), GEOJSON, **query))

    def needs(self, *names: str) -> None:
        """Skip what the server does not declare."""
        for name in names:
            if f"{SPEC}/{name}" not in self.classes:
                pytest.skip(f"the server does not declare {name}")

    def every(self, collection: str, **query: Any) -> list[dict[str, Any]]:
        """Every feature of a collection, by following next links."""
        found: list[dict[str, Any]] = []
        page = self.page(collection, **query)
        while True:
            found += page["features"]
            following = [link["href"] for link in page["links"] if link["rel"] == "next"]
            if not following or len(found) > 20_000:
                return found
            page = self.get(following[0], GEOJSON)


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def rels(links: list[dict[str, Any]]) -> set[str]:
    """The relations of links, each of which must have an absolute address."""
    assert all("://" in link["href"] for link in links), links
    return {link["rel"] for link in links}
