"""Scenes and forecasts: COGs with the right place, time, bands and values."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import shapely
import xarray as xr
from rasterio.transform import Affine

from geoshare.errors import BadData
from geoshare.model.batch import microseconds
from geoshare.sources import Bounds

ReadFile = Callable[..., Any]
ORIGIN = (380_000.0, 3_940_000.0)
RESOLUTION_M = 5.0


def scene(path: Path, *, tags: dict[str, str] | None = None, **changes: Any) -> Path:
    profile = {
        "driver": "GTiff", "width": 300, "height": 200, "count": 4, "dtype": "uint16",
        "crs": "EPSG:32654",
        "transform": Affine(RESOLUTION_M, 0.0, ORIGIN[0], 0.0, -RESOLUTION_M, ORIGIN[1]), "nodata": 0,
    } | changes  # fmt: skip
    data = np.arange(4 * 200 * 300, dtype=np.uint32).reshape(4, 200, 300) % 9_000 + 1
    with rasterio.open(path, "w", **{k: v for k, v in profile.items() if v is not None}) as out:
        out.write(data.astype("uint16"))
        out.update_tags(**(tags or {}))
        for band, name in enumerate(("blue", "green", "red", "nir"), start=1):
            out.set_band_description(band, name)
    return path


def test_a_scene_becomes_a_cog_with_its_place_bands_and_time(read: ReadFile, tmp_path: Path) -> None:
    tags = {"TIFFTAG_DATETIME": "2026:09:18 01:34:47", "platform": "Shiomi-1", "cloud_cover": "12.5"}
    path = scene(tmp_path / "after.tif", tags=tags)
    item = read(path).rasters[0]
    assert (item.collection, item.kind, item.record_id) == ("satellite", "scene", "after")
    assert item.datetime_us == microseconds(datetime(2026, 9, 18, 1, 34, 47, tzinfo=UTC))
    assert [band.name for band in item.bands] == ["blue", "green", "red", "nir"]
    assert item.resolution_m == pytest.approx(5.0, rel=2e-3)
    assert item.properties["platform"] == "Shiomi-1"
    assert item.properties["cloud_cover"] == 12.5
    assert item.bands[0].minimum is not None
    assert item.bands[0].nodata == 0.0
    with rasterio.open(path) as before, rasterio.open(item.path) as after:
        np.testing.assert_array_equal(after.read()[:, :200, :300], before.read())
        assert after.profile["tiled"]
        west, south, east, north = rasterio.warp.transform_bounds(
            before.crs, "EPSG:4326", *before.bounds
        )
    assert item.box == pytest.approx((west, south, east, north), abs=1e-6)
    footprint = shapely.from_wkb(item.footprint_wkb)
    assert footprint.is_valid
    assert footprint.bounds == pytest.approx(item.box)


@pytest.mark.parametrize(
    ("name", "moment", "note"),
    [
        ("S2_20260918T013447_x.tif", datetime(2026, 9, 18, 1, 34, 47, tzinfo=UTC), None),
        ("scene_2026-09-18.tif", datetime(2026, 9, 18, tzinfo=UTC), None),
        ("1999.tif", datetime(1999, 1, 1, tzinfo=UTC), "scene-year-only"),
    ],
)
def test_the_time_of_a_scene_may_stand_in_its_name(
    read: ReadFile, tmp_path: Path, name: str, moment: datetime, note: str | None
) -> None:
    found = read(scene(tmp_path / name))
    assert found.rasters[0].datetime_us == microseconds(moment)
    assert (note in found.notes()) == (note is not None)


def test_a_scene_without_any_time_says_that_one_was_assumed(read: ReadFile, tmp_path: Path) -> None:
    assert "scene-time-assumed" in read(scene(tmp_path / "mosaic.tif")).notes()


def test_a_raster_without_crs_is_refused_until_one_is_stated(read: ReadFile, tmp_path: Path) -> None:
    path = scene(tmp_path / "a.tif", crs=None)
    with pytest.raises(BadData, match="--crs") as caught:
        read(path)
    assert caught.value.code == "no-crs"
    item = read(path, crs="EPSG:32654").rasters[0]
    assert item.crs == "EPSG:32654"
    assert 139 < item.box.west < 140


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_raster_without_a_place_is_refused(read: ReadFile, tmp_path: Path) -> None:
    with pytest.raises(BadData) as caught:
        read(scene(tmp_path / "a.tif", transform=None))
    assert caught.value.code == "no-georeference"


def test_a_raster_beyond_the_earth_is_refused(read: ReadFile, tmp_path: Path) -> None:
    far = Affine(1.0, 0.0, 380_000.0, 0.0, -1.0, 3_940_000.0)
    with pytest.raises(BadData) as caught:
        read(scene(tmp_path / "a.tif", crs="EPSG:4326", transform=far))
    assert caught.value.code == "coordinates-outside"


def test_a_truncated_raster_is_refused(read: ReadFile, tmp_path: Path) -> None:
    path = scene(tmp_path / "a.tif")
    path.write_bytes(path.read_bytes()[:40_000])
    with pytest.raises(BadData) as caught:
        read(path)
    assert caught.value.code == "file-broken"


def test_a_raster_of_too_many_pixels_is_refused(read: ReadFile, tmp_path: Path) -> None:
    with pytest.raises(BadData) as caught:
        read(scene(tmp_path / "a.tif"), bounds=Bounds(raster_pixels=1_000))
    assert caught.value.code == "too-large"


def forecast(
    path: Path, *, flip: bool = False, shift: float = 0.0, engine: str = "h5netcdf"
) -> np.ndarray:
    """Three hours of rain; returns the values from north to south."""
    lat, lon = 36.0 + np.arange(20) * 0.01, 140.6 + np.arange(30) * 0.01 + shift
    values = np.random.default_rng(1).random((3, 20, 30)).astype("float32") * 40
    values[0, 3, 4] = np.nan
    times = np.datetime64("2026-09-17T00:00") + np.arange(3) * np.timedelta64(1, "h")
    north_up = values[:, ::-1]
    if flip:
        lat, values = lat[::-1], values[:, ::-1]
    rain = (("time", "lat", "lon"), values, {"units": "mm", "long_name": "hourly rain"})
    data = xr.Dataset(
        {"rain": rain, "count": ((), 3)},
        coords={
            "time": times,
            "lat": ("lat", lat, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": ("lon", lon, {"units": "degrees_east", "standard_name": "longitude"}),
            "forecast_reference_time": np.datetime64("2026-09-16T21:00"),
        },
    )
    packed = {"rain": {"dtype": "int16", "scale_factor": 0.01, "_FillValue": -1}}
    data.to_netcdf(path, engine=engine, encoding=packed)
    return north_up


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
@pytest.mark.parametrize("flip", [False, True])
def test_every_step_of_a_forecast_becomes_a_raster(
    read: ReadFile, tmp_path: Path, engine: str, flip: bool
) -> None:
    values = forecast(tmp_path / "rain.nc", flip=flip, engine=engine)
    found = read(tmp_path / "rain.nc")
    assert found.report.taken == {"rain": 3}
    start = microseconds(datetime(2026, 9, 17, tzinfo=UTC))
    assert [item.datetime_us for item in found.rasters] == [start + i * 3_600_000_000 for i in range(3)]
    for item, wanted in zip(found.rasters, values, strict=True):
        assert item.kind == "step"
        assert item.bands[0].unit == "mm"
        assert item.properties["reference_time"] == "2026-09-16T21:00:00Z"
        assert item.box == pytest.approx((140.595, 35.995, 140.895, 36.195), abs=1e-9)
        with rasterio.open(item.path) as dataset:
            got = dataset.read(1, masked=True)[:20, :30]
        np.testing.assert_array_equal(got.mask, np.isnan(wanted))
        np.testing.assert_allclose(got.compressed(), wanted[~np.isnan(wanted)], atol=0.0051)


def test_longitudes_beyond_180_are_turned_back(read: ReadFile, tmp_path: Path) -> None:
    forecast(tmp_path / "rain.nc", shift=60.0)
    item = read(tmp_path / "rain.nc").rasters[0]
    assert item.box.west == pytest.approx(140.595 + 60 - 360)


def test_a_grid_of_uneven_steps_is_refused(read: ReadFile, tmp_path: Path) -> None:
    forecast(tmp_path / "rain.nc")
    with xr.open_dataset(tmp_path / "rain.nc", engine="h5netcdf") as data:
        lat = data.lat.values.copy()
        lat[5] += 0.004
        data.load().assign_coords(lat=("lat", lat, data.lat.attrs)).to_netcdf(
            tmp_path / "uneven.nc", engine="h5netcdf"
        )
    with pytest.raises(BadData) as caught:
        read(tmp_path / "uneven.nc")
    assert caught.value.code == "grid-irregular"


def test_a_netcdf_without_a_series_is_refused(read: ReadFile, tmp_path: Path) -> None:
    xr.Dataset({"a": (("x",), [1.0, 2.0])}).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with pytest.raises(BadData) as caught:
        read(tmp_path / "a.nc")
    assert caught.value.code == "no-grid"


def test_a_truncated_netcdf_is_refused(read: ReadFile, tmp_path: Path) -> None:
    forecast(tmp_path / "rain.nc")
    (tmp_path / "cut.nc").write_bytes((tmp_path / "rain.nc").read_bytes()[:5_000])
    with pytest.raises(BadData) as caught:
        read(tmp_path / "cut.nc")
    assert caught.value.code == "file-broken"


def test_a_radar_mosaic_is_one_scene_of_its_polarisations(read: ReadFile, tmp_path: Path) -> None:
    names = {f"N36E140_24_sl_{band}_F02DAR.tif": factor for band, factor in (("HH", 1), ("HV", 2))}
    with tarfile.open(tmp_path / "mosaic.tar.gz", "w:gz") as archive:
        for name, factor in names.items():
            path = tmp_path / name
            with rasterio.open(
                path, "w", driver="GTiff", width=50, height=40, count=1, dtype="uint16",
                crs="EPSG:4326",
                transform=Affine(0.001, 0, 140, 0, -0.001, 36), nodata=1,
            ) as out:  # fmt: skip
                out.write(np.full((40, 50), 1_000 * factor, dtype="uint16"), 1)
            archive.add(path, arcname=name)
        (tmp_path / "N36E140_24_mask_F02DAR.tif").write_bytes(path.read_bytes())
        archive.add(tmp_path / "N36E140_24_mask_F02DAR.tif", arcname="N36E140_24_mask_F02DAR.tif")
    item = read(tmp_path / "mosaic.tar.gz").rasters[0]
    assert item.record_id == "N36E140_24_F02DAR"
    assert [(band.name, band.minimum) for band in item.bands] == [("HH", 1_000.0), ("HV", 2_000.0)]
    assert item.properties["platform"] == "ALOS-2"
    assert item.datetime_us == microseconds(datetime(2024, 1, 1, tzinfo=UTC))
