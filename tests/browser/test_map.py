"""The map as people use it: look, switch, search, read, come back by a link."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

LANGUAGES = [("ja-JP", "指定緊急避難場所"), ("en-GB", "Evacuation sites")]

TOO_SMALL = """() => [...document.querySelectorAll('button, select, a[href], label.switch-label')]
  .filter((e) => e.checkVisibility({ visibilityProperty: true }))
  .filter((e) => !e.closest('.maplibregl-ctrl-attrib') && !e.classList.contains('skip'))
  .filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width && (box.height < 44 || box.width < 44);
  })
  .map((e) => e.outerHTML.slice(0, 90))"""


@pytest.fixture
def site(live_server: Any) -> dict[str, Any]:
    found = live_server.json("/collections/evacuation_sites/items?limit=50")["features"]
    return next(item for item in found if item["properties"].get("name"))


@pytest.mark.parametrize(("locale", "title"), LANGUAGES)
def test_the_open_map_draws_from_this_server_alone_and_speaks_the_browsers_language(
    visit: Callable[..., Any], locale: str, title: str
) -> None:
    seen = visit(locale).open("/map")
    expect(seen.page.locator("#row-evacuation_sites .row-title")).to_have_text(title)
    assert seen.page.evaluate("document.documentElement.lang") == locale[:2]
    expect(seen.page.locator(".maplibregl-ctrl-scale")).to_be_visible()
    expect(seen.page.locator(".emergency")).to_have_count(0)  # there is none
    hosts = {urlsplit(address).netloc for address in seen.addresses if address.startswith("http")}
    assert hosts == {urlsplit(seen.base).netloc}
    own_font = re.compile(r"/map/assets/noto-sans-jp-\d+-\d+-normal")
    assert any(own_font.search(address) for address in seen.addresses)
    assert seen.complaints == []


def test_a_wrong_key_changes_nothing_and_a_right_one_adds_the_layers_of_its_agreement(
    visit: Callable[..., Any], live_server: Any
) -> None:
    seen = visit("en-GB").open("/map")
    before = seen.layers()
    assert "lanes" not in before
    seen.enter_key("gs_wrong_key")
    expect(seen.page.locator("#key-error")).to_contain_text("not valid")
    assert seen.layers() == before
    seen.page.fill("#key-input", live_server.keys["automaker"])
    seen.page.click("dialog button[type=submit]")
    seen.page.wait_for_selector("#row-lanes")
    seen.page.click("#key-button")
    seen.page.click("dialog .button-plain")
    seen.page.wait_for_selector("#row-lanes", state="detached")
    assert seen.layers() == before


def test_search_by_keyboard_flies_to_a_place_and_tells_about_it_in_both_languages(
    visit: Callable[..., Any], site: dict[str, Any]
) -> None:
    seen = visit().open("/map")
    seen.page.fill("#search-input", site["properties"]["name"])
    seen.page.wait_for_selector("#result-0")
    kinds = seen.page.locator("#search-results .result-kind").all_inner_texts()
    for _ in range(kinds.index("指定緊急避難場所") + 1):
        seen.page.keyboard.press("ArrowDown")
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_selector(".card[aria-busy=false] h2")
    expect(seen.page.locator(".card h2")).to_have_text(site["properties"]["name"])
    expect(seen.page.locator(".card")).to_contain_text("対応する災害")
    longitude, latitude = site["geometry"]["coordinates"][:2]
    seen.page.wait_for_function(
        """([lon, lat]) => {
          const [, y, x] = /map=[^/]+\\/([^/]+)\\/([^/&]+)/.exec(location.hash).map(Number);
          return Math.hypot(x - lon, y - lat) < 0.002;
        }""",
        arg=[longitude, latitude],
    )
    seen.page.click("#language-en")
    seen.page.wait_for_function(
        "() => document.querySelector('.card').innerText.includes('Designated for')"
    )
    expect(seen.page.locator(".card-kind")).to_contain_text("Evacuation sites")


def test_a_click_on_the_map_opens_what_lies_there_and_escape_closes_it(
    visit: Callable[..., Any], site: dict[str, Any]
) -> None:
    longitude, latitude = site["geometry"]["coordinates"][:2]
    seen = visit().open(
        f"/map#map=17/{latitude}/{longitude}&layers=evacuation_sites,segments,admin_areas"
    )
    box = seen.page.locator("#map").bounding_box()
    seen.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    seen.page.wait_for_selector(".card[aria-busy=false] h2")
    expect(seen.page.locator(".card h2")).to_have_text(site["properties"]["name"])
    seen.page.keyboard.press("Escape")
    expect(seen.page.locator(".card")).to_be_hidden()


def test_the_rain_opens_in_the_middle_of_its_series_and_the_time_bar_steps_through_it(
    visit: Callable[..., Any], live_server: Any
) -> None:
    times = live_server.json("/raster/rain.json")["times"]
    seen = visit().open("/map")
    seen.page.check("#layer-rain", force=True)
    seen.page.wait_for_selector("#time-slider")
    seen.page.wait_for_function("() => location.hash.includes('time=')")
    opened = re.search(r"rain@([^,&]+)", seen.page.evaluate("location.hash"))
    assert opened is not None
    assert abs(times.index(opened[1]) - (len(times) - 1) / 2) <= 0.5
    first = seen.link()["time"]
    seen.page.locator("#time-slider").focus()
    with seen.page.expect_response(lambda answer: "/raster/rain/" in answer.url):
        seen.page.keyboard.press("ArrowRight")
    seen.page.wait_for_function("before => !location.hash.includes(before)", arg=first)
    seen.page.click("#time-play")
    second = seen.link()["time"]
    seen.page.wait_for_function("before => !location.hash.includes(before)", arg=second)


def test_a_link_brings_back_place_layers_time_and_language(visit: Callable[..., Any]) -> None:
    first = visit().open("/map")
    first.page.check("#layer-rain", force=True)
    first.page.wait_for_selector("#time-slider")
    first.page.uncheck("#layer-hazard_zones", force=True)
    first.page.click("#language-en")
    first.page.wait_for_function("() => location.hash.includes('lang=en')")
    tail = first.page.evaluate("location.hash")
    second = visit("ja-JP").open(f"/map{tail}")
    assert second.link() == first.link()
    expect(second.page.locator("#layer-rain")).to_be_checked()
    expect(second.page.locator("#layer-hazard_zones")).not_to_be_checked()
    expect(second.page.locator("#row-rain .row-title")).to_have_text("Rain")


def test_on_a_phone_the_layers_are_a_sheet_and_everything_is_large_enough_to_touch(
    visit: Callable[..., Any],
) -> None:
    seen = visit(phone=True).open("/map")
    expect(seen.page.locator("#sheet-handle")).to_have_attribute("aria-expanded", "false")
    seen.page.tap("#sheet-handle")
    seen.page.wait_for_selector("#row-evacuation_sites >> visible=true")
    small = seen.page.evaluate(TOO_SMALL)
    assert small == []
    assert seen.complaints == []


def test_on_a_phone_the_search_list_the_card_and_the_layers_take_turns(
    visit: Callable[..., Any], site: dict[str, Any]
) -> None:
    seen = visit(phone=True).open("/map")
    listed, card = seen.page.locator("#search-results"), seen.page.locator(".card")
    handle = seen.page.locator("#sheet-handle")

    handle.tap()
    expect(handle).to_have_attribute("aria-expanded", "true")
    seen.page.fill("#search-input", site["properties"]["name"])
    listed.wait_for(state="visible")
    expect(handle).to_have_attribute("aria-expanded", "false")

    seen.page.locator("#result-0").tap()
    seen.page.wait_for_selector(".card[aria-busy=false] h2")
    expect(listed).to_be_hidden()
    seen.page.fill("#search-input", "")
    seen.page.fill("#search-input", site["properties"]["name"])
    listed.wait_for(state="visible")
    expect(card).to_be_hidden()

    seen.page.locator("#result-0").tap()
    seen.page.wait_for_selector(".card[aria-busy=false] h2")
    seen.page.tap("#card-close")
    card.wait_for(state="hidden")
    expect(listed).to_be_hidden()


def test_every_page_has_the_icon_of_the_project(visit: Callable[..., Any], live_server: Any) -> None:
    seen = visit()
    seen.page.set_extra_http_headers({"Accept": "text/html"})
    for path in ("/", "/map", "/contribute"):
        seen.page.goto(live_server.url + path)
        icon = seen.page.locator("link[rel=icon]").evaluate("link => new URL(link.href).pathname")
        status, headers, _ = live_server.get(icon)
        assert (status, headers["content-type"].split(";")[0]) == (200, "image/svg+xml")
