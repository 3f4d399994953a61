"""Rasters in extracts: the permitted pixels, and no others."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from geoshare.access.build import build_views
from geoshare.extracts import ExtractRequest, write_extract
from geoshare.model.batch import Band
from geoshare.model.box import Box
from geoshare.model.rasters import RasterAsset
from tests.access.town import Town, policy
from tiles.raster import write_cog

SIZE = 400
STEP = 0.00005  # degrees, about 5 m
WEST, NORTH = 139.7, 35.62


@pytest.fixture
def scene(tmp_path: Path) -> tuple[RasterAsset, np.ndarray]:
    values = np.random.default_rng(5).integers(1, 60_000, (2, SIZE, SIZE), np.uint16)
    values[:, 10:20, 10:20] = 0
    plain, cog = tmp_path / "plain.tif", tmp_path / "scene.tif"
    profile = {
        "driver": "GTiff",
        "width": SIZE,
        "height": SIZE,
        "count": 2,
        "dtype": "uint16",
        "nodata": 0,
    }
    with rasterio.open(
        plain, "w", crs="EPSG:6668", transform=Affine(STEP, 0, WEST, 0, -STEP, NORTH), **profile
    ) as out:
        out.write(values)
    write_cog(plain, cog)
    asset = RasterAsset(
        id="scene1",
        collection="satellite",
        path=str(cog),
        kind="scene",
        datetime_us=1_767_225_600_000_000,
        box=Box(WEST, NORTH - SIZE * STEP, WEST + SIZE * STEP, NORTH),
        crs="EPSG:6668",
        width=SIZE,
        height=SIZE,
        resolution_m=5.0,
        bands=(Band("red", dtype="uint16"), Band("nir", dtype="uint16")),
        properties={"name": "scene"},
    )
    return asset, values


def make(tmp_path: Path, asset: RasterAsset, grant: dict, **request: object) -> Path:
    town = Town(tmp_path / "town")
    town.packs.publish_rasters("satellite", [asset])
    held = policy({"collections": ["satellite"], "columns": ["name"], **grant})
    build_views([held], town.packs, town.views_dir)
    path, folder = tmp_path / "extract.zip", tmp_path / "opened"
    asked = ExtractRequest.model_validate_json(json.dumps({"collections": ["satellite"], **request}))
    write_extract(asked, held, town.views, path, now_us=0, work_dir=tmp_path)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def test_pixels_are_copied_where_a_policy_leaves_them_as_they_are(tmp_path, scene):
    asset, values = scene
    folder = make(tmp_path, asset, {"bands": "all"})
    with rasterio.open(folder / "satellite-scene1.tif") as found:
        assert found.descriptions == ("red", "nir")
        assert found.shape == (SIZE, SIZE)
        assert found.crs.to_epsg() == 6668
        mask = found.dataset_mask() > 0
        assert (mask == (values[0] > 0)).all()
        assert (found.read()[:, mask] == values[:, mask]).all()
    said = json.loads((folder / "manifest.json").read_bytes())["collections"][0]
    assert (said["features"], said["rasters"][0]["bands"]) == (1, ["red", "nir"])


def test_a_box_cuts_on_the_edges_of_pixels(tmp_path, scene):
    asset, values = scene
    box = [WEST + 100 * STEP, NORTH - 150 * STEP, WEST + 180 * STEP, NORTH - 50 * STEP]
    folder = make(tmp_path, asset, {"bands": "all"}, bbox=box)
    with rasterio.open(folder / "satellite-scene1.tif") as found:
        assert (found.read(1) == values[0, 50:150, 100:180]).all()


def test_hidden_bands_and_fine_pixels_do_not_leave(tmp_path, scene):
    asset, values = scene
    folder = make(tmp_path, asset, {"bands": ["nir"], "finest_resolution_m": 20})
    with rasterio.open(folder / "satellite-scene1.tif") as found:
        assert found.descriptions == ("nir",)
        assert found.width <= SIZE / 3.9
        # noise that is averaged over sixteen pixels and more loses most of its spread
        inner = found.read(1)[10:-10, 10:-10].astype(float)
        assert inner.std() < values[1].astype(float).std() / 3
        assert abs(inner.mean() / values[1].mean() - 1) < 0.05
    said = json.loads((folder / "manifest.json").read_bytes())["collections"][0]["rasters"][0]
    assert (said["bands"], said["resolution_m"]) == (["nir"], 20)


def test_an_area_without_pixels_says_so(tmp_path, scene):
    folder = make(tmp_path, scene[0], {"bands": "all"}, bbox=[0, 0, 1, 1])
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["not_included"][0]["id"] == "satellite"
    assert manifest["not_included"][0]["reason_ja"]
    assert manifest["collections"] == []
