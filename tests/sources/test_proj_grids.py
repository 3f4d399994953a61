"""Geoids in the forms that PROJ reads (GTX, GeoTIFF), made by their definitions."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyproj
import pyproj.datadir
import pytest
import rasterio
from rasterio.transform import Affine

from geoshare.errors import BadData
from geoshare.model import datum
from geoshare.model.crs import forget
from geoshare.model.datum import to_foundation

SOUTH, WEST, STEP, SIDE = 35.0, 139.0, 0.25, 9
UNDULATIONS = (
    np.random.default_rng(1).normal(37.0, 2.0, (SIDE, SIDE)).astype(np.float32)
)  # from the south


def gtx(path: Path) -> None:
    """NOAA's form: big-endian head of the lower left node, steps and counts, rows from the south."""
    head = struct.pack(">4d2i", SOUTH, WEST, STEP, STEP, SIDE, SIDE)
    path.write_bytes(head + UNDULATIONS.astype(">f4").tobytes())


def tif(path: Path) -> None:
    """PROJ's geodetic TIFF grid: values at the middles of pixels, rows from the north."""
    corner = Affine(STEP, 0, WEST - STEP / 2, 0, -STEP, SOUTH + (SIDE - 0.5) * STEP)
    shape = {"width": SIDE, "height": SIDE, "count": 1, "dtype": "float32", "crs": "EPSG:4979"}
    with rasterio.open(path, "w", driver="GTiff", transform=corner, **shape) as file:
        file.write(UNDULATIONS[::-1], 1)
        file.update_tags(TYPE="VERTICAL_OFFSET_GEOGRAPHIC_TO_VERTICAL", AREA_OR_POINT="Point")
        file.set_band_description(1, "geoid_undulation")
        file.set_band_unit(1, "metre")


@pytest.fixture
def proj() -> Iterator[None]:
    """What PROJ knows of before stays what it knows of after."""
    before = pyproj.datadir.get_data_dir()
    yield
    pyproj.datadir.set_data_dir(before)
    datum._operation.cache_clear()
    forget()


def by_hand(lon: float, lat: float) -> float:
    """Between four nodes, bilinear."""
    (row, column), (up, right) = np.divmod(((lat - SOUTH) / STEP, (lon - WEST) / STEP), 1)
    four = UNDULATIONS[int(row) : int(row) + 2, int(column) : int(column) + 2].astype(float)
    return float(np.array([1 - up, up]) @ four @ np.array([1 - right, right]))


@pytest.mark.parametrize(
    ("crs", "name", "write"),
    [
        ("EPSG:6697", "jp_gsi_gsigeo2011.tif", tif),
        ("EPSG:9707", "us_nga_egm96_15.tif", tif),
        ("EPSG:9707", "egm96_15.gtx", gtx),
    ],
)
def test_heights_are_raised_by_the_grid_and_refused_without_it(
    crs: str, name: str, write: Callable[[Path], None], proj: None, tmp_path: Path
) -> None:
    with pytest.raises(BadData, match="needs the grid") as refused:
        to_foundation(crs, has_height=True, grids_dir=tmp_path / "none")
    assert refused.value.code == "grid-missing"
    write(tmp_path / name)
    transform = to_foundation(crs, has_height=True, grids_dir=tmp_path)
    places = np.array(
        [[139.6, 35.7, 10.0], [139.0, 35.0, 0.0], [140.93, 36.99, -3.5], [139.25, 36.1, 55.0]]
    )
    found = transform.apply(places)
    expected = [by_hand(lon, lat) + height for lon, lat, height in places]
    np.testing.assert_allclose(found[:, 2], expected, atol=1e-4)
    np.testing.assert_allclose(found[:, :2], places[:, :2], atol=1e-9)
    shift = pyproj.Transformer.from_pipeline(
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad"
        f" +step +proj=vgridshift +grids={tmp_path / name} +multiplier=1"
        " +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    np.testing.assert_allclose(found[:, 2], shift.transform(*places.T)[2], atol=1e-9)
    assert not np.isfinite(transform.apply(np.array([[150.0, 30.0, 1.0]]))).any()  # outside of the grid
