"""A list goes out as a sheet and comes back: only what somebody has changed in it changes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.desk.conftest import SHELTERS, Town, square
from tests.desk.sheets import (
    Sheet,
    apply,
    changed,
    download,
    items,
    named,
    preview,
    send,
)


@pytest.mark.parametrize("tail", ["", "?lang=en", "?f=csv", "?f=csv&lang=en"])
def test_a_sheet_that_nobody_touched_changes_nothing(filled: Town, tail: str) -> None:
    shown = preview(filled, download(filled, tail=tail))
    assert (shown["counts"]["read"], shown["counts"]["unchanged"], shown["rows"]) == (3, 3, [])
    done = apply(filled, shown)
    assert (done.status_code, done.json["edit"]) == (201, None)


def test_only_edited_cells_change_and_all_of_them_are_undone_at_once(filled: Town) -> None:
    before = items(filled)
    sheet = Sheet(download(filled))
    sheet.put("潮見小学校", "開設状況", "開設")
    sheet.put("潮見小学校", "避難者数", "１２人")
    sheet.put("=HYPERLINK(1)", "開設状況", " 満員 ")
    sheet.put("港公民館", "備考", "鍵は事務室")
    sheet.add(名称="新しい避難所", 開設状況="open", 緯度=35.4, 経度="139.4", 電話番号="045-9")
    shown = preview(filled, sheet.bytes())
    assert changed(shown) == {
        ("潮見小学校", "status"): ("not_open", "open"),
        ("潮見小学校", "people_count"): (None, 12),
        ("=HYPERLINK(1)", "status"): ("open", "full"),
        ("港公民館", "notes"): (None, "鍵は事務室"),
        ("新しい避難所", "name"): (None, "新しい避難所"),
        ("新しい避難所", "status"): (None, "open"),
        ("新しい避難所", "phone"): (None, "045-9"),
        ("新しい避難所", "@lat"): (None, 35.4),
        ("新しい避難所", "@lon"): (None, 139.4),
    }
    assert items(filled) == before  # nothing before consent
    done = apply(filled, shown)
    assert (done.status_code, done.json["features"]) == (201, 4)
    assert apply(filled, shown).json == done.json  # asked again, done once
    after = named(filled)
    assert (after["潮見小学校"]["status"], after["潮見小学校"]["people_count"]) == ("open", 12)
    assert after["潮見小学校"]["local_government_code"] == "012025"
    assert after["新しい避難所"]["phone"] == "045-9"
    newest, older = filled.ask("GET", "/desk/edits?limit=2").json["edits"]
    assert (newest["kind"], newest["reason"], older["kind"]) == ("sheet", "表.xlsx", "create")
    assert filled.ask("POST", f"/desk/edits/{done.json['edit']}/undo", {}).status_code == 201
    assert items(filled) == before


def test_a_workbook_has_text_codes_dates_lists_to_choose_from_and_a_guide(filled: Town) -> None:
    sheet = Sheet(download(filled))
    code = sheet.cell("潮見小学校", "全国地方公共団体コード")
    assert (code.value, code.data_type, code.number_format) == ("012025", "s", "@")
    assert sheet.cell("潮見小学校", "更新時刻").is_date
    formula = sheet.cell("=HYPERLINK(1)", "名称")
    assert (formula.data_type, formula.quotePrefix) == ("s", True)
    assert [head for head in sheet.heads if _hidden(sheet, head)] == ["地物ID", "geoshare:shelters"]
    assert sheet.list.freeze_panes == "D2"
    assert sheet.list.auto_filter.ref.startswith("A1:")
    rules = {str(rule.sqref)[0]: rule for rule in sheet.list.data_validations.dataValidation}
    letter = openpyxl.utils.get_column_letter(sheet.heads.index("開設状況") + 1)
    target, place = rules[letter].formula1.split("!")
    chosen = [cell[0].value for cell in sheet.book[target][place.replace("$", "")]]
    assert chosen == ["未開設", "開設準備中", "開設", "満員", "閉鎖"]
    guide = "\n".join(str(cell.value) for row in sheet.book["説明 Guide"] for cell in row)
    assert all(words in guide for words in ("避難者数", "People there", "満員", "Not open", "取下げ"))
    assert download(filled) == download(filled)  # to the byte


def _hidden(sheet: Sheet, head: str) -> bool:
    letter = openpyxl.utils.get_column_letter(sheet.heads.index(head) + 1)
    return bool(sheet.list.column_dimensions[letter].hidden)


def test_a_csv_file_opens_in_excel_without_harm_and_comes_back_as_excel_leaves_it(filled: Town) -> None:
    content = download(filled, tail="?f=csv")
    assert content.startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in content
    table = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    heads = table[0]
    assert "'=HYPERLINK(1)" in [row[heads.index("名称")] for row in table]
    for row in table[1:]:  # what Excel does on its own
        place = heads.index("全国地方公共団体コード")
        row[place] = row[place].lstrip("0")
        row[heads.index("電話番号")] = row[heads.index("電話番号")].lstrip("0")
        if row[heads.index("所在地")] == "1-2-3":
            row[heads.index("所在地")] = "2001/2/3"
        if row[heads.index("名称")] == "港公民館":
            row[heads.index("福祉避難所")] = "×"
    out = io.StringIO(newline="")
    csv.writer(out).writerows([*table, [""] * len(heads)])
    for codec in ("cp932", "utf-8", "utf-16"):
        shown = preview(filled, out.getvalue().encode(codec))
        assert changed(shown) == {("港公民館", "is_welfare_shelter"): (None, False)}, codec


def test_rows_that_are_left_out_stay_and_rows_that_say_so_are_withdrawn(filled: Town) -> None:
    sheet = Sheet(download(filled))
    sheet.put("潮見小学校", "操作", "取下げ")
    sheet.list.delete_rows(sheet.row("港公民館"))
    shown = preview(filled, sheet.bytes())
    assert (shown["counts"]["withdrawn"], len(shown["rows"])) == (1, 1)
    done = apply(filled, shown)
    assert done.status_code == 201
    assert set(named(filled)) == {"=HYPERLINK(1)", "港公民館"}
    assert filled.ask("POST", f"/desk/edits/{done.json['edit']}/undo", {}).status_code == 201
    assert set(named(filled)) == {item["name"] for item in SHELTERS}


def test_wrong_cells_are_named_and_their_rows_left_while_the_others_go_on(filled: Town) -> None:
    sheet = Sheet(download(filled))
    sheet.put("潮見小学校", "避難者数", "たくさん")
    sheet.put("=HYPERLINK(1)", "開設状況", "ひらいた")
    sheet.put("港公民館", "備考", "新")
    sheet.add(開設状況="開設", 緯度=35.4, 経度=139.4)  # without a name
    sheet.add(名称="場所なし")
    sheet.add(名称="区域外", 緯度=35.4, 経度=141.0)
    shown = preview(filled, sheet.bytes())
    wrong = {
        (cell["column"], row["row"]): cell
        for row in shown["rows"]
        for cell in row["cells"]
        if cell["state"] == "error"
    }
    people = openpyxl.utils.get_column_letter(sheet.heads.index("避難者数") + 1)
    cell = wrong[people, sheet.row("潮見小学校")]
    assert cell["header"] == "避難者数"
    assert "たくさん" in cell["error"]["ja"]
    assert cell["error"]["allowed"] == "a whole number"
    assert "満員" in wrong["D", sheet.row("=HYPERLINK(1)")]["error"]["allowed_ja"]
    assert wrong["C", 5]["error"]["ja"] == "「名称」を入力してください"
    latitude = openpyxl.utils.get_column_letter(sheet.heads.index("緯度") + 1)
    assert {(latitude, 6), (latitude, 7)} <= wrong.keys()
    assert shown["counts"]["errors"] == 5
    assert apply(filled, shown).json["features"] == 1
    after = named(filled)
    assert (after["港公民館"]["notes"], after["潮見小学校"]["people_count"]) == ("新", None)


def test_an_own_list_without_our_columns_makes_new_features(town: Town) -> None:
    lines = (
        "避難所一覧",
        "",
        "名称,備考2,緯度,経度,開設状況,ID",
        "本町会館,x,35度30分,139.5,○開設,1",
        "西会館,,35.5,139.4,開設,2",
    )
    table = "\r\n".join(lines)
    shown = preview(town, table.encode("cp932"))
    assert shown["ignored_columns"] == ["備考2", "ID"]
    assert [(row["row"], row["kind"]) for row in shown["rows"]] == [(4, "error"), (5, "new")]
    assert apply(town, shown).status_code == 201
    assert set(named(town)) == {"西会館"}


def test_what_no_officer_may_change_is_left_and_told(filled: Town) -> None:
    sheet = Sheet(download(filled))
    sheet.put("潮見小学校", "共通ID", "E0120250001")
    shown = preview(filled, sheet.bytes())
    assert (shown["counts"]["ignored"], shown["rows"][0]["cells"][0]["state"]) == (1, "locked")
    assert apply(filled, shown).json["edit"] is None


def test_lines_and_areas_keep_their_shape_and_points_can_be_moved(town: Town) -> None:
    road = {"type": "LineString", "coordinates": [[139.5, 35.5], [139.51, 35.5]]}
    said = {"kind": "closure", "regulation_category": "closedWeather"}
    line = town.make("events", said | {"name": "線"}, road)
    dot = town.make("events", said | {"name": "点"})
    area = town.make("evacuation_areas", {"level": 4, "name": "東"}, square(139.5, 35.5, 0.01))
    town.publish()
    sheet = Sheet(download(town, "events"))
    assert [sheet.cell(name, "図形").value for name in ("線", "点")] == ["線", "点"]
    assert sheet.cell("線", "緯度").value is None
    sheet.put("線", "理由", "崩落")
    sheet.put("線", "状態", "終了")
    sheet.put("点", "緯度", 35.25)
    assert apply(town, preview(town, sheet.bytes(), "events")).status_code == 201
    found = town.ask("GET", f"/desk/collections/events/items/{line['id']}").json
    assert found["own"]["reason"] == "崩落"
    town.publish()
    geometry = town.ask("GET", f"/desk/collections/events/items/{line['id']}").json["geometry"]
    assert geometry["type"] == "LineString"
    moved = town.ask("GET", f"/desk/collections/events/items/{dot['id']}").json["geometry"]
    assert moved["coordinates"] == [139.5, 35.25]
    sheet.put("線", "緯度", 35.1)
    assert preview(town, sheet.bytes(), "events")["rows"][0]["kind"] == "error"
    areas = Sheet(download(town, "evacuation_areas"))
    assert areas.list.cell(2, areas.heads.index("警戒レベル") + 1).value == 4
    areas.list.cell(2, areas.heads.index("警戒レベル") + 1).value = "警戒レベル５"
    shown = preview(town, areas.bytes(), "evacuation_areas")
    assert changed(shown) == {("東", "level"): (4, 5)}
    assert apply(town, shown).status_code == 201
    assert items(town, "evacuation_areas")[area["id"]]["level"] == 5


def test_every_list_of_the_desk_comes_back_as_it_went(town: Town) -> None:
    when = "2026-11-22T20:00:00Z"
    said: dict[str, dict[str, Any]] = {
        "shelters": {"name": "A", "care_count": 3, "max_capacity": 0, "is_welfare_shelter": False},
        "evacuation_areas": {"level": 3, "hazard_type": "landslide", "valid_from": when},
        "events": {"kind": "flood", "regulation_category": "chainGuidance", "valid_to": when},
        "water_points": {"name": "W", "supply": "tanker", "litres_left": 0, "hours": "9-17"},
        "damage_reports": {"kind": "tree", "severity": "minor", "observed_at": when},
    }
    for collection, properties in said.items():
        area = square(139.5, 35.5, 0.01) if collection == "evacuation_areas" else None
        town.make(collection, properties, area)
    town.publish()
    for collection in said:
        for tail in ("", "?f=csv&lang=en"):
            shown = preview(town, download(town, collection, tail), collection)
            assert (shown["counts"]["unchanged"], shown["rows"]) == (1, []), collection


def test_an_evacuation_area_is_made_of_town_blocks_named_in_a_cell(town: Town, tmp_path: Path) -> None:
    blocks = [
        {
            "type": "Feature",
            "id": code,
            "properties": {"code": code, "name": code, "level": "district"},
            "geometry": square(west, 35.4, 0.1),
        }
        for code, west in (("089991001", 139.4), ("089991002", 139.5))
    ]
    path = tmp_path / "blocks.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": blocks}))
    town.contribute(path, collection="admin_areas")
    table = "地区名,警戒レベル,対象町丁目コード\r\n東部,４,089991001;089991002\r\n西部,5,089991009\r\n"
    shown = preview(town, table.encode(), "evacuation_areas")
    made, wrong = shown["rows"]
    assert (made["kind"], wrong["kind"]) == ("new", "error")
    (cell,) = [cell for cell in wrong["cells"] if cell["state"] == "error"]
    assert (cell["column"], cell["header"]) == ("C", "対象町丁目コード")
    assert apply(town, shown).status_code == 201
    (area,) = items(town, "evacuation_areas").values()
    assert (area["name"], area["kind"], area["area_codes"]) == (
        "東部",
        "evacuate",
        ["089991001", "089991002"],
    )


def test_a_list_without_its_header_is_not_read_from_the_sheet_that_explains_it(filled: Town) -> None:
    book = openpyxl.load_workbook(io.BytesIO(download(filled)))
    book.worksheets[0].delete_rows(1)
    edited = io.BytesIO()
    book.save(edited)
    answer = send(filled, edited.getvalue())
    assert answer.status_code == 400
    assert answer.json["allowed"] == "column names of the list"


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0", "画像"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "画像"),
        (b"<!DOCTYPE html><html></html>", "ウェブページ"),
        (b'{"type": "FeatureCollection"}', "GeoJSON"),
        (b"PK\x03\x04 a zip of something else", "Excelブック"),
    ],
)
def test_what_is_no_list_is_called_by_its_name_with_what_would_be_one(
    town: Town, content: bytes, word: str
) -> None:
    answer = send(town, content)
    assert answer.status_code == 400, answer.data
    assert word in answer.json["detail_ja"]
    assert answer.json["allowed_ja"] == "Excelブック(.xlsx)またはCSV(.csv)"
    assert answer.json["allowed"] == ".xlsx, .csv"


def test_a_list_may_call_its_columns_as_offices_do(town: Town) -> None:
    table = "施設名,状態,緯度,経度\r\n港公民館,開設,35.4,139.4\r\n"
    (row,) = preview(town, table.encode())["rows"]
    said = {cell["property"]: cell["yours"] for cell in row["cells"]}
    assert said == {"name": "港公民館", "status": "open", "@lat": 35.4, "@lon": 139.4}


def test_a_place_that_moves_far_is_questioned_and_yet_done_by_consent(filled: Town) -> None:
    before = items(filled)
    sheet = Sheet(download(filled))
    sheet.put("潮見小学校", "緯度", 35.5032)  # as the old Tokyo datum would shift it: 350 m
    sheet.put("港公民館", "緯度", 35.501)
    sheet.add(名称="山の上", 緯度=35.9, 経度=139.5)
    shown = preview(filled, sheet.bytes())
    words = {row["name"]: [item["ja"] for item in row["warnings"]] for row in shown["rows"]}
    assert words["港公民館"] == []
    assert "約355m移動" in words["潮見小学校"][0]
    assert "約44.4km離れて" in words["山の上"][0]
    assert shown["counts"]["warnings"] == 2
    assert items(filled) == before
    assert apply(filled, shown).json["features"] == 3


def test_more_people_than_room_and_people_behind_closed_doors_are_remarked_and_done_by_consent(
    filled: Town,
) -> None:
    sheet = Sheet(download(filled))
    sheet.put("潮見小学校", "想定収容人数", 100)
    sheet.put("潮見小学校", "避難者数", 101)
    sheet.put("潮見小学校", "開設状況", "閉鎖")
    sheet.put("港公民館", "開設状況", "開設")
    shown = preview(filled, sheet.bytes())
    words = {row["name"]: [item["ja"] for item in row["warnings"]] for row in shown["rows"]}
    assert words["潮見小学校"] == [
        "避難者101人が定員100人を超えています",
        "閉鎖なのに避難者が101人います",
    ]
    assert words["港公民館"] == []
    assert apply(filled, shown).json["features"] == 2
