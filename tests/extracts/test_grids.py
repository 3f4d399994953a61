"""Weather in extracts: NetCDF and tables say what the steps hold, and nothing that is withheld."""

from __future__ import annotations

import csv
import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
import xarray as xr
from rasterio.transform import Affine

from geoshare.access.build import build_views
from geoshare.extracts import ExtractRequest, grids, write_extract
from geoshare.model.batch import Band
from geoshare.model.box import Box
from geoshare.model.rasters import RasterAsset
from tests.access.town import Town, policy
from tiles.raster import write_cog

WEST, NORTH, CELL, ROWS, COLUMNS, STEPS = 139.7, 35.62, 0.01, 12, 20, 4
START_US = 1_767_225_600_000_000  # 2026-01-01
SECRET = 7391.25


def values(step: int) -> np.ndarray:
    """Tenths of a millimetre; unknown in a corner, a secret in the last column."""
    found = np.random.default_rng(step).integers(0, 900, (ROWS, COLUMNS)) / 10
    found[:2, :3] = np.nan
    found[:, -1] = SECRET
    return found.astype(np.float32)


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[RasterAsset]:
    folder, found = tmp_path_factory.mktemp("steps"), []
    profile = {"driver": "GTiff", "width": COLUMNS, "height": ROWS, "count": 1, "dtype": "float32"}
    for step in range(STEPS):
        plain, cog = folder / "plain.tif", folder / f"{step}.tif"
        with rasterio.open(
            plain, "w", crs="EPSG:4326", transform=Affine(CELL, 0, WEST, 0, -CELL, NORTH),
            nodata=-9999.0, **profile,
        ) as out:  # fmt: skip
            out.write(np.nan_to_num(values(step), nan=-9999.0)[None])
        write_cog(plain, cog)
        found.append(
            RasterAsset(
                id=f"rain-{step}",
                collection="rain",
                path=str(cog),
                kind="step",
                datetime_us=START_US + step * 3_600_000_000,
                box=Box(WEST, NORTH - ROWS * CELL, WEST + COLUMNS * CELL, NORTH),
                crs="EPSG:4326",
                width=COLUMNS,
                height=ROWS,
                resolution_m=1_000.0,
                bands=(Band("rain", unit="mm", dtype="float32", nodata=-9999.0),),
                properties={"name": "rain"},
            )
        )
    return found


def make(folder: Path, assets: list[RasterAsset], grant: dict[str, Any], **asked: Any) -> Path:
    town = Town(folder / "town")
    town.packs.publish_rasters("rain", assets)
    held = policy({"collections": ["rain"], "columns": ["name"], "bands": "all", **grant})
    build_views([held], town.packs, town.views_dir)
    request = ExtractRequest.model_validate_json(json.dumps({"collections": ["rain"], **asked}))
    write_extract(request, held, town.views, folder / "a.zip", now_us=0, work_dir=folder)
    with zipfile.ZipFile(folder / "a.zip") as archive:
        archive.extractall(folder / "opened")
    return folder / "opened"


def test_all_steps_are_one_file_that_others_read_as_a_cube(steps, tmp_path):
    folder = make(tmp_path, steps, {})
    with xr.open_dataset(folder / "rain.nc", engine="h5netcdf") as cube:
        assert cube.sizes == {"time": STEPS, "lat": ROWS, "lon": COLUMNS}
        assert [str(time)[:13] for time in cube.time.values] == [
            f"2026-01-01T0{step}" for step in range(STEPS)
        ]
        assert np.abs(cube.lon.values - (WEST + (np.arange(COLUMNS) + 0.5) * CELL)).max() < 1e-9
        assert np.abs(cube.lat.values - (NORTH - (np.arange(ROWS) + 0.5) * CELL)).max() < 1e-9
        for step in range(STEPS):
            np.testing.assert_array_equal(cube.rain.values[step], values(step))
        assert cube.rain.attrs["units"] == "mm"
    with rasterio.open(f"netcdf:{folder / 'rain.nc'}:rain") as found:
        assert found.crs.to_epsg() == 4326
        assert found.count == STEPS
        assert found.transform.almost_equals(Affine(CELL, 0, WEST, 0, -CELL, NORTH))
        np.testing.assert_array_equal(found.read(2), values(1))
    said = json.loads((folder / "manifest.json").read_bytes())["collections"][0]["rasters"]
    assert [item["file"] for item in said] == ["rain.nc"]
    assert said[0]["datetimes"][1] == "2026-01-01T01:00:00Z"


