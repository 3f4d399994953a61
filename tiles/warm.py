"""Run every vector kernel once, so that no request waits for a compiler.

Kernels have one signature whatever the schema, so one tiny part that holds every geometry type and
every kind of column compiles, or loads from the cache, all that reading a pack needs.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from tiles.arrays import Kind, Rows
from tiles.drawing import Canvas, Colour
from tiles.generalise import DetailRule, appearance
from tiles.geojson import write_features
from tiles.geometry.areas import prepare_area
from tiles.geometry.convert import from_shapely, from_wkb, take, to_wkb
from tiles.geometry.meeting import meeting_area
from tiles.geometry.near import meeting_box
from tiles.grid import Tile
from tiles.mvt import encode_layer
from tiles.pack import Pack, Selection, lookup, materialise, open_part, scan, search, write_part
from tiles.passing import Condition, passing

_TILE = Tile(2, 2, 1)  # its south-west corner is at 0, 0
_KINDS = {
    "text": Kind.STRING,
    "whole": Kind.INT,
    "real": Kind.FLOAT,
    "truth": Kind.BOOL,
    "moment": Kind.TIMESTAMP,
    "day": Kind.DATE,
    "json": Kind.JSON,
}


def warm() -> None:
    """Compile or load the kernels that search, encode and copy. Takes seconds without a cache."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "warm.arrow")
        info = write_part(path, _columns(), from_shapely(_shapes()), _KINDS)
        pack = Pack([open_part(path, info)])
        some = Selection.of_masks(pack, [np.arange(info.rows) % 2 == 0])
        for selection in (None, Selection.everything(pack), some):
            _read(pack, selection)
    _draw()


def _draw() -> None:
    canvas, black = Canvas(8, 8), Colour(0.0, 0.0, 0.0)
    xy, starts = np.array([(1.0, 1.0), (5.0, 1.0), (5.0, 5.0), (1.0, 1.0)]), np.array([0, 4])
    canvas.areas(xy, starts, np.ones(1, np.uint8), black)
    canvas.lines(xy, starts, 2.0, black, dash=(2.0, 1.0))
    canvas.discs(xy, 2.0, black, 1.0, black)
    canvas.mask(np.ones((2, 2), np.uint8), 1, 1, black)
    canvas.picture(np.ones((2, 2, 4), np.uint8), 1, 1)
    canvas.rgba()


def _read(pack: Pack, selection: Selection | None) -> None:
    found = search(pack, selection, _TILE.world_box())
    for rule in (DetailRule({"text": {"a": 0}}, thin_points_below=4), DetailRule({"text": {}}, 30)):
        # the second shows no rows, so few that they have an index of their own
        appearing = (partial(appearance, rule=rule), _TILE.z)
        shown = search(pack, selection, _TILE.world_box(), appearing=appearing)
    names = ["id", *_KINDS]
    encode_layer("warm", found, _TILE, columns=names)
    encode_layer("warm", shown, _TILE, columns=names, simplify=False)
    write_features(found, columns=names)
    for rows in (scan(pack, selection), lookup(pack, selection, ["f0", "f1"])):
        materialise(rows, names, "wkb")
        _measure(rows)


def _measure(rows: Rows) -> None:
    for table, numbers in rows.pairs:
        from_wkb(to_wkb(table.geometries, numbers))
        take(table.geometries, table.world_xy, numbers)
        meeting_box(table, numbers, (0.0, 0.0, 1.0, 1.0))
        ready = prepare_area(shapely.box(0.0, 0.0, 50.0, 45.0))
        if ready is not None:
            meeting_area(table, numbers, ready)
        known = Condition("text", answers=np.ones(1, np.uint8))
        passing(table, numbers, [Condition("whole"), Condition("real"), known])


def _shapes() -> NDArray[np.object_]:
    square = shapely.box(10.0, 10.0, 60.0, 50.0)
    hole = [(20.0, 20.0), (30.0, 20.0), (30.0, 30.0), (20.0, 20.0)]
    holed = shapely.Polygon(square.exterior.coords, [hole])
    # a ring that crosses itself, so that mending runs too
    folded = shapely.Polygon([(5, 5), (60, 55), (60, 5), (5, 55)])
    line = shapely.LineString([(1.0, 1.0), (30.0, 20.0), (30.1, 20.0), (100.0, 60.0)])
    return np.array(
        [
            shapely.Point(20.0, 20.0),
            shapely.Point(20.0, 20.0, 5.0),
            shapely.MultiPoint([(1.0, 1.0), (2.0, 2.0)]),
            line,
            shapely.MultiLineString([line, [(2.0, 60.0), (80.0, 60.0)]]),
            holed,
            shapely.MultiPolygon([holed, shapely.box(70.0, 10.0, 80.0, 20.0)]),
            folded,
            None,
        ],
        dtype=object,
    )


def _columns() -> pa.Table:
    rows = len(_shapes())

    def half_null(values: list[object], kind: pa.DataType) -> pa.Array:
        return pa.array([value if row % 2 else None for row, value in enumerate(values)], kind)

    return pa.table(
        {
            "id": pa.array([f"f{row}" for row in range(rows)]),
            "text": half_null(["a"] * rows, pa.utf8()),
            "whole": half_null([*range(rows)], pa.int64()),
            "real": half_null([row / 3 for row in range(rows)], pa.float64()),
            "truth": half_null([True] * rows, pa.bool_()),
            "moment": half_null([0] * rows, pa.timestamp("us", "UTC")),
            "day": half_null([0] * rows, pa.date32()),
            "json": half_null(['{"a":1}'] * rows, pa.utf8()),
        }
    )


if __name__ == "__main__":
    warm()
