"""OpenLR references are found again on the roads they were made of."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import openlr
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from scipy.sparse.csgraph import dijkstra

from geoshare.access.view import View
from geoshare.errors import BadRequest, NotFound
from geoshare.network.openlr_ranges import Stretch, ranges
from tests.access.town import Town, policy
from tests.network.test_locate import placed

SIDE = 5
GEOD = Geod(ellps="GRS80")
EVERYTHING = policy({"collections": ["segments"], "columns": "all"})


def grid(folder: Path, seed: int) -> tuple[View, dict[tuple[int, int], tuple[str, bool]], np.ndarray]:
    """Streets of 120 to 200 m between crossings that are moved at random, so that no two ways tie.

    Returns the view, which segment leads from which crossing to which (and whether against its line),
    and the places of the crossings in degrees.
    """
    rng = np.random.default_rng(seed)
    places = [(x * 160 + rng.uniform(-20, 20), y * 160 + rng.uniform(-20, 20))
              for y in range(SIDE) for x in range(SIDE)]  # fmt: skip
    pairs = [(i, i + 1) for i in range(SIDE**2) if (i + 1) % SIDE]
    pairs += [(i, i + SIDE) for i in range(SIDE**2 - SIDE)]
    edges, rows = {}, []
    for number, (start, end) in enumerate(pairs):
        if rng.random() < 0.5:
            start, end = end, start
        name = f"s{number:02d}"
        rows.append((name, placed([places[start], places[end]]), {"class": "residential"}))
        edges[start, end], edges[end, start] = (name, False), (name, True)
    town = Town(folder)
    town.packs.publish("segments", rows)
    degrees = shapely.get_coordinates([placed([place, (0, 0)]) for place in places])[::2]
    return town.view(EVERYTHING, "segments"), edges, degrees


def written(way: list[int], degrees: np.ndarray, length: float, offset: float = 0.0) -> str:
    """A reference of the way between crossings, from its two ends alone."""

    def point(at: int, towards: int, metres: float) -> openlr.LocationReferencePoint:
        bearing = GEOD.inv(*degrees[at], *degrees[towards])[0] % 360
        frc, fow = openlr.FRC.FRC6, openlr.FOW.SINGLE_CARRIAGEWAY
        return openlr.LocationReferencePoint(*degrees[at], frc, fow, bearing, frc, metres)

    points = [point(way[0], way[1], length), point(way[-1], way[-2], 0)]
    return openlr.binary_encode(openlr.LineLocationReference(points, offset, 0.0))


def lengths(edges: dict, degrees: np.ndarray) -> np.ndarray:
    found = np.zeros((SIDE**2, SIDE**2))
    for start, end in edges:
        found[start, end] = GEOD.inv(*degrees[start], *degrees[end])[2]
    return found


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000), ends=st.lists(st.integers(0, 24), min_size=2, max_size=2, unique=True)
)
def test_the_shortest_way_between_two_crossings_is_found_again(tmp_path_factory, seed, ends):
    view, edges, degrees = grid(tmp_path_factory.mktemp("town"), seed)
    far, before = dijkstra(lengths(edges, degrees), indices=ends[0], return_predecessors=True)
    way = [ends[1]]
    while way[0] != ends[0]:
        way.insert(0, int(before[way[0]]))
    found = ranges(view, written(way, degrees, far[ends[1]]))
    wanted = [edges[pair] for pair in itertools.pairwise(way)]
    assert [(item.id, item.against) for item in found] == wanted
    assert all((item.start, item.end) == pytest.approx((0, 1), abs=1e-3) for item in found)


def test_an_offset_begins_inside_the_first_road(tmp_path):
    view, edges, degrees = grid(tmp_path, 3)
    length = lengths(edges, degrees)[0, 1]
    (found,) = ranges(view, written([0, 1], degrees, length, offset=0.25))
    name, against = edges[0, 1]
    assert (found.id, found.against) == (name, against)
    covered = (0.0, 0.75) if against else (0.25, 1.0)
    assert (found.start, found.end) == pytest.approx(covered, abs=0.01)


def test_a_one_way_street_is_not_led_along_the_wrong_way(tmp_path):
    town = Town(tmp_path)
    line = placed([(0, 0), (200, 0)])
    town.packs.publish("segments", [("s", line, {"class": "residential", "one_way": "forward"})])
    view, degrees = town.view(EVERYTHING, "segments"), shapely.get_coordinates(line)
    assert ranges(view, written([0, 1], degrees, 200)) == [
        Stretch("s", pytest.approx(0, abs=1e-3), pytest.approx(1, abs=1e-3), False)
    ]
    with pytest.raises(NotFound):
        ranges(view, written([1, 0], degrees, 200))


def test_a_hidden_road_is_as_one_that_is_not_there(tmp_path):
    town = Town(tmp_path)
    line = placed([(0, 0), (200, 0)])
    town.packs.publish("segments", [("s", line, {"class": "residential"})])
    hidden = town.view(
        policy({"collections": ["segments"], "columns": "all", "rows": {"op": "=", "args": [1, 2]}}),
        "segments",
    )
    with pytest.raises(NotFound):
        ranges(hidden, written([0, 1], shapely.get_coordinates(line), 200))


def test_roads_are_looked_for_within_the_distance_that_is_asked_for(tmp_path):
    town = Town(tmp_path)
    line = placed([(0, 0), (400, 0)])
    town.packs.publish("segments", [("s", line, {"class": "residential"})])
    view = town.view(EVERYTHING, "segments")
    beside = written([0, 1], shapely.get_coordinates(placed([(0, 90), (400, 90)])), 400)
    with pytest.raises(NotFound):
        ranges(view, beside)
    assert [item.id for item in ranges(view, beside, within_m=200)] == ["s"]


@pytest.mark.parametrize("text", ["", "x", "////", "CwAAAA==", "Aw", "あ", "A" * 512, "I3/+/38AAAA="])
def test_what_is_no_reference_is_refused(tmp_path, text):
    view, _, _ = grid(tmp_path, 1)
    with pytest.raises(BadRequest, match="OpenLR"):
        ranges(view, text)


@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=60))
def test_no_bytes_bring_it_down(tmp_path_factory, body):
    import base64

    view, _, _ = grid(tmp_path_factory.mktemp("town"), 1)
    for first in (b"", b"\x0b", b"\x2b"):
        text = base64.b64encode(first + body).decode()
        try:
            assert all(math.isfinite(item.start) for item in ranges(view, text))
        except (BadRequest, NotFound):
            continue
