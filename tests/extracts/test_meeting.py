"""Lanes of two makers in one map: they meet, and a border is there once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from tests.extracts.lanelets import Extract, Holding, contribute, extract, osm
from tests.extracts.roads import Features, read, write
from tests.sources.opendrive.maps import geometry, lane, road, section, xodr

METRES = np.array([91_000.0, 111_000.0])  # of a degree of longitude and of latitude, nearly


def followed(tmp_path: Path, along_m: float, across_m: float) -> Holding:
    """A lane that leads to one which another maker surveyed so far beside its end."""
    lanes = section(right=lane(-1))
    path = tmp_path / "map.xodr"
    path.write_text(
        xodr(road("1", lanes=lanes), road("2", geometry(x=100 + along_m, y=across_m), lanes)), "utf-8"
    )
    held = contribute(path)
    ids = held.ids["lanes"]
    one, two = (held.of["lanes"][ids[f"{key}/0/-1"]][1] for key in (1, 2))
    one["successor_ids"] = json.dumps([ids["2/0/-1"]])
    two["predecessor_ids"] = json.dumps([ids["1/0/-1"]])
    return held


def ways(made: Extract) -> list[np.ndarray]:
    """Lines of a map in metres, each (n, 2)."""
    found = osm(made.folder / "geoshare.osm")
    return [
        np.array([found.nodes[key][:2] for key in nodes]) * METRES for nodes, _ in found.ways.values()
    ]


def sharpest_deg(line: np.ndarray) -> float:
    steps = np.diff(line, axis=0)
    turns = np.diff(np.unwrap(np.arctan2(steps[:, 1], steps[:, 0])))
    return float(np.degrees(np.abs(turns).max(initial=0.0)))


@pytest.mark.parametrize(("along_m", "across_m"), [(-0.45, 0.3), (0.45, -0.3), (0.0, 0.6), (0.8, 0.0)])
def test_lines_meet_within_a_metre_without_a_corner_or_a_fold(
    tmp_path: Path, along_m: float, across_m: float
) -> None:
    made = extract(followed(tmp_path, along_m, across_m), tmp_path / "out")
    again = contribute(made.folder / "geoshare.osm", "other")
    told = [json.loads(said.get("successor_ids") or "[]") for _, said in again.of["lanes"].values()]
    assert sorted(map(len, told)) == [0, 1]
    assert max(sharpest_deg(line) for line in ways(made)) < 3.0
    moved = made.report["largest_error_m"]["horizontal"]
    assert moved == pytest.approx(np.hypot(along_m, across_m), abs=0.01)
    assert made.report["approximated"]["ends of lines led on to meet"] == 2
    before = shapely.MultiLineString(ways(extract(followed(tmp_path, 0, 0), tmp_path / "straight")))
    for line in ways(made):
        far = shapely.distance(shapely.points(line), before)
        assert far.max() < moved + 0.02


def test_lines_too_far_apart_stay_as_they_are(tmp_path: Path) -> None:
    made = extract(followed(tmp_path, 0.0, 1.3), tmp_path / "out")
    assert made.report["dropped"]["ends of lanes too far apart to be joined"] == 2
    assert made.report["largest_error_m"]["horizontal"] == 0
    assert max(sharpest_deg(line) for line in ways(made)) < 0.01


@pytest.mark.parametrize(
    ("aside_m", "more", "there"),
    [
        (0.5, {}, False),
        (1.5, {}, True),  # another line, that nobody's lane has
        (0.5, {"lanelet2": '{"id": "7"}'}, True),  # came in as a line beside a kerb
    ],
)
def test_a_border_that_two_makers_call_otherwise_is_there_once(
    tmp_path: Path, aside_m: float, more: dict[str, str], there: bool
) -> None:
    """One says kerb, and the lane is its; of the other's lane the painted line is left alone."""
    held = followed(tmp_path, 0, 0)
    before = len(ways(extract(held, tmp_path / "before")))
    key = held.ids["lane_boundaries"]["1/0/-1"]
    shape, _ = held.of["lane_boundaries"][key]
    aside = np.array([0, aside_m / METRES[1], 0])
    moved = shapely.transform(shape, lambda at: at + aside, include_z=True)
    held.of["lane_boundaries"]["painted"] = (moved, {"type": "line_thin", "subtype": "solid"} | more)
    made = extract(held, tmp_path / "after")
    assert len(ways(made)) - before == there
    told = made.report["dropped"].get("lines of which another maker's bound the lanes", 0)
    assert told == (not there)


@pytest.mark.parametrize("kept", [True, False])
def test_roads_of_opendrive_meet_and_kept_ones_do_not_move(tmp_path: Path, kept: bool) -> None:
    held = followed(tmp_path, -0.45, 0.3)
    there = held.ids["segments"]["2"]
    features = Features(held.report, held.of)
    for _, said in held.of["lanes"].values():
        if not (kept and said["segment_id"] == there):
            said.pop("opendrive")
    made = write(features, tmp_path / "out")
    assert (made.report["roads_kept_exactly"], made.report["roads_fitted"]) == (kept, 2 - kept)
    assert made.report["largest_error_m"]["horizontal"] == pytest.approx(0.541, abs=0.01)
    lanes = read(made.path)["lanes"]
    [(one, two)] = [
        (shape, lanes[after][0])
        for shape, said in lanes.values()
        for after in json.loads(said.get("successor_ids") or "[]")
    ]
    gap = np.subtract(one.coords[-1][:2], two.coords[0][:2]) * METRES
    assert np.hypot(*gap) < 0.01
    if kept:
        original = held.of["lanes"][held.ids["lanes"]["2/0/-1"]][0]
        assert two.hausdorff_distance(original) < 1e-9
