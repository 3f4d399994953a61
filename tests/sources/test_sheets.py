"""Files that nobody vouches for are read for what they are or refused; edited cells are found."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import Any

import openpyxl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from geoshare.errors import BadRequest, TooLarge
from geoshare.model.collections import known
from geoshare.services.sheet_diff import Comparer, Standing
from geoshare.services.sheet_marks import Marks
from geoshare.sources.sheets import (
    ACTION,
    ID,
    KEPT,
    MAX_ROWS,
    ReadSheet,
    SheetColumn,
    SheetInfo,
    columns_of,
    read_sheet,
    write_csv,
    write_xlsx,
)
from geoshare.sources.sheets.values import Unreadable, read, said

COLUMNS = columns_of(known()["shelters"], frozenset({"common_id"}), ("name",), frozenset({"extra"}))
BY_KEY = {column.key: column for column in COLUMNS}
INFO = SheetInfo("Shelters", "指定避難所", datetime(2026, 11, 23, 10, 0), "ja")
MARKS = Marks(b"k" * 32, "town", "shelters")
HEADS = ["地物ID", "名称", "避難者数", "更新時刻", "電話番号"]


def workbook(rows: list[list[Any]], heads: list[str] | None = None) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [heads or HEADS, *rows]:
        sheet.append(row)
    return book


def packed(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_part(content: bytes, name: str, change: Any) -> bytes:
    """The same archive with one part made, or changed by a function."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for item in old.namelist():
            new.writestr(
                item, change(old.read(item)) if item == name and callable(change) else old.read(item)
            )
        if not callable(change):
            new.writestr(name, change)
    return out.getvalue()


def values(sheet: ReadSheet) -> list[dict[str, Any]]:
    return [{key: cell.value for key, cell in row.cells.items()} for row in sheet.rows]


FIRST = "xl/worksheets/sheet1.xml"
PLAIN = packed(workbook([["a", "港", 1, None, "012"]]))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (with_part(PLAIN, "xl/vbaProject.bin", b"x"), "マクロ"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "旧形式"),
        (b"PK\x03\x04 and nothing", "ブックとして"),
        (with_part(PLAIN, FIRST, lambda part: part[:-80]), "ブックとして"),
        (
            with_part(
                PLAIN,
                FIRST,
                lambda part: b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + part,
            ),
            "ブックとして",
        ),
        (with_part(PLAIN, FIRST, lambda part: part + b" " * 70_000_000), "大きすぎ"),
        (packed(workbook([], ["甲", "乙"])), "列名"),
        (b"\xff\xfe\x00\xd8", "文字コード"),
        ("名称\0,避難者数\r\n".encode(), "文字コード"),
        (b"", "列名"),
    ],
    ids=["macros", "old", "torn", "cut", "entity", "bomb", "other", "utf16", "nul", "empty"],
)
def test_files_that_are_no_sheet_of_this_list_are_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises((BadRequest, TooLarge)) as refused:
        read_sheet(content, COLUMNS)
    assert words in refused.value.message_ja
    assert refused.value.message.isascii()


@pytest.mark.parametrize("content", [b"\x8f\x9d\xff\x00garbage", b"not a table at all", b""])
def test_what_is_called_a_workbook_and_is_none_is_told_so_and_nothing_of_encodings(
    content: bytes,
) -> None:
    with pytest.raises(BadRequest) as refused:
        read_sheet(content, COLUMNS, "避難所.XLSX")
    assert "Excelファイルではない" in refused.value.message_ja
    assert "no Excel workbook" in refused.value.message
    renamed = "名称,避難者数\r\n港,1\r\n".encode()
    assert len(read_sheet(renamed, COLUMNS, "a.xlsx").rows) == 1  # what can be read is


def test_a_sheet_of_another_list_is_named() -> None:
    other = columns_of(known()["events"], frozenset(), (), frozenset({"extra"}))
    with pytest.raises(BadRequest) as refused:
        read_sheet(write_csv(other, [], "ja"), COLUMNS)
    assert refused.value.allowed == "events"


def test_too_many_rows_are_refused_and_empty_ones_do_not_count() -> None:
    head = "名称,避難者数\r\n"
    most = head + "港,1\r\n" * MAX_ROWS + ",\r\n" * 5_000
    assert len(read_sheet(most.encode(), COLUMNS).rows) == MAX_ROWS
    with pytest.raises(TooLarge):
        read_sheet((most + "港,1\r\n").encode(), COLUMNS)
    rows = b'<row r="2"><c r="B2"><v>1</v></c></row>' * 60_000
    many = with_part(PLAIN, FIRST, lambda part: part.replace(b"</sheetData>", rows + b"</sheetData>"))
    with pytest.raises(TooLarge):
        read_sheet(many, COLUMNS)


