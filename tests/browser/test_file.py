"""A map in one file: made from the map page, and opened from the disk with no server at all."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_what_the_map_shows_is_saved_and_opens_from_the_disk_without_a_network(
    visit, live_server, tmp_path
):
    page = visit("ja-JP", key=live_server.keys["municipal"]).open("/map#map=15/36.25/140.905").page
    page.click("#single")
    with page.expect_download() as saved:
        page.click("#single-make")
    path = tmp_path / "町.html"
    saved.value.save_as(path)
    expect(page.locator("#single-status")).to_contain_text("MB")

    stranger = visit("ja-JP")
    stranger.page.context.set_offline(True)
    stranger.page.goto(path.as_uri())
    stranger.page.wait_for_selector("body[data-map=ready]", state="attached")
    # The list is what the map draws: each shelter with its state.
    stranger.page.select_option("#single-collection", "shelters")
    rows = stranger.page.locator(".single-list li")
    expect(rows.locator(".single-state")).to_have_count(rows.count())
    expect(rows.first.locator(".single-state")).not_to_be_empty()
    near = "/collections/shelters/items?limit=1&bbox=140.9,36.245,140.91,36.255"
    site = live_server.json(near)["features"][0]["properties"]["name"]
    stranger.page.fill("#search-input", site)
    expect(stranger.page.locator("#result-0")).to_contain_text(site)
    stranger.page.keyboard.press("Enter")
    expect(stranger.page.locator(".card h2")).to_be_visible()
    stranger.page.click("#language-en")
    expect(stranger.page.locator(".single-time")).to_contain_text("As of")
    outside = [address for address in stranger.addresses if address.startswith("http")]
    assert outside == []
    assert stranger.complaints == []
