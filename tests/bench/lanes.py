"""``python -m tests.bench.lanes``: the lane at a position among a million lanes, over HTTP.

Towns of crossing streets are contributed and served with two workers. Vehicles ask with position,
height, heading and covariance over keep-alive connections, each question once; an R-tree behind Flask
on the same server is asked the same in turns. Before anything is timed both are compared: the lane that
the R-tree finds nearest is among geoshare's candidates, as far away.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from geoshare.services.local import Local
from tests.bench import lane_data
from tests.bench.lane_peer import serving_peer
from tests.bench.serving import load_said, prepare, serving

RESULTS = Path("bench-results")
COLUMNS = '["subtype", "one_way", "width_m", "turn_direction"]'
TIERS = {
    "vehicle": '[[vehicle.grants]]\nactions = ["discover", "read"]\n'
    f'collections = ["lanes"]\ncolumns = {COLUMNS}'
}
CHECKED = 200
CLOSE_M, CLOSE_DEG = 0.02, 15.0  # the peer's bearing is over a metre, across a corner
CLIENTS = (1, 4, 16)


class Asking:
    """One keep-alive connection."""

    def __init__(self, base: str, key: str) -> None:
        self._port = urlsplit(base).port or 80
        self._head = f"Host: 127.0.0.1:{self._port}\r\nX-API-Key: {key}\r\n\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str) -> tuple[float, bytes]:
        """Seconds until the whole answer is here, and its body."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        begun = time.perf_counter()
        writer.write(f"GET {path} HTTP/1.1\r\n{self._head}".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"{path}: {body!r}")
        return time.perf_counter() - begun, body


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.lanes", description=__doc__)
    parser.add_argument("--lanes", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=1_000, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, default=RESULTS, help="folder that is kept")
    arguments = parser.parse_args()
    file = lane_data.write(arguments.data, arguments.lanes)
    folder = arguments.data / f"lanes-{arguments.lanes}"
    notes = folder / "bench.json"
    if not notes.exists():
        keys = prepare(folder, TIERS, lambda local: _contribute(local, file))
        notes.write_text(json.dumps(keys))
    key = json.loads(notes.read_text())["vehicle"]
    with serving(folder) as served, serving_peer(file) as (peer, peer_key):
        contenders = {
            "geoshare": (served.base, key, "/collections/lanes/locate"),
            "R-tree": (peer, peer_key, "/locate"),
        }
        asyncio.run(_check(contenders, paths(file, CHECKED, 1)))
        before = served.used_s()["web workers"]
        number = _measure(contenders, file, arguments)
        used = served.used_s()["web workers"] - before
    print(f"processor time of geoshare's web workers: {used / number * 1000:.2f} ms a question")
    print(load_said())
    return 0


def _contribute(local: Local, file: Path) -> None:
    begun = time.perf_counter()
    local.contribute(file, "bench", progress=lambda *_: None, collection="lanes")
    print(f"contributed in {time.perf_counter() - begun:.0f} s")


def paths(file: Path, count: int, seed: int) -> list[str]:
    """Questions, without the path they are asked at."""
    return [
        f"?position={lon:.9f},{lat:.9f},{height:.2f}&heading={heading:.1f}"
        f"&covariance={covariance[0, 0]:.4f},{covariance[0, 1]:.4f},{covariance[1, 1]:.4f}"
        for lon, lat, height, heading, covariance in lane_data.questions(file, count, seed)
    ]


async def _check(contenders: dict[str, tuple[str, str, str]], asked: Sequence[str]) -> None:
    """Compare what both answer. Ends the run where they differ."""
    answers = []
    for name, (base, key, path) in contenders.items():
        line, more = Asking(base, key), "&limit=50" if name == "geoshare" else ""
        answers.append([json.loads((await line.ask(f"{path}{ask}{more}"))[1]) for ask in asked])
    found = 0
    for own, peer in zip(*answers, strict=True):
        for one in peer["candidates"][:1]:
            if one["distance_m"] > 5:  # nobody is there
                continue
            if not any(_same(one, other) for other in own["candidates"]):
                raise SystemExit(f"the R-tree finds {one}, geoshare {own['candidates'][:3]}")
            found += 1
    print(f"{found} of {len(asked)} nearest lanes of the R-tree are among geoshare's, as far away")


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both say the same of a lane; the peer's metres are those of a sphere."""
    turned = (one["bearing_deg"] - other["bearing_deg"] + 180) % 360 - 180
    off_m = abs(one["distance_m"] - other["distance_m"])
    return off_m < CLOSE_M + one["distance_m"] / 100 and abs(turned) < CLOSE_DEG


def _measure(
    contenders: dict[str, tuple[str, str, str]], file: Path, arguments: argparse.Namespace
) -> int:
    """Ask in turns and print; the questions that geoshare was asked."""
    print(f"{'clients':<9}{'':<12}{'per second':>11}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}")
    number, seeds = 0, itertools.count(10)
    for clients in CLIENTS:
        times: dict[str, list[Any]] = {name: [] for name in contenders}
        rates: dict[str, list[float]] = {name: [] for name in contenders}
        for turn in range(arguments.rounds + 1):
            asked = paths(file, arguments.questions, next(seeds))
            for name, (base, key, path) in contenders.items():
                begun = time.perf_counter()
                found = asyncio.run(_ask(base, key, [path + ask for ask in asked], clients))
                if turn:  # the first turn warms up
                    rates[name].append(len(asked) / (time.perf_counter() - begun))
                    times[name].append(np.percentile(np.array(found) * 1000, (50, 95, 99)))
            number += len(asked)
        for name, figures in times.items():
            p50, p95, p99 = np.median(figures, axis=0)
            rate = np.median(rates[name])
            print(f"{clients:<9}{name:<12}{rate:>11.0f}{p50:>9.2f}{p95:>9.2f}{p99:>9.2f}")
    return number


async def _ask(base: str, key: str, asked: Sequence[str], clients: int) -> list[float]:
    left = iter(asked)

    async def work() -> list[float]:
        line = Asking(base, key)
        return [(await line.ask(path))[0] for path in left]

    return list(itertools.chain(*await asyncio.gather(*(work() for _ in range(clients)))))


if __name__ == "__main__":
    sys.exit(main())
