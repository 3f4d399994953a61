"""Where lines meet they go on meeting, however straight they are."""

from __future__ import annotations

from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.arrays import FeatureTable, Rows
from tiles.grid import Tile
from tiles.mvt import encode_layer
from tiles.mvt.junctions import FROM_ZOOM

WEST_EAST = shapely.LineString([(139.7000, 35.6), (139.7004, 35.6), (139.7010, 35.6)])
NORTH_SOUTH = shapely.LineString([(139.7004, 35.5996), (139.7004, 35.6), (139.7004, 35.6005)])


def tile_of(table: FeatureTable, z: int, vertex: int = 0) -> Tile:
    x, y = table.world_xy[vertex].astype(np.int64)
    return Tile(z, int((x + 2**31) >> (32 - z)), int((2**31 - 1 - y) >> (32 - z)))


def lines_in(rows: Rows, tile: Tile) -> dict[str, list[Any]]:
    """Vertices of each line by its id, in tile units."""
    layer = encode_layer("x", rows, tile, columns=["id"])
    found = mapbox_vector_tile.decode(layer, default_options={"y_coord_down": True})["x"]["features"]
    return {
        feature["properties"]["id"]: [tuple(vertex) for vertex in feature["geometry"]["coordinates"]]
        for feature in found
        if feature["geometry"]["type"] == "LineString"
    }


def test_a_vertex_in_which_two_straight_lines_cross_stays_in_both(make_table, all_rows):
    table = make_table([WEST_EAST, NORTH_SOUTH])
    found = lines_in(all_rows(table), tile_of(table, 16))
    assert len(found["f0"]) == len(found["f1"]) == 3
    assert found["f0"][1] == found["f1"][1]


def test_an_end_on_the_way_of_another_line_stays_in_it(make_table, all_rows):
    side = shapely.LineString([(139.7004, 35.6), (139.7004, 35.6005)])
    table = make_table([WEST_EAST, side])
    found = lines_in(all_rows(table), tile_of(table, 16))
    assert found["f1"][0] == found["f0"][1]


def test_a_line_that_is_not_shown_keeps_no_vertex_of_others(make_table):
    table = make_table([WEST_EAST, NORTH_SOUTH])
    alone = Rows((table,), (np.zeros(1, np.int32),))
    assert len(lines_in(alone, tile_of(table, 16))["f0"]) == 2


@pytest.mark.parametrize("z", [FROM_ZOOM - 1, FROM_ZOOM])
def test_at_low_zooms_lines_are_pictures(make_table, all_rows, z):
    far = [
        shapely.affinity.scale(line, 50, 50, origin=(139.7004, 35.6))
        for line in (WEST_EAST, NORTH_SOUTH)
    ]
    table = make_table(far)
    found = lines_in(all_rows(table), tile_of(table, z, 1))
    assert len(found["f0"]) == (3 if z >= FROM_ZOOM else 2)


@given(seed=st.integers(0, 2**32), z=st.integers(FROM_ZOOM, 17), columns=st.integers(2, 12))
@settings(max_examples=25, deadline=None)
def test_every_shared_vertex_of_a_street_grid_is_in_all_of_its_lines(
    make_table, all_rows, seed, z, columns
):
    """Streets of every lattice line with a vertex at each crossing, in every tile that holds it."""
    rng = np.random.default_rng(seed)
    west, south = 139.7, 35.6
    lon = west + np.sort(rng.choice(200, columns, replace=False)) * 2e-4
    lat = south + np.sort(rng.choice(200, 8, replace=False)) * 2e-4
    streets = [shapely.LineString([(x, y) for y in lat]) for x in lon]
    streets += [shapely.LineString([(x, y) for x in lon]) for y in lat]
    table = make_table(streets)
    corner = tile_of(table, z)
    world = {tuple(xy) for xy in table.world_xy.tolist()}
    for tile in (corner, Tile(z, corner.x + 1, corner.y), Tile(z, corner.x, corner.y - 1)):
        west_, _, _, north_ = tile.world_box().tolist()
        scale = 4096 / (2 ** (32 - z))
        inside = {
            (int(np.floor((x - west_) * scale + 0.5)), int(np.floor((north_ - y) * scale + 0.5)))
            for x, y in world
            if -64 < (x - west_) * scale < 4160 and -64 < (north_ - y) * scale < 4160
        }
        if not inside:
            continue
        found = list(lines_in(all_rows(table), tile).values())
        seen = [vertex for line in found for vertex in set(line)]
        crossing = {vertex for vertex in inside if seen.count(vertex) >= 2}
        assert crossing == inside
