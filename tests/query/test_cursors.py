"""A cursor comes back as it was given, and nothing else is one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.query.cursors import Cursors

CURSORS = Cursors(b"secret")


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=20), st.integers(0, 2**64 - 1), st.text(max_size=40))
def test_what_was_sealed_comes_back(request_, key, last_id):
    text = CURSORS.seal(request_, key, last_id)
    assert CURSORS.open(request_, text) == (key, last_id)
    assert text.isascii()
    assert not set(text) & set("+/=&?#%")


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda text: text.decode("latin-1")))
def test_no_other_text_is_a_cursor(text):
    with pytest.raises(ValueError, match="cursor"):
        CURSORS.open("a request", text)


def test_a_cursor_is_worth_nothing_elsewhere_or_changed():
    text = CURSORS.seal("a request", 7, "f1")
    for request_, cursors in (("another", CURSORS), ("", CURSORS), ("a request", Cursors(b"other"))):
        with pytest.raises(ValueError, match="cursor"):
            cursors.open(request_, text)
    for place in range(len(text)):
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        try:
            opened = CURSORS.open("a request", changed)
        except ValueError:
            continue
        assert opened == (7, "f1")  # spare bits of the last letter


def test_where_the_request_ends_and_the_place_begins_cannot_be_moved():
    text = CURSORS.seal("ab", 7, "f1")
    with pytest.raises(ValueError, match="cursor"):
        CURSORS.open("a", text)
