"""The first rows of an order, against sorting everything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.order import leading, place_of
from tests.tiles.conftest import table_of
from tiles.arrays import FeatureTable, Rows
from tiles.index.hilbert import GROUP_SHIFT


def _part(said: list[tuple[int, int, str]]) -> FeatureTable:
    """A table as parts keep it: by group, key and id."""
    said = sorted(said)
    keys = np.array([group << GROUP_SHIFT | key for group, key, _ in said], np.uint64)
    return replace(table_of([None] * len(said), ids=[name for *_, name in said]), order_key=keys)


ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 999)), max_size=14, unique=True
)


@settings(max_examples=50, deadline=None)
@given(
    rows=ROWS,
    parts=st.integers(1, 3),
    grouped=st.booleans(),
    count=st.integers(1, 5),
    chosen=st.randoms(use_true_random=False),
)
def test_the_first_rows_after_a_place_are_those_of_the_whole_order(rows, parts, grouped, count, chosen):
    named = {f"é{name:03d}": (group if grouped else 0, key) for group, key, name in rows}
    tables = [
        _part(
            [(*place, name) for at, (name, place) in enumerate(named.items()) if at % parts == number]
        )
        for number in range(parts)
    ]
    numbers = [
        np.array([row for row in range(len(table)) if chosen.random() < 0.8], np.int32)
        for table in tables
    ]
    found = Rows(tuple(tables), tuple(numbers))
    kept = {name for table, some in found.pairs for name in _ids(table, some)}
    expected = sorted((named[name][1], name) for name in kept)
    after, pages = None, []
    while True:
        page = leading(found, count, after)
        if not len(page):
            break
        pages += [name for table, some in page.pairs for name in _ids(table, some)]
        after = place_of(page, len(page) - 1)
    assert pages == [name for _, name in expected]


def _ids(table: FeatureTable, numbers: np.ndarray) -> list[str]:
    text, offsets = table.ids.dictionary_bytes.tobytes(), table.ids.dictionary_offsets
    return [text[offsets[code] : offsets[code + 1]].decode() for code in table.ids.values[numbers]]
