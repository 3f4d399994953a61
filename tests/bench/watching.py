"""``python -m tests.bench.watching``: how long until what one officer sets is on all other screens.

The sample town with some hundred shelters more is served; officers edit with pauses as people make
them, watchers look at the map, and both do over HTTP what the pages do: ask what has changed as often
as they are told to; officers are told of their list with versions. Times are from the moment
an officer's request begins to the moment another screen has the value, and to the first answer of
``/items`` that holds it. Clients and server share the machine, and the client's own lag counts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np

from tests.bench.process import cpu_s, free_port

LISTS = ("shelters", "evacuation_areas", "events", "water_points", "damage_reports")
LAYERS = ("evacuation_sites", "shelters", "events", "evacuation_areas", "warnings", "hazard_zones")
PROBE_S = 0.03
PATIENCE_S = 20.0
LON, LAT = (140.86, 140.93), (36.2426, 36.2582)  # of the sample town
TOWN = Path(__file__).resolve().parents[2] / "sample_data"


class Line:
    """One keep-alive connection that reads JSON."""

    def __init__(self, port: int, key: str = "") -> None:
        self._port = port
        self._head = f"Host: 127.0.0.1:{port}\r\n" + (f"X-API-Key: {key}\r\n" if key else "")
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, body: object = None, more: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Status and body of an answer; on a new connection where the idle one was closed."""
        try:
            return await self._ask(method, path, body, more)
        except (asyncio.IncompleteReadError, ConnectionError):
            self._streams = None
            return await self._ask(method, path, body, more)

    async def _ask(self, method: str, path: str, body: object, more: str) -> tuple[int, dict[str, Any]]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        content = b"" if body is None else json.dumps(body).encode()
        kind = "Content-Type: application/json\r\n" if content else ""
        said = f"{self._head}{kind}Content-Length: {len(content)}\r\n{more}"
        writer.write(f"{method} {path} HTTP/1.1\r\n{said}\r\n".encode() + content)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        status, found = int(head.split(b" ", 2)[1]), await reader.readexactly(length)
        return status, json.loads(found) if found else {}


