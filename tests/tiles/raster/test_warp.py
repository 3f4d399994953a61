"""Warped arrays against GDAL's WarpedVRT, against planes, and against each other at tile edges."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT

from tiles.raster import Pool, RasterError, RasterTooLargeError, TargetGrid, read, tile_grid, write_cog
from tiles.raster.grid import pixel_ratio
from tiles.raster.warp import choose_level

UTM = ("EPSG:32654", Affine(4, 0, 380_000, 0, -4, 3_950_000))
DEGREES = ("EPSG:4326", Affine(5e-5, 0, 139.70, 0, -4e-5, 35.70))
TURNED = ("EPSG:6677", Affine(3, 1, -20_000, 1, -3, -30_000))
PLACES = pytest.mark.parametrize("placed", [UTM, DEGREES, TURNED], ids=["utm", "degrees", "turned"])


def centre_of(placed, width, height):
    crs, transform = placed
    x, y = transform @ (width / 2, height / 2)
    return Transformer.from_crs(crs, "OGC:CRS84", always_xy=True).transform(x, y)


def by_gdal(path, grid, overview, resampling):
    """GDAL's own warp of the same overview, all but exact; (bands, height, width)."""
    options = {} if overview < 0 else {"overview_level": overview}
    transform = Affine(grid.pixel_width, 0, grid.west, 0, -grid.pixel_height, grid.north)
    with (
        rasterio.open(path, **options) as dataset,
        WarpedVRT(
            dataset,
            crs=grid.crs,
            transform=transform,
            width=grid.width,
            height=grid.height,
            resampling=resampling,
            tolerance=1e-4,
        ) as warped,
    ):
        return warped.read(masked=True)


@PLACES
@pytest.mark.parametrize("zoom", [13, 14, 15, 16, 18])
def test_nearest_takes_the_very_pixels_that_gdal_takes(make_raster, pool, tile_at, placed, zoom):
    data = np.random.default_rng(zoom).integers(1, 60_000, (2, 384, 512), dtype=np.uint16)
    data[:, 100:140, 200:300] = 0
    path = make_raster(data, placed, nodata=0)
    cog = path + ".cog"
    write_cog(path, cog)
    grid = tile_grid(*tile_at(*centre_of(placed, 512, 384), zoom))
    found = read(pool, cog, grid, (0, 1), nearest=True)
    frame = pool.frame(cog)
    level = choose_level(frame, min(pixel_ratio(frame.placement, grid)))
    expected = by_gdal(cog, grid, level.overview, Resampling.nearest).filled(0).transpose(1, 2, 0)
    different = (found.data != expected).any(axis=-1)
    assert found.valid.any()
    # A centre within a thousandth of a pixel of an edge may go either way.
    assert different.mean() < 0.002


@PLACES
@pytest.mark.parametrize("zoom", [13, 14, 15, 17])
def test_linear_is_close_to_gdals_bilinear(make_raster, pool, tile_at, placed, zoom):
    rng = np.random.default_rng(1)
    rough = rng.normal(size=(1, 48, 64)).repeat(8, axis=1).repeat(8, axis=2) * 20 + 120
    data = np.clip(rough + rng.normal(size=rough.shape) * 4, 1, 255).astype(np.uint8)
    path = make_raster(data, placed, nodata=0)
    cog = path + ".cog"
    write_cog(path, cog)
    grid = tile_grid(*tile_at(*centre_of(placed, 512, 384), zoom))
    found = read(pool, cog, grid, (0,))
    frame = pool.frame(cog)
    level = choose_level(frame, min(pixel_ratio(frame.placement, grid)))
    expected = by_gdal(cog, grid, level.overview, Resampling.bilinear)
    both = (found.valid[..., 0] > 0) & ~np.ma.getmaskarray(expected[0])
    difference = np.abs(found.data[..., 0] - expected[0].data)[both]
    assert both.sum() > 300
    # GDAL weighs by another kernel where rows run slantwise.
    assert difference.mean() < (2.5 if placed is TURNED else 1.5)
    assert np.percentile(difference, 99) < 10


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    placed=st.sampled_from([UTM, DEGREES, TURNED]),
    zoom=st.integers(11, 19),
    across=st.floats(0.2, 0.8),
    down=st.floats(0.2, 0.8),
)
def test_a_plane_stays_a_plane_wherever_and_however_far_one_zooms(
    make_raster, tile_at, placed, zoom, across, down
):
    """The value of a plane at a target's centre is known without any warp."""
    columns, rows = np.meshgrid(np.arange(256) + 0.5, np.arange(256) + 0.5)
    path = make_raster((columns * 2 + rows * 3)[np.newaxis].astype(np.float32), placed, nodata=-1)
    cog = path + ".cog"
    write_cog(path, cog)
    crs, transform = placed
    x, y = transform @ (256 * across, 256 * down)
    lon, lat = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True).transform(x, y)
    grid = tile_grid(*tile_at(lon, lat, zoom))
    pool = Pool()
    found = read(pool, cog, grid, (0,))
    xs = grid.west + (np.arange(256) + 0.5) * grid.pixel_width
    ys = grid.north - (np.arange(256) + 0.5) * grid.pixel_height
    back = Transformer.from_crs("EPSG:3857", crs, always_xy=True).transform(*np.meshgrid(xs, ys))
    inverse = ~transform
    at_column = inverse.a * back[0] + inverse.b * back[1] + inverse.c
    at_row = inverse.d * back[0] + inverse.e * back[1] + inverse.f
    ratio = 2 * max(1.0, *pixel_ratio(pool.frame(cog).placement, grid))
    inner = (at_column > ratio) & (at_row > ratio) & (at_column < 256 - ratio) & (at_row < 256 - ratio)
    expected = (at_column * 2 + at_row * 3)[inner]
    assert found.valid[inner].all()
    # Enlarging is exact; weights at whole pixels keep a slope to a tenth of a target pixel.
    allowed = 0.02 if ratio == 2 else 0.1 * (2 + 3) * ratio / 2
    np.testing.assert_allclose(found.data[..., 0][inner], expected, atol=allowed)
    pool.close()


