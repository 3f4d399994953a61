"""An officer's screen: what is set on a phone shows elsewhere, and nobody overwrites a colleague."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def row_of(page, place: int) -> str:
    page.wait_for_selector(".desk-row .states")
    return page.locator(".desk-row").nth(place).get_attribute("id").removeprefix("row-")


def test_a_shelter_opened_on_a_phone_shows_on_a_colleagues_screen_and_to_the_public(visit, live_server):
    key = live_server.keys["municipal"]
    phone = visit("ja-JP", phone=True, key=key).open("/desk").page
    colleague = visit("en-GB", key=key).open("/desk").page
    shelter = row_of(phone, 1)
    row_of(colleague, 1)
    phone.fill(f"#people-{shelter}", "57")
    phone.click(f"#save-people-{shelter}")
    phone.click(f"#set-full-{shelter}")
    colleague.wait_for_selector(f"#set-full-{shelter}[aria-pressed=true]")
    found = json.loads(live_server.get(f"/collections/shelters/items/{shelter}")[2])
    assert (found["properties"]["status"], found["properties"]["people_count"]) == ("full", 57)


def test_two_presses_in_quick_succession_are_both_kept(visit, live_server):
    page = visit("ja-JP", key=live_server.keys["municipal"]).open("/desk").page
    shelter = row_of(page, 2)
    held = []

    def slowly(route):
        """The answer to the first press comes after the second press."""
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route(f"**/collections/shelters/items/{shelter}", slowly)
    page.fill(f"#people-{shelter}", "31")
    page.click(f"#save-people-{shelter}")
    page.click(f"#set-full-{shelter}")
    page.wait_for_timeout(300)
    held[0].continue_()
    colleague = visit("en-GB", key=live_server.keys["municipal"]).open("/desk").page
    colleague.wait_for_selector(f"#set-full-{shelter}[aria-pressed=true]")
    found = json.loads(live_server.get(f"/collections/shelters/items/{shelter}")[2])
    assert (found["properties"]["status"], found["properties"]["people_count"]) == ("full", 31)


def test_who_was_second_sees_both_sides_and_chooses(visit, live_server):
    key = live_server.keys["municipal"]
    first = visit("ja-JP", phone=True, key=key).open("/desk").page
    second = visit("ja-JP", key=key).open("/desk").page
    shelter = row_of(first, 0)
    row_of(second, 0)
    second.route("**/changes?*", lambda route: route.abort())  # has not heard of the first yet
    first.click(f"#set-closed-{shelter}")
    first.wait_for_selector(".notice")
    second.click(f"#set-open-{shelter}")
    sides = second.locator(".sides").inner_text()
    assert "開設" in sides
    assert "閉鎖" in sides
    second.click("#keep-yours")
    first.wait_for_selector(f"#set-open-{shelter}[aria-pressed=true]")
    second.unroute("**/changes?*")
    second.click("#edits")
    second.locator(".history > li").nth(
        1
    ).wait_for()  # the decision of the first and that of the second


def test_a_stranger_on_the_map_sees_a_shelter_close_without_a_reload(visit, live_server):
    key = live_server.keys["municipal"]
    officer = visit("ja-JP", key=key).open("/desk").page
    shelter = row_of(officer, 4)
    name = officer.locator(f"#find-{shelter}").inner_text()
    stranger = visit("ja-JP").open("/map#layers=shelters").page
    stranger.fill("#search-input", name)
    stranger.wait_for_selector("#result-0")
    stranger.keyboard.press("Enter")
    stranger.wait_for_selector(".card[aria-busy=false] h2")
    loads = stranger.evaluate("performance.getEntriesByType('navigation').length")
    officer.click(f"#set-closed-{shelter}")
    expect(stranger.locator(".card .facts")).to_contain_text("閉鎖")
    officer.click(".notice-act")  # taken back from the message that it is saved
    expect(stranger.locator(".card .facts")).not_to_contain_text("閉鎖")
    assert stranger.evaluate("performance.getEntriesByType('navigation').length") == loads


def test_a_street_is_closed_by_two_taps_on_a_phone(visit, live_server):
    page = visit("ja-JP", phone=True, key=live_server.keys["municipal"]).open("/desk").page
    page.click("#tab-events")
    page.locator(".desk-row .desk-name").first.click()  # shows where it is
    page.wait_for_selector("body[data-map=ready]", state="attached")
    page.click("#pane-list")
    page.click("#desk-add")
    page.wait_for_selector("#draw-next")
    box = page.locator("#map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for across, down in ((-60, 40), (70, -60)):
        with page.expect_response(lambda answer: "/collections/segments/items" in answer.url):
            page.touchscreen.tap(x + across, y + down)
    expect(page.locator("#draw-next")).to_be_enabled()
    page.click("#draw-next")
    page.fill("#field-name", "二点の間")
    page.click("#form-save")
    page.wait_for_selector(".notice-act")
    # in the data a moment later
    found = page.wait_for_function(
        "() => fetch('/collections/events/items').then((a) => a.json()).then(({ features }) =>"
        " features.find(({ properties }) => properties.name === '二点の間'))"
    ).json_value()
    assert len(found["geometry"]["coordinates"]) > 2
    page.click(".notice-act")
    expect(page.locator(".notice", has_text="元に戻しました")).to_be_visible()
