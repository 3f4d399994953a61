"""kill -9 at any step of an erasure: it goes on when it is asked for again, and leaves no trace."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from geoshare.access.audit.public import verify_public
from tests.api.conftest import Own
from tests.services.dying import DIED, DONE, KEEPER, NEVER
from tests.services.leavers import (
    a_scene,
    analyse,
    checkpoint,
    holding,
    leftovers,
    shown,
    told,
    who_leaves,
    who_stays,
)
from tests.store.databases import fresh_url

STRIDE = 40  # each gets so many steps farther than the one before it


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two data folders: ``with`` one who is about to leave, and ``without``."""
    folder = tmp_path_factory.mktemp("leaving")
    begun = Own(folder / "without")
    begun.services.record.head()
    checkpoint(begun.settings.data)
    shutil.copytree(folder / "without", folder / "with")
    for name in ("with", "without"):
        own = Own(folder / name, begun.keys)
        (folder / f"{name}-files").mkdir()
        who_stays(own, folder / f"{name}-files")
        if name == "with":
            a_scene(own, folder / "with-files")
            who_leaves(own, folder / "with-files")
            leftovers(own)
        checkpoint(own.settings.data)
    (folder / "keys.json").write_text(json.dumps(begun.keys))
    return folder


@pytest.fixture
def dying() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.services.dying"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def ask(process: subprocess.Popen[str], data: Path, number: int, *urls: str) -> tuple[int, int]:
    """Erase, and die before the step of that number; how it ended, after how many steps."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(" ".join([str(data), "leaves", str(number), *urls]) + "\n")
    process.stdin.flush()
    ended, steps = process.stdout.readline().split()
    return int(ended), int(steps)


def own_of(data: Path, town: Path) -> Own:
    """A data folder that there is, with the keys that were made before it was copied."""
    return Own(data, json.loads((town / "keys.json").read_text()))


def check(own: Own) -> None:
    """Nothing of it is in any file, and that is certified, once."""
    data = own.settings.data
    assert holding(data) == []
    [certificate] = (data / "leaving").glob("*.zip")
    assert {path.suffix for path in (data / "leaving").iterdir()} == {".json", ".zip"}
    with zipfile.ZipFile(certificate) as archive:
        said = json.loads(archive.read("certificate.json"))
    assert said["erased"]["contributions"] == len(said["contributions"])
    assert said["erased"]["claims"] >= 7
    assert verify_public([certificate], str(own.services.trail.vkey)).findings == []
    entries = own.services.trail.rows.newest(1_000)
    assert sum(b'"provider.erase"' in entry.leaf for entry in entries) == 1


def test_killed_again_and_again_it_goes_on_and_leaves_what_there_would_be_without_it(
    town: Path, dying: subprocess.Popen[str], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(town / "with", data)
    own = own_of(data, town)
    token = json.loads(own.get("/collections/segments/changes", "developer").data)["token"]
    before = {one["id"] for one in own.items("segments", "developer")}
    number, ended = 0, DIED
    while ended == DIED:
        ended, number = ask(dying, data, number)[0], number + STRIDE
    assert ended == DONE
    assert number > 6 * STRIDE
    assert ask(dying, data, NEVER)[0] == DONE  # asked for once more, it is as it is
    own = own_of(data, town)
    check(own)
    never = own_of(town / "without", town)
    for key in ("operator", "developer", "automaker"):
        assert shown(own, key) == shown(never, key)
    said = own.get(f"/collections/segments/changes?since={token}", "developer").data.decode()
    gone = before - {one["id"] for one in own.items("segments", "developer")}
    assert len(gone) == 1
    assert all(one in said for one in gone)


def test_wherever_it_is_killed_first_the_next_one_ends_it(
    town: Path, dying: subprocess.Popen[str], tmp_path: Path
) -> None:
    shutil.copytree(town / "with", tmp_path / "whole")
    ended, steps = ask(dying, tmp_path / "whole", NEVER)
    assert ended == DONE
    for number in range(steps // 6, steps, steps // 3):
        data = tmp_path / f"died-{number}"
        shutil.copytree(town / "with", data)
        assert ask(dying, data, number)[0] == DIED
        by_itself = [KEEPER] if number > steps // 3 else []  # with the next server, or when asked again
        assert ask(dying, data, NEVER, *by_itself)[0] == DONE
        check(own_of(data, town))


def test_nothing_is_left_in_postgresql_nor_in_what_it_knows_of_values(
    dying: subprocess.Popen[str], tmp_path: Path
) -> None:
    urls = [fresh_url("postgresql", tmp_path) for _ in range(2)]
    own = Own(tmp_path / "data", record_url=urls[0], governance_url=urls[1])
    who_leaves(own, tmp_path)
    leftovers(own)
    for url in urls:
        analyse(url)
    assert {"claims", "features", "pg_stats"} <= set(told(urls[0]))
    assert ask(dying, tmp_path / "data", 60, *urls)[0] == DIED
    assert ask(dying, tmp_path / "data", NEVER, *urls)[0] == DONE
    check(own)
    assert [table for url in urls for table in told(url)] == []
