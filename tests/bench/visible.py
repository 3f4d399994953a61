"""``python -m tests.bench.visible``: how long until every worker shows what was committed, under load.

A copy of the benchmark's data folder is served while wrk reads tiles and pages from it on four
connections. Changes of 100 roads are committed one after the other; after each, one of the roads is
asked for as an item and in a tile, from every web worker on a connection of its own, until the new
value is there. Times are from the commit (``committed_us`` in the record) to the end of the first
answer that shows it; so they hold the wait behind the other readers, too. All of it shares the machine:
load of others makes the figures worse, never better.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import secrets
import shutil
import sys
import tempfile
import threading
import time
import urllib.error
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import geopandas
import numpy as np
from sqlalchemy import func, select

from geoshare.publish import read_manifest
from geoshare.services import build_services
from geoshare.services.local import Local
from geoshare.settings import Settings
from geoshare.store.record_tables import CHANGESETS
from tests.bench import client
from tests.bench.check import get, tile_at
from tests.bench.geoshare_server import GeoshareServer
from tests.bench.process import connection_owner

RESULTS = Path("bench-results")
FEATURES = 100
ZOOM = 14
PAUSE_S = 0.002
PATIENCE_S = 30.0


@dataclass
class Times:
    """Milliseconds from the commit, by what was waited for."""

    found: dict[str, list[float]] = field(default_factory=dict)
    most_parts: int = 0  # of the pack at any time
    folds: int = 0  # into the base

    def add(self, what: str, seconds: float) -> None:
        """Note one."""
        self.found.setdefault(what, []).append(seconds * 1000)

    def lines(self) -> Iterator[str]:
        """A table."""
        yield f"{'visible in':<22}{'changes':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'max ms':>9}"
        for what, values in sorted(self.found.items()):
            figures = [*np.percentile(values, (50, 95, 99)), max(values)]
            yield f"{what:<22}{len(values):>8}" + "".join(f"{value:>9.1f}" for value in figures)


class Probe:
    """One keep-alive connection to one worker."""

    def __init__(self, base: str, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
        self._headers = headers
        self.read("/healthz")
        local = self._connection.sock.getsockname()[1]
        self.worker = connection_owner(local, urlsplit(base).port or 80)

    def read(self, path: str) -> bytes:
        """The body of an answer."""
        return self._ask(path)[1]

    def status(self, path: str) -> int:
        """The status of an answer."""
        return self._ask(path)[0]

    def _ask(self, path: str) -> tuple[int, bytes]:
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def main() -> int:
    """Measure and print."""
    arguments = _arguments()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="geoshare-visible-")))
        shutil.copytree(
            arguments.data, folder / "data", ignore=shutil.ignore_patterns("*.bell", "scratch")
        )
        roads = geopandas.read_parquet(arguments.roads)
        own = stack.enter_context(GeoshareServer(folder / "data", arguments.roads, arguments.roads))
        services = build_services(Settings(data=folder / "data"))
        wait_ready(own)
        asking = probes(own, arguments.workers, own.headers("whole"))
        for probe in asking:
            stack.callback(probe.close)
        reads = stack.enter_context(load(own, roads)) if arguments.load else []
        times = _changes(own, services, roads, asking, folder, arguments)
    print("\n".join(times.lines()))
    print(f"most parts at once: {times.most_parts}; folds into the base: {times.folds}")
    rates = [read.per_second for read in reads]
    print(f"wrk meanwhile: {np.median(rates):.0f}/s (median)" if rates else "no other reads")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.visible", description=__doc__)
    parser.add_argument("--data", type=Path, default=RESULTS / "geoshare-1000000")
    parser.add_argument("--roads", type=Path, default=RESULTS / "data" / "roads-1000000.parquet")
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--pause", type=float, default=0.3, help="seconds between two changes")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--no-load", dest="load", action="store_false")
    return parser.parse_args()


def wait_ready(own: GeoshareServer) -> None:
    """Packs and views of an older format are built anew first."""
    deadline = time.monotonic() + 300
    for tier in own.tiers:
        while True:
            try:
                get(own.base, "/collections/segments/items?limit=1", own.headers(tier))
                break
            except urllib.error.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


def probes(own: GeoshareServer, workers: int, headers: dict[str, str]) -> list[Probe]:
    """A connection to each of the workers; the kernel deals them out."""
    found: dict[int, Probe] = {}
    for _ in range(200):
        probe = Probe(own.base, headers)
        if probe.worker in found:
            probe.close()
        else:
            found[probe.worker] = probe
        if len(found) == workers:
            return list(found.values())
    sys.exit(f"only {len(found)} of {workers} workers answer")


@contextmanager
def load(own: GeoshareServer, roads: geopandas.GeoDataFrame) -> Iterator[list[client.Measurement]]:
    """Tiles and pages of both tiers, as fast as they come."""
    random = np.random.default_rng(7)
    bounds = roads.geometry.iloc[random.choice(len(roads), 60)].bounds.to_numpy()
    paths = own.paths("tile", [tile_at(lon, lat, z) for lon, lat, *_ in bounds for z in (14, 16)])
    boxes = [((lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01), 100) for lon, lat, *_ in bounds]
    paths += own.paths("items", boxes)
    random.shuffle(paths)
    done, measured = threading.Event(), []

    def work() -> None:
        tiers = list(own.tiers)
        while not done.is_set():
            measured.append(client.run(own.base, paths, own.headers(tiers[0]), 2.0))
            tiers.reverse()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield measured
    finally:
        done.set()
        thread.join()


def _changes(
    own: GeoshareServer,
    services: Any,
    roads: geopandas.GeoDataFrame,
    probes: Sequence[Probe],
    folder: Path,
    arguments: argparse.Namespace,
) -> Times:
    times, local = Times(), Local(services)
    random, base = np.random.default_rng(11), ""
    manifest = services.packs_dir / "segments" / "manifest.json"
    for number in range(arguments.changes + 3):
        chosen = roads.iloc[random.choice(len(roads), FEATURES, replace=False)].copy()
        marker = f"visible {number} {secrets.token_hex(4)}"
        chosen["name"] = marker
        lon, lat = (float(value) for value in chosen.geometry.iloc[0].coords[0])
        waits = _ways(own, probes[0], chosen.iloc[0], lon, lat)
        path = folder / "change.parquet"
        chosen.to_parquet(path)
        begun = time.time()
        local.contribute(path, "bench", progress=_silent, collection="segments")
        committed = _committed_s(services)
        if number < 3:  # the first ones warm up
            _watch(Times(), waits, probes, marker, committed)
            continue
        times.add("(taking it in)", committed - begun)
        seen_s = manifest.stat().st_mtime
        while seen_s < committed:  # a manifest of before
            time.sleep(PAUSE_S)
            seen_s = manifest.stat().st_mtime
        _watch(times, waits, probes, marker, committed)
        times.add("(pack written)", seen_s - committed)
        base = _note_parts(times, services, base)
        time.sleep(arguments.pause)
    return times


def _note_parts(times: Times, services: Any, base: str) -> str:
    """Count parts, and folds into the base; the name of its first part."""
    published = read_manifest(services.packs_dir, "segments")
    if published is None:
        return base
    times.most_parts = max(times.most_parts, len(published.parts))
    times.folds += bool(base) and published.parts[0].name != base
    return published.parts[0].name


def _ways(own: GeoshareServer, probe: Probe, road: Any, lon: float, lat: float) -> dict[str, str]:
    """Paths that show a road: as an item, and in a tile."""
    near = own.paths("items", [((lon - 0.001, lat - 0.001, lon + 0.001, lat + 0.001), 1000)])[0]
    features = json.loads(probe.read(near))["features"]
    ids = {found["properties"]["route_number"]: found["id"] for found in features}
    item = f"/collections/segments/items/{ids[road['route_number']]}"
    return {"item": item, "tile": own.paths("tile", [tile_at(lon, lat, ZOOM)])[0]}


def _committed_s(services: Any) -> float:
    with services.record.snapshot() as connection:
        last = connection.execute(select(func.max(CHANGESETS.c.committed_us))).scalar_one()
    return float(last) / 1e6


def _watch(
    times: Times, ways: dict[str, str], probes: Sequence[Probe], marker: str, committed: float
) -> None:
    """Ask until all workers show the marker both ways."""
    left = [(what, path, probe) for probe in probes for what, path in ways.items()]
    text, seen = marker.encode(), []
    while left:
        for ask in list(left):
            what, path, probe = ask
            if text in probe.read(path):
                seen.append(time.time() - committed)
                times.add(what, seen[-1])
                left.remove(ask)
        if time.time() - committed > PATIENCE_S:
            sys.exit(f"{marker} is not visible after {PATIENCE_S} s: {[ask[:2] for ask in left]}")
        time.sleep(PAUSE_S)
    times.add("all, in all workers", max(seen))


def _silent(fraction: float, message: str = "") -> None:
    pass


if __name__ == "__main__":
    sys.exit(main())
