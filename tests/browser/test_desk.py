"""An officer's screen: what is set on a phone shows elsewhere, and nobody overwrites a colleague."""

from __future__ import annotations

import json
import time

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def row_of(page, place: int) -> str:
    """A shelter of the town: what lies outside it is shown and not the town's to edit."""
    page.wait_for_selector(".desk-row .states")
    page.fill("#desk-filter", "潮見町")
    return page.locator(".desk-row").nth(place).get_attribute("id").removeprefix("row-")


def until_public(live_server, shelter: str, wanted: tuple[str, int]) -> None:
    """Wait until every worker shows it: a colleague's screen may have it a moment sooner."""
    deadline = time.monotonic() + 10
    while True:
        said = json.loads(live_server.get(f"/collections/shelters/items/{shelter}")[2])["properties"]
        if (said["status"], said["people_count"]) == wanted:
            return
        assert time.monotonic() < deadline, said
        time.sleep(0.1)


def test_a_shelter_opened_on_a_phone_shows_on_a_colleagues_screen_and_to_the_public(visit, live_server):
    key = live_server.keys["municipal"]
    phone = visit("ja-JP", phone=True, key=key).open("/desk").page
    colleague = visit("en-GB", key=key).open("/desk").page
    shelter = row_of(phone, 1)
    row_of(colleague, 1)
    phone.fill(f"#people-{shelter}", "57")
    phone.click(f"#set-full-{shelter}")  # one press for both
    colleague.wait_for_selector(f"#set-full-{shelter}[aria-pressed=true]")
    until_public(live_server, shelter, ("full", 57))


def test_two_presses_in_quick_succession_are_both_kept(visit, live_server):
    page = visit("ja-JP", key=live_server.keys["municipal"]).open("/desk").page
    shelter = row_of(page, 2)
    held, lists = [], []

    def slowly(route):
        """The answer to the first press comes after the second press."""
        if held or route.request.method != "PATCH":
            route.continue_()
        else:
            held.append(route)

    def late(route):
        """The colleague's list is read before the presses, and arrives after the news of them."""
        if lists:
            route.continue_()
        else:
            lists.append((route, route.fetch()))

    page.route(f"**/collections/shelters/items/{shelter}", slowly)
    count = 31 + (page.input_value(f"#people-{shelter}") == "31")  # other tests use the town, too
    page.fill(f"#people-{shelter}", str(count))
    with page.expect_request(lambda asked: asked.method == "PATCH"):
        page.click(f"#save-people-{shelter}")
    page.click(f"#set-full-{shelter}")
    colleague = visit("en-GB", key=live_server.keys["municipal"])
    colleague.page.route("**/desk/collections/shelters/items?*", late)
    with colleague.page.expect_response("**/changes?*&since=*"):
        colleague.open("/desk")
    colleague.page.wait_for_function("!document.querySelector('.desk-row')")
    held[0].fulfill(status=503, json={"title": "busy"})  # it is sent again, before the second
    full = colleague.page.locator(f"#set-full-{shelter}[aria-pressed=true]")
    full.wait_for()
    route, answer = lists[0]
    route.fulfill(response=answer)
    colleague.page.locator(".desk-row").nth(2).wait_for()
    expect(full).to_be_visible()
    until_public(live_server, shelter, ("full", count))


