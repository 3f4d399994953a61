"""A person opens an invite, sees whose it is, is logged in by a press, and handles people and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def invite(live_server: Any) -> Callable[[], str]:
    """Makes addresses for an administrator of the municipality."""
    roles = ("--role", "viewer", "--role", "admin")
    made = live_server.cli("persons", "add", "試験 花子", "--organisation", "shiomi-city", *roles)
    person = made.stdout.strip()

    def make() -> str:
        link = live_server.cli("persons", "invite", person).stdout.strip()
        return link[link.index("/login#") :]

    return make


@pytest.mark.parametrize("phone", [False, True])
def test_a_person_comes_in_by_a_link_and_goes(
    visit: Callable[..., Any], live_server: Any, invite: Callable[[], str], phone: bool
) -> None:
    link = invite()
    seen = visit("ja-JP", phone=phone).open(link)
    page = seen.page
    page.wait_for_selector("#log-in")
    expect(page.locator(".login-who")).to_contain_text("試験 花子")
    assert "gi_" not in page.url  # not left where somebody could read it
    page.reload()  # looking did not use it up
    page.goto("about:blank")
    page.goto(live_server.url + link)
    page.click("#log-in")
    page.wait_for_selector("#log-out")
    assert page.url == f"{live_server.url}/account"
    expect(page.locator("#people")).to_contain_text("防災担当")
    page.goto(f"{live_server.url}/map")
    page.wait_for_selector("#account-link")
    page.goto(f"{live_server.url}/account")
    page.click("#log-out")
    page.wait_for_selector(".gate")
    assert page.context.cookies() == []
    assert seen.complaints == []
    page.goto("about:blank")
    page.goto(live_server.url + link)
    page.wait_for_selector("#login-error:not(:empty)")


def test_an_administrator_invites_somebody_and_makes_a_key(
    visit: Callable[..., Any], live_server: Any, invite: Callable[[], str]
) -> None:
    page = visit("en-GB").open(invite()).page
    page.click("#log-in")
    page.click("#people summary")
    page.fill("#person-name", "鈴木 次郎")
    page.click("#people button[type=submit]")
    link = page.inner_text("#people .once code")
    other = visit("en-GB").open(link.removeprefix(live_server.url)).page
    other.click("#log-in")
    other.wait_for_selector("#log-out")
    expect(other.locator("#people")).to_have_count(0)  # a viewer
    page.click("#keys summary")
    page.fill("#key-label", "shelter app")
    page.click("#keys button[type=submit]")
    key = page.inner_text("#keys .once code")
    live_server.keys["made"] = key
    assert live_server.get("/me", "made")[0] == 200
