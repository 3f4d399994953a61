"""A whole view as one file of tiles, from the command line and from the server."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner
from pmtiles.reader import MmapSource, Reader, all_tiles

from geoshare.cli import main
from tests.api.test_extracting import extract


def export(live_server, path: Path, *options: str):
    """Run the command in this process, which has imported everything already."""
    arguments = ["collections", "export", *options, "--pmtiles", str(path)]
    return CliRunner(env={"GEOSHARE_DATA": str(live_server.data)}).invoke(main, arguments)


def test_every_tile_of_an_export_is_the_one_the_server_answers(live_server, tmp_path):
    path = tmp_path / "town.pmtiles"
    done = export(live_server, path, "segments,shelters", "--max-zoom", "13")
    assert done.exit_code == 0, done.stderr
    assert hashlib.sha256(path.read_bytes()).hexdigest() in done.stdout
    with path.open("rb") as file:
        tiles = list(all_tiles(MmapSource(file)))
    assert {z for (z, _, _), _ in tiles} >= {11, 12, 13}
    for (z, x, y), packed in tiles:
        status, _, body = live_server.get(f"/tiles/segments,shelters/{z}/{x}/{y}.mvt")
        assert status == 200
        assert body == gzip.decompress(packed)


def test_without_a_tier_only_what_is_open_leaves(live_server, tmp_path):
    answers = set()
    for name in ("lanes", "nonsense"):
        done = export(live_server, tmp_path / "x.pmtiles", name)
        assert done.exit_code == 1
        answers.add(done.stderr)
    assert len(answers) == 1
    assert not list(tmp_path.iterdir())
    done = export(live_server, tmp_path / "x.pmtiles", "lanes", "--tier", "automaker")
    assert done.exit_code == 0, done.stderr
    with (tmp_path / "x.pmtiles").open("rb") as file:
        said = Reader(MmapSource(file)).metadata()
    shown = live_server.json("/collections/lanes/schema", "automaker")["properties"]
    assert set(said["vector_layers"][0]["fields"]) - {"id"} <= set(shown)
    assert said["geoshare"]["collections"][0]["features"] > 0


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("segments", "--tier", "nobody"), "open"),
        (("segments", "--max-zoom", "40"), "0 to 20"),
        (("segments", "--min-zoom", "9", "--max-zoom", "8"), "0 to 20"),
        (("segments,segments",), "different"),
        (("rain",), "features"),
        (("segments", "--bbox", "0", "9", "1", "2"), "degrees"),
        (("segments", "--bbox", "nan", "0", "1", "2"), "degrees"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_is_allowed(live_server, tmp_path, options, named):
    done = export(live_server, tmp_path / "x.pmtiles", *options)
    assert done.exit_code == 1
    assert named in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_interrupted_export_leaves_the_old_file_and_nothing_else(live_server, tmp_path):
    path = tmp_path / "x.pmtiles"
    path.write_bytes(b"old")
    # more than any machine writes before it is interrupted
    layers = "hazard_zones,segments,water,admin_areas"
    arguments = ["collections", "export", layers, "--pmtiles", str(path), "--max-zoom", "20"]
    process = subprocess.Popen(
        [sys.executable, "-m", "geoshare.cli", *arguments],
        env=os.environ | {"GEOSHARE_DATA": str(live_server.data)},
        stderr=subprocess.PIPE,
        # who runs the tests in the background may have told them to ignore interruptions
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not _has_unnamed_file(process.pid, tmp_path) and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert [file.name for file in tmp_path.iterdir()] == ["x.pmtiles"]
    assert path.read_bytes() == b"old"


def _has_unnamed_file(pid: int, folder: Path) -> bool:
    """Whether the process has begun to write tiles."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed in between
            if os.readlink(link).startswith(str(folder)):
                return True
    return False


def test_an_extract_of_tiles_opens_and_covers_the_box(live_server):
    west, south, east, north = live_server.json("/collections/shelters")["extent"]["spatial"]["bbox"][0]
    request = {
        "collections": ["shelters", "segments"],
        "format": "pmtiles",
        "bbox": [west, south, (west + east) / 2, north],
        "max_zoom": 12,
    }
    archive = extract(live_server, request, "developer")
    content = archive.read("geoshare.pmtiles")
    found = Reader(lambda offset, length: content[offset : offset + length])
    assert found.header()["max_zoom"] == 12
    assert found.header()["addressed_tiles_count"] > 1
    assert "LICENCES.txt" in archive.namelist()


def test_an_extract_of_tiles_says_what_cannot_be_asked_for(live_server):
    body = b'{"collections": ["shelters"], "format": "pmtiles", "filter": "name = 1"}'
    request = urllib.request.Request(
        f"{live_server.url}/extracts", body, {"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 400
    assert b"filter" in caught.value.read()
