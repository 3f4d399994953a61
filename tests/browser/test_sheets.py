"""An officer edits the list in a spreadsheet while a colleague edits it on the screen."""

from __future__ import annotations

import io
import json

import openpyxl
import pytest
from playwright.sync_api import expect

from tests.browser.test_access import AXE, findings

pytestmark = pytest.mark.browser


def edited(content: bytes, changes: dict[tuple[int, str], object]) -> bytes:
    """A workbook with other values under some headings: (row from the top, heading) -> value."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    for (row, heading), value in changes.items():
        sheet.cell(row + 1, heads.index(heading) + 1).value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ids(content: bytes) -> list[str]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [row[0].value for row in sheet.iter_rows(min_row=2)]


def own(live_server, shelter: str) -> dict:
    """What the municipality itself says of a shelter."""
    path = f"/desk/collections/shelters/items/{shelter}"
    return json.loads(live_server.get(path, "municipal")[2])["own"]


def test_an_edited_sheet_with_a_conflict_is_brought_in_and_taken_back(visit, live_server):
    key = live_server.keys["municipal"]
    seen = visit("ja-JP", key=key, audit=True).open("/desk")
    page = seen.page
    page.wait_for_selector(".desk-row .states")
    page.click("#sheets")
    with page.expect_download() as waiting:
        page.click("#sheet-xlsx")
    content = waiting.value.path().read_bytes()
    first, second, third = ids(content)[:3]
    counted = own(live_server, third).get("people_count")
    colleague = visit("ja-JP", phone=True, key=key).open("/desk").page
    colleague.click(f"#set-closed-{first}")
    colleague.wait_for_selector(".notice")
    changes = {
        (1, "開設状況"): "満員",
        (2, "お知らせ"): "体育館",
        (2, "避難者数"): "８",
        (3, "避難者数"): "多い",
    }
    file = {"name": "避難所.xlsx", "mimeType": "application/octet-stream"}
    page.set_input_files("#sheet-file", file | {"buffer": edited(content, changes)})
    conflict = page.locator(".sheet-conflict")
    expect(conflict).to_contain_text("閉鎖")
    expect(conflict).to_contain_text("満員")
    expect(page.locator(".sheet-errors").first).to_contain_text("整数")
    expect(page.locator(".sheet-table")).to_contain_text("体育館")
    expect(page.locator("#sheet-apply")).to_be_disabled()
    if AXE.exists():
        assert findings(seen, AXE.read_text("utf-8")) == []
    page.check("#keep-mine-2-status")
    expect(page.locator("#sheet-apply")).to_have_text("2行を反映する")
    page.click("#sheet-apply")
    page.wait_for_selector("#sheet-undo")
    expect(page.locator(".sheet-refused")).to_contain_text("「多い」")  # what was not taken in is said
    colleague.wait_for_selector(f"#set-full-{first}[aria-pressed=true]")
    found = own(live_server, second)
    assert (found["status_note"], found["people_count"]) == ("体育館", 8)
    page.click("#sheet-undo")
    colleague.wait_for_selector(f"#set-closed-{first}[aria-pressed=true]")
    page.click("#sheet-close")
    assert own(live_server, third).get("people_count") == counted  # 多い is no number
