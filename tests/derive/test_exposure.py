"""Exposure of a line against geodesic lengths that are worked out point by point."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from geoshare.derive.exposure import along, hazards_of, length_m, runs_along
from geoshare.derive.reading import Found

GEOD = Geod(ellps="WGS84")
LON, LAT = 140.9, 36.25
place = st.tuples(st.floats(0, 0.02), st.floats(0, 0.02))


def line_of(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(LON + x, LAT + y) for x, y in points])


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(LON + west, LAT + south, LON + east, LAT + north)


def steps(line: shapely.LineString) -> tuple[np.ndarray, np.ndarray]:
    """Middles and geodesic lengths of 4,000 short steps of a line."""
    points = shapely.line_interpolate_point(line, np.linspace(0, 1, 4001), normalized=True)
    x, y = shapely.get_x(points), shapely.get_y(points)
    _, _, metres = GEOD.inv(x[:-1], y[:-1], x[1:], y[1:])
    return shapely.points((x[:-1] + x[1:]) / 2, (y[:-1] + y[1:]) / 2), metres


@settings(max_examples=25, deadline=None)
@given(
    st.lists(place, min_size=2, max_size=6), st.lists(st.tuples(place, place), min_size=1, max_size=3)
)
def test_metres_in_each_class_are_those_of_a_walk_along_the_line(points, corners):
    line = line_of(*points)
    assume(line.is_simple and length_m(line) > 50)
    boxes = [box(min(a, c), min(b, d), max(a, c), max(b, d)) for (a, b), (c, d) in corners]
    assume(all(shape.area > 0 for shape in boxes))
    found = along(line, [np.array([shape], dtype=object) for shape in boxes])
    middles, metres = steps(line)
    free = np.ones(len(metres), bool)
    for number, shape in enumerate(boxes):
        inside = shapely.intersects(shape, middles) & free
        assert found[number] == pytest.approx(metres[inside].sum(), abs=length_m(line) / 400 + 0.01)
        free &= ~inside
    assert sum(found) == pytest.approx(GEOD.geometry_length(line), rel=1e-7)


def test_what_is_not_surveyed_is_unknown_and_what_lies_outside_the_zones_is_not_safe():
    rows = [
        {"hazard_type": "flood", "scenario": "L2", "depth_min_m": 0.5, "depth_max_m": 3.0},
        {"hazard_type": "flood", "scenario": "L2", "depth_min_m": 3.0, "depth_max_m": 5.0},
        {"hazard_type": "flood", "scenario": "L1", "depth_min_m": 0.0, "depth_max_m": 0.5},
        {"hazard_type": "tsunami", "scenario": None, "depth_min_m": 1.0, "depth_max_m": 2.0},
    ]
    shapes = [box(0, -1, 0.005, 1), box(0.004, -1, 0.006, 1), box(0, -1, 0.01, 1), box(0.5, 0.5, 1, 1)]
    found = hazards_of(line_of((0, 0), (0.01, 0)), Found(rows, np.array(shapes, dtype=object)))
    told = {(item["hazard_type"], item["scenario"]): item for item in found}
    shares = {item["class"]: item["share"] for item in told["flood", "L2"]["classes"]}
    assert shares == pytest.approx({"3-5": 0.2, "0.5-3": 0.4, "unknown": 0.4}, abs=1e-3)
    assert [item["class"] for item in told["flood", "L1"]["classes"]] == ["0-0.5"]
    for kind in ("tsunami", "landslide", "storm_surge", "inland_flood"):
        assert told[kind, None]["state"] == "unknown"
        assert [item["class"] for item in told[kind, None]["classes"]] == ["unknown"]


@pytest.mark.parametrize(
    ("closure", "on"),
    [
        (line_of((0.0, 0.00005), (0.002, 0.00005)), True),  # beside it, 5 m away
        (line_of((0.0005, 0.00005), (0.0008, 0.00005)), True),  # on a short part of it
        (line_of((0.001, -0.002), (0.001, 0.002)), False),  # crosses it
        (line_of((0.002, 0.0), (0.004, 0.0)), False),  # goes on where it ends
        (line_of((0.0, 0.001), (0.002, 0.001)), False),  # 110 m away
        (shapely.Point(LON + 0.001, LAT + 0.00005), True),
        (shapely.Point(LON + 0.001, LAT + 0.001), False),
        (box(0.001, -0.001, 0.003, 0.001), True),
        (box(0.003, -0.001, 0.004, 0.001), False),
    ],
)
def test_a_closure_is_on_a_road_that_it_runs_along_and_not_on_one_that_it_crosses(closure, on):
    assert runs_along(line_of((0, 0), (0.002, 0)), closure) is on
