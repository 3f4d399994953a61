"""Kernels are compiled once, whatever the schema and wherever the arrays come from."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import shapely

from tiles.arrays import FeatureTable, Kind, Rows
from tiles.errors import BadColumn
from tiles.geojson import features, write_features
from tiles.geometry import mend, nesting
from tiles.mvt import encode_layer, layer, shapes
from tiles.warm import warm

ENTRIES = [
    shapes.shape_rows,
    layer.write_layer,
    mend.mended,
    nesting.nested,
    features.write_rows,
]
TILE = (5, 28, 12)
BOW_TIE = shapely.Polygon([(139, 35), (140, 36), (140, 35), (139, 36)])


def write_all(rows: Rows, names: list[str]) -> None:
    for simplify in (False, True):
        encode_layer("x", rows, TILE, columns=names, simplify=simplify, limit=None if simplify else 2)
    write_features(rows, columns=names, decimals=3)


def schemas() -> list[dict[str, Any]]:
    return [
        {},
        {"a": (Kind.STRING, ["x", None, "y"])},
        {f"n{i}": (Kind.INT, [i, None, 3]) for i in range(40)},
        {"f": (Kind.FLOAT, [1.5] * 3), "t": (Kind.TIMESTAMP, [0] * 3), "d": (Kind.DATE, [1] * 3)},
        {
            "b": (Kind.BOOL, [True] * 3),
            "j": (Kind.JSON, ["1", None, "[]"]),
            "s": (Kind.STRING, [None] * 3),
        },
    ]


def read_only(table: FeatureTable) -> FeatureTable:
    """The same over arrays that cannot be written, as a mapped file has."""

    def frozen(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            copy = value.copy()
            copy.flags.writeable = False
            return copy
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            parts = {f.name: frozen(getattr(value, f.name)) for f in dataclasses.fields(value)}
            return dataclasses.replace(value, **parts)
        return tuple(map(frozen, value)) if isinstance(value, tuple) else value

    made: FeatureTable = frozen(table)
    return made


def test_a_new_schema_compiles_nothing(make_table, all_rows):
    warm()
    before = [len(kernel.signatures) for kernel in ENTRIES]
    assert before == [1] * len(ENTRIES)
    for schema in schemas():
        table = make_table(
            [shapely.Point(139.5, 35.5), shapely.LineString([(0, 0), (139, 35)]), BOW_TIE], schema
        )
        write_all(all_rows(table), ["id", *schema])
        write_all(all_rows(read_only(table), table), ["id", *schema])
        write_all(Rows((table,), (np.arange(6, dtype=np.int32)[:6:2] // 2,)), list(schema))
    assert [len(kernel.signatures) for kernel in ENTRIES] == before


def test_arrays_of_another_type_or_length_are_refused_not_read(make_table, all_rows):
    table = make_table([shapely.Point(139, 35)], {"a": (Kind.INT, [1])})
    narrow = dataclasses.replace(table.columns[0], values=np.ones(1, np.int32))
    short = dataclasses.replace(table.columns[0], values=np.zeros(0, np.int64))
    for wrong in (narrow, short):
        with pytest.raises(BadColumn):
            write_features(all_rows(dataclasses.replace(table, columns=(wrong,))), columns=["a"])
    with pytest.raises(BadColumn):
        encode_layer(
            "x",
            all_rows(dataclasses.replace(table, world_xy=table.world_xy[:0])),
            (0, 0, 0),
            columns=[],
        )


def test_codes_outside_their_dictionary_are_nulls(make_table, all_rows):
    table = make_table([shapely.Point(139, 35)] * 3, {"a": (Kind.STRING, ["x", "y", "z"])})
    table.columns[0].values[:] = [-1, 3, 2**31 - 1]
    text = write_features(all_rows(table), columns=["a"])
    assert text.count(b'"a":null') == 3
    assert encode_layer("x", all_rows(table), (0, 0, 0), columns=["a"])
