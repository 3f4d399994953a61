"""What is drawn covers as much of each pixel as geometry says, wherever the canvas lies."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tiles.drawing import BUTT, ROUND_CAP, SQUARE, Canvas, Colour

BLACK = Colour(0.0, 0.0, 0.0)
SIDE = 48
numbers = st.floats(-30, SIDE + 30, allow_nan=False, width=32)
points = st.tuples(numbers, numbers)


def alpha(canvas: Canvas) -> NDArray[np.float64]:
    return canvas.rgba()[..., 3] / 255


def pixels() -> NDArray[np.object_]:
    x, y = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    return shapely.box(x, y, x + 1, y + 1)


def areas(canvas: Canvas, *rings: list[tuple[float, float]], colour: Colour = BLACK) -> None:
    starts = np.cumsum([0, *(len(ring) for ring in rings)])
    outer = np.array([1] + [0] * (len(rings) - 1), np.uint8)
    canvas.areas(np.array(list(chain(*rings)), float), starts, outer, colour)


def line(canvas: Canvas, vertices: list[tuple[float, float]], width: float, **how: object) -> None:
    starts = np.array([0, len(vertices)])
    canvas.lines(np.array(vertices, float), starts, width, BLACK, **how)  # type: ignore[arg-type]


@settings(max_examples=40)
@given(st.lists(points, min_size=3, max_size=3, unique=True))
def test_a_triangle_covers_each_pixel_by_the_area_they_share(corners) -> None:
    canvas = Canvas(SIDE, SIDE)
    areas(canvas, corners)
    expected = shapely.area(shapely.intersection(pixels(), shapely.Polygon(corners)))
    assert np.abs(alpha(canvas) - expected).max() < 0.01


def test_a_hole_is_left_out_whichever_way_round_its_ring_goes() -> None:
    outer = [(4.5, 4.5), (40.0, 4.5), (40.0, 40.0), (4.5, 40.0)]
    inner = [(10.0, 10.0), (30.25, 10.0), (30.25, 30.0), (10.0, 30.0)]
    for hole in (inner, inner[::-1]):
        for ring in (outer, outer[::-1]):
            canvas = Canvas(SIDE, SIDE)
            areas(canvas, ring, hole)
            assert alpha(canvas)[20, 20] == 0
            assert alpha(canvas).sum() == pytest.approx(35.5**2 - 20.25 * 20, abs=1)


@settings(max_examples=40)
@given(st.lists(points, min_size=2, max_size=2, unique=True), st.floats(0.5, 9))
def test_a_straight_line_covers_its_width(ends, width: float) -> None:
    if np.hypot(ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]) < 1:
        return
    canvas = Canvas(SIDE, SIDE)
    line(canvas, ends, width)
    shape = shapely.LineString(ends).buffer(width / 2, cap_style="flat")
    expected = shapely.area(shapely.intersection(pixels(), shape))
    assert np.abs(alpha(canvas) - expected).max() < 0.015


@pytest.mark.parametrize(("cap", "style"), [(BUTT, "flat"), (ROUND_CAP, "round"), (SQUARE, "square")])
def test_a_bent_line_has_round_joins_and_the_caps_asked_for(cap: int, style: str) -> None:
    bent = [(8.0, 8.0), (30.0, 12.0), (20.0, 36.0), (42.0, 40.0)]
    canvas = Canvas(SIDE, SIDE)
    line(canvas, bent, 6, cap=cap)
    expected = shapely.LineString(bent).buffer(3, cap_style=style, quad_segs=32).area
    assert alpha(canvas).sum() == pytest.approx(expected, rel=0.01)


def test_dashes_go_on_where_the_next_tile_begins() -> None:
    far = [(-1e7, 20.0), (1e7, 20.0)]
    whole, right = Canvas(2 * SIDE, SIDE), Canvas(SIDE, SIDE)
    line(whole, far, 4, dash=(7, 5))
    line(right, [(x - SIDE, y) for x, y in far], 4, dash=(7, 5))
    assert np.array_equal(whole.rgba()[:, SIDE:], right.rgba())
    assert alpha(whole).sum() == pytest.approx(2 * SIDE * 4 * 7 / 12, rel=0.05)


def test_what_lies_outside_leaves_nothing_and_places_that_are_none_do_not_stop_the_rest() -> None:
    canvas = Canvas(SIDE, SIDE)
    line(canvas, [(-9.0, -9.0), (-9.0, 90.0)], 4)
    areas(canvas, [(60.0, 0.0), (90.0, 0.0), (90.0, 50.0)])
    assert not alpha(canvas).any()
    line(canvas, [(np.inf, np.nan), (10.0, 10.0), (30.0, 10.0)], 4)
    assert alpha(canvas).sum() == pytest.approx(80, rel=0.02)


def test_where_areas_of_one_call_overlap_the_colour_is_no_stronger() -> None:
    square = np.array([(5, 5), (25, 5), (25, 25), (5, 25)], float)
    canvas = Canvas(SIDE, SIDE)
    both = np.concatenate([square, square + 10])
    canvas.areas(both, np.array([0, 4, 8]), np.ones(2, np.uint8), Colour(1, 0, 0, 0.5))
    assert set(np.unique(canvas.rgba()[..., 3])) == {0, 128}


def test_colours_lie_over_each_other_as_w3c_says() -> None:
    square = [(0.0, 0.0), (48.0, 0.0), (48.0, 48.0), (0.0, 48.0)]
    canvas = Canvas(SIDE, SIDE)
    areas(canvas, square, colour=Colour(1, 0, 0, 0.5))
    areas(canvas, square, colour=Colour(0, 0, 1, 0.5))
    # alpha 0.5 + 0.5 * 0.5; red 0.25 / 0.75, blue 0.5 / 0.75
    assert canvas.rgba()[20, 20].tolist() == [85, 0, 170, 191]


def test_a_disc_has_its_radius_and_an_edge_outside_of_it() -> None:
    canvas = Canvas(SIDE, SIDE)
    canvas.discs(np.array([[24.0, 24.0]]), 8, Colour(1, 0, 0), 3, Colour(0, 0, 1))
    found = canvas.rgba()
    assert found[24, 24].tolist() == [255, 0, 0, 255]
    assert found[24, 24 + 9].tolist() == [0, 0, 255, 255]
    assert alpha(canvas).sum() == pytest.approx(np.pi * 11**2, rel=0.01)
