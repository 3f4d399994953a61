"""``python -m tests.bench.arriving``: 100 features, from the contribution until somebody else has them.

One key sends batches of 100 features; another holds a stream of changes, asks for the feed of changes
since its last token, and asks for a page of the features, until each shows the new values. Times are
from the moment the request begins to the moment the answer that shows them is here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from tests.bench.serving import load_said, prepare, serving

FEATURES = 100
PAUSE_S = 0.01
PATIENCE_S = 30.0
TIERS = {
    "gateway": '[[gateway.grants]]\nactions = ["contribute"]\ncollections = ["places"]',
    "reader": '[[reader.grants]]\nactions = ["discover", "read", "stream"]\n'
    'collections = ["places"]\ncolumns = ["name"]',
}


class Line:
    """One keep-alive connection of a key."""

    def __init__(self, base: str, key: str) -> None:
        self._port = urlsplit(base).port or 80
        self._head = f"Host: 127.0.0.1:{self._port}\r\nX-API-Key: {key}\r\n"
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"", more: str = "") -> dict[str, Any]:
        """The JSON of an answer."""
        reader = await self.begin(method, path, body, more)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        found = await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 2"):
            raise SystemExit(f"{path}: {head!r} {found!r}")
        return dict(json.loads(found))

    async def begin(
        self, method: str, path: str, body: bytes = b"", more: str = ""
    ) -> asyncio.StreamReader:
        """Ask, and return what the answer is read from."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
        reader, writer = self._streams
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n{more}\r\n"
        writer.write(head.encode() + body)
        return reader


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.arriving", description=__doc__)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--features", type=int, default=100_000, help="in the collection before")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="geoshare-arriving-") as folder:
        data, before = Path(folder, "data"), Path(folder, "before.geojson")
        before.write_bytes(batch("before", arguments.features, 7))
        keys = prepare(
            data,
            TIERS,
            lambda local: local.contribute(
                before, "bench", progress=lambda *_: None, collection="places"
            ),
        )
        with serving(data) as served:
            times = asyncio.run(_measure(served.base, keys, arguments.repeats))
    print(f"{'until it is in':<26}{'times':>6}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for what, values in times.items():
        figures = [*np.percentile(np.array(values), (50, 95, 99)), max(values)]
        print(f"{what:<26}{len(values):>6}" + "".join(f"{value * 1000:>9.0f}" for value in figures))
    print(load_said())
    return 0


async def _measure(base: str, keys: dict[str, str], repeats: int) -> dict[str, list[float]]:
    gateway, reader = Line(base, keys["gateway"]), keys["reader"]
    asking, feed = Line(base, reader), Line(base, reader)
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening = asyncio.create_task(_listen(Line(base, reader), heard))
    times: dict[str, list[float]] = {"the answer (202)": []}
    for number in range(repeats + 3):
        token = (await feed.ask("GET", "/collections/places/changes"))["token"]
        marker, begun = f"arriving {number}", time.perf_counter()

        async def taken(begun: float = begun, number: int = number, marker: str = marker) -> float:
            more = f"Content-Type: application/geo+json\r\nIdempotency-Key: a{number}\r\n"
            body = batch(marker, FEATURES, number)
            await gateway.ask("POST", "/contributions?collection=places", body, more)
            return time.perf_counter() - begun

        page = f"/collections/places/items?limit=1000&name={marker.replace(' ', '%20')}"
        since = f"/collections/places/changes?since={token}"
        found = await asyncio.gather(
            taken(),
            _until(asking, page, lambda said: len(said["features"]) == FEATURES, begun),
            _until(feed, since, lambda said: len(said["created"]) >= FEATURES, begun),
            _hears(heard, begun),
        )
        if number >= 3:  # the first ones warm up
            for what, seconds in zip(NAMES, found, strict=True):
                times.setdefault(what, []).append(seconds)
        await asyncio.sleep(0.3)
    listening.cancel()
    return times


NAMES = ("the answer (202)", "/items of another key", "/changes of another key", "its stream of events")


async def _until(line: Line, path: str, shown: Any, begun: float) -> float:
    while not shown(await line.ask("GET", path)):
        if time.perf_counter() - begun > PATIENCE_S:
            raise SystemExit(f"{path} does not show it")
        await asyncio.sleep(PAUSE_S)
    return time.perf_counter() - begun


async def _listen(line: Line, heard: asyncio.Queue[str]) -> None:
    reader = await line.begin("GET", "/collections/places/changes/stream")
    while said := await reader.readline():
        if said.startswith(b"data:") and b'"created"' in said:
            await heard.put(said.decode())


async def _hears(heard: asyncio.Queue[str], begun: float) -> float:
    """Seconds until events have told of all of them."""
    told = 0
    while told < FEATURES:
        said = await asyncio.wait_for(heard.get(), PATIENCE_S)
        told += len(json.loads(said.removeprefix("data:"))["created"])
    return time.perf_counter() - begun


def batch(name: str, count: int, seed: int) -> bytes:
    """Points of that name."""
    random = np.random.default_rng(seed)
    features = [
        {
            "type": "Feature",
            "id": f"{name} {at}",
            "geometry": {"type": "Point", "coordinates": [round(lon, 7), round(lat, 7)]},
            "properties": {"id": f"{name} {at}", "name": name, "class": "sign"},
        }
        for at, (lon, lat) in enumerate(random.uniform((139.6, 35.6), (139.7, 35.7), (count, 2)))
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


if __name__ == "__main__":
    sys.exit(main())
