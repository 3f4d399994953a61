from __future__ import annotations

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.grid import (
    MAX_LATITUDE,
    WORLD_MAX,
    WORLD_MIN,
    Tile,
    lon_lat_box_to_world,
    lon_lat_to_world,
    world_to_lon_lat,
)

HALF_M = 20037508.342789244
lon = st.floats(-180, 180)
lat = st.floats(-MAX_LATITUDE, MAX_LATITUDE)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(lon, lat), min_size=1, max_size=20))
def test_world_coordinates_are_web_mercator_scaled_to_32_bits(positions):
    lon_lat = np.array(positions)
    x_m, y_m = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(
        *lon_lat.T
    )
    expected = np.column_stack([x_m, y_m]) / HALF_M * 2**31
    assert np.abs(lon_lat_to_world(lon_lat) - expected).max() <= 1.01


@settings(max_examples=50, deadline=None)
@given(lon, lat)
def test_world_coordinates_come_back_within_one_unit(longitude, latitude):
    world = lon_lat_to_world(np.array([[longitude, latitude]])).astype(np.int64)
    west, south = world_to_lon_lat(world)[0]
    east, north = world_to_lon_lat(world + 1)[0]
    assert west - 1e-9 <= longitude <= east + 1e-9
    assert south - 1e-9 <= latitude <= north + 1e-9


def test_positions_beyond_the_square_are_moved_to_its_edge():
    world = lon_lat_to_world(np.array([[-190.0, -90.0], [1e300, 90.0], [np.inf, -np.inf]]))
    assert world.tolist() == [[WORLD_MIN, WORLD_MIN], [WORLD_MAX, WORLD_MAX], [WORLD_MAX, WORLD_MIN]]


def test_a_position_that_is_no_number_does_not_break_the_kernel():
    assert lon_lat_to_world(np.array([[np.nan, np.nan]])).tolist() == [[0, 0]]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 30), lon, lat)
def test_a_world_box_of_a_tile_holds_what_morecantile_puts_there(z, longitude, latitude):
    import morecantile

    tms = morecantile.tms.get("WebMercatorQuad")
    west, south, east, north = Tile(*_zxy(tms.tile(longitude, latitude, min(z, 24)))).world_box()
    x, y = lon_lat_to_world(np.array([[longitude, latitude]]))[0]
    assert west - 1 <= x <= east + 1
    assert south - 1 <= y <= north + 1


def _zxy(tile):
    return tile.z, tile.x, tile.y


def test_the_only_tile_of_zoom_0_is_the_world():
    assert Tile(0, 0, 0).world_box().tolist() == [WORLD_MIN, WORLD_MIN, WORLD_MAX + 1, WORLD_MAX + 1]
    assert Tile(0, 0, 0).lon_lat_box() == pytest.approx((-180, -MAX_LATITUDE, 180, MAX_LATITUDE))


@pytest.mark.parametrize("tile", [Tile(-1, 0, 0), Tile(0, 1, 0), Tile(3, 0, 8), Tile(31, 0, 0)])
def test_tiles_outside_the_grid_do_not_exist(tile):
    assert not tile.exists


def test_a_box_across_the_antimeridian_is_two():
    boxes = lon_lat_box_to_world(170, -10, -170, 10)
    assert boxes.shape == (2, 4)
    assert boxes[0, 2] == WORLD_MAX
    assert boxes[1, 0] == WORLD_MIN
