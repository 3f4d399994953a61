"""Everyone can use the pages: no serious finding of axe in any state that people meet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "geoshare" / "web" / "node_modules" / "axe-core" / "axe.min.js"
FINDINGS = """axe.run().then((found) => found.violations
  .filter(({ impact }) => ['serious', 'critical'].includes(impact))
  .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`)))"""


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.exists():
        pytest.skip("no axe-core: the web app was built elsewhere (make web)")
    return AXE.read_text("utf-8")


def findings(seen: Any, axe: str) -> list[str]:
    seen.page.evaluate(axe)
    return seen.page.evaluate(FINDINGS)


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_the_map_its_search_and_a_card_have_no_serious_finding(
    visit: Callable[..., Any], axe: str, phone: bool
) -> None:
    seen = visit(phone=phone, audit=True).open("/map#layers=admin_areas,water,rain,evacuation_sites")
    if phone:
        seen.page.tap("#sheet-handle")
    seen.page.click("#open-evacuation_sites")
    assert findings(seen, axe) == []
    seen.page.fill("#search-input", "潮見")
    seen.page.wait_for_selector("#result-0")
    assert findings(seen, axe) == []
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_selector(".card[aria-busy=false] h2")
    assert findings(seen, axe) == []


def test_the_key_dialog_and_the_upload_page_have_no_serious_finding(
    visit: Callable[..., Any], axe: str, live_server: Any
) -> None:
    seen = visit("en-GB", audit=True).open("/contribute")
    seen.page.click("#key-button")
    assert findings(seen, axe) == []
    seen.page.fill("#key-input", live_server.keys["provider"])
    seen.page.keyboard.press("Enter")
    seen.page.set_input_files(
        "#file", ROOT / "sample_data" / "town_data" / "089991_evacuation_space.csv"
    )
    seen.page.wait_for_selector(".preview-map[data-map=ready]")
    seen.page.click(".options summary")
    assert findings(seen, axe) == []


@pytest.mark.parametrize("choice", ["ja", "ja-easy", "en"])
def test_a_shared_map_has_no_serious_finding_in_any_language(
    visit: Callable[..., Any], axe: str, live_server: Any, choice: str
) -> None:
    said = {
        "title": "避難所",
        "layers": ["shelters", "events", "warnings", "evacuation_sites"],
        "bbox": [140.88, 36.238, 140.93, 36.26],
        "hours": 1,
    }
    headers = {"X-API-Key": live_server.keys["municipal"], "Content-Type": "application/json"}
    asked = Request(f"{live_server.url}/me/shares", json.dumps(said).encode(), headers)
    path = urlsplit(json.load(urlopen(asked))["href"]).path
    seen = visit(phone=True, audit=True).open(f"{path}#lang={choice}")
    seen.page.wait_for_selector("body[data-share=ready]")
    for name in ("events", "evacuation_sites"):
        seen.page.evaluate(f"document.getElementById('list-{name}').open = true")
    assert findings(seen, axe) == []


def test_the_maps_tools_for_deciding_have_no_serious_finding(
    visit: Callable[..., Any], axe: str, live_server: Any
) -> None:
    seen = visit(key=live_server.keys["municipal"], audit=True).open("/map")
    seen.page.click("#tab-finder")
    seen.page.wait_for_selector(".found")
    assert findings(seen, axe) == []
    seen.page.click("#tab-area")
    seen.page.click("#area-run")
    seen.page.wait_for_selector(".area-answer table")
    assert findings(seen, axe) == []


@pytest.mark.parametrize(("locale", "phone"), [("ja-JP", True), ("en-GB", False)])
def test_the_desk_its_dialogs_and_warnings_have_no_serious_finding(
    visit: Callable[..., Any], axe: str, live_server: Any, locale: str, phone: bool
) -> None:
    key = live_server.keys["municipal"]
    seen = visit(locale, phone=phone, key=key, audit=True).open("/desk")
    page = seen.page
    page.wait_for_selector(".desk-row .states")
    assert findings(seen, axe) == []
    for opener in ("[id^=details-]", "[id^=history-]", "#edits"):
        page.locator(opener).first.click()
        page.wait_for_selector("dialog[open]")
        assert findings(seen, axe) == []
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog", state="detached")
        # the keyboard goes on where it was
        assert page.evaluate("(opener) => document.activeElement.matches(opener)", opener)
    page.click("#tab-warnings")
    page.wait_for_selector(".drills .warning")
    assert findings(seen, axe) == []
    page.locator("button[id^=follow-]").first.click()
    page.check("#follow-blocks")
    page.wait_for_selector(".follow-list input")
    assert findings(seen, axe) == []
    page.keyboard.press("Escape")
    page.click("#tab-events")
    page.wait_for_selector(".desk-row")
    page.click("#desk-add")
    page.wait_for_selector("#draw-next")
    assert findings(seen, axe) == []


@pytest.mark.parametrize(("locale", "phone"), [("ja-JP", True), ("en-GB", False)])
def test_the_account_of_an_administrator_and_the_pages_before_it_have_no_serious_finding(
    visit: Callable[..., Any], axe: str, live_server: Any, locale: str, phone: bool
) -> None:
    roles = ("--role", "admin", "--role", "operator")
    made = live_server.cli("persons", "add", "運用 太郎", "--organisation", "operator", *roles)
    link = live_server.cli("persons", "invite", made.stdout.strip()).stdout.strip()
    seen = visit(locale, phone=phone, audit=True).open("/")
    page = seen.page
    assert findings(seen, axe) == []
    for path, there in (("/desk", ".gate"), ("/account", ".gate"), ("/login", "#invite")):
        seen.open(path)
        page.wait_for_selector(there)
        assert findings(seen, axe) == []
    seen.open(link[link.index("/login#") :])
    page.click("#log-in")
    page.click("#emergencies summary")
    page.click("#people summary")
    page.click("#keys summary")
    assert findings(seen, axe) == []
