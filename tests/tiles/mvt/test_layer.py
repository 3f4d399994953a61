"""Layers, read back with an independent decoder."""

from __future__ import annotations

from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely

from tiles.arrays import Kind, Rows
from tiles.grid import Tile
from tiles.mvt import encode_layer

TILE = (14, 14552, 6451)
WEST, SOUTH, EAST, NORTH = Tile(*TILE).lon_lat_box()
CENTRE = shapely.Point((WEST + EAST) / 2, (SOUTH + NORTH) / 2)


def decoded(layer: bytes) -> dict[str, Any]:
    return mapbox_vector_tile.decode(layer, default_options={"y_coord_down": True})


def features(layer: bytes, name: str = "x") -> list[dict[str, Any]]:
    return decoded(layer)[name]["features"]


def test_values_of_different_types_that_look_alike_stay_apart(make_table, all_rows):
    table = make_table(
        [CENTRE] * 2,
        {
            "text": (Kind.STRING, ["1", "true"]),
            "int": (Kind.INT, [1, 0]),
            "float": (Kind.FLOAT, [1.0, 0.0]),
            "bool": (Kind.BOOL, [True, False]),
        },
    )
    layer = encode_layer("x", all_rows(table), TILE, columns=["text", "int", "float", "bool"])
    first, second = (feature["properties"] for feature in features(layer))
    assert {name: (type(value), value) for name, value in first.items()} == {
        "text": (str, "1"),
        "int": (int, 1),
        "float": (float, 1.0),
        "bool": (bool, True),
    }
    assert [type(value) for value in second.values()] == [str, int, float, bool]
    assert list(second.values()) == ["true", 0, 0.0, False]


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (Kind.INT, [0, -1, 2**63 - 1, -(2**63), 127, 128], None),
        (Kind.FLOAT, [-0.0, 5e-324, 1.7976931348623157e308, 0.1], None),
        (Kind.STRING, ["", "日本語", "x" * 100_000, "\x00", '"'], None),
        (Kind.JSON, ['{"a":[1]}', "null"], None),
        (Kind.DATE, [0, -1, 11_016, -719_528, 2_932_896], None),
        (Kind.TIMESTAMP, [0, 1], ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000001Z"]),
        (Kind.TIMESTAMP, [-1], ["1969-12-31T23:59:59.999999Z"]),
    ],
)
def test_each_kind_comes_back(make_table, all_rows, kind, values, expected):
    table = make_table([CENTRE] * len(values), {"v": (kind, values)})
    found = [
        f["properties"]["v"] for f in features(encode_layer("x", all_rows(table), TILE, columns=["v"]))
    ]
    if kind == Kind.DATE:
        expected = ["1970-01-01", "1969-12-31", "2000-02-29", "0000-01-01", "9999-12-31"]
    assert found == (expected or values)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Kind.STRING, [None]),
        (Kind.INT, [None]),
        (Kind.FLOAT, [None, float("nan"), float("inf")]),
        (Kind.DATE, [None, -719_529, 2_932_897]),
        (Kind.TIMESTAMP, [None, 2**62, -(2**63)]),
    ],
)
def test_what_has_no_value_is_left_out(make_table, all_rows, kind, values):
    table = make_table([CENTRE] * len(values), {"v": (kind, values)})
    layer = encode_layer("x", all_rows(table), TILE, columns=["v"])
    assert [feature["properties"] for feature in features(layer)] == [{}] * len(values)


def test_a_text_stands_once_in_a_layer_whatever_part_and_column_it_comes_from(make_table, all_rows):
    name = "a name that is long enough to be found"
    tables = [
        make_table(
            [CENTRE] * 3, {"a": (Kind.STRING, ["-", name, None]), "b": (Kind.STRING, [name] * 3)}
        )
        for _ in range(2)
    ]
    layer = encode_layer("x", all_rows(*tables), TILE, columns=["a", "b"])
    assert layer.count(name.encode()) == 1
    assert [f["properties"].get("a") for f in features(layer)] == ["-", name, None] * 2


def test_numbers_of_the_identity_fit_javascript_and_the_text_is_there_when_asked_for(
    make_table, all_rows
):
    table = make_table([CENTRE], ids=["way/7"])
    (feature,) = features(encode_layer("x", all_rows(table), TILE, columns=["id"]))
    assert feature["id"] == int(table.id_hash[0]) & (2**53 - 1)
    assert feature["properties"] == {"id": "way/7"}
    (bare,) = features(encode_layer("x", all_rows(table), TILE, columns=[]))
    assert bare["properties"] == {}


@pytest.mark.parametrize(
    "geometry",
    [
        shapely.Point(0, 0),
        shapely.LineString([(0, 0), (1, 1)]),
        shapely.box(0, 0, 1, 1),
        shapely.LineString([(WEST - 1, SOUTH), (WEST, SOUTH - 1)]),
        CENTRE.buffer(1e-7),
        None,
        shapely.Point(),
    ],
)
def test_a_layer_of_nothing_is_no_bytes(make_table, all_rows, geometry):
    assert encode_layer("x", all_rows(make_table([geometry])), TILE, columns=[]) == b""


def test_no_rows_make_no_layer(make_table):
    table = make_table([CENTRE])
    assert encode_layer("x", Rows((table,), (np.zeros(0, np.int32),)), TILE, columns=["id"]) == b""
    assert encode_layer("x", Rows((), ()), TILE, columns=["id"]) == b""


def test_layers_one_after_the_other_are_a_tile(make_table, all_rows):
    rows = all_rows(make_table([CENTRE]))
    tile = encode_layer("道", rows, TILE, columns=[]) + encode_layer(
        "y", rows, TILE, columns=[], extent=512
    )
    found = decoded(tile)
    assert list(found) == ["道", "y"]
    assert (found["道"]["extent"], found["y"]["extent"]) == (4096, 512)
    assert {layer["version"] for layer in found.values()} == {2}


def test_only_chosen_rows_are_there_and_in_their_order(make_table):
    one, two = make_table([CENTRE] * 4), make_table([CENTRE] * 2, ids=["g0", "g1"])
    rows = Rows((two, one), (np.array([1], np.int32), np.array([3, 0], np.int32)))
    layer = encode_layer("x", rows, TILE, columns=["id"])
    assert [feature["properties"]["id"] for feature in features(layer)] == ["g1", "f3", "f0"]
    assert b"g0" not in layer
    assert b"f1" not in layer


def test_the_limit_counts_features_that_leave_something(make_table, all_rows):
    table = make_table([shapely.Point(0, 0), CENTRE, CENTRE, CENTRE])
    layer = encode_layer("x", all_rows(table), TILE, columns=["id"], limit=2)
    assert [feature["properties"]["id"] for feature in features(layer)] == ["f1", "f2"]
    assert encode_layer("x", all_rows(table), TILE, columns=["id"], limit=0) == b""


@pytest.mark.parametrize("tile", [(-1, 0, 0), (0, 1, 0), (3, 0, 8), (31, 0, 0)])
def test_a_tile_outside_the_grid_is_refused(make_table, all_rows, tile):
    with pytest.raises(ValueError, match="no tile"):
        encode_layer("x", all_rows(make_table([CENTRE])), tile, columns=[])


def test_unknown_columns_and_foreign_row_numbers_are_refused(make_table, all_rows):
    table = make_table([CENTRE])
    with pytest.raises(KeyError):
        encode_layer("x", all_rows(table), TILE, columns=["nope"])
    with pytest.raises(IndexError):
        encode_layer("x", Rows((table,), (np.array([1], np.int32),)), TILE, columns=[])


@pytest.mark.parametrize("z", [0, 1, 18, 22, 30])
def test_all_zooms_work(make_table, all_rows, z):
    n = 2**z
    tile = (z, int((CENTRE.x + 180) / 360 * n), 0)
    box = Tile(*tile).lon_lat_box()
    table = make_table([shapely.box(-180, -85.06, 180, 85.06), shapely.Point(box[0], box[3])])
    found = features(encode_layer("x", all_rows(table), tile, columns=[]))
    polygon = shapely.geometry.shape(found[0]["geometry"])
    assert polygon.is_valid
    if z <= 22:  # a world unit is up to four tile units
        inside = polygon.intersection(shapely.box(0, 0, 4096, 4096))
        assert inside.area == pytest.approx(4096**2, rel=2e-3)
        assert np.abs(found[1]["geometry"]["coordinates"]).max() <= 4
