"""An emergency is announced on the map to everybody, in their language, and gone when it is over."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

AREA = {
    "type": "Polygon",
    "coordinates": [[[139, 34], [141, 34], [141, 36], [139, 36], [139, 34]]],
}
BODY = {"tier": "emergency", "area": AREA, "hours": 1, "reason": "Flood", "reason_ja": "洪水"}


class Person:
    """An operator who is logged in."""

    def __init__(self, live_server: Any) -> None:
        self.url = live_server.url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        self.token = ""
        made = live_server.cli(
            "persons", "add", "x", "--organisation", "operator", "--role", "operator"
        )
        link = live_server.cli("persons", "invite", made.stdout.strip()).stdout.strip()
        self.post("/login/invite", {"invite": link.partition("#invite=")[2]})
        with self.opener.open(f"{self.url}/me", timeout=60) as answer:
            self.token = json.loads(answer.read())["csrf_token"]

    def post(self, path: str, body: dict[str, Any]) -> Any:
        headers = {"Origin": self.url, "Content-Type": "application/json", "X-CSRF-Token": self.token}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with self.opener.open(request, timeout=60) as answer:
            return json.loads(answer.read())


@pytest.fixture
def emergency(live_server: Any) -> Iterator[str]:
    """One that is on."""
    one, two = Person(live_server), Person(live_server)
    number = one.post("/admin/emergencies", BODY)["emergency"]
    path = f"/admin/emergencies/{number}"
    two.post(f"{path}/confirm", {"reason": "seen"})
    yield path
    one.post(f"{path}/end", {"reason": "over"})


def test_nothing_is_said_where_there_is_no_emergency(visit: Callable[..., Any]) -> None:
    seen = visit("en-GB").open("/map")
    expect(seen.page.locator(".emergency")).to_have_count(0)


@pytest.mark.parametrize(
    ("locale", "key", "words"),
    [
        ("en-GB", None, ["Emergency", "Flood", "until"]),
        ("ja-JP", None, ["緊急時", "洪水", "まで"]),
        ("en-GB", "municipal", ["Flood", "You see more data"]),
    ],
)
def test_everybody_is_told_of_an_emergency(
    visit: Callable[..., Any],
    live_server: Any,
    emergency: str,
    locale: str,
    key: str | None,
    words: list[str],
) -> None:
    seen = visit(locale, key=live_server.keys[key] if key else "").open("/map")
    bar = seen.page.locator(".emergency")
    bar.wait_for()
    said = bar.inner_text()
    for word in words:
        assert word in said
    assert ("You see more data" in said) is (key is not None)
    before = seen.page.url
    bar.get_by_role("button").click()
    seen.page.wait_for_function("before => location.href !== before", arg=before)
    assert seen.complaints == []
