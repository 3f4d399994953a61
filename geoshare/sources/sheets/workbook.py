"""Reading .xlsx row by row, out of a file that nobody vouches for.

Only the parts that hold cells are unpacked, each byte of them counted; nothing outside the file is ever
opened, no entity expanded, no formula computed.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

from lxml import etree
from openpyxl.styles.numbers import is_date_format
from openpyxl.utils import column_index_from_string

from geoshare.errors import BadRequest, TooLarge

MAX_UNPACKED: Final = 60_000_000  # bytes of the parts that are read
MAX_RATIO: Final = 200  # of a part to its packed form; Excel's own reach about 30
MAX_ROW_MARKS: Final = 200_000  # rows of a sheet, also empty ones
MAX_CELLS: Final = 1_000_000
MAX_COLUMNS: Final = 200
MAX_SHEETS: Final = 20
MAX_MERGED: Final = 2_000
CHUNK: Final = 65_536
FORMULA, ERROR, MERGED = "formula", "error", "merged"  # what is the matter with a cell
_DATE_IDS: Final = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_HIDDEN = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ENTRIES: Final = 2_000
ALLOWED_JA: Final = "Excelブック(.xlsx)またはCSV(.csv)"


class Cell(NamedTuple):
    """A cell: its value, or what is the matter with it."""

    value: str | int | float | bool | datetime | date | time | None
    trouble: str = ""


Row = tuple[int, dict[int, Cell]]  # number, and cells by column, both from 1
Range = tuple[int, int, int, int]  # first column, first row, last column, last row


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook: its name, and the part that holds it."""

    name: str
    part: str


def refused(
    english: str, japanese: str, allowed: str = ".xlsx, .csv", allowed_ja: str = ""
) -> BadRequest:
    """Build the refusal of a whole file."""
    return BadRequest(
        english,
        parameter="file",
        allowed=allowed,
        message_ja=japanese,
        allowed_ja=allowed_ja or ALLOWED_JA,
    )


def _broken() -> BadRequest:
    return refused("The file cannot be read as a workbook", "Excelブックとして読めません")


def _too_large() -> TooLarge:
    return TooLarge(
        "The workbook is too large when unpacked",
        parameter="file",
        allowed=f"{MAX_UNPACKED // 1_000_000} MB unpacked, {MAX_ROW_MARKS} rows, {MAX_CELLS} cells",
        message_ja="ブックの中身が大きすぎます",
        allowed_ja=f"展開後{MAX_UNPACKED // 1_000_000}MB、{MAX_ROW_MARKS}行、{MAX_CELLS}セルまで",
    )


