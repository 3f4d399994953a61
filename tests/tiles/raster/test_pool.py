"""Handles and memory stay bounded, and threads see the same pixels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from tiles.raster import Pool, RasterError, RasterTooLargeError, Withheld, read, tile_grid, write_cog
from tiles.raster.grid import box_grid, transformer
from tiles.raster.warp import choose_level


def test_handles_and_blocks_stay_within_their_bounds(make_raster):
    pool = Pool(max_handles=3, max_bytes=4_000_000)
    for number in range(8):
        path = make_raster(
            np.full((1, 700, 700), number + 1, np.uint16), nodata=0, name=f"{number}.tif"
        )
        write_cog(path, path + ".cog")
        for size in (700, 70):
            box = (380_000, 3_950_000 - 2800, 382_800, 3_950_000)
            found = read(pool, path + ".cog", box_grid(box, "EPSG:32654", size, size), (0,))
            np.testing.assert_allclose(found.data[found.valid > 0], number + 1, rtol=1e-5)
            assert pool.open_handles <= 3
            assert pool.cached_bytes <= 4_000_000
    pool.close()
    assert pool.open_handles == pool.cached_bytes == 0


def test_many_threads_get_the_pixels_that_one_gets(make_raster, tile_at):
    rng = np.random.default_rng(0)
    paths = []
    for number in range(3):
        data = rng.integers(1, 255, (3, 600, 600), dtype=np.uint8)
        path = make_raster(data, nodata=0, name=f"{number}.tif")
        write_cog(path, path + ".cog")
        paths.append(path + ".cog")
    lon, lat = transformer("EPSG:32654", "OGC:CRS84").transform(381_200, 3_948_800)
    grids = [tile_grid(*tile_at(lon, lat, zoom)) for zoom in (12, 13, 14, 15, 16)]
    work = [(path, grid) for path in paths for grid in grids] * 6
    alone = Pool()
    expected = {id(grid): {p: read(alone, p, grid, (2, 1, 0)).data for p in paths} for grid in grids}
    crowded = Pool(
        max_handles=2, max_bytes=1_500_000
    )  # so tight that everything is dropped all the time
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda item: read(crowded, *item, (2, 1, 0)).data, work))
    for (path, grid), data in zip(work, found, strict=True):
        np.testing.assert_array_equal(data, expected[id(grid)][path])


@pytest.mark.parametrize("content", [None, b"", b"not a raster", b"II*\0\x08\0\0\0"])
def test_a_missing_or_broken_file_is_one_error(tmp_path, pool, content):
    path = tmp_path / "broken.tif"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RasterError) as error:
        pool.frame(str(path))
    assert str(tmp_path) not in str(error.value)


def test_a_file_that_breaks_in_the_middle_is_an_error_and_not_an_empty_tile(make_raster, pool):
    data = np.random.default_rng(0).integers(1, 60_000, (1, 1024, 1024), dtype=np.uint16)
    path = make_raster(data, nodata=0, tiled=True, compress="DEFLATE")
    content = bytearray(Path(path).read_bytes())
    content[len(content) // 4 : len(content) // 2] = b"\0" * (len(content) // 2 - len(content) // 4)
    Path(path).write_bytes(content)
    box = (380_000, 3_950_000 - 4096, 384_096, 3_950_000)
    with pytest.raises(RasterError):
        read(pool, path, box_grid(box, "EPSG:32654", 1024, 1024), (0,))


def test_no_other_driver_gets_to_see_a_file(tmp_path, pool):
    """A description that names another file must not be followed."""
    (tmp_path / "x.tif").write_text(
        '<VRTDataset rasterXSize="1" rasterYSize="1"><SRS>EPSG:4326</SRS></VRTDataset>'
    )
    with pytest.raises(RasterError):
        pool.frame(str(tmp_path / "x.tif"))


def test_halving_a_large_file_without_overviews_is_refused(tmp_path, pool):
    path = str(tmp_path / "huge.tif")
    profile = {"width": 20_000, "height": 20_000, "count": 1, "dtype": "uint8", "nodata": 0}
    transform = Affine(4, 0, 380_000, 0, -4, 3_950_000)
    with rasterio.open(
        path, "w", driver="GTiff", crs="EPSG:32654", transform=transform, sparse_ok=True, **profile
    ):
        pass
    with pytest.raises(RasterTooLargeError):
        choose_level(pool.frame(path), 1.0, Withheld(1000.0))
