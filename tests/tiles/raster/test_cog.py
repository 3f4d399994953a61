"""Prepared files: the layout, the full image, and overviews against a plain mean of blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rasterio.enums import ColorInterp

from tiles.raster import Pool, RasterError, box_grid, pyramid, read, statistics, write_cog
from tiles.raster.frame import OVERVIEW_TAG


def overview(path: str, number: int) -> tuple[np.ndarray, np.ndarray]:
    with rasterio.open(path, overview_level=number) as dataset:
        return dataset.read(), dataset.read_masks() > 0


def plain_means(data: np.ndarray, valid: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and validity of blocks, block by block; data past the edge is not valid."""
    bands, height, width = data.shape
    shape = (bands, -(-height // factor), -(-width // factor))
    means, enough = np.zeros(shape), np.zeros(shape, bool)
    for band, row, column in np.ndindex(shape):
        block = np.s_[band, row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
        values = data[block][valid[block]].astype(float)
        if 2 * values.size >= factor * factor:
            means[band, row, column], enough[band, row, column] = values.mean(), True
    return means, enough


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_the_file_is_a_cog_with_the_same_pixels(make_raster, dtype):
    data = np.random.default_rng(0).integers(0, 250, (3, 333, 555)).astype(dtype)
    path = make_raster(data, nodata=0)
    write_cog(path, path + ".cog")
    with rasterio.open(path) as source, rasterio.open(path + ".cog") as cog:
        assert cog.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert cog.tags(ns="IMAGE_STRUCTURE")["COMPRESSION"] == "DEFLATE"
        assert cog.block_shapes[0] == (512, 512)
        assert (cog.crs, cog.transform, cog.dtypes) == (source.crs, source.transform, source.dtypes)
        assert cog.tags()[OVERVIEW_TAG]
        np.testing.assert_array_equal(cog.read()[:, :333, :555], data)
        assert not cog.dataset_mask()[333:].any()
        assert not cog.dataset_mask()[:, 555:].any()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    small=hnp.arrays(np.uint8, (2, 9, 11), elements=st.integers(0, 6)),
    nodata=st.sampled_from([0, 3, 255]),
)
def test_an_overview_pixel_is_the_mean_of_its_own_block_if_half_of_it_is_valid(
    make_raster, small, nodata
):
    data = np.kron(small, np.array([[1, 1, 2], [1, 0, 1], [2, 1, 1]], np.uint8)).repeat(12, axis=2)
    path = make_raster(data, nodata=nodata)
    write_cog(path, path + ".cog")
    for number in (0, 1):
        means, enough = plain_means(data, data != nodata, 2 ** (number + 1))
        found, valid = overview(path + ".cog", number)
        found = found[:, : means.shape[1], : means.shape[2]]
        valid = valid[:, : means.shape[1], : means.shape[2]]
        np.testing.assert_array_equal(valid, enough)
        # Rounded to whole numbers, and one away from the number that means nothing.
        assert (np.abs(found - means)[enough] <= 1.0).all()
        assert (np.abs(found - means)[enough & (np.rint(means) != nodata)] <= 0.5).all()


def test_a_mask_takes_the_place_of_a_missing_nodata_number(make_raster):
    data = np.random.default_rng(0).integers(0, 255, (3, 200, 300), dtype=np.uint8)
    mask = np.zeros((200, 300), np.uint8)
    mask[50:150, 33:77] = 255
    path = make_raster(data, mask=mask)
    write_cog(path, path + ".cog")
    with rasterio.open(path + ".cog") as cog:
        np.testing.assert_array_equal(cog.dataset_mask()[:200, :300], mask)
        np.testing.assert_array_equal(cog.read()[:, mask_of(cog)], data[:, mask > 0])
    means, enough = plain_means(data, np.broadcast_to(mask > 0, data.shape), 2)
    found, valid = overview(path + ".cog", 0)
    np.testing.assert_array_equal(valid[:, :100, :150], enough)
    assert (np.abs(found[:, :100, :150] - means)[enough] <= 0.5).all()


def mask_of(dataset: rasterio.DatasetReader) -> np.ndarray:
    return dataset.dataset_mask() > 0


def test_alpha_becomes_the_mask_and_is_no_band(make_raster):
    data = np.full((4, 64, 64), 200, np.uint8)
    data[3, :, 32:] = 0
    path = make_raster(data)
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = [
            ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha,
        ]  # fmt: skip
    write_cog(path, path + ".cog")
    with rasterio.open(path + ".cog") as cog:
        assert cog.count == 3
        assert cog.dataset_mask()[:64, :32].all()
        assert not cog.dataset_mask()[:, 32:].any()


def test_nan_is_no_value_in_a_raster_of_real_numbers(make_raster):
    data = np.ones((1, 64, 64), np.float32)
    data[0, :16] = np.nan
    data[0, 16:32] = 0
    path = make_raster(data)
    write_cog(path, path + ".cog")
    found = statistics(path + ".cog")[0]
    assert found.minimum == 0
    assert found.maximum == 1
    assert found.valid_part == 0.75


def test_chosen_bands_come_in_the_order_asked_for_with_names(make_raster):
    data = np.arange(1, 5, dtype=np.uint8)[:, None, None] * np.ones((1, 32, 32), np.uint8)
    path = make_raster(data, nodata=0)
    write_cog(path, path + ".cog", bands=(3, 1), descriptions=("red", "blue"))
    with rasterio.open(path + ".cog") as cog:
        assert cog.read()[:, 0, 0].tolist() == [3, 1]
        assert cog.descriptions == ("red", "blue")


def test_scale_offset_and_unit_are_kept(make_raster):
    path = make_raster(np.ones((1, 32, 32), np.int16), nodata=-1)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets, dataset.units = (0.1,), (5.0,), ("mm/h",)
    write_cog(path, path + ".cog")
    with rasterio.open(path + ".cog") as cog:
        assert (cog.scales, cog.offsets, cog.units) == ((0.1,), (5.0,), ("mm/h",))


def test_strips_are_read_piece_by_piece(make_raster):
    data = np.random.default_rng(2).integers(1, 60_000, (1, 3000, 2000), dtype=np.uint16)
    path = make_raster(data, nodata=0, tiled=False, blockysize=1, compress="LZW")
    write_cog(path, path + ".cog")
    with rasterio.open(path + ".cog") as cog:
        np.testing.assert_array_equal(cog.read(1)[:3000, :2000], data[0])


def test_a_raster_without_crs_is_refused_and_leaves_nothing(make_raster, tmp_path):
    path = make_raster(np.ones((1, 8, 8), np.uint8), placed=(None, Affine(1, 0, 9, 0, -1, 9)))
    with pytest.raises(RasterError, match="no CRS"):
        write_cog(path, tmp_path / "x.tif")
    assert [item.name for item in tmp_path.iterdir()] == ["raster.tif"]


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_picture_without_a_place_is_refused(make_raster, tmp_path):
    path = make_raster(np.ones((1, 8, 8), np.uint8), placed=("EPSG:4326", Affine.identity()))
    with pytest.raises(RasterError, match="no place"):
        write_cog(path, tmp_path / "x.tif")


def test_a_torn_file_is_refused(make_raster, tmp_path):
    data = np.random.default_rng(2).integers(1, 60_000, (1, 512, 512), dtype=np.uint16)
    path = make_raster(data, nodata=0)
    whole = Path(path).read_bytes()
    torn = tmp_path / "torn.tif"
    torn.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RasterError):
        write_cog(torn, tmp_path / "x.tif")
    assert not (tmp_path / "x.tif").exists()


@pytest.mark.parametrize("content", [b"", b"II*\0garbage", b"<html>"])
def test_something_else_than_a_raster_is_refused(tmp_path, content):
    (tmp_path / "x.bin").write_bytes(content)
    with pytest.raises(RasterError):
        write_cog(tmp_path / "x.bin", tmp_path / "x.tif")


@pytest.mark.parametrize("chunk_levels", [4, 5])
@pytest.mark.parametrize("masked", [True, False])
def test_chunks_of_any_size_give_the_same_file(make_raster, monkeypatch, chunk_levels, masked):
    """Also where the coarsest overviews are made of many chunks' sums."""
    data = np.random.default_rng(4).integers(0, 4, (2, 301, 450)).astype(np.uint16)
    mask = (np.random.default_rng(5).random((301, 450)) > 0.4).astype(np.uint8) * 255
    path = make_raster(data, nodata=None if masked else 0, mask=mask if masked else None)
    write_cog(path, path + ".whole.cog")
    monkeypatch.setattr(pyramid, "_CHUNK_LEVELS", chunk_levels)
    write_cog(path, path + ".cog")
    assert Path(path + ".cog").read_bytes() == Path(path + ".whole.cog").read_bytes()
    means, enough = plain_means(data, np.broadcast_to(mask > 0, data.shape) if masked else data > 0, 8)
    found, valid = overview(path + ".cog", 2)
    np.testing.assert_array_equal(valid[:, : enough.shape[1], : enough.shape[2]], enough)
    assert (np.abs(found[:, : enough.shape[1], : enough.shape[2]] - means)[enough] <= 1).all()


def test_a_nodata_number_that_the_type_cannot_hold_means_nothing(make_raster):
    path = make_raster(np.zeros((1, 40, 40), np.uint8))
    write_cog(path, path + ".cog", nodata=-9999)
    with rasterio.open(path + ".cog") as cog:
        assert cog.nodata is None
        assert cog.dataset_mask()[:40, :40].all()


def test_classes_keep_their_colours_and_are_never_averaged(make_raster):
    classes = np.random.default_rng(6).choice(np.array([1, 3, 7], np.uint8), (1, 60, 70))
    path = make_raster(classes, nodata=0, photometric="palette")
    with rasterio.open(path, "r+") as dataset:
        dataset.write_colormap(1, {1: (0, 90, 0), 3: (200, 0, 0), 7: (0, 0, 250)})
    write_cog(path, path + ".cog")
    found, valid = overview(path + ".cog", 0)
    for row, column in np.ndindex(30, 35):
        block = classes[0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert found[0, row, column] == np.argmax(np.bincount(block.ravel()))
    assert not valid[0, 30:].any()
    pool = Pool()
    frame = pool.frame(path + ".cog")
    assert frame.colours[3] == (200, 0, 0, 255)
    box = (380_000, 3_950_000 - 240, 380_280, 3_950_000)
    drawn = read(pool, path + ".cog", box_grid(box, "EPSG:32654", 333, 222), (0,))
    assert set(np.unique(drawn.data)) == {1, 3, 7}
