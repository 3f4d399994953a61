"""A real Chromium on a real server. Where there is no Chromium the tests say so once and skip."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
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


class Visitors:
    """People who open the app, each in a browser of their own."""

    def __init__(self, chromium: Browser, base: str) -> None:
        self._chromium = chromium
        self._base = base
        self._contexts: list[BrowserContext] = []

    def __call__(
        self, locale: str = "ja-JP", *, phone: bool = False, key: str = "", audit: bool = False
    ) -> Visit:
        """Someone opens the app: ``visit("en-GB", phone=True)``; ``audit`` lets axe run in the page."""
        size = {"width": 390, "height": 844} if phone else {"width": 1024, "height": 640}
        context = self._chromium.new_context(
            viewport=size,
            locale=locale,
            has_touch=phone,
            is_mobile=phone,
            reduced_motion="reduce",
            bypass_csp=audit,  # the audit's script is not one of the page's own
        )
        self._contexts.append(context)
        if key:
            context.add_init_script(f"sessionStorage.setItem('geoshare.key', {key!r})")
        return self.page_of(context)

    def page_of(self, context: BrowserContext) -> Visit:
        """One more page of somebody who is here already."""
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        found = Visit(page, self._base)
        page.on("console", lambda message: _complain(found, message))
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        page.on("request", lambda request: found.addresses.append(request.url))
        return found

    def close(self) -> None:
        """Everybody leaves."""
        for context in self._contexts:
            context.close()


@pytest.fixture
def visit(chromium: Browser, live_server: Any) -> Iterator[Visitors]:
    """People of one test."""
    visitors = Visitors(chromium, live_server.url)
    yield visitors
    visitors.close()


@pytest.fixture(scope="module")
def stay(chromium: Browser, live_server: Any) -> Iterator[Visitors]:
    """People who are there for all tests of a file."""
    visitors = Visitors(chromium, live_server.url)
    yield visitors
    visitors.close()


def _complain(visit: Visit, message: Any) -> None:
    # A refused key is answered 401, which Chromium writes to the console by itself.
    if message.type in {"error", "warning"} and "GPU stall" not in message.text:
        visit.complaints.append(f"{message.text} {message.location.get('url', '')}")
