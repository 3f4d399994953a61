"""A sheet that somebody sends back: which columns it has, and its rows as cells of those columns."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from openpyxl.utils import get_column_letter

from geoshare.errors import BadRequest, TooLarge
from geoshare.sources import text
from geoshare.sources.sheets.columns import KEPT, SheetColumn
from geoshare.sources.sheets.guide import GUIDE, LISTS
from geoshare.sources.sheets.values import clean, unguarded
from geoshare.sources.sheets.workbook import MAX_COLUMNS, MERGED, Cell, Range, Row, Workbook, refused

MAX_BYTES: Final = 8_000_000
MAX_ROWS: Final = 3_000  # rows that hold something
HEADER_ROWS: Final = 30  # among these the header is looked for
MIN_HITS: Final = 2
NAMED: Final = 30  # ignored columns and sheets that are told
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # .xls, and workbooks under a password
_OTHERS: Final = (  # first bytes of what people drop in by mistake
    (b"%PDF", "a PDF", "PDF"),
    (b"<!DOCTYPE html", "a web page", "ウェブページ(HTML)"),
    (b"<html", "a web page", "ウェブページ(HTML)"),
    (b"<?xml", "an XML file", "XMLファイル"),
    (b"{", "a JSON file", "JSON・GeoJSONファイル"),
    (b"Rar!", "an archive", "圧縮ファイル"),
    (b"7z\xbc\xaf", "an archive", "圧縮ファイル"),
    (b"\x1f\x8b", "an archive", "圧縮ファイル"),
    (b"SQLite format 3", "a database", "データベース"),
)
_PICTURES: Final = (  # where in a file, and which bytes
    (0, b"\xff\xd8\xff"),
    (0, b"\x89PNG"),
    (0, b"GIF8"),
    (0, b"II*\0"),
    (0, b"MM\0*"),
    (8, b"WEBP"),
    (4, b"ftyphei"),
)
_WORKBOOKS: Final = (".xlsx", ".xlsm")
_CODECS: Final = ("utf-8", "cp932")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row: its number in the file, and its cells by the keys of columns; empty ones are left out."""

    number: int
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Head:
    """A column of the file: its letter and what stands above it."""

    letter: str
    heading: str


@dataclass(slots=True)
class ReadSheet:
    """What was read of a file."""

    format: str
    heads: dict[str, Head] = field(default_factory=dict)  # of known columns, by key
    rows: list[SheetRow] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # headings of unknown columns
    other_sheets: list[str] = field(default_factory=list)
    has_links: bool = False


def read_sheet(content: bytes, columns: Sequence[SheetColumn], name: str = "") -> ReadSheet:
    """Read an .xlsx or CSV file, whatever it is called; ``name`` is for the words of a refusal alone.

    Raises
    ------
    BadRequest
        for a file of another kind, one with macros, one that unpacks to too much, or one without the
        columns of this collection; says so in both languages.
    TooLarge
        for too many rows.
    """
    if len(content) > MAX_BYTES:
        raise TooLarge(
            "The sheet is too large",
            parameter="file",
            allowed=f"{MAX_BYTES} bytes",
            message_ja="表のファイルが大きすぎます",
            allowed_ja=f"{MAX_BYTES // 1_000_000}MBまで",
        )
    if content.startswith(_OLE):
        raise refused(
            "Old .xls files and workbooks under a password are not read; save it as .xlsx",
            "旧形式(.xls)やパスワード付きのブックは読めません。「.xlsx」形式で保存し直してください",
        )
    _check_kind(content)
    if content.startswith(b"PK"):
        return _of_workbook(content, columns)
    try:
        return _of_csv(content, columns)
    except BadRequest:
        if name.lower().endswith(_WORKBOOKS):  # whoever sends it knows nothing of encodings
            raise refused(
                "The file is called .xlsx and is no Excel workbook, or a damaged one",
                "名前は「.xlsx」ですが、Excelファイルではないか、壊れています。Excelで開けるか確認してください",
            ) from None
        raise


def _check_kind(content: bytes) -> None:
    """Refuse a file that is known to be something else than a list, by its first bytes."""
    head = content[:1_024].lstrip(codecs.BOM_UTF8 + b" \t\r\n")
    for mark, english, japanese in _OTHERS:
        if head[: len(mark)].lower() == mark.lower():
            raise refused(
                f"This is {english}, not a list; drop in the edited .xlsx or CSV",
                f"これは{japanese}です。表として読めません。「.xlsx」またはCSVのファイルを選んでください",
            )
    if any(head[offset : offset + len(mark)] == mark for offset, mark in _PICTURES):
        raise refused(
            "This is a picture, not a list; drop in the edited .xlsx or CSV",
            "これは画像です。表として読めません。「.xlsx」またはCSVのファイルを選んでください",
        )


def _of_workbook(content: bytes, columns: Sequence[SheetColumn]) -> ReadSheet:
    book = Workbook(content)
    found = ReadSheet("xlsx", has_links=book.has_links)
    for sheet in book.sheets:
        if sheet.name in (GUIDE, LISTS):  # our own words about the list name its columns too
            continue
        rows = book.rows(sheet)
        if _take(found, rows, columns):
            _mark_merged(found, book.merged)
            others = [item.name for item in book.sheets if item is not sheet]
            found.other_sheets = [name[:80] for name in others if name not in (GUIDE, LISTS)]
            return found
    raise _no_header(columns)


