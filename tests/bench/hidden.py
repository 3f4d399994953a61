"""``python -m tests.bench.hidden``: whether how long an answer takes tells of what is hidden.

Twin servers of tests/leaks are asked pairs of questions, in turns and in random order, without a
network in between: names of what is hidden and of what does not exist in one server, and the same
questions to a server whose record holds many hidden rows and to one whose record holds none. Told are
medians of processor time per answer, and how often a random answer of the first kind took longer than
one of the second: half of the times where time tells nothing.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import shapely

from tests.leaks.town import HIDDEN_LAYER, SOUTH, WEST, Layer, layers
from tests.leaks.twins import Request, Twin, Twins
from tiles.grid import Tile

TIER = "rows"
NOWHERE = "0000000000000001"
ZOOM, ACROSS = 20, 28  # tiles from west to east in the crowded square
FIRST = Tile(
    ZOOM,
    int((WEST + 180) / 360 * 2**ZOOM) + 1,
    int((1 - math.asinh(math.tan(math.radians(SOUTH))) / math.pi) / 2 * 2**ZOOM) - 1,
)
Ask = Callable[[], object]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=600)
    parser.add_argument("--hidden-rows", type=int, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        twins = Twins(Path(folder))
        full = [*layers(TIER, full=True), _crowd(arguments.hidden_rows)]
        twins.load(layers(TIER, full=False), full)
        twins.open()
        twins.work()
        print(f"{'question':44} {'first':>8} {'second':>8}  longer")
        for name, first, second in (*_names(twins), *_rows(twins)):
            _tell(name, *_measure(first, second, arguments.rounds))


def _crowd(rows: int) -> Layer:
    """Hidden lines in one square kilometre, where the town has a few visible ones."""
    rng = random.Random(3)
    found = []
    for number in range(rows):
        west, south = WEST + rng.uniform(0, 0.01), SOUTH + rng.uniform(0, 0.01)
        found.append(
            {
                "type": "Feature",
                "id": f"crowd{number}",
                "properties": {"id": f"crowd{number}", "class": "service", "name": "secret"},
                "geometry": shapely.LineString(
                    [(west, south), (west + 0.001, south)]
                ).__geo_interface__,
            }
        )
    return Layer("segments", "mapco", found)


def _asked(twin: Twin, key: str, path: str, *query: tuple[str, str]) -> Ask:
    request = Request("GET", path, query, (("X-API-Key", key),))
    return lambda: twin.ask(request)


def _names(twins: Twins) -> list[tuple[str, Ask, Ask]]:
    """Hidden and missing names, in the record that has what is hidden."""
    key, full = twins.keys[TIER], twins.full
    operator = _asked(full, twins.keys["operator"], "/collections/segments/items", ("limit", "1000"))
    shown = {item["id"] for item in _page(full, key)}
    rows = operator().json["features"]  # type: ignore[attr-defined]
    hidden = next(item["id"] for item in rows if item["id"] not in shown)
    items = "/collections/segments/items"
    pairs = {
        "hidden and missing collection": (f"/collections/{HIDDEN_LAYER}", "/collections/none_at_all"),
        "known and missing collection": ("/collections/structures", "/collections/none_at_all"),
        "items of a hidden and a missing one": (
            f"/collections/{HIDDEN_LAYER}/items",
            "/collections/none_at_all/items",
        ),
        "tile of a hidden and a missing one": (
            f"/tiles/{HIDDEN_LAYER}/14/14550/6455.mvt",
            "/tiles/none_at_all/14/14550/6455.mvt",
        ),
        "hidden and missing feature": (f"{items}/{hidden}", f"{items}/{NOWHERE}"),
    }
    found = [(name, *(_asked(full, key, path) for path in both)) for name, both in pairs.items()]
    for parameter, value in (("filter", "{} = 'paved'"), ("sortby", "{}"), ("properties", "{}")):
        both = [
            _asked(full, key, items, (parameter, value.format(column)))
            for column in ("surface", "nonsense")
        ]
        found.append((f"{parameter} by a hidden and a missing column", both[0], both[1]))
    return found


def _page(twin: Twin, key: str) -> list[dict[str, str]]:
    answer = _asked(twin, key, "/collections/segments/items", ("limit", "1000"))()
    found: list[dict[str, str]] = answer.json["features"]  # type: ignore[attr-defined]
    return found


def _rows(twins: Twins) -> list[tuple[str, Ask, Ask]]:
    """The same question where there are hidden rows and where there are none."""
    key, items = twins.keys[TIER], "/collections/segments/items"
    crowded = f"{WEST},{SOUTH},{WEST + 0.01},{SOUTH + 0.01}"
    small = f"{WEST + 0.004},{SOUTH + 0.004},{WEST + 0.0041},{SOUTH + 0.0041}"
    asked = {
        "a feature that is shown": (f"{items}/{_page(twins.plain, key)[0]['id']}",),
        "a page of 10": (items, ("limit", "10")),
        "a page of a square kilometre": (items, ("bbox", crowded), ("limit", "10")),
        "a page of ten metres": (items, ("bbox", small), ("limit", "10")),
        "a filter on a shown column": (items, ("filter", "class = 'primary'"), ("limit", "10")),
    }
    found = []
    for name, (path, *query) in asked.items():
        both = [_asked(twin, key, path, *query) for twin in (twins.full, twins.plain)]
        found.append((f"{name}, with and without", both[0], both[1]))
    both = [_new_tiles(twin, key) for twin in (twins.full, twins.plain)]
    return [*found, ("a new tile of 30 m, with and without", both[0], both[1])]


def _new_tiles(twin: Twin, key: str) -> Ask:
    """Another tile of the crowded square each time."""
    number = itertools.count()

    def ask() -> object:
        row, column = divmod(next(number), ACROSS)
        at = Tile(ZOOM, FIRST.x + column, FIRST.y - row)
        return _asked(twin, key, f"/tiles/segments/{at.z}/{at.x}/{at.y}.mvt")()

    return ask


def _measure(first: Ask, second: Ask, rounds: int) -> tuple[list[float], list[float]]:
    """Microseconds of processor time of each answer."""
    rng = random.Random(1)
    taken: tuple[list[float], list[float]] = [], []
    for number in range(rounds + 30):
        for which in rng.sample((0, 1), 2):
            begun = time.thread_time_ns()
            (first, second)[which]()
            spent = time.thread_time_ns() - begun
            if number >= 30:  # after warming up
                taken[which].append(spent / 1_000)
    return taken


def _tell(name: str, first: list[float], second: list[float]) -> None:
    one, other = np.array(first), np.array(second)
    longer = (one[:, None] > other).mean() + (one[:, None] == other).mean() / 2
    print(f"{name:44} {median(first):6.0f} us {median(second):6.0f} us  {longer:.2f}", flush=True)


if __name__ == "__main__":
    main()
