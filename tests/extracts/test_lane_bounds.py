"""Boundaries that run past their lanes: maps put together from editions that cut lines elsewhere."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.extracts.lane_bounds import bounding, cut
from tests.extracts.lanelets import contribute, extract, osm
from tests.extracts.roads import Features, Written, read, write
from tests.sources.opendrive.maps import lane, road, section, xodr

LANELET2 = "lanelet2"
BASE = "kashiwanoha_base.osm"
THIRD = "kashiwanoha_private_road_walkway_ele_fix.osm"


def lines(askew_deg: float = 0.0, left_more: float = 0.0, right_more: float = 0.0):
    """A lane of 30 m and 3.5 m between lines that may end askew and go on past its end."""
    shift = 1.75 * math.tan(math.radians(askew_deg))
    x = np.linspace(0, 30, 7)
    centre = np.column_stack([x, 0 * x, 0 * x])
    left = centre + np.array([shift, 1.75, 0])
    right = centre - np.array([shift, 1.75, 0])
    left = np.vstack([left, left[-1] + [left_more, 0, 0]]) if left_more else left
    right = np.vstack([right, right[-1] + [right_more, 0, 0]]) if right_more else right
    return centre, left, right


@settings(max_examples=30, deadline=None)
@given(askew=st.floats(-65, 65), more=st.floats(8, 200), is_left=st.booleans())
def test_a_line_is_cut_where_it_lies_opposite_to_the_other_s_end(
    askew: float, more: float, is_left: bool
) -> None:
    centre, left, right = lines(askew, more if is_left else 0, 0 if is_left else more)
    assert bounding(*lines(askew)) is None
    parts = bounding(centre, left, right)
    assert parts is not None
    for line, part, whole in zip((left, right), parts, lines(askew)[1:], strict=True):
        assert part is not None
        made, vertices = cut(line, part)
        assert shapely.LineString(made).hausdorff_distance(shapely.LineString(whole)) < 0.0101  # m
        assert vertices[0] == 0


def test_lines_that_are_too_short_or_on_the_wrong_side_bound_nothing() -> None:
    centre, left, right = lines()
    assert bounding(centre, left[3:], right) == (None, (0.0, 30.0))
    [keeps, wrong] = bounding(centre, left, np.vstack([right[:2], left[2:] - [0, 0.3, 0]]))
    assert keeps == (0.0, 30.0)
    assert wrong is None


def stretched(found: Features, collection: str, key: str, by: float) -> None:
    """Let a straight line end elsewhere: at so many times its length."""
    shape, said = found[collection][key]
    start, end = shapely.get_coordinates(shape, include_z=True)[[0, -1]]
    found.of[collection][key] = (shapely.LineString([start, start + (end - start) * by]), said)


def two_lanes(tmp_path: Path) -> Features:
    path = tmp_path / "map.xodr"
    path.write_text(xodr(road(lanes=section(right=lane(-1) + lane(-2)))), "utf-8")
    return read(path)


def lengths(made: Written) -> list[int]:
    return sorted(round(said["length_m"]) for _, said in read(made.path)["lanes"].values())


def test_a_road_has_the_length_of_its_lanes_whatever_a_boundary_has(tmp_path: Path) -> None:
    first = two_lanes(tmp_path)
    stretched(first, "lane_boundaries", "1/0/-2", 1.5)
    made = write(first, tmp_path / "out", without=("opendrive",))
    assert made.report["largest_error_m"]["horizontal"] < 0.02
    assert made.report["approximated"] == {"boundaries cut to their lanes": 1}
    assert made.report["farthest"] == []
    assert made.report["roads_fitted"] == 1
    assert lengths(made) == [100, 100]


def test_lanes_that_do_not_end_beside_each_other_are_roads_of_their_own(tmp_path: Path) -> None:
    first = two_lanes(tmp_path)
    stretched(first, "lane_boundaries", "1/0/-2", 0.5)
    stretched(first, "lanes", "1/0/-2", 0.5)
    made = write(first, tmp_path / "out", without=("opendrive",))
    assert made.report["largest_error_m"]["horizontal"] < 0.02
    assert made.report["approximated"] == {
        "boundaries cut to their lanes": 1,
        "lanes beside others that begin or end elsewhere": 2,
    }
    assert made.report["roads_fitted"] == 2
    assert lengths(made) == [50, 100]


def test_a_road_that_would_lie_on_the_next_is_left_out_and_named(tmp_path: Path) -> None:
    """A boundary that comes back beside itself has no width at its stations."""
    path = tmp_path / "map.xodr"
    path.write_text(xodr(road(lanes=section(right=lane(-1))), road("2")), "utf-8")
    first = read(path)
    shape, said = first["lane_boundaries"]["1/0/-1"]
    start, end = shapely.get_coordinates(shape, include_z=True)[[0, -1]]
    aside = np.array([0, 5 / 111_000, 0])
    places = [start, start + 0.7 * (end - start) - aside, start + 0.2 * (end - start) - 2 * aside, end]
    first.of["lane_boundaries"]["1/0/-1"] = (shapely.LineString(places), said)
    made = write(first, tmp_path / "out", without=("opendrive",))
    [told] = [one for one in made.report["farthest"] if one.get("left_out")]
    assert told["lanes"] == ["1/0/-1"]
    assert made.report["dropped"]["lanes that no road fits"] == 1
    lon, lat = told["at"]
    assert first["lanes"]["1/0/-1"][0].distance(shapely.Point(lon, lat)) < 1e-4
    assert len(read(made.path)["lanes"]) == len(first["lanes"]) - 1


@pytest.mark.real
def test_two_editions_of_kashiwanoha_in_one_map_are_within_60_cm(
    real_data: Path, tmp_path: Path
) -> None:
    """The third edition, then the first again: lanes of the third alone name lines of the first."""
    first, third = (contribute(real_data / LANELET2 / name) for name in (BASE, THIRD))
    both = third
    for name, rows in first.of.items():
        both.of.setdefault(name, {}).update(rows)
    roads = write(Features(both.report, both.of), tmp_path / "roads")
    assert roads.report["largest_error_m"]["horizontal"] < 0.6  # 11.7 m along the whole boundaries
    assert roads.report["approximated"]["boundaries cut to their lanes"] == 2
    assert len(read(roads.path)["lanes"]) == len(both.of["lanes"])
    lanelets = extract(both, tmp_path / "lanelets")
    found = osm(lanelets.folder / "geoshare.osm")
    assert found.dangling() == []
    assert lanelets.report["approximated"]["boundaries cut to their lanes"] == 2
    assert len(found.lanelets()) == len(both.of["lanes"])
