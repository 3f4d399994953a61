"""What policies cost, and how soon they take effect: ``python -m tests.bench --only tiers``.

Four lines, each with its target. *Deciding* is who asks, whether they may ask once more, and opening
what they may see of a collection, all of it warm, in one process. *Fenced tiles* are those of z14 of
the tier ``fenced`` against the same ones of ``whole``, in turns. *Hits* are tiles that need not be made
when 50 consumers, each fenced to one of 50 invented municipalities, ask for a seeded trace of places
and zooms (mostly in their own), against one who asks for all of it. *Revoking* is from the call that
revokes a key to the first moment at which every worker has refused it, while others read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import geopandas
import numpy as np
import shapely

from geoshare.access.build import build_views
from geoshare.access.memory import Memory
from geoshare.access.view import View
from geoshare.access.views import Views
from geoshare.api.admit import TURN, admit
from geoshare.model.policy import Grant, Policy
from geoshare.publish import Packs
from geoshare.query.tiles import Place
from geoshare.services import Services, build_services
from geoshare.services.bodies import Kept
from geoshare.services.tiles import Tiles
from geoshare.settings import Settings
from tests.bench import client
from tests.bench.check import tile_at
from tests.bench.geoshare_server import ROADS, GeoshareServer
from tests.bench.visible import load, probes, wait_ready

DECISIONS, WARM = 20_000, 2_000
CONSUMERS, ASKS = 50, 20_000
ZOOMS, SHARES = (11, 12, 13, 14, 15, 16), (0.03, 0.07, 0.15, 0.25, 0.25, 0.25)
PLACES = 400  # that anybody looks at, some far more often than others
AT_HOME = 0.8  # of the looks of a consumer are at its own municipality
REVOCATIONS = 10
PATIENCE_S = 30.0
PAUSE_S = 0.002
SEED = 11


def measure(own: GeoshareServer, roads: Path, rounds: int, seconds: float) -> list[dict[str, Any]]:
    """All lines: what, the figure, its unit, and the target."""
    wait_ready(own)
    services = build_services(Settings(data=own.folder))
    key = own.headers("fenced")["X-API-Key"]
    decided_us = _decisions(services, key, time.perf_counter_ns)
    worked_us = _decisions(services, key, time.thread_time_ns)  # what others keep from running apart
    share, spread = _fenced_share(own, roads, rounds, seconds)
    hits = _hits(services, roads)
    revoked_s = _revocations(own, services, roads)
    return [
        _line("deciding, median", np.percentile(decided_us, 50), "us", ""),
        _line("deciding, p99", np.percentile(decided_us, 99), "us", "under 100"),
        _line("deciding, p99 of processor time", np.percentile(worked_us, 99), "us", "under 100"),
        _line("fenced tiles of z14, of the open ones", 100 * share, "%", "90 or more"),
        _line("the same, least and most of the rounds", spread, "%", ""),
        _line("hits of one consumer", 100 * hits[0], "%", ""),
        _line("hits of 50 fenced consumers", 100 * hits[1], "%", ""),
        _line("hits of 50, of those of one", 100 * hits[1] / hits[0], "%", "90 or more"),
        _line("revoking under load, median", median(revoked_s), "s", ""),
        _line("revoking under load, most", max(revoked_s), "s", "under 1"),
    ]


def show(lines: Sequence[dict[str, Any]]) -> None:
    """Print the lines."""
    print(f"\n{'tiers':<42}{'measured':>16}  target")
    for line in lines:
        print(f"{line['what']:<42}{line['figure']:>13} {line['unit']:<2}  {line['target']}")


def _line(what: str, figure: Any, unit: str, target: str) -> dict[str, Any]:
    said = figure if isinstance(figure, str) else round(float(figure), 3)
    return {"what": what, "figure": said, "unit": unit, "target": target}


def _decisions(services: Services, key: str, now_ns: Callable[[], int]) -> np.ndarray:
    """Microseconds of single decisions about a tile, from the credential to the opened view."""
    said = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/tiles/segments/14/14550/6450.mvt",
        "QUERY_STRING": "",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_API_KEY": key,
    }
    times = []
    for number in range(WARM + DECISIONS):
        environ = dict(said)
        begun_ns = now_ns()
        who = admit(services, environ)
        services.view(who, "segments", "tile")
        spent_ns = now_ns() - begun_ns
        services.quotas.turns.leave(environ[TURN])
        if number >= WARM:
            times.append(spent_ns)
    return np.array(times) / 1e3


def _fenced_share(own: GeoshareServer, roads: Path, rounds: int, seconds: float) -> tuple[float, str]:
    """Median of what ``fenced`` reaches of ``whole`` in the same round; least and most."""
    random = np.random.default_rng(SEED)
    bounds = geopandas.read_parquet(roads, columns=["geometry"]).geometry.bounds.to_numpy()
    chosen = bounds[random.choice(len(bounds), 60, replace=False)]
    paths = own.paths("tile", [tile_at(lon, lat, 14) for lon, lat, *_ in chosen])
    shares = []
    for turn in range(rounds + 1):
        one, other = (
            client.run(own.base, paths, own.headers(tier), seconds if turn else 1.0)
            for tier in ("whole", "fenced")
        )
        if turn:  # the first turn warms up
            shares.append(other.per_second / one.per_second)
    return median(shares), f"{100 * min(shares):.0f} to {100 * max(shares):.0f}"


class _Counted(Tiles):
    """Kept tiles that count what has to be made."""

    def __init__(self) -> None:
        super().__init__(1_000_000_000, sleep=lambda seconds: None)
        self.made = 0

    def ask(self, view: View, place: Place) -> None:
        def make(content: bytes) -> Kept:
            self.made += 1
            return Kept(str(hash(content)), "", content)

        self.answer([view], place, "", make)


def _hits(services: Services, roads: Path) -> tuple[float, float]:
    """Shares of a trace that one consumer, and that 50 fenced ones, find kept."""
    random = np.random.default_rng(SEED)
    bounds = geopandas.read_parquet(roads, columns=["geometry"]).geometry.bounds.to_numpy()
    seats = bounds[random.choice(len(bounds), CONSUMERS, replace=False), :2]
    spots = bounds[random.choice(len(bounds), PLACES, replace=False), :2]
    with TemporaryDirectory() as folder:
        whole, *fenced = _views(services, Path(folder), [None, *_municipalities(seats)])
        one, many = _Counted(), _Counted()
        homes = [int(np.argmin(np.hypot(*(seats - spot).T))) for spot in spots]
        for _ in range(ASKS):
            spot = int(random.zipf(1.3)) % PLACES
            lon, lat = spots[spot] + random.normal(size=2) * 0.003
            home = random.random() < AT_HOME
            consumer = homes[spot] if home else int(random.integers(CONSUMERS))
            z = int(random.choice(ZOOMS, p=SHARES))
            place = Place("WebMercatorQuad", *tile_at(lon, lat, z))
            one.ask(whole, place)
            many.ask(fenced[consumer], place)
    return 1 - one.made / ASKS, 1 - many.made / ASKS


def _municipalities(seats: np.ndarray) -> list[shapely.Geometry]:
    """Areas that share the land out among their seats, in the order of these."""
    land = shapely.box(139, 35, 141, 37)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(seats), extend_to=land))
    tree = shapely.STRtree(cells)
    return [cells[tree.query(shapely.Point(seat), "intersects")[0]] for seat in seats]


def _views(services: Services, folder: Path, areas: Sequence[Any]) -> list[View]:
    """A view of the roads for each area; None: of all."""
    policies = [
        Policy(
            (
                Grant(
                    collections=("segments",),
                    columns=ROADS,
                    area=None if area is None else dict(_geojson(area)),
                ),
            )
        )
        for area in areas
    ]
    packs = Packs(services.packs_dir)
    build_views(policies, packs, folder, ["segments"], memory=Memory())
    opened = Views(folder, services.packs_dir)
    found = [opened.get(policy, "segments") for policy in policies]
    assert all(isinstance(view, View) for view in found)
    return found  # type: ignore[return-value]


def _geojson(area: shapely.Geometry) -> dict[str, Any]:
    corners = [list(corner) for corner in area.exterior.coords]
    return {"type": "Polygon", "coordinates": [corners]}


def _revocations(own: GeoshareServer, services: Services, roads: Path) -> list[float]:
    """Seconds until every worker refuses a key that was revoked."""
    times = []
    with load(own, geopandas.read_parquet(roads)):
        for _ in range(REVOCATIONS):
            text = services.keys.create("whole-reader", (), days=1, label="revoked by the benchmark")
            with _asking(own, text) as asking:
                _until(asking, 200)
                begun_s = time.perf_counter()
                services.keys.revoke(text.split("_")[1])
                _until(asking, 401)
                times.append(time.perf_counter() - begun_s)
    return times


@contextmanager
def _asking(own: GeoshareServer, key: str) -> Iterator[list[Any]]:
    """A connection to each worker, with the key."""
    found = probes(own, 2, {"X-API-Key": key})
    try:
        yield found
    finally:
        for probe in found:
            probe.close()


def _until(asking: Sequence[Any], status: int) -> None:
    """Ask each worker until all of them have answered with a status."""
    left, begun_s = list(asking), time.perf_counter()
    while left:
        left = [probe for probe in left if probe.status("/collections/segments") != status]
        if time.perf_counter() - begun_s > PATIENCE_S:
            raise SystemExit(f"no answer {status} within {PATIENCE_S} s")
        time.sleep(PAUSE_S)
