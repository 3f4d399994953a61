"""A map is shared, opened by a stranger in three languages, kept up to date, and gone when revoked."""

from __future__ import annotations

import json
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Error, Page, expect

pytestmark = pytest.mark.browser
LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"  # as when one comes back to it


def shared(page: Page) -> str:
    """Share what the map shows, in the dialog; the path of the link."""
    page.click("#share")
    page.fill("#share-name", "台風12号 <b>避難所</b>")
    page.click("#share-make")
    page.wait_for_selector("#share-link")
    expect(page.locator("#share-own")).to_contain_text(
        "GEOSHARE_PUBLIC_URL"
    )  # 127.0.0.1 is nobody else's
    link = page.input_value("#share-link")
    assert link in unquote(page.get_attribute("#share-line", "href") or "")
    return urlsplit(link).path


def fill_shelter(live_server, shelter: str) -> None:
    """Say over HTTP that a shelter is full, as a desk does."""
    key = {"X-API-Key": live_server.keys["municipal"]}
    listed = Request(f"{live_server.url}/desk/collections/shelters/items?limit=1000", headers=key)
    features = json.load(urlopen(listed))["features"]
    version = next(item["version"] for item in features if item["id"] == shelter)
    said = {"Content-Type": "application/json", "If-Match": f'"{version}"'}
    address = f"{live_server.url}/collections/shelters/items/{shelter}"
    body = json.dumps({"properties": {"status": "full"}}).encode()
    urlopen(Request(address, body, key | said, method="PATCH"))


def opened(visit, path: str, **who):
    found = visit(**who).open(path)
    found.page.wait_for_selector("body[data-share=ready]")
    return found


def test_a_stranger_sees_what_was_shared_until_it_is_revoked(visit, live_server):
    officer = visit("ja-JP", key=live_server.keys["municipal"]).open("/map").page
    path = shared(officer)
    stranger = opened(visit, path, locale="ja-JP", phone=True)
    page = stranger.page
    expect(page.locator("h1")).to_have_text("台風12号 <b>避難所</b>")
    expect(page.locator(".alert").first).to_be_visible()
    expect(page.locator(".alert.unreal")).to_have_count(0)  # the sample's drill is not for the public
    page.click("#language-ja-easy")
    expect(page.locator("#list-shelters h2 rt")).to_have_text("ひなんじょ")
    page.reload()
    page.wait_for_selector("body[data-share=ready]")
    expect(page.locator("#language-ja-easy")).to_have_attribute("aria-pressed", "true")
    page.click("#language-en")
    expect(page.locator("#list-shelters h2")).to_have_text("Shelters")
    assert all(
        urlsplit(address).netloc == urlsplit(live_server.url).netloc for address in stranger.addresses
    )
    assert not any("maplibre" in address or ".woff2" in address for address in stranger.addresses)

    row = page.locator("#list-shelters .row").first.get_attribute("id").removeprefix("row-")
    fill_shelter(live_server, row)
    for _ in range(20):
        page.evaluate(LOOK_AGAIN)
        page.wait_for_timeout(250)
        if "Full" in page.locator(f"#row-{row} .state").inner_text():
            break
    expect(page.locator(f"#row-{row} .state")).to_have_text("Full")
    assert stranger.complaints == []

    # A browser that keeps the app for when there is no network keeps nothing of what is shared.
    officer.evaluate("navigator.serviceWorker.ready.then(() => true)")
    kept = officer.context.new_page()
    kept.goto(live_server.url + path)
    kept.wait_for_selector("body[data-share=ready]")

    officer.locator(".sharing-dialog .button-icon").click()
    officer.on("dialog", lambda dialog: dialog.accept())
    officer.click("#share")
    officer.click(f"#share-row-{path.removeprefix('/s/')} button")
    expect(officer.locator(".notice")).to_be_visible()
    page.wait_for_timeout(600)
    page.evaluate(LOOK_AGAIN)
    page.wait_for_selector("body[data-share=gone]", state="attached")
    expect(page.locator("h1")).to_have_text("This map cannot be shown")
    page.wait_for_timeout(1_500)  # every worker knows within a second
    assert live_server.get(path)[0] == 404
    answer = kept.goto(live_server.url + path)
    assert answer is not None
    assert answer.status == 404
    kept.context.set_offline(True)
    with pytest.raises(Error, match="ERR_INTERNET_DISCONNECTED"):
        kept.goto(live_server.url + path)
