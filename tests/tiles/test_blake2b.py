"""Hashes of many texts are those that hashlib gives for each."""

from __future__ import annotations

import hashlib

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.pack.identity import id_hashes, text_hashes

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["x" * length for length in (127, 128, 129, 255, 256, 257, 1000)]
)


@settings(max_examples=50, deadline=None)
@given(st.lists(TEXTS, max_size=8), st.integers(0, 3))
def test_hashes_are_those_of_hashlib_wherever_the_texts_lie(texts: list[str], skipped: int) -> None:
    expected = [int.from_bytes(hashlib.blake2b(text.encode()).digest()[:8], "little") for text in texts]
    lying = pa.array([*["before"] * skipped, *texts, "after"], pa.utf8()).slice(skipped, len(texts))
    assert text_hashes(lying).tolist() == expected
    assert id_hashes(texts).tolist() == expected
