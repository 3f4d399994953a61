"""Areal weighting against a slow computation on another projection, and sums that must add up."""

from __future__ import annotations

import math

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geoshare.derive.figures import estimated, guarded
from geoshare.derive.hazards import ZONE, class_of
from geoshare.derive.plane import areal, pieces, to_plane
from geoshare.derive.weighing import Weighed, divide, overlay, places_in, weigh, worst_touched

WEST, SOUTH, STEP = 140.88, 36.24, 0.003
GEOD = Geod(ellps="GRS80")
corner = st.tuples(st.floats(0, 0.03), st.floats(0, 0.03))


def grid() -> np.ndarray:
    """A hundred cells of 0.003 degrees."""
    return np.array(
        [
            shapely.box(
                WEST + STEP * i, SOUTH + STEP * j, WEST + STEP * (i + 1), SOUTH + STEP * (j + 1)
            )
            for i in range(10)
            for j in range(10)
        ],
        dtype=object,
    )


@st.composite
def polygons(draw: st.DrawFn) -> shapely.Polygon:
    points = draw(st.lists(corner, min_size=3, max_size=12))
    shape = shapely.convex_hull(shapely.MultiPoint([(WEST + x, SOUTH + y) for x, y in points]))
    assume(shape.geom_type == "Polygon" and shape.area > 1e-7)
    return shapely.segmentize(shape, 0.002)  # straight in degrees is not straight in every projection


def weighed(regions: list, values: np.ndarray, withheld: np.ndarray | None = None) -> Weighed:
    cells = to_plane(grid())
    hidden = np.zeros(len(cells), bool) if withheld is None else withheld
    return weigh(overlay(cells, regions), shapely.area(cells), values, hidden)


@settings(max_examples=30, deadline=None)
@given(polygons())
def test_the_plane_has_the_areas_of_the_ellipsoid(shape):
    dense = shapely.segmentize(shape, 0.0005)
    exact = abs(GEOD.geometry_area_perimeter(shapely.orient_polygons(dense))[0])
    assert shapely.area(to_plane(dense)) == pytest.approx(exact, rel=1e-5, abs=1.0)


@settings(max_examples=12, deadline=None)
@given(polygons(), st.lists(polygons(), min_size=0, max_size=3), st.randoms(use_true_random=False))
def test_figures_by_class_are_those_of_an_overlay_on_another_projection(area, zones, random):
    values = np.array([random.choice((math.nan, 0.0, 37.0, 512.0)) for _ in range(100)])
    target = to_plane(area)
    regions = divide(target, [np.array([to_plane(zone)], dtype=object) for zone in zones])
    found = weighed(regions, values)

    cells = shapely.segmentize(grid(), 0.001)
    frame = geopandas.GeoDataFrame({"value": values}, geometry=list(cells), crs=4326).to_crs(6677)
    full, left = frame.area, geopandas.GeoSeries([area], crs=4326).to_crs(6677).iloc[0]
    for number, zone in enumerate([*zones, None]):
        own = left if zone is None else left.intersection(
            geopandas.GeoSeries([zone], crs=4326).to_crs(6677).iloc[0]
        )  # fmt: skip
        left = left.difference(own)
        shares = frame.intersection(own).area / full
        expected = (shares * frame["value"]).fillna(0.0).sum()
        assert found.sums[number] == pytest.approx(expected, rel=1e-3, abs=0.05)


@settings(max_examples=40, deadline=None)
@given(polygons(), polygons(), polygons())
def test_classes_add_up_to_the_area_and_parts_of_an_area_to_the_whole(area, zone, cut):
    values = np.arange(100.0)
    target, knife = to_plane(area), to_plane(cut)
    zones = [np.array([to_plane(zone)], dtype=object)]
    whole = weighed([target], values)
    by_class = weighed(divide(target, zones), values)
    halves = areal([target.intersection(knife), target.difference(knife)])
    apart = [weighed(divide(half, zones), values) for half in halves]
    assert by_class.sums.sum() == pytest.approx(whole.sums[0], rel=1e-9, abs=1e-6)
    assert by_class.area_m2.sum() == pytest.approx(whole.area_m2[0], rel=1e-9, abs=1e-3)
    both = apart[0].sums + apart[1].sums
    assert both == pytest.approx(by_class.sums, rel=1e-6, abs=1e-6)


