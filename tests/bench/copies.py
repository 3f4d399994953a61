"""``python -m tests.bench.copies``: ``geoshare sync`` of 100,000 features of which none has changed.

The command is run as anybody runs it, through a relay that counts every byte of the line, headers and
all. The area is fetched once, then synchronised again and again: by the clock, with the start of
Python.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from geoshare.client.sync import ROAD_MAPS
from geoshare.model.collections import known
from geoshare.services.local import Local
from tests.bench import arriving, lane_data
from tests.bench.serving import Served, load_said, prepare, serving

BLOCK = 1 << 16
LANES = 33_334  # each with two boundaries
ROADS = ROAD_MAPS["lanelet2"]
READING = '["discover", "read", "stream", "download"]'


class Relay:
    """Passes connections on to a server and counts what goes either way."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.bytes = 0
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.base = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._to))
            for one, other in ((client, server), (server, client)):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while block := one.recv(BLOCK):
                with self._lock:
                    self.bytes += len(block)
                other.sendall(block)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.copies", description=__doc__)
    parser.add_argument("--features", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--formats", nargs="*", default=["gpkg", "lanelet2"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="geoshare-copies-") as name:
        folder = Path(name)
        tiers = {"places": _grants("places", ["places"]), "roads": _grants("roads", ROADS)}
        keys = prepare(folder / "data", tiers, lambda local: _fill(local, folder, arguments))
        with serving(folder / "data") as served:
            print(f"{'':<30}{'s by the clock':>26}{'s of processor':>16}{'bytes on the line':>19}")
            for kind in arguments.formats:
                key = folder / f"{kind}.key"
                key.write_text(keys["places" if kind == "gpkg" else "roads"])
                _measure(served, folder, kind, key, arguments.repeats)
    print(load_said())
    return 0


def _grants(tier: str, names: Sequence[str]) -> str:
    """Every column of some collections."""
    return "\n".join(
        f'[[{tier}.grants]]\nactions = {READING}\ncollections = ["{name}"]\n'
        f"columns = {json.dumps([item.name for item in known()[name].properties])}"
        for name in names
    )


def _fill(local: Local, folder: Path, arguments: argparse.Namespace) -> None:
    if "gpkg" in arguments.formats:
        path = folder / "places.geojson"
        path.write_bytes(arriving.batch("copied", arguments.features, 5))
        local.contribute(path, "bench", progress=_silent, collection="places")
    if len(arguments.formats) > ("gpkg" in arguments.formats):
        path = folder / "town.osm"
        lane_data.write_osm(path, min(LANES, arguments.features // 3))
        local.contribute(path, "maker", progress=_silent)


def _measure(served: Served, folder: Path, kind: str, key: Path, repeats: int) -> None:
    target = folder / kind
    with _relay(served.port) as relay:
        first_s, _, said = _sync(relay.base, target, kind, key)
        print(f"{kind + ', the first time':<30}{first_s:>26.1f}{'':>16}{relay.bytes:>19,}")
        sys.stderr.write(said)
        clock, processor, counts = [], [], []
        for _ in range(repeats):
            before = relay.bytes
            seconds, used_s, said = _sync(relay.base, target, kind, key)
            if "nothing has changed" not in said:
                raise SystemExit(said)
            clock.append(seconds)
            processor.append(used_s)
            counts.append(relay.bytes - before)
    by_clock = f"{np.median(clock):.2f} ({min(clock):.2f} to {max(clock):.2f})"
    print(f"{kind + ', unchanged':<30}{by_clock:>26}{np.median(processor):>16.2f}{max(counts):>19,}")


def _sync(base: str, target: Path, kind: str, key: Path) -> tuple[float, float, str]:
    """Seconds by the clock and of the processor, and what the command said."""
    command = [sys.executable, "-m", "geoshare.start", "sync", "--server", base, "--key-file", str(key)]
    before, begun = os.times(), time.perf_counter()
    said = subprocess.run(
        [*command, "--area", "138.5,35.0,140.5,36.5", "--format", kind, str(target)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    lasted, after = time.perf_counter() - begun, os.times()
    used_s = after.children_user + after.children_system - before.children_user - before.children_system
    return lasted, used_s, said


@contextmanager
def _relay(port: int) -> Iterator[Relay]:
    relay = Relay(port)
    try:
        yield relay
    finally:
        relay.close()


def _silent(fraction: float, message: str = "") -> None:
    pass


if __name__ == "__main__":
    sys.exit(main())
