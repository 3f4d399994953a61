"""Instants and intervals as requests say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.errors import BadRequest
from geoshare.model.times import Interval, iso, parse_interval

NOON = 1_704_110_400_000_000  # 2024-01-01T12:00:00Z


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01T12:00:00Z",
        "2024-01-01T12:00:00z",
        "2024-01-01T12:00Z",
        "2024-01-01T12:00:00",
        "2024-01-01T21:00:00+09:00",
        "2024-01-01T12:00:00.000000Z",
    ],
)
def test_an_instant_is_read_with_any_offset(text):
    found = parse_interval(text)
    assert found == (NOON, NOON)
    assert found.is_instant


def test_a_date_is_the_whole_day():
    start, end = parse_interval("2024-01-01")
    assert iso(start) == "2024-01-01T00:00:00Z"
    assert iso(end) == "2024-01-01T23:59:59.999999Z"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-01T12:00:00Z/..", (NOON, None)),
        ("../2024-01-01T12:00:00Z", (None, NOON)),
        ("/2024-01-01T12:00:00Z", (None, NOON)),
        ("2024-01-01T12:00:00Z/2024-01-01T12:00:00Z", (NOON, NOON)),
    ],
)
def test_an_interval_may_be_open(text, expected):
    assert parse_interval(text) == expected


def test_both_ends_belong_to_an_interval():
    interval = Interval(10, 20)
    assert [interval.contains(moment) for moment in (9, 10, 20, 21)] == [False, True, True, False]


@pytest.mark.parametrize(
    "text",
    [
        "", "..", "../..", "/", "now", "2024", "2024-13-01", "2024-02-30T00:00:00Z", "2024-W01-1",
        "2024-01-01T25:00Z", "2024-01-02/2024-01-01", "a/b/c", "x" * 200,
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_by_name(text):
    with pytest.raises(BadRequest) as error:
        parse_interval(text, "when")
    assert error.value.parameter == "when"
    assert "RFC 3339" in error.value.allowed


def test_the_last_day_of_the_calendar_has_an_end():
    assert iso(parse_interval("9999-12-31").end_us) == "9999-12-31T23:59:59.999999Z"


@settings(max_examples=100, deadline=None)
@given(st.datetimes(datetime(1600, 1, 1), datetime(2400, 1, 1)))
def test_what_is_written_is_read_back_to_the_microsecond(moment):
    stored = (moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )
    assert parse_interval(iso(stored)) == (stored, stored)