def test_withheld_and_missing_cells_are_told_apart_from_zero():
    values = np.full(100, 40.0)
    withheld = np.zeros(100, bool)
    values[0] = values[1] = math.nan
    withheld[0] = True
    cells = to_plane(grid())
    found = weighed([cells[0], cells[1], cells[2], shapely.union_all(cells[:3])], values, withheld)
    told = [
        estimated(*numbers)
        for numbers in zip(found.sums, found.known_m2, found.withheld_m2, found.area_m2, strict=True)
    ]
    assert [figure["state"] for figure in told] == ["suppressed", "unknown", "estimated", "at_least"]
    assert [figure["value"] for figure in told] == [None, None, 40, 40]


@pytest.mark.parametrize(
    ("total", "figure"), [(0.0, (0, "estimated")),
     (0.2, (None, "below")), (3.0, (None, "below")), (9.99, (None, "below")),
                          (14.9, (10, "estimated")), (15.0, (20, "estimated"))],
)  # fmt: skip
def test_few_people_are_told_as_few_and_others_in_tens(total, figure):
    found = estimated(total, 100.0, 0.0, 100.0)
    assert (found["value"], found["state"]) == figure


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 25), min_size=3, max_size=3), min_size=1, max_size=8), st.data()
)
def test_areas_that_differ_by_one_square_never_tell_of_fewer_than_ten(squares, data):
    left_out = data.draw(st.integers(0, len(squares) - 1))

    def told(rows: list[list[int]]) -> list[float]:
        sums = np.array(rows, dtype=float).reshape(-1)
        ones = np.ones(len(sums))
        by_class, total = guarded(Weighed(sums, ones, ones * 0, ones), len(rows), 3)
        return [*by_class.sums, total.sums[0]]

    others = [row for number, row in enumerate(squares) if number != left_out]
    less = told(others) if others else [0.0] * 4
    difference = np.array(told(squares)) - np.array(less)
    assert all(number == 0 or number >= 10 for number in difference)
    by_class, total = difference[:3].sum(), difference[3]
    assert total - by_class == 0 or (by_class == 0 and total >= 10)


def test_a_building_is_in_one_area_and_in_the_worst_class_that_it_touches():
    house = np.array([shapely.box(9, 0, 12, 2)], dtype=object)
    west, east = shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)
    assert list(places_in(house, west)) + list(places_in(house, east)) in ([True, False], [False, True])
    zones = [np.array([shapely.box(0, 0, 9.5, 1)], dtype=object), np.array([east], dtype=object)]
    assert worst_touched(house, zones)[0] == 0
    assert worst_touched(house, zones[1:])[0] == 0
    assert worst_touched(house, [np.array([shapely.box(50, 50, 51, 51)], dtype=object)])[0] == 1


def test_pieces_tile_a_shape_of_many_vertices():
    star = shapely.Polygon(
        [
            ((3 + math.cos(9 * turn)) * math.cos(turn), (3 + math.cos(9 * turn)) * math.sin(turn))
            for turn in np.linspace(0, 2 * math.pi, 4000, endpoint=False)
        ]
    )
    parts = pieces(star)
    assert max(shapely.get_num_coordinates(parts)) <= 256
    assert sum(shapely.area(parts)) == pytest.approx(star.area, rel=1e-9)
    assert shapely.area(shapely.union_all(parts)) == pytest.approx(star.area, rel=1e-9)


def test_of_two_classes_the_worse_one_counts_and_nothing_stated_is_still_a_zone():
    rows = (
        {"zone_class": "special_warning"}, {"zone_class": "warning"}, {"depth_min_m": 20.0},
        {"depth_min_m": 0.5, "depth_max_m": 3.0}, {"depth_min_m": 0.5, "depth_max_m": 1.0},
        {"depth_min_m": 0.0, "depth_max_m": 0.5}, {},
    )  # fmt: skip
    classes = [class_of(row) for row in rows]
    assert classes == sorted(classes, key=lambda item: -item.rank)
    assert [item.code for item in classes[2:]] == ["20-", "0.5-3", "0.5-1", "0-0.5", "zone"]
    assert classes[-1] == ZONE
