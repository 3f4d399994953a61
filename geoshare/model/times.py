"""Instants and closed intervals of a request's ``datetime``, in UTC microseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

from geoshare.errors import BadRequest

_ALLOWED = "an RFC 3339 date or date-time, or an interval of two as start/end, where .. is an open end"
_ALLOWED_JA = "日付または日時(RFC 3339)、または「始まり/終わり」(..は期限なし)"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1, microseconds=-1)  # to its last microsecond
_MICROSECOND = timedelta(microseconds=1)
JAPAN = timezone(timedelta(hours=9))  # without summer time


class Interval(NamedTuple):
    """A time interval closed at both ends; None is an open end."""

    start_us: int | None
    end_us: int | None

    @property
    def is_instant(self) -> bool:
        """Whether both ends are the same instant."""
        return self.start_us is not None and self.start_us == self.end_us

    def contains(self, moment_us: int) -> bool:
        """Whether the instant lies in the interval, ends included."""
        return (self.start_us is None or self.start_us <= moment_us) and (
            self.end_us is None or moment_us <= self.end_us
        )


def parse_interval(text: str, parameter: str = "datetime") -> Interval:
    """Read ``2024-01-01T00:00:00Z``, ``2024-01-01`` (the whole day) or ``start/end`` with ``..``.

    A moment without an offset is UTC.

    Raises
    ------
    BadRequest
        if the text is none of these, or the interval ends before it starts.
    """
    parts = text.strip().split("/") if len(text) <= 100 else []
    if len(parts) == 1:
        return Interval(*_moment(parts[0], parameter))
    if len(parts) != 2 or all(part in ("", "..") for part in parts):
        raise _no_time(parameter)
    start = None if parts[0] in ("", "..") else _moment(parts[0], parameter)[0]
    end = None if parts[1] in ("", "..") else _moment(parts[1], parameter)[1]
    if start is not None and end is not None and start > end:
        raise BadRequest(
            f"{parameter} ends before it starts",
            parameter=parameter,
            allowed=_ALLOWED,
            message_ja="期間の終わりが始まりより前です",
            allowed_ja=_ALLOWED_JA,
        )
    return Interval(start, end)


def parse_instant(text: str, parameter: str) -> int:
    """Microseconds of a date-time; of a date, its last one.

    Raises
    ------
    BadRequest
        for anything else.
    """
    found = parse_interval(text, parameter).end_us
    if found is None or "/" in text:
        raise BadRequest(
            f"{parameter} is no instant",
            parameter=parameter,
            allowed="an RFC 3339 date or date-time",
            message_ja="日時を1つ指定してください",
            allowed_ja="日付または日時(RFC 3339)",
        )
    return found


def _moment(text: str, parameter: str) -> tuple[int, int]:
    """First and last microsecond of a date or date-time."""
    try:
        if _DATE.fullmatch(text):
            day = datetime.fromisoformat(text).replace(tzinfo=UTC)
            return _microseconds(day), _microseconds(day + _DAY)
        if _MOMENT.fullmatch(text):
            moment = datetime.fromisoformat(text.replace(",", ".").upper())
            moment = moment.replace(tzinfo=moment.tzinfo or UTC)
            return _microseconds(moment), _microseconds(moment)
    except (ValueError, OverflowError):
        pass  # falls to the one refusal below
    raise _no_time(parameter)


def _no_time(parameter: str) -> BadRequest:
    return BadRequest(
        f"{parameter} is not a time",
        parameter=parameter,
        allowed=_ALLOWED,
        message_ja="日時を読み取れません",
        allowed_ja=_ALLOWED_JA,
    )


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND  # integers: a float would lose microseconds


def iso(moment_us: int) -> str:
    """RFC 3339 text in UTC; fractions of a second only where there are any."""
    moment = _EPOCH + timedelta(microseconds=moment_us)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S") if moment.year >= 1000 else moment.isoformat()[:19]
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{text}{fraction}Z"


def clock_ja(moment_us: int) -> str:
    """Return an instant as it is read in Japan, to the minute: 11月23日16時05分.

    Parameters
    ----------
    moment_us
        Microseconds since 1970, UTC.
    """
    moment = (_EPOCH + timedelta(microseconds=moment_us)).astimezone(JAPAN)
    return f"{moment.month}月{moment.day}日{moment.hour}時{moment.minute:02}分"
