"""Rows of a sheet against what was read and what stands: what its maker wants changed, cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from geoshare.services.sheet_marks import Kept, Marks
from geoshare.sources.sheets import ACTION, ID, KEPT, LATITUDE, LONGITUDE, SheetColumn, SheetRow
from geoshare.sources.sheets.columns import WITHDRAW
from geoshare.sources.sheets.reading import Head
from geoshare.sources.sheets.values import Unreadable, as_text, originals, read, said
from geoshare.sources.sheets.workbook import Cell

CHANGE, CONFLICT, WRONG, LOCKED = "change", "conflict", "error", "locked"  # what a cell is
POINT: Final = "Point"
LONGEST_ID: Final = 200
_TROUBLES: Final[Mapping[str, tuple[str, str]]] = {
    "formula": (
        "The formula has no result in the file; put the value in its place",
        "式の計算結果がファイルにありません。値を入力してください",
    ),
    "error": ("The cell holds an error of a formula", "式のエラーが入っています"),
    "merged": ("The cell is merged with another one", "結合されたセルです。結合を解除してください"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands of a feature, as its editor sees it: values by column, version, kind of geometry."""

    values: Mapping[str, Any]
    version: str
    drawn: str = ""  # GeoJSON type; empty without a geometry


NOTHING: Final = Standing({}, "")
Told = dict[str, Any]  # a cell or a row of a preview, as JSON holds it


class Comparer:
    """Compares the rows of one sheet."""

    def __init__(self, columns: Sequence[SheetColumn], heads: Mapping[str, Head], marks: Marks) -> None:
        self._columns = [column for column in columns if column.key in heads]
        self._heads, self._marks = heads, marks

    def identity(self, row: SheetRow) -> tuple[str, Kept | None]:
        """Return the feature that a row speaks of, empty for a new one, and what was read of it."""
        feature = as_text(row.cells[ID].value)[:LONGEST_ID] if ID in row.cells else ""
        kept = self._marks.read(as_text(row.cells[KEPT].value)) if KEPT in row.cells else None
        if not feature or kept is None:
            return feature, None
        return (kept.feature if _mangled(feature, kept.feature) else feature), kept

    def action(self, row: SheetRow) -> tuple[str, Told | None]:
        """Return what a row's first column asks for, or what is wrong with it."""
        column = next((item for item in self._columns if item.key == ACTION), None)
        if column is None:
            return "", None
        try:
            return read(column, row.cells.get(ACTION, Cell(None)).value) or "", None
        except Unreadable as error:
            return "", self._wrong(column, None, _words(error))

    def cells(self, row: SheetRow, feature: str, kept: Kept | None, now: Standing | None) -> list[Told]:
        """Return the cells of a row that are not as they were read.

        Parameters
        ----------
        now
            What stands; None for a feature that is not there: then cells are compared with what was
            read alone.
        """
        found = []
        for column in self._columns:
            if column.key not in (ID, KEPT, ACTION):
                cell = row.cells.get(column.key, Cell(None))
                told = self._compared(column, cell, feature, kept, now or NOTHING)
                if told is not None:
                    found.append(told)
        return found

    def new(self, row: SheetRow) -> list[Told]:
        """Return the filled cells of a row for a feature that is to be made."""
        found = []
        for column in self._columns:
            cell = row.cells.get(column.key)
            if cell is None or column.locked or column.key == ACTION:
                continue
            told = self._compared(column, cell, "", None, NOTHING)
            if told is not None:
                found.append(told)
        return found

    def _compared(
        self, column: SheetColumn, cell: Cell, feature: str, kept: Kept | None, now: Standing
    ) -> Told | None:
        theirs = now.values.get(column.key)
        if cell.trouble:
            return None if column.locked else self._wrong(column, theirs, _of_trouble(cell.trouble))
        value, wrong = None, None
        try:
            value = read(column, cell.value)
            form = said(column, value)
        except Unreadable as error:
            form, wrong = as_text(cell.value), _words(error)
        if kept is not None and self._untouched(column, cell, form, feature, kept):
            return None
        if form == said(column, theirs):
            return None
        if column.locked:
            return self._told(column, LOCKED, theirs, as_text(cell.value))
        if wrong is not None:
            return self._wrong(column, theirs, wrong)
        if kept is None or self._mark(column, feature, said(column, theirs)) in kept.marks:
            return self._told(column, CHANGE, theirs, value)
        before = self._before(column, feature, kept)
        return self._told(column, CONFLICT, theirs, value) | before

    def _untouched(self, column: SheetColumn, cell: Cell, form: str, feature: str, kept: Kept) -> bool:
        """Whether a cell is as it was read, or as a spreadsheet makes it without anybody's doing."""
        return any(
            self._mark(column, feature, item) in kept.marks
            for item in (form, *originals(column, cell.value))
        )

    def _mark(self, column: SheetColumn, feature: str, form: str) -> str:
        return self._marks.of(feature, column.key, form)

    def _before(self, column: SheetColumn, feature: str, kept: Kept) -> Told:
        """What was read, where it is one of the known values; what else it was is looked up later."""
        for value in (None, *(choice.value for choice in column.choices)):
            if self._mark(column, feature, said(column, value)) in kept.marks:
                return {"before": value, "before_known": True}
        return {"before": None, "before_known": False}

    def remembered(self, told: Told, feature: str, kept: Kept, candidates: Iterable[Any]) -> None:
        """Fill in what was read of a cell from values that are known to have stood."""
        column = next(item for item in self._columns if item.key == told["property"])
        for value in candidates:
            if self._mark(column, feature, said(column, value)) in kept.marks:
                told |= {"before": value, "before_known": True}
                return

    def _told(self, column: SheetColumn, state: str, theirs: Any, yours: Any) -> Told:
        head = self._heads[column.key]
        return {
            "property": column.key,
            "column": head.letter,
            "header": head.heading,
            "state": state,
            "before": theirs,
            "before_known": True,
            "theirs": theirs,
            "yours": yours,
        }

    def _wrong(self, column: SheetColumn, theirs: Any, words: Told) -> Told:
        return self._told(column, WRONG, theirs, None) | {"error": words}

    def complaint(self, key: str, words: Told) -> Told | None:
        """Return a cell with what the desk's rules say of it; None: the sheet has no such column."""
        if key == "geometry":
            key = LATITUDE if LATITUDE in self._heads else "area_codes"
        column = next((item for item in self._columns if item.key == key), None)
        return None if column is None else self._wrong(column, None, words)


