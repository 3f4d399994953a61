"""An extract of a clipped area against ``ogr2ogr -clipsrc``: CPU seconds and largest memory of each.

``python -m tests.bench.extracting FOLDER ROADS`` with the benchmark's data folder of geoshare and its
road lines (GeoParquet). Both sides cut the same features at a polygon of 96 corners that holds about
106,000 of a million, and read what they read from files that are in the system's cache. Ours includes
what an extract is: packing, terms, dictionary, manifest; without the seal, which waits for the log.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio
import shapely

from geoshare.extracts import ExtractRequest, write_extract
from geoshare.services import build_services
from geoshare.settings import Settings

CORNERS, WANTED = 96, 106_000
TIER, ROUNDS = "whole", 3


def main() -> None:
    """Measure and print the ratios."""
    if sys.argv[1] == "--own":
        _own(*sys.argv[2:])
        return
    folder, roads = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        area = area_of(roads)
        source = work / "roads.gpkg"
        pyogrio.write_dataframe(geopandas.read_parquet(roads), source, layer="segments")
        (work / "area.json").write_text(shapely.to_geojson(area))
        peer = _figures(
            [["ogr2ogr", "-f", "GPKG", str(work / f"{n}.gpkg"), str(source), "-clipsrc", area.wkt]
             for n in range(ROUNDS)]
        )  # fmt: skip
        counted = len(pyogrio.raw.read(work / "0.gpkg", columns=[])[2])
        print(f"ogr2ogr -clipsrc: {counted} features, {peer['cpu_s']:.2f} s CPU, {peer['mb']:.0f} MB")
        for form in ("gpkg", "parquet"):
            command = [sys.executable, "-m", "tests.bench.extracting", "--own", str(folder)]
            said = [*command, form, str(work / "area.json"), str(work / f"own-{form}.zip")]
            _figures([said])  # whatever is to be compiled
            _figures([said] * ROUNDS)
            made = json.loads((work / f"own-{form}.zip.json").read_text())
            used_s = made["cpu_s"]
            print(
                f"geoshare {form}: {made['features']} features, {used_s:.2f} s CPU, "
                f"{made['mb']:.0f} MB of its own; {peer['cpu_s'] / used_s:.1f}x ogr2ogr"
            )


def _own(folder: str, form: str, area: str, target: str) -> None:
    """One extract in a process of its own, as a worker that is running makes it."""
    services = build_services(Settings(data=Path(folder)))
    policy = services.policies.of_tier(TIER, "download")
    said = {"collections": ["segments"], "format": form, "mode": "clip"}
    request = ExtractRequest.model_validate(said | {"area": json.loads(Path(area).read_text())})
    times = []
    memory = _Memory()
    memory.start()
    for _ in range(2):  # the first one opens what a worker has open
        before = _cpu_s()
        found = write_extract(
            request, policy, services.views, Path(target), now_us=0, work_dir=Path(target).parent
        )
        times.append(_cpu_s() - before)
    said = {"cpu_s": times[-1], "features": found["features"]["segments"], "mb": memory.most_mb}
    Path(target + ".json").write_text(json.dumps(said))


class _Memory(threading.Thread):
    """Looks at the memory that is the process's own: pages of mapped packs are the system's cache."""

    most_mb = 0.0

    def __init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        while True:
            text = Path("/proc/self/status").read_text()
            kilobytes = next(line for line in text.splitlines() if line.startswith("RssAnon")).split()[
                1
            ]
            self.most_mb = max(self.most_mb, int(kilobytes) / 1024)
            time.sleep(0.02)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _figures(commands: list[list[str]]) -> dict[str, Any]:
    """Median CPU seconds and largest memory in MB of commands."""
    seconds, memory = [], []
    for command in commands:
        found = subprocess.run(
            ["/usr/bin/time", "-f", "%U %S %M", *command], capture_output=True, text=True, check=True
        )
        user, system, kilobytes = found.stderr.strip().splitlines()[-1].split()
        seconds.append(float(user) + float(system))
        memory.append(int(kilobytes) / 1024)
    return {"cpu_s": statistics.median(seconds), "mb": max(memory)}


def area_of(roads: Path) -> shapely.Polygon:
    """A polygon around the middle of the data that meets as many roads as wanted."""
    frame = geopandas.read_parquet(roads, columns=["geometry"])
    bounds = frame.geometry.bounds
    lon, lat = (bounds.minx + bounds.maxx) / 2, (bounds.miny + bounds.maxy) / 2
    middle = np.array([lon.median(), lat.median()])
    far = np.sort(np.hypot(lon - middle[0], lat - middle[1]))
    turns = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    radius = far[min(WANTED, len(far) - 1)]
    return shapely.Polygon(middle + radius * np.column_stack([np.cos(turns), np.sin(turns)]))


if __name__ == "__main__":
    main()
