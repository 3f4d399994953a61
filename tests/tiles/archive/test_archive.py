"""Archives, read back with the PMTiles project's own reader."""

from __future__ import annotations

import gzip
import hashlib
import json
import resource
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pmtiles.reader import MemorySource, Reader, all_tiles
from pmtiles.tile import read_varint, tileid_to_zxy, zxy_to_tileid

from tiles.archive import ArchiveWriter, compressed, first_id, tile_ids, tiles_at
from tiles.archive.directory import ENTRY, Entries, varints
from tiles.archive.writer import ROOT_END

ZOOMS = (0, 14)


def written(path: Path, tiles: Iterable[tuple[int, bytes]], metadata: dict | None = None):
    with ArchiveWriter(path) as writer:
        for tile_id, content in tiles:
            writer.add(tile_id, compressed(content))
        return writer.finish(metadata or {}, ZOOMS)


def reader(path: Path) -> Reader:
    return Reader(MemorySource(path.read_bytes()))


def content_of(found: Reader, tile_id: int) -> bytes | None:
    packed = found.get(*tileid_to_zxy(tile_id))
    return None if packed is None else gzip.decompress(packed)


@settings(max_examples=30)
@given(st.integers(0, 26), st.data())
def test_ids_are_those_of_the_format(z: int, data: st.DataObject) -> None:
    cell = st.integers(0, (1 << z) - 1)
    x, y = data.draw(cell), data.draw(cell)
    tile_id = int(tile_ids(z, np.array([[x, y]]))[0])
    assert tile_id == zxy_to_tileid(z, x, y)
    assert tiles_at(z, np.array([tile_id - first_id(z)])).tolist() == [[x, y]]
    if z:
        parent = tile_ids(z - 1, np.array([[x >> 1, y >> 1]]))[0] - first_id(z - 1)
        assert (tile_id - first_id(z)) // 4 == parent


def test_a_place_or_tile_that_is_not_there_is_refused() -> None:
    for z, place in ((1, 4), (1, -1), (27, 0)):
        with pytest.raises(ValueError, match="zoom"):
            tiles_at(z, np.array([place]))
        with pytest.raises(ValueError, match="zoom"):
            tile_ids(z, np.array([[place, 0]]) if z == 1 else np.array([[0, 0]]))


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2**64 - 1), min_size=1))
def test_numbers_come_back_from_varints(values: list[int]) -> None:
    import io

    stream = io.BytesIO(varints(np.array(values, np.uint64)))
    assert [read_varint(stream) for _ in values] == values
    assert stream.read() == b""


@settings(max_examples=30)
@given(
    tiles=st.dictionaries(
        st.integers(0, 20_000), st.sampled_from([b"a", b"b", b"c" * 500, bytes(range(40))])
    )
)
def test_every_tile_comes_back_and_no_other_is_there(
    tmp_path_factory: pytest.TempPathFactory, tiles: dict[int, bytes]
) -> None:
    path = tmp_path_factory.mktemp("archive") / "x.pmtiles"
    summary = written(path, sorted(tiles.items()))
    found = reader(path)
    if not tiles:
        assert content_of(found, 0) == b""
        return
    for tile_id in {*tiles, *(tile_id + 1 for tile_id in tiles)}:
        assert content_of(found, tile_id) == tiles.get(tile_id)
    assert summary.tiles == max(len(tiles), 1)
    assert summary.contents == max(len(set(tiles.values())), 1)


def test_a_run_of_identical_tiles_is_one_entry_and_one_content(tmp_path: Path) -> None:
    path = tmp_path / "x.pmtiles"
    tiles = [(n, b"sea") for n in range(100, 50_000)] + [(60_000, b"land"), (70_000, b"sea")]
    summary = written(path, tiles)
    header = reader(path).header()
    assert (header["addressed_tiles_count"], header["tile_entries_count"]) == (49_902, 3)
    assert header["tile_contents_count"] == summary.contents == 2
    assert content_of(reader(path), 49_999) == b"sea"
    assert content_of(reader(path), 50_000) is None
    assert path.stat().st_size < 1000


