"""A bell wakes who listens, and nobody else notices it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from geoshare.store import open_record
from geoshare.store.bell import Listener, listening, ring
from tests.ingest.bench import Workbench, batch


def test_who_listens_is_woken_and_who_is_not_there_is_not_missed(tmp_path: Path) -> None:
    bell = tmp_path / "bell"
    ring(bell)
    assert not bell.exists()
    with listening(bell) as listener:
        assert not listener.wait(0.0)
        for _ in range(200_000 // 8):
            ring(bell)
        assert listener.wait(0.0)
        assert not listener.wait(0.0)
        threading.Timer(0.05, ring, (bell,)).start()
        assert listener.wait(20.0)
    assert not bell.exists()
    ring(bell)


def test_what_a_killed_keeper_left_is_replaced(tmp_path: Path) -> None:
    bell = tmp_path / "bell"
    bell.write_text("not a pipe")
    ring(bell)
    assert bell.read_text() == "not a pipe"
    with listening(bell) as listener:
        ring(bell)
        assert listener.wait(20.0)


def test_without_a_pipe_there_is_just_the_wait(tmp_path: Path) -> None:
    with listening(tmp_path / "no" / "folder") as listener:
        assert not listener.wait(0.001)
    begun = time.monotonic()
    assert not Listener(None).wait(0.02)
    assert time.monotonic() - begun >= 0.015


def test_every_commit_rings(tmp_path: Path) -> None:
    bell = tmp_path / "bell"
    record = open_record(tmp_path / "record.db", bell)
    try:
        bench = Workbench(record, tmp_path)
        with listening(bell) as listener:
            bench.contribute([batch("places", {"a": {"rank": 1}})])
            assert listener.wait(0.0)
            bench.contribute([batch("places", {"a": {"rank": 1}})])  # already here: nothing to tell
            assert not listener.wait(0.0)
    finally:
        record.close()
