"""What a page shows of an area, its tiles show too, wherever their edges lie."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from geoshare.access.view import View
from geoshare.model.box import Box
from geoshare.query.items import ItemsQuery, items
from geoshare.query.tiles import vector_tile
from tests.access.town import Town, policy
from tiles.grid import Tile, lon_lat_box_to_world

SIGNER = URLSafeSerializer(b"secret", salt="cursor")
Z = 16  # nothing is left out at it that is longer than a metre
CORNER = Tile(Z, 58200, 25810)
WEST, SOUTH, EAST, NORTH = CORNER.lon_lat_box()
# quarters of a tile, so that vertices lie on edges and corners of tiles, and a little beside them
QUARTER_LON, QUARTER_LAT = (EAST - WEST) / 4, (NORTH - SOUTH) / 4
ORDINATE = st.tuples(st.integers(0, 12), st.sampled_from([0.0, 1e-3, -1e-3, 0.3]))
PLACE = st.tuples(ORDINATE, ORDINATE).map(
    lambda at: (WEST + sum(at[0]) * QUARTER_LON, SOUTH + sum(at[1]) * QUARTER_LAT)
)
SHAPES = {
    "evacuation_sites": PLACE.map(shapely.Point),
    "segments": st.lists(PLACE, min_size=2, max_size=5, unique=True).map(shapely.LineString),
    "buildings": st.tuples(PLACE, st.floats(0.02, 6), st.floats(0.02, 6)).map(
        lambda at: shapely.box(*at[0], at[0][0] + at[1] * QUARTER_LON, at[0][1] + at[2] * QUARTER_LAT)
    ),
}


def in_area(view: View, box: Box) -> set[str]:
    page = items(view, ItemsQuery(bbox=box, limit=1000), SIGNER)
    return {feature["id"] for feature in json.loads(b"[" + page.geojson() + b"]")}


def in_tiles(view: View, box: Box) -> set[str]:
    """Features in the tiles that an area touches, with what those tiles alone hold."""
    ((west, south, east, north),) = lon_lat_box_to_world(*box).tolist()
    size = 2 ** (32 - Z)
    columns = range((west + 2**31) // size, (east + 2**31) // size + 1)
    rows = range((2**31 - 1 - north) // size, (2**31 - 1 - south) // size + 1)
    found: set[str] = set()
    for x, y in product(columns, rows):
        layers: Any = mapbox_vector_tile.decode(vector_tile([view], Z, x, y))
        for layer in layers.values():
            found |= {feature["properties"]["id"] for feature in layer["features"]}
    return found


@pytest.mark.parametrize("name", sorted(SHAPES))
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_every_feature_of_an_area_is_in_one_of_its_tiles(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    shapes = data.draw(st.lists(SHAPES[name], min_size=1, max_size=12))
    one, other = data.draw(PLACE), data.draw(PLACE)
    lon, lat = zip(one, other, strict=True)
    box = Box(min(lon), min(lat), max(lon), max(lat))
    town = Town(tmp_path_factory.mktemp("town"))
    rows = [(f"f{at}", shape, {}) for at, shape in enumerate(shapes)]
    half = len(rows) // 2
    town.packs.publish(name, rows[:half], rows[half:])
    view = town.view(policy({"collections": [name], "columns": ["*"]}), name)
    assert in_area(view, box) <= in_tiles(view, box)


ANYWHERE = st.tuples(st.floats(-540, 540), st.floats(-90, 90))


@example(ring=[(179.9, 10), (-179.9, 10), (-179.9, 11), (179.9, 11)])
@example(ring=[(-180, -90), (180, -90), (180, 90), (-180, 90)])
@given(ring=st.lists(ANYWHERE, min_size=3, max_size=8))
@settings(max_examples=15, deadline=None)
def test_whatever_lies_around_the_world_leaves_tiles_that_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, ring: list[tuple[float, float]]
) -> None:
    town = Town(Path(tmp_path_factory.mktemp("town")))
    shapes = [shapely.Polygon(ring), shapely.LineString(ring), shapely.MultiPoint(ring)]
    town.packs.publish("places", [(f"f{at}", shape, {}) for at, shape in enumerate(shapes)])
    view = town.view(policy({"collections": ["places"], "columns": ["name"]}), "places")
    for tile in ((0, 0, 0), (1, 1, 0), (3, 0, 3), (3, 7, 3), (12, 4095, 2047), (20, 0, 0)):
        layers: Any = mapbox_vector_tile.decode(vector_tile([view], *tile))
        assert set(layers) <= {"places"}