def geometry_of(cells: Sequence[Told], now: Standing) -> tuple[dict[str, Any] | None, Told | None]:
    """Return the point that a row's cells give, or what is wrong with it; None and None: not moved."""
    said_at = {item["property"]: item["yours"] for item in cells}
    if LATITUDE not in said_at and LONGITUDE not in said_at:
        return None, None
    if now.drawn not in ("", POINT):
        return None, {
            "en": "Lines and areas are changed on the map",
            "ja": "線と範囲は地図の画面で変更してください",
            "allowed": "empty",
            "allowed_ja": "空欄",
        }
    at = [said_at.get(key, now.values.get(key)) for key in (LONGITUDE, LATITUDE)]
    if None in at:
        return None, {
            "en": "A place needs latitude and longitude",
            "ja": "緯度と経度の両方を入力してください",
            "allowed": "both",
            "allowed_ja": "緯度・経度の両方",
        }
    return {"type": POINT, "coordinates": at}, None


def again(cell: Told, column: SheetColumn, now: Standing, *, unseen: bool) -> Told | None:
    """Compare a cell of a preview with what stands by now; None where nothing is left to do.

    What has changed since it was shown is a conflict. What was before is what the file was made
    from, however often it is compared; of a row whose maker never saw ours (``unseen``) it is not
    known.
    """
    theirs = now.values.get(column.key)
    if said(column, theirs) == said(column, cell["yours"]):
        return None
    if said(column, theirs) == said(column, cell["theirs"]):
        return cell
    seen = {"before": None, "before_known": False} if unseen else {}
    return {**cell, "state": CONFLICT, "theirs": theirs, **seen}


def withdrawal(head: Head | None, *, moved: bool) -> Told:
    """The cell of a row that is to be withdrawn; a conflict where it has been changed since."""
    letter, heading = ("", "") if head is None else (head.letter, head.heading)
    return {
        "property": ACTION,
        "column": letter,
        "header": heading,
        "state": CONFLICT if moved else CHANGE,
        "before": None,
        "before_known": True,
        "theirs": None,
        "yours": WITHDRAW,
    }


def _mangled(written: str, feature: str) -> bool:
    """Whether a spreadsheet has taken an id for a number."""
    try:
        return written != feature and abs(float(written) - float(feature)) <= 1e-9 * abs(float(feature))
    except (ValueError, OverflowError):
        return False


def _words(error: Unreadable) -> Told:
    return {
        "en": error.english,
        "ja": error.japanese,
        "allowed": error.allowed,
        "allowed_ja": error.allowed_ja,
    }


def _of_trouble(trouble: str) -> Told:
    english, japanese = _TROUBLES[trouble]
    return {"en": english, "ja": japanese, "allowed": "a value", "allowed_ja": "値"}
