"""Places on lines, judged by geodesics."""

from __future__ import annotations

import math

import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geoshare.errors import BadRequest
from geoshare.network.along import Measured

GEOD = Geod(ellps="GRS80")
POINT = st.tuples(st.floats(139, 139.004), st.floats(36, 36.004))  # 400 m
LINE = st.lists(POINT, min_size=2, max_size=8).map(shapely.LineString)
FRACTION = st.floats(0, 1)


@settings(max_examples=50, deadline=None)
@given(line=LINE, at=FRACTION)
def test_a_fraction_is_one_of_the_geodesic_length(line, at):
    assume(GEOD.geometry_length(line) > 1)
    measured = Measured(line)
    assert measured.length_m == pytest.approx(GEOD.geometry_length(line), abs=1e-6)
    place = measured.place(at)
    assert place.m == pytest.approx(at * measured.length_m, abs=1e-6)
    before = measured.part(0, at) if at else None
    assert (GEOD.geometry_length(before) if before else 0) == pytest.approx(place.m, abs=2e-3)


@settings(max_examples=50, deadline=None)
@given(line=LINE, at=FRACTION)
def test_a_place_on_a_line_is_found_again(line, at):
    assume(GEOD.geometry_length(line) > 1)
    measured = Measured(line)
    lon, lat, _ = measured.place(at).lon_lat_z
    found = measured.nearest(lon, lat)
    assert found.distance_m < 1e-3
    back = GEOD.inv(lon, lat, *found.place.lon_lat_z[:2])[2]
    assert back < 1e-3


@settings(max_examples=50, deadline=None)
@given(line=LINE, away=POINT)
def test_no_point_of_the_line_is_nearer_than_the_nearest(line, away):
    assume(GEOD.geometry_length(line) > 1)
    found = Measured(line).nearest(*away)
    every = shapely.get_coordinates(line.segmentize(0.0005))
    least = min(GEOD.inv(*away, lon, lat)[2] for lon, lat in every)
    assert found.distance_m <= least + 0.05


def test_left_of_the_line_is_positive():
    measured = Measured(shapely.LineString([(139, 36), (139.01, 36)]))
    assert measured.nearest(139.005, 36.001).offset_m == pytest.approx(110.96, abs=0.05)
    assert measured.nearest(139.005, 35.999).offset_m == pytest.approx(-110.96, abs=0.05)


def test_heights_are_interpolated_and_unknown_ones_stay_unknown():
    climbing = Measured(shapely.LineString([(139, 36, 10), (139.01, 36, 30)]))
    assert climbing.place(0.25).lon_lat_z[2] == pytest.approx(15)
    flat = Measured(shapely.LineString([(139, 36), (139.01, 36)]))
    assert math.isnan(flat.place(0.25).lon_lat_z[2])


def test_a_line_that_comes_back_to_itself_names_the_other_places():
    there_and_back = shapely.LineString([(139, 36), (139.01, 36), (139.01, 36.00002), (139, 36.00002)])
    assert len(Measured(there_and_back).nearest(139.005, 36.00001).others) == 1
    assert Measured(shapely.LineString([(139, 36), (139.01, 36)])).nearest(139.005, 36).others == ()


@pytest.mark.parametrize(
    "shape", [None, shapely.Point(0, 0), shapely.LineString(), shapely.LineString([(1, 1), (1, 1)])]
)
def test_what_has_no_length_is_refused(shape):
    with pytest.raises(BadRequest, match="no length"):
        Measured(shape)
