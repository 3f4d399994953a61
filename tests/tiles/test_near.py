"""What vertices decide about a box agrees with shapely, and what they leave open is left open."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiles.conftest import table_of
from tiles.geometry.convert import world_boxes
from tiles.geometry.near import meeting_box

# a coarse grid, so that edges, corners and whole boxes coincide often
NUMBER = st.integers(-4, 4).map(float)
DEGREES = st.floats(-3, 3)
POINT = st.tuples(NUMBER, NUMBER)
LINES = st.lists(POINT, min_size=2, max_size=5, unique=True).map(shapely.LineString)
SHAPES = st.one_of(
    POINT.map(shapely.Point),
    LINES,
    st.lists(LINES, min_size=1, max_size=3).map(shapely.MultiLineString),
    st.tuples(NUMBER, NUMBER, st.integers(1, 4), st.integers(1, 4)).map(
        lambda said: shapely.box(said[0], said[1], said[0] + said[2], said[1] + said[3])
    ),
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(SHAPES, min_size=1, max_size=8),
    NUMBER,
    NUMBER,
    st.integers(0, 4),
    st.integers(0, 4),
    st.booleans(),
)
def test_decided_relations_are_those_of_shapely(
    shapes: list[shapely.Geometry], west: float, south: float, width: int, height: int, boxed: bool
) -> None:
    box = (west, south, west + width, south + height)
    kept, unsure = _meeting(shapes, box, boxed=boxed)
    truth = shapely.intersects(shapely.box(*box), shapes)
    decided = np.delete(kept, unsure)
    assert truth[decided].all()
    assert set(np.flatnonzero(truth)) <= set(kept.tolist())
    assert kept.tolist() == sorted(kept)


def _meeting(
    shapes: list[shapely.Geometry | None], box: tuple[float, ...], *, boxed: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    table = table_of(shapes)
    if boxed:
        table = replace(table, boxes=world_boxes(table.geometries, table.world_xy))
    return meeting_box(table, np.arange(len(shapes), dtype=np.int32), box)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(DEGREES, DEGREES), min_size=2, max_size=4), DEGREES, DEGREES)
def test_a_line_is_left_open_only_where_rounding_could_decide(
    positions: list[tuple[float, float]], west: float, south: float
) -> None:
    line, box = shapely.LineString(positions), (west, south, west + 1, south + 1)
    kept, unsure = _meeting([line], box)
    area = shapely.box(*box)
    if not len(unsure):
        assert (len(kept) == 1) == line.intersects(area)
    else:
        corners = shapely.points(np.array(area.exterior.coords))
        spans = [shapely.LineString(pair) for pair in pairwise(positions)]
        # a corner on the straight through a segment, as far as doubles can tell
        assert min(abs(_height(span, corner)) for span in spans for corner in corners) < 1e-12


def _height(span: shapely.LineString, corner: shapely.Point) -> float:
    (ax, ay), (bx, by) = span.coords
    return (ax - corner.x) * (by - corner.y) - (ay - corner.y) * (bx - corner.x)


def test_a_line_through_a_box_without_a_vertex_in_it_meets_it() -> None:
    lines = [
        shapely.LineString([(-5, 0), (5, 0.5)]),
        shapely.LineString([(-5, 0), (0, 5)]),
        shapely.MultiLineString([[(-5, 0), (-5, 5)], [(5, 5), (5, 0)]]),
    ]
    kept, unsure = _meeting(lines, (-1, -1, 1, 1))
    assert (kept.tolist(), unsure.tolist()) == ([0], [])


def test_an_area_around_the_box_is_left_open() -> None:
    kept, unsure = _meeting([shapely.box(-5, -5, 5, 5)], (-1, -1, 1, 1))
    assert (kept.tolist(), unsure.tolist()) == ([0], [0])


def test_a_box_across_the_antimeridian_has_two_halves() -> None:
    kept, _ = _meeting([shapely.Point(at, 0) for at in (170, 179, -179, 0)], (175, -1, -175, 1))
    assert kept.tolist() == [1, 2]


def test_positions_that_are_not_finite_are_never_sure_to_be_apart() -> None:
    table = table_of([shapely.LineString([(-5, 0), (5, 0)])])
    table.geometries.lon_lat_z[1, 0] = np.nan
    kept, unsure = meeting_box(table, np.zeros(1, np.int32), (-1, -1, 1, 1))
    assert (kept.tolist(), unsure.tolist()) == ([0], [0])


def test_a_feature_without_geometry_is_apart() -> None:
    kept, unsure = _meeting([None, shapely.Point(0, 0)], (-1, -1, 1, 1))
    assert (kept.tolist(), unsure.tolist()) == ([1], [])
