"""Scenes and grid steps on disk, described as the manifest describes them."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image
from rasterio.warp import transform_bounds

from geoshare.imagery import Pixels
from geoshare.model.batch import Band
from geoshare.model.box import Box
from geoshare.model.rasters import RasterAsset
from tiles.raster import statistics, write_cog

UTM = ("EPSG:32654", Affine(4, 0, 380_000, 0, -4, 3_950_000))


def asset_of(cog: str, names: Sequence[str], **known: Any) -> RasterAsset:
    """Describe a COG as ingest does."""
    bands = []
    with rasterio.open(cog) as dataset:
        for number, (name, found) in enumerate(zip(names, statistics(cog), strict=True)):
            band = Band(
                name,
                unit=known.get("unit", ""),
                dtype=dataset.dtypes[number],
                nodata=dataset.nodata,
                scale=dataset.scales[number],
                offset=dataset.offsets[number],
                percentile_2=found.percentile_2,
                percentile_98=found.percentile_98,
            )
            bands.append(band)
        return RasterAsset(
            id=known.get("id", Path(cog).stem),
            collection=known.get("collection", "satellite"),
            path=cog,
            kind=known.get("kind", "scene"),
            datetime_us=known.get("datetime_us", 0),
            box=Box(*transform_bounds(dataset.crs, "OGC:CRS84", *dataset.bounds)),
            crs=dataset.crs.to_string(),
            width=dataset.width,
            height=dataset.height,
            resolution_m=known.get("resolution_m", 4.0),
            bands=tuple(bands),
            properties=known.get("properties", {}),
        )


@pytest.fixture
def make_asset(tmp_path: Path) -> Callable[..., RasterAsset]:
    def make(data: np.ndarray, names: Sequence[str], name: str = "a", **known: Any) -> RasterAsset:
        crs, transform = known.pop("placed", UTM)
        profile = dict(zip(("count", "height", "width"), data.shape, strict=True))
        source = tmp_path / f"{name}.tif"
        with rasterio.open(
            source, "w", driver="GTiff", dtype=data.dtype.name, crs=crs, transform=transform,
            nodata=known.pop("nodata", 0), **profile,
        ) as dataset:  # fmt: skip
            dataset.write(data)
            dataset.scales = (known.pop("scale", 1.0),) * data.shape[0]
        write_cog(source, tmp_path / f"{name}.cog.tif")
        return asset_of(str(tmp_path / f"{name}.cog.tif"), names, id=name, **known)

    return make


@pytest.fixture
def asset_from_cog() -> Callable[..., RasterAsset]:
    return asset_of


@pytest.fixture
def pixels() -> Pixels:
    return Pixels()


@pytest.fixture
def tile_of() -> Callable[[RasterAsset, int], tuple[int, int, int]]:
    """The tile over the middle of an asset."""

    def tile(asset: RasterAsset, z: int) -> tuple[int, int, int]:
        lon = (asset.box.west + asset.box.east) / 2
        lat = (asset.box.south + asset.box.north) / 2
        x = (lon + 180) / 360 * 2**z
        y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z
        return z, int(x), int(y)

    return tile


@pytest.fixture
def decoded() -> Callable[[bytes], np.ndarray]:
    def decode(content: bytes) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA")).astype(int)

    return decode
