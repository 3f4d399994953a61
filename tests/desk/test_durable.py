"""kill -9 while two workers write: what was acknowledged is there, once, and nothing is half there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from geoshare.store import open_record, reading
from tests.conftest import ROOT

SCRIPT = textwrap.dedent(
    """
    import sys
    from pathlib import Path

    import shapely

    from geoshare.ingest.edits import Author, Change, NewSaying, feature_id, write_edit
    from geoshare.model.clock import RandomIds, SystemClock
    from geoshare.store import open_record

    record, clock, ids = open_record(Path(sys.argv[1])), SystemClock(), RandomIds()
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(100_000):
        names = [f"{sys.argv[2]}-{number}-{part}" for part in range(3)]
        changes = [
            Change(
                "water_points", feature_id(record, "water_points", "town", name), (), (),
                (NewSaying("desk", name, shapely.to_wkb(shapely.Point(139, 35)), {"name": name}),),
            )
            for name in names
        ]
        write_edit(record, clock, ids.new(), "several", Author("town"), changes)
        print(number, flush=True)
    """
)


def test_acknowledged_edits_of_two_writers_survive_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    open_record(path).close()
    for turn in range(2):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", SCRIPT, str(path), f"{turn}{name}"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            )
            for name in "ab"
        ]  # fmt: skip
        for writer in writers:
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            writer.stdin.write("go\n")
            writer.stdin.flush()
        time.sleep(0.25 + turn * 0.13)
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
        told = {
            f"{turn}{name}-{line.strip()}-{part}"
            for name, writer in zip("ab", writers, strict=True)
            for line in writer.communicate()[0].splitlines()
            if line.strip().isdigit()
            for part in range(3)
        }
        record = open_record(path)
        with record.snapshot() as connection:
            names = [
                json.loads(text)["name"]
                for chunk in reading.scan_features(connection, "water_points")
                for text in chunk.properties
            ]
            assert reading.open_changesets(connection) == set()
        record.close()
        assert told
        assert told <= set(names)
        assert len(names) == len(set(names))
        whole = {name.rsplit("-", 1)[0] for name in names}
        assert len(names) == 3 * len(whole)
