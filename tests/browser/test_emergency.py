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


def test_everybody_is_told_of_an_emergency_in_their_language_and_who_sees_more_by_it(
    visit: Callable[..., Any], live_server: Any, emergency: str
) -> None:
    stranger = visit("en-GB").open("/map")
    bar = stranger.page.locator(".emergency")
    for word in ("Emergency", "Flood", "until"):
        expect(bar).to_contain_text(word)
    expect(bar).not_to_contain_text("You see more data")
    stranger.page.click("#language-ja")
    for word in ("緊急時", "洪水", "まで"):
        expect(bar).to_contain_text(word)
    before = stranger.page.url
    bar.get_by_role("button").click()
    stranger.page.wait_for_function("before => location.href !== before", arg=before)
    member = visit("en-GB", key=live_server.keys["municipal"])
    member.page.goto(f"{live_server.url}/map")
    expect(member.page.locator(".emergency")).to_contain_text("Flood")
    expect(member.page.locator(".emergency")).to_contain_text("You see more data")
    assert stranger.complaints == member.complaints == []
