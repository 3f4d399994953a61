"""Tiles of scenes: colours, mosaics, limits, errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from rasterio.enums import ColorInterp

from geoshare.errors import BadRequest, TooLarge, Unavailable
from geoshare.imagery import pixels as module
from geoshare.model.rasters import RasterLimits, choose_scenes
from tiles.raster import write_cog

BANDS = ("blue", "green", "red", "nir")


def scene(value: tuple[int, ...], size: int = 256) -> np.ndarray:
    return np.ones((4, size, size), np.uint16) * np.array(value, np.uint16)[:, None, None]


def gradient(size: int = 256) -> np.ndarray:
    rows, columns = np.mgrid[0:size, 0:size]
    return np.stack([rows + 1, columns + 1, rows + columns + 1, 2 * size - rows]).astype(np.uint16)


def test_true_colour_takes_red_green_and_blue_in_that_order(make_asset, pixels, tile_of, decoded):
    data = np.zeros((4, 256, 256), np.uint16)
    data[0, :, :128], data[1, 64:], data[2], data[3] = 3000, 2000, 1000, 500
    data[data == 0] = 1
    asset = make_asset(data, BANDS)
    found = decoded(pixels.tile([asset], *tile_of(asset, 15)))
    shown = found[..., 3] == 255
    assert shown.any()
    colours = {tuple(pixel) for pixel in (found[shown][:, :3] // 255)}
    assert {pixel[2] for pixel in colours} == {0, 1}  # blue in the west only


def test_a_stretch_goes_from_the_stored_percentiles(make_asset, pixels, tile_of, decoded):
    """Every colour against the plain formula, on the pixels GDAL finds at the same places."""
    data = (gradient() * 10).astype(np.uint16)
    asset = make_asset(data, BANDS)
    z, x, y = tile_of(asset, 17)  # larger than the stored pixels: bilinear between them
    found = decoded(pixels.tile([asset], z, x, y))
    span = 40075016.685578488 / 2**z
    west, north = x * span - 20037508.342789244, 20037508.342789244 - y * span
    transform = Affine(span / 256, 0, west, 0, -span / 256, north)
    with (
        rasterio.open(asset.path) as dataset,
        rasterio.vrt.WarpedVRT(
            dataset, crs="EPSG:3857", transform=transform, width=256, height=256,
            resampling=rasterio.enums.Resampling.bilinear, tolerance=1e-4,
        ) as warped,
    ):  # fmt: skip
        expected = warped.read([3, 2, 1]).astype(float).transpose(1, 2, 0)
    low = np.array([asset.bands[number].percentile_2 for number in (2, 1, 0)])
    high = np.array([asset.bands[number].percentile_98 for number in (2, 1, 0)])
    bright = np.clip((expected - low) / (high - low), 0, 1) ** (1 / 1.25) * 255
    assert np.abs(found[..., :3] - bright).max() <= 4


def test_the_newest_scene_lies_on_top_and_older_ones_show_where_it_ends(
    make_asset, pixels, tile_of, decoded
):
    west = scene((10, 10, 10, 10))
    west[:, :, 128:] = 0
    newer = make_asset(west, BANDS, "newer", datetime_us=20)
    older = make_asset(gradient(), BANDS, "older", datetime_us=10)
    order = choose_scenes([older, newer])
    assert [asset.id for asset in order] == ["newer", "older"]
    both = decoded(pixels.tile(order, *tile_of(older, 14)))
    top = decoded(pixels.tile([newer], *tile_of(older, 14)))
    bottom = decoded(pixels.tile([older], *tile_of(older, 14)))
    covered = top[..., 3] > 0
    assert covered.any()
    assert (bottom[..., 3] > 0).sum() > covered.sum()
    np.testing.assert_array_equal(both, np.where(covered[..., None], top, bottom))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (BANDS, ["true-colour", "false-colour"]),
        (("B02", "B03", "B04", "B08"), ["true-colour", "false-colour"]),
        (("SWIR1", "NIR", "Red", "Green"), ["short-wave", "false-colour"]),
        (("band_1", "band_2", "band_3", "band_4"), ["composite"]),
        (("HH", "HV", "x", "y"), ["composite", "backscatter-hh"]),
    ],
)
def test_the_default_style_is_the_best_that_the_bands_allow(make_asset, pixels, names, expected):
    asset = make_asset(gradient(16), names)
    assert [style["name"] for style in pixels.styles([asset])][: len(expected)] == expected


def test_a_style_needs_every_one_of_its_bands_allowed(make_asset, pixels, tile_of):
    asset = make_asset(gradient(), BANDS)
    limits = RasterLimits(bands=("red", "green", "blue"))
    names = [style["name"] for style in pixels.styles([asset], limits)]
    assert names == ["true-colour", "grey-blue", "grey-green", "grey-red"]
    with pytest.raises(BadRequest) as error:
        pixels.tile([asset], *tile_of(asset, 14), style="false-colour", limits=limits)
    assert error.value.parameter == "style"
    assert "nir" not in error.value.allowed
    assert pixels.tile([asset], *tile_of(asset, 14), limits=RasterLimits(bands=())) is None
    assert pixels.values(asset, centre(asset), limits).keys() == {"red", "green", "blue"}


def centre(asset):
    return (asset.box.west + asset.box.east) / 2, (asset.box.south + asset.box.north) / 2


def test_a_hidden_band_changes_no_byte_of_what_is_seen(make_asset, pixels, tile_of):
    one, other = gradient(), gradient()
    other[3] = np.random.default_rng(0).integers(0, 9000, (256, 256))
    limits = RasterLimits(bands=BANDS[:3])
    first, second = make_asset(one, BANDS, "one"), make_asset(other, BANDS, "other")
    for zoom in (12, 14, 16):
        tiles = [pixels.tile([item], *tile_of(first, zoom), limits=limits) for item in (first, second)]
        assert tiles[0] is not None
        assert tiles[0] == tiles[1]


@pytest.mark.parametrize("finest_m", [8.0, 16.0, 30.0])
def test_a_coarse_tier_sees_blocks_and_no_stretch_made_of_finer_pixels(
    make_asset, pixels, tile_of, finest_m
):
    rng = np.random.default_rng(1)
    one = rng.integers(100, 4000, (4, 256, 256), dtype=np.uint16)
    factor = 2 ** int(np.ceil(np.log2(finest_m / 4.0009)))
    blocks = one.reshape(4, 256 // factor, factor, 256 // factor, factor).swapaxes(2, 3)
    mixed = rng.permuted(blocks.reshape(*blocks.shape[:3], -1), axis=3).reshape(blocks.shape)
    other = mixed.swapaxes(2, 3).reshape(4, 256, 256)
    limits = RasterLimits(finest_m=finest_m)
    first, second = make_asset(one, BANDS, "one"), make_asset(other, BANDS, "other")
    for zoom in (12, 14, 16):
        tiles = [pixels.tile([item], *tile_of(first, zoom), limits=limits) for item in (first, second)]
        assert tiles[0] == tiles[1]
        plain = pixels.tile([first], *tile_of(first, zoom))
        assert plain != pixels.tile([second], *tile_of(first, zoom)) or zoom < 16
    assert pixels.legend([first], "grey-red", limits) == pixels.legend([second], "grey-red", limits)
    assert pixels.values(first, centre(first), limits) == pixels.values(second, centre(first), limits)


def test_beyond_the_fence_nothing_is_drawn_and_no_value_is_told(make_asset, pixels, tile_of, decoded):
    asset = make_asset(gradient(), BANDS)
    lon, lat = centre(asset)
    area = shapely.box(asset.box.west, asset.box.south, lon, asset.box.north)
    limits = RasterLimits(area_wkb=shapely.to_wkb(area))
    tile = tile_of(asset, 15)
    whole, fenced = (
        decoded(pixels.tile([asset], *tile, limits=given))[..., 3] > 0
        for given in (RasterLimits(), limits)
    )
    lons = tile[1] + (np.arange(256) + 0.5) / 256
    inside = lons / 2 ** tile[0] * 360 - 180 < lon
    assert not (fenced & ~inside).any()
    assert (whole & inside).sum() - fenced.sum() < 6 * 256  # all but the pixels on the edge
    assert pixels.values(asset, (lon + 0.001, lat), limits)["red"] is None
    assert pixels.values(asset, (lon - 0.001, lat), limits)["red"] is not None


def test_a_place_without_data_is_none_and_not_an_empty_picture(make_asset, pixels, tile_of):
    asset = make_asset(gradient(), BANDS)
    assert pixels.tile([asset], 10, 0, 0) is None
    assert pixels.tile([], 0, 0, 0) is None


@pytest.mark.parametrize(
    ("arguments", "parameter"),
    [
        ({"z": -1}, "z"), ({"z": 25}, "z"), ({"x": 4}, "x"), ({"y": -1}, "y"), ({"size": 300}, "size"),
        ({"image_format": "gif"}, "f"), ({"style": "sepia"}, "style"),
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_named_with_what_is_allowed(make_asset, pixels, arguments, parameter):
    asset = make_asset(gradient(16), BANDS)
    place = {"z": 2, "x": 0, "y": 0} | arguments
    with pytest.raises(BadRequest) as error:
        pixels.tile([asset], **place)
    assert error.value.parameter == parameter
    assert error.value.allowed


def test_a_broken_file_is_unavailable_and_its_path_stays_unknown(make_asset, pixels, tile_of):
    asset = make_asset(gradient(), BANDS)
    Path(asset.path).write_bytes(b"II*\0 torn")
    with pytest.raises(Unavailable) as error:
        pixels.tile([asset], *tile_of(asset, 14))
    assert asset.path not in str(error.value)


def test_more_scenes_than_a_tile_is_made_of_ask_to_zoom_in(make_asset, pixels, tile_of, monkeypatch):
    half = gradient()
    half[:, :, 100:] = 0
    asset = make_asset(half, BANDS)
    monkeypatch.setattr(module, "MAX_SCENES", 3)
    assert pixels.tile([asset] * 3, *tile_of(asset, 14)) is not None
    with pytest.raises(TooLarge):
        pixels.tile([asset] * 4, *tile_of(asset, 14))


@pytest.mark.parametrize("size", [256, 512])
@pytest.mark.parametrize("image_format", ["png", "webp", "jpg"])
def test_tiles_come_in_two_sizes_and_three_formats(
    make_asset, pixels, tile_of, decoded, size, image_format
):
    asset = make_asset(gradient(), BANDS)
    content = pixels.tile([asset], *tile_of(asset, 15), size=size, image_format=image_format)
    assert decoded(content).shape == (size, size, 4)


def test_radar_amplitudes_are_shown_in_decibels(make_asset, pixels, tile_of, decoded):
    columns = np.mgrid[0:256, 0:256][1]
    data = (10 ** (columns / 255 * 2 + 2))[None].astype(np.uint16)  # 40 to 80 dB from west to east
    asset = make_asset(data, ["HH"], properties={"platform": "ALOS-2"})
    legend = pixels.legend([asset])
    assert legend[0]["label"].endswith("dB")
    assert legend[0]["value"] == pytest.approx(40.8 - 83, abs=0.3)
    assert legend[-1]["value"] == pytest.approx(79.2 - 83, abs=0.3)
    found = decoded(pixels.tile([asset], *tile_of(asset, 16)))[128]
    steps = np.diff(found[found[:, 3] > 0][:, 0])
    assert steps.min() >= 0
    assert np.ptp(np.convolve(steps, np.ones(32), "valid")[8:-8]) <= 8  # even in decibels


def test_zooms_follow_the_resolution_that_may_be_seen(make_asset, pixels):
    asset = make_asset(gradient(), BANDS)
    assert pixels.zooms([asset]) == (10, 15)
    assert pixels.zooms([asset], RasterLimits(finest_m=30)) == (10, 13)
    assert pixels.zooms([]) == (0, 0)


def test_a_map_of_classes_comes_in_its_own_colours(make_asset, pixels, tile_of, decoded, tmp_path):
    classes = np.random.default_rng(6).choice(np.array([1, 3], np.uint8), (1, 256, 256))
    asset = make_asset(classes, ["landcover"], "classes")
    with rasterio.open(tmp_path / "classes.tif", "r+") as dataset:
        dataset.write_colormap(1, {0: (0, 0, 0, 0), 1: (0, 90, 0, 255), 3: (200, 0, 0, 255)})
        dataset.colorinterp = [ColorInterp.palette]
    write_cog(tmp_path / "classes.tif", asset.path)
    for zoom in (13, 15, 17):
        found = decoded(pixels.tile([asset], *tile_of(asset, zoom)))
        colours = {tuple(colour) for colour in found.reshape(-1, 4)}
        assert {(0, 90, 0, 255), (200, 0, 0, 255)} <= colours
        assert colours <= {(0, 90, 0, 255), (200, 0, 0, 255), (0, 0, 0, 0)}
    assert {"value": 3.0, "colour": "#c80000", "label": "3", "label_ja": "3"} in pixels.legend([asset])
