"""An extract as its user has it, against ``ogr2ogr -clipsrc``: asked for, waited for and downloaded.

``python -m tests.bench.fetching [--rounds 3]`` on the data of ``make bench``: about 106,000 of a
million road lines, cut at a polygon of 96 corners, as GeoPackage and as GeoParquet. Ours is from the
request to the last byte of the file over HTTP, with all that an extract is (terms, dictionary,
manifest, seal); theirs reads a GeoPackage of the same lines with its spatial index. Processor time is
that of all of the server's processes, and of ogr2ogr; memory is the most that any process of the server
was seen to have.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import zipfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

import geopandas
import pyogrio
import shapely

from tests.bench import __main__ as bench
from tests.bench import data
from tests.bench.extracting import area_of
from tests.bench.geoshare_server import GeoshareServer
from tests.bench.process import cpu_s, memory_mb

ROADS, BUILDINGS = 1_000_000, 200_000
FORMS = ("gpkg", "parquet")
SHIFT = (
    1e-9  # degrees, by which the area of each round of each run lies elsewhere: none is made already
)
PAUSE_S, PATIENCE_S = 0.02, 300.0
LOOK_S = 0.2  # between looks at memory
MEMORY_MB = 400


class Figures(NamedTuple):
    """One extract."""

    seconds: float
    cpu_s: float
    features: int
    bytes: int


def main() -> None:
    """Measure in turns and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=3, help="of which the median counts")
    rounds = asked.parse_args().rounds
    bench.RESULTS.mkdir(exist_ok=True)
    roads, buildings = data.write(bench.RESULTS / "data", ROADS, BUILDINGS)
    area = _moved(area_of(roads), int(time.time()) % 10_000 * 10)
    with (
        tempfile.TemporaryDirectory() as name,
        GeoshareServer(bench.RESULTS / f"geoshare-{ROADS}", roads, buildings) as own,
        Memory(own.process_id) as memory,
    ):
        work = Path(name)
        for form in FORMS:  # what is compiled or opened once
            _fetched(own, form, _moved(area, -1), work)
        found: dict[str, list[Figures]] = {}
        for turn in range(rounds):
            here = _moved(area, turn)
            for form in FORMS:
                found.setdefault(form, []).append(_fetched(own, form, here, work))
            if shutil.which("ogr2ogr"):
                found.setdefault("ogr2ogr", []).append(_ogr2ogr(_source(roads), here, work))
        _show(found, memory)


def _moved(area: shapely.Polygon, turn: int) -> shapely.Polygon:
    moved: shapely.Polygon = shapely.transform(area, lambda xy: xy + SHIFT * turn)
    return moved


def _fetched(own: GeoshareServer, form: str, area: shapely.Polygon, work: Path) -> Figures:
    """An extract by a job."""
    wanted = {"collections": ["segments"], "format": form, "mode": "clip"}
    body = json.dumps(wanted | {"area": json.loads(shapely.to_geojson(area))}).encode()
    used, begin = sum(cpu_s(own.process_id).values()), time.perf_counter()
    job = json.loads(_answer(own, "/extracts", body))["job"]
    state = {}
    while state.get("status") not in ("done", "failed", "cancelled"):
        if time.perf_counter() - begin > PATIENCE_S:
            raise TimeoutError(f"the extract is not there: {state}")
        time.sleep(PAUSE_S)
        state = json.loads(_answer(own, f"/jobs/{job}"))
    content = _answer(own, f"/jobs/{job}/result")
    target = work / f"own-{form}.zip"
    target.write_bytes(content)
    seconds = time.perf_counter() - begin
    used = sum(cpu_s(own.process_id).values()) - used
    return Figures(seconds, used, _features(content, form, work), len(content))


def _answer(own: GeoshareServer, path: str, body: bytes | None = None) -> bytes:
    headers = own.headers("whole") | {"Prefer": "respond-async", "Content-Type": "application/json"}
    request = urllib.request.Request(own.base + path, body, headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        content: bytes = answer.read()
        return content


def _features(content: bytes, form: str, work: Path) -> int:
    """How many features the file in an extract has, as GDAL or Arrow count them."""
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        name = next(name for name in found.namelist() if name.endswith(f".{form}"))
        path = Path(found.extract(name, work))
    if form == "parquet":
        return len(geopandas.read_parquet(path, columns=["geometry"]))
    return int(pyogrio.read_info(path, layer="segments", force_feature_count=True)["features"])


def _source(roads: Path) -> Path:
    """The lines as a GeoPackage with a spatial index, made once."""
    path = roads.with_suffix(".gpkg")
    if not path.exists():
        made = path.with_suffix(".new.gpkg")
        pyogrio.write_dataframe(geopandas.read_parquet(roads), made, layer="segments")
        made.rename(path)
    return path


def _ogr2ogr(source: Path, area: shapely.Polygon, work: Path) -> Figures:
    target = work / "peer.gpkg"
    target.unlink(missing_ok=True)
    command = ["ogr2ogr", "-f", "GPKG", str(target), str(source), "-clipsrc", area.wkt]
    begin = time.perf_counter()
    timed = ["/usr/bin/time", "-f", "%U %S", *command]
    found = subprocess.run(timed, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - begin
    used = sum(map(float, found.stderr.strip().splitlines()[-1].split()))
    features = int(pyogrio.read_info(target, force_feature_count=True)["features"])
    return Figures(seconds, used, features, target.stat().st_size)


class Memory(threading.Thread):
    """Looks at the most memory of a server's processes, in the ways of ``memory_mb``."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.most: dict[str, tuple[float, ...]] = {}
        self._root, self._over = root, threading.Event()

    def __enter__(self) -> Memory:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look until it is over."""
        while not self._over.wait(LOOK_S):
            for name, sizes in memory_mb(self._root).items():
                self.most[name] = tuple(map(max, sizes, self.most.get(name, sizes)))


def _show(found: dict[str, list[Figures]], memory: Memory) -> None:
    peer = found.get("ogr2ogr")
    if peer is None:
        print("ogr2ogr is not measured: it is not installed (gdal-bin)", file=sys.stderr)
    for name, rounds in found.items():
        seconds, used = (median(said) for said in list(zip(*rounds, strict=True))[:2])
        print(
            f"extract {name}: {rounds[-1].features:,} features, {rounds[-1].bytes / 1e6:.1f} MB,"
            f" {seconds:.2f} s, {used:.2f} s of processor time" + _beside(peer, name, seconds, used)
        )
    for name, (share, resident, anonymous) in sorted(memory.most.items()):
        print(
            f"memory of {name}: {share:.0f} MB (bar {MEMORY_MB}), {resident:.0f} resident, "
            f"{anonymous:.0f} not of files"
        )


def _beside(peer: list[Figures] | None, name: str, seconds: float, used: float) -> str:
    if peer is None or name == "ogr2ogr":
        return ""
    clock = median(said.seconds for said in peer) / seconds
    processor = median(said.cpu_s for said in peer) / used
    return f": {clock:.1f}x ogr2ogr by the clock, {processor:.1f}x by processor time"


if __name__ == "__main__":
    main()
