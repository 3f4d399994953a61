"""After warming, no reading of any schema compiles anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely
from numba.core.dispatcher import Dispatcher

import tiles.geojson.features
import tiles.geometry.areas
import tiles.geometry.meeting
import tiles.geometry.near
import tiles.index.rtree
import tiles.mvt.layer
import tiles.mvt.shapes
import tiles.mvt.values
import tiles.passing
from tiles.arrays import Kind
from tiles.geojson import write_features
from tiles.geometry.areas import prepare_area
from tiles.geometry.convert import from_shapely
from tiles.geometry.meeting import meeting_area
from tiles.geometry.near import meeting_box
from tiles.grid import Tile
from tiles.mvt import encode_layer
from tiles.pack import Pack, Selection, open_part, search, write_part
from tiles.passing import Condition, passing
from tiles.warm import warm

MODULES = (
    tiles.geojson.features,
    tiles.geometry.areas,
    tiles.geometry.meeting,
    tiles.geometry.near,
    tiles.index.rtree,
    tiles.mvt.layer,
    tiles.mvt.shapes,
    tiles.mvt.values,
    tiles.passing,
)


def _compiled() -> dict[str, int]:
    return {
        f"{module.__name__}.{name}": len(item.signatures)
        for module in MODULES
        for name, item in vars(module).items()
        if isinstance(item, Dispatcher)
    }


def test_another_schema_compiles_nothing_after_warming(tmp_path: Path) -> None:
    warm()
    before = _compiled()
    assert sum(before.values()) >= 5
    shapes = np.array([shapely.Point(5, 5), shapely.box(1, 1, 9, 9), None], dtype=object)
    table = pa.table({"id": ["a", "b", "c"], "first": [1, 2, 3], "second": ["x", "y", "z"]})
    kinds = {"first": Kind.INT, "second": Kind.STRING}
    info = write_part(tmp_path / "part", table, from_shapely(shapes), kinds)
    ready = prepare_area(shapely.Polygon([(0, 0), (7, 0), (0, 7)]))
    assert ready is not None
    pack = Pack([open_part(tmp_path / "part", info)])
    for selection in (None, Selection.of_masks(pack, [np.array([True, False, True])])):
        found = search(pack, selection, Tile(1, 1, 0).world_box())
        assert encode_layer("other", found, Tile(1, 1, 0), columns=["second", "id", "first"])
        assert write_features(found, columns=["first", "second"])
        for each, numbers in found.pairs:
            meeting_box(each, numbers, (0.0, 0.0, 6.0, 6.0))
            meeting_area(each, numbers, ready)
            known = Condition("second", answers=np.ones(3, np.uint8))
            assert len(passing(each, numbers, [Condition("first", 1, 3), known])) == len(numbers)
    assert _compiled() == before
