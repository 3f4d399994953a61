"""Streams of changes: what they tell, from where they go on, and when they end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from geoshare.api import stream
from geoshare.services import watching
from geoshare.services.written import Author
from tests.api.test_changes import ask, contribute  # noqa: F401 (a fixture)

STREAM = "/collections/shelters/changes/stream"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(stream, "LOOK_S", 0.005)


class Events:
    """An open stream as a browser reads it."""

    def __init__(
        self, own, key: str = "municipal", last: str = "", since: str = "", of: str = ""
    ) -> None:
        headers = {"X-API-Key": own.keys[key]} | ({"Last-Event-ID": last} if last else {})
        query = f"?since={since}" if since else ""
        path = STREAM.replace("shelters", of or "shelters")
        self.answer = own.client.get(path + query, headers=headers, buffered=False)
        self._pieces = self._read()

    def _read(self) -> Iterator[dict[str, Any]]:
        text = ""
        for piece in self.answer.response:
            text += piece.decode()
            while "\n\n" in text:
                block, _, text = text.partition("\n\n")
                said = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
                if "data" in said:
                    yield said | {"data": json.loads(said["data"])}

    def next(self) -> dict[str, Any]:
        return next(self._pieces)

    def ended(self) -> bool:
        return next(self._pieces, None) is None

    def close(self) -> None:
        self.answer.close()


def test_a_stream_begins_with_the_token_of_now_and_tells_what_changes(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    events = Events(own)
    assert events.answer.content_type == "text/event-stream"
    assert events.answer.headers["Cache-Control"] == "no-store"
    first = events.next()
    assert first["event"] == "token"
    assert first["id"] == first["data"]["token"] == ask(own)["token"]
    contribute({"id": "2", "name": "西小学校"})
    told = events.next()
    feed = ask(own, since=first["id"])
    assert told["event"] == "changes"
    assert told["id"] == told["data"]["token"] == feed["token"]
    assert told["data"]["since"] == first["id"]
    assert told["data"]["created"] == feed["created"]
    assert told["data"]["features"]["features"] == feed["features"]
    west, south, east, north = told["data"]["bbox"]
    assert west <= 139.7 <= east
    assert south <= 35.6 <= north
    events.close()


def test_a_reader_goes_on_from_the_last_event_it_has(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    last = ask(own)["token"]
    contribute({"id": "2", "name": "西小学校"})
    for said in ({"last": last}, {"since": last}, {"last": last, "since": "x"}):
        events = Events(own, **said)
        assert events.next()["data"]["created"] == ask(own, since=last)["created"]
        events.close()


def test_of_many_changes_only_the_news_is_told_and_no_place_to_go_on_from(own, contribute, monkeypatch):  # noqa: F811
    monkeypatch.setattr(stream, "MANY", 2)
    monkeypatch.setattr(watching, "FEW", 1)
    contribute({"id": "1", "name": "a"})
    events = Events(own)
    first = events.next()
    contribute({"id": "2", "name": "b"}, {"id": "3", "name": "c"})
    told = events.next()
    assert len(told["data"]["created"]) == 2
    assert "features" not in told["data"]
    contribute({"id": "4", "name": "b"}, {"id": "5", "name": "c"}, {"id": "6", "name": "d"})
    more = events.next()
    assert more["data"]["more"] is True
    assert "id" not in more
    assert ask(own, since=more["data"]["since"])["numberReturned"] == 3
    assert first["id"] != told["id"]
    events.close()


def test_a_stream_ends_when_its_key_is_revoked(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    own.keys["mine"] = own.key("org-mine", "municipal")
    events = Events(own, "mine")
    events.next()
    (key,) = own.services.governance.keys("org-mine")
    own.services.governance.revoke_key(key.id, own.services.clock.now_us())
    assert events.ended()


def test_a_stream_ends_when_the_collection_is_held_no_longer(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    own.keys["mine"] = own.key("org-mine")
    number = own.local.agree("org-mine", ("automaker",), days=1, reason="a test")
    contribute({"id": "1", "name": "a lane"}, collection="regulatory_elements")
    events = Events(own, "mine", of="regulatory_elements")
    events.next()
    own.services.agreements.end(number, Author("operator", "a test"))
    assert events.ended()


def test_a_stream_that_cannot_begin_says_why(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    token = ask(own)["token"]
    contribute({"id": "2", "name": "b"})
    for path in own.services.views_dir.glob("*/shelters.journal"):
        path.unlink()
    answers = {
        "?since=x": 400,
        f"?since={token}": 410,
        "?limit=3": 400,
    }
    for query, status in answers.items():
        assert own.get(STREAM + query, "municipal").status_code == status
    assert own.get("/collections/nothing/changes/stream").status_code == 404


def test_a_worker_has_few_streams_and_gives_places_back(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    most = own.settings.streams
    keys = [own.key(f"org-{number}", "municipal") for number in range(3)]
    own.keys |= {str(number): key for number, key in enumerate(keys)}
    opened = [Events(own, str(number % 3)) for number in range(most + 1)]
    statuses = [events.answer.status_code for events in opened]
    assert statuses == [200] * most + [503]
    assert opened[-1].answer.headers["Retry-After"]
    opened[0].close()
    again = Events(own, "0")
    assert again.answer.status_code == 200
    assert own.get("/collections/shelters/items", "municipal").status_code == 200
    for events in (*opened[1:], again):
        events.close()


def test_a_stream_ends_after_a_while(own, contribute):  # noqa: F811
    contribute({"id": "1", "name": "東小学校"})
    clock = iter(range(0, 100_000, 100))
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": STREAM, "HTTP_X_API_KEY": own.keys["municipal"]}
    found = stream.Stream(
        own.services, environ, "shelters", pause=lambda seconds: None, now_s=lambda: next(clock)
    )
    view = own.services.view(own.services.principal(own.keys["municipal"]), "shelters")
    found._seen = view.policy_hash, view.token
    said = list(found.events(b""))
    assert len(said) > 3  # signs of life
    assert next(clock) < 10_000
