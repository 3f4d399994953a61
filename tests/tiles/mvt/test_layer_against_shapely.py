"""The geometry of tiles, decoded independently, against shapely's clipping of the same geometry."""

from __future__ import annotations

from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tiles.arrays import FeatureTable
from tiles.grid import Tile
from tiles.mvt import encode_layer

BUFFER, EXTENT = 64, 4096
BOX = shapely.box(-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER)
# Lines are simplified before they are clipped, so that every tile has the same of them. At its rim, at
# a small angle, half a unit to the side can be several along it; a unit from the rim it is half a unit.
INNER = shapely.box(1 - BUFFER, 1 - BUFFER, EXTENT + BUFFER - 1, EXTENT + BUFFER - 1)
# Rounding moves a vertex by 0.5 along each axis, simplifying a line by another 0.5.
ROUNDED, SIMPLIFIED = 0.5 * 2**0.5 + 1e-6, 0.5 * 2**0.5 + 0.5 + 1e-6


def in_tile_units(table: FeatureTable, tile: Tile, geometries: list[Any]) -> list[Any]:
    """The geometries in tile units, from the table's own world coordinates."""
    west, _, east, north = tile.world_box()
    xy = (table.world_xy.astype(float) - [west, north]) * [1, -1] * (EXTENT / float(east - west))
    return list(shapely.set_coordinates(np.array(geometries, dtype=object), xy))


def encoded(all_rows: Any, table: FeatureTable, tile: Tile, simplify: bool) -> dict[str, Any]:
    layer = encode_layer("x", all_rows(table), tile, columns=["id"], simplify=simplify)
    if not layer:
        return {}
    found = mapbox_vector_tile.decode(layer, default_options={"y_coord_down": True})["x"]["features"]
    return {f["properties"]["id"]: shapely.geometry.shape(f["geometry"]) for f in found}


def rings(rng: np.random.Generator, centre: np.ndarray, radius: float, n: int) -> np.ndarray:
    """A star-shaped ring of ragged radius."""
    angle = np.sort(rng.random(n) * 2 * np.pi)
    reach = radius * (0.2 + rng.random(n))
    return centre + np.stack([np.cos(angle) * reach, np.sin(angle) * reach], -1)


def random_polygon(rng: np.random.Generator, centre: np.ndarray, radius: float) -> shapely.Geometry:
    shell = shapely.Polygon(rings(rng, centre, radius, int(rng.integers(3, 60)))).buffer(0)
    holes = [
        shapely.Polygon(rings(rng, centre + rng.normal(size=2) * radius / 3, radius / 5, 7)).buffer(0)
        for _ in range(rng.integers(0, 4))
    ]
    return shapely.make_valid(shell.difference(shapely.union_all(holes)))


def scene(seed: int, make: Any, count: int = 40) -> tuple[Tile, list[Any]]:
    rng = np.random.default_rng(seed)
    tile = Tile(12, 3637 + int(rng.integers(0, 9)), 1612)
    west, south, east, north = tile.lon_lat_box()
    size = np.array([east - west, north - south])
    made = []
    for _ in range(count):
        centre = np.array([west, south]) + (rng.random(2) * 1.2 - 0.1) * size
        made.append(make(rng, centre, float(size[0] * 10 ** rng.uniform(-3.5, 0.5))))
    return tile, [geometry for geometry in made if not geometry.is_empty]


def lines(rng: np.random.Generator, centre: np.ndarray, reach: float) -> shapely.Geometry:
    """Lines that go one way, so that none meets itself and shapely leaves their runs whole."""
    turn = rng.random() * 2 * np.pi
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    parts = []
    for k in range(rng.integers(1, 4)):
        steps = rng.normal(size=(int(rng.integers(2, 30)), 2)) * reach / 3
        steps[:, 0] = abs(steps[:, 0])
        parts.append(centre + (np.cumsum(steps, axis=0) + np.array([0, k * reach])) @ turned)
    return shapely.MultiLineString(parts) if len(parts) > 1 else shapely.LineString(parts[0])


def polygons(rng: np.random.Generator, centre: np.ndarray, radius: float) -> shapely.Geometry:
    return shapely.union_all(
        [
            random_polygon(rng, centre + rng.normal(size=2) * radius, radius)
            for _ in range(rng.integers(1, 4))
        ]
    )


