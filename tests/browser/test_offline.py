"""An officer without a network: the last state is there, edits wait and are sent once later."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

KEPT = """(async () => {
  const found = [];
  for (const name of await caches.keys()) {
    if (!name.startsWith('geoshare-kept-')) continue;
    found.push(...(await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname));
  }
  return found;
})()"""
LIST = "/desk/collections/shelters/items"
NEEDED = {"/me", "/collections", "/desk/collections", LIST}
Visiting = Callable[..., Any]


def until(true: Callable[[], bool], seconds: float = 90) -> None:
    """Wait for something that no selector tells."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def logged_in(visit: Visiting, live_server: Any, **more: Any) -> Any:
    """An officer of their own at the desk, whose browser has kept what is needed without a network."""
    roles = ("--role", "viewer", "--role", "editor")
    made = live_server.cli("persons", "add", "試験 太郎", "--organisation", "shiomi-city", *roles)
    link = live_server.cli("persons", "invite", made.stdout.strip()).stdout.split()[0]
    seen = visit(**more).open(link[link.index("/login#") :])
    seen.page.on("dialog", lambda dialog: dialog.accept())
    seen.page.click("#log-in")
    seen.page.wait_for_selector("#log-out")
    seen.open("/desk").page.wait_for_selector(".desk-row .states")
    until(lambda: set(seen.page.evaluate(KEPT)) >= NEEDED)
    return seen


@pytest.fixture(scope="module")
def officer(stay: Visiting, live_server: Any) -> Any:
    """An officer with a phone, in the last of whose tabs the desk is open."""
    return logged_in(stay, live_server, phone=True)


def row_of(page: Any, place: int) -> str:
    """A shelter of the town: what lies outside it is shown and not the town's to edit."""
    page.wait_for_selector(".desk-row .states")
    page.fill("#desk-filter", "潮見町")
    return page.locator(".desk-row").nth(place).get_attribute("id").removeprefix("row-")


def shelter(live_server: Any, feature: str) -> dict[str, Any]:
    found = live_server.get(f"/collections/shelters/items/{feature}", "municipal")[2]
    return json.loads(found)["properties"]


def edits_of(live_server: Any, feature: str) -> list[dict[str, Any]]:
    path = f"/desk/collections/shelters/items/{feature}/history"
    return live_server.json(path, "municipal")["history"]


def other_state(live_server: Any, feature: str) -> str:
    """A state that the shelter is not in."""
    return "full" if shelter(live_server, feature)["status"] != "full" else "open"


def test_edits_made_without_a_network_outlive_the_tab_and_are_sent_once_in_order(
    officer: Any, live_server: Any
) -> None:
    page, context = officer.page, officer.page.context
    first, second = row_of(page, 2), row_of(page, 3)
    before = len(edits_of(live_server, first)), len(edits_of(live_server, second))
    wanted = other_state(live_server, first)
    context.set_offline(True)
    page.reload()
    page.wait_for_selector("#offline-state")
    expect(page.locator("#offline-state")).to_contain_text("時点の状態です")
    page.click(f"#set-{wanted}-{first}")
    page.locator(f"#row-{first} .waits-waiting").wait_for()
    page.fill(f"#people-{second}", "41")
    page.click(f"#save-people-{second}")
    page.locator(f"#row-{second} .waits-waiting").wait_for()
    page.click(f"#set-closed-{first}")
    page.get_by_text("送信待ち 3件").wait_for()
    page.close()
    again = context.new_page()
    again.goto(f"{live_server.url}/desk")
    again.get_by_text("送信待ち 3件").wait_for()
    again.click("#edits")
    lost = again.locator(".notice[data-lost]")
    lost.wait_for()
    other_tab = context.new_page()  # two tabs, one sender
    other_tab.goto(f"{live_server.url}/desk")
    other_tab.get_by_text("送信待ち 3件").wait_for()
    context.set_offline(False)
    again.wait_for_selector("#waiting", state="detached")
    expect(lost).to_have_count(0)  # that there was no network is over
    until(lambda: shelter(live_server, second)["people_count"] == 41)
    until(lambda: shelter(live_server, first)["status"] == "closed")
    found = edits_of(live_server, first)
    assert len(found) == before[0] + 2
    said = [{item["property"]: item["after"] for item in edit["changes"]} for edit in found[:2]]
    assert [item["status"] for item in said] == ["closed", wanted]  # the newest first
    assert len(edits_of(live_server, second)) == before[1] + 1
    assert found[0]["said_at"] > found[1]["said_at"]


