"""geoshare itself, as the benchmark runs it: own data folder, own tiers, two web workers.

The data folder is made once, through the same functions as ``geoshare contribute``, and kept between
runs. Two tiers are measured: ``whole`` sees everything, ``fenced`` lacks the rows of one class (a tenth
of them), one column, and what lies outside an area. Both are asked with a key, under a rate limit that
is counted but never reached.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import numpy as np

from geoshare.services import build_services
from geoshare.services.local import Local
from geoshare.settings import Settings
from tests.bench.check import get, tile_at
from tests.bench.peers import wait_for
from tests.bench.process import free_port, pss_mb

WORKERS, THREADS = 2, 16
RATE = 1_000_000  # a minute: counted, never reached
HIDDEN_CLASS, HIDDEN_COLUMN = "footway", "width_m"
ROADS = ("route_number", "class", "level", "name", "surface", "width_m", "lane_count")
ROADS += ("speed_limit_kmh", "is_bridge")
BUILDINGS = ("use", "storeys", "height_m")
CACHE_BYTES = 256_000_000


class GeoshareServer:
    """A server on a loopback port. ``cached`` says whether encoded tiles are kept."""

    tiers = ("whole", "fenced")

    def __init__(self, folder: Path, roads: Path, buildings: Path) -> None:
        self.folder = folder.resolve()
        self.made: dict[str, float] = {}
        self._files = {"segments": roads, "buildings": buildings}
        self._keys: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self.base = ""

    def __enter__(self) -> Self:
        self._prepare()
        self.start(cached=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, *, cached: bool) -> float:
        """Start it; the seconds until it was ready."""
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        environ = os.environ | {
            "GEOSHARE_DATA": str(self.folder),
            "GEOSHARE_PORT": str(port),
            "GEOSHARE_WORKERS": str(WORKERS),
            "GEOSHARE_THREADS": str(THREADS),
            "GEOSHARE_LOG_LEVEL": "error",
            "GEOSHARE_TILE_CACHE_BYTES": str(CACHE_BYTES if cached else 0),
        }
        begin = time.perf_counter()
        self._process = subprocess.Popen([sys.executable, "-m", "geoshare.cli", "serve"], env=environ)
        wait_for(self.base + "/readyz", seconds=240.0, pause=0.02)
        return time.perf_counter() - begin

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    @property
    def process_id(self) -> int:
        """Of the process that all others of it are under; LookupError where it is not running."""
        if self._process is None:
            raise LookupError("the server is not running")
        return self._process.pid

    def headers(self, tier: str) -> dict[str, str]:
        """The key of a tier."""
        return {"X-API-Key": self._keys[tier]}

    def paths(self, work: str, asks: Sequence[Any]) -> list[str]:
        """Paths that answer some asks."""
        if work.startswith("tile"):
            return ["/tiles/segments/{}/{}/{}.mvt".format(*ask) for ask in asks]
        return [
            f"/collections/segments/items?bbox={','.join(f'{side:.6f}' for side in box)}&limit={limit}"
            + "".join(f"&filter={quote(text.format(geometry='geometry'))}" for text in filters)
            for box, limit, *filters in asks
        ]

    def cached_path(self) -> list[str]:
        """The tile whose body is nearest to 20 KB."""
        middle = tile_at(139.75, 35.7, 12)
        near = [
            (z, (middle[1] << z - 12) + x, (middle[2] << z - 12) + y)
            for z in (14, 15, 16)
            for x in range(6)
            for y in range(6)
        ]
        paths = self.paths("tile", near)
        sizes = [len(get(self.base, path, self.headers(self.tiers[0]))) for path in paths]
        return [paths[int(np.argmin(np.abs(np.array(sizes) - 20_000)))]]

    def sample_body(self) -> bytes:
        """The body at ``cached_path``, for the floor to answer."""
        return get(self.base, self.cached_path()[0], self.headers(self.tiers[0]))

    def memory_mb(self) -> dict[str, float]:
        """Proportional memory of the web workers, and of all processes."""
        if self._process is None:
            return {}
        return pss_mb(self._process.pid)

    def _prepare(self) -> None:
        notes = self.folder / "bench.json"
        if not notes.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "tiers.toml").write_text(_tiers(), "utf-8")
            notes.write_text(json.dumps(self._make()))
        said = json.loads(notes.read_text())
        self._keys, self.made = said["keys"], said["made"]

    def _make(self) -> dict[str, Any]:
        """Contribute both files, publish them, and make the keys."""
        services = build_services(Settings(data=self.folder))
        local = Local(services)
        made = {}
        for collection, path in self._files.items():
            begin = time.perf_counter()
            report = local.contribute(path, "bench", progress=_silent, collection=collection)
            seconds = time.perf_counter() - begin
            made[f"{collection} rows"] = report.rows_read
            made[f"{collection} contributed in s"] = round(seconds, 2)
        begin = time.perf_counter()
        local.wait_until_visible()
        made["published with views in s"] = round(time.perf_counter() - begin, 2)
        for tier in self.tiers:
            local.agree(f"{tier}-reader", (tier,), days=365, reason="measuring", operator=True)
        keys = {tier: local.create_key(f"{tier}-reader", (tier,), days=365) for tier in self.tiers}
        return {"keys": keys, "made": made}


def _silent(fraction: float, message: str = "") -> None:
    pass


def _tiers() -> str:
    fence = json.dumps(_fence())
    kept = [name for name in ROADS if name != HIDDEN_COLUMN]
    return f"""
[open]
title = "Open"
title_ja = "公開"

[whole]
title = "Everything"
title_ja = "すべて"
requests_per_minute = {RATE}
[[whole.grants]]
collections = ["segments"]
columns = {list(ROADS)}
[[whole.grants]]
collections = ["buildings"]
columns = {list(BUILDINGS)}

[fenced]
title = "Part"
title_ja = "一部"
requests_per_minute = {RATE}
[[fenced.grants]]
collections = ["segments"]
columns = {kept}
rows = "class <> '{HIDDEN_CLASS}'"
area = {_inline(fence)}
[[fenced.grants]]
collections = ["buildings"]
columns = {list(BUILDINGS)}
area = {_inline(fence)}
"""


def _inline(document: str) -> str:
    """A JSON object of strings and numbers as an inline TOML table."""
    return document.replace('": ', '" = ')


def _fence() -> dict[str, Any]:
    """An area with 160 corners in its edge that holds all but a few hundredths of the data."""
    angle = np.linspace(0.0, 2 * np.pi, 161)[:-1]
    radius = 0.96 + 0.03 * np.sin(17 * angle)
    # between a circle and the box of the data
    square = np.maximum(np.abs(np.cos(angle)), np.abs(np.sin(angle)))
    lon = 139.75 + 0.85 * radius * np.cos(angle) / square
    lat = 35.7 + 0.6 * radius * np.sin(angle) / square
    corners = np.round(np.stack([lon, lat], axis=1), 6).tolist()
    return {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}
