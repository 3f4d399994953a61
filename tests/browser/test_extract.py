"""Taking data away from the map: a drawn area, an estimate, and a workbook that says what it holds."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PLACE = "/map#map=14.6/36.2475/140.898"
PATIENCE_MS = 120_000  # a busy machine draws a map and makes a file
CORNERS = ((520, 250), (800, 260), (780, 620), (520, 600))


def test_an_area_is_drawn_and_comes_as_a_workbook(visit: Callable[..., Any], tmp_path: Path) -> None:
    page = visit("ja-JP").open(PLACE).page
    page.set_default_timeout(PATIENCE_MS)
    page.click("#extract")
    page.wait_for_selector("#extract-make")
    page.select_option("#extract-format", "xlsx")
    page.select_option("#extract-mode", "clip")
    page.click("#extract-draw")
    page.wait_for_selector("#draw-next")
    for number, corner in enumerate(CORNERS):
        page.mouse.click(*corner)
        if number == 0:
            page.wait_for_selector("#draw-back")
    expect(page.locator("#draw-next")).to_be_enabled(timeout=PATIENCE_MS)
    page.click("#draw-next")
    expect(page.locator("#extract-where")).to_have_value("drawn", timeout=PATIENCE_MS)
    page.wait_for_selector("#extract-make")
    with page.expect_download() as download:
        page.click("#extract-make")
    file = tmp_path / "extract.zip"
    download.value.save_as(file)
    page.wait_for_selector("#extract-save")
    with zipfile.ZipFile(file) as archive:
        asked = json.loads(archive.read("manifest.json"))["request"]
        book = openpyxl.load_workbook(io.BytesIO(archive.read("shelters.xlsx")))
    assert asked["mode"] == "clip"
    assert asked["area"]["type"] == "Polygon"
    assert "名称" in [cell.value for cell in book.worksheets[0][1]]
