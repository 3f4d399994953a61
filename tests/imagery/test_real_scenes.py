"""Real scenes: a Landsat series, and a radar mosaic that comes in strips."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from geoshare.model.rasters import RasterLimits, choose_scenes
from geoshare.model.times import Interval
from tiles.raster import Pool, read, tile_grid, write_cog
from tiles.raster.grid import pixel_ratio
from tiles.raster.warp import choose_level

pytestmark = pytest.mark.real
LANDSAT = ("SWIR1", "NIR", "Red", "Green")


@pytest.fixture(scope="module")
def radar(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """HH band as it comes, and as COG."""
    folder = tmp_path_factory.mktemp("radar")
    with tarfile.open(real_data / "imagery" / "palsar2_mosaic_2020_N23W161.tar.gz") as archive:
        archive.extract("N23W161_20_sl_HH_F02DAR.tif", folder, filter="data")
    source = str(folder / "N23W161_20_sl_HH_F02DAR.tif")
    write_cog(source, folder / "hh.tif", descriptions=("HH",))
    return source, str(folder / "hh.tif")


def by_gdal(path: str, level, grid) -> np.ndarray:
    options = {} if level.overview < 0 else {"overview_level": level.overview}
    transform = Affine(grid.pixel_width, 0, grid.west, 0, -grid.pixel_height, grid.north)
    with (
        rasterio.open(path, **options) as dataset,
        WarpedVRT(
            dataset, crs="EPSG:3857", transform=transform, width=grid.width, height=grid.height,
            resampling=Resampling.nearest, tolerance=1e-4,
        ) as warped,
    ):  # fmt: skip
        return warped.read(masked=True)


@pytest.mark.parametrize("zoom", [9, 11, 13])
def test_every_band_of_a_landsat_scene_lies_where_gdal_puts_it(
    real_data, tmp_path, asset_from_cog, tile_of, zoom
):
    cog = str(tmp_path / "2015.tif")
    write_cog(real_data / "imagery" / "landsat_pucallpa" / "2015.tif", cog, descriptions=LANDSAT)
    grid = tile_grid(*tile_of(asset_from_cog(cog, LANDSAT), zoom))
    pool = Pool()
    frame = pool.frame(cog)
    found = read(pool, cog, grid, (0, 1, 2, 3), nearest=True)
    expected = by_gdal(cog, choose_level(frame, min(pixel_ratio(frame.placement, grid))), grid)
    assert found.valid.any()
    different = (found.data != expected.filled(0).transpose(1, 2, 0)).any(axis=-1)
    assert different.mean() < 0.002


def test_a_landsat_series_is_one_mosaic_per_year(
    real_data, tmp_path, asset_from_cog, pixels, tile_of, decoded
):
    assets = []
    for year in (1985, 2000, 2015):
        cog = str(tmp_path / f"{year}.tif")
        write_cog(real_data / "imagery" / "landsat_pucallpa" / f"{year}.tif", cog)
        assets.append(asset_from_cog(cog, LANDSAT, datetime_us=year, resolution_m=90.0))
    tile = tile_of(assets[0], 10)
    alone = {asset.datetime_us: pixels.tile([asset], *tile) for asset in assets}
    assert len(set(alone.values())) == 3
    assert decoded(alone[2015])[..., 3].any()
    assert pixels.tile(choose_scenes(assets, Interval(2000, 2000)), *tile) == alone[2000]
    assert pixels.tile(choose_scenes(assets, Interval(1990, 2010)), *tile) == alone[2000]
    assert pixels.tile(choose_scenes(assets, Interval(1988, 1988), nearest=True), *tile) == alone[1985]
    assert choose_scenes(assets, Interval(1988, 1988)) == []


def test_a_radar_mosaic_in_strips_keeps_every_number(radar):
    source, cog = radar
    with rasterio.open(source) as strips, rasterio.open(cog) as tiled:
        assert not strips.profile["tiled"]
        assert tiled.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        np.testing.assert_array_equal(tiled.read(1)[:4500, :4500], strips.read(1))


def test_a_radar_band_is_drawn_in_decibels_of_gamma_nought(radar, asset_from_cog, pixels, decoded):
    asset = asset_from_cog(radar[1], ["HH"], properties={"platform": "ALOS-2"})
    content = pixels.tile([asset], 11, 113, 895)
    found = decoded(content)
    assert (found[..., 3] > 0).mean() > 0.2
    legend = pixels.legend([asset])
    assert -30 < legend[0]["value"] < legend[-1]["value"] < 0  # the sea and the island in L band
    # A pixel against the formula of the producer, gamma nought = 20 log10(DN) - 83.0 dB.
    lon_lat = (-160.1001, 22.0101)
    number = pixels.values(asset, lon_lat)["HH"]
    with rasterio.open(radar[0]) as strips:
        assert number == next(strips.sample([lon_lat]))[0]


def test_a_coarse_tier_sees_no_speckle_of_the_radar_band(radar, asset_from_cog, pixels, decoded):
    asset = asset_from_cog(radar[1], ["HH"])
    fine = decoded(pixels.tile([asset], 12, 226, 1790))
    coarse = decoded(pixels.tile([asset], 12, 226, 1790, limits=RasterLimits(finest_m=200)))
    both = (fine[..., 3] > 0) & (coarse[..., 3] > 0)
    assert both.mean() > 0.1
    roughness = [np.abs(np.diff(item[..., 0], axis=1))[both[:, 1:]].mean() for item in (fine, coarse)]
    assert roughness[1] < roughness[0] / 2
