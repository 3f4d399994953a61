from __future__ import annotations

import pytest

from geoshare.access.credentials import Uses
from geoshare.errors import Unavailable


def test_many_uses_are_one_write_of_the_last_of_each_key():
    written: list[dict[str, int]] = []
    uses = Uses(lambda found: written.append(dict(found)))
    for at in range(100):
        uses.note("a", at)
    uses.note("b", 7)
    assert written == []
    uses.flush()
    uses.flush()
    assert written == [{"a": 99, "b": 7}]


def test_what_cannot_be_written_is_kept_and_newer_uses_win():
    written: list[dict[str, int]] = []

    def write(found):
        if not written:
            written.append({})
            uses.note("a", 5)
            raise Unavailable("no room")
        written.append(dict(found))

    uses = Uses(write)
    uses.note("a", 1)
    uses.note("b", 2)
    with pytest.raises(Unavailable):
        uses.flush()
    uses.flush()
    assert written[1] == {"a": 5, "b": 2}