def farthest(one: shapely.Geometry, other: shapely.Geometry) -> float:
    """The distance of the vertex of one, away from the rim, that is farthest from the other."""
    vertices = shapely.points(shapely.get_coordinates(one))
    vertices = vertices[shapely.contains_properly(INNER, vertices)]
    return float(shapely.distance(vertices, other).max(initial=0.0))


def extent(geometry: shapely.Geometry) -> float:
    """How wide or high a geometry is."""
    if geometry.is_empty:
        return 0.0
    west, south, east, north = geometry.bounds
    return float(max(east - west, north - south))


def within_box(geometry: shapely.Geometry) -> bool:
    return bool((shapely.get_coordinates(geometry) >= -BUFFER).all()) and bool(
        (shapely.get_coordinates(geometry) <= EXTENT + BUFFER).all()
    )


def only(geometry: shapely.Geometry, dimension: int) -> shapely.Geometry:
    """The parts of one dimension."""
    parts = shapely.get_parts(geometry)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == dimension])


@pytest.mark.parametrize("simplify", [False, True])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_lines_are_what_shapely_clips_within_rounding(make_table, all_rows, simplify, seed):
    tile, given_lines = scene(seed, lines)
    table = make_table(given_lines)
    found = encoded(all_rows, table, tile, simplify)
    allowed = (SIMPLIFIED if simplify else ROUNDED) * 1.01
    for i, line in enumerate(in_tile_units(table, tile, given_lines)):
        runs = shapely.get_parts([shapely.intersection(part, BOX) for part in shapely.get_parts(line)])
        runs = runs[~shapely.is_empty(runs)]
        ours = found.get(f"f{i}")
        if ours is None:
            assert all(extent(run) < 2 for run in runs)
            continue
        assert within_box(ours)
        there, nearby = shapely.MultiLineString(list(runs)), shapely.segmentize(ours, 50)
        assert farthest(nearby, there) <= allowed, "nothing that was not there"
        long = [run for run in runs if extent(shapely.intersection(run, INNER)) >= 2]
        assert all(farthest(run, ours) <= allowed for run in long), "nothing lost"


@pytest.mark.parametrize("simplify", [False, True])
@given(seed=st.integers(0, 2**32))
@example(seed=35485252)  # a bridge along the rim that simplifying must not lift
@settings(max_examples=15, deadline=None)
def test_polygons_are_valid_and_what_shapely_clips_within_rounding(
    make_table, all_rows, simplify, seed
):
    tile, given_polygons = scene(seed, polygons)
    table = make_table(given_polygons)
    found = encoded(all_rows, table, tile, simplify)
    # mending a ring that rounding has folded moves where it crosses itself by another rounding
    allowed = (SIMPLIFIED if simplify else ROUNDED) + ROUNDED
    for i, polygon in enumerate(in_tile_units(table, tile, given_polygons)):
        clipped = only(shapely.intersection(shapely.make_valid(polygon), BOX), 2)
        ours = found.get(f"f{i}")
        if ours is None:
            assert clipped.buffer(-1.5).is_empty
            continue
        assert ours.is_valid, shapely.is_valid_reason(ours)
        assert within_box(ours)
        inner = ours.buffer(-1e-6).intersection(INNER)
        assert inner.is_empty or shapely.covers(clipped.buffer(allowed), inner), "nothing new"
        lost = shapely.difference(clipped, ours).buffer(-allowed)
        assert lost.area < 4, "nothing lost but slivers and specks"


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_points_are_there_if_within_the_buffer(make_table, all_rows, seed):
    rng = np.random.default_rng(seed)
    tile, centres = scene(seed, lambda rng, centre, _: shapely.Point(centre))
    shapes = [
        point if i % 2 else shapely.MultiPoint(point.coords[0] + rng.normal(size=(5, 2)) * 0.05)
        for i, point in enumerate(centres)
    ]
    table = make_table(shapes)
    found = encoded(all_rows, table, tile, True)
    for i, shape in enumerate(in_tile_units(table, tile, shapes)):
        inside = [p for p in shapely.get_parts(shape) if BOX.covers(p)]
        expected = {(int(np.floor(p.x + 0.5)), int(np.floor(p.y + 0.5))) for p in inside}
        ours = found.get(f"f{i}")
        assert ({(p.x, p.y) for p in shapely.get_parts(ours)} if ours else set()) == expected
