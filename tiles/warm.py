"""Compiling the kernels of vector tiles and GeoJSON before the first request."""

from __future__ import annotations

import numpy as np
import shapely

from tiles.arrays import Column, FeatureTable, Kind, Rows
from tiles.generalise import DetailRule, visible_at
from tiles.geojson import write_features
from tiles.geometry.convert import from_shapely
from tiles.grid import lon_lat_to_world
from tiles.mvt import encode_layer

_NUMBERS = {Kind.INT: np.int64, Kind.FLOAT: np.float64, Kind.BOOL: np.uint8}
_TIMES = {Kind.TIMESTAMP: np.int64, Kind.DATE: np.int32}


def warm() -> None:
    """Run every kernel once, on one feature of each shape and a column of each kind.

    The compiled code is kept on disk, so that only the first process on a machine takes the half
    minute that compiling takes, and all others a fraction of a second. No schema compiles more.
    """
    rows = Rows((_table(),), (np.arange(4, dtype=np.int32),))
    columns = ["id", *(kind.value for kind in Kind)]
    rows = visible_at(rows, 1, DetailRule(by_size=False))
    for tile in ((0, 0, 0), (1, 1, 0)):
        encode_layer("warm", rows, tile, columns=columns)
    write_features(rows, columns=columns)


def _table() -> FeatureTable:
    geometries = from_shapely(
        [
            shapely.Point(1, 1),
            shapely.LineString([(-10, 10), (10, 10), (20, 30)]),
            shapely.box(-10, 10, 10, 30).difference(shapely.box(-5, 15, 5, 20)),
            shapely.Polygon([(10, 10), (60, 60), (60, 10), (10, 60)]),  # crosses itself
        ]
    )
    n = len(geometries)
    columns = [_text(kind.value, kind, n) for kind in (Kind.STRING, Kind.JSON)]
    for kind, dtype in (_NUMBERS | _TIMES).items():
        columns.append(Column(kind.value, kind, np.ones(n, dtype), None))
    return FeatureTable(
        ids=_text("id", Kind.STRING, n),
        id_hash=np.arange(n, dtype=np.uint64),
        geometries=geometries,
        world_xy=lon_lat_to_world(geometries.lon_lat_z),
        columns=tuple(columns),
    )


def _text(name: str, kind: Kind, n: int) -> Column:
    offsets, text = np.array([0, 1], np.int32), np.frombuffer(b"1", np.uint8)
    return Column(name, kind, np.zeros(n, np.int32), np.ones(n, np.uint8), offsets, text)
