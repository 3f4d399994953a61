"""Cells of a sheet as values and back, forgiving what Excel and keyboards make of them.

``said`` is the one text form in which cells are compared: two values are the same where it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

import orjson

from geoshare.sources import text
from geoshare.sources.coerce import squashed
from geoshare.sources.sheets.columns import LATITUDE, Choice, Lang, SheetColumn
from geoshare.sources.table import degrees

LONGEST: Final = 32_000  # letters; the format's limit is 32,767
FORMULA: Final = re.compile(r"'*[=+\-@\t\r＝＋－＠]")  # what a spreadsheet would compute
DEGREES: Final = ("@lat", "@lon")
DECIMALS: Final = 7  # of degrees
_SEPARATORS = re.compile(r"[;；\n、]")
_SERIALS: Final = (20_000.0, 80_000.0)  # days since 1899-12-30: the years 1954 to 2119
_MORE_ZEROS: Final = 6
_LONGEST_CODE: Final = 24
_EPOCH: Final = datetime(1899, 12, 30, tzinfo=text.JAPAN)
_LEVEL = re.compile(r"^(?:警戒)?(?:レベル|level)\s*", re.IGNORECASE)
_DATED = (
    re.compile(r"^(?P<y>\d{4})[-/](?P<m>\d{1,2})[-/](?P<d>\d{1,2})(?: 0?0:00(?::00)?)?$"),
    re.compile(r"^(?P<m>\d{1,2})月(?P<d>\d{1,2})日$"),
)


class Unreadable(ValueError):
    """A cell that is no value of its column; says what would be."""

    def __init__(self, english: str, japanese: str, allowed: str = "", allowed_ja: str = "") -> None:
        super().__init__(english)
        self.english, self.japanese = english, japanese
        self.allowed, self.allowed_ja = allowed, allowed_ja or allowed


def clean(value: str) -> str:
    """Text without outer blanks and control characters, its lines ended as everywhere."""
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(mark for mark in lines if mark >= " " or mark in "\t\n")
    return kept.strip().strip("\u3000").strip()


# Out


def said(column: SheetColumn, value: Any) -> str:
    """Return the text form of a value; empty for none. Times count to the minute."""
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if column.kind == "moment" and isinstance(value, str):
        moment = _moment(value)
        return clean(value) if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")
    if isinstance(value, list):
        items = _items(value)
        return orjson.dumps(items).decode() if items else ""
    if isinstance(value, int | float):
        return f"{(round(value, DECIMALS) if column.key in DEGREES else value) + 0:.12g}"  # no -0
    return clean(value if isinstance(value, str) else orjson.dumps(value).decode())[:LONGEST]


def shown(column: SheetColumn, value: Any, lang: Lang) -> str | int | float | datetime | date | None:
    """Return what is written into a cell for a value; times are Japan's, without a zone."""
    if said(column, value) == "":
        return None
    for choice in column.choices:
        if type(choice.value) is type(value) and choice.value == value:
            return choice.value if type(choice.value) is int else choice.said(lang)
    if column.kind == "moment" and isinstance(value, str):
        moment = _moment(value)
        if moment is not None:
            return moment.astimezone(text.JAPAN).replace(tzinfo=None, second=0, microsecond=0)
    if column.kind == "day" and isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return clean(value)
    if isinstance(value, list):
        return _listed(_items(value))[:LONGEST]
    if isinstance(value, int | float):
        return round(value, DECIMALS) if column.key in DEGREES else value
    return said(column, value)


def _items(value: list[Any]) -> list[str]:
    return [item for item in (clean(str(item)) for item in value) if item]


def _listed(items: list[str]) -> str:
    if any(_SEPARATORS.search(item) or item.startswith("[") for item in items):
        return orjson.dumps(items).decode()
    return ";".join(items)