@dataclass
class Board:
    """What was set when, and how long it took to get around."""

    begun: dict[tuple[str, int], float] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    times: dict[str, list[float]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, what: str, seconds: float) -> None:
        """Note a time."""
        self.times.setdefault(what, []).append(seconds * 1000)

    def count(self, what: str) -> None:
        """Note that something was asked or happened."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def seen(self, what: str, features: list[dict[str, Any]], last: dict[str, int]) -> None:
        """A screen has these features, and so all that was set up to what it shows of each."""
        now = time.monotonic()
        for feature in features:
            shown = feature["properties"].get("people_count") or 0
            for number in range(last.get(feature["id"], 0) + 1, shown + 1):
                begun = self.begun.get((feature["id"], number))
                if begun is not None:
                    self.add(what, now - begun)
            last[feature["id"]] = max(shown, last.get(feature["id"], 0))


class Screen:
    """Asks what has changed, and takes it in."""

    desk = ""

    def __init__(self, board: Board, port: int, key: str, names: tuple[str, ...], kind: str) -> None:
        self.board, self.line, self.names, self.kind = board, Line(port, key), names, kind
        self.tokens = dict.fromkeys(names, "")
        self.last: dict[str, int] = {}

    async def run(self, until: float) -> None:
        """Look as often as one is told to."""
        await asyncio.sleep(random.random())
        while time.monotonic() < until:
            query = (
                f"collections={','.join(self.names)}&since={','.join(self.tokens.values())}{self.desk}"
            )
            begun = time.monotonic()
            status, found = await self.line.ask("GET", f"/changes?{query}")
            self.board.count(f"{self.kind}: {status}")
            told_of = " with news" if found.get("collections") else ""
            self.board.add(f"(a look{told_of})", time.monotonic() - begun)
            for name, told in found.get("collections", {}).items():
                first, self.tokens[name] = not self.tokens[name], told["token"]
                if name == "shelters" and not first:
                    await self.take(told)
            wait_s = found.get("next_ms", 1000) / 1000
            self.board.add(f"({self.kind} waits)", wait_s)
            await asyncio.sleep(wait_s * random.uniform(0.9, 1.1))

    async def take(self, told: dict[str, Any]) -> None:
        """What is told is on the screen."""
        self.board.seen(self.kind, told.get("features", {}).get("features", []), self.last)


class Officer(Screen):
    """A screen with the list of shelters, at which somebody works."""

    desk = "&desk=shelters"

    def __init__(self, board: Board, port: int, key: str, think_s: float) -> None:
        super().__init__(board, port, key, LISTS, "officer")
        self._think_s, self._versions, self._writing = think_s, {}, Line(port, key)

    async def open(self) -> None:
        """Ask for the list."""
        _, found = await self.line.ask("GET", "/desk/collections/shelters/items?limit=1000")
        self._versions = {feature["id"]: feature["version"] for feature in found["features"]}

    async def take(self, told: dict[str, Any]) -> None:
        """The list takes what it is told of with its version, and asks for the rest."""
        features = told.get("features", {}).get("features", [])
        ready = [feature for feature in features if feature["id"] in told.get("desk", {})]
        for feature in ready:
            standing = told["desk"][feature["id"]]
            self._versions[feature["id"]] = standing["version"]
            feature["properties"] |= standing["own"]
        self.board.seen(self.kind, ready, self.last)
        known = {feature["id"] for feature in ready}
        for name in [*told.get("created", ()), *told.get("updated", ())]:
            if name in known:
                continue
            status, found = await self.line.ask("GET", f"/desk/collections/shelters/items/{name}")
            self.board.count(f"feature of a list: {status}")
            if status == 200:
                self._versions[name] = found["version"]
                self.board.seen(self.kind, [found], self.last)

    async def work(self, until: float) -> None:
        """Set the number of people in some shelter, think, and so on."""
        while True:
            await asyncio.sleep(random.expovariate(1 / self._think_s))
            if time.monotonic() > until:
                return
            name = random.choice(list(self._versions))
            number = self.board.newest[name] = self.board.newest.get(name, 0) + 1
            begun = self.board.begun[name, number] = time.monotonic()
            await self._set(name, number)
            self.board.add("(saved)", time.monotonic() - begun)
            asyncio.create_task(self._probe(name, number, begun))  # noqa: RUF006

    async def _set(self, name: str, number: int) -> None:
        path, values = f"/collections/shelters/items/{name}", {"people_count": number, "status": "open"}
        for _ in range(5):
            version = f'If-Match: "{self._versions[name]}"\r\n'
            status, found = await self._writing.ask("PATCH", path, {"properties": values}, version)
            self.board.count(f"edit: {status}")
            if status == 200:
                self._versions[name] = found["version"]
                return
            if status == 412:
                self._versions[name] = found["features"][0]["version"]
            else:
                await asyncio.sleep(1)

    async def _probe(self, name: str, number: int, begun: float) -> None:
        line = Line(self.line._port)
        while time.monotonic() < begun + PATIENCE_S:
            status, found = await line.ask("GET", f"/collections/shelters/items/{name}")
            if status == 200 and (found["properties"].get("people_count") or 0) >= number:
                self.board.add("items", time.monotonic() - begun)
                return
            await asyncio.sleep(PROBE_S)
        self.board.count("not in items")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.watching", description=__doc__)
    parser.add_argument("--officers", type=int, default=50)
    parser.add_argument("--watchers", type=int, default=500)
    parser.add_argument("--think", type=float, default=15, help="seconds between edits of an officer")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--shelters", type=int, default=300, help="beside those of the town")
    parser.add_argument("--data", type=Path, help="a folder to serve, made before by this command")
    arguments = parser.parse_args()
    with serving(arguments.shelters, arguments.data) as (port, keys, pid):
        board = Board()
        before, begun = cpu_s(pid), time.monotonic()
        asyncio.run(measure(board, port, keys["municipal"], arguments))
        lasted = time.monotonic() - begun
        used = {who: (after - before.get(who, 0)) / lasted for who, after in cpu_s(pid).items()}
    print(f"{'':<20}{'times':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for what, values in sorted(board.times.items()):
        figures = [*np.percentile(values, (50, 95, 99)), max(values)]
        print(f"{what:<20}{len(values):>8}" + "".join(f"{value:>9.0f}" for value in figures))
    print(", ".join(f"{what} x {number}" for what, number in sorted(board.counts.items())))
    print("cores: " + ", ".join(f"{who} {value:.2f}" for who, value in sorted(used.items())))
    print(f"client {time.process_time() / lasted:.2f}")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0


async def measure(board: Board, port: int, key: str, arguments: argparse.Namespace) -> None:
    """All screens at once, for so many seconds; what was set last has a moment more to get around."""
    officers = [Officer(board, port, key, arguments.think) for _ in range(arguments.officers)]
    for officer in officers:
        await officer.open()
    watchers = [Screen(board, port, "", LAYERS, "watcher") for _ in range(arguments.watchers)]
    until = time.monotonic() + arguments.seconds
    screens = [screen.run(until + 2) for screen in (*officers, *watchers)]
    await asyncio.sleep(0)
    await asyncio.gather(*screens, *(officer.work(until) for officer in officers))


@contextmanager
def serving(shelters: int, kept: Path | None) -> Iterator[tuple[int, dict[str, str], int]]:
    """The town with more shelters: port, keys and process of its server."""
    with tempfile.TemporaryDirectory(prefix="geoshare-watching-") as folder:
        data, port = kept or Path(folder, "data"), free_port()
        environ = os.environ | {"GEOSHARE_DATA": str(data), "GEOSHARE_PORT": str(port)}
        command = [sys.executable, "-m", "geoshare.cli"]
        quiet = {"env": environ, "check": True, "stdout": subprocess.DEVNULL}
        if not data.exists():
            subprocess.run([*command, "init", "--sample", str(TOWN)], **quiet)
            listed = Path(folder, "more.geojson")
            listed.write_text(json.dumps(_more(shelters)), "utf-8")
            said = ("--provider", "shiomi-city", "--collection", "shelters")
            subprocess.run([*command, "contribute", str(listed), *said], **quiet)
        with Path(folder, "log").open("wb") as log:
            server = subprocess.Popen([*command, "serve"], env=environ, stdout=log, stderr=log)
            try:
                _wait(port)
                yield port, json.loads((data / "demo-keys.json").read_text()), server.pid
            finally:
                server.terminate()
                server.wait(timeout=30)


def _more(count: int) -> dict[str, Any]:
    rng = random.Random(5)
    features = [
        {
            "type": "Feature",
            "id": f"more-{number}",
            "geometry": {"type": "Point", "coordinates": [rng.uniform(*LON), rng.uniform(*LAT)]},
            "properties": {"name": f"避難所{number}", "max_capacity": 200},
        }
        for number in range(count)
    ]
    return {"type": "FeatureCollection", "features": features}


def _wait(port: int) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    sys.exit("the server does not become ready")


if __name__ == "__main__":
    sys.exit(main())
