"""What a view says of its tiles, against the tiles themselves."""

from __future__ import annotations

from pathlib import Path

import mapbox_vector_tile
import numpy as np
import pytest
import shapely

from geoshare.query.detail import describe, lowest_zoom
from geoshare.query.tiles import vector_tile
from tests.access.town import Town, policy
from tiles.grid import Tile, lon_lat_to_world

WHERE = (139.7, 35.6)
CLASSES = ["motorway", "primary", "residential", "steps", "monorail", None]


def tile_at(z: int) -> Tile:
    """The tile of a zoom that holds ``WHERE``."""
    x, y = lon_lat_to_world(np.array([WHERE]))[0].astype(np.int64)
    shift = 32 - z
    return Tile(z, int((x + 2**31) >> shift), int((2**31 - 1 - y) >> shift))


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


def roads(town: Town, columns: list[str]):
    line = shapely.LineString([WHERE, (WHERE[0] + 3, WHERE[1] + 2)])
    town.packs.publish(
        "segments", [(f"s{at}", line, {"class": name}) for at, name in enumerate(CLASSES)]
    )
    return town.view(policy({"collections": ["segments"], "columns": columns}), "segments")


def test_values_appear_from_the_zooms_that_are_said(town):
    view = roads(town, ["class"])
    said = {item["by"]: item for item in describe(view)}
    zooms = {item["value"]: item["minzoom"] for item in said["value"]["values"]}
    assert said["value"]["property"] == "class"
    assert said["size"]["extent"] == 4096
    for z in range(lowest_zoom(view) - 1, 16):
        body = vector_tile([view], *tile_at(z))
        found = mapbox_vector_tile.decode(body).get("segments", {"features": []})["features"]
        assert {item["properties"].get("class") for item in found} == {
            name for name in CLASSES if zooms.get(name, said["value"]["minzoom"]) <= z
        }


def test_a_view_without_the_column_says_nothing_of_it_and_shows_by_size(town):
    view = roads(town, ["name"])
    assert [item["by"] for item in describe(view)] == ["size"]
    assert lowest_zoom(view) == 0
    layer = mapbox_vector_tile.decode(vector_tile([view], *tile_at(4)))["segments"]
    assert len(layer["features"]) == len(CLASSES)


@pytest.mark.parametrize(("name", "said"), [("connectors", ["share"]), ("buildings", ["size"])])
def test_each_kind_of_geometry_is_told_what_can_happen_to_it(town, name, said):
    town.packs.publish(name, [("a", shapely.Point(*WHERE), {})])
    view = town.view(policy({"collections": [name], "columns": ["*"]}), name)
    assert [item["by"] for item in describe(view)] == said
