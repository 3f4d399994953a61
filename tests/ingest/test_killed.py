"""kill -9 at any moment of a contribution: acknowledged means present, anything else is gone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from geoshare.ingest import sweep
from geoshare.model.clock import SystemClock
from geoshare.store import Record, open_record, reading

SCRIPT = textwrap.dedent(
    """
    import sys
    import time
    from pathlib import Path

    from geoshare.ingest import Complete, Terms, contribute
    from geoshare.model.clock import RandomIds, SystemClock
    from geoshare.sources import ReadRequest
    from geoshare.store import open_record
    from tests.ingest.bench import batch

    folder, stop_at = Path(sys.argv[1]), int(sys.argv[2])
    record = open_record(folder / "record.db")
    (folder / "work").mkdir(exist_ok=True)
    print("ready", flush=True)
    for number in range(10_000):
        path = folder / "file.bin"
        path.write_text(str(number))

        def read(path, request, report):
            for part in range(4):
                if number == stop_at and part == 3:
                    print("half", flush=True)
                    time.sleep(600)
                rows = {f"r{part}-{row + number % 3}": {"rank": number} for row in range(50)}
                yield batch("places", rows)

        result = contribute(
            record, path, ReadRequest("mapco", folder / "work", 1), clock=SystemClock(),
            ids=RandomIds(), data_dir=folder / "data", read=read,
            terms=Terms(complete=Complete()),  # which takes away what was said last of other rows
        )
        print(number, flush=True)
    """
)


def ranks(record: Record) -> set[int]:
    with record.snapshot() as connection:
        texts = [
            text for chunk in reading.scan_features(connection, "places") for text in chunk.properties
        ]
    assert len(texts) in (0, 200)
    return {int(text.removeprefix('{"rank":').removesuffix("}")) for text in texts}


def started(folder: Path, stop_at: int = -1) -> subprocess.Popen[str]:
    """A process that contributes file after file; it stops in the middle of file ``stop_at``."""
    (folder / "data").mkdir()
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), str(stop_at)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )


@pytest.mark.parametrize("seed", range(3))
def test_after_a_kill_the_last_acknowledged_contribution_is_whole_and_no_other_is_half_there(
    tmp_path: Path, seed: int
) -> None:
    child = started(tmp_path)
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "ready\n"
        time.sleep(random.Random(seed).uniform(0.05, 0.6))
    finally:
        os.kill(child.pid, signal.SIGKILL)
    acknowledged = [int(line) for line in child.stdout.read().splitlines()]
    child.wait()
    record = open_record(tmp_path / "record.db")
    last = acknowledged[-1] if acknowledged else -1
    seen = ranks(record)
    assert seen <= {last, last + 1}
    assert len(seen) == 1 or last == -1
    swept = sweep(record, SystemClock(), tmp_path / "data")
    assert len(swept) <= 1
    assert ranks(record) == seen
    with record.snapshot() as connection:
        assert reading.open_changesets(connection) == set()
    kept = {item.file_sha256 for item in record.contributions(limit=20_000)}
    folders = {path.name for path in (tmp_path / "data" / "raw").glob("*/*")}
    assert folders == kept
    assert record.row_counts()["contributions"] == len(kept)
    record.close()


def test_what_a_dead_writer_had_ended_is_in_force_again(tmp_path: Path) -> None:
    child = started(tmp_path, stop_at=1)
    assert child.stdout is not None
    try:
        lines = [child.stdout.readline() for _ in range(3)]
        assert lines == ["ready\n", "0\n", "half\n"]
        record = open_record(tmp_path / "record.db")
        assert record.dead(SystemClock().now_us()) == []
        assert ranks(record) == {0}
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
    assert ranks(record) == {0}
    assert record.row_counts()["features"] == 350
    assert len(sweep(record, SystemClock(), tmp_path / "data")) == 1
    assert ranks(record) == {0}
    assert record.row_counts()["features"] == 200
    record.close()
