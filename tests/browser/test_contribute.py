"""The upload page as a provider uses it: drop, check, send, read what became of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

HEADER = "全国地方公共団体コード,ID,名称,名称_英字,所在地_連結表記,緯度,経度,災害種別_洪水,想定収容人数"
GOOD = '{code},{n},試験用公園{n},Test Park {n},潮見町{n}番地,{lat},{lon},1,"1,{n}00 "'


@pytest.fixture
def sites(tmp_path: Path, live_server: Any) -> Path:
    """A municipal list as it comes: cp932, commas in numbers, one position off the map."""
    lines = [HEADER]
    lines += [GOOD.format(code=999997, n=n, lat=35.05 + n / 1000, lon=139.2) for n in range(1, 6)]
    lines.append(GOOD.format(code=999997, n=6, lat=135.05, lon=139.2))
    path = tmp_path / "999997_evacuation_space.csv"
    path.write_bytes("\r\n".join(lines).encode("cp932"))
    return path


def test_without_a_providers_key_the_page_asks_for_one(visit: Callable[..., Any]) -> None:
    seen = visit("en-GB").open("/contribute")
    seen.page.wait_for_selector("#enter-key")
    expect(seen.page.locator(".gate")).to_contain_text("key of a provider")
    expect(seen.page.locator("#file")).to_have_count(0)


def test_a_file_is_checked_sent_and_reported_in_both_languages(
    visit: Callable[..., Any], live_server: Any, sites: Path, tmp_path: Path
) -> None:
    seen = visit().open("/contribute")
    seen.page.wait_for_selector("#enter-key")
    seen.enter_key(live_server.keys["provider"])
    seen.page.set_input_files("#file", sites)
    seen.page.wait_for_selector("#send")
    seen.page.wait_for_selector(".preview-map[data-map=ready]")
    row = seen.page.locator("tr", has=seen.page.get_by_role("rowheader", name="想定収容人数"))
    expect(row.locator("select")).to_have_value("max_capacity")
    seen.page.click("#send")
    seen.page.wait_for_selector("#see-on-map")
    tiles = seen.page.locator(".tile dd").all_inner_texts()
    assert (tiles[0], tiles[1], tiles[3]) == ("6", "5", "1")
    japanese = seen.page.locator(".report").inner_text()
    assert "取り込みが完了しました" in japanese
    with seen.page.expect_download() as download:
        seen.page.click("#save-refused")
    download.value.save_as(tmp_path / "refused.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "refused.xlsx").active
    assert any("試験用公園6" in [cell.value for cell in line] for line in sheet.iter_rows())
    seen.page.click("#language-en")
    seen.page.wait_for_function(
        "() => document.querySelector('.report').innerText.includes('Taken in')"
    )
    assert seen.complaints == []
    seen.page.click("#see-on-map")
    seen.page.wait_for_selector("body[data-map=ready]", state="attached")
    expect(seen.page.locator("#layer-evacuation_sites")).to_be_checked()


def test_a_file_that_cannot_be_read_is_refused_with_one_reason(
    visit: Callable[..., Any], live_server: Any, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.geojson"
    broken.write_text('{"type": "FeatureCollection", "features": [{"type": "Fea')
    seen = visit("en-GB", key=live_server.keys["provider"]).open("/contribute")
    seen.page.set_input_files("#file", broken)
    seen.page.wait_for_selector("#send")
    seen.page.click("#send")
    seen.page.wait_for_selector(".refusal")
    expect(seen.page.locator(".refusal")).to_contain_text("Nothing was changed")


def test_a_large_file_travels_in_pieces_and_goes_on_after_the_line_broke(
    visit: Callable[..., Any], live_server: Any, tmp_path: Path
) -> None:
    features = ",".join(
        f'{{"type":"Feature","properties":{{"name":"点{n}","note":"{"x" * 4000}"}},'
        f'"geometry":{{"type":"Point","coordinates":[{139.2 + n / 1e5:.5f},35.05]}}}}'
        for n in range(2_300)
    )
    large = tmp_path / "gauges.geojson"
    large.write_text(f'{{"type":"FeatureCollection","features":[{features}]}}', "utf-8")
    assert large.stat().st_size > 8_000_000
    seen = visit("en-GB", key=live_server.keys["provider"]).open("/contribute")
    seen.page.set_input_files("#file", large)
    seen.page.wait_for_selector("#send")
    seen.page.click(".options summary")
    seen.page.select_option("#option-collection", "places")
    seen.page.wait_for_selector("#send")
    pieces: list[str] = []

    def break_the_second(route: Any) -> None:
        pieces.append(route.request.headers.get("upload-offset", ""))
        if len(pieces) == 2:
            route.abort("connectionreset")
        else:
            route.continue_()

    seen.page.route(
        "**/contributions/uploads/*",
        lambda route: break_the_second(route) if route.request.method == "PATCH" else route.continue_(),
    )
    seen.page.click("#send")
    seen.page.wait_for_selector("#see-on-map")
    assert pieces[1] == pieces[2]
    expect(seen.page.locator(".tile dd").first).to_have_text("2,300")


def test_what_refuses_a_file_and_whether_it_is_all_there_is_is_said_on_the_page(
    visit: Callable[..., Any], live_server: Any, tmp_path: Path
) -> None:
    point = '{{"type":"Point","coordinates":[{},35]}}'
    places = [point.format(lon) for lon in (139.1, 139.2)]
    rows = [f'{{"type":"Feature","id":"t1","properties":{{}},"geometry":{place}}}' for place in places]
    path = tmp_path / "twice.geojson"
    path.write_text(f'{{"type":"FeatureCollection","features":[{",".join(rows)}]}}')
    seen = visit("en-GB", key=live_server.keys["provider"]).open("/contribute")
    seen.page.set_input_files("#file", path)
    seen.page.wait_for_selector("#send")
    seen.page.locator("details.options summary").click()
    expect(seen.page.locator("#option-refuse option").first).to_contain_text("only report it")
    expect(seen.page.locator("#option-remove-most")).to_be_hidden()
    seen.page.check("#option-complete")
    expect(seen.page.locator("#option-remove-most")).to_be_visible()
    seen.page.uncheck("#option-complete")
    seen.page.select_option("#option-refuse", "error")
    with seen.page.expect_request(lambda asked: "refuse_on=error" in asked.url) as sent:
        seen.page.click("#send")
    assert "complete" not in sent.value.url
    expect(seen.page.locator(".refusal")).to_contain_text("stands for two things")
