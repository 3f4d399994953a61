"""Coordinates and boxes in other reference systems, against pyproj asked by itself."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pyproj
import pytest
import shapely
from shapely.geometry import shape

from geoshare.access.view import View
from geoshare.model import crs as systems
from geoshare.query import jsonfg
from geoshare.query.cursors import Cursors
from geoshare.query.items import ItemsQuery, items
from geoshare.query.windows import read_window
from tests.access.town import Town, policy

CURSORS = Cursors(b"secret")
LON, LAT = 139.7671, 35.6812
NAMES = [name for name in systems.KNOWN if not systems.is_native(name) and not name.endswith("6697")]


@pytest.fixture(scope="module")
def view(tmp_path_factory) -> View:
    town = Town(tmp_path_factory.mktemp("town"))
    ring = [(LON, LAT), (LON + 0.01, LAT), (LON + 0.01, LAT + 0.01), (LON, LAT)]
    rows = [
        ("area", shapely.Polygon(ring), {"name": "area"}),
        ("high", shapely.LineString([(LON, LAT, 10.5), (LON + 0.02, LAT, 20.25)]), {"name": "high"}),
        ("many", shapely.MultiPoint([(LON, LAT), (LON - 0.1, LAT)]), {"name": "many"}),
        ("none", None, {"name": "none"}),
        ("point", shapely.Point(LON + 0.05, LAT + 0.05), {"name": "point"}),
    ]
    town.packs.publish("places", rows[:2], rows[2:])
    return town.view(policy({"collections": ["places"], "columns": ["name"]}), "places")


def read(page, crs: str) -> dict[str, dict]:
    return {feature["id"]: feature for feature in json.loads(b"[" + page.geojson(crs) + b"]")}


@pytest.mark.parametrize("name", NAMES)
def test_features_come_in_the_axis_order_of_the_authority(view, name):
    page = items(view, ItemsQuery(), CURSORS)
    usual, found = read(page, systems.CRS84), read(page, name)
    code = name.rsplit("/", 1)[1]
    judge = pyproj.Transformer.from_crs("EPSG:4326", f"EPSG:{code}", always_xy=False)
    for key, feature in usual.items():
        assert found[key]["properties"] == feature["properties"]
        if feature["geometry"] is None:
            assert found[key]["geometry"] is None
            continue
        lon_lat = shapely.get_coordinates(shape(feature["geometry"]))
        expected = np.column_stack(judge.transform(lon_lat[:, 1], lon_lat[:, 0]))
        moved = shapely.get_coordinates(shape(found[key]["geometry"]))
        limit = 0.002 if systems.is_metric(name) else 2e-7
        ordered = [np.sort(part.round(6), axis=0) for part in (moved, expected)]
        assert np.abs(ordered[0] - ordered[1]).max() <= limit
        assert not shape(found[key]["geometry"]).has_z


def test_heights_stay_in_systems_that_have_them(view):
    page = items(view, ItemsQuery(), CURSORS)
    for name in (systems.CRS84, systems.CRS84H):
        assert read(page, name)["high"]["geometry"]["coordinates"][0] == [LON, LAT, 10.5]


def test_a_system_that_needs_a_missing_grid_is_not_offered():
    upright = next(name for name in systems.KNOWN if name.endswith("6697"))
    with warnings.catch_warnings():  # that the grid is missing is what is asked
        warnings.simplefilter("ignore")
        group = pyproj.transformer.TransformerGroup("EPSG:4979", "EPSG:6697", allow_ballpark=False)
    assert (upright in systems.offered()) == bool(group.best_available and group.transformers)


@pytest.mark.parametrize("name", NAMES)
def test_a_box_covers_the_same_in_every_system(view, name):
    code = name.rsplit("/", 1)[1]
    judge = pyproj.Transformer.from_crs("EPSG:4326", f"EPSG:{code}", always_xy=False)
    here = judge.transform(LAT + 0.05, LON + 0.05)
    reach = 100.0 if systems.is_metric(name) else 0.001
    text = f"{here[0] - reach},{here[1] - reach},{here[0] + reach},{here[1] + reach}"
    window = read_window(text, name)
    page = items(view, ItemsQuery(bbox=window.box, area=window.area), CURSORS)
    assert list(read(page, systems.CRS84)) == ["point"]
    only = items(view, ItemsQuery(bbox=window.box, area=window.area, filter="name = 'area'"), CURSORS)
    assert only.number_matched == 0


def test_six_numbers_leave_out_what_is_wholly_above_or_below():
    window = read_window(f"{LON - 1},{LAT - 1},-5,{LON + 1},{LAT + 1},5.5")
    assert window.heights == (-5.0, 5.5)
    assert window.box == (LON - 1, LAT - 1, LON + 1, LAT + 1)


@pytest.mark.parametrize(
    ("low", "high", "there"),
    [(0, 5, False), (0, 10.5, True), (12, 13, True), (20.25, 99, True), (21, 99, False)],
)
def test_heights_are_closed_at_both_ends_and_unknown_ones_are_anywhere(view, low, high, there):
    page = items(view, ItemsQuery(heights=(low, high)), CURSORS)
    assert set(read(page, systems.CRS84)) == {"area", "many", "none", "point"} | (
        {"high"} if there else set()
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1,2,3", systems.CRS84),
        ("1,2,3,nan", systems.CRS84),
        ("0,0,9,1,1,8", systems.CRS84),
        ("1,2,3,4,5,6", NAMES[0]),
        ("35,139,36,140", systems.CRS84),
        ("a", systems.CRS84),
        ("1e30,0,2e30,1", NAMES[-1]),
        ("0,0,1,1" + " " * 600, systems.CRS84),
    ],
)
def test_what_is_no_box_is_refused(text, name):
    with pytest.raises(ValueError, match="box"):
        read_window(text, name)


def test_json_fg_has_places_in_the_system_asked_for(view):
    page = items(view, ItemsQuery(), CURSORS)
    zone = f"{systems.EPSG}6677"
    alone = jsonfg.features(view, page.rows, page.columns, zone, both=False)
    both = jsonfg.features(view, page.rows, page.columns, zone, both=True)
    moved, usual = read(page, zone), read(page, systems.CRS84)
    for first, second in zip(alone, both, strict=True):
        assert first["geometry"] is None
        assert first["place"] == second["place"] == moved[first["id"]]["geometry"]
        assert second["geometry"] == usual[first["id"]]["geometry"]
    native = jsonfg.features(view, page.rows, page.columns, systems.CRS84, both=False)
    assert all(feature["place"] is None for feature in native)
    assert [feature["geometry"] for feature in native] == [item["geometry"] for item in usual.values()]
