"""Ids that come twice in a file: what differs is kept and told, what repeats is taken once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.model.report import Report
from geoshare.sources.repeating import CONTRADICTS, REPEATS, RecordIds

ReadFile = Callable[..., Any]
HERE, THERE = (139.55, 35.3), (139.56, 35.31)


def feature(called: object, place: tuple[float, float], **said: object) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": list(place)}
    return {"type": "Feature", "id": called, "properties": said, "geometry": point}


def collection(folder: Path, *features: dict[str, Any]) -> Path:
    path = folder / "places.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return path


def table(folder: Path, rows: list[tuple[str, tuple[float, float], str]], kind: str) -> Path:
    frame = gpd.GeoDataFrame(
        {"id": [row[0] for row in rows], "name": [row[2] for row in rows]},
        geometry=[shapely.Point(row[1]) for row in rows],
        crs="EPSG:4326",
    )
    path = folder / f"places.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path, engine="pyogrio")
    return path


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "fgb", "parquet"])
def test_two_things_of_one_id_are_both_kept_and_told_with_both_places(
    kind: str, tmp_path: Path, read: ReadFile
) -> None:
    path = table(tmp_path, [("c1", HERE, "a"), ("c1", THERE, "b"), ("c2", HERE, "c")], kind)
    found = read(path, collection="places")
    shapes = found.shapes("places")
    assert {name: shape.coords[0][:2] for name, shape in shapes.items()} == {
        "c1": HERE,
        "#c1~2": THERE,
        "c2": HERE,
    } or kind == "fgb"  # FlatGeobuf sorts its rows by place: either may come first
    told = found.report.findings
    assert [(one.rule, one.severity) for one in told] == [(CONTRADICTS, "error")] * 2
    assert {one.feature for one in told} == {"places/c1", "places/#c1~2"}
    assert {one.lon_lat for one in told} == {HERE, THERE}
    for one in told:
        lon, lat = THERE if one.lon_lat == HERE else HERE
        assert f"{lon:g}, {lat:g}" in one.en
        assert f"経度{lon:g}、緯度{lat:g}" in one.ja


def test_what_says_the_same_under_one_id_is_taken_once_and_is_a_warning(
    tmp_path: Path, read: ReadFile
) -> None:
    found = read(
        collection(tmp_path, feature("c1", HERE, name="a"), feature("c1", HERE, name="a")),
        collection="places",
    )
    assert list(found.rows("places")) == ["c1"]
    assert found.report.taken == {"places": 1}
    assert [(one.rule, one.severity) for one in found.report.findings] == [(REPEATS, "warning")]


def test_features_named_by_numbers_are_known_by_them_also_where_one_comes_twice(
    tmp_path: Path, read: ReadFile
) -> None:
    within = {"id": 3, "deep": [{"id": 4}]}
    path = collection(
        tmp_path,
        feature(7, HERE, name="a", more=within),
        feature(-12, HERE, name="b"),
        feature(7, THERE, name="c"),
        feature(None, THERE, name="d"),
    )
    found = read(path, collection="places")
    assert list(found.rows("places")) == ["7", "-12", "#7~2", "#4"]
    assert json.loads(found.rows("places")["7"]["more"]) == within
    assert Counter(one.rule for one in found.report.findings) == {CONTRADICTS: 2}


def test_a_column_that_only_looks_like_ids_of_rows_gives_warnings_and_loses_no_row(
    tmp_path: Path, read: ReadFile
) -> None:
    features = [feature(None, HERE, city_id="1", name="a"), feature(None, HERE, city_id="1", name="a")]
    for one in features:
        del one["id"]
    found = read(collection(tmp_path, *features), collection="places")
    assert len(found.rows("places")) == 2
    assert {one.severity for one in found.report.findings} == {"warning"}


ROWS = st.tuples(st.sampled_from(["a", "b", "a~2", "#a~2", "#1"]), st.integers(0, 2), st.integers(0, 1))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(ROWS, min_size=1, max_size=5), max_size=3))
def test_every_different_row_is_kept_under_an_id_of_its_own_whatever_the_batches(
    batches: list[list[tuple[str, int, int]]],
) -> None:
    report = Report("rows")
    ids, kept = RecordIds(report), []
    for rows in batches:
        shapes = shapely.points([[139.0 + place, 35.0] for _, place, _ in rows])
        said = pa.table({"name": [str(value) for _, _, value in rows]})
        names, places = ids.apart("places", [row[0] for row in rows], np.atleast_1d(shapes), said)
        kept += [(name, rows[place]) for name, place in zip(names, places.tolist(), strict=True)]
    names = [name for name, _ in kept]
    assert len(set(names)) == len(names)
    every = [row for rows in batches for row in rows]
    assert {row for _, row in kept} >= {
        row for row in every if not row[0].endswith("a~2")
    }  # it may be taken
    told = sum(report.found.get(severity, 0) for severity in ("error", "warning"))
    assert bool(told) == (len({row[0] for row in every}) < len(every))
    assert [name for name, row in kept if name != row[0] and "~" not in name] == []
