"""Repairing polygons on the grid, against counting how often rings go round."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.geometry import polygons as polygons_module
from tiles.geometry.noding import AX, AY, BX, BY, edges_of_rings, noded
from tiles.geometry.polygons import repaired, replace_rings
from tiles.geometry.repair import drop_spikes, is_suspect, turn, twice_area


def ring(*points: tuple[int, int]) -> np.ndarray:
    return np.array(points, dtype=np.int32)


def box(west: int, north: int, east: int, south: int, hole: bool = False) -> np.ndarray:
    made = ring((west, north), (east, north), (east, south), (west, south))
    return made[::-1].copy() if hole else made


def joined(rings: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.cumsum([0, *(len(one) for one in rings)]).astype(np.int32)
    return np.concatenate(rings), starts


def as_polygon(xy: np.ndarray, starts: np.ndarray) -> shapely.MultiPolygon:
    made: list[tuple[np.ndarray, list[np.ndarray]]] = []
    for a, b in pairwise(starts):
        one = xy[a:b].copy()
        if twice_area(one, 0, len(one)) > 0:
            made.append((one, []))
        else:
            made[-1][1].append(one)
    return shapely.MultiPolygon(made)


def repaired_polygon(*rings: np.ndarray) -> shapely.MultiPolygon:
    return as_polygon(*repaired(*joined(list(rings)), 2))


def suspect(*rings: np.ndarray) -> bool:
    xy, starts = joined(list(rings))
    return bool(is_suspect(xy, starts, 0, len(rings)))


def test_area_is_positive_where_x_turns_towards_y():
    assert twice_area(box(0, 0, 2, 3), 0, 4) == 12
    assert twice_area(box(0, 0, 2, 3, hole=True), 0, 4) == -12


@pytest.mark.parametrize("n", range(7))
def test_turning_reverses(n):
    xy = np.arange(2 * n, dtype=np.int32).reshape(n, 2)
    expected = xy[::-1].tolist()
    turn(xy, 0, n)
    assert xy.tolist() == expected


@pytest.mark.parametrize(
    ("given_ring", "left"),
    [
        ([(0, 0), (4, 0), (4, 4), (0, 4)], 4),
        ([(0, 0), (2, 0), (4, 0), (4, 4), (0, 4)], 4),
        ([(0, 0), (9, 0), (4, 0), (4, 4), (0, 4)], 4),
        ([(9, 0), (4, 0), (4, 4), (0, 4), (0, 0), (4, 0)], 4),
        ([(0, 0), (1, 1), (2, 2)], 0),
        ([(0, 0), (1, 1), (0, 0), (2, 2)], 0),
        ([(0, 0), (0, 0)], 0),
    ],
)
def test_spikes_and_straight_vertices_are_dropped(given_ring, left):
    xy = ring(*given_ring)
    assert drop_spikes(xy, 0, len(xy)) == left
    if left:
        assert shapely.Polygon(xy[:left]).equals(shapely.box(0, 0, 4, 4))


def test_what_is_plainly_valid_is_not_suspect():
    assert not suspect(box(0, 0, 9, 9))
    assert not suspect(box(0, 0, 9, 9), box(2, 2, 4, 4, hole=True), box(5, 5, 8, 8, hole=True))
    assert not suspect(box(0, 0, 9, 9), box(2, 2, 7, 7, hole=True), box(3, 3, 6, 6), box(20, 0, 22, 2))


@pytest.mark.parametrize(
    "rings",
    [
        [ring((0, 0), (5, 5), (5, 0), (0, 5))],
        [box(0, 0, 9, 9), box(2, 2, 12, 5, hole=True)],
        [box(0, 0, 9, 9), box(20, 20, 22, 22, hole=True)],
        [box(0, 0, 9, 9), box(1, 1, 8, 8, hole=True), box(2, 2, 7, 7, hole=True)],
        [box(0, 0, 9, 9), box(2, 2, 4, 4)],
        [box(0, 0, 9, 9), box(9, 0, 12, 9)],
        [ring((0, 0), (9, 0), (9, 9), (5, 0), (0, 9))],
    ],
)
def test_what_is_invalid_is_suspect(rings):
    assert suspect(*rings)


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_what_is_invalid_is_always_suspect(seed):
    rng = np.random.default_rng(seed)
    xy = rng.integers(0, 40, (int(rng.integers(3, 40)), 2)).astype(np.int32)
    xy = xy[: drop_spikes(xy, 0, len(xy))]
    if len(xy) and twice_area(xy, 0, len(xy)) < 0:
        turn(xy, 0, len(xy))
    if len(xy):
        assert suspect(xy) or shapely.Polygon(xy).is_valid


def test_touching_parts_become_one():
    assert repaired_polygon(box(0, 0, 9, 9), box(9, 0, 12, 9)).equals(shapely.box(0, 0, 12, 9))


def test_a_hole_that_reaches_the_edge_becomes_a_bay():
    found = repaired_polygon(box(0, 0, 9, 9), box(3, 3, 9, 6, hole=True))
    assert found.equals(shapely.box(0, 0, 9, 9).difference(shapely.box(3, 3, 9, 6)))


def test_a_hole_that_touches_in_one_vertex_stays_a_hole():
    found = repaired_polygon(box(0, 0, 9, 9), ring((0, 0), (3, 5), (5, 3)))
    assert found.is_valid
    assert [len(part.interiors) for part in found.geoms] == [1]


def test_an_island_in_a_lake_stays():
    found = repaired_polygon(box(0, 0, 20, 20), box(2, 2, 18, 18, hole=True), box(2, 5, 10, 10))
    expected = shapely.box(0, 0, 20, 20).difference(shapely.box(2, 2, 18, 18))
    assert found.equals(expected.union(shapely.box(2, 5, 10, 10)))


def test_pieces_that_hang_together_along_the_edge_come_apart():
    # what cutting a U by the line y = 0 leaves: two prongs joined by a double line
    prongs = ring((0, 0), (2, 0), (2, 5), (0, 5), (0, 0), (8, 0), (8, 5), (6, 5), (6, 0))
    found = repaired_polygon(prongs)
    assert found.is_valid
    assert found.equals(shapely.union(shapely.box(0, 0, 2, 5), shapely.box(6, 0, 8, 5)))


def test_a_ring_that_crosses_itself_keeps_both_lobes():
    found = repaired_polygon(ring((0, 0), (10, 10), (10, 0), (0, 10)))
    lobes = [([(0, 0), (5, 5), (0, 10)], []), ([(10, 0), (5, 5), (10, 10)], [])]
    assert found.equals(shapely.MultiPolygon(lobes))


def test_rings_below_the_least_area_go():
    speck = ring((20, 0), (21, 0), (20, 1))
    xy, starts = repaired(*joined([box(0, 0, 9, 9), speck, box(3, 3, 3, 6)]), 2)
    assert as_polygon(xy, starts).equals(shapely.box(0, 0, 9, 9))
    assert repaired(*joined([speck]), 2)[1].tolist() == [0]


def winding(one: np.ndarray, points: np.ndarray) -> np.ndarray:
    count = np.zeros(len(points), int)
    for (x0, y0), (x1, y1) in zip(one.astype(float), np.roll(one, -1, 0).astype(float), strict=True):
        crosses = (y0 <= points[:, 1]) != (y1 <= points[:, 1])
        left = (x1 - x0) * (points[:, 1] - y0) - (y1 - y0) * (points[:, 0] - x0)
        count += np.where(crosses & (y1 > y0) & (left > 0), 1, 0)
        count -= np.where(crosses & (y1 < y0) & (left < 0), 1, 0)
    return count


def random_rings(rng: np.random.Generator, size: int) -> list[np.ndarray]:
    made = []
    for k in range(rng.integers(1, 5)):
        one = rng.integers(0, size + 1, (int(rng.integers(3, 30)), 2)).astype(np.int32)
        wants_hole = bool(k and rng.random() < 0.5)
        if (twice_area(one, 0, len(one)) < 0) != wants_hole:
            turn(one, 0, len(one))
        made.append(one)
    return made


@given(st.integers(0, 2**32), st.sampled_from([4, 8, 30, 1000]))
@settings(max_examples=150, deadline=None)
def test_any_rings_become_valid_polygons_of_what_they_go_round(seed, size):
    rng = np.random.default_rng(seed)
    rings = random_rings(rng, size)
    found = repaired_polygon(*rings)
    assert found.is_valid, shapely.is_valid_reason(found)
    points = rng.random((200, 2)) * size
    shells, taken = np.zeros(200, int), np.zeros(200, int)
    for one in rings:
        into = taken if twice_area(one, 0, len(one)) < 0 else shells
        into += winding(one, points)
    lines = shapely.union_all([shapely.LinearRing(one) for one in rings])
    # rounding crossings moves edges by less than this
    clear = shapely.distance(lines, shapely.points(points)) > 1.5
    inside = shapely.contains_xy(found, points[:, 0], points[:, 1])
    assert (inside == (abs(shells) > abs(taken)))[clear].all()


@given(st.integers(0, 2**32))
@settings(max_examples=50, deadline=None)
def test_noded_edges_meet_at_their_ends_only(seed):
    xy, starts = joined(random_rings(np.random.default_rng(seed), 30))
    edges, done = noded(edges_of_rings(xy, starts, np.zeros(len(starts) - 1, np.uint8)))
    assert done
    lines = shapely.linestrings(edges[:, [AX, AY, BX, BY]].reshape(-1, 2, 2).astype(float))
    tree = shapely.STRtree(lines)
    assert tree.query(lines, predicate="crosses").shape[1] == 0
    assert tree.query(lines, predicate="overlaps").shape[1] == 0


def test_where_the_kernel_gives_up_geos_does_it(monkeypatch):
    monkeypatch.setattr(polygons_module, "mended", lambda xy, starts, _: (xy, starts, False))
    rings = [
        box(0, 0, 20, 20),
        box(5, 5, 25, 10, hole=True),
        ring((30, 0), (40, 10), (40, 0), (30, 10)),
    ]
    found = repaired_polygon(*rings)
    assert found.is_valid
    assert found.area == pytest.approx(400 - 15 * 5 + 50, abs=3)


def test_only_the_named_features_get_other_rings():
    xy, starts = joined([box(0, 0, 1, 1), box(2, 0, 3, 1), box(4, 0, 5, 1), box(6, 0, 7, 1)])
    new = joined([box(10, 0, 12, 1), box(13, 0, 14, 1)])
    nothing = (np.zeros((0, 2), np.int32), np.zeros(1, np.int32))
    features = np.array([0, 1, 3, 4], np.int32)
    found, ring_starts, feature_starts = replace_rings({1: new, 2: nothing}, xy, starts, features)
    assert feature_starts.tolist() == [0, 1, 3, 3]
    assert ring_starts.tolist() == [0, 4, 8, 12]
    assert found[:, 0].tolist() == [0, 1, 1, 0, 10, 12, 12, 10, 13, 14, 14, 13]


def test_what_is_too_intricate_is_given_up_and_mended_the_other_way():
    # a ring whose thousands of spikes all cross those of the next ring
    steps = np.arange(30_000)
    comb = np.stack([steps // 10, np.where(steps % 2 == 0, 0, 3_000)], axis=1)
    rings = [comb, comb[:, ::-1]]
    xy, starts = joined([one.astype(np.int32) for one in rings])
    _, done = noded(edges_of_rings(xy, starts, np.zeros(2, np.uint8)))
    assert not done
