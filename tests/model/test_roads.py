"""Parametric roads: against quadrature, dense evaluation and cross sections worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from geoshare.model.roads import (
    ARC,
    LINE,
    PARAM_POLY3,
    POLY3,
    SPIRAL,
    Cubics,
    Lane,
    Piece,
    Plan,
    Road,
    Section,
    sample,
)

curvatures = st.floats(-0.2, 0.2)
lengths = st.floats(0.1, 300.0)
headings = st.floats(-7.0, 7.0)


def of(kind: int, length: float, parameters: tuple[float, ...] = (), limit: float = 1.0) -> Plan:
    return Plan((Piece(0.0, 0.0, 0.0, 0.0, length, kind, parameters, limit),))


def integrated(heading, s: float) -> tuple[float, float]:
    """x and y of a line by its heading along s, with SciPy's adaptive quadrature."""
    return tuple(
        quad(lambda at, f=f: f(heading(at)), 0.0, s, epsabs=1e-11, limit=400)[0]
        for f in (math.cos, math.sin)
    )


@settings(max_examples=50, deadline=None)
@given(start=curvatures, end=curvatures, length=lengths, share=st.floats(0.0, 1.0))
def test_a_clothoid_lies_where_quadrature_puts_it(
    start: float, end: float, length: float, share: float
) -> None:
    s = share * length
    rate = (end - start) / length
    xy, turn = of(SPIRAL, length, (start, end)).at(np.array([s]))
    expected = integrated(lambda at: start * at + 0.5 * rate * at * at, s)
    assert np.hypot(*(xy[0] - expected)) < 1e-7
    assert turn[0] == pytest.approx(start * s + 0.5 * rate * s * s, abs=1e-9)


@pytest.mark.parametrize("change", [0.0, 1e-16, 1e-13, 1e-9, 1e-7, 1e-5, -1e-6])
@pytest.mark.parametrize("curvature", [0.0, 1e-9, 0.01, -0.05])
def test_a_clothoid_that_is_nearly_an_arc_or_a_line_stays_exact(curvature, change) -> None:
    length = 150.0
    xy, _ = of(SPIRAL, length, (curvature, curvature + change)).at(np.array([length]))
    rate = change / length
    expected = integrated(lambda at: curvature * at + 0.5 * rate * at * at, length)
    assert np.hypot(*(xy[0] - expected)) < 1e-7


@settings(max_examples=50, deadline=None)
@given(curvature=curvatures, length=lengths)
def test_an_arc_lies_on_its_circle_and_ends_where_its_length_ends(
    curvature: float, length: float
) -> None:
    s = np.linspace(0, length, 7)
    xy, turn = of(ARC, length, (curvature,)).at(s)
    expected = integrated(lambda at: curvature * at, length)
    assert np.hypot(*(xy[-1] - expected)) < 1e-7
    assert np.allclose(turn, curvature * s)


cubic = st.floats(-0.02, 0.02)


@settings(max_examples=30, deadline=None)
@given(c=cubic, d=st.floats(-0.0003, 0.0003), e=cubic, f=st.floats(-0.0003, 0.0003), n=st.booleans())
def test_stations_of_parametric_cubics_are_arc_lengths(c, d, e, f, n) -> None:
    """Whatever the parameter's range, half the length lies halfway along the curve."""
    limit = 1.0 if n else 40.0
    scale = 40.0 / limit
    u = (0.0, scale, c * scale**2, d * scale**3)
    v = (0.0, 0.0, e * scale**2, f * scale**3)

    def speed(p: float) -> float:
        return math.hypot(*(a[1] + 2 * a[2] * p + 3 * a[3] * p * p for a in (u, v)))

    length = quad(speed, 0.0, limit, epsabs=1e-10, limit=400)[0]
    plan = of(PARAM_POLY3, length, (*u, *v), limit)
    assert plan.curve_length(0) == pytest.approx(length, abs=1e-6)
    xy, _ = plan.at(np.array([0.0, length / 2, length]))
    ends = [sum(a * limit**k for k, a in enumerate(side)) for side in (u, v)]
    assert np.allclose(xy[2], ends, atol=1e-6)
    # the middle: its parameter has half of the length before it
    low, high = 0.0, limit
    for _ in range(60):
        p = (low + high) / 2
        low, high = (p, high) if quad(speed, 0.0, p, epsabs=1e-11)[0] < length / 2 else (low, p)
    middle = [sum(a * p**k for k, a in enumerate(side)) for side in (u, v)]
    assert np.hypot(*(xy[1] - middle)) < 1e-5


