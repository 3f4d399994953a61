"""Printing from the map: the sheets as frames, how many there will be, and the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PLACE = "/map#map=14.6/36.2475/140.898"
PATIENCE_MS = 120_000  # a busy machine draws a map, asks for an estimate and makes a file


@pytest.fixture(autouse=True)
def _patient() -> Iterator[None]:
    expect.set_options(timeout=PATIENCE_MS)
    yield
    expect.set_options(timeout=5_000)


def words(file: Path) -> list[str]:
    document = pypdfium2.PdfDocument(file)
    found = [page.get_textpage().get_text_range() for page in document]
    document.close()
    return found


def test_a_sheet_is_chosen_on_the_map_and_comes_as_a_pdf(
    visit: Callable[..., Any], tmp_path: Path
) -> None:
    seen = visit("ja-JP").open(PLACE)
    page = seen.page
    page.set_default_timeout(PATIENCE_MS)
    page.click("#print")
    page.wait_for_selector("#print-make")
    expect(page.locator(".print-frames .handle")).to_have_count(1)
    before = page.locator(".print-frames polygon").first.get_attribute("points")
    page.locator(".print-frames .handle").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".print-frames polygon").first).not_to_have_attribute("points", before)
    page.select_option("#print-extent", "many")
    page.select_option("#print-scale", "2500")
    expect(page.locator(".print-frames text").first).to_have_text("1")
    page.select_option("#print-extent", "fit")
    page.fill("#print-heading", "訓練の地図")
    page.wait_for_selector("#print-make")
    with page.expect_download() as download:
        page.click("#print-make")
    file = tmp_path / "map.pdf"
    download.value.save_as(file)
    page.wait_for_selector("#print-save")
    sheet, *_, listed = words(file)
    assert "訓練の地図" in sheet
    assert "EPSG:6677" in sheet
    assert "避難場所・避難所一覧" in listed
    page.click("#print-close")
    expect(page.locator(".print-panel")).to_have_count(0)
    assert seen.complaints == []


def test_what_cannot_be_printed_is_said_before_anybody_waits(visit: Callable[..., Any]) -> None:
    seen = visit("en-GB").open("/map#map=12/36.25/140.92&print=1")
    page = seen.page
    page.set_default_timeout(PATIENCE_MS)
    page.wait_for_selector("#print-make")
    page.select_option("#print-extent", "many")
    page.select_option("#print-scale", "2500")
    problem = page.locator(".print-status .field-error")
    expect(problem).to_contain_text("at most 60 sheets")
    expect(page.locator("#print-make")).to_have_count(0)
    page.select_option("#print-extent", "one")
    page.wait_for_selector("#print-make")
