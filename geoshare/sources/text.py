"""Cells of Japanese municipal tables as values: what Excel, habit and full-width keyboards leave.

Every function takes a cell as text and returns the value, None for an empty cell, or raises
ValueError. ``Cleaned`` says in addition which repair was needed.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from typing import NamedTuple

from geoshare.model.report import Message
from geoshare.sources import messages

JAPAN = timezone(timedelta(hours=9))
TRUE_WORDS = frozenset(
    [
        "1",
        "1.0",
        "true",
        "yes",
        "y",
        "t",
        "on",
        "○",
        "◯",
        "〇",
        "◎",
        "●",
        "有",
        "有り",
        "あり",
        "はい",
        "該当",
        "可",
    ]
)
FALSE_WORDS = frozenset(
    "0 0.0 false no n f off × x ✕ 無 無し なし いいえ 非該当 不可 - ー ― ‐ −".split()  # noqa: SIM905
)
EMPTY_WORDS = frozenset(
    ["", "-", "ー", "―", "‐", "−", "null", "none", "nan", "n/a", "na", "不明", "未定"]
)
SUPPRESSED_WORDS = frozenset(["*", "x", "***", "秘匿", "秘", "χ", "suppressed"])
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?", re.IGNORECASE)
_AFTER_NUMBER = re.compile(
    r"(?:人|名|m|メートル|㎡|km/h|kmh|km|t|階|世帯|棟|軒|車線|年|%|程度|以上|以下)*", re.IGNORECASE
)
_BEFORE_NUMBER = re.compile(r"(?:約|およそ|最大|海抜|標高)?")


class Cleaned(NamedTuple):
    """A value and the repair it needed, if any."""

    value: object
    repair: Message | None = None


def fold(text: str) -> str:
    """Compatibility form without outer blanks: full-width digits and letters become ordinary ones."""
    return unicodedata.normalize("NFKC", text).strip()


def heading(text: str) -> str:
    """A column name as it is compared: folded, lower case, without blanks and brackets' kinds."""
    folded = fold(text).lower().replace("(", "_").replace(")", "").replace("・", "")
    return re.sub(r"[\s_\-]+", "_", folded).strip("_")


def plain(text: str) -> Cleaned:
    """Text as it came, without outer blanks."""
    stripped = text.strip().strip("\u3000")
    return Cleaned(stripped or None)


def number(text: str) -> Cleaned:
    """A decimal number; commas, blanks and units around it are removed.

    >>> number("50,700 ").value
    50700.0
    """
    folded = fold(text)
    if folded.lower() in EMPTY_WORDS:
        return Cleaned(None)
    bare = folded.replace(",", "").replace(" ", "").replace("、", "").replace("−", "-")
    bare = bare[_matched(_BEFORE_NUMBER, bare) :]
    found = _NUMBER.match(bare)
    if not found or not _AFTER_NUMBER.fullmatch(bare[found.end() :]):
        raise ValueError(text)
    value = float(found.group())
    if folded != text.strip():
        return Cleaned(value, messages.repaired_width())
    return Cleaned(
        value, messages.repaired_number() if bare != text or found.end() != len(bare) else None
    )


def _matched(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0


def integer(text: str) -> Cleaned:
    """A whole number; see `number`."""
    cleaned = number(text)
    if cleaned.value is None:
        return cleaned
    value = float(str(cleaned.value))
    if value != int(value) or abs(value) > 2**53:
        raise ValueError(text)
    return Cleaned(int(value), cleaned.repair)


def truth(text: str) -> Cleaned:
    """Yes or no in the words of Japanese tables; empty is None."""
    folded = fold(text).lower()
    if folded == "":
        return Cleaned(None)
    if folded in TRUE_WORDS:
        return Cleaned(True)
    if folded in FALSE_WORDS:
        return Cleaned(False)
    raise ValueError(text)


def parts(text: str) -> Cleaned:
    """A list written in one cell, split at semicolons, commas of lists and line breaks."""
    found = [item.strip() for item in re.split(r"[;；\n、]", text)]
    return Cleaned([item for item in found if item] or None)


_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "r": 2018, "h": 1988, "s": 1925}
_ERA = re.compile(r"(令和|平成|昭和|[rhs])\s*(元|\d{1,2})(?:年|\.)")
_STAMP = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
    r"(?:[t\s]*(\d{1,2})(?:[:時](\d{1,2})?(?:[:分](\d{1,2})(?:\.(\d{1,6})\d*)?秒?)?分?)?)?"
    r"\s*(z|utc|jst|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)


