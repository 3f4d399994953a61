"""The summary of an area as an Excel workbook: Japanese headers, codes as text, the same bytes."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any, Final

import openpyxl
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from geoshare.derive.buildings import STOREYS
from geoshare.model.workbooks import at_moment

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEADERS: Final = (
    "区分コード", "区分", "浸水深(下限)m", "浸水深(上限)m", "面積(km²)", "人口(推計)",
    "うち65歳以上(推計)", "世帯数(推計)", "建物棟数", "うち1階建て", "うち2階建て",
    "うち3階建て以上", "うち階数不明",
)  # fmt: skip
PEOPLE: Final = ("population", "population_65", "households")
HAZARDS_JA: Final = {
    "flood": "洪水", "inland_flood": "内水氾濫", "storm_surge": "高潮", "tsunami": "津波",
    "landslide": "土砂災害", "earthquake": "地震", "great_fire": "大規模な火事", "eruption": "火山現象",
}  # fmt: skip
SCENARIOS_JA: Final = {
    "L1": "計画規模", "L2": "想定最大規模", "steep_slope": "急傾斜地の崩壊", "debris_flow": "土石流",
    "landslide": "地滑り",
}  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@")


def figure_words(figure: dict[str, Any]) -> int | str:
    """A figure as a cell: a number where it is one, else words that no sum takes for zero."""
    value, state = figure["value"], figure["state"]
    words: dict[str, str] = {
        "below": "10未満",
        "suppressed": "秘匿",
        "unknown": "不明",
        "at_least": f"{value}以上",
    }
    return words[state] if state in words else int(value)


def write_sheet(summary: dict[str, Any]) -> bytes:
    """The workbook of a summary as ``services.deciding`` tells it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "集計"
    lines = _head(summary)
    for number, line in enumerate(lines, start=1):
        _put(sheet, number, 1, line)
        sheet.cell(number, 1).font = Font(bold=number == 1, size=14 if number == 1 else 11)
    top = len(lines) + 2
    _table(sheet, top, summary)
    notes = book.create_sheet("方法と出典")
    for number, text in enumerate([*summary["method"]["ja"], "", *_sources(summary)], start=1):
        _put(notes, number, 1, text)
        notes.cell(number, 1).alignment = Alignment(wrap_text=True, vertical="top")
    notes.column_dimensions["A"].width = 100
    return _saved(book, summary["made_at"])


def _head(summary: dict[str, Any]) -> list[str]:
    hazard = summary["hazard"]
    scenario = hazard["scenario"]
    assumed = SCENARIOS_JA.get(scenario, scenario) if scenario else "全ての想定のうち最も深いもの"
    names = "、".join(summary["area"]["names"]) or "地図上で指定した範囲"
    return [
        "区域内の人口・建物(推計)",
        f"範囲: {names}({summary['area']['km2']:g} km²)",
        f"災害: {HAZARDS_JA[hazard['hazard_type']]}({assumed})",
        f"作成日時: {summary['made_at']}(UTC)",
    ]


def _table(sheet: Worksheet, top: int, summary: dict[str, Any]) -> None:
    for column, name in enumerate(HEADERS, start=1):
        cell: Any = sheet.cell(top, column)
        cell.value = name
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cell.fill = PatternFill("solid", fgColor="E5F1F8")
        sheet.column_dimensions[get_column_letter(column)].width = 34 if column == 2 else 13
    for number, row in enumerate(summary["rows"], start=top + 1):
        _row(sheet, number, row["class"], row["title_ja"], row)
    last = top + len(summary["rows"])
    _row(sheet, last + 1, "", "合計", summary["total"])
    for column in range(1, len(HEADERS) + 1):
        sheet.cell(last + 1, column).font = Font(bold=True)
    sheet.auto_filter.ref = f"A{top}:{get_column_letter(len(HEADERS))}{last}"
    sheet.freeze_panes = f"C{top + 1}"


def _row(sheet: Worksheet, number: int, code: str, title: str, row: dict[str, Any]) -> None:
    storeys = row["storeys"]
    values = [
        code,
        title,
        row.get("depth_min_m"),
        row.get("depth_max_m"),
        row["km2"],
        *(figure_words(row["people"][name]) for name in PEOPLE),
        figure_words(row["buildings"]),
        *(storeys[name] if storeys else "不明" for name in STOREYS),
    ]
    for column, value in enumerate(values, start=1):
        _put(sheet, number, column, value)


def _put(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    """Write a value; text stays text, whatever a spreadsheet would make of it."""
    cell: Any = sheet.cell(row, column)
    if not isinstance(value, str):
        cell.value = value
        return
    cell.value = "".join(mark for mark in value if mark >= " ")
    cell.number_format = "@"
    if value.startswith(_FORMULA):
        cell.data_type = "s"


def _sources(summary: dict[str, Any]) -> list[str]:
    return [f"出典: {item['title_ja']}({item['detail_ja']})" for item in summary["sources"]]


def _saved(book: openpyxl.Workbook, made_at: str) -> bytes:
    """Save a workbook with the given time instead of the machine's."""
    book.properties.creator = "geoshare"
    raw = io.BytesIO()
    book.save(raw)
    return at_moment(raw.getvalue(), datetime.fromisoformat(made_at.replace("Z", "+00:00")))