@PLACES
@pytest.mark.parametrize("nearest", [True, False])
def test_neighbouring_tiles_continue_each_other(make_raster, pool, tile_at, placed, nearest):
    data = np.random.default_rng(3).integers(1, 255, (1, 512, 512), dtype=np.uint8)
    cog = make_raster(data, placed, nodata=0) + ".cog"
    write_cog(cog.removesuffix(".cog"), cog)
    z, x, y = tile_at(*centre_of(placed, 512, 512), 15)
    left, right = tile_grid(z, x, y), tile_grid(z, x + 1, y)
    both = TargetGrid(
        left.crs, left.west, left.north, left.pixel_width, left.pixel_height, 512, left.height
    )
    wide = read(pool, cog, both, (0,), nearest=nearest)
    for grid, part in ((left, wide.data[:, :256]), (right, wide.data[:, 256:])):
        tile = read(pool, cog, grid, (0,), nearest=nearest)
        if nearest:
            assert (tile.data != part).mean() < 0.002
        else:
            np.testing.assert_allclose(tile.data, part, atol=0.6)


@pytest.mark.parametrize("zoom", range(0, 20, 3))
def test_a_constant_raster_is_that_constant_at_every_zoom(make_raster, pool, tile_at, zoom):
    cog = make_raster(np.full((3, 300, 200), 77, np.uint8), nodata=0) + ".cog"
    write_cog(cog.removesuffix(".cog"), cog)
    found = read(pool, cog, tile_grid(*tile_at(*centre_of(UTM, 200, 300), zoom)), (0, 1, 2))
    np.testing.assert_allclose(found.data[found.valid > 0], 77, rtol=1e-5)
    assert found.valid.any() or zoom < 9  # smaller than half a pixel further out


def test_where_nothing_is_valid_nothing_is_shown(make_raster, pool, tile_at):
    cog = make_raster(np.zeros((1, 64, 64), np.uint8), nodata=0) + ".cog"
    write_cog(cog.removesuffix(".cog"), cog)
    found = read(pool, cog, tile_grid(*tile_at(*centre_of(UTM, 64, 64), 16)), (0,))
    assert not found.valid.any()


def test_a_tile_far_away_is_none(make_raster, pool):
    cog = make_raster(np.ones((1, 64, 64), np.uint8), nodata=0) + ".cog"
    write_cog(cog.removesuffix(".cog"), cog)
    assert read(pool, cog, tile_grid(10, 3, 3), (0,)) is None


@pytest.mark.parametrize("west", [170.0, 0.0])
def test_longitudes_past_180_degrees_are_the_same_places(make_raster, pool, tile_at, west):
    """A raster over the antimeridian, and one from 0 to 360 as weather models have it."""
    width = 200 if west else 3600
    transform = Affine(0.1, 0, west, 0, -0.1, 40)
    data = np.tile(np.arange(width, dtype=np.float32) % 360 + 1, (100, 1))[np.newaxis]
    cog = make_raster(data, ("EPSG:4326", transform), nodata=-1) + ".cog"
    write_cog(cog.removesuffix(".cog"), cog)
    grid = tile_grid(*tile_at(-175.05, 35.05, 8))
    found = read(pool, cog, grid, (0,), nearest=True)
    assert found.valid.all()
    lon = (grid.west + 128.5 * grid.pixel_width) / 20037508.342789244 * 180 + 360
    assert found.data[128, 128, 0] == int((lon - west) / 0.1) % 360 + 1


def test_a_band_that_is_not_there_is_an_error(make_raster, pool, tile_at):
    path = make_raster(np.ones((1, 64, 64), np.uint8))
    with pytest.raises(RasterError):
        read(pool, path, tile_grid(0, 0, 0), (1,))


def test_an_enormous_target_is_refused_before_anything_is_read(pool):
    grid = TargetGrid("EPSG:3857", 0, 0, 1, 1, 100_000, 100_000)
    with pytest.raises(RasterTooLargeError):
        read(pool, "nothing.tif", grid, (0,))
