"""Small rasters on disk, made for a test."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from tiles.raster import Pool

UTM = ("EPSG:32654", Affine(4, 0, 380_000, 0, -4, 3_950_000))
DEGREES = ("EPSG:4326", Affine(5e-5, 0, 139.70, 0, -4e-5, 35.70))
TURNED = ("EPSG:6677", Affine(3, 1, -20_000, 1, -3, -30_000))  # rows do not run east-west


@pytest.fixture
def make_raster(tmp_path: Path) -> Callable[..., str]:
    def make(
        data: np.ndarray,
        placed: tuple[str, Affine] = UTM,
        nodata: float | None = None,
        mask: np.ndarray | None = None,
        name: str = "raster.tif",
        **profile: Any,
    ) -> str:
        path = tmp_path / name
        crs, transform = placed
        shape = {"count": data.shape[0], "height": data.shape[1], "width": data.shape[2]}
        options = {"driver": "GTiff", "dtype": data.dtype.name, "nodata": nodata} | shape | profile
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
            rasterio.open(path, "w", crs=crs, transform=transform, **options) as dataset,
        ):
            dataset.write(data)
            if mask is not None:
                dataset.write_mask(mask)
        return str(path)

    return make


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(max_handles=8, max_bytes=32_000_000)
    yield pool
    pool.close()


@pytest.fixture
def tile_at() -> Callable[[float, float, int], tuple[int, int, int]]:
    def tile(lon: float, lat: float, z: int) -> tuple[int, int, int]:
        x = (lon + 180) / 360 * 2**z
        y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z
        return z, int(x), int(y)

    return tile
