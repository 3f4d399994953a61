"""What must not be seen is not seen: hidden pixels may change and no byte of an answer does."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from tiles.raster import Fence, Pool, Withheld, band_statistics, read, sample, tile_grid, write_cog
from tiles.raster.warp import choose_level, gather

CRS, TRANSFORM = "EPSG:32654", Affine(4, 0, 380_000, 0, -4, 3_950_000)
SIZE = 256
FIXED = settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def lon_lat(columns, rows):
    x, y = TRANSFORM @ (np.asarray(columns, float), np.asarray(rows, float))
    return Transformer.from_crs(CRS, "OGC:CRS84", always_xy=True).transform(x, y)


def polygon(points) -> shapely.Polygon:
    """Polygon in degrees of points in pixels."""
    lon, lat = lon_lat(*zip(*points, strict=True))
    return shapely.Polygon(np.column_stack([lon, lat]))


def prepared(make_raster, data, name) -> str:
    path = make_raster(data, nodata=0, name=name)
    write_cog(path, path + ".cog")
    return path + ".cog"


def answers(path: str, withheld: Withheld, tile_at) -> list[bytes]:
    """Everything a reader could compute of the raster, as bytes."""
    pool = Pool()
    lon, lat = lon_lat(SIZE / 2, SIZE / 2)
    found = []
    for zoom in (11, 13, 15):
        for nearest in (True, False):
            grid = tile_grid(*tile_at(float(lon), float(lat), zoom))
            warped = read(pool, path, grid, (0,), nearest=nearest, withheld=withheld)
            found += [warped.data.tobytes(), warped.valid.tobytes()]
    found.append(repr(band_statistics(pool, pool.frame(path), 0, withheld)).encode())
    points = np.column_stack(lon_lat(*np.mgrid[2:SIZE:16, 2:SIZE:16].reshape(2, -1)))
    found.append(sample(pool, path, points, (0,), withheld=withheld).tobytes())
    pool.close()
    return found


@FIXED
@given(seed=st.integers(0, 1000), corner=st.tuples(st.floats(30, 90), st.floats(30, 90)))
def test_nothing_tells_what_lies_beyond_the_fence(make_raster, tile_at, seed, corner):
    rng = np.random.default_rng(seed)
    area = polygon([corner, (200.3, 40.7), (220.5, 190.1), (100.2, 215.9)])
    fence = Fence(area.wkb)
    one = rng.integers(1, 60_000, (1, SIZE, SIZE), dtype=np.uint16)
    other = one.copy()
    columns, rows = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    shape = shapely.Polygon([corner, (200.3, 40.7), (220.5, 190.1), (100.2, 215.9)])
    hidden = ~shapely.intersects(shape, shapely.box(columns, rows, columns + 1, rows + 1))
    other[0][hidden] = rng.integers(0, 60_000, int(hidden.sum()), dtype=np.uint16)
    for finest_m in (0.0, 30.0):
        first, second = (
            answers(prepared(make_raster, data, name), Withheld(finest_m, fence), tile_at)
            for data, name in ((one, "one.tif"), (other, "other.tif"))
        )
        assert first == second
        assert any(np.frombuffer(part, np.uint8).any() for part in first[1:12:2])


@FIXED
@given(seed=st.integers(0, 1000), finest_m=st.sampled_from([5.0, 8.0, 10.0, 31.0]))
def test_nothing_tells_how_pixels_differ_within_a_coarse_one(make_raster, tile_at, seed, finest_m):
    """Shuffling the pixels of each block of the coarsened raster changes no mean, so no answer."""
    rng = np.random.default_rng(seed)
    factor = 2 ** int(np.ceil(np.log2(finest_m / 4 - 1e-9)))
    one = rng.integers(0, 2000, (1, SIZE, SIZE), dtype=np.uint16)
    blocks = one[0].reshape(SIZE // factor, factor, SIZE // factor, factor).swapaxes(1, 2)
    shuffled = rng.permuted(blocks.reshape(*blocks.shape[:2], -1), axis=2).reshape(blocks.shape)
    other = shuffled.swapaxes(1, 2).reshape(1, SIZE, SIZE)
    withheld = Withheld(finest_m)
    first = answers(prepared(make_raster, one, "one.tif"), withheld, tile_at)
    second = answers(prepared(make_raster, other, "other.tif"), withheld, tile_at)
    assert first == second


@pytest.mark.parametrize("finest_m", [0, 4, 8, 10, 100, 1000])
def test_pixels_are_never_finer_than_allowed(make_raster, pool, finest_m):
    frame = pool.frame(prepared(make_raster, np.ones((1, SIZE, SIZE), np.uint8), "x.tif"))
    for ratio in (0.01, 1, 3, 50):
        level = choose_level(frame, ratio, Withheld(finest_m))
        assert frame.resolution_m * level.factor_x >= finest_m * 0.999
        assert level.number == 0 or level.factor_x <= max(ratio * 1.2, finest_m / 4 * 2)


def test_a_raster_smaller_than_the_finest_pixel_allowed_is_not_seen(make_raster, pool, tile_at):
    path = prepared(make_raster, np.ones((1, SIZE, SIZE), np.uint8), "x.tif")
    withheld = Withheld(5000.0)
    lon, lat = (float(value) for value in lon_lat(SIZE / 2, SIZE / 2))
    assert read(pool, path, tile_grid(*tile_at(lon, lat, 12)), (0,), withheld=withheld) is None
    assert np.isnan(sample(pool, path, np.array([[lon, lat]]), (0,), withheld=withheld)).all()
    assert band_statistics(pool, pool.frame(path), 0, withheld).maximum is None


def test_a_pixel_is_seen_only_if_all_of_its_footprint_is_inside(make_raster, pool):
    path = prepared(make_raster, np.full((1, SIZE, SIZE), 9, np.uint8), "x.tif")
    frame = pool.frame(path)
    points = [(20.2, 31.7), (230.4, 12.1), (180.9, 240.3), (90.5, 120.5)]
    withheld = Withheld(0, Fence(polygon(points).wkb))
    for number in (0, 1):
        level = frame.levels[number]
        window = (0, 0, level.height, level.width)
        _, valid = gather(pool, frame, level, window, (0,), withheld)
        size = 2**number
        columns, rows = np.meshgrid(np.arange(level.width) * size, np.arange(level.height) * size)
        footprints = shapely.box(columns, rows, columns + size, rows + size)
        # Edges are straight in degrees and bend by less than a hundredth of a pixel here.
        surely = shapely.Polygon(points).buffer(-0.02 * size)
        at_most = shapely.Polygon(points).buffer(0.02 * size)
        seen = valid[..., 0] > 0
        assert not (seen & ~shapely.covers(at_most, footprints)).any()
        assert (seen == shapely.covers(surely, footprints)).mean() > 0.999


def test_a_file_with_overviews_of_another_rule_is_halved_from_its_full_pixels(make_raster, pool):
    data = np.zeros((1, SIZE, SIZE), np.uint8)
    data[0, ::4, ::4] = 200  # one valid pixel in sixteen: too few for any mean
    path = make_raster(data, nodata=0, tiled=True, blockxsize=128, blockysize=128)
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4, 8], rasterio.enums.Resampling.average)
    frame = pool.frame(path)
    plain = choose_level(frame, 4.0)
    assert plain.overview is not None
    kept = choose_level(frame, 4.0, Withheld(16.0))
    assert kept.overview is None
    _, valid = gather(pool, frame, kept, (0, 0, kept.height, kept.width), (0,), Withheld(16.0))
    assert not valid.any()
