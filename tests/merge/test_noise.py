"""What is no change: against geodesic distances, and in the shapes that may not be told apart."""

from __future__ import annotations

import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geoshare.merge.noise import is_noise

GEOD = pyproj.Geod(ellps="GRS80")
SAID = '{"name":"x"}'


def said(shape: shapely.Geometry | None, properties: str = SAID) -> tuple[bytes | None, str]:
    return (None if shape is None else shapely.to_wkb(shape, output_dimension=3)), properties


@given(
    st.floats(-179, 179),
    st.floats(-70, 70),
    st.floats(0, 360),
    st.floats(0.01, 50),
    st.sampled_from([0.5, 0.98, 1.02, 2.0]),
)
def test_a_point_may_move_as_far_as_its_accuracy(lon, lat, azimuth, accuracy_m, share):
    there = GEOD.fwd(lon, lat, azimuth, accuracy_m * share)[:2]
    found = is_noise(said(shapely.Point(lon, lat)), said(shapely.Point(there)), accuracy_m)
    assert found == (share < 1)


LINE = shapely.LineString([(139.7, 35.6), (139.701, 35.6), (139.702, 35.6)])
FAR = shapely.LineString([(139.7, 35.6), (139.701, 35.6), (139.702, 35.6001)])
HIGH = shapely.LineString([(139.7, 35.6, 5), (139.701, 35.6, 5), (139.702, 35.6, 5)])
HIGHER = shapely.LineString([(139.7, 35.6, 5), (139.701, 35.6, 5), (139.702, 35.6, 7)])
HOLED = shapely.box(0, 0, 9, 9).difference(shapely.box(3, 3, 4, 4))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (said(LINE), said(LINE), True),
        (said(LINE), said(FAR), False),  # one vertex, eleven metres
        (said(LINE), said(LINE.reverse()), False),
        (said(LINE), said(LINE, '{"name":"y"}'), False),
        (said(LINE), said(shapely.LineString(LINE.coords[:2])), False),
        (said(LINE), said(shapely.MultiLineString([LINE])), False),
        (said(HIGH), said(HIGHER), False),
        (said(HIGH), said(HIGH), True),
        (said(LINE), said(HIGH), False),
        (said(HOLED), said(HOLED), True),
        (said(HOLED), said(shapely.box(0, 0, 9, 9)), False),
        (said(None), said(LINE), False),
        (said(LINE), said(None), False),
    ],
)
def test_another_topology_height_or_property_is_a_change(before, after, expected):
    assert is_noise(before, after, 1.0) is expected
