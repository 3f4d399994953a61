"""Spreadsheets in, and refused rows back out, as .xlsx."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from geoshare.model.batch import FeatureBatch
from geoshare.model.report import Report
from geoshare.model.workbooks import at_moment
from geoshare.sources import messages
from geoshare.sources.request import ReadRequest
from geoshare.sources.table import HEADER_ROWS, column_names, find_header, read_rows

_CELL_LIMIT = 32_767  # characters, of the format
_KINDS = {
    bool: ("truths", "真偽値"),
    int: ("numbers", "数値"),
    float: ("numbers", "数値"),
    date: ("dates", "日付"),
    datetime: ("dates", "日付"),
}
Kinds = dict[int, set[type]]
_UNDATED = datetime(2000, 1, 1)  # the workbook does not tell when it was packed
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class XlsxReader:
    """Workbooks: every sheet that has a row of known column names."""

    name = "xlsx"

    def recognises(self, path: Path, head: bytes) -> bool:
        """By the parts of the zip file."""
        if not head.startswith(b"PK"):
            return False
        try:
            with zipfile.ZipFile(path) as archive:
                return "xl/workbook.xml" in archive.namelist()
        except zipfile.BadZipFile:
            return path.suffix.lower() in (".xlsx", ".xlsm")

    def read(self, path: Path, request: ReadRequest, report: Report) -> Iterator[FeatureBatch]:
        """Feature batches of all sheets that hold a table."""
        report.format = "xlsx"
        try:
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
            raise messages.refuse_and_note(
                report, messages.broken("a workbook", "Excelブック")
            ) from error
        try:
            found = False
            for sheet in book.worksheets:
                top = [row for _, row in zip(range(HEADER_ROWS), _rows(sheet, {}), strict=False)]
                at = find_header(top, request)
                if at is not None:
                    found = True
                    kinds: Kinds = {}
                    yield from read_rows(_rows(sheet, kinds, at + 1), sheet.title, request, report)
                    _note_kinds(kinds, column_names(top[at]), report)
            if not found:
                raise messages.refuse_and_note(report, messages.no_header())
        finally:
            book.close()


def _rows(sheet: Any, kinds: Kinds, first: int = 0) -> Iterator[list[str]]:
    """Rows as texts; which columns have cells of other kinds from a row on is added to ``kinds``."""
    for number, row in enumerate(sheet.iter_rows(values_only=True)):
        if number >= first:
            for index, value in enumerate(row):
                if value is not None and not isinstance(value, str):
                    kinds.setdefault(index, set()).add(type(value))
        yield [cell_text(value) for value in row]


def _note_kinds(kinds: Kinds, columns: list[str], report: Report) -> None:
    """Say which columns that no property takes held numbers, dates or truths: they are text now."""
    for index, found in sorted(kinds.items()):
        if index < len(columns) and report.columns.get(columns[index]) is None:
            words = [words for kind, words in _KINDS.items() if kind in found] or [_KINDS[date]]
            english, japanese = zip(*dict.fromkeys(words), strict=True)
            report.note(
                messages.values_mixed(columns[index], " and ".join(english), "・".join(japanese))
            )


def cell_text(value: object) -> str:
    """A cell as its reader sees it: whole numbers without a point, dates in ISO form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def write_refused(report: Report, path: Path) -> None:
    """Write the refused rows with their reasons, ready to be corrected and sent again.

    The first columns are the row's number and the reason in both languages; then the cells as they
    came. Cells that a spreadsheet would take for a formula are written as text.
    """
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "refused"
    names = list(dict.fromkeys(name for refusal in report.refusals for name in refusal.values))
    head = ["行 / row", "理由", "reason", *names]
    _write(sheet, 1, head)
    for row, refusal in enumerate(report.refusals, start=2):
        values = [refusal.values.get(name) for name in names]
        _write(sheet, row, [refusal.row, refusal.message.ja, refusal.message.en, *values])
    for index, name in enumerate(head, start=1):
        cell = sheet.cell(row=1, column=index)
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[get_column_letter(index)].width = (
            40 if index in (2, 3) else max(10, len(name) * 2)
        )
    sheet.freeze_panes = "D2"
    content = io.BytesIO()
    book.save(content)
    path.write_bytes(at_moment(content.getvalue(), _UNDATED))


def _write(sheet: Any, row: int, values: list[Any]) -> None:
    for column, value in enumerate(values, start=1):
        cell = sheet.cell(row=row, column=column)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            cell.value = value
        elif value is not None:
            shown = "".join(mark for mark in str(value)[:_CELL_LIMIT] if mark >= " " or mark in "\t\n")
            cell.value = shown
            if shown.startswith(_FORMULA_STARTS):
                cell.data_type = "s"
