"""Warnings at the desk: a drill stays one, a real one becomes evacuation information when confirmed."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TELEGRAMS = Path(__file__).resolve().parents[2] / "sample_data" / "telegrams"


def test_a_drill_and_a_real_warning_come_in_and_the_real_one_becomes_an_area(visit, live_server):
    page = visit("ja-JP", key=live_server.keys["municipal"]).open("/desk").page
    page.click("#tab-warnings")
    drill = page.locator(".drills .warning")
    expect(drill.first).to_contain_text("【訓練】")
    expect(drill.locator("button[id^=follow-]")).to_have_count(0)
    flood = TELEGRAMS / "05_flood.xml"
    assert live_server.cli("sync", "warnings", str(flood)).returncode == 0
    expect(page.locator(".notice-error").first).to_contain_text("氾濫危険警報")
    came = page.locator(".warning", has_text="氾濫危険警報")
    before = live_server.json("/collections/evacuation_areas/items")["numberMatched"]
    came.locator("button[id^=follow-]").click()
    page.check("#follow-blocks")
    page.locator(".follow-list input").first.check()
    chosen = page.locator(".follow-list label").first.inner_text().strip()
    expect(page.locator("#follow-summary")).to_contain_text(chosen)
    expect(page.locator("#follow-summary")).to_contain_text("避難指示")
    assert live_server.json("/collections/evacuation_areas/items")["numberMatched"] == before
    page.click("#follow-confirm")
    expect(page.locator(".desk-row").first).to_contain_text("避難指示")
    stranger = visit("en-GB").open("/desk").page
    stranger.wait_for_function(
        "(n) => fetch('/collections/evacuation_areas/items').then((a) => a.json())"
        ".then((found) => found.numberMatched === n)",
        arg=before + 1,
    )
    page.click(".notice-act")  # taken back, from the notice itself
    stranger.wait_for_function(
        "(n) => fetch('/collections/evacuation_areas/items').then((a) => a.json())"
        ".then((found) => found.numberMatched === n)",
        arg=before,
    )
