"""The committed files: the right size, complete, and what the generator writes today."""

from __future__ import annotations

import csv
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pyogrio
import pytest
import rasterio
import xarray as xr

from sample_data.generate import WRITERS, generate
from sample_data.town.frame import TOWN_CODE

SCENES = {"scene_20260910_before.tif", "scene_20260918_after.tif"}


def manifest(files: Path) -> list[dict[str, str]]:
    return tomllib.loads((files.parent / "manifest.toml").read_text("utf-8"))["files"]


def test_all_files_together_stay_under_six_megabytes(files: Path) -> None:
    assert sum(path.stat().st_size for path in files.iterdir()) < 6_000_000


def test_the_manifest_lists_each_file_once_with_a_known_provider(files: Path) -> None:
    listed = manifest(files)
    assert sorted(entry["file"] for entry in listed) == sorted(path.name for path in files.iterdir())
    assert set(WRITERS) == {entry["file"] for entry in listed}
    known = tomllib.loads((files.parent / "manifest.toml").read_text("utf-8"))["providers"]
    assert {entry["provider"] for entry in listed} == set(known)


def test_generating_again_gives_the_committed_bytes(files: Path, tmp_path: Path) -> None:
    # The GeoPackages are compared as rows elsewhere: their pages depend on the SQLite version.
    wanted = {name for name in WRITERS if not name.endswith(".gpkg")} - SCENES
    for path in generate(tmp_path, wanted):
        assert path.read_bytes() == (files / path.name).read_bytes(), path.name


@pytest.mark.parametrize("name", ["background.gpkg", "road_network.gpkg"])
def test_generating_again_gives_the_committed_rows(name: str, files: Path, tmp_path: Path) -> None:
    generate(tmp_path, {name})
    layers = [layer for layer, _ in pyogrio.list_layers(files / name)]
    assert layers == [layer for layer, _ in pyogrio.list_layers(tmp_path / name)]
    for layer in layers:
        old = pyogrio.read_dataframe(files / name, layer=layer)
        assert old.crs.to_epsg() == 6677
        assert old.equals(pyogrio.read_dataframe(tmp_path / name, layer=layer))


def test_generating_the_after_scene_again_gives_the_committed_pixels(
    files: Path, tmp_path: Path
) -> None:
    name = "scene_20260918_after.tif"
    generate(tmp_path, {name})
    with rasterio.open(files / name) as old, rasterio.open(tmp_path / name) as new:
        # Rasterising may place a pixel on the other side of an edge in another GDAL version.
        assert np.mean(old.read() != new.read()) < 0.01


def test_scenes_are_cloud_optimised_with_four_described_bands(files: Path) -> None:
    for name in SCENES:
        with rasterio.open(files / name) as scene:
            assert (scene.width, scene.height, scene.count) == (640, 640, 4)
            assert scene.dtypes == ("uint16",) * 4
            assert scene.crs.to_epsg() == 32654
            assert scene.res == (5.0, 5.0)
            assert scene.descriptions == ("blue", "green", "red", "nir")
            assert scene.overviews(1)
            assert scene.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert scene.read(masked=True).mask.sum() == 0


def test_the_site_list_has_the_dirt_that_readers_must_clean(files: Path) -> None:
    rows = list(csv.DictReader((files / "089991_evacuation_space.csv").read_text("cp932").splitlines()))
    assert {row["全国地方公共団体コード"] for row in rows} == {TOWN_CODE.lstrip("0")}
    assert any("," in row["想定収容人数"] and row["想定収容人数"].endswith(" ") for row in rows)
    assert any(row["災害種別_津波"] == "" for row in rows)
    assert any("０" in row["電話番号"] for row in rows)


def test_the_town_code_has_the_right_check_digit() -> None:
    total = sum(
        int(digit) * weight for digit, weight in zip(TOWN_CODE[:5], (6, 5, 4, 3, 2), strict=True)
    )
    assert int(TOWN_CODE[5]) == (11 - total % 11) % 10


def test_the_workbook_has_title_rows_and_one_row_without_a_place(files: Path) -> None:
    sheet = openpyxl.load_workbook(files / "shelters.xlsx").active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    header = next(number for number, row in enumerate(rows) if "緯度" in row)
    assert header == 3
    latitude = rows[header].index("緯度")
    assert [row[latitude] for row in rows[header + 1 :]].count(None) == 1


def test_shapefiles_are_cp932_and_say_so(files: Path) -> None:
    for path in files.glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            page = next(name for name in names if name.endswith(".cpg"))
            assert archive.read(page).decode().strip().upper() in ("CP932", "932")
            assert {Path(name).suffix for name in names} == {".shp", ".shx", ".dbf", ".prj", ".cpg"}


def test_every_shape_in_the_files_is_valid(files: Path) -> None:
    for path in files.iterdir():
        if path.suffix in (".gpkg", ".geojson", ".zip"):
            for layer, _ in pyogrio.list_layers(path):
                frame = pyogrio.read_dataframe(path, layer=layer)
                assert len(frame)
                assert frame.geometry.is_valid.all(), (path.name, layer)


def test_the_forecast_follows_cf_and_unpacks_to_the_rain(files: Path, town) -> None:
    with xr.open_dataset(files / "rain_20260917.nc", engine="h5netcdf") as data:
        assert data.rain.dims == ("time", "lat", "lon")
        assert data.sizes["time"] == 24
        assert data.rain.attrs["units"] == "mm"
        assert str(data.time.values[0])[:16] == "2026-09-16T16:00"
        np.testing.assert_allclose(data.rain.values, town.rain.amount_mm, atol=0.051)


def test_withheld_counts_are_stars_and_never_small_numbers(files: Path) -> None:
    rows = list(
        csv.DictReader((files / "people_flow_20260917.csv").read_text("utf-8-sig").splitlines())
    )
    counts = [row["滞在人口"] for row in rows]
    assert "*" in counts
    assert not {str(number) for number in range(1, 10)} & set(counts)
    assert {len(row["メッシュコード"]) for row in rows} == {9, 10, 11}


def test_a_shelter_that_is_a_site_is_designated_for_the_same_hazards(files: Path) -> None:
    workbook = openpyxl.load_workbook(files / "shelters.xlsx").active
    assert workbook is not None
    _, _, _, header, *rows = workbook.iter_rows(values_only=True)
    columns = [at for at, heading in enumerate(header) if str(heading).startswith("指定_")]
    assert len(columns) == 8
    said = {row[2]: [row[at] == "○" for at in columns] for row in rows}
    text = (files / "089991_evacuation_space.csv").read_bytes().decode("cp932")
    known = 0
    for site in csv.DictReader(text.splitlines()):
        if site["名称"] in said:
            marks = [value == "1" for name, value in site.items() if name.startswith("災害種別_")]
            assert said[site["名称"]] == marks
            known += 1
    assert known > 10
