"""What the token of a raster view depends on: pixels that are shown, and no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from geoshare.access.pictures import said_of, stripped
from geoshare.model.batch import Band
from geoshare.model.box import Box
from geoshare.model.rasters import RasterAsset, RasterLimits

WEST_HALF = shapely.to_wkb(shapely.box(139.0, 35.0, 139.032, 35.064))
LIMITS = {
    "bands": RasterLimits(("red",)),
    "coarse": RasterLimits(("red",), finest_m=200),
    "fenced": RasterLimits(("red",), area_wkb=WEST_HALF),
}


def asset(folder: Path, pixels: np.ndarray) -> RasterAsset:
    """A scene of 64 x 64 pixels of a thousandth of a degree; its statistics tell of all pixels."""
    path = folder / f"{len(list(folder.iterdir()))}.tif"
    place = Affine(0.001, 0, 139.0, 0, -0.001, 35.064)
    with rasterio.open(path, "w", "GTiff", 64, 64, 2, "EPSG:4326", place, "uint16") as out:
        out.write(pixels)
    bands = tuple(
        Band(name, dtype="uint16", minimum=float(band.min()), percentile_2=float(band.mean()))
        for name, band in zip(("red", "nir"), pixels, strict=True)
    )
    box = Box(139.0, 35.0, 139.064, 35.064)
    return RasterAsset("r", "satellite", str(path), "scene", 0, box, "EPSG:4326", 64, 64, 100.0, bands)


def told(found: RasterAsset, limits: RasterLimits) -> dict:
    return said_of(stripped(found, limits), limits)


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(1).integers(1, 3000, (2, 64, 64), dtype=np.uint16)


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
def test_a_hidden_band_is_in_nothing_that_is_told(limits, pixels, tmp_path):
    other = pixels.copy()
    other[1] += 7
    assert told(asset(tmp_path, pixels), limits) == told(asset(tmp_path, other), limits)


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
def test_one_visible_pixel_changes_what_is_told(limits, pixels, tmp_path):
    other = pixels.copy()
    other[0, 20, 10] += 50
    assert told(asset(tmp_path, pixels), limits) != told(asset(tmp_path, other), limits)


def test_pixels_beyond_the_fence_are_in_nothing_that_is_told(pixels, tmp_path):
    other = pixels.copy()
    other[:, :, 33:] += 900
    limits = LIMITS["fenced"]
    assert told(asset(tmp_path, pixels), limits) == told(asset(tmp_path, other), limits)
    everything = RasterLimits(("red",))
    assert told(asset(tmp_path, pixels), everything) != told(asset(tmp_path, other), everything)


def test_detail_below_the_finest_resolution_is_in_nothing_that_is_told(pixels, tmp_path):
    other = pixels.copy()
    other[0, ::2, ::2], other[0, 1::2, 1::2] = pixels[0, 1::2, 1::2], pixels[0, ::2, ::2]
    limits = LIMITS["coarse"]
    assert told(asset(tmp_path, pixels), limits) == told(asset(tmp_path, other), limits)


def test_a_file_that_cannot_be_read_tells_nothing(pixels, tmp_path):
    found = asset(tmp_path, pixels)
    Path(found.path).unlink()
    assert told(found, LIMITS["bands"])["pixels"] == ""
