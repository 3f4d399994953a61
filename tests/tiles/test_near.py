"""What vertices decide about a box agrees with shapely, and what they leave open is left open."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.geometry.convert import from_shapely
from tiles.geometry.near import APART, MEETS, UNSURE, box_relations

# a coarse grid, so that edges, corners and whole boxes coincide often
NUMBER = st.integers(-4, 4).map(float)
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
@given(st.lists(SHAPES, min_size=1, max_size=8), NUMBER, NUMBER, st.integers(1, 4), st.integers(1, 4))
def test_decided_relations_are_those_of_shapely(
    shapes: list[shapely.Geometry], west: float, south: float, width: int, height: int
) -> None:
    box = (west, south, west + width, south + height)
    found = box_relations(from_shapely(np.array(shapes)), np.arange(len(shapes), dtype=np.int32), box)
    truth = shapely.intersects(shapely.box(*box), shapes)
    assert truth[found == MEETS].all()
    assert not truth[found == APART].any()


def test_a_line_through_a_box_without_a_vertex_in_it_is_left_open() -> None:
    shapes = from_shapely(np.array([shapely.LineString([(-5, 0), (5, 0)])]))
    assert box_relations(shapes, np.array([0], np.int32), (-1, -1, 1, 1)).tolist() == [UNSURE]


def test_a_feature_without_geometry_is_apart() -> None:
    shapes = from_shapely(np.array([None, shapely.Point(0, 0)], dtype=object))
    rows = np.array([0, 1], np.int32)
    assert box_relations(shapes, rows, (-1, -1, 1, 1)).tolist() == [APART, MEETS]