def test_a_box_and_an_interval_choose_cells_and_steps(steps, tmp_path):
    box = [WEST + 5 * CELL, NORTH - 8 * CELL, WEST + 11 * CELL, NORTH - 3 * CELL]
    when = "2026-01-01T01:00:00Z/2026-01-01T02:00:00Z"
    folder = make(tmp_path, steps, {}, bbox=box, datetime=when)
    with xr.open_dataset(folder / "rain.nc", engine="h5netcdf") as cube:
        assert cube.sizes["time"] == 2
        np.testing.assert_array_equal(cube.rain.values[0], values(1)[3:8, 5:11])


@pytest.mark.parametrize("form", ["netcdf", "csv", "cog"])
def test_what_a_fence_keeps_back_is_in_no_byte(steps, tmp_path, form):
    fence = shapely.box(WEST, NORTH - ROWS * CELL, WEST + (COLUMNS - 1) * CELL, NORTH)
    area = json.loads(shapely.to_geojson(fence))
    folder = make(tmp_path, steps, {"area": area}, grids_as=form)
    secrets = [str(SECRET).encode(), *(np.array(SECRET, kind).tobytes() for kind in ("<f4", "<f8"))]
    files = [path for path in folder.iterdir() if path.suffix in (".nc", ".csv", ".tif")]
    assert len(files) >= (STEPS if form == "cog" else 1)
    if form == "netcdf":
        with xr.open_dataset(folder / "rain.nc", engine="h5netcdf") as cube:
            assert np.isnan(cube.rain.values[..., -1]).all()
            np.testing.assert_array_equal(cube.rain.values[3, :, :-1], values(3)[:, :-1])
    if form == "cog":
        with rasterio.open(folder / "rain-rain-1.tif") as found:
            assert not found.dataset_mask()[:, -1].any()
    for path in files:
        assert not any(secret in path.read_bytes() for secret in secrets), path.name


def test_a_table_has_a_row_of_each_cell_and_step_that_is_known(steps, tmp_path):
    folder = make(tmp_path, steps, {}, format="csv", headings="ja")
    with open(folder / "rain.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["日時", "経度", "緯度", "rain (mm)"]
    expected = {}
    for step in range(STEPS):
        for row, column in zip(*np.nonzero(~np.isnan(values(step))), strict=True):
            lon, lat = WEST + (column + 0.5) * CELL, NORTH - (row + 0.5) * CELL
            key = (f"2026-01-01T0{step}:00:00Z", round(lon, 5), round(lat, 5))
            expected[key] = values(step)[row, column]
    found = {(row[0], round(float(row[1]), 5), round(float(row[2]), 5)): row[3] for row in rows[1:]}
    assert len(found) == len(rows) - 1
    assert {key: np.float32(text) for key, text in found.items()} == expected


def test_cells_whose_middle_is_outside_a_cut_area_are_unknown(steps, tmp_path):
    corners = [(WEST, NORTH), (WEST + 0.15, NORTH), (WEST, NORTH - 0.12), (WEST, NORTH)]
    area = shapely.Polygon(corners)
    folder = make(tmp_path, steps, {}, area=json.loads(shapely.to_geojson(area)), mode="clip")
    with xr.open_dataset(folder / "rain.nc", engine="h5netcdf") as cube:
        lon, lat = np.meshgrid(cube.lon.values, cube.lat.values)
        inside = shapely.contains_xy(area, lon, lat)
        near = shapely.distance(area.exterior, shapely.points(lon, lat)) < 1e-6
        known = ~np.isnan(cube.rain.values[0])
        told = ~np.isnan(values(0)[: known.shape[0], : known.shape[1]])
        assert ((known == (inside & told)) | near).all()
        assert 0 < known.sum() < told.sum()


def test_other_grids_and_stored_numbers_are_other_files_in_the_same_unit(steps, tmp_path):
    packed = replace(steps[0].bands[0], scale=0.1, offset=1.0)
    other = replace(steps[1], id="other", bands=(replace(packed, name="snow depth"),))
    folder = make(tmp_path, [steps[0], other], {})
    with xr.open_dataset(folder / "rain-2.nc", engine="h5netcdf") as cube:
        (name,) = cube.data_vars.keys() - {"crs"}
        assert cube[name].values[0] == pytest.approx(values(1) * 0.1 + 1.0, rel=1e-6, nan_ok=True)


def test_the_same_is_the_same_to_the_byte_and_too_much_is_said(steps, tmp_path, monkeypatch):
    digests = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        content = (make(tmp_path / name, steps, {}) / "rain.nc").read_bytes()
        digests.add(hashlib.sha256(content).hexdigest())
    assert len(digests) == 1
    monkeypatch.setattr(grids, "MAX_PIXELS", 10)
    (tmp_path / "three").mkdir()
    folder = make(tmp_path / "three", steps, {})
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["collections"] == []
    assert manifest["not_included"][0]["reason_ja"].startswith("画素数")
