"""Values that somebody states for a collection's properties, checked one by one against its schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from geoshare.errors import BadRequest
from geoshare.model.collections import Collection

LONGEST: Final = 2_000  # letters of a text whose schema says nothing
MOST: Final = 500  # members of a list
_TYPES: Final = {
    "string": ("text", "文字列"),
    "integer": ("a whole number", "整数"),
    "number": ("a number", "数値"),
    "boolean": ("true or false", "true または false"),
    "array": (f"a list of at most {MOST} texts", f"{MOST}件以下の文字列のリスト"),
    "object": ("an object", "オブジェクト"),
}


def checked_properties(
    collection: Collection, said: Mapping[str, Any], closed: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return what somebody states, in the record's form; null stays null.

    Parameters
    ----------
    said
        Values by property.
    closed
        Properties that nobody states by hand.

    Raises
    ------
    BadRequest
        naming the first property that is unknown or whose value does not fit, and what is allowed, in
        English and Japanese.
    """
    found = {}
    schemas = collection.schema.get("properties", {})
    for name, value in said.items():
        if name not in schemas or name in closed:
            allowed = ", ".join(item for item in schemas if item not in closed)
            raise BadRequest(
                "There is no such property to state",
                parameter=str(name)[:64],
                allowed=allowed,
                message_ja="入力できる項目ではありません",
                allowed_ja=allowed,
            )
        found[name] = None if value is None else checked_value(name, schemas[name], value)
    return found


def checked_value(name: str, schema: Mapping[str, Any], value: Any) -> Any:
    """Return one value in the record's form. Raises BadRequest naming what is allowed."""
    kinds = schema.get("type", "string")
    kind = (
        next((item for item in kinds if item != "null"), "string") if isinstance(kinds, list) else kinds
    )
    if not _FITS[kind](value):
        english, japanese = _TYPES[kind]
        raise _unfit(
            name, schema, f"is not {english}", f"は{japanese}で入力してください", english, japanese
        )
    members = [item for item in schema.get("enum", ()) if item is not None]
    if members and value not in members:
        titles = schema.get("x-enum-titles-ja", {})
        listed = "、".join(titles.get(str(item), str(item)) for item in members)
        known = ", ".join(str(item) for item in members)
        raise _unfit(
            name, schema, "is none of the known values", "は次から選んでください", known, listed
        )
    if kind in ("integer", "number"):
        _check_range(name, schema, value)
    return _text(name, schema, value) if kind == "string" else value


def _check_range(name: str, schema: Mapping[str, Any], value: float) -> None:
    least, most = schema.get("minimum", -(2**53)), schema.get("maximum", 2**53)
    if not least <= value <= most:
        allowed = f"{least} to {most}"
        raise _unfit(name, schema, "is out of range", "は範囲外です", allowed, f"{least}以上{most}以下")


def _text(name: str, schema: Mapping[str, Any], value: str) -> str:
    longest = schema.get("maxLength", LONGEST)
    if len(value) > longest:
        allowed = f"at most {longest} letters"
        raise _unfit(name, schema, "is too long", "が長すぎます", allowed, f"{longest}文字以内")
    if any(ord(letter) < 32 and letter not in "\n\r\t" for letter in value):
        raise _unfit(
            name,
            schema,
            "has control characters",
            "に制御文字は使えません",
            "printable text",
            "表示できる文字",
        )
    pattern = schema.get("pattern")
    if pattern is not None and re.search(pattern, value) is None:
        form = schema.get("x-description-ja") or pattern
        raise _unfit(name, schema, "has not the right form", "の形式が正しくありません", pattern, form)
    if schema.get("format") == "uri" and not re.match(r"https?://[^\s]+$", value):
        raise _unfit(name, schema, "is no web address", "はURLで入力してください", "https://...")
    if schema.get("format") == "date-time":
        return _moment(name, schema, value)
    if schema.get("format") == "date":
        return _day(name, schema, value)
    return value


def _moment(name: str, schema: Mapping[str, Any], value: str) -> str:
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise ValueError
        return found.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
    except (ValueError, OverflowError):
        raise _unfit(
            name, schema, "is no time", "は日時で入力してください", "2026-01-31T12:00:00+09:00"
        ) from None


def _day(name: str, schema: Mapping[str, Any], value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise _unfit(name, schema, "is no date", "は日付で入力してください", "2026-01-31") from None


def _unfit(
    name: str,
    schema: Mapping[str, Any],
    english: str,
    japanese: str,
    allowed: str,
    allowed_ja: str = "",
) -> BadRequest:
    """Build a refusal; what is allowed reads the same in both languages where nothing else is said."""
    title = schema.get("x-title-ja", name)
    return BadRequest(
        f"{name} {english}",
        parameter=name,
        allowed=allowed,
        message_ja=f"「{title}」{japanese}",
        allowed_ja=allowed_ja or allowed,
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MOST
        and all(isinstance(item, str) and 0 < len(item) <= 200 for item in value)
    )


_FITS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": _is_whole,
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": _is_list,
    "object": lambda value: isinstance(value, dict),
}