class Workbook:
    """An opened workbook: its sheets, and their rows one after the other."""

    def __init__(self, content: bytes) -> None:
        self._left = MAX_UNPACKED
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            raise _broken() from error
        self._check_parts()
        self.has_links = any(name.startswith("xl/externalLinks/") for name in self._names)
        self.sheets, self._epoch = self._listed()
        self._texts: list[str] | None = None
        self._dates: list[bool] = self._date_styles()
        self.merged: list[Range] = []  # of the sheet that was read last

    def _check_parts(self) -> None:
        entries = self._zip.infolist()
        self._names = {entry.filename for entry in entries}
        if len(entries) > _ENTRIES:
            raise _too_large()
        if any(name.lower().endswith("vbaproject.bin") for name in self._names):
            raise refused(
                "The workbook has macros; save it as .xlsx without them",
                "マクロを含むブックは受け付けません。「.xlsx」形式で保存し直してください",
                ".xlsx without macros, .csv",
                "マクロのないExcelブック(.xlsx)またはCSV(.csv)",
            )
        if "xl/workbook.xml" not in self._names:
            raise refused(
                "The file is no .xlsx workbook",
                "「.xlsx」形式のブックではありません。Excelで「.xlsx」として保存し直してください",
            )

    def rows(self, sheet: Sheet) -> Iterator[Row]:
        """Yield the rows that have cells. ``merged`` is known once all of them were taken."""
        self.merged = []
        marks = cells = last = 0
        row: dict[int, Cell] = {}
        for element in self._elements(sheet.part, ("c", "row", "mergeCell")):
            name = _local(element)
            if name == "mergeCell":
                self._merge(element.get("ref", ""))
            elif name == "c":
                cells += 1
                self._take(element, row)
            else:
                marks += 1
                number = _whole(element.get("r")) or last + 1
                last = number
                if row:
                    yield number, row
                row = {}
            if marks > MAX_ROW_MARKS or cells > MAX_CELLS:
                raise _too_large()

    def _take(self, element: Any, row: dict[int, Cell]) -> None:
        found = _REFERENCE.fullmatch(element.get("r") or "")
        column = column_index_from_string(found.group(1)) if found else max(row, default=0) + 1
        if column <= MAX_COLUMNS:
            cell = self._cell(element)
            if cell.value is not None or cell.trouble:
                row[column] = cell

    def _cell(self, element: Any) -> Cell:
        kind, held, formula = element.get("t", "n"), None, False
        for child in element:
            name = _local(child)
            if name == "v":
                held = child.text
            elif name == "is":
                held = _rich(child)
            formula = formula or name == "f"
        if held is None:
            return Cell(None, FORMULA if formula else "")
        if kind == "e":
            return Cell(None, ERROR)
        return Cell(self._value(kind, held, _whole(element.get("s"))))

    def _value(self, kind: str, held: str, style: int) -> Any:
        if kind == "s":
            texts, number = self._shared(), _whole(held)
            return texts[number] if number < len(texts) else None
        if kind == "b":
            return held.strip() == "1"
        if kind in ("str", "inlineStr"):
            return _unhidden(held)
        if kind == "d":
            try:
                return datetime.fromisoformat(held)
            except ValueError:
                return held
        try:
            found = float(held)
        except ValueError:
            return held
        if style < len(self._dates) and self._dates[style]:
            return self._moment(found)
        return int(found) if found.is_integer() and abs(found) < 2**53 else found

    def _moment(self, serial: float) -> datetime | float:
        if not 1 <= serial < 2_958_466:  # a time without a day, or beyond the year 9999
            return serial
        return self._epoch + timedelta(seconds=round(serial * 86_400))

    def _merge(self, reference: str) -> None:
        corners = [_REFERENCE.fullmatch(item) for item in reference.split(":")]
        places = [
            (column_index_from_string(item.group(1)), int(item.group(2))) for item in corners if item
        ]
        if len(self.merged) >= MAX_MERGED:
            raise refused(
                "The sheet has too many merged cells",
                "結合されたセルが多すぎます。結合を解除してください",
                f"at most {MAX_MERGED} merged ranges",
                f"結合は{MAX_MERGED}か所まで",
            )
        if len(places) == 2:
            self.merged.append((*places[0], *places[1]))

    # Parts

    def _elements(self, part: str, wanted: tuple[str, ...]) -> Iterator[Any]:
        """Yield elements of a part by their ends, each forgotten once it was looked at."""
        parser = etree.XMLPullParser(
            events=("end",),
            tag=tuple(f"{{*}}{name}" for name in wanted),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
        )
        try:
            for chunk in self._chunks(part):
                parser.feed(chunk)
                yield from _ended(parser)
            parser.close()
            yield from _ended(parser)
        except etree.XMLSyntaxError as error:
            raise _broken() from error

    def _chunks(self, part: str) -> Iterator[bytes]:
        try:
            entry = self._zip.getinfo(part)
            packed = max(entry.compress_size, 1)
            taken, head = 0, True
            with self._zip.open(entry) as stream:
                while chunk := stream.read(CHUNK):
                    taken += len(chunk)
                    self._left -= len(chunk)
                    if self._left < 0 or (taken > 1_000_000 and taken > packed * MAX_RATIO):
                        raise _too_large()
                    if head and b"<!DOCTYPE" in chunk:
                        raise _broken()
                    head = False
                    yield chunk
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise _broken() from error
        except (NotImplementedError, RuntimeError) as error:  # another packing, a password
            raise _broken() from error

    def _listed(self) -> tuple[list[Sheet], datetime]:
        kind, target = "Type", "Target"
        paths = {
            element.get("Id"): _resolved(element.get(target) or "")
            for element in self._elements("xl/_rels/workbook.xml.rels", ("Relationship",))
            if (element.get(kind) or "").endswith("/worksheet")
        }
        sheets: list[Sheet] = []
        epoch = datetime(1899, 12, 30)
        for element in self._elements("xl/workbook.xml", ("sheet", "workbookPr")):
            if _local(element) == "workbookPr":
                if element.get("date1904") in ("1", "true"):
                    epoch = datetime(1904, 1, 1)
                continue
            named = next((value for key, value in element.attrib.items() if key.endswith("}id")), None)
            if named in paths and paths[named] in self._names and len(sheets) < MAX_SHEETS:
                sheets.append(Sheet(element.get("name") or "", paths[named]))
        return sheets, epoch

    def _shared(self) -> list[str]:
        if self._texts is None:
            part = "xl/sharedStrings.xml"
            found = self._elements(part, ("si",)) if part in self._names else ()
            self._texts = [_unhidden(_rich(element)) for element in found]
        return self._texts

    def _date_styles(self) -> list[bool]:
        """Tell of each style of cells whether it shows a date."""
        part = "xl/styles.xml"
        if part not in self._names:
            return []
        own: dict[int, bool] = {}
        for element in self._elements(part, ("numFmt", "cellXfs")):
            if _local(element) == "numFmt":
                code = element.get("formatCode") or ""
                own[_whole(element.get("numFmtId"))] = bool(is_date_format(code))
                continue
            numbers = [_whole(item.get("numFmtId")) for item in element]
            return [own.get(number, number in _DATE_IDS) for number in numbers]
        return []


def _ended(parser: Any) -> Iterator[Any]:
    """Elements that have ended; what was looked at is taken out of the tree."""
    for _, element in parser.read_events():
        yield element
        element.clear()
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _whole(written: str | None) -> int:
    return int(written) if written and written.isascii() and written.isdigit() else 0


def _resolved(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")


def _rich(element: Any) -> str:
    """Join the text of a string item, without the readings that Japanese Excel keeps beside it."""
    pieces = []
    for child in element:
        name = _local(child)
        if name == "t":
            pieces.append(child.text or "")
        elif name == "r":
            pieces += [item.text or "" for item in child if _local(item) == "t"]
    return "".join(pieces)


def _unhidden(written: str) -> str:
    """Undo how the format writes characters that XML has no place for."""
    return _HIDDEN.sub(_character, written) if "_x" in written else written


def _character(found: re.Match[str]) -> str:
    number = int(found.group(1), 16)
    return found.group() if 0xD800 <= number <= 0xDFFF else chr(number)  # halves of one stay