def moment(text: str) -> Cleaned:
    """An instant; without a zone it is Japan time, and the repair says so.

    Accepts ISO 8601, ``2024/12/20 0:00``, ``2024年12月20日 10時`` and the Japanese eras; 24:00 is the
    next day's start.
    """
    folded = fold(text).lower()
    if folded in EMPTY_WORDS:
        return Cleaned(None)
    era = _ERA.match(folded)
    if era:
        year = _ERAS[era.group(1)] + (1 if era.group(2) == "元" else int(era.group(2)))
        folded = f"{year}年{folded[era.end() :]}".replace(".", "/")
    found = _STAMP.fullmatch(folded)
    if not found:
        raise ValueError(text)
    year, month, day, hour, minute, second = (int(item or 0) for item in found.groups()[:6])
    micro = int((found.group(7) or "0").ljust(6, "0"))
    zone = _zone(found.group(8))
    start = datetime(year, month, day, tzinfo=zone or JAPAN)
    if hour > 24 or minute > 59 or second > 60:
        raise ValueError(text)
    value = start + timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micro)
    return Cleaned(value.astimezone(UTC), None if zone else messages.time_zone_assumed())


def _zone(text: str | None) -> timezone | None:
    if not text:
        return None
    if text in ("z", "utc"):
        return UTC
    if text == "jst":
        return JAPAN
    sign = -1 if text[0] == "-" else 1
    digits = text[1:].replace(":", "")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def day(text: str) -> Cleaned:
    """A calendar day."""
    cleaned = moment(text)
    if cleaned.value is None:
        return cleaned
    assert isinstance(cleaned.value, datetime)
    local = cleaned.value.astimezone(JAPAN) if cleaned.repair else cleaned.value
    return Cleaned(date(local.year, local.month, local.day))


def check_digit(five: str) -> str:
    """Check digit of a municipal code of five digits (Ministry of Internal Affairs)."""
    total = sum(int(digit) * weight for digit, weight in zip(five, (6, 5, 4, 3, 2), strict=True))
    return str((11 - total % 11) % 10) if total >= 11 else str((11 - total) % 10)


def code_is_sound(code: str) -> bool:
    """Whether a six-digit municipal code carries its right check digit."""
    return len(code) == 6 and code.isdigit() and check_digit(code[:5]) == code[5]


def government_code(text: str) -> Cleaned:
    """The six-digit municipal code: a lost leading zero restored, a missing check digit added.

    Five digits that are sound with a zero in front have lost it in a spreadsheet; other five digits
    are a code without check digit, as in N03.
    """
    folded = fold(text).removesuffix(".0")
    if folded.lower() in EMPTY_WORDS:
        return Cleaned(None)
    if not folded.isdigit() or len(folded) > 6:
        raise ValueError(text)
    if len(folded) == 6:
        if not code_is_sound(folded):
            raise ValueError(text)
        return Cleaned(folded, messages.repaired_width() if folded != text.strip() else None)
    if len(folded) == 5 and code_is_sound("0" + folded):
        return Cleaned("0" + folded, messages.repaired_code())
    if len(folded) in (4, 5):
        five = folded.rjust(5, "0")
        return Cleaned(five + check_digit(five), messages.repaired_check_digit())
    raise ValueError(text)


def code_of_common_id(text: str) -> Cleaned:
    """Municipal code inside a national shelter id: E, five digits of the code, then the number."""
    found = re.match(r"E(\d{5})", fold(text))
    if not found:
        return Cleaned(None)
    return Cleaned(found.group(1) + check_digit(found.group(1)))


_DEPTH = re.compile(r"(\d+(?:\.\d+)?)\s*(cm|m)?")


def depth_bounds(text: str) -> tuple[float | None, float | None]:
    """Lower and upper depth in metres of a class in words, such as ``0.3m以上 ～ 1.0m未満``."""
    folded = fold(text)
    found = [
        float(item.group(1)) / (100.0 if item.group(2) == "cm" else 1.0)
        for item in _DEPTH.finditer(folded)
    ]
    if not found or len(found) > 2:
        raise ValueError(text)
    if len(found) == 2:
        return min(found), max(found)
    below = any(word in folded for word in ("未満", "以下", "まで", "<"))
    return (0.0, found[0]) if below else (found[0], None)


def depth_low(text: str) -> Cleaned:
    """Lower depth of a class in words."""
    return Cleaned(depth_bounds(text)[0] if text.strip() else None)


def depth_high(text: str) -> Cleaned:
    """Upper depth of a class in words; None where it has no upper bound."""
    return Cleaned(depth_bounds(text)[1] if text.strip() else None)


def depth_class(text: str) -> Cleaned:
    """The class as ``lower-upper`` in metres, open at the top where there is no upper bound."""
    if not text.strip():
        return Cleaned(None)
    low, high = depth_bounds(text)
    return Cleaned(f"{low:g}-" + ("" if high is None else f"{high:g}"))