@settings(max_examples=30, deadline=None)
@given(b=st.floats(-1, 1), c=st.floats(-0.02, 0.02), d=st.floats(-0.0005, 0.0005))
def test_a_cubic_in_u_runs_as_long_as_its_record_says(b: float, c: float, d: float) -> None:
    length = 30.0
    plan = of(POLY3, length, (0.0, b, c, d))
    assert plan.curve_length(0) == pytest.approx(length, abs=1e-6)
    xy, _ = plan.at(np.linspace(0, length, 400))
    assert np.allclose(xy[:, 1], b * xy[:, 0] + c * xy[:, 0] ** 2 + d * xy[:, 0] ** 3, atol=1e-9)
    steps = np.hypot(*np.diff(xy, axis=0).T)
    assert steps.sum() == pytest.approx(length, abs=0.01)


@settings(max_examples=30, deadline=None)
@given(
    pieces=st.lists(st.tuples(st.sampled_from([LINE, ARC, SPIRAL]), lengths, curvatures, curvatures)),
    heading=headings,
)
def test_pieces_that_begin_where_the_one_before_ends_make_one_smooth_line(pieces, heading) -> None:
    made, s, x, y = [], 0.0, 100.0, -50.0
    for kind, length, one, two in pieces or [(LINE, 10.0, 0.0, 0.0)]:
        parameters = {LINE: (), ARC: (one,), SPIRAL: (one, two)}[kind]
        made.append(Piece(s, x, y, heading, length, kind, parameters))
        end, turn = of(kind, length, parameters).at(np.array([length]))
        cos, sin = math.cos(heading), math.sin(heading)
        x, y = x + end[0, 0] * cos - end[0, 1] * sin, y + end[0, 0] * sin + end[0, 1] * cos
        s, heading = s + length, heading + float(turn[0])
    plan = Plan(tuple(made))
    assert plan.gaps().max(initial=0.0) < 1e-6
    at = np.linspace(0.0, plan.end, 2000)
    xy, _ = plan.at(at)
    chords = np.hypot(*np.diff(xy, axis=0).T)
    assert (chords <= np.diff(at) + 1e-6).all()
    assert np.hypot(*(xy[-1] - [x, y])) < 1e-6


def straight(**more) -> Road:
    lanes = tuple(Lane(-n, "driving", width=Cubics.constant(3.5)) for n in (1, 2))
    given_ = {"sections": (Section(0, 0.0, (), lanes),)} | more
    return Road("1", 100.0, of(LINE, 100.0), **given_)


def test_superelevation_tilts_the_cross_section_to_the_right() -> None:
    road = straight(superelevation=Cubics.constant(0.1), elevation=Cubics.constant(7.0))
    [band] = road.bands()
    lines = road.lines(band, np.array([50.0]))
    assert band.borders == (0, -1, -2)
    for t, point in zip((0.0, -3.5, -7.0), lines[:, 0], strict=True):
        assert point == pytest.approx((50.0, t * math.cos(0.1), 7.0 + t * math.sin(0.1)))


def test_a_lane_on_level_runs_flat_from_the_lane_it_lies_at() -> None:
    lanes = (
        Lane(-1, "driving", width=Cubics.constant(3.5)),
        Lane(-2, "sidewalk", True, Cubics.constant(2.0)),
    )
    road = straight(superelevation=Cubics.constant(0.1), sections=(Section(0, 0.0, (), lanes),))
    [band] = road.bands()
    _, kerb, outside = road.lines(band, np.array([10.0]))[:, 0]
    assert outside[2] == kerb[2] == pytest.approx(-3.5 * math.sin(0.1))
    assert outside[1] == pytest.approx(kerb[1] - 2.0)


