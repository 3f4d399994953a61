"""Cells of municipal tables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.sources import text

FEW = settings(max_examples=80, deadline=None)
# Published codes: Hokkaido, Sapporo, Ichikawa, Kashiwa, Fukuoka, Shinjuku, Naha.
OFFICIAL = ["010006", "011002", "122033", "122173", "401307", "131041", "472018"]


@pytest.mark.parametrize("code", OFFICIAL)
def test_the_check_digit_is_that_of_published_codes(code: str) -> None:
    assert text.check_digit(code[:5]) == code[5]
    assert text.code_is_sound(code)


@FEW
@given(st.sampled_from(OFFICIAL), st.integers(0, 5), st.integers(1, 9))
def test_a_single_wrong_digit_hardly_passes(code: str, place: int, shift: int) -> None:
    changed = code[:place] + str((int(code[place]) + shift) % 10) + code[place + 1 :]
    # remainders 0 and 10 of the weighted sum share a check digit, nothing else does
    remainders = {_weighted(code) % 11, _weighted(changed) % 11}
    assert not text.code_is_sound(changed) or remainders == {0, 10}


def _weighted(code: str) -> int:
    return sum(int(digit) * weight for digit, weight in zip(code[:5], (6, 5, 4, 3, 2), strict=True))


def test_a_lost_leading_zero_is_restored_where_the_check_digit_agrees() -> None:
    cleaned = text.government_code("11002")
    assert cleaned.value == "011002"
    assert cleaned.repair is not None
    assert cleaned.repair.code == "code-zero-restored"


def test_five_digits_that_are_no_such_code_get_their_check_digit() -> None:
    cleaned = text.government_code("40130")
    assert cleaned.value == "401307"
    assert cleaned.repair is not None
    assert cleaned.repair.code == "code-check-digit-added"


def test_a_six_digit_code_with_a_wrong_check_digit_is_not_guessed_at() -> None:
    with pytest.raises(ValueError, match="401308"):
        text.government_code("401308")


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("50,700 ", 50_700.0),
        ("１，２００人", 1_200.0),
        ("約120人", 120.0),
        ("3.2m", 3.2),
        ("-1.5", -1.5),
        ("1e3", 1_000.0),
        ("", None),
        ("不明", None),
        ("―", None),
    ],
)
def test_numbers_are_read_through_their_decoration(cell: str, value: float | None) -> None:
    assert text.number(cell).value == value


@pytest.mark.parametrize("cell", ["多数", "1-2", "12/3", "名称", "1.2.3", "０x10"])
def test_what_is_no_number_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        text.number(cell)


@FEW
@given(st.floats(-1e9, 1e9, allow_nan=False))
def test_any_plain_number_is_read_back(value: float) -> None:
    assert text.number(repr(value)).value == value
    assert text.number(repr(value)).repair is None


@FEW
@given(st.integers(0, 10**9))
def test_thousands_and_full_width_mean_the_same_number(value: int) -> None:
    wide = str(value).translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
    assert text.integer(f"{value:,}").value == text.integer(wide).value == value


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2024-12-20 01:00:00", datetime(2024, 12, 19, 16, tzinfo=UTC)),
        ("2024/12/20 1:00", datetime(2024, 12, 19, 16, tzinfo=UTC)),
        ("2024年12月20日 10時30分", datetime(2024, 12, 20, 1, 30, tzinfo=UTC)),
        ("令和6年12月20日", datetime(2024, 12, 19, 15, tzinfo=UTC)),
        ("平成元年1月8日", datetime(1989, 1, 7, 15, tzinfo=UTC)),
        ("R6.12.20", datetime(2024, 12, 19, 15, tzinfo=UTC)),
        ("2024-12-20T24:00", datetime(2024, 12, 20, 15, tzinfo=UTC)),
        ("2024-12-20T01:00:00.25+00:00", datetime(2024, 12, 20, 1, 0, 0, 250_000, tzinfo=UTC)),
        ("2024-12-20T10:00:00+09:00", datetime(2024, 12, 20, 1, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_the_forms_people_write(cell: str, moment: datetime) -> None:
    assert text.moment(cell).value == moment


def test_a_time_without_zone_is_japan_time_and_says_so() -> None:
    repair = text.moment("2024-12-20 01:00").repair
    assert repair is not None
    assert repair.code == "time-zone-assumed"
    assert text.moment("2024-12-20T01:00Z").repair is None


@pytest.mark.parametrize("cell", ["2024-02-30", "2024-13-01", "2024-12-20 25:00", "昨日"])
def test_impossible_times_are_refused(cell: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        text.moment(cell)


@pytest.mark.parametrize(
    ("cell", "bounds"),
    [
        ("0.3m以上 ～ 1.0m未満", (0.3, 1.0)),
        ("20m以上", (20.0, None)),
        ("0.5m未満", (0.0, 0.5)),
        ("０．５ｍ以上３ｍ未満", (0.5, 3.0)),
        ("50cm以上1m未満", (0.5, 1.0)),
    ],
)
def test_depth_classes_in_words_become_bounds(cell: str, bounds: tuple[float, float | None]) -> None:
    assert text.depth_bounds(cell) == bounds


@pytest.mark.parametrize("cell", ["○", "1", "有", "Yes", "１"])
def test_yes_has_many_words(cell: str) -> None:
    assert text.truth(cell).value is True


@pytest.mark.parametrize("cell", ["×", "0", "無", "no", "-"])
def test_no_has_many_words(cell: str) -> None:
    assert text.truth(cell).value is False


@FEW
@given(st.text(max_size=30))
def test_no_cell_breaks_a_converter_other_than_by_value_error(cell: str) -> None:
    for convert in (text.number, text.integer, text.truth, text.moment, text.day, text.government_code):
        try:
            convert(cell)
        except (ValueError, OverflowError):
            continue