def test_many_tiles_have_leaves_and_a_root_that_one_request_reads(tmp_path: Path) -> None:
    path = tmp_path / "x.pmtiles"
    rng = np.random.default_rng(3)
    ids = np.unique(rng.integers(0, 1 << 24, 90_000)).tolist()
    written(path, ((tile_id, b"%d" % tile_id) for tile_id in ids), {"name": "日本"})
    found = reader(path)
    header = found.header()
    assert header["root_offset"] + header["root_length"] < ROOT_END
    assert header["leaf_directory_length"] > 0
    assert header["clustered"]
    lengths = ("root_length", "metadata_length", "leaf_directory_length", "tile_data_length")
    assert 127 + sum(header[name] for name in lengths) == path.stat().st_size
    got = {place: gzip.decompress(packed) for place, packed in all_tiles(found.get_bytes)}
    assert got == {tileid_to_zxy(tile_id): b"%d" % tile_id for tile_id in ids}
    assert found.metadata() == {"name": "日本"}


def test_leaves_grow_until_the_root_fits(tmp_path: Path) -> None:
    entries = Entries(tmp_path)
    rng = np.random.default_rng(5)
    ids = np.cumsum(rng.integers(2, 1 << 20, 40_000))
    for tile_id in ids.tolist():
        entries.add(tile_id, tile_id % 977, 1)
    small = entries.directories(100)
    assert len(small.root) <= 100 < len(entries.directories(1 << 14).root)
    entries.close()


def test_the_header_says_where_the_map_is(tmp_path: Path) -> None:
    path = tmp_path / "x.pmtiles"
    with ArchiveWriter(path) as writer:
        writer.add(0, compressed(b"x"))
        writer.finish({}, (2, 9), (139.5, 35.25, 140.0, 36.0))
    header = reader(path).header()
    assert [header[f"{name}_e7"] / 1e7 for name in ("min_lon", "min_lat", "max_lon", "max_lat")] == [
        139.5,
        35.25,
        140.0,
        36.0,
    ]
    assert (header["min_zoom"], header["max_zoom"]) == (2, 9)
    assert header["tile_type"].name == "MVT"
    assert header["tile_compression"].name == header["internal_compression"].name == "GZIP"


def test_the_checksum_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.pmtiles"
    summary = written(path, [(0, b"x"), (3, b"y")])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == summary.sha256
    assert path.stat().st_size == summary.size


def test_tiles_out_of_order_are_refused(tmp_path: Path) -> None:
    with ArchiveWriter(tmp_path / "x.pmtiles") as writer:
        writer.add(5, compressed(b"x"))
        for tile_id in (5, 4):
            with pytest.raises(ValueError, match="after"):
                writer.add(tile_id, compressed(b"x"))


def test_who_gives_up_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.pmtiles"
    path.write_bytes(b"old")

    def interrupt() -> None:
        raise KeyboardInterrupt

    for at_the_end in (False, True):
        with pytest.raises(KeyboardInterrupt), ArchiveWriter(path) as writer:  # noqa: PT012
            writer.add(0, compressed(b"x"))
            if at_the_end:
                writer.finish({}, ZOOMS, check=interrupt)
            raise KeyboardInterrupt
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]


FILLER = """
import os, signal, sys
from pathlib import Path
from tiles.archive import ArchiveWriter, compressed
with ArchiveWriter(Path(sys.argv[1])) as writer:
    for number in range(100_000):
        writer.add(number, compressed(os.urandom(1000)))
        if sys.argv[2] == "kill" and number == 2000:
            os.kill(os.getpid(), signal.SIGKILL)
    writer.finish({}, (0, 9))
"""


def _fill(path: Path, how: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", FILLER, str(path), how]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.pmtiles"
    path.write_bytes(b"old")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    ended = _fill(path, "full", preexec_fn=limit)
    assert ended.returncode == 1
    assert "OSError" in ended.stderr
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_writer_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.pmtiles"
    path.write_bytes(b"old")
    assert _fill(path, "kill").returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_entries_beyond_memory_are_the_same_entries(tmp_path: Path) -> None:
    """A run that goes on where entries are written out stays one run."""
    entries = Entries(tmp_path)
    for number in range(40_000):
        entries.add(2 * number, number, 1)
    for number in range(80_000, 80_100):
        entries.add(number, 7, 1)
    assert len(entries) == 40_001
    assert ENTRY.itemsize == 24
    found = entries.directories(1 << 14)
    assert found.leaves
    entries.close()


def test_metadata_is_json_of_any_language(tmp_path: Path) -> None:
    path = tmp_path / "x.pmtiles"
    said = {"name": "避難所", "vector_layers": [{"id": "a", "fields": {"id": "String"}}]}
    written(path, [(0, b"x")], said)
    assert json.loads(json.dumps(reader(path).metadata())) == said
