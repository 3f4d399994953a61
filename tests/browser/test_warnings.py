"""Warnings at the desk: a drill stays one, a real one becomes evacuation information when confirmed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TELEGRAMS = Path(__file__).resolve().parents[2] / "sample_data" / "telegrams"


def of_the_neighbour(telegram: str) -> str:
    """The same telegram with the two municipalities in each other's places."""
    places = {"潮見町": "北潮村", "北潮村": "潮見町", "0899900": "0899800", "0899800": "0899900"}
    return re.sub("|".join(places), lambda found: places[found[0]], telegram)


def test_a_drill_and_real_warnings_come_in_and_a_real_one_becomes_an_area(visit, live_server, tmp_path):
    page = visit("ja-JP", key=live_server.keys["municipal"]).open("/desk").page
    page.click("#tab-warnings")
    drill = page.locator(".drills .warning")
    expect(drill.first).to_contain_text("【訓練】")
    expect(drill.locator("button[id^=follow-]")).to_have_count(0)
    flood, tsunami = TELEGRAMS / "05_flood.xml", TELEGRAMS / "06_tsunami.xml"
    near = tmp_path / "near.xml"
    near.write_text(of_the_neighbour((TELEGRAMS / "04_landslide.xml").read_text("utf-8")), "utf-8")
    told = live_server.cli("sync", "warnings", str(flood), str(tsunami), str(near))
    assert told.returncode == 0, told.stderr
    mine = page.locator(".notice-error", has_text="新しい警報")
    for what in ("氾濫危険警報", "津波警報"):  # however many come at once, none hides another
        expect(mine.filter(has_text=what)).to_be_visible()
    expect(page.locator(".notice-info", has_text="近隣の自治体")).to_contain_text("北潮村")
    elsewhere = page.locator(".warning", has_text="北潮村").first
    expect(elsewhere).to_contain_text("近隣の自治体の警報です")
    expect(elsewhere.locator("button[id^=follow-]")).to_have_count(0)
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
    page.locator(".notice", has_text="発表しました").locator(
        ".notice-act"
    ).click()  # taken back, from the notice itself
    stranger.wait_for_function(
        "(n) => fetch('/collections/evacuation_areas/items').then((a) => a.json())"
        ".then((found) => found.numberMatched === n)",
        arg=before,
    )