def test_formulas_give_what_was_computed_and_say_so_where_nothing_was() -> None:
    content = packed(workbook([["a", "=B9", "=1+1", None, "=NA()"]]))
    (row,) = read_sheet(content, COLUMNS).rows
    assert [row.cells[key].trouble for key in ("name", "people_count", "phone")] == ["formula"] * 3

    def computed(part: bytes) -> bytes:
        part = re.sub(
            rb'(<c r="C2"[^>]*>)<f>1\+1</f>(?:<v ?/>|<v></v>)', rb"\1<f>1+1</f><v>2</v>", part
        )
        return re.sub(rb'<c r="E2"[^>]*>.*?</c>', b'<c r="E2" t="e"><f>NA()</f><v>#N/A</v></c>', part)

    (row,) = read_sheet(with_part(content, FIRST, computed), COLUMNS).rows
    assert (row.cells["people_count"].value, row.cells["phone"].trouble) == (2, "error")


def test_cells_under_a_merged_one_are_no_empty_cells() -> None:
    book = workbook([["a", "港", 1, None, "1"], ["b", "東", 2, None, "2"]])
    book.active.merge_cells("B2:B3")
    first, second = read_sheet(packed(book), COLUMNS).rows
    assert (first.cells["name"].value, second.cells["name"].trouble) == ("港", "merged")
    assert second.cells["people_count"].value == 2


def test_other_sheets_columns_links_titles_and_readings_are_left_aside() -> None:
    book = workbook([["a", "港", 1, None, "1"]])
    book.create_sheet("メモ", 0).append(["これは別の表"])
    sheet = book["Sheet"]
    sheet.insert_rows(1, 3)
    sheet["A1"] = "避難所一覧 令和8年"
    sheet["H4"], sheet["I4"] = "合計", "名称"
    content = packed(book)
    reading = '<si><t>港</t><rPh sb="0" eb="1"><t>ミナト</t></rPh></si>'.encode()
    content = with_part(
        content,
        "xl/sharedStrings.xml",
        lambda part: part.replace("<si><t>港</t></si>".encode(), reading),
    )
    content = with_part(content, "xl/externalLinks/externalLink1.xml", b"<x/>")
    found = read_sheet(content, COLUMNS)
    assert values(found) == [{ID: "a", "name": "港", "people_count": 1, "phone": "1"}]
    assert (found.ignored, found.other_sheets, found.has_links) == (["合計", "名称"], ["メモ"], True)
    assert (found.rows[0].number, found.heads["name"].letter) == (5, "B")


def test_dates_are_read_from_cells_of_both_day_counts_and_from_words() -> None:
    moment = datetime(2026, 11, 23, 14, 5)
    for epoch in ("1900", "1904"):
        book = workbook([["a", "港", 1, moment, "1"]])
        if epoch == "1904":
            book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        (row,) = read_sheet(packed(book), COLUMNS).rows
        assert row.cells["status_updated_at"].value == moment
    column = BY_KEY["status_updated_at"]
    for word in (
        "2026/11/23 14:05",
        "２０２６年１１月２３日１４時５分",
        "令和8年11月23日 14:05",
        46349.586806,
    ):
        assert said(column, read(column, word)) == "2026-11-23T05:05Z", word
    for word in ("14:05", "11/23", "きのう", 5, True):
        with pytest.raises(Unreadable):
            read(column, word)


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("status", "満員", "full"),
        ("status", " Full", "full"),
        ("status", "ＯＰＥＮ", "open"),
        ("pets_accepted", "○", True),
        ("pets_accepted", "いいえ", False),
        ("pets_accepted", True, True),
        ("people_count", "１，２００人", 1200),
        ("people_count", 12.0, 12),
        ("people_count", " 　", None),
        ("phone", 45123.0, "45123"),
        ("target_areas", "東；西、", ["東", "西"]),
        ("@lat", "35度30分", 35.5),
    ],
)
def test_values_are_read_as_people_and_excel_write_them(key: str, written: Any, value: Any) -> None:
    found = read(BY_KEY[key], written)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("people_count", 1.5),
        ("people_count", "多い"),
        ("status", "ひらく"),
        ("@lat", 95),
        ("phone", datetime(2026, 1, 2)),
    ],
)
def test_values_that_could_mean_several_things_are_no_values(key: str, written: Any) -> None:
    with pytest.raises(Unreadable) as refused:
        read(BY_KEY[key], written)
    assert refused.value.japanese
    assert refused.value.allowed_ja


QUICK = (Phase.explicit, Phase.reuse, Phase.generate)  # what fails is small already
WORDS = st.text(st.characters(blacklist_categories=["Cs"], max_codepoint=0xFFFF), max_size=12)
TEXTS = st.one_of(
    WORDS,
    st.sampled_from(
        [
            "=1+1",
            "'=x",
            "''-1",
            "+81",
            "@a",
            "0012",
            "1-2-3",
            "_x0041_",
            "_xD800_",
            "TRUE",
            "1e5",
            "港\r\n-二",
        ]
    ),
)


