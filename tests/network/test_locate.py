"""The lane at a position, judged by throwing darts at the lanes' surfaces."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod, Transformer

from geoshare.access.view import View
from geoshare.errors import BadRequest
from geoshare.network.locate import Position, locate
from geoshare.network.plane import Plane
from tests.access.town import Town, policy

LON, LAT = 140.9, 36.26
FROM_METRES = Transformer.from_crs(
    f"+proj=aeqd +lat_0={LAT} +lon_0={LON} +ellps=GRS80", "EPSG:6668", always_xy=True
)
EVERYTHING = policy({"collections": ["lanes", "segments", "places"], "columns": "all"})
DARTS = 20_000


def lanes(folder: Path, rows: list[tuple[str, list[tuple[float, ...]], dict]]) -> View:
    """A view of lanes given in metres east and north of the middle."""
    town = Town(folder)
    town.packs.publish("lanes", [(name, placed(line), said) for name, line, said in rows])
    return town.view(EVERYTHING, "lanes")


def placed(line: list[tuple[float, ...]]) -> shapely.LineString:
    shape = shapely.LineString(line)
    return shapely.transform(shape, FROM_METRES.transform, include_z=shape.has_z, interleaved=False)


def found(view: View, position: Position, limit: int = 10) -> tuple[dict[str, float], float]:
    candidates, none = locate(view, position, limit)
    return {candidate.id: candidate.probability for candidate in candidates}, none


COORDINATE = st.floats(-40, 40).map(lambda number: round(number, 2))


@settings(max_examples=25, deadline=None)
@given(
    lines=st.lists(
        st.tuples(COORDINATE, st.floats(0, math.pi), st.floats(1, 60), st.floats(2, 5)),
        min_size=1,
        max_size=4,
    ),
    east=st.floats(0.3, 8),
    north=st.floats(0.3, 8),
    correlation=st.floats(-0.95, 0.95),
)
def test_a_lane_is_as_probable_as_darts_hit_it(tmp_path_factory, lines, east, north, correlation):
    """Lanes are moved apart, so that no dart hits two."""
    rows = []
    for number, (offset, angle, length, width) in enumerate(lines):
        middle = np.array([offset, number * 75.0 - 75.0])
        half = np.array([math.cos(angle), math.sin(angle)]) * length / 2
        rows.append((f"l{number}", [tuple(middle - half), tuple(middle + half)], {"width_m": width}))
    view = lanes(tmp_path_factory.mktemp("town"), rows)
    covariance = (east * east, correlation * east * north, north * north)
    shares, none = found(view, Position(LON, LAT, covariance))
    darts = np.random.default_rng(7).multivariate_normal(
        [0, 0], [[covariance[0], covariance[1]], [covariance[1], covariance[2]]], DARTS
    )
    for name, line, said in rows:
        band = shapely.LineString(line).buffer(said["width_m"] / 2, cap_style="flat")
        hits = shapely.contains_xy(band, darts[:, 0], darts[:, 1]).mean()
        assert shares.get(name, 0.0) == pytest.approx(hits, abs=0.015)
    assert none + sum(shares.values()) == pytest.approx(1)


def test_heading_tells_lanes_of_both_directions_apart(tmp_path):
    view = lanes(
        tmp_path,
        [
            ("north", [(-1.5, -50), (-1.5, 50)], {"width_m": 3.0}),
            ("south", [(1.5, 50), (1.5, -50)], {"width_m": 3.0}),
        ],
    )
    round_about = (4.0, 0.0, 4.0)
    alike, _ = found(view, Position(LON, LAT, round_about))
    assert alike["north"] == pytest.approx(alike["south"], abs=1e-4)
    headed, _ = found(view, Position(LON, LAT, round_about, heading_deg=178))
    assert headed["south"] > 0.9 > 0.1 > headed["north"]


def test_a_lane_for_both_directions_may_be_driven_against_its_line(tmp_path):
    line = [(0, -50), (0, 50)]
    view = lanes(
        tmp_path,
        [("both", line, {"width_m": 3.0, "one_way": False}), ("one", line, {"width_m": 3.0})],
    )
    (best, other), _ = locate(view, Position(LON, LAT, (1.0, 0.0, 1.0), heading_deg=180), 2)
    assert (best.id, best.against) == ("both", True)
    assert best.probability > 0.9
    assert (other.id, other.against) == ("one", False)


def test_height_tells_a_bridge_from_the_road_below(tmp_path):
    view = lanes(
        tmp_path,
        [
            ("bridge", [(0, -50, 20), (0, 50, 20)], {"width_m": 3.0}),
            ("below", [(-50, 0, 12), (50, 0, 12)], {"width_m": 3.0}),
        ],
    )
    shares, _ = found(view, Position(LON, LAT, (1.0, 0.0, 1.0), height_m=12.5))
    assert shares["below"] > 0.9


def test_the_place_on_a_lane_is_told_as_fraction_offset_and_point(tmp_path):
    view = lanes(tmp_path, [("l", [(-10, 2), (20, 2), (30, 2)], {"width_m": 3.5})])
    (lane,), _ = locate(view, Position(LON, LAT, (0.25, 0.0, 0.25)), 5)
    assert lane.at == pytest.approx(0.25, abs=1e-6)
    assert lane.offset_m == pytest.approx(-2, abs=1e-4)  # to the right of a lane that leads east
    assert lane.bearing_deg == pytest.approx(90, abs=0.01)
    _, _, away = Geod(ellps="GRS80").inv(LON, LAT, *lane.lon_lat)
    assert away == pytest.approx(2, abs=1e-4)
    assert (lane.width_m, lane.width_known) == (3.5, True)


def test_a_position_far_from_every_lane_is_on_none(tmp_path):
    view = lanes(tmp_path, [("l", [(200, 0), (300, 0)], {})])
    assert locate(view, Position(LON, LAT, (1.0, 0.0, 1.0)), 5) == ([], 1.0)


@pytest.mark.parametrize(
    "covariance", [(0, 0, 0), (1, 2, 1), (-1, 0, 1), (1, 0, 1e9), (math.nan, 0, 1), (math.inf, 0, 1)]
)
def test_what_is_no_covariance_is_refused(tmp_path, covariance):
    view = lanes(tmp_path, [("l", [(0, 0), (1, 0)], {})])
    with pytest.raises(BadRequest, match="covariance"):
        locate(view, Position(LON, LAT, covariance), 5)


@settings(max_examples=50, deadline=None)
@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-80, 80),
    bearing=st.floats(0, 360),
    distance=st.floats(0.1, 200),
)
def test_the_plane_agrees_with_the_ellipsoid_to_a_centimetre_within_two_hundred_metres(
    lon, lat, bearing, distance
):
    geod = Geod(ellps="GRS80")
    to_lon, to_lat, _ = geod.fwd(lon, lat, bearing, distance)
    ((east, north),) = Plane(lon, lat).metres(np.array([[to_lon, to_lat]]))
    assert math.hypot(east, north) == pytest.approx(distance, abs=0.02)
    assert math.degrees(math.atan2(east, north)) % 360 == pytest.approx(bearing % 360, abs=0.02) or (
        abs(math.degrees(math.atan2(east, north)) % 360 - bearing % 360) > 359
    )
    ((back_lon, back_lat),) = Plane(lon, lat).degrees(np.array([[east, north]]))
    assert abs((back_lon - to_lon + 180) % 360 - 180) < 1e-9
    assert back_lat == pytest.approx(to_lat, abs=1e-9)
