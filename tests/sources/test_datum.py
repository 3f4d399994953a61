"""Datums: sound transformations, or a refusal that names what is missing."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.transform import Affine

from geoshare.errors import BadData
from geoshare.model import datum
from geoshare.model.datum import to_foundation

GEOID = "jp_gsi_gsigeo2011.tif"


def test_plane_rectangular_zone_nine_has_its_origin_where_the_law_puts_it() -> None:
    # Public Survey order: origin of zone IX is 36 degrees north, 139 degrees 50 minutes east.
    out = to_foundation("EPSG:6677", has_height=False).apply(np.zeros((1, 3)))
    assert out[0, :2] == pytest.approx((139 + 50 / 60, 36.0), abs=1e-9)


def test_the_tokyo_datum_is_moved_by_some_four_hundred_metres() -> None:
    transform = to_foundation("EPSG:4301", has_height=False)
    out = transform.apply(np.array([[139.7, 35.6, 0.0]]))
    north_m = (out[0, 1] - 35.6) * 111_000
    east_m = (out[0, 0] - 139.7) * 111_000 * math.cos(math.radians(35.6))
    assert north_m == pytest.approx(360, abs=15)
    assert east_m == pytest.approx(-293, abs=15)
    assert transform.accuracy_m == 9.0


@pytest.mark.parametrize(
    ("crs", "vertical"), [("EPSG:6697", None), ("EPSG:6668", "EPSG:6695"), ("EPSG:6677", "EPSG:6695")]
)
def test_heights_above_the_geoid_without_its_grid_are_refused_by_the_grids_name(
    crs: str, vertical: str | None
) -> None:
    with pytest.raises(BadData, match=GEOID) as caught:
        to_foundation(crs, has_height=True, vertical=vertical)
    assert caught.value.code == "grid-missing"
    assert GEOID in caught.value.message_ja


def test_a_grid_that_the_operator_supplies_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_geoid(tmp_path / GEOID, 37.5)
    before = datum.pyproj.datadir.get_data_dir()
    try:
        transform = to_foundation("EPSG:6697", has_height=True, grids_dir=tmp_path)
        out = transform.apply(np.array([[139.7, 35.6, 5.0], [139.7, 35.6, np.nan]]))
    finally:
        datum.pyproj.datadir.set_data_dir(before)
        datum._operation.cache_clear()
    assert out[0] == pytest.approx((139.7, 35.6, 42.5), abs=1e-6)
    assert np.isnan(out[1, 2])
    assert out[1, :2] == pytest.approx((139.7, 35.6), abs=1e-9)


def write_geoid(path: Path, height_m: float) -> None:
    """A flat geoid over Japan, in the form of PROJ's grids (geodetic TIFF)."""
    profile = {
        "driver": "GTiff", "width": 40, "height": 40, "count": 1, "dtype": "float32",
        "crs": "EPSG:4326",
        "transform": Affine(1.0, 0.0, 120.0, 0.0, -1.0, 50.0),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.write(np.full((40, 40), height_m, dtype=np.float32), 1)
        out.set_band_description(1, "geoid_undulation")
        out.update_tags(AREA_OR_POINT="Point", TYPE="VERTICAL_OFFSET_GEOGRAPHIC_TO_VERTICAL")
        out.set_band_unit(1, "metre")


def test_heights_without_a_stated_datum_stay_and_the_datum_stays_unknown() -> None:
    transform = to_foundation("EPSG:6668", has_height=True)
    assert transform.datum.vertical is None
    assert transform.apply(np.array([[139.7, 35.6, 12.25]]))[0, 2] == 12.25


def test_ellipsoidal_heights_are_taken_as_they_are() -> None:
    transform = to_foundation("EPSG:6677", has_height=True, vertical="ellipsoidal")
    assert transform.datum.vertical == "ellipsoidal"
    assert transform.apply(np.array([[0.0, 0.0, 12.25]]))[0, 2] == pytest.approx(12.25, abs=1e-3)


@pytest.mark.parametrize("crs", ["EPSG:99999", "nonsense", "", 'LOCAL_CS["site"]', "EPSG:5773"])
def test_what_is_no_place_on_earth_is_refused(crs: str) -> None:
    with pytest.raises(BadData) as caught:
        to_foundation(crs, has_height=False)
    assert caught.value.code in ("unknown-crs", "no-transformation")
    assert caught.value.parameter == "crs"


def test_a_vertical_datum_must_be_one() -> None:
    with pytest.raises(BadData) as caught:
        to_foundation("EPSG:6668", has_height=True, vertical="EPSG:6677")
    assert caught.value.code == "unknown-vertical"


@settings(max_examples=50, deadline=None)
@given(st.floats(138.5, 141.0), st.floats(29.5, 37.9), st.integers(0, 1))
def test_a_place_survives_the_way_to_its_zone_and_back(lon: float, lat: float, which: int) -> None:
    crs = ("EPSG:6677", "EPSG:32654")[which]
    back = datum.pyproj.Transformer.from_crs("EPSG:6668", crs, always_xy=True).transform(lon, lat)
    out = to_foundation(crs, has_height=False).apply(np.array([[*back, 0.0]]))
    assert out[0, :2] == pytest.approx((lon, lat), abs=2e-9)
