"""Whatever the coordinates, layers keep the rules of MVT 2.1."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from mapbox_vector_tile.Mapbox import vector_tile_pb2

from tiles.arrays import Column, FeatureTable, Geometries, Kind, Rows
from tiles.geojson import write_features
from tiles.mvt import encode_layer

LOW, HIGH = -64, 4160


def random_table(rng: np.random.Generator, n: int, coordinates: Any) -> FeatureTable:
    """Features of any type with parts and rings of any length, down to rings of one vertex."""
    types = rng.integers(0, 7, n).astype(np.uint8)
    parts = np.where(types == 0, 0, np.where(types < 4, 1, rng.integers(1, 4, n)))
    rings = np.where(np.isin(np.repeat(types, parts), (3, 6)), rng.integers(1, 4, parts.sum()), 1)
    is_point = np.isin(np.repeat(np.repeat(types, parts), rings), (1, 4))
    vertices = np.where(is_point, 1, rng.integers(1, 30, rings.sum()))

    def starts(counts: np.ndarray) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

    world_xy = coordinates(rng, int(vertices.sum()))
    vertex_starts = starts(vertices)
    for first, last in pairwise(vertex_starts):
        if rng.random() < 0.8:
            world_xy[last - 1] = world_xy[first]
    lon_lat_z = rng.integers(-(2**63), 2**63, (len(world_xy), 3)).view(np.float64)
    text = np.frombuffer(b"id", np.uint8)
    return FeatureTable(
        ids=Column("id", Kind.STRING, np.zeros(n, np.int32), None, np.array([0, 2], np.int32), text),
        id_hash=rng.integers(0, 2**64, n, dtype=np.uint64),
        geometries=Geometries(types, starts(parts), starts(rings), vertex_starts, lon_lat_z),
        world_xy=world_xy,
        columns=(),
    )


def anywhere(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.integers(-(2**31), 2**31, (n, 2)).astype(np.int32)


def on_a_coarse_grid(rng: np.random.Generator, n: int) -> np.ndarray:
    """Many equal coordinates: touching, overlapping, collinear."""
    return (rng.integers(-4, 4, (n, 2)) << 29).astype(np.int32)


def on_the_rim(rng: np.random.Generator, n: int) -> np.ndarray:
    """On both sides of the antimeridian and at both ends of the square."""
    return rng.choice(np.array([-(2**31), -(2**31) + 1, 0, 2**31 - 1]), (n, 2)).astype(np.int32)


def in_one_tile(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.integers(-3000, 3000, (n, 2)).astype(np.int32)


def commands_of(geometry: Any) -> list[tuple[int, list[tuple[int, int]]]]:
    """(command, deltas) as they stand."""
    found, i = [], 0
    while i < len(geometry):
        command, count = geometry[i] & 7, geometry[i] >> 3
        i += 1
        deltas = []
        if command != 7:
            values = [(v >> 1) ^ -(v & 1) for v in geometry[i : i + 2 * count]]
            deltas = list(zip(values[::2], values[1::2], strict=True))
            assert len(deltas) == count
            i += 2 * count
        found.append((command, deltas))
    return found


def check_points(commands: list[Any]) -> None:
    assert [command for command, _ in commands] == [1]
    assert commands[0][1]


def check_lines(commands: list[Any]) -> None:
    assert [command for command, _ in commands] == [1, 2] * (len(commands) // 2)
    for move, line in zip(commands[::2], commands[1::2], strict=True):
        assert len(move[1]) == 1
        assert line[1]
        assert (0, 0) not in line[1]


def rings_of(commands: list[Any]) -> list[np.ndarray]:
    assert [command for command, _ in commands] == [1, 2, 7] * (len(commands) // 3)
    cursor, rings = np.zeros(2, int), []
    for move, line in zip(commands[::3], commands[1::3], strict=True):
        assert len(move[1]) == 1
        assert len(line[1]) >= 2
        assert (0, 0) not in line[1]
        ring = cursor + np.cumsum(move[1] + line[1], axis=0)
        cursor = ring[-1]
        rings.append(ring)
    return rings


def check_polygons(commands: list[Any]) -> None:
    polygons: list[list[np.ndarray]] = []
    for ring in rings_of(commands):
        following = np.roll(ring, -1, axis=0)
        area2 = int((ring[:, 0] * following[:, 1] - following[:, 0] * ring[:, 1]).sum())
        assert abs(area2) >= 2
        if area2 > 0:
            polygons.append([ring])
        else:
            polygons[-1].append(ring)
    made = shapely.MultiPolygon([(rings[0], rings[1:]) for rings in polygons])
    assert made.is_valid, shapely.is_valid_reason(made)


def check_layer(data: bytes) -> int:
    """Hold a layer against the specification; the number of its features."""
    if not data:
        return 0
    (layer,) = vector_tile_pb2.tile.FromString(data).layers
    assert (layer.version, layer.extent) == (2, 4096)
    for feature in layer.features:
        commands = commands_of(feature.geometry)
        cursor = np.cumsum([delta for _, deltas in commands for delta in deltas], axis=0)
        assert cursor.min() >= LOW
        assert cursor.max() <= HIGH
        {1: check_points, 2: check_lines, 3: check_polygons}[feature.type](commands)
        assert all(value < len(layer.values) for value in feature.tags[1::2])
    return len(layer.features)


@pytest.mark.parametrize("coordinates", [anywhere, on_a_coarse_grid, on_the_rim, in_one_tile])
@given(seed=st.integers(0, 2**32), simplify=st.booleans())
@settings(max_examples=15, deadline=None)
def test_any_coordinates_give_a_layer_that_keeps_the_rules(coordinates, seed, simplify):
    rng = np.random.default_rng(seed)
    table = random_table(rng, 30, coordinates)
    rows = Rows((table,), (rng.permutation(30).astype(np.int32),))
    middle = 1 << 18
    for tile in ((0, 0, 0), (1, 0, 1), (3, 4, 4), (19, middle, middle), (30, 0, 0)):
        check_layer(encode_layer("x", rows, tile, columns=["id"], simplify=simplify))
    # coordinates of random bits: NaN, infinities, far beyond the world
    assert write_features(rows, columns=[]).count(b'"Feature"') == 30


def test_a_feature_of_a_hundred_thousand_vertices_among_small_ones(make_table, all_rows):
    rng = np.random.default_rng(1)
    angle = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    reach = 20 + 0.05 * rng.random(100_000)
    huge = shapely.Polygon(np.stack([np.cos(angle) * reach * 1.9, np.sin(angle) * reach], -1))
    walk = shapely.LineString(np.cumsum(rng.normal(size=(100_000, 2)) * 0.01, axis=0))
    table = make_table([shapely.Point(1, 1), huge, shapely.Point(2, 2), walk, shapely.box(0, 0, 9, 9)])
    for tile in ((0, 0, 0), (3, 4, 3), (6, 32, 31)):
        layer = encode_layer("x", all_rows(table, table), tile, columns=["id"])
        assert check_layer(layer) in (4, 6, 8, 10)


def test_lobes_that_cancel_out_in_area_both_stay(make_table, all_rows):
    table = make_table([shapely.Polygon([(10, 10), (60, 60), (60, 10), (10, 60)])])
    assert check_layer(encode_layer("x", all_rows(table), (0, 0, 0), columns=[])) == 1


def test_every_tile_around_a_feature_shows_it_and_no_other_does(make_table, all_rows):
    table = make_table([shapely.LineString([(139.0, 35.0), (139.9, 35.7)])])
    z, shown = 9, set()
    for x in range(450, 460):
        for y in range(198, 208):
            if encode_layer("x", all_rows(table), (z, x, y), columns=[], buffer=0):
                shown.add((x, y))
    size = 2.0 ** (32 - z)
    west, north = (table.world_xy * [1, -1] + 2.0**31).T / size
    steps = np.linspace(0, 1, 20_001)[:, None]
    path = np.stack([west, north], -1)
    crossed = np.floor(path[0] + steps * (path[1] - path[0])).astype(int)
    assert shown == set(map(tuple, crossed.tolist()))
