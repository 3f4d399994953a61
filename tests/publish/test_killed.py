"""Whoever dies at whatever file operation of publishing: readers see the old version or the new one."""

from __future__ import annotations

import contextlib
import multiprocessing
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from geoshare.access.view import View
from geoshare.access.views import Views
from geoshare.publish import Packs, Publisher, fold, read_manifest
from geoshare.publish.folding import Folding
from geoshare.publish.vectors import swap
from geoshare.store import open_record
from tests.ingest.bench import Workbench
from tests.publish.dying import DIED, DONE, TIERS, keeper_of, policies
from tests.publish.test_publish import many, shown
from tests.publish.versions import Versions
from tiles.pack import materialise, scan

ALL = 1_200  # rows there are
# rows that every change set changes, and deltas there are before the last one: it is folded with them
SCENES = {"into one delta": (8, fold.MOST_DELTAS), "into the base": (200, 0)}
STRIDE = 2  # of the operations: the two scenes take turns, and most of what they do is the same


def contribute(folder: Path, marked: int, version: int) -> None:
    """One change set: all marked rows say its number."""
    record = open_record(folder / "data" / "record.db")
    bench = Workbench(record, folder)
    bench.counting.now += version * 1_000_000_000
    rows = many(dict.fromkeys(range(marked), 1_000 + version), count=ALL)
    bench.contribute([rows], content=str(version), contribution_id=f"contribution-{version}")
    record.close()


class Readers:
    """Like a web worker: keeps packs and views open, and looks at them again and again."""

    def __init__(self, folder: Path, marked: int) -> None:
        data = folder / "data"
        self._packs = Packs(data / "packs")
        self._views = Views(data / "views", data / "packs")
        self._policies = policies(folder)
        self._marked = marked

    def look(self) -> tuple[int, int]:
        """The numbers that marked rows carry in view and pack; fails where one of them has two."""
        views = [self._views.get(policy, "places") for policy in self._policies]
        for view in views:
            assert isinstance(view, View)
            assert len(view.scan()) == ALL
        opened = views[0]
        assert isinstance(opened, View)
        published = self._packs.source("places")
        assert published is not None
        assert published.manifest.count == ALL
        pack = materialise(scan(published.pack, None), ["rank"], geometry=None)
        return self._one(opened.materialise(opened.scan(), ["rank"], None)), self._one(pack)

    def _one(self, table: pa.Table) -> int:
        assert table.num_rows == ALL
        ranks = [rank for rank in table.column("rank").to_pylist() if rank >= 1_000]
        assert len(ranks) == self._marked
        assert len(set(ranks)) == 1
        return int(ranks[0]) - 1_000


@pytest.fixture(params=SCENES)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, int, int]:
    """A published data folder, and one more change set not yet published; marked rows, its number."""
    marked, deltas = SCENES[request.param]
    folder = tmp_path / "before"
    (folder / "data").mkdir(parents=True)
    (folder / "tiers.toml").write_text(TIERS, "utf-8")
    keeper = keeper_of(folder)
    with keeper.lock():
        for version in range(deltas + 1):
            contribute(folder, marked, version)
            keeper.publish()
    contribute(folder, marked, deltas + 1)
    return folder, marked, deltas + 1


@pytest.fixture
def dying() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.publish.dying"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def ask(process: subprocess.Popen[str], folder: Path, number: int) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{folder} {number}\n")
    process.stdin.flush()
    return int(process.stdout.readline())


def test_at_every_file_operation_death_leaves_the_old_version_or_the_new_one(
    scene: tuple[Path, int, int], dying: subprocess.Popen[str], tmp_path: Path
) -> None:
    before, marked, new = scene
    seen, number, ended = set(), new % STRIDE, DIED
    while ended == DIED:
        folder = tmp_path / "now"
        shutil.copytree(before, folder)
        readers, found = Readers(folder, marked), []
        found.append(readers.look())
        reader = threading.Thread(target=read_until, args=(readers, found, stop := threading.Event()))
        reader.start()
        ended = ask(dying, folder, number)
        stop.set()
        reader.join()
        found.append(readers.look())
        assert found[0] == (new - 1, new - 1)
        assert found == sorted(found), "no reader goes back, and views follow packs"
        seen.update(found)
        assert ask(dying, folder, 1_000_000) == DONE  # the next keeper goes on
        assert readers.look() == (new, new)
        if number % 10 < STRIDE or ended == DONE:
            assert Readers(folder, marked).look() == (new, new)
            check_whole(folder)
        shutil.rmtree(folder)
        number += STRIDE
    assert number > 20
    assert seen >= {(new - 1, new - 1), (new - 1, new), (new, new)}


def read_until(readers: Readers, found: list[tuple[int, int]], stop: threading.Event) -> None:
    while not stop.wait(0.004):
        found.append(readers.look())


def check_whole(folder: Path) -> None:
    """The pack holds what the record holds, and nothing lies about that nobody names."""
    record = open_record(folder / "data" / "record.db")
    places = folder / "data" / "packs" / "places"
    assert shown(Packs(places.parent), "places") == Workbench(record, folder).visible("places")
    Publisher(record, places.parent, grace_s=0.0).sweep()
    manifest = read_manifest(places.parent, "places")
    assert manifest is not None
    assert {path.name for path in places.iterdir()} == {
        "manifest.json",
        *(part.name for part in manifest.parts),
    }
    record.close()


def test_where_the_folding_process_is_killed_the_pack_stays_and_folding_begins_again(
    tmp_path: Path,
) -> None:
    versions = Versions(tmp_path, 100)
    versions.base(dict.fromkeys(range(90), (0, 10.0, 10.0)))
    for number in range(3):
        versions.delta({number: (7, 1.0, 1.0)})
    work, manifest = fold.plan(versions.manifest, most=1, into_base=False), versions.manifest
    assert work is not None
    with contextlib.closing(Folding(tmp_path)) as folding:
        folding.start(work)
        [child] = [one for one in multiprocessing.active_children() if one.name == "folding"]
        child.kill()
        wait_until(lambda: folding.finished() is None and folding.work is None)
        assert versions.manifest == manifest
        wait_until(lambda: folding.free)
        folding.start(work)
        done = []
        wait_until(lambda: bool(done.extend([folding.finished()]) or done[-1]))
        assert swap(versions.packs, done[-1].work, done[-1].folded)
    assert len(versions.manifest.deltas) == 1


def wait_until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.01)
