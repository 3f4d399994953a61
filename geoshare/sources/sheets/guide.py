"""The second sheet of a workbook: every column in words and what it may hold, in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from geoshare.sources.sheets.columns import Lang, SheetColumn

if TYPE_CHECKING:
    from geoshare.sources.sheets.writing import SheetInfo

GUIDE: Final = "説明 Guide"
FONT: Final = "Yu Gothic"
LINE: Final = 16  # points of a line
LISTS: Final = "lists"
_HEADS: Final = (
    ("列", 20),
    ("Column", 24),
    ("入力", 12),
    ("入力できる値・説明", 52),
    ("Entry", 12),
    ("Allowed values, notes", 52),
)
_KINDS: Final[dict[str, tuple[str, str]]] = {
    "text": ("文字列", "text"),
    "choice": ("一覧から選択", "one of the list"),
    "truth": ("はい・いいえ", "Yes or No"),
    "whole": ("整数", "a whole number"),
    "number": ("数値", "a number"),
    "moment": ("日本時間の日時(例 2026/11/23 14:05)", "date and time in Japan (2026/11/23 14:05)"),
    "day": ("日付(例 2026/11/23)", "a date (2026/11/23)"),
    "list": ("「;」で区切る", "several, separated by ;"),
}
_RULES: Final = (
    (
        "セルを書き換えて保存し、災害対応デスクの「表で編集」で取り込みます。反映の前に変更点を確認できます。",
        "Change cells, save, and bring the file back under “Spreadsheet” at the desk. You see "
        "every change before anything is done.",
    ),
    (
        "行を消しても何も削除されません。取り下げるときは「操作」列で「取下げ」を選びます。",
        "Deleting a row deletes nothing. To withdraw something choose Withdraw in the column Action.",
    ),
    (
        "新しいものは、一番下に行を足します(ID は空のまま)。セルを空にすると「不明」になります。",
        "Add new things as rows at the bottom (no ID). An emptied cell means: not known.",
    ),
    (
        "色の薄い見出しの列は変更できません。非表示の列は変えないでください。",
        "Columns with a grey heading cannot be changed. Leave hidden columns as they are.",
    ),
)


def fill_guide(sheet: Any, columns: Sequence[SheetColumn], info: SheetInfo) -> None:
    """Write the rules and a table of the columns, on paper one page wide."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    for index, (_, width) in enumerate(_HEADS, 1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    at = info.read_at.strftime("%Y/%m/%d %H:%M")
    sheet.append([_bold(sheet, f"{info.title_ja} / {info.title}", 14)])
    sheet.append([f"ダウンロード / read: {at} (JST)"])
    sheet.append([])
    for japanese, english in _RULES:
        sheet.append([japanese])
        sheet.append([english])
    sheet.append([])
    sheet.append([_head(sheet, title) for title, _ in _HEADS])
    first = 2 * len(_RULES) + 6  # below the title, the rules and the head
    for number, column in enumerate((item for item in columns if not item.hidden), first):
        cells = (column.title_ja, column.title, *_said(column, "ja"), *_said(column, "en"))
        sheet.row_dimensions[number].height = LINE * max(_lines(cell) for cell in cells)
        sheet.append([_wrapped(sheet, cell) for cell in cells])


def _said(column: SheetColumn, lang: Lang) -> tuple[str, str]:
    japanese = lang == "ja"
    entry = "必須(新規)" if japanese else "needed (new)"
    if not column.required:
        entry = "任意" if japanese else "optional"
    if column.locked:
        entry = "変更不可" if japanese else "locked"
    about = column.about_ja if japanese else column.about
    lines = [_KINDS[column.kind][0 if japanese else 1]]
    if column.choices:
        lines = (
            ["、".join(item.title_ja for item in column.choices)]
            if japanese
            else [", ".join(item.title for item in column.choices)]
        )
    if column.least is not None and column.most is not None:
        mark = "～" if japanese else " to "
        lines.append(f"{column.least:,.0f}{mark}{column.most:,.0f}")
    if column.unit and "{" not in column.unit:
        lines.append(column.unit)
    return entry, "\n".join([*lines, *([about] if about else [])])


def fill_lists(sheet: Any, columns: Sequence[SheetColumn]) -> None:
    """Write the known values, a column for each list and language: what cells choose from."""
    chosen = _with_choices(columns)
    longest = max((len(column.choices) for column in chosen), default=0)
    for number in range(longest):
        sheet.append(
            [
                column.choices[number].said(lang) if number < len(column.choices) else None
                for column in chosen
                for lang in _LANGS
            ]
        )


def list_ranges(columns: Sequence[SheetColumn], lang: Lang) -> dict[str, str]:
    """Return where each column's values stand, by the key of the column."""
    found = {}
    for place, column in enumerate(_with_choices(columns)):
        letter = get_column_letter(place * len(_LANGS) + _LANGS.index(lang) + 1)
        found[column.key] = f"{LISTS}!${letter}$1:${letter}${len(column.choices)}"
    return found


_LANGS: Final[tuple[Lang, ...]] = ("ja", "en")


def _with_choices(columns: Sequence[SheetColumn]) -> list[SheetColumn]:
    return [column for column in columns if column.choices and not column.locked]


def _lines(words: str) -> int:
    """Lines that words take in the widest columns, a Japanese letter counting as two."""
    widths = (sum(1 + (mark > "\u2e80") for mark in line) for line in words.split("\n"))
    return sum(1 + width // _HEADS[3][1] for width in widths)


def _bold(sheet: Any, words: str, size: int) -> Any:
    cell = WriteOnlyCell(sheet, words)
    cell.font = Font(FONT, bold=True, size=size)
    return cell


def _head(sheet: Any, words: str) -> Any:
    cell = WriteOnlyCell(sheet, words)
    cell.font = Font(FONT, bold=True, color="FFFFFF")
    cell.fill = PatternFill("solid", fgColor="0B3C5D")
    return cell


def _wrapped(sheet: Any, words: str) -> Any:
    cell = WriteOnlyCell(sheet, words)
    cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell
