from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from geoshare.access.build import build_views
from geoshare.access.view import RasterView
from geoshare.model.batch import Band
from geoshare.model.box import Box
from geoshare.model.policy import Policy
from geoshare.model.rasters import RasterAsset
from tests.access.town import Town, policy

COLUMNS = ["name", "datetime", "bands"]


def asset(number: int, cloud: float = 0.0) -> RasterAsset:
    return RasterAsset(
        id=f"r{number}",
        collection="satellite",
        path=f"/objects/{number}.tif",
        kind="scene",
        datetime_us=number * 1_000_000,
        box=Box(139 + number, 35, 140 + number, 36),
        crs="EPSG:4326",
        width=10,
        height=10,
        resolution_m=3.0,
        bands=(Band("red"), Band("nir")),
        properties={"name": f"scene {number}", "cloud_cover": cloud, "platform": "secret"},
    )


def view_of(folder: Path, held: Policy, *assets: RasterAsset) -> RasterView:
    town = Town(folder)
    town.packs.publish_rasters("satellite", assets)
    build_views([held], town.packs, town.views_dir)
    view = town.views.get(held, "satellite")
    assert isinstance(view, RasterView)
    return view


def test_a_raster_view_shows_allowed_assets_bands_and_resolution(tmp_path):
    clear = {"op": "<", "args": [{"property": "cloud_cover"}, 50]}
    held = policy(
        {
            "collections": ["satellite"],
            "columns": COLUMNS,
            "rows": clear,
            "bands": ["red"],
            "finest_resolution_m": 10,
        }
    )
    view = view_of(tmp_path, held, asset(0), asset(1, cloud=90), asset(2))
    assert [item.id for item in view.assets] == ["r0", "r2"]
    assert (view.limits.bands, view.limits.finest_m, view.limits.area_wkb) == (("red",), 10.0, None)
    assert view.assets[0].properties == {"name": "scene 0"}
    assert (view.count, view.extent, view.time_extent) == (2, Box(139, 35, 142, 36), (0, 2_000_000))


def test_no_bands_are_none_and_a_granted_collection_without_assets_is_empty(tmp_path):
    blind = policy({"collections": ["satellite"], "columns": COLUMNS})
    assert view_of(tmp_path / "a", blind, asset(0)).assets == ()
    view = view_of(tmp_path / "b", policy({"collections": ["satellite"], "bands": "all"}))
    assert (view.assets, view.extent, view.count) == ((), None, 0)


def test_two_grants_are_never_mixed_into_a_third(tmp_path):
    held = policy(
        {"collections": ["satellite"], "columns": COLUMNS, "bands": ["red"], "finest_resolution_m": 3},
        {"collections": ["satellite"], "columns": COLUMNS, "bands": "all", "finest_resolution_m": 30},
    )
    limits = view_of(tmp_path, held, asset(0)).limits
    assert limits.finest_m >= 30 or limits.bands == ("red",)


@pytest.mark.parametrize("cloud", [60.0, 99.0])
def test_a_hidden_asset_changes_nothing(tmp_path, cloud):
    clear = {"op": "<", "args": [{"property": "cloud_cover"}, 50]}
    held = policy({"collections": ["satellite"], "columns": COLUMNS, "rows": clear, "bands": "all"})
    plain = view_of(tmp_path / "a", held, asset(1))
    other = view_of(tmp_path / "b", held, asset(0, cloud), asset(1), asset(7, cloud))
    assert (plain.token, plain.assets, plain.extent) == (other.token, other.assets, other.extent)


def test_an_area_fences_pixels(tmp_path):
    fence = {
        "type": "Polygon",
        "coordinates": [[[139, 35], [139.5, 35], [139.5, 36], [139, 36], [139, 35]]],
    }
    held = policy({"collections": ["satellite"], "columns": COLUMNS, "bands": "all", "area": fence})
    view = view_of(tmp_path, held, asset(0), asset(5))
    assert [item.id for item in view.assets] == ["r0"]
    assert view.limits.area_wkb is not None


def test_limits_for_a_whole_view_are_the_strictest_of_every_kind(tmp_path):
    fence = {
        "type": "Polygon",
        "coordinates": [[[139, 35], [139.5, 35], [139.5, 36], [139, 36], [139, 35]]],
    }
    clear = {"op": "<", "args": [{"property": "cloud_cover"}, 50]}
    held = policy(
        {
            "collections": ["satellite"],
            "columns": COLUMNS,
            "bands": "all",
            "rows": clear,
            "finest_resolution_m": 30,
        },
        {"collections": ["satellite"], "columns": COLUMNS, "bands": ["red"], "area": fence},
    )
    view = view_of(tmp_path, held, asset(0, 90), asset(2))
    assert {item.id for item in view.assets} == {"r0", "r2"}
    assert view.limits.bands == ("red",)
    assert view.limits.finest_m == 30
    assert view.limits.area_wkb is not None
    assert view.limits_of(view.assets[1]).area_wkb is None


def test_scenes_of_a_release_class_are_shown_by_grants_that_name_it_alone(tmp_path):
    grant = {"collections": ["satellite"], "columns": COLUMNS, "bands": ["red"]}
    partners = {**grant, "bands": ["nir"], "release_classes": ["partners"]}
    scenes = asset(0), replace(asset(1), release_class="partners"), replace(asset(2), release_class="x")
    view = view_of(tmp_path / "open", policy(grant), *scenes)
    alone = view_of(tmp_path / "alone", policy(grant), asset(0))
    assert (view.token, view.count, view.extent) == (alone.token, alone.count, alone.extent)
    both = view_of(tmp_path / "both", policy(grant, partners), *scenes)
    assert [item.id for item in both.assets] == ["r0", "r1"]
    assert {item.release_class for item in both.assets} == {"open"}  # of which class they are is hidden
    assert [both.limits_of(item).bands for item in both.assets] == [("red",), ("nir",)]
    every = view_of(tmp_path / "all", policy({**grant, "release_classes": "all"}), *scenes)
    assert every.count == 3
