"""Folders for files in the making go with their owner, however that ends, and never before."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

from geoshare.services.housekeeping import SCRATCH_LOOK_US, Housekeeping
from geoshare.services.scratch import scratch_folder, sweep_scratch
from tests.api.conftest import Own, own  # noqa: F401 - a fixture

FORK = multiprocessing.get_context("fork")


def hold(parent: Path, ready, leave) -> None:
    with scratch_folder(parent) as folder:
        (folder / "half").write_bytes(b"done")
        ready.set()
        leave.wait(60)


def test_a_folder_is_swept_when_its_owner_was_killed_and_not_while_it_lives(tmp_path: Path) -> None:
    ready, leave = FORK.Event(), FORK.Event()
    owner = FORK.Process(target=hold, args=(tmp_path, ready, leave))
    owner.start()
    assert ready.wait(30)
    [folder] = tmp_path.iterdir()
    assert sweep_scratch(tmp_path) == []
    assert (folder / "half").read_bytes() == b"done"
    owner.kill()
    owner.join()
    assert (folder / "half").exists()
    assert sweep_scratch(tmp_path) == [folder.name]
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_left_is_gone_and_its_neighbours_stay(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as first:
        with scratch_folder(tmp_path) as second:
            assert sweep_scratch(tmp_path) == []
            assert first != second
        assert [path.name for path in tmp_path.iterdir()] == [first.name]
    assert not list(tmp_path.iterdir())


def test_what_is_no_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path.parent)
    assert sweep_scratch(tmp_path) == []
    assert len(list(tmp_path.iterdir())) == 2


def test_the_keeper_sweeps_when_it_begins_and_on_its_ticks(own: Own) -> None:  # noqa: F811
    scratch, now_us = own.services.scratch(), own.services.clock.now_us()
    keeping = Housekeeping(own.services)
    for tick_us in (now_us, now_us + SCRATCH_LOOK_US):
        (scratch / "left").mkdir()
        with scratch_folder(scratch) as held:
            keeping.tick(tick_us)
            assert list(scratch.iterdir()) == [held]
