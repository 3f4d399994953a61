"""Does memory stay flat under everything at once? ``python -m tests.bench.soak --minutes 10``.

A server with the sample town is read (tiles, pages, rasters), asked wrong questions and made to write
extracts, and its data change twice a second, while the proportional memory (PSS) of each of its
processes is sampled. After a warm-up a line is fitted to each process: anonymous memory that grows by
more than a few percent is said to grow, and the exit code is 1. Documented in docs/performance.md.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from tests.bench.check import tile_at
from tests.bench.peers import wait_for
from tests.bench.process import free_port, pss_by_process

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "bench-results" / "soak.json"
CACHE_BYTES = 16_000_000  # full before the warm-up ends
SAMPLE_S = 5.0
WARM_UP = 0.6  # of the time; caches of databases fill with some 400 changes
ALLOWED_SHARE, ALLOWED_MB = 0.03, 4.0  # growth while measured
ALL, ANONYMOUS = "all of these", "anonymous"
CHANGED = 100  # features of each change
READERS, READS_PER_S = 3, 25.0
FORMATS = ("gpkg", "geojson", "parquet", "fgb", "pmtiles")


class Load:
    """Threads that ask a server for everything until they are told to stop."""

    def __init__(self, base: str, keys: dict[str, str]) -> None:
        self._address = urlsplit(base).netloc
        self._keys = keys
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.statuses: Counter[str] = Counter()
        self.box = self._extent()

    def start(self) -> None:
        """Begin."""
        duties: list[tuple[Callable[[random.Random], None], float]] = [
            *[(self._read, 1 / READS_PER_S)] * READERS,
            (self._ask_wrongly, 0.2),
            (self._change, 0.5),
            (self._extract, 5.0),
        ]
        for number, (duty, pause) in enumerate(duties):
            thread = threading.Thread(target=self._repeat, args=(duty, pause, number), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)

    def _repeat(self, duty: Callable[[random.Random], None], pause: float, seed: int) -> None:
        chance = random.Random(seed)
        while not self._stopping.is_set():
            begin = time.monotonic()
            try:
                duty(chance)
            except (OSError, http.client.HTTPException) as error:
                self._count(type(error).__name__)
            self._stopping.wait(max(0.0, pause - (time.monotonic() - begin)))

    def _read(self, chance: random.Random) -> None:
        lon, lat = self._place(chance)
        key = chance.choice((None, *self._keys))
        z = chance.randrange(9, 18)
        _, x, y = tile_at(lon, lat, z)
        half = 10 ** chance.uniform(-4, -2)
        bbox = ",".join(f"{side:.6f}" for side in (lon - half, lat - half, lon + half, lat + half))
        name = chance.choice(("segments", "shelters", "hazard_zones", "places"))
        paths = (
            f"/tiles/segments,places,shelters/{z}/{x}/{y}.mvt",
            f"/tiles/{name}/{z}/{x}/{y}.mvt",
            f"/collections/{name}/items?limit=100&bbox={bbox}",
            f"/collections/{name}",
            f"/tiles/{name}.json",
            f"/raster/satellite/{z}/{x}/{y}.png",
            f"/collections/places/items?limit={chance.choice((10, 1000))}",
        )
        self._ask("GET", chance.choice(paths), key)

    def _ask_wrongly(self, chance: random.Random) -> None:
        paths = (
            "/collections/nonsense/items",
            "/collections/places/items?limit=-1",
            "/collections/places/items?bbox=1,2",
            "/collections/places/items?filter=" + "(" * chance.randrange(1, 200),
            f"/tiles/places/9/{1 << 9}/0.mvt",
            f"/collections/places/items/{chance.random()}",
            f"/jobs/{chance.random()}",
        )
        self._ask("GET", chance.choice(paths), chance.choice((None, "developer")))
        self._ask("POST", "/extracts", "developer", b"{" * chance.randrange(9))

    def _change(self, chance: random.Random) -> None:
        west, south, east, north = self.box
        features = [
            {
                "type": "Feature",
                "id": f"soak-{number}",
                "properties": {"id": f"soak-{number}", "name": f"{chance.random():.6f}"},
                "geometry": {
                    "type": "Point",
                    "coordinates": [
                        west + (east - west) * number / CHANGED,
                        south + (north - south) * chance.random(),
                    ],
                },
            }
            for number in range(CHANGED)
        ]
        body = json.dumps({"type": "FeatureCollection", "features": features}).encode()
        self._ask("POST", "/contributions?collection=places&filename=soak.geojson", "provider", body)

    def _extract(self, chance: random.Random) -> None:
        west, south, east, north = self.box
        asked = {
            "collections": ["segments", "places"],
            "format": chance.choice(FORMATS),
            "bbox": [west, south, (west + east) / 2, (south + north) / 2],
        }
        if asked["format"] == "pmtiles":
            asked["max_zoom"] = 12
        self._ask("POST", "/extracts", "developer", json.dumps(asked).encode())

    def _place(self, chance: random.Random) -> tuple[float, float]:
        west, south, east, north = self.box
        return chance.uniform(west, east), chance.uniform(south, north)

    def _extent(self) -> list[float]:
        found = json.loads(self._ask("GET", "/collections/segments", None))
        box: list[float] = found["extent"]["spatial"]["bbox"][0]
        return box

    def _ask(self, method: str, path: str, key: str | None, body: bytes | None = None) -> bytes:
        headers = {} if key is None else {"X-API-Key": self._keys[key]}
        if body is not None:
            headers["Content-Type"] = "application/json"
        with contextlib.closing(http.client.HTTPConnection(self._address, timeout=60)) as line:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            content = answer.read()
        self._count(str(answer.status))
        return content

    def _count(self, what: str) -> None:
        with self._lock:
            self.statuses[what] += 1


def fit(times_s: list[float], sizes_mb: list[float]) -> dict[str, float]:
    """Least squares line through samples after the warm-up."""
    times, sizes = np.array(times_s), np.array(sizes_mb)
    slope, _ = np.polyfit(times, sizes, 1)
    return {
        "first_mb": round(float(sizes[:3].mean()), 1),
        "mean_mb": round(float(sizes.mean()), 1),
        "most_mb": round(float(sizes.max()), 1),
        "growth_mb": round(float(slope * (times[-1] - times[0])), 2),
        "mb_per_hour": round(float(slope * 3600), 1),
    }


def grows(name: str, found: dict[str, float]) -> bool:
    """Whether a line of anonymous memory rises by more than noise.

    The first process does nothing and is left out: its share of pages grows as its children make copies
    of theirs, which the sum does not.
    """
    if not name.endswith(ANONYMOUS) or name.startswith("server "):
        return False
    return found["growth_mb"] > max(ALLOWED_MB, ALLOWED_SHARE * found["mean_mb"])


def measure(root: int, minutes: float) -> dict[str, dict[str, float]]:
    """Sample memory for so long; lines of each process that lived through it, and of all.

    Anonymous memory and all of it: the second grows with the files that are mapped, the record's log
    and database among them, which grow by every change.
    """
    begin = time.monotonic()
    samples: list[tuple[float, dict[str, tuple[float, float]]]] = []
    while (now := time.monotonic() - begin) < minutes * 60:
        samples.append((now, pss_by_process(root)))
        time.sleep(SAMPLE_S)
    kept = [sample for sample in samples if sample[0] >= WARM_UP * minutes * 60]
    lasting = set.intersection(*(set(sizes) for _, sizes in kept))
    times = [moment for moment, _ in kept]
    found = {}
    for which, kind in enumerate(("with files", ANONYMOUS)):
        for name in sorted(lasting):
            found[f"{name} {kind}"] = fit(times, [sizes[name][which] for _, sizes in kept])
        found[f"{ALL} {kind}"] = fit(
            times, [sum(sizes[name][which] for name in lasting) for _, sizes in kept]
        )
    return found


def main() -> int:
    """Serve, load, measure, and say what grows."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        environ = os.environ | {
            "GEOSHARE_DATA": f"{folder}/data",
            "GEOSHARE_PORT": str(free_port()),
            "GEOSHARE_TILE_CACHE_BYTES": str(CACHE_BYTES),
            "GEOSHARE_LOG_LEVEL": "error",
        }
        command = [sys.executable, "-m", "geoshare.cli"]
        town = str(ROOT / "sample_data")
        subprocess.run(
            [*command, "init", "--sample", town], env=environ, check=True, stdout=subprocess.DEVNULL
        )
        server = subprocess.Popen([*command, "serve"], env=environ, start_new_session=True)
        try:
            base = f"http://127.0.0.1:{environ['GEOSHARE_PORT']}"
            wait_for(base + "/readyz", seconds=240.0, pause=0.1)
            keys = json.loads(Path(folder, "data", "demo-keys.json").read_text())
            load = Load(base, keys)
            load.start()
            found = measure(server.pid, minutes)
            load.stop()
        finally:
            _end(server)
    return _say(minutes, found, load.statuses)


def _end(server: subprocess.Popen[bytes]) -> None:
    """Stop the server; where it does not stop, all of its processes."""
    server.terminate()
    try:
        server.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        print("FAILED: the server did not end within a minute", file=sys.stderr)


def _say(minutes: float, found: dict[str, dict[str, float]], statuses: Counter[str]) -> int:
    failed = {name: count for name, count in statuses.items() if not name.isdecimal() or name == "500"}
    for name, line in found.items():
        verdict = "GROWS" if grows(name, line) else "flat" if name.endswith(ANONYMOUS) else ""
        print(
            f"{name:<34} mean {line['mean_mb']:>7} MB  most {line['most_mb']:>7} MB  "
            f"grew {line['growth_mb']:>6} MB ({line['mb_per_hour']} MB/h)  {verdict}"
        )
    print("answers: " + ", ".join(f"{name}: {count}" for name, count in sorted(statuses.items())))
    RESULT.parent.mkdir(exist_ok=True)
    said = {"minutes": minutes, "processes": found, "answers": dict(statuses)}
    RESULT.write_text(json.dumps(said, indent=1))
    if failed:
        print(f"FAILED: {failed}")
    return 1 if failed or any(grows(*item) for item in found.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