def of_column(column: SheetColumn) -> st.SearchStrategy[Any]:
    if column.key == "@lat":
        return st.floats(-90, 90).map(lambda found: round(found, 7))
    if column.key == "@lon":
        return st.floats(-180, 180).map(lambda found: round(found, 7))
    if column.choices:
        return st.none() | st.sampled_from([choice.value for choice in column.choices])
    plain: dict[str, st.SearchStrategy[Any]] = {
        "whole": st.integers(0, 1_000_000),
        "number": st.floats(-1e6, 1e6).map(lambda found: float(f"{found:.9g}")),
        "list": st.lists(TEXTS.filter(lambda item: item.strip() != ""), min_size=1, max_size=3),
        "moment": st.datetimes(datetime(1990, 1, 1), datetime(2099, 1, 1)).map(
            lambda found: found.isoformat() + "Z"
        ),
    }
    return st.none() | plain.get(column.kind, TEXTS)


VALUED = tuple(column for column in COLUMNS if column.key not in (ID, KEPT, ACTION))
ROWS = st.lists(
    st.fixed_dictionaries({column.key: of_column(column) for column in VALUED}), min_size=1, max_size=3
)


def as_sheet(rows: list[dict[str, Any]], kind: str, lang: str) -> bytes:
    written = []
    for number, row in enumerate(rows):
        cells = [(column.key, said(column, row[column.key])) for column in VALUED]
        written.append(row | {ID: f"id{number}", KEPT: MARKS.written(f"id{number}", "v", cells)})
    if kind == "csv":
        return write_csv(COLUMNS, written, "ja" if lang == "ja" else "en")
    return write_xlsx(COLUMNS, written, INFO)


def edits(content: bytes, rows: list[dict[str, Any]]) -> dict[tuple[int, str], str]:
    """(row, property) -> what is wanted, as the comparison with what stands finds it."""
    sheet = read_sheet(content, COLUMNS)
    comparer, found = Comparer(COLUMNS, sheet.heads, MARKS), {}
    for number, row in enumerate(sheet.rows):
        feature, kept = comparer.identity(row)
        assert (feature, kept and kept.version) == (f"id{number}", "v")
        for cell in comparer.cells(row, feature, kept, Standing(rows[number], "v")):
            assert cell["state"] in ("change", "locked"), cell
            found[number, cell["property"]] = cell
    return found


@settings(max_examples=15, deadline=None, phases=QUICK)
@given(rows=ROWS, kind=st.sampled_from(["xlsx", "csv"]), lang=st.sampled_from(["ja", "en"]))
def test_whatever_stands_in_a_list_comes_back_unchanged(
    rows: list[dict[str, Any]], kind: str, lang: str
) -> None:
    assert edits(as_sheet(rows, kind, lang), rows) == {}


@settings(max_examples=15, deadline=None, phases=QUICK)
@given(data=st.data(), rows=ROWS, kind=st.sampled_from(["xlsx", "csv"]))
def test_exactly_the_edited_cells_change(
    data: st.DataObject, rows: list[dict[str, Any]], kind: str
) -> None:
    open_columns = [column for column in VALUED if not column.locked]
    places = st.tuples(st.integers(0, len(rows) - 1), st.sampled_from(open_columns))
    edited = [dict(row) for row in rows]
    wanted = {}
    for number, column in data.draw(
        st.lists(places, max_size=5, unique_by=lambda it: (it[0], it[1].key))
    ):
        value = data.draw(of_column(column))
        edited[number][column.key] = value
        if said(column, value) != said(column, rows[number][column.key]):
            wanted[number, column.key] = said(column, value)
    # the marks stay those of what was read
    content = as_sheet(rows, kind, "ja")
    marks = [row.cells[KEPT].value for row in read_sheet(content, COLUMNS).rows]
    written = [row | {ID: f"id{number}", KEPT: marks[number]} for number, row in enumerate(edited)]
    content = write_csv(COLUMNS, written, "ja") if kind == "csv" else write_xlsx(COLUMNS, written, INFO)
    found = edits(content, rows)
    assert {at: said(BY_KEY[at[1]], cell["yours"]) for at, cell in found.items()} == wanted


def test_no_cell_of_a_text_file_begins_as_a_formula() -> None:
    texts = ["=1+1", "+1", "-1", "@a", "\t=1", "＝1", "'=1", "a"]
    content = write_csv(COLUMNS, [{"name": item, "elevation_m": -5} for item in texts], "ja")
    lines = content.decode("utf-8-sig").split("\r\n")[1:-1]
    names = [line.split(",")[2] for line in lines]
    assert [name[0] for name in names] == ["'"] * 7 + ["a"]
    assert all("-5" in line for line in lines)  # a number is no text
