"""Lanes that end askew, fitted to OpenDRIVE: their ends stay as they were, and the report is true."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import shapely

from geoshare.extracts.opendrive.askew import references
from tests.extracts.lanelets import Holding, contribute, extract

LON, LAT = 139.93, 35.9
NORTH_M = 110_950.0  # a degree at that place, about
EAST_M = 90_250.0


def lanelet(path: Path, left: np.ndarray, right: np.ndarray) -> Path:
    """A map of one lanelet between two lines of metres."""
    nodes, ways = [], []
    for way, line in ((1, left), (2, right)):
        numbers = range(way * 100, way * 100 + len(line))
        for number, (x, y) in zip(numbers, line, strict=True):
            place = f'lat="{LAT + y / NORTH_M:.11f}" lon="{LON + x / EAST_M:.11f}"'
            nodes.append(f'<node id="{number}" {place}><tag k="ele" v="10"/></node>')
        said = "".join(f'<nd ref="{number}"/>' for number in numbers)
        ways.append(f'<way id="{way}">{said}<tag k="type" v="line_thin"/></way>')
    tags = {"type": "lanelet", "subtype": "road", "location": "urban", "one_way": "yes"}
    body = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
    body += '<member type="way" role="left" ref="1"/><member type="way" role="right" ref="2"/>'
    text = f'<osm version="0.6">{"".join(nodes + ways)}<relation id="9">{body}</relation></osm>'
    path.write_text(text, "utf-8")
    return path


def straight(askew_m: float) -> tuple[np.ndarray, np.ndarray]:
    """A lane of 30 m whose ends are cut by so many metres on 3 m of width."""
    return np.array([[0, 3], [30, 3]], float), np.array([[askew_m, 0], [30 + askew_m, 0]], float)


def curved(askew_m: float) -> tuple[np.ndarray, np.ndarray]:
    """A quarter of a circle whose inner line begins later."""
    angle = np.linspace(0.0, math.pi / 2, 25)
    circle = np.column_stack([np.sin(angle), 1 - np.cos(angle)])
    left, right = circle * 25.0, circle * 28.0
    right[:, 1] -= 3.0
    first = np.searchsorted(right[:, 0], askew_m)
    return left, right[first:]


def lines(held: Holding) -> list[shapely.LineString]:
    found = [shape for shape, _ in held.of["lane_boundaries"].values()]
    scale = np.array([EAST_M, NORTH_M])
    return [shapely.LineString((shapely.get_coordinates(line) - (LON, LAT)) * scale) for line in found]


@pytest.mark.parametrize("shape", [straight(0.0), straight(2.0), straight(-3.0), curved(2.0)])
def test_lanes_that_end_askew_keep_their_ends_and_the_report_is_true(tmp_path, shape):
    held = contribute(lanelet(tmp_path / "map.osm", *shape))
    made = extract(held, tmp_path / "out", "opendrive")
    back = contribute(made.folder / "geoshare.xodr")
    assert len(back.of["lanes"]) == 1
    far = max(
        min(shapely.hausdorff_distance(line, other, 0.05) for other in lines(back))
        for line in lines(held)
    )
    assert far < 0.05
    assert far <= made.report["largest_error_m"]["horizontal"] + 0.012  # chords of the way back


def test_a_line_to_refer_to_meets_both_cuts_at_right_angles():
    left, right = (np.column_stack([line, np.zeros(2)]) for line in straight(2.0))
    _, *bent = references(left, right)
    for line in bent:
        for cut, step in (
            (right[0] - left[0], line[1] - line[0]),
            (right[-1] - left[-1], line[-1] - line[-2]),
        ):
            turn = abs(cut[:2] @ step[:2]) / np.hypot(*cut[:2]) / np.hypot(*step[:2])
            assert turn < 0.06
        assert line[[0, -1]] == pytest.approx(0.5 * (left + right))