def _moment(value: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


# In


def unguarded(written: str) -> str:
    """Take away the apostrophe that keeps a text of a CSV file from being a formula."""
    return written[1:] if written.startswith("'") and FORMULA.match(written) else written


def read(column: SheetColumn, value: Any) -> Any:
    """Return the value of a cell as it came out of its file; None for an empty one.

    Raises
    ------
    Unreadable
        where it is none of the column's.
    """
    if value is None or (isinstance(value, str) and not clean(value)):
        return None
    if column.key in DEGREES:
        return _degrees(column, value)
    return _READERS[column.kind](column, value)


def as_text(value: Any) -> str:
    """A cell of any kind as text: whole numbers without a point."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    return clean(str(value)) if value is not None else ""


def _text(column: SheetColumn, value: Any) -> str:
    if isinstance(value, datetime | date | time):
        raise Unreadable(
            "The cell was turned into a date",
            "セルが日付に変わっています。文字列として入力してください",
            "text",
            "文字列",
        )
    return as_text(value)


def _choice(column: SheetColumn, value: Any) -> Any:
    word = squashed(_LEVEL.sub("", text.fold(as_text(value))))
    for choice in column.choices:
        if word in {squashed(str(choice.value)), squashed(choice.title), squashed(choice.title_ja)}:
            return choice.value
    raise _none_of(column, value)


def _none_of(column: SheetColumn, value: Any) -> Unreadable:
    seen = as_text(value)[:40]
    return Unreadable(
        f"'{seen}' is none of the known values",
        f"「{seen}」は選べる値ではありません",
        ", ".join(choice.title for choice in column.choices),
        "、".join(choice.title_ja for choice in column.choices),
    )


def _truth(column: SheetColumn, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    try:
        return text.truth(as_text(value)).value
    except ValueError:
        raise _none_of(column, value) from None


def _whole(column: SheetColumn, value: Any) -> Any:
    return _counted(value, text.integer, "a whole number", "整数")


def _number(column: SheetColumn, value: Any) -> Any:
    found = _counted(value, text.number, "a number", "数値")
    return None if found is None else float(f"{found:.12g}")


def _counted(value: Any, reader: Callable[[str], text.Cleaned], english: str, japanese: str) -> Any:
    if not isinstance(value, bool | datetime | date | time):
        try:
            return reader(as_text(value)).value
        except (ValueError, OverflowError):
            pass
    seen = as_text(value)[:40]
    raise Unreadable(
        f"'{seen}' is not {english}", f"「{seen}」は{japanese}ではありません", english, japanese
    )


def _degrees(column: SheetColumn, value: Any) -> float | None:
    try:
        found = degrees(as_text(value))
    except ValueError:
        found = float("nan")
    least, most = column.least or 0.0, column.most or 0.0
    if found is None:
        return None
    if isinstance(value, datetime | date | time) or not least <= found <= most:
        seen, allowed = as_text(value)[:40], f"{least:g} to {most:g}"
        turned = column.key == LATITUDE and most < abs(found) <= 2 * most
        ask = "; is it the longitude, the wrong way round?" if turned else ""
        ask_ja = "。緯度と経度が入れ替わっていませんか" if turned else ""
        raise Unreadable(
            f"'{seen}' is no {column.title.lower()}{ask}",
            f"「{seen}」は{column.title_ja}ではありません{ask_ja}",
            allowed,
            f"{least:g}～{most:g}の度",
        )
    return round(found, DECIMALS)


def _instant(column: SheetColumn, value: Any) -> str | None:
    found: datetime | None = None
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, date):
        found = datetime(value.year, value.month, value.day)
    elif isinstance(value, float | int) and _SERIALS[0] <= value <= _SERIALS[1]:
        found = _EPOCH + timedelta(seconds=round(value * 86_400))
    elif isinstance(value, str):
        try:
            said_at = text.moment(value).value
        except (ValueError, OverflowError):
            said_at = value
        if said_at is None:
            return None
        found = said_at if isinstance(said_at, datetime) else None
    if found is None:
        seen = as_text(value)[:40]
        example = "2026/11/23 14:05"
        raise Unreadable(
            f"'{seen}' is no date with a time", f"「{seen}」は日時ではありません", example, example
        )
    aware = found if found.tzinfo is not None else found.replace(tzinfo=text.JAPAN)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(column: SheetColumn, value: Any) -> str | None:
    found = _instant(column, value)
    if found is None:
        return None
    return datetime.fromisoformat(found).astimezone(text.JAPAN).date().isoformat()


def _list(column: SheetColumn, value: Any) -> list[str] | None:
    written = _text(column, value)
    if written.startswith("["):
        try:
            found = orjson.loads(written)
        except orjson.JSONDecodeError:
            found = None
        if isinstance(found, list) and all(isinstance(item, str) for item in found):
            return found or None
    parts = [clean(item) for item in _SEPARATORS.split(written)]
    return [item for item in parts if item] or None


_READERS: Final[Mapping[str, Callable[[SheetColumn, Any], Any]]] = {
    "text": _text,
    "choice": _choice,
    "truth": _truth,
    "whole": _whole,
    "number": _number,
    "moment": _instant,
    "day": _day,
    "list": _list,
}


# What a spreadsheet may have made of a text that nobody touched


def originals(column: SheetColumn, value: Any) -> Iterator[str]:
    """Text forms that may have become this cell without anybody's doing, the likeliest first.

    Leading zeros go when a table of text is opened in Excel, ``1-2-3`` becomes a date, an apostrophe
    that protects a formula stays. Which of them it was, if any, the comparison with what was read
    tells.
    """
    if column.kind not in ("text", "list"):
        return
    word = as_text(value) if not isinstance(value, datetime | date) else str(value)
    wrap = (lambda item: said(column, [item])) if column.kind == "list" else (lambda item: item)
    if word.isascii() and word.isdigit() and len(word) <= _LONGEST_CODE:
        for zeros in range(1, _MORE_ZEROS + 1):
            yield wrap("0" * zeros + word)
    if word.startswith("'"):
        yield wrap(word[1:])
    for pattern in _DATED:
        found = pattern.match(word)
        if found:
            yield from (wrap(item) for item in _undated(found.groupdict()))


def _undated(parts: Mapping[str, str | None]) -> Iterator[str]:
    month, day = int(parts["m"] or 0), int(parts["d"] or 0)
    year = parts.get("y")
    for mark in ("-", "/"):
        for form in ("{}", "{:02d}"):
            tail = mark.join(form.format(item) for item in (month, day))
            if year is None:
                yield tail
                continue
            yield tail
            yield f"{form.format(int(year) % 100)}{mark}{tail}"


def choice_of(column: SheetColumn, value: Any) -> Choice | None:
    """The known value of a column that a value is."""
    return next((item for item in column.choices if item.value == value), None)
