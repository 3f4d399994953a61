"""A collection's sheet as .xlsx and CSV: whatever a text begins with, it comes back unchanged."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from geoshare.model.workbooks import at_moment
from geoshare.sources.sheets.columns import ACTION, Lang, SheetColumn
from geoshare.sources.sheets.guide import FONT, GUIDE, LISTS, fill_guide, fill_lists, list_ranges
from geoshare.sources.sheets.values import FORMULA, shown

MORE_ROWS: Final = 500  # below the last one, for new features: they have lists to choose from as well
WIDEST, NARROWEST, SAMPLED = 44, 9, 200
MOMENT, DAY, TEXT = "yyyy/mm/dd hh:mm", "yyyy/mm/dd", "@"
_COMMANDS = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")  # a text that looks like the format's own escapes
_HEAD, _LOCKED = PatternFill("solid", fgColor="0B3C5D"), PatternFill("solid", fgColor="51606C")
_WIDE: Final = frozenset("WFA")


@dataclass(frozen=True, slots=True)
class SheetInfo:
    """What a sheet is about: titles of its list, when it was read (Japan's time), and its language."""

    title: str
    title_ja: str
    read_at: datetime
    lang: Lang


Values = Mapping[str, Any]  # of a row, by the keys of columns


def write_csv(columns: Sequence[SheetColumn], rows: Sequence[Values], lang: Lang) -> bytes:
    """UTF-8 with a byte-order mark, lines ended by CRLF; no text can be taken for a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.heading(lang) for column in columns])
    for row in rows:
        cells = (shown(column, row.get(column.key), lang) for column in columns)
        writer.writerow([_plain(cell) for cell in cells])
    return out.getvalue().encode("utf-8-sig")


def _plain(cell: Any) -> str | int | float:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime("%Y/%m/%d %H:%M")
    if isinstance(cell, date):
        return cell.strftime("%Y/%m/%d")
    if isinstance(cell, str):
        return f"'{cell}" if FORMULA.match(cell) else cell
    number: int | float = cell
    return number


def write_xlsx(columns: Sequence[SheetColumn], rows: Sequence[Values], info: SheetInfo) -> bytes:
    """A workbook: the list, its guide in both languages, and the lists to choose from.

    Two calls with the same arguments give the same bytes.
    """
    book = openpyxl.Workbook(write_only=True)
    title = info.title_ja if info.lang == "ja" else info.title
    sheet = book.create_sheet(re.sub(r"[\[\]:*?/\\']", " ", title)[:31])
    shows = [[shown(column, row.get(column.key), info.lang) for column in columns] for row in rows]
    _shape(book, sheet, columns, shows, info.lang)
    sheet.append([_head(sheet, column, info.lang) for column in columns])
    for cells in shows:
        sheet.append([_cell(sheet, column, cell) for column, cell in zip(columns, cells, strict=True)])
    _choose(sheet, columns, len(rows), info.lang)
    fill_guide(book.create_sheet(GUIDE), columns, info)
    lists = book.create_sheet(LISTS)
    fill_lists(lists, columns)
    lists.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return at_moment(out.getvalue(), info.read_at.replace(second=0))


def _shape(
    book: Any, sheet: Any, columns: Sequence[SheetColumn], shows: Sequence[Sequence[Any]], lang: Lang
) -> None:
    """Widths that fit, what is frozen and filtered, and the form of cells that are yet to be filled."""
    last = get_column_letter(len(columns))
    sheet.auto_filter.ref = f"A1:{last}{len(shows) + 1}"
    named = next(
        index for index, column in enumerate(columns, 1) if not column.hidden and column.key != ACTION
    )
    sheet.freeze_panes = f"{get_column_letter(named + 1)}2"
    sheet.sheet_format.defaultRowHeight = 18
    sheet.page_setup.orientation = "landscape"
    sheet.print_title_rows = "1:1"  # on every page of paper, with the name of each row
    sheet.print_title_cols = f"A:{get_column_letter(named)}"
    for index, column in enumerate(columns):
        size = sheet.column_dimensions[get_column_letter(index + 1)]
        sample = (cells[index] for cells in shows[:SAMPLED])
        widths = [_width(column.heading(lang)) + 4, *(_width(cell) for cell in sample)]
        size.width = max(NARROWEST, min(WIDEST, max(widths) + 2))
        size.hidden = column.hidden
        size.number_format = _format(column)


def _width(cell: Any) -> int:
    """Width in letters of the widest line; a Japanese letter counts as two."""
    if isinstance(cell, datetime):
        return len(MOMENT)
    lines = str("" if cell is None else cell).split("\n")
    return max(
        sum(2 if unicodedata.east_asian_width(mark) in _WIDE else 1 for mark in line) for line in lines
    )


def _format(column: SheetColumn) -> str:
    formats = {"moment": MOMENT, "day": DAY, "whole": "0", "number": "General"}
    return formats.get(column.kind, "General" if column.key == "level" else TEXT)


def _head(sheet: Any, column: SheetColumn, lang: Lang) -> Any:
    cell = WriteOnlyCell(sheet, column.heading(lang))
    cell.font = Font(FONT, bold=True, color="FFFFFF")
    cell.fill = _LOCKED if column.locked else _HEAD
    cell.alignment = Alignment(vertical="center", wrap_text=True)
    return cell


def _cell(sheet: Any, column: SheetColumn, value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, str):
        cell = WriteOnlyCell(sheet, value)
        cell.number_format = _format(column)
        return cell
    cell = WriteOnlyCell(sheet, "")
    cell.value = _COMMANDS.sub("_x005F_", value)
    cell.data_type = "s"  # whatever it begins with
    cell.number_format = TEXT
    if FORMULA.match(value):
        cell.quotePrefix = True
    if "\n" in value or _width(value) > WIDEST:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _choose(sheet: Any, columns: Sequence[SheetColumn], rows: int, lang: Lang) -> None:
    """Lists of the known values, and bounds of numbers."""
    ranges = list_ranges(columns, lang)
    last = rows + 1 + MORE_ROWS
    for index, column in enumerate(columns, 1):
        if column.locked or column.hidden:
            continue
        letter = get_column_letter(index)
        rule = None
        if column.key in ranges:
            rule = DataValidation("list", formula1=ranges[column.key], allow_blank=True)
        elif column.kind in ("whole", "number") and column.least is not None:
            most = column.most if column.most is not None else 2**31
            rule = DataValidation(
                "whole" if column.kind == "whole" else "decimal",
                operator="between",
                formula1=f"{column.least:g}",
                formula2=f"{most:.0f}",
                allow_blank=True,
            )
        if rule is None:
            continue
        rule.showErrorMessage = True
        rule.errorTitle = column.heading(lang)[:32]
        rule.error = "一覧から選んでください" if lang == "ja" else "Choose from the list"
        if column.key not in ranges:
            rule.error = f"{column.least:g} - {rule.formula2}"
        rule.add(f"{letter}2:{letter}{last}")
        sheet.data_validations.append(rule)
