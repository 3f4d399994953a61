"""Deciding on the map: hazards by scenario, where to flee, people in an area, exposure of a road."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

TOWN = "map=14.2/36.2512/140.9012"
HOUSES = "layers=admin_areas,segments,hazard_zones,shelters,evacuation_sites"


def counted(live: Any, collection: str, key: str | None, filter_: str) -> int:
    return live.json(f"/collections/{collection}/items?limit=1&filter={quote(filter_)}", key)[
        "numberMatched"
    ]


def test_a_hazard_is_chosen_by_kind_and_scenario_and_the_link_keeps_it(
    visit: Callable[..., Any],
) -> None:
    seen = visit().open(f"/map#{TOWN}&{HOUSES}")
    page = seen.page
    page.click("#open-hazard_zones")
    chooser = page.locator("#choice-hazard_zones")
    expect(chooser.locator("option[value='tsunami/L2']")).to_have_text("　津波（想定最大規模）")
    chooser.select_option("tsunami/L2")
    legend = page.locator("#row-hazard_zones .legend")
    expect(legend).to_contain_text("0.3 m未満")
    expect(legend).to_contain_text("安全とは限りません")
    expect(legend).not_to_contain_text("土石流")
    expect(page).to_have_url(re.compile("show=hazard_zones@tsunami/L2"))
    again = visit("en-GB").open(
        "/map#" + page.evaluate("location.hash.slice(1)").replace("lang=ja", "lang=en")
    )
    again.page.click("#open-hazard_zones")
    expect(again.page.locator("#choice-hazard_zones")).to_have_value("tsunami/L2")


def test_shelters_are_found_on_a_phone_with_the_servers_counts_and_the_map_follows(
    visit: Callable[..., Any], live_server: Any
) -> None:
    seen = visit(phone=True, key=live_server.keys["municipal"]).open(f"/map#{TOWN}&{HOUSES}")
    page = seen.page
    page.tap("#sheet-handle")
    page.tap("#tab-finder")
    page.wait_for_selector(".found")
    page.select_option("#find-hazard", "tsunami")
    sites = counted(live_server, "evacuation_sites", "municipal", "hazard_tsunami = TRUE")
    expect(page.locator("#count-found-evacuation_sites")).to_contain_text(f"{sites} /")
    page.select_option("#find-hazard", "")
    page.select_option("#find-room", "unknown")
    unknown = counted(
        live_server, "shelters", "municipal", "max_capacity IS NULL OR people_count IS NULL"
    )
    expect(page.locator("#count-found-shelters")).to_contain_text(f"{unknown} /")
    page.tap("#find-clear")
    page.select_option("#find-city", "089982")
    expect(page.locator("#count-found-shelters")).to_contain_text("5 /")
    first = page.locator(".found").first
    expect(first).to_contain_text("北潮村")
    page.check("#find-wide")
    expect(page.locator("#count-found-shelters")).to_contain_text("2 /")
    expect(page.locator(".found").first).to_contain_text("広域避難: 受入可")
    page.locator(".found").first.tap()
    expect(page.locator(".card h2")).to_contain_text("北潮")
    assert not seen.complaints


def test_a_stranger_sees_the_neighbours_shelters_and_not_what_they_offer(
    visit: Callable[..., Any],
) -> None:
    page = visit("en-GB").open(f"/map#{TOWN}&{HOUSES}").page
    page.click("#tab-finder")
    page.wait_for_selector(".found")
    page.select_option("#find-city", "089982")
    expect(page.locator("#count-found-shelters")).to_contain_text("5 of")
    expect(page.locator("#find-wide")).to_have_count(0)
    expect(page.locator(".found").first).not_to_contain_text("Neighbours")


def test_people_and_buildings_are_counted_for_a_town_and_saved_as_a_workbook(
    visit: Callable[..., Any], live_server: Any
) -> None:
    page = visit(key=live_server.keys["municipal"]).open(f"/map#{TOWN}&{HOUSES}").page
    page.click("#tab-area")
    page.select_option("#area-where", "city-089991")
    page.select_option("#area-hazard", "flood")
    page.click("#area-run")
    answer = page.locator(".area-answer")
    expect(answer).to_contain_text("推計")
    expect(answer.locator("tbody tr").last).to_contain_text("安全とは限りません")
    expect(answer.locator("tfoot")).to_contain_text("以上")
    with page.expect_download() as saved:
        page.click("#area-save")
    assert saved.value.suggested_filename == "area-summary.xlsx"


def test_a_drawn_area_is_counted_when_it_is_closed(visit: Callable[..., Any], live_server: Any) -> None:
    page = visit(key=live_server.keys["municipal"]).open(f"/map#{TOWN}&{HOUSES}").page
    page.click("#tab-area")
    page.wait_for_selector("#area-where")
    page.click("#area-draw")
    page.click("#way-area")
    box = page.locator("#map").bounding_box()
    assert box is not None
    for x, y in ((0.3, 0.45), (0.6, 0.45), (0.6, 0.75), (0.3, 0.75)):  # below the panel
        page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        page.wait_for_timeout(350)  # two quick taps are a double tap to the map
    page.click("#draw-next")
    expect(page.locator(".area-answer h3")).to_contain_text("描いた範囲")
    expect(page.locator(".area-answer tfoot")).not_to_contain_text("以上")


def test_a_clicked_road_tells_what_it_lies_in(visit: Callable[..., Any], live_server: Any) -> None:
    name = quote("name = '川端通り'")
    roads = live_server.json(f"/collections/segments/items?limit=500&filter={name}")["features"]
    road = max(roads, key=lambda item: len(item["geometry"]["coordinates"]))
    middle = road["geometry"]["coordinates"][len(road["geometry"]["coordinates"]) // 2]
    place = f"map=18/{middle[1]}/{middle[0]}&layers=admin_areas,segments"
    page = visit("en-GB").open(f"/map#{place}").page
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.click("#exposure-open")
    body = page.locator(".exposure-body")
    expect(body).to_contain_text("Flood (largest conceivable)")
    expect(body).to_contain_text("not known to be safe")
    expect(body).to_contain_text("unknown")  # structures, which a stranger does not see
