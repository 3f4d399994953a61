"""Real files of others: what we read equals an independent read of the same file."""

from __future__ import annotations

import csv
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
import shapely.geometry

ReadFile = Callable[..., Any]
pytestmark = pytest.mark.real

HAZARDS = {
    "洪水": "hazard_flood",
    "崖崩れ、土石流及び地滑り": "hazard_landslide",
    "高潮": "hazard_storm_surge",
    "地震": "hazard_earthquake",
    "津波": "hazard_tsunami",
    "大規模な火事": "hazard_great_fire",
    "内水氾濫": "hazard_inland_flood",
    "火山現象": "hazard_eruption",
}


def features(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text("utf-8"))["features"]


@pytest.mark.parametrize(
    ("name", "count"), [("emergency_401307", 786), ("emergency_122173", 146), ("emergency_131041", 10)]
)
def test_every_evacuation_site_is_there_with_its_hazards(
    real_data: Path, read: ReadFile, name: str, count: int
) -> None:
    path = real_data / "shelters" / f"{name}.json"
    found = read(path)
    rows, places = found.rows("evacuation_sites"), found.shapes("evacuation_sites")
    assert len(rows) == count
    for feature in features(path):
        theirs = feature["properties"]
        key = theirs["共通ID"]
        for column, target in HAZARDS.items():
            assert rows[key][target] is (theirs[column] == "1")
        assert rows[key]["name"] == theirs["施設・場所名"].strip()
        assert rows[key]["local_government_code"] == name.partition("_")[2]
        assert places[key].coords[0] == tuple(feature["geometry"]["coordinates"])


@pytest.mark.parametrize(("name", "count"), [("evacuation_401307", 439), ("evacuation_122173", 112)])
def test_every_shelter_is_there(real_data: Path, read: ReadFile, name: str, count: int) -> None:
    path = real_data / "shelters" / f"{name}.json"
    rows = read(path).rows("shelters")
    assert len(rows) == count
    same = {
        f["properties"]["共通ID"]
        for f in features(path)
        if f["properties"]["指定緊急避難場所との住所同一"]
    }
    assert {key for key, row in rows.items() if row["also_evacuation_site"]} == same


def test_overture_segments_and_connectors_part_ways(real_data: Path, read: ReadFile) -> None:
    path = real_data / "roads" / "overture_shinjuku_segments_connectors_2024-05.geojson"
    found = read(path)
    theirs = {f["properties"]["id"]: f for f in features(path)}
    assert found.report.taken == {"segments": 87, "connectors": 84}
    for key, shape in (found.shapes("segments") | found.shapes("connectors")).items():
        assert shape.equals(shapely.geometry.shape(theirs[key]["geometry"]))
    for key, row in found.rows("segments").items():
        said = theirs[key]["properties"]
        assert row["class"] == said["class"]
        assert row["start_connector_id"] == said["connector_ids"][0]
        assert row["end_connector_id"] == said["connector_ids"][-1]
        assert row["start_connector_id"] in found.rows("connectors") or said["connector_ids"]
        assert row["name"] == ((said.get("names") or {}).get("primary"))


def test_sixty_of_the_administrative_polygons_are_repaired_and_none_is_lost(
    real_data: Path, read: ReadFile
) -> None:
    path = real_data / "admin" / "japan_admin_29cities_143polygons.geojson"
    theirs = [shapely.geometry.shape(f["geometry"]) for f in features(path)]
    found = read(path)
    ours = list(found.shapes("admin_areas").values())
    assert len(ours) == 143
    assert found.repairs()["polygon-repaired"] == sum(not shape.is_valid for shape in theirs) == 60
    assert all(shape.is_valid for shape in ours)
    for mine, other in zip(ours, theirs, strict=True):
        if other.is_valid:
            assert mine.equals(other)
        else:
            assert mine.area == pytest.approx(shapely.make_valid(other).area, rel=0.02)


def test_camera_counts_are_those_of_the_table(real_data: Path, read: ReadFile) -> None:
    path = next((real_data / "peopleflow").glob("*.csv"))
    with path.open(encoding="utf-8", newline="") as file:
        theirs = list(csv.DictReader(file))
    rows = list(read(path).rows("people_flow").values())
    assert [row["count"] for row in rows] == [int(row["total count"]) for row in theirs]
    assert rows[0]["from_time"].isoformat() == "2024-12-19T15:00:00+00:00"
    assert {row["suppressed"] for row in rows} == {False}


def test_a_landsat_scene_keeps_its_numbers(real_data: Path, read: ReadFile) -> None:
    path = real_data / "imagery" / "landsat_pucallpa" / "2015.tif"
    item = read(path).rasters[0]
    with rasterio.open(path) as before, rasterio.open(item.path) as after:
        theirs = before.read()
        np.testing.assert_array_equal(after.read()[:, : before.height, : before.width], theirs)
        assert item.box == pytest.approx(tuple(before.bounds))
    assert len(item.bands) == 4


def test_the_radar_mosaics_bands_keep_their_numbers(
    real_data: Path, read: ReadFile, tmp_path: Path
) -> None:
    path = real_data / "imagery" / "palsar2_mosaic_2020_N23W161.tar.gz"
    item = read(path).rasters[0]
    assert [band.name for band in item.bands] == ["HH", "HV"]
    with tarfile.open(path) as archive:
        archive.extract("N23W161_20_sl_HH_F02DAR.tif", tmp_path, filter="data")
    with (
        rasterio.open(tmp_path / "N23W161_20_sl_HH_F02DAR.tif") as before,
        rasterio.open(item.path) as after,
    ):
        window = ((1_000, 1_600), (2_000, 2_600))
        np.testing.assert_array_equal(after.read(1, window=window), before.read(1, window=window))
        assert not before.profile["tiled"]
