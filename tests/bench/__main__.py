"""``make bench``: geoshare and its peers on the same data, in one run, in turns.

Every figure is a median over interleaved rounds and is meant to be read as a ratio; absolute numbers
belong to the machine. The table is saved as ``bench-results/latest.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import numpy as np

from geoshare import __version__
from tests.bench import check, client, data, tiers
from tests.bench.floor import Floor
from tests.bench.geoshare_server import GeoshareServer
from tests.bench.peers import MapServer, PostGis, Tipg
from tests.bench.pygeoapi import PyGeoApi

RESULTS = Path("bench-results")
TILES, FILTERED = 60, 3_000
ZOOMS, LIMITS = (6, 10, 14, 16), (100, 1000)
FILTERS = ("filter 100", "polygon 100")  # pages of what two clauses and a box, or a polygon, leave
CLAUSES = "class = 'residential' AND lane_count > 2"
WORK = (*(f"tile z{z}" for z in ZOOMS), *(f"items {limit}" for limit in LIMITS), *FILTERS)
PEERS = ((Tipg, 54330), (MapServer, 54340), (PyGeoApi, 54350))


def main() -> None:
    """Measure and print."""
    arguments = parser().parse_args()
    RESULTS.mkdir(exist_ok=True)
    roads, buildings = data.write(RESULTS / "data", arguments.roads, arguments.buildings)
    with ExitStack() as stack:
        own = stack.enter_context(
            GeoshareServer(RESULTS / f"geoshare-{arguments.roads}", roads, buildings)
        )
        if arguments.only == "tiers":
            _tiers_alone(own, roads, arguments)
            return
        peers = start_peers(stack, arguments, roads, buildings)
        floor = stack.enter_context(Floor(own.sample_body()))
        work = work_of(roads)
        check.contents(own, peers, work)
        rows = _measure(own, peers, floor, work, arguments)
        memory = own.memory_mb()
        policies = tiers.measure(own, roads, arguments.rounds, arguments.seconds)
        own.stop()
        made = own.made | {"start to ready in s": round(own.start(cached=True), 2)}
        rows.append(_cached(own, floor, arguments))
        document = {
            "machine": {
                "cpus": os.cpu_count(),
                "python": platform.python_version(),
                "system": platform.platform(),
            },
            "versions": {"geoshare": __version__} | {peer.name: peer.version() for peer in peers},
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "roads": arguments.roads,
            "rounds": arguments.rounds,
            "seconds": arguments.seconds,
            "made": made,
            "memory_mb": {"without tile cache": memory, "with tile cache": own.memory_mb()},
            "results": rows,
            "tiers": policies,
        }
    (RESULTS / "latest.json").write_text(json.dumps(document, indent=1))
    _print(rows)
    tiers.show(document["tiers"])
    for name, figure in document["made"].items():
        print(f"{name:<34}{figure:>10}")
    for when, figures in document["memory_mb"].items():
        print(f"PSS in MB, {when}: " + ", ".join(f"{who} {mb}" for who, mb in figures.items()))


def _tiers_alone(own: GeoshareServer, roads: Path, arguments: argparse.Namespace) -> None:
    """Measure what policies cost, and put it beside the figures of the last whole run."""
    latest = RESULTS / "latest.json"
    document = json.loads(latest.read_text()) if latest.exists() else {}
    document["tiers"] = tiers.measure(own, roads, arguments.rounds, arguments.seconds)
    latest.write_text(json.dumps(document, indent=1))
    tiers.show(document["tiers"])


def parser() -> argparse.ArgumentParser:
    """What the command takes."""
    names = [kind.name for kind, _ in PEERS]
    found = argparse.ArgumentParser(prog="make bench", description=__doc__)
    found.add_argument("--roads", type=int, default=1_000_000, help="road lines in the data")
    found.add_argument("--buildings", type=int, default=200_000, help="polygons in the data")
    found.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts")
    found.add_argument("--seconds", type=float, default=3.0, help="of each server in each round")
    found.add_argument("--only", choices=("", "tiers"), default="", help="one section; all unless said")
    found.add_argument(
        "--work",
        type=_names(WORK),
        default=list(WORK),
        help=f"some of: {', '.join(WORK)} (comma-separated; all unless said);"
        " the cached tile is measured in any case",
    )
    found.add_argument(
        "--peers",
        type=_names(names),
        default=names,
        help=f"some of: {', '.join(names)} (comma-separated; all unless said; '' for none)",
    )
    return found


def _names(known: Sequence[str]) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        found = [name.strip() for name in text.split(",") if name.strip()]
        unknown = [name for name in found if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of: {', '.join(known)}")
        return found

    return names


def start_peers(stack: ExitStack, arguments: argparse.Namespace, roads: Path, buildings: Path) -> list:
    """Start the peers that are asked for and installed, on the same data."""
    if not arguments.peers:
        return []
    if missing := PostGis.missing():
        print(f"no peers measured: {missing} is not installed (tests/bench/peers.sh)", file=sys.stderr)
        return []
    database = PostGis((RESULTS / f"postgis-{arguments.roads}").resolve(), 54329)
    stack.callback(database.stop)
    database.start(roads, buildings)
    found = []
    for kind, port in PEERS:
        if kind.name not in arguments.peers:
            continue
        if missing := kind.missing():
            print(
                f"{kind.name} is not measured: {missing} is not installed (tests/bench/peers.sh)",
                file=sys.stderr,
            )
            continue
        found.append(stack.enter_context(kind(database, port, RESULTS / kind.name)))
    return found


def work_of(roads: Path) -> dict[str, list]:
    """Tiles by zoom and boxes for items, drawn from where the data lies."""
    import geopandas

    random = np.random.default_rng(data.SEED)
    bounds = geopandas.read_parquet(roads, columns=["geometry"]).geometry.bounds.to_numpy()
    chosen = bounds[random.choice(len(bounds), 4 * TILES, replace=False)]
    found: dict[str, list] = {}
    for z in ZOOMS:
        tiles = list(dict.fromkeys(check.tile_at(lon, lat, z) for lon, lat, *_ in chosen))[:TILES]
        found[f"tile z{z}"] = tiles
    for limit in LIMITS:
        half = 0.01 if limit == 100 else 0.03
        found[f"items {limit}"] = [
            ((lon - half, lat - half, lon + half, lat + half), limit) for lon, lat, *_ in chosen[:TILES]
        ]
    # so many that none is asked again before those who remember what they have read forget it
    middles = bounds[random.choice(len(bounds), min(FILTERED, len(bounds)), replace=False)][:, :2]
    boxes = [(lon - 0.03, lat - 0.03, lon + 0.03, lat + 0.03) for lon, lat in middles]
    found["filter 100"] = [(box, 100, CLAUSES) for box in boxes]
    found["polygon 100"] = [(box, 100, _within(box)) for box in boxes]
    return found


def _within(box: tuple[float, float, float, float]) -> str:
    """What meets a polygon of twelve corners in a box; its geometry is named as each server does."""
    west, south, east, north = box
    turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    lon = (west + east) / 2 + np.cos(turns) * (east - west) / 2 * (1 - 0.3 * (np.arange(12) % 2))
    lat = (south + north) / 2 + np.sin(turns) * (north - south) / 2 * (1 - 0.3 * (np.arange(12) % 2))
    corners = ", ".join(f"{x:.6f} {y:.6f}" for x, y in [*zip(lon, lat, strict=True), (lon[0], lat[0])])
    return f"S_INTERSECTS({{geometry}}, POLYGON(({corners})))"


def _measure(
    own: GeoshareServer, peers: list, floor: Floor, work: dict, arguments: argparse.Namespace
) -> list[dict]:
    rows = []
    for name, asks in work.items():
        if name not in arguments.work:
            continue
        contenders = {
            f"geoshare {tier}": (own.base, own.paths(name, asks), own.headers(tier))
            for tier in own.tiers
        }
        for peer in peers:
            paths = peer_paths(peer, name, asks)
            if paths:
                contenders[peer.name] = (peer.base, paths, {})
        rows.append(_rounds(name, contenders, arguments))
    return rows


def _cached(own: GeoshareServer, floor: Floor, arguments: argparse.Namespace) -> dict:
    """One tile that is kept, against the floor that answers the same bytes."""
    path = own.cached_path()
    contenders = {f"geoshare {tier}": (own.base, path, own.headers(tier)) for tier in own.tiers}
    contenders["floor"] = (floor.base, ["/tile"], floor.headers)
    return _rounds("cached tile", contenders, arguments)


def peer_paths(peer: object, name: str, asks: list) -> list[str]:
    """Paths of a peer for one kind of work; none for what it does not do."""
    if name.startswith("tile"):
        return [peer.tile(*ask) for ask in asks] if hasattr(peer, "tile") else []
    if name in FILTERS:
        return [peer.filtered(*ask) for ask in asks] if hasattr(peer, "filtered") else []
    return [peer.items(*ask) for ask in asks] if hasattr(peer, "items") else []


def _rounds(name: str, contenders: dict, arguments: argparse.Namespace) -> dict:
    runs: dict[str, list[client.Measurement]] = {who: [] for who in contenders}
    for turn in range(arguments.rounds + 1):
        for who, (base, paths, headers) in contenders.items():
            found = client.run(base, paths, headers, 1.0 if turn == 0 else arguments.seconds)
            if turn:  # the first turn warms up
                runs[who].append(found)
    figures = {
        who: {
            "per_second": round(median(run.per_second for run in found), 2),
            "median_ms": round(median(run.median_ms for run in found), 3),
            "p95_ms": round(median(run.p95_ms for run in found), 3),
            "errors": sum(run.errors for run in found),
        }
        for who, found in runs.items()
    }
    print(".", end="", file=sys.stderr, flush=True)
    return {"work": name, "figures": figures}


def _print(rows: list[dict]) -> None:
    titles = f"{'per second':>12}{'median ms':>12}{'p95 ms':>10}{'geoshare is':>14}"
    print(f"\n{'work':<14}{'server':<18}{titles}")
    for row in rows:
        first = next(iter(row["figures"].values()))["per_second"]
        for who, found in row["figures"].items():
            ratio = first / found["per_second"] if found["per_second"] else float("inf")
            print(
                f"{row['work']:<14}{who:<18}{found['per_second']:>12.1f}{found['median_ms']:>12.2f}"
                f"{found['p95_ms']:>10.2f}{ratio:>13.2f}x"
                + (f"  {found['errors']} errors" if found["errors"] else "")
            )


if __name__ == "__main__":
    sys.exit(main())