def _of_csv(content: bytes, columns: Sequence[SheetColumn]) -> ReadSheet:
    written = _decoded(content)
    head = written[:4_000]
    delimiter = max((",", "\t", ";"), key=lambda mark: (head.count(mark), mark == ","))
    found = ReadSheet("csv")
    lines = csv.reader(io.StringIO(written, newline=""), delimiter=delimiter)

    def rows() -> Iterator[Row]:
        for number, line in enumerate(lines, start=1):
            some = enumerate(line[:MAX_COLUMNS], start=1)
            cells = {index: Cell(unguarded(value)) for index, value in some if value}
            if cells:
                yield number, cells

    try:
        if not _take(found, rows(), columns):
            raise _no_header(columns)
    except csv.Error as error:
        raise refused("The file cannot be read as a table", "表として読めません") from error
    return found


def _decoded(content: bytes) -> str:
    """Text of a CSV file; UTF-8 strictly before cp932, which it practically never is as well."""
    tries: tuple[str, ...] = _CODECS
    if content.startswith(codecs.BOM_UTF8):
        tries = ("utf-8-sig",)
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        tries = ("utf-16",)
    for codec in tries:
        try:
            written = content.decode(codec)
        except UnicodeDecodeError:
            continue
        if "\0" not in written:
            return written
    raise refused(
        "The text is neither UTF-8 nor Shift_JIS (cp932)",
        "文字コードを判別できません(UTF-8またはShift_JIS(cp932)で保存してください)",
        "CSV in UTF-8 or cp932, .xlsx",
        "UTF-8またはShift_JIS(cp932)のCSV、.xlsx",
    )


def _take(found: ReadSheet, rows: Iterator[Row], columns: Sequence[SheetColumn]) -> bool:
    """Find the header among the first rows and take what stands below it; False: there is none."""
    top = [row for _, row in zip(range(HEADER_ROWS), rows, strict=False)]
    keys = {heading: column.key for column in columns for heading in column.headings}
    hits = [len({_heading(cell) for cell in cells.values()} & keys.keys()) for _, cells in top]
    if not hits or max(hits) < MIN_HITS:
        return False
    at = hits.index(max(hits))
    places: dict[int, str] = {}
    for place, cell in sorted(top[at][1].items()):
        key, heading = keys.get(_heading(cell)), clean(str(cell.value))[:80]
        if key is None or key in found.heads:
            _check_collection(heading, columns)
            found.ignored.append(heading)
            continue
        places[place] = key
        found.heads[key] = Head(get_column_letter(place), heading)
    del found.ignored[NAMED:]
    for number, cells in (*top[at + 1 :], *rows):
        mine = {places[place]: cell for place, cell in cells.items() if place in places}
        if not any(cell.trouble or clean(str(cell.value)) for cell in mine.values()):
            continue
        if len(found.rows) == MAX_ROWS:
            raise TooLarge(
                "The sheet has too many rows",
                parameter="file",
                allowed=f"{MAX_ROWS} rows",
                allowed_ja=f"{MAX_ROWS}行まで",
                message_ja=f"表は{MAX_ROWS}行までです。分けて取り込んでください",
            )
        found.rows.append(SheetRow(number, mine))
    return True


def _heading(cell: Cell) -> str:
    return text.heading(cell.value) if isinstance(cell.value, str) else ""


def _check_collection(heading: str, columns: Sequence[SheetColumn]) -> None:
    """Refuse the sheet of another collection, which its last column names."""
    own = next(column.title for column in columns if column.key == KEPT)
    prefix = own.partition(":")[0] + ":"
    if heading.startswith(prefix) and heading != own:
        raise BadRequest(
            "This is the sheet of another collection",
            parameter="collection",
            allowed=heading.removeprefix(prefix)[:63],
            message_ja="別の一覧の表です。取り込む一覧を確かめてください",
            allowed_ja=heading.removeprefix(prefix)[:63],
        )


def _mark_merged(found: ReadSheet, ranges: Sequence[Range]) -> None:
    """Mark the cells that lie under others: what they hold is not to be seen."""
    letters = {key: head.letter for key, head in found.heads.items()}
    places = {
        key: next(index for index in range(1, MAX_COLUMNS + 1) if get_column_letter(index) == letter)
        for key, letter in letters.items()
    }
    for left, top, right, bottom in ranges:
        for place, row in enumerate(found.rows):
            if not top <= row.number <= bottom:
                continue
            under = {
                key: Cell(None, MERGED)
                for key, column in places.items()
                if left <= column <= right and (left, top) != (column, row.number)
            }
            if under:
                found.rows[place] = SheetRow(row.number, {**row.cells, **under})


def _no_header(columns: Sequence[SheetColumn]) -> BadRequest:
    shown = [column for column in columns if not column.hidden][:6]
    english = ", ".join(column.title for column in shown)
    japanese = "、".join(column.title_ja for column in shown)
    return refused(
        f"No row has this list's column names ({english} ...)",
        f"この一覧の列名({japanese}など)の行が見つかりません",
        "column names of the list",
        "この一覧の列名の行",
    )
