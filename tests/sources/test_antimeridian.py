"""What crosses the antimeridian is cut there, and nothing of it is lost or drawn round the world."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.sources.antimeridian import split

ReadFile = Callable[..., Any]
LON = st.integers(150_000, 210_000).map(lambda value: value / 1000)
LAT = st.integers(-80_000, 80_000).map(lambda value: value / 1000)


def wrapped(shape: shapely.Geometry) -> shapely.Geometry:
    """As files have it: longitudes beyond 180 begin again at -180."""
    return shapely.transform(
        shape,
        lambda xy: np.column_stack([np.where(xy[:, 0] > 180, xy[:, 0] - 360, xy[:, 0]), xy[:, 1]]),
    )


def unwrapped(shape: shapely.Geometry) -> shapely.Geometry:
    """All of it in 0 to 360: an oracle that only works where nothing lies at Greenwich."""
    parts = shapely.get_parts(shape)
    moved = [
        shapely.transform(part, lambda xy: np.add(xy, (360.0, 0.0))) if part.bounds[2] <= 0 else part
        for part in parts
    ]
    return shapely.union_all(moved)


def cut(shape: shapely.Geometry) -> tuple[shapely.Geometry, bool]:
    found = np.array([shape], dtype=object)
    [was] = split(found, np.array([True]))
    return found[0], bool(was)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(LON, LAT), min_size=2, max_size=12))
def test_a_line_is_cut_into_the_line_it_was(vertices: list[tuple[float, float]]) -> None:
    line = shapely.LineString(vertices)
    found, was = cut(wrapped(line))
    assert was == (line.bounds[0] <= 180 < line.bounds[2])
    if was:
        assert found.length == pytest.approx(line.length)
        assert shapely.hausdorff_distance(unwrapped(found), line) < 1e-9
        for part in shapely.get_parts(found):
            assert part.bounds[2] - part.bounds[0] <= 180


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(LON, LAT), min_size=3, max_size=12, unique=True), st.booleans())
def test_a_polygon_with_a_hole_keeps_its_area(vertices: list[tuple[float, float]], holed: bool) -> None:
    shape = shapely.convex_hull(shapely.MultiPoint(vertices))
    if shapely.get_dimensions(shape) != 2 or shape.area < 1e-3:
        return
    if holed:
        hole = shapely.transform(
            shape.exterior, lambda xy: (xy - shape.centroid.coords[0]) / 4 + shape.centroid.coords[0]
        )
        shape = shapely.Polygon(shape.exterior, [hole])
    found, was = cut(wrapped(shape))
    assert was == (shape.bounds[0] <= 180 < shape.bounds[2])
    if was:
        assert found.is_valid
        assert found.area == pytest.approx(shape.area)
        assert shapely.area(shapely.symmetric_difference(unwrapped(found), shape)) < 1e-6


@pytest.mark.parametrize(
    "wkt",
    [
        "LINESTRING (-180 0, 180 0)",  # the equator
        "POLYGON ((-180 -90, 180 -90, 180 90, -180 90, -180 -90))",  # the world
        "MULTILINESTRING ((170 0, 180 1), (-180 1, -170 2))",  # cut already
        "LINESTRING (-90 0, 90 0)",  # just as far either way
        "POLYGON ((-120 70, 0 70, 120 70, -120 70))",  # around a pole
        "MULTIPOINT ((179 0), (-179 0))",
    ],
)
def test_what_does_not_cross_stays_as_it_is(wkt: str) -> None:
    shape = shapely.from_wkt(wkt)
    found, was = cut(shape)
    assert not was
    assert found.equals(shape)


def test_heights_are_kept_and_given_to_the_cut_in_proportion() -> None:
    found, _ = cut(shapely.LineString([(179.0, 0.0, 10.0), (-179.0, 2.0, 30.0)]))
    assert [part.coords[:] for part in found.geoms] == [
        [(179.0, 0.0, 10.0), (180.0, 1.0, 20.0)],
        [(-180.0, 1.0, 20.0), (-179.0, 2.0, 30.0)],
    ]


def test_the_report_says_so_and_the_feature_keeps_its_id(read: ReadFile, tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": [[179.9, 52.0], [-179.9, 52.2]]}
    other = {"type": "LineString", "coordinates": [[139.0, 35.0], [139.1, 35.0]]}
    features = [
        {"type": "Feature", "properties": {"name": name, "id": name}, "geometry": shape}
        for name, shape in (("a", line), ("b", other))
    ]
    path = tmp_path / "routes.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    found = read(path, collection="routes")
    assert found.repairs() == {"antimeridian-split": 1}
    assert "180" in found.report.repairs["antimeridian-split"].message.ja
    assert set(found.shapes("routes")) == {"a", "b"}
    west, east = found.shapes("routes")["a"].geoms
    assert (west.bounds[2], east.bounds[0]) == (180.0, -180.0)
