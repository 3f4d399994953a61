"""Times as text, in kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

DATE_LENGTH = 10
TIMESTAMP_ROOM = 27
"""Bytes of ``2026-11-22T15:04:05.123456Z``."""

FIRST_DAY, LAST_DAY = -719528, 2932896
"""Days from 1970-01-01 to 0000-01-01 and 9999-12-31: RFC 3339 has four digits for the year."""

DAY_US = 86_400_000_000

PAIRS = np.array([[48 + pair // 10, 48 + pair % 10] for pair in range(100)], dtype=np.uint8)


@njit(nogil=True, cache=True)
def put_digits(out: NDArray[np.uint8], at: int, value: int, digits: int) -> int:
    """Write a number from 0 up with leading zeros; return the place after."""
    # two at a time, and unsigned: the divisions are most of the work
    rest, k = np.uint64(value), digits
    while k >= 2:
        quotient = rest // np.uint64(100)
        pair = np.int64(rest - quotient * np.uint64(100))
        out[at + k - 2], out[at + k - 1] = PAIRS[pair, 0], PAIRS[pair, 1]
        rest, k = quotient, k - 2
    if k == 1:
        out[at] = np.uint64(48) + rest % np.uint64(10)
    return at + digits


@njit(nogil=True, cache=True)
def civil(days: int) -> Any:
    """Year, month and day of the proleptic Gregorian calendar.

    Days are counted from 1970-01-01. After Howard Hinnant, "chrono-compatible low-level date
    algorithms": years begin in March, so that leap days come last.
    """
    days += 719468
    era = days // 146097
    day_of_era = days - era * 146097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    return year, month, day


@njit(nogil=True, cache=True)
def put_date(out: NDArray[np.uint8], at: int, days: int) -> int:
    """Write ``2026-11-22``; nothing where the year has not four digits."""
    if days < FIRST_DAY or days > LAST_DAY:
        return at
    year, month, day = civil(days)
    at = put_digits(out, at, year, 4)
    out[at] = 45
    at = put_digits(out, at + 1, month, 2)
    out[at] = 45
    return put_digits(out, at + 1, day, 2)


@njit(nogil=True, cache=True)
def put_timestamp(out: NDArray[np.uint8], at: int, microseconds: int) -> int:
    """Write ``2026-11-22T15:04:05Z``, with six decimals where there are microseconds."""
    days = microseconds // DAY_US
    rest = microseconds - days * DAY_US
    begin = at
    at = put_date(out, at, days)
    if at == begin:
        return at
    seconds, fraction = rest // 1_000_000, rest % 1_000_000
    out[at] = 84
    at = put_digits(out, at + 1, seconds // 3600, 2)
    out[at] = 58
    at = put_digits(out, at + 1, seconds // 60 % 60, 2)
    out[at] = 58
    at = put_digits(out, at + 1, seconds % 60, 2)
    if fraction:
        out[at] = 46
        at = put_digits(out, at + 1, fraction, 6)
    out[at] = 90
    return at + 1
