"""Municipal tables: CSV and .xlsx with their usual dirt."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from geoshare.errors import BadData
from geoshare.model.report import Message, Report
from geoshare.sources import Bounds, preview, write_refused
from geoshare.sources.request import ReadRequest
from geoshare.sources.table import degrees

HEAD = [
    "全国地方公共団体コード", "ID", "名称", "緯度", "経度", "災害種別_洪水", "災害種別_津波",
    "想定収容人数", "対象となる町会・自治会",
]  # fmt: skip
SITES = [
    ["11002", "1", "第一小学校", "43.06", "141.35", "1", "", "50,700 ", "東町;西町"],
    ["11002", "2", "第二小学校", "４３．０７", "141.36", "", "1", "１２０人", ""],
    ["11002", "3", "中央公園", "43.08", "141.37", "○", "×", "", ""],
]
Write = Callable[..., Path]
ReadFile = Callable[..., Any]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
def test_a_list_says_the_same_in_every_encoding(table: Write, read: ReadFile, encoding: str) -> None:
    found = read(table([HEAD, *SITES], encoding=encoding))
    rows = found.rows("evacuation_sites")
    assert [row["name"] for row in rows.values()] == ["第一小学校", "第二小学校", "中央公園"]
    assert [row["max_capacity"] for row in rows.values()] == [50_700, 120, None]
    assert [row["hazard_flood"] for row in rows.values()] == [True, False, True]
    assert [row["hazard_tsunami"] for row in rows.values()] == [False, True, False]
    assert {row["local_government_code"] for row in rows.values()} == {"011002"}
    assert json.loads(rows["1"]["target_areas"]) == ["東町", "西町"]
    assert found.shapes("evacuation_sites")["2"].coords[0] == (141.36, 43.07)
    assert encoding.removesuffix("-sig") in found.report.format.replace("utf-8-sig", "utf-8")


def test_every_repair_is_counted(table: Write, read: ReadFile) -> None:
    found = read(table([HEAD, *SITES]))
    assert found.repairs()["code-zero-restored"] == 3
    assert found.repairs()["number-cleaned"] == 1
    assert found.repairs()["width-folded"] == 1
    assert "empty-not-designated" in found.notes()
    assert found.report.datum.horizontal == "EPSG:6668"
    assert found.report.columns["緯度"] == "latitude"


def test_title_rows_above_the_names_are_left_out(table: Write, read: ReadFile) -> None:
    found = read(table([["避難場所一覧"], ["令和8年4月1日"], [], HEAD, *SITES]))
    assert len(found.rows("evacuation_sites")) == 3
    assert found.repairs()["title-rows"] == 3


def test_columns_are_found_by_name_in_any_order(table: Write, read: ReadFile) -> None:
    order = [4, 7, 2, 0, 5, 3, 1, 6, 8]
    turned = [[row[i] for i in order] for row in [HEAD, *SITES]]
    first, second = read(table([HEAD, *SITES])), read(table(turned, "other.csv"))
    assert first.rows("evacuation_sites").keys() == second.rows("evacuation_sites").keys()
    for key, row in first.rows("evacuation_sites").items():
        assert second.rows("evacuation_sites")[key] == row


def test_columns_in_english_are_understood(table: Write, read: ReadFile) -> None:
    rows = [
        ["name", "latitude", "longitude", "hazard_flood", "hazard_tsunami"],
        ["School", "35.1", "139.5", "1", ""],
    ]
    row = next(iter(read(table(rows)).rows("evacuation_sites").values()))
    assert (row["name"], row["hazard_flood"], row["hazard_tsunami"]) == ("School", True, False)


def test_columns_that_do_not_belong_to_their_names_refuse_the_file(
    table: Write, read: ReadFile
) -> None:
    shifted = [[*row[1:], ""] for row in [*SITES, *SITES]]
    with pytest.raises(BadData) as caught:
        read(table([HEAD, *shifted]))
    assert caught.value.code == "columns-shifted"
    turned = [
        [row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[8] or "町", row[7]]
        for row in SITES
    ]
    with pytest.raises(BadData, match="想定収容人数") as caught:
        read(table([HEAD, *turned], "turned.csv"))
    assert caught.value.code == "columns-shifted"
    assert "列" in caught.value.message_ja


def test_swapped_coordinates_are_repaired_where_they_prove_it(table: Write, read: ReadFile) -> None:
    swapped = [[*row[:3], row[4], row[3], *row[5:]] for row in SITES]
    found = read(table([HEAD, *swapped]))
    assert found.repairs()["coordinates-swapped"] == 3
    assert found.shapes("evacuation_sites")["1"].coords[0] == (141.35, 43.06)


def test_a_row_without_a_place_is_refused_and_the_rest_stays(table: Write, read: ReadFile) -> None:
    bad = [
        ["11002", "8", "無所", "", "", "1", "", "", ""],
        ["11002", "9", "外国", "10.0", "20.0", "1", "", "", ""],
    ]
    found = read(table([HEAD, *SITES, *bad]))
    assert len(found.rows("evacuation_sites")) == 3
    assert {(r.row, r.message.code) for r in found.report.refusals} == {
        (5, "coordinates-unreadable"),
        (6, "coordinates-outside"),
    }
    assert found.report.refusals[0].values["名称"] in ("無所", "外国")
    assert found.report.rows_read == 5


def test_all_rows_outside_refuse_the_file_with_their_reason(table: Write, read: ReadFile) -> None:
    outside = [[*row[:3], "10.0", "20.0", *row[5:]] for row in SITES]
    with pytest.raises(BadData) as caught:
        read(table([HEAD, *outside]))
    assert caught.value.code == "coordinates-outside"
    assert caught.value.message.startswith("None of the 3 rows")


def test_a_value_that_cannot_be_understood_is_left_empty_and_said(table: Write, read: ReadFile) -> None:
    odd = ["11002", "4", "第三小学校", "43.09", "141.38", "1", "", "多数", ""]
    found = read(table([HEAD, *SITES, *SITES, odd]))
    assert found.rows("evacuation_sites")["4"]["max_capacity"] is None
    assert found.report.repairs["value-dropped:max_capacity"].examples == ["多数"]


def test_repeated_ids_of_different_things_are_told_apart(table: Write, read: ReadFile) -> None:
    others = [[*SITES[0][:2], name, *SITES[0][3:]] for name in ("第一公園", "第二公園")]
    found = read(table([HEAD, SITES[0], *others]))
    assert set(found.rows("evacuation_sites")) == {"1", "#1~2", "#1~3"}
    assert found.repairs()["record-id-repeated"] == 2


def test_a_workbook_with_titles_reads_as_its_csv_does(
    table: Write, read: ReadFile, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    notes = book.active
    notes.append(["この表について"])
    sheet = book.create_sheet("一覧")
    sheet.append(["指定緊急避難場所一覧"])
    sheet.append(HEAD)
    for row in SITES:
        sheet.append([int(row[0]), int(row[1]), row[2], row[3], float(row[4]), *row[5:]])
    path = tmp_path / "sites.xlsx"
    book.save(path)
    assert read(path).rows("evacuation_sites") == read(table([HEAD, *SITES])).rows("evacuation_sites")


def test_mesh_tables_get_squares_and_withheld_counts_stay_withheld(
    table: Write, read: ReadFile
) -> None:
    rows = [
        ["メッシュコード", "開始日時", "終了日時", "人数"],
        ["533945471", "2026-09-17 00:00", "2026-09-17 01:00", "12"],
        ["533945471", "2026-09-17 01:00", "2026-09-17 02:00", "*"],
        ["533945472", "2026-09-17 00:00", "2026-09-17 01:00", ""],
        ["533945479", "2026-09-17 00:00", "2026-09-17 01:00", "3"],
    ]
    found = read(table(rows))
    values = [(r["count"], r["suppressed"]) for r in found.rows("people_flow").values()]
    assert values == [(12, False), (None, True), (None, False)]
    assert found.report.refusals[0].message.code == "mesh-unknown"
    assert all(shape.area > 0 for shape in found.shapes("people_flow").values())


def test_a_wide_table_becomes_one_row_per_figure(table: Write, read: ReadFile) -> None:
    rows = [
        ["KEY_CODE", "年", "人口総数", "世帯数"],
        ["53394547", "2025", "120", "*"],
        ["53394548", "2025", "7", "3"],
    ]
    found = read(table(rows)).rows("statistics")
    assert found["53394547/population/2025"]["value"] == 120.0
    assert found["53394547/households/2025"]["value"] is None
    assert found["53394547/households/2025"]["suppressed"] is True
    assert {row["indicator"] for row in found.values()} == {"population", "households"}


def test_a_table_by_administrative_code_needs_no_geometry(table: Write, read: ReadFile) -> None:
    found = read(table([["市区町村コード", "人口総数"], ["12217", "430000"], ["401307", "1600000"]]))
    assert {row["area_code"] for row in found.rows("statistics").values()} == {"122173", "401307"}
    assert set(found.shapes("statistics").values()) == {None}


def test_a_table_without_a_place_is_refused(table: Write, read: ReadFile) -> None:
    with pytest.raises(BadData) as caught:
        read(table([["名称", "想定収容人数", "住所"], ["学校", "100", "東町"]]))
    assert caught.value.code == "no-place"


def test_a_table_without_column_names_is_refused(table: Write, read: ReadFile) -> None:
    with pytest.raises(BadData) as caught:
        read(table([["1", "35.0", "139.0"], ["2", "35.1", "139.1"]]))
    assert caught.value.code == "no-header"


def test_a_mapping_by_hand_is_followed(table: Write, read: ReadFile) -> None:
    rows = [["なまえ", "たて", "よこ", "はいれる人"], ["学校", "35.0", "139.0", "1,000"]]
    mapping = {"なまえ": "name", "たて": "latitude", "よこ": "longitude", "はいれる人": "max_capacity"}
    found = read(table(rows), collection="shelters", mapping=mapping)
    row = next(iter(found.rows("shelters").values()))
    assert (row["name"], row["max_capacity"]) == ("学校", 1_000)
    assert next(iter(found.shapes("shelters").values())).coords[0] == (139.0, 35.0)


def test_more_rows_than_allowed_are_refused(table: Write, read: ReadFile) -> None:
    with pytest.raises(BadData) as caught:
        read(table([HEAD, *SITES]), bounds=Bounds(table_rows=3))
    assert caught.value.code == "too-large"


def test_text_in_no_known_encoding_is_refused(read: ReadFile, tmp_path: Path) -> None:
    path = tmp_path / "strange.csv"
    path.write_bytes(b"\xfd\xfe,\xa0\xff\n\xfd\xfd,\xff\x00")
    with pytest.raises(BadData) as caught:
        read(path)
    assert caught.value.code == "encoding-unknown"


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("35.5", 35.5),
        ("35度30分", 35.5),
        ("35°30'36\"", 35.51),
        ("北緯35.5", None),
        ("N35 30 36", 35.51),
        ("3.2m", None),
    ],
)
def test_degrees_may_come_with_minutes_and_seconds(cell: str, value: float | None) -> None:
    if value is None:
        with pytest.raises(ValueError, match=r".*"):
            degrees(cell)
    else:
        assert degrees(cell) == pytest.approx(value)


def test_refused_rows_go_back_as_a_workbook_without_formulas(tmp_path: Path) -> None:
    report = Report("x.csv")
    report.refuse(5, Message("a", "why", "なぜ"), {"名称": "=1+1", "数": 3, "控え": None})
    report.refuse(7, Message("a", "why", "なぜ"), {"名称": "学校\x07", "別": True})
    write_refused(report, tmp_path / "refused.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "refused.xlsx").active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("行 / row", "理由", "reason", "名称", "数", "控え", "別")
    assert rows[1] == (5, "なぜ", "why", "=1+1", 3, None, None)
    assert rows[2] == (7, "なぜ", "why", "学校", None, None, "True")
    assert sheet["D2"].data_type == "s"
    with zipfile.ZipFile(tmp_path / "refused.xlsx") as packed:
        assert {entry.date_time[0] for entry in packed.infolist()} == {1980}
        assert str(datetime.now().year).encode() not in packed.read("docProps/core.xml")


def test_a_preview_shows_columns_with_samples_and_places(table: Write, tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    found = preview(table([HEAD, *SITES], encoding="cp932"), ReadRequest("x", tmp_path / "w", 0))
    assert (found["encoding"], found["collection"]) == ("cp932", "evacuation_sites")
    assert found["profile"] == "evacuation-sites-municipal"
    by_name = {column["name"]: column for column in found["columns"]}
    assert by_name["想定収容人数"] == {
        "name": "想定収容人数",
        "property": "max_capacity",
        "sample": ["50,700 ", "１２０人"],
    }
    assert by_name["緯度"]["property"] == "latitude"
    assert {"name": "name", "title": "Name", "title_ja": "名称"} in found["properties"]
    assert len(found["geojson"]["features"]) == 3
    assert json.dumps(found)


def test_cells_of_other_kinds_in_unknown_columns_of_a_workbook_are_told_of(
    read: ReadFile, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ["名称", "緯度", "経度", "独自番号", "独自名", "独自日"],
        ["公園", 35.6, 139.7, 12, "x", datetime(2026, 1, 2)],
        ["学校", 35.7, 139.8, "13a", "y", None],
    ):
        sheet.append(row)
    path = tmp_path / "list.xlsx"
    book.save(path)
    found = read(path, collection="things")
    mixed = {
        note.code.removeprefix("values-mixed:"): note.en
        for note in found.report.notes
        if note.code.startswith("values-mixed:")
    }
    assert set(mixed) == {"独自番号", "独自日"}
    assert "numbers" in mixed["独自番号"]
    assert "dates" in mixed["独自日"]
