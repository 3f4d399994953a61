"""Clipping, rounding and simplifying, each kernel alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tiles.arrays import Geometries, GeometryType
from tiles.geometry.clip import clip_line, clip_ring
from tiles.geometry.quantise import NOWHERE, frame, lies, opened, quantise, to_tile_units
from tiles.geometry.simplify import NEVER, vertex_zooms
from tiles.grid import MAX_ZOOM, Tile

LOW, HIGH = -64.0, 4160.0
BOX = shapely.box(LOW, LOW, HIGH, HIGH)
# coordinates in and around the box, on its very edges, and far away
ORDINATES = st.one_of(
    st.sampled_from([LOW, HIGH, 0.0, 4096.0, 2000.0]),
    st.floats(-500, 5000),
    st.floats(-1e12, 1e12),
)
PATHS = st.lists(st.tuples(ORDINATES, ORDINATES), min_size=2, max_size=20).map(np.array)
GRID_PATHS = hnp.arrays(
    np.int32, st.tuples(st.integers(2, 60), st.just(2)), elements=st.integers(-5, 30)
)


def runs_of(path: np.ndarray) -> list[np.ndarray]:
    n = len(path)
    out, ends = np.full((2 * n, 2), np.nan), np.zeros(n, np.int64)
    runs = clip_line(path.astype(float), n, LOW, HIGH, out, ends)
    return np.split(out[: ends[runs - 1]], ends[: runs - 1]) if runs else []


@given(PATHS)
@settings(max_examples=200, deadline=None)
def test_a_clipped_line_is_the_line_within_the_box(path):
    runs = runs_of(path)
    kept = sum(np.hypot(*np.diff(run, axis=0).T).sum() for run in runs)
    segments = [shapely.LineString(pair) for pair in pairwise(path)]
    expected = sum(float(shapely.intersection(segment, BOX).length) for segment in segments)
    # far ends leave few bits for the place of the crossing
    assert kept == pytest.approx(expected, rel=1e-3, abs=0.1)
    for run in runs:
        assert len(run) >= 2
        assert (run >= LOW).all()
        assert (run <= HIGH).all()


def test_a_line_that_leaves_and_returns_becomes_two():
    path = np.array([(0, 0), (100, 0), (5000, 0), (5000, 50), (100, 50)], float)
    first, second = runs_of(path)
    assert first.tolist() == [[0, 0], [100, 0], [HIGH, 0]]
    assert second.tolist() == [[HIGH, 50], [100, 50]]


def test_a_line_that_only_touches_a_corner_leaves_nothing_with_a_length():
    runs = runs_of(np.array([(LOW - 10, LOW + 10), (LOW + 10, LOW - 10)], float))
    assert all(np.ptp(run, axis=0).max() == 0 for run in runs)


def clipped(ring: np.ndarray) -> np.ndarray:
    n = len(ring)
    path, spare = np.full((6 * n + 16, 2), np.nan), np.full((6 * n + 16, 2), np.nan)
    path[:n] = ring
    return path[: clip_ring(path, n, LOW, HIGH, spare)]


@given(st.integers(0, 2**32), st.integers(3, 200))
@settings(max_examples=100, deadline=None)
def test_a_clipped_ring_covers_what_the_ring_covers_in_the_box(seed, n):
    rng = np.random.default_rng(seed)
    angle, reach = np.sort(rng.random(n)) * 2 * np.pi, rng.uniform(10, 8000, n)
    ring = rng.uniform(-1000, 5000, 2) + np.stack([np.cos(angle) * reach, np.sin(angle) * reach], -1)
    polygon = shapely.Polygon(ring)
    result = clipped(ring)
    area = abs(shapely.Polygon(result).area) if len(result) > 2 else 0.0
    if polygon.is_valid:
        assert area == pytest.approx(shapely.intersection(polygon, BOX).area, rel=1e-6, abs=1e-3)
    assert len(result) <= 5.07 * n + 9
    assert (result >= LOW - 1e-6).all()
    assert (result <= HIGH + 1e-6).all()


@given(PATHS)
@settings(max_examples=100, deadline=None)
def test_any_ring_fits_the_room_it_is_given(ring):
    assert not np.isnan(clipped(ring)).any()


def test_a_ring_around_the_box_becomes_the_box():
    result = clipped(np.array([(-9e9, -9e9), (9e9, -9e9), (9e9, 9e9), (-9e9, 9e9)]))
    assert shapely.Polygon(result).equals(BOX)


def test_tile_units_have_their_origin_in_the_north_west_corner():
    tile = Tile(3, 5, 2)
    west, south, east, north = tile.world_box()
    corners = np.array([(west, north - 1), (east - 1, south), (west, south)], dtype=np.int32)
    unit = frame(tile, 4096, 64)
    path = np.array([to_tile_units(x, y, unit) for x, y in corners])
    assert np.abs(path - [(0, 0), (4096, 4096), (0, 4096)]).max() < 1e-4


@pytest.mark.parametrize(
    ("box", "where"),
    [((10, 10, 20, 20), "in"), ((-9, 5, -1, 9), "out"), ((-9, 5, 50, 5), "across")],
)
def test_a_box_is_told_to_be_in_out_or_across(box, where):
    found = lies(*map(float, box), 0.0, 30.0)
    assert {"in": found == 0, "out": found == NOWHERE, "across": found not in (0, NOWHERE)}[where]


def test_halves_are_rounded_up_on_both_sides_of_zero_and_repeats_are_dropped():
    path = np.array([(-0.5, 0.5), (0.2, 0.9), (0.49, 1.2), (1.5, -1.5), (-0.5, 0.5)])
    xy = np.empty((5, 2), np.int32)
    end = quantise(path, 0, 5, xy, 0)
    assert xy[:end].tolist() == [[0, 1], [2, -1], [0, 1]]
    assert opened(xy, 0, end) == 2


def simplified(path: np.ndarray, z: int, kind: GeometryType = GeometryType.LINESTRING) -> np.ndarray:
    """What is left of one line or closed ring at a zoom."""
    one = np.array([0, 1], np.int32)
    starts = np.array([0, len(path)], np.int32)
    shape = Geometries(np.array([kind], np.uint8), one, one, starts, np.zeros((len(path), 3)))
    return path[vertex_zooms(shape, path) <= z]


ZOOMS = st.integers(14, 21)


def tolerance(z: int) -> float:
    """Half a tile unit in world units."""
    return 0.5 * 2.0 ** (20 - z)


@given(GRID_PATHS, ZOOMS)
@settings(max_examples=50, deadline=None)
def test_a_simplified_line_keeps_its_ends_and_stays_within_the_tolerance(path, z):
    found = simplified(path, z)
    assert found[0].tolist() == path[0].tolist()
    assert found[-1].tolist() == path[-1].tolist()
    line = shapely.LineString(found)
    assert shapely.distance(shapely.points(path), line).max() <= tolerance(z) + 1e-9


@given(GRID_PATHS, ZOOMS)
@settings(max_examples=50, deadline=None)
def test_a_simplified_ring_stays_within_the_tolerance(path, z):
    ring = np.concatenate([path, path[:1]])
    found = simplified(ring, z, GeometryType.POLYGON)
    line = shapely.LineString(found)
    assert shapely.distance(shapely.points(ring), line).max() <= tolerance(z) + 1e-9
    assert found[0].tolist() == found[-1].tolist()


@given(GRID_PATHS)
@settings(max_examples=50, deadline=None)
def test_a_zoom_shows_all_vertices_of_the_one_before(path):
    shown = [set(map(tuple, simplified(path, z).tolist())) for z in range(10, 23)]
    assert all(fewer <= more for fewer, more in pairwise(shown))


def test_vertices_that_move_nothing_never_matter():
    path = np.array([(0, 0), (10, 0), (20, 0), (20, 10)], np.int32)
    assert simplified(path, MAX_ZOOM).tolist() == [[0, 0], [20, 0], [20, 10]]
    assert simplified(path, NEVER).tolist() == path.tolist()


def test_a_spiral_costs_a_bounded_amount_and_keeps_its_ends():
    turns = np.linspace(0, 400 * np.pi, 60_000)
    path = np.stack([np.cos(turns) * turns, np.sin(turns) * turns], -1).astype(np.int32)
    found = simplified(path, 20)
    assert found[-1].tolist() == path[-1].tolist()