def test_where_a_colleague_was_first_meanwhile_both_sides_are_shown(
    officer: Any, visit: Visiting, live_server: Any
) -> None:
    page = officer.page.context.new_page()
    page.goto(f"{live_server.url}/desk")
    feature = row_of(page, 4)
    page.context.set_offline(True)
    page.click(f"#set-{other_state(live_server, feature)}-{feature}")
    page.locator(f"#row-{feature} .waits-waiting").wait_for()
    page.reload()
    page.locator(f"#row-{feature} .waits-waiting").wait_for()
    colleague = visit("en-GB", key=live_server.keys["municipal"]).open("/desk").page
    colleague.click(f"#set-closed-{feature}")
    colleague.wait_for_selector(f"#set-closed-{feature}[aria-pressed=true]")
    until(lambda: shelter(live_server, feature)["status"] == "closed")
    page.locator("[id^=details-]").first.click()  # somebody is at a form by now
    page.context.set_offline(False)
    page.get_by_role("button", name="比べて決める").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_selector(".sides")
    expect(page.locator(".sides")).to_contain_text("閉鎖")
    page.keyboard.press("Escape")  # undecided: it stays, and asks; what is so is what is shown
    page.get_by_text("要確認 1件").wait_for()
    page.locator(f"#set-closed-{feature}[aria-pressed=true]").wait_for()
    assert shelter(live_server, feature)["status"] == "closed"
    page.click("#waiting")
    expect(page.locator("#waiting-lead")).to_contain_text("このままでは送信できません")
    expect(page.locator("#send-now")).to_have_count(0)
    page.get_by_role("button", name="比べて決める").click()
    page.click("#keep-yours")
    page.wait_for_selector("#waiting", state="detached")
    until(lambda: shelter(live_server, feature)["status"] != "closed")


def named(live_server: Any, name: str) -> list[dict[str, Any]]:
    """What the server has of a water point, in properties."""
    found = live_server.json("/desk/collections/water_points/items?limit=1000", "municipal")["features"]
    return [item["properties"] for item in found if item["properties"]["name"] == name]


def test_what_is_made_and_changed_without_a_network_or_while_it_is_sent_is_one_feature_with_all_of_it(
    officer: Any, live_server: Any
) -> None:
    page = officer.page.context.new_page()
    page.goto(f"{live_server.url}/desk")
    page.wait_for_selector("body[data-map=ready]", state="attached")
    page.click("#tab-water_points")
    page.wait_for_selector("#tab-water_points[aria-pressed=true]")
    page.context.set_offline(True)
    page.click("#desk-add")
    page.click("#draw-here")
    page.click("#draw-next")
    page.fill("#field-name", "道の駅")
    page.keyboard.press("Escape")  # a slip of the thumb: the place and the words are still there
    page.click("#draw-next")
    expect(page.locator("#field-name")).to_have_value("道の駅")
    page.fill("#form-reason", "電話で")
    page.click("#form-save")
    row = page.locator(".desk-row", has_text="道の駅")
    row.locator(".waits-waiting").wait_for()
    row.get_by_role("button", name="詳しく入力").click()
    page.fill("#field-hours", "9時から")
    page.click("#form-save")
    row.locator(".state-suspended").click()
    row.locator(".state-suspended[aria-pressed=true]").wait_for()
    held: list[Any] = []
    # whichever tab sends it
    page.context.route("**/collections/water_points/items", lambda route: held.append(route))
    page.context.set_offline(False)
    row.locator(".waits-sending").wait_for()
    row.locator(".state-closed").click()  # while the making of it is under way
    row.locator(".state-closed[aria-pressed=true]").wait_for()
    deadline = time.monotonic() + 90
    while not held and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    held[0].continue_()
    page.context.unroute("**/collections/water_points/items")
    page.wait_for_selector("#waiting", state="detached")
    until(lambda: [point["status"] for point in named(live_server, "道の駅")] == ["closed"])
    assert named(live_server, "道の駅")[0]["hours"] == "9時から"
    expect(page.locator(".desk-row", has_text="道の駅")).to_have_count(1)


def test_who_logs_out_leaves_nothing_behind_and_who_comes_next_sees_nothing_of_it(
    visit: Visiting, live_server: Any
) -> None:
    page = logged_in(visit, live_server).page
    feature = row_of(page, 5)
    mine = set(page.evaluate("caches.keys()"))
    page.context.set_offline(True)
    page.click(f"#set-{other_state(live_server, feature)}-{feature}")
    page.locator(f"#row-{feature} .waits-waiting").wait_for()
    page.route("**/collections/shelters/items/*", lambda route: route.abort())  # it cannot be sent yet
    page.context.set_offline(False)
    before = shelter(live_server, feature)["status"]
    page.goto(f"{live_server.url}/account")
    page.wait_for_selector("#waiting")
    page.click("#log-out")  # asks about the edit that waits, and is told yes
    page.wait_for_selector(".gate")
    until(lambda: page.evaluate(KEPT) == [])
    assert not {name for name in mine if "kept" in name} & set(page.evaluate("caches.keys()"))
    assert page.evaluate("localStorage.getItem('geoshare.waiting')") is None
    page.context.set_offline(True)
    page.goto(f"{live_server.url}/desk")
    page.wait_for_selector(".gate")
    expect(page.locator(".desk-row")).to_have_count(0)
    page.unroute("**/collections/shelters/items/*")
    page.context.set_offline(False)
    assert shelter(live_server, feature)["status"] == before
