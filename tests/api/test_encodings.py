"""The client says which coding it likes best (RFC 9110, 12.5.3); ties are ours to break."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoshare.api.reply import accepted
from tests.api.conftest import Own
from tests.api.test_faults import places

WISHES = [
    ("", ""),
    ("gzip", "gzip"),
    ("zstd", "zstd"),
    ("gzip, zstd", "zstd"),
    ("zstd, gzip", "zstd"),
    ("gzip, deflate, br, zstd", "zstd"),
    ("zstd;q=0.5, gzip", "gzip"),
    ("gzip;q=0.8, zstd;q=0.9", "zstd"),
    ("gzip;q=0.9, zstd;q=0.8", "gzip"),
    ("identity, gzip;q=0.5", ""),
    ("identity;q=0.5, gzip;q=0.5", "gzip"),
    ("identity;q=0.5, gzip;q=1.0, zstd;q=0.2", "gzip"),
    ("gzip;q=0.001", "gzip"),
    ("gzip;q=0", ""),
    ("*", "zstd"),
    ("*;q=0.5, gzip;q=0.6", "gzip"),
    ("*;q=0.5, identity", ""),
    ("zstd;q=0, *", "gzip"),
    ("*;q=0", ""),
    ("identity;q=0", ""),
    ("GZIP", "gzip"),
    ("br", ""),
]


@pytest.mark.parametrize(("header", "coding"), WISHES)
def test_the_coding_that_is_liked_best_is_taken(header: str, coding: str) -> None:
    assert accepted(header) == coding


def test_every_way_to_an_answer_asks_the_same(own: Own, tmp_path: Path) -> None:
    own.contribute(places(tmp_path, 0), collection="places")
    paths = (
        "/collections/places/items?limit=50",  # before the framework
        "/collections/places/items?limit=50&f=json",
        "/collections/places/tiles/WebMercatorQuad",
        "/tiles/places/9/453/202.mvt",  # made, and then kept
        "/tiles/places/9/453/202.mvt",
    )
    large = set()
    for header, coding in (
        ("gzip;q=0.5, zstd;q=0.2", "gzip"),
        ("identity, gzip;q=0.5, zstd;q=0.5", ""),
    ):
        for path in paths:
            answer = own.client.get(path, headers={"Accept-Encoding": header})
            assert answer.status_code in (200, 204), path
            if len(answer.data) > 600:
                large.add(path)
                assert answer.headers.get("Content-Encoding", "") == coding, (path, header)
    assert large >= set(paths[:3])
