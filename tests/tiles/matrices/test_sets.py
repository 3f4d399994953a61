"""Tile matrix sets against pyproj's projections and morecantile's own arithmetic."""

from __future__ import annotations

import morecantile
import numpy as np
import pytest
from pyproj import Transformer

from tiles.grid import WORLD_MIN, WORLD_SIZE, lon_lat_to_world
from tiles.matrices import MATRIX_SETS, WEB_MERCATOR_QUAD, definition
from tiles.matrices.plane import ORIGINS_LAT_LON, from_plane, to_plane

EVERY = pytest.mark.parametrize("name", MATRIX_SETS)


@pytest.mark.parametrize("zone", ORIGINS_LAT_LON)
def test_a_plane_zone_projects_as_proj_does_within_a_micrometre(zone: int) -> None:
    matrices = MATRIX_SETS[f"JGD2011Plane{zone}"]
    west, south, east, north = matrices.domain
    rng = np.random.default_rng(zone)
    lon_lat = np.column_stack([rng.uniform(west, east, 2000), rng.uniform(south, north, 2000)])
    expected = Transformer.from_crs("EPSG:6668", matrices.crs, always_xy=True).transform(*lon_lat.T)
    ours = to_plane(lon_lat, zone)
    assert np.abs(ours - np.column_stack(expected)).max() < 1e-6
    assert np.abs(from_plane(ours, zone) - lon_lat).max() < 1e-11


def test_the_first_axis_of_a_zone_is_the_northing() -> None:
    """A point 1 km north and 2 km west of the origin of zone 9, in the official order of axes."""
    lon_lat = from_plane(np.array([[-2000.0, 1000.0]]), 9)
    official = Transformer.from_crs("EPSG:6668", "EPSG:6677")  # latitude first, northing first
    assert official.transform(lon_lat[0, 1], lon_lat[0, 0]) == pytest.approx((1000.0, -2000.0))
    first = definition(MATRIX_SETS["JGD2011Plane9"])["tileMatrices"][0]
    northing, easting = first["pointOfOrigin"]
    assert northing > 0 > easting


@EVERY
def test_tiles_lie_where_the_definition_says(name: str) -> None:
    matrices = MATRIX_SETS[name]
    said = definition(matrices)
    assert said["id"] == name
    for z, matrix in enumerate(said["tileMatrices"]):
        assert matrix["id"] == str(z)
        assert matrix["matrixWidth"] == matrices.columns(z)
        assert matrix["matrixHeight"] == matrices.rows(z)
        origin = matrix["pointOfOrigin"]
        x, y = reversed(origin) if matrices.bends else origin
        row, column = matrices.rows(z) // 3, matrices.columns(z) // 5
        side = matrix["cellSize"] * matrix["tileWidth"]
        expected = (
            x + column * side,
            y - (row + 1) * side,
            x + (column + 1) * side,
            y - row * side,
        )
        assert matrices.box(z, column, row) == pytest.approx(expected, abs=side * 1e-6)


@EVERY
def test_matrices_of_the_same_scale_have_the_same_detail(name: str) -> None:
    matrices = MATRIX_SETS[name]
    mercator = morecantile.tms.get("WebMercatorQuad").tileMatrices
    for z, matrix in enumerate(definition(matrices)["tileMatrices"]):
        other = mercator[z + matrices.mercator_zoom]
        assert matrix["scaleDenominator"] == pytest.approx(other.scaleDenominator, rel=1e-6)


@EVERY
def test_what_lies_in_a_tile_is_searched_for(name: str) -> None:
    matrices = MATRIX_SETS[name]
    rng = np.random.default_rng(0)
    for z in (0, 1, 5, 9, 14):
        column, row = int(rng.integers(matrices.columns(z))), int(rng.integers(matrices.rows(z)))
        west, south, east, north = matrices.box(z, column, row, 1 / 64)
        inside = np.column_stack([rng.uniform(west, east, 500), rng.uniform(south, north, 500)])
        lon_lat = matrices.from_crs(inside)
        lon_lat = lon_lat[(np.abs(lon_lat[:, 0]) <= 180) & (np.abs(lon_lat[:, 1]) <= 90)]
        world = lon_lat_to_world(lon_lat).astype(np.int64)
        boxes = matrices.search_boxes(z, column, row, 1 / 64)
        found = np.zeros(len(world), bool)
        for box in boxes:
            found |= (world >= box[:2]).all(axis=1) & (world <= box[2:]).all(axis=1)
        assert found.all(), (z, column, row)


@EVERY
def test_world_units_are_where_the_kernels_take_them_to_be(name: str) -> None:
    matrices = MATRIX_SETS[name]
    rng = np.random.default_rng(1)
    west, south, east, north = matrices.box(3, 4, 3)
    xy = np.column_stack([rng.uniform(west, east, 200), rng.uniform(south, north, 200)])
    world = matrices.world_xy(matrices.from_crs(xy)).astype(np.float64)
    back = (world - WORLD_MIN) / WORLD_SIZE * matrices.side + (
        matrices.west,
        matrices.north - matrices.side,
    )
    assert np.abs(back - xy).max() <= matrices.side / WORLD_SIZE * 1.01
    low, high = matrices.tile(3, 4, 3).world_box()[:2], matrices.tile(3, 4, 3).world_box()[2:]
    assert ((world >= low - 1) & (world <= high)).all()


def test_web_mercator_units_are_those_of_packs() -> None:
    rng = np.random.default_rng(2)
    lon_lat = np.column_stack([rng.uniform(-180, 180, 1000), rng.uniform(-85, 85, 1000)])
    apart = WEB_MERCATOR_QUAD.world_xy(lon_lat).astype(np.int64) - lon_lat_to_world(lon_lat)
    assert np.abs(apart).max() <= 1
