"""Eight bytes at a time, against what Python says one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from tiles import eights


@njit
def _digits(value):
    return eights.eight_digits(value)


@njit
def _number(out, value):
    return eights.put_number(out, 0, value)


@njit
def _padded(out, at, text, first, last):
    return eights.put_padded(out, at, text, first, last)


@njit
def _plain(text):
    return eights.is_plain(eights.load(text, 0))


@njit
def _zeros(text):
    word = eights.load(text, 0)
    return eights.zero_bytes_first(word), eights.zero_bytes_last(word)


def _bytes(text: bytes) -> np.ndarray:
    return np.frombuffer(text, np.uint8).copy()


EDGES = [0, 1, 9, 10, 99, 100, 9_999, 10_000, 10_001, 99_999_999, 99_990_000, 50_000_000]


@pytest.mark.parametrize("value", EDGES)
def test_numbers_at_the_edges_have_their_digits(value):
    _check_number(value)


@given(st.integers(0, 10**8 - 1))
@settings(max_examples=50, deadline=None)
def test_numbers_have_their_digits(value):
    _check_number(value)


def _check_number(value: int) -> None:
    assert int(_digits(np.uint64(value))).to_bytes(8, "little") == bytes(
        int(digit) for digit in f"{value:08d}"
    )
    out = np.zeros(8, np.uint8)
    length = _number(out, np.uint64(value))
    assert out[:length].tobytes() == str(value).encode()


def test_every_group_of_four_digits_is_right():
    """All that the two steps of dividing can meet."""
    for value in range(10_000):
        both = value * 10_000 + (9_999 - value)
        found = int(_digits(np.uint64(both))) | 0x3030303030303030
        assert found.to_bytes(8, "little") == f"{both:08d}".encode()


@pytest.mark.parametrize("length", range(20))
def test_copies_are_whole_and_write_no_further_than_the_slack(length):
    text = _bytes(bytes(range(100, 140)))
    out = np.zeros(64, np.uint8)
    assert _padded(out, 3, text, 5, 5 + length) == 3 + length
    assert out[3 : 3 + length].tobytes() == text[5 : 5 + length].tobytes()
    assert not out[:3].any()
    assert not out[3 + length + eights.SLACK :].any()


@pytest.mark.parametrize("byte", range(256))
def test_a_word_is_plain_where_json_escapes_none_of_its_bytes(byte):
    escaped = byte < 32 or byte in b'"\\'
    for place in range(8):
        for others in (b" ", b"a", b"\x7f", b"\xff"):
            text = _bytes(others * place + bytes([byte]) + others * (7 - place))
            assert _plain(text) != escaped


@pytest.mark.parametrize("first", range(8))
def test_zeros_are_counted_from_both_ends(first):
    for last in range(8 - first):
        text = bytes(first) + b"\x01" * (8 - first - last) + bytes(last)
        assert _zeros(_bytes(text)) == (first, last)