def test_shapes_and_crossfall_bend_the_surface() -> None:
    camber = Cubics.of([(-10.0, -0.2, 0.02, 0, 0), (0.0, 0.0, -0.02, 0, 0)])
    flat = Cubics.of([(-10.0, 0.0, 0, 0, 0)])
    road = straight(shapes=((0.0, camber), (100.0, flat)))
    [band] = road.bands()
    heights = road.lines(band, np.array([0.0, 50.0, 100.0]))[2, :, 2]
    assert heights == pytest.approx([-0.14, -0.07, 0.0])
    falls = straight(crossfall=(Cubics.of([]), Cubics.constant(0.02)))
    [band] = falls.bands()
    assert falls.lines(band, np.array([5.0]))[2, 0, 2] == pytest.approx(-7.0 * math.tan(0.02))


def test_borders_count_from_the_reference_line_and_widths_from_the_lane_before() -> None:
    lanes = (
        Lane(1, "driving", border=Cubics.constant(4.0)),
        Lane(2, "driving", width=Cubics.of([(0.0, 3.0, 0.01, 0.0, 0.0)])),
    )
    road = straight(offset=Cubics.constant(0.5), sections=(Section(0, 0.0, lanes, ()),))
    [band] = road.bands()
    assert band.borders == (2, 1, 0)
    assert road.lines(band, np.array([100.0]))[:, 0, 1] == pytest.approx([8.0, 4.0, 0.5])


def test_a_section_of_one_side_leaves_the_other_side_as_it_was() -> None:
    lane = [Lane(n, "driving", width=Cubics.constant(3.0)) for n in (1, -1)]
    road = straight(
        sections=(
            Section(0, 0.0, (lane[0],), (lane[1],)),
            Section(1, 40.0, (lane[0],), (), single_side=True),
        )
    )
    said = [(band.section.index, band.start, band.end, band.sides) for band in road.bands()]
    assert sorted(said) == [(0, 0.0, 40.0, (1,)), (0, 0.0, 100.0, (-1,)), (1, 40.0, 100.0, (1,))]


def test_polylines_keep_within_their_bound_and_keep_jumps() -> None:
    width = Cubics.of([(0.0, 3.0, 0, 0, 0), (60.0, 5.0, 0, 0, 0)])
    road = Road(
        "1",
        120.0,
        Plan((Piece(0, 0, 0, 0, 120.0, SPIRAL, (0.0, 0.05)),)),
        elevation=Cubics.of([(0, 0, 0, 0.004, -0.00003)]),
        sections=(Section(0, 0.0, (Lane(1, "driving", width=width),), ()),),
    )
    [band] = road.bands()
    sampled = sample(road, band, 0.01)
    assert 0.001 < sampled.error_m <= 0.01
    dense = np.concatenate([np.linspace(0, 59.9999, 3000), np.linspace(60, 120, 3000)])
    truth = road.lines(band, dense)
    for line, points in zip(sampled.lines, truth, strict=True):
        away = shapely.distance(shapely.points(points[:, :2]), shapely.LineString(line[:, :2]))
        assert away.max() < 0.011
    assert len(sampled.s) < 120
    outer = np.hypot(*(sampled.lines[0] - sampled.lines[1])[:, :2].T)
    assert sorted({round(value, 6) for value in outer}) == [3.0, 5.0]


def test_a_straight_road_needs_no_vertices_between_its_ends() -> None:
    [band] = straight().bands()
    assert sample(straight(), band).lines.shape == (3, 2, 3)


def test_stations_that_files_round_make_no_vertex_twice() -> None:
    """A record begins a micrometre beside a piece, and another one before the end."""
    plan = Plan((Piece(0, 0, 0, 0, 50, LINE), Piece(50, 50, 0, 0, 50, LINE)))
    heights = Cubics.of([(0, 0, 0, 0, 0), (50.000001, 0, 0.1, 0, 0), (99.999999, 5.0, 0, 0, 0)])
    found = sample(Road("1", 100, plan, False, heights, Cubics.of([])), None)
    assert np.allclose(found.s, [0, 50, 100], atol=1e-5)
    assert found.s[-1] == 100
