"""A real Chromium on a real server. Where there is no Chromium the tests say so once and skip."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
DRAW_IN_SOFTWARE = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
PATIENCE_MS = 90_000  # the first tiles of a fresh machine wait for compiled kernels


@dataclass
class Visit:
    """One person at the app: the page, and everything that went wrong or over the line."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def open(self, path: str) -> Visit:
        """Go to a page of the app; the map is ready when it has drawn everything once."""
        self.page.goto(self.base + path)
        if path.startswith("/map"):
            self.page.wait_for_selector("body[data-map=ready]", state="attached", timeout=PATIENCE_MS)
        return self

    def enter_key(self, key: str) -> None:
        """Type a key into the dialog and apply it."""
        self.page.click("#key-button")
        self.page.fill("#key-input", key)
        self.page.click("dialog button[type=submit]")

    def layers(self) -> set[str]:
        """Names of the collections in the layer list."""
        boxes = self.page.locator(".layers input[role=switch]").all()
        return {(box.get_attribute("id") or "").removeprefix("layer-") for box in boxes}

    def link(self) -> dict[str, str]:
        """What the address bar says after the hash."""
        tail = self.page.evaluate("location.hash.slice(1)")
        return dict(part.split("=", 1) for part in tail.split("&") if "=" in part)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser, started once."""
    if CHROMIUM is None:
        pytest.skip("*** NO CHROMIUM: browser tests not run (apt-get install chromium) ***")
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE_MS)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=DRAW_IN_SOFTWARE)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Visit]]:
    """Someone opens the app: ``visit("en-GB", phone=True)``; ``audit`` lets axe run in the page."""
    contexts: list[BrowserContext] = []

    def start(
        locale: str = "ja-JP", *, phone: bool = False, key: str = "", audit: bool = False
    ) -> Visit:
        size = {"width": 390, "height": 844} if phone else {"width": 1024, "height": 640}
        context = chromium.new_context(
            viewport=size,
            locale=locale,
            has_touch=phone,
            is_mobile=phone,
            reduced_motion="reduce",
            bypass_csp=audit,  # the audit's script is not one of the page's own
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        if key:
            page.add_init_script(f"sessionStorage.setItem('geoshare.key', {key!r})")
        found = Visit(page, live_server.url)
        page.on("console", lambda message: _complain(found, message))
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("request", lambda request: found.addresses.append(request.url))
        return found

    yield start
    for context in contexts:
        context.close()


def _complain(visit: Visit, message: Any) -> None:
    # A refused key is answered 401, which Chromium writes to the console by itself.
    if message.type in {"error", "warning"} and "GPU stall" not in message.text:
        visit.complaints.append(f"{message.text} {message.location.get('url', '')}")