def test_who_was_second_sees_both_sides_and_chooses(visit, live_server):
    key = live_server.keys["municipal"]
    first = visit("ja-JP", phone=True, key=key).open("/desk").page
    second = visit("ja-JP", key=key).open("/desk").page
    shelter = row_of(first, 0)
    row_of(second, 0)
    # a page that nobody looks at does not ask: it has not heard of the first yet
    second.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})")
    second.wait_for_timeout(1_000)  # what was asked before is answered
    first.click(f"#set-closed-{shelter}")
    first.wait_for_selector(".notice")
    second.click(f"#set-open-{shelter}")
    sides = second.locator(".sides").inner_text()
    assert "開設" in sides
    assert "閉鎖" in sides
    expect(second.locator(".conflict-who")).to_contain_text("が変更しました")
    expect(second.locator("#keep-theirs")).to_be_focused()  # nothing is overwritten by a slip
    second.keyboard.press("Escape")
    expect(second.locator(f"#set-closed-{shelter}[aria-pressed=true]")).to_be_visible()
    expect(second.locator(".notice-warn")).to_contain_text("保存していません")
    with first.expect_response(lambda answer: answer.request.method == "PATCH"):
        first.click(f"#set-full-{shelter}")
    second.click(f"#set-open-{shelter}")
    second.click("#keep-yours")
    first.wait_for_selector(f"#set-open-{shelter}[aria-pressed=true]")
    second.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    second.click("#edits")
    second.locator(".history > li").nth(
        1
    ).wait_for()  # the decision of the first and that of the second


CALLED = """(key) => fetch('/collections/evacuation_areas/items', {
  method: 'POST', headers: {'X-API-Key': key, 'Content-Type': 'application/json'},
  body: JSON.stringify({
    type: 'Feature', properties: {level: 4, name: '若宮町', valid_from: '2026-01-01T00:00:00Z', valid_to: '2026-01-02T00:00:00Z'},
    geometry: {type: 'Polygon', coordinates: [[[140.9, 36.25], [140.904, 36.25], [140.904, 36.254], [140.9, 36.25]]]},
  }),
}).then((answer) => answer.json())"""  # noqa: E501


def test_what_has_passed_its_end_is_over_and_goes_on_only_when_that_is_confirmed(visit, live_server):
    page = visit("ja-JP", phone=True, key=live_server.keys["municipal"]).open("/desk").page
    page.wait_for_selector(".desk-row .states")
    called = page.evaluate(CALLED, live_server.keys["municipal"])["id"]
    page.click("#tab-evacuation_areas")
    row = page.locator(f"#row-{called}.over")
    expect(row).to_contain_text("終了日時")
    lifted = page.locator(f"#set-lifted-{called}[aria-pressed=true]")
    expect(lifted).to_be_visible()
    page.click(f"#set-active-{called}")
    page.click("#sure-no")
    expect(lifted).to_be_visible()
    page.click(f"#set-active-{called}")
    page.click("#sure-yes")
    expect(page.locator(f"#set-active-{called}[aria-pressed=true]")).to_be_visible()
    expect(row).to_have_count(0)
    found = live_server.get(f"/desk/collections/evacuation_areas/items/{called}", "municipal")[2]
    assert "valid_to" not in json.loads(found)["own"]
    page.on("dialog", lambda dialog: dialog.accept())
    page.click(f"#withdraw-{called}")
    expect(page.locator(f"#row-{called}")).to_have_count(0)


def test_a_place_is_marked_by_keys_alone(visit, live_server):
    page = visit("en-GB", key=live_server.keys["municipal"]).open("/desk").page
    page.wait_for_selector("body[data-map=ready]", state="attached")
    page.click("#tab-water_points")
    page.locator("#desk-add").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".maplibregl-canvas")).to_be_focused()
    expect(page.locator("#draw-next")).to_be_disabled()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#draw-next")).to_be_enabled()
    page.locator("#draw-next").focus()
    page.keyboard.press("Enter")
    refuse = {"title": "Bad request", "detail": "Outside of your area", "parameter": "geometry"}
    page.route(
        "**/collections/water_points/items",
        lambda route: route.fulfill(status=400, json=refuse),
        times=1,
    )
    page.locator("dialog[open] #field-name").fill("Water by keys")
    page.keyboard.press("Enter")
    expect(page.locator("#form-error")).to_contain_text("Outside of your area")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#draw-next")).to_be_visible()  # what was refused can be drawn on
    expect(page.locator("#draw-next")).to_be_enabled()
    page.locator("#draw-next").focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open] #field-name")).to_have_value("Water by keys")
    page.locator("dialog[open] #field-name").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".desk-name", has_text="Water by keys")).to_be_visible()
