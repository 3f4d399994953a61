"""Tiles of other matrix sets, decoded independently, against pyproj and shapely."""

from __future__ import annotations

from typing import Any

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from tests.tiles.conftest import rows_of, table_of
from tiles.arrays import Kind, Rows
from tiles.geometry.convert import from_shapely, to_shapely
from tiles.matrices import MATRIX_SETS, WEB_MERCATOR_QUAD, MatrixSet, in_matrix_set
from tiles.matrices.rows import taken
from tiles.mvt import encode_layer

EXTENT, BUFFER = 4096, 64
FRAME = shapely.box(-BUFFER, -BUFFER, EXTENT + BUFFER, EXTENT + BUFFER)
ALLOWED = 0.5 * 2**0.5 + 0.5 + 0.05
"""Rounding, simplifying, and a little because edges are divided at other places."""

SETS = ["WorldCRS84Quad", "JGD2011Plane9", "JGD2011Plane1", "JGD2011Plane12"]
CENTRES = {"JGD2011Plane1": (129.9, 32.7), "JGD2011Plane12": (142.4, 43.8)}


def oracle(matrices: MatrixSet, place: tuple[int, int, int], shapes: list[Any]) -> list[Any]:
    """Shapes in tile units, by PROJ; straight edges in degrees are followed."""
    if matrices.bends:
        reach = shapely.box(*matrices.domain)
        shapes = list(shapely.segmentize(shapely.intersection(shapes, reach), 0.005))
    west, _, east, north = matrices.box(*place)
    project = Transformer.from_crs("OGC:CRS84", matrices.crs, always_xy=True)

    def to_units(lon_lat: np.ndarray) -> np.ndarray:
        x, y = project.transform(lon_lat[:, 0], lon_lat[:, 1])
        scale = EXTENT / (east - west)
        return np.column_stack([(np.asarray(x) - west) * scale, (north - np.asarray(y)) * scale])

    return [shapely.transform(shape, to_units) for shape in shapes]


def decoded(rows: Rows, matrices: MatrixSet, place: tuple[int, int, int]) -> dict[str, Any]:
    tile = matrices.tile(*place)
    content = encode_layer("x", in_matrix_set(rows, matrices), tile, columns=["id", "n"])
    if not content:
        return {}
    features = mapbox_vector_tile.decode(content, default_options={"y_coord_down": True})["x"][
        "features"
    ]
    return {item["properties"]["id"]: item for item in features}


def place_of(matrices: MatrixSet, lon_lat: tuple[float, float], z: int) -> tuple[int, int, int]:
    x, y = matrices.to_crs(np.array([lon_lat]))[0]
    side = matrices.side / matrices.columns(z)
    return z, int((x - matrices.west) // side), int((matrices.north - y) // side)


def scene(rng: np.random.Generator, lon_lat: tuple[float, float], reach: float) -> list[Any]:
    made: list[Any] = []
    for _ in range(8):
        at = np.array(lon_lat) + rng.normal(size=2) * reach
        steps = np.cumsum(rng.normal(size=(6, 2)) * reach, axis=0)
        made += [
            shapely.Point(at),
            shapely.LineString(at + steps),
            shapely.Point(at).buffer(reach * rng.uniform(0.1, 2)),
            shapely.box(*at, *(at + reach * rng.uniform(0.1, 30, size=2))),
        ]
    return made


@pytest.mark.parametrize("name", SETS)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), z=st.integers(3, 15))
def test_tiles_hold_what_proj_and_shapely_leave_in_them_within_a_unit(
    name: str, seed: int, z: int
) -> None:
    matrices = MATRIX_SETS[name]
    rng = np.random.default_rng(seed)
    lon_lat = CENTRES.get(name, (139.7, 35.6))
    reach = 360.0 / 2 ** (z + matrices.mercator_zoom) / 4
    shapes = scene(rng, lon_lat, reach)
    place = place_of(matrices, lon_lat, z)
    found = decoded(
        rows_of(table_of(shapes, {"n": (Kind.INT, list(range(len(shapes))))})), matrices, place
    )
    for number, expected in enumerate(oracle(matrices, place, shapes)):
        inside = shapely.intersection(expected, FRAME)
        ours = found.get(f"f{number}")
        if ours is None:
            assert inside.is_empty or max(np.ptp(shapely.get_coordinates(inside), axis=0)) < 2
            continue
        assert ours["properties"]["n"] == number
        shape = shapely.geometry.shape(ours["geometry"])
        for one, other in ((shape, inside), (inside, shape)):
            if one.is_empty or other.is_empty:
                continue
            vertices = shapely.points(shapely.get_coordinates(one))
            # a line that is simplified meets the rim of the buffer elsewhere than it did
            vertices = vertices[shapely.contains_properly(FRAME.buffer(-1), vertices)]
            near = shapely.distance(vertices, other)
            assert near.max(initial=0) <= ALLOWED + 0.75 * (one is inside), (number, shape.geom_type)


def test_a_feature_that_reaches_around_the_world_is_cut_where_the_projection_ends() -> None:
    matrices = MATRIX_SETS["JGD2011Plane9"]
    world = shapely.box(-179, -80, 179, 85)
    stripe = shapely.LineString([(-170, 35.6), (175, 35.6)])
    place = place_of(matrices, (139.7, 35.6), 9)
    table = table_of([shapely.Point(139.7, 35.6), world, stripe], {"n": (Kind.INT, [0, 1, 2])})
    found = decoded(rows_of(table), matrices, place)
    assert list(found) == ["f0", "f1", "f2"], "all there, in their order"
    assert shapely.geometry.shape(found["f1"]["geometry"]).equals(FRAME)
    expected = shapely.intersection(oracle(matrices, place, [stripe])[0], FRAME)
    ours = shapely.geometry.shape(found["f2"]["geometry"])
    assert shapely.hausdorff_distance(ours, expected, 0.01) < 1.5


def test_a_feature_beyond_the_domain_leaves_nothing() -> None:
    matrices = MATRIX_SETS["JGD2011Plane9"]
    table = table_of(
        [shapely.box(-120, 30, -110, 40), shapely.Point(-40, 0)], {"n": (Kind.INT, [1, 2])}
    )
    assert decoded(rows_of(table), matrices, (0, 0, 0)) == {}


@settings(max_examples=50, deadline=None)
@given(
    positions=st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), min_size=4, max_size=9),
    name=st.sampled_from(SETS),
)
@example(positions=[(0.0, 0.0)] * 3 + [(109.0, 22.0)], name="JGD2011Plane1")
def test_whatever_the_shape_a_tile_is_written(positions: list[tuple[float, float]], name: str) -> None:
    shapes = [shapely.LineString(positions), shapely.Polygon(positions), shapely.MultiPoint(positions)]
    table = table_of(shapes, {"n": (Kind.INT, [1, 2, 3])})
    assert set(decoded(rows_of(table), MATRIX_SETS[name], (0, 0, 0))) <= {"f0", "f1", "f2"}
    near = rows_of(table_of([shapely.LineString([(139, 35), (139.01, 35)])], {"n": (Kind.INT, [1])}))
    near.tables[0].geometries.lon_lat_z[1] = np.nan
    assert set(decoded(near, MATRIX_SETS[name], (0, 0, 0))) <= {"f0"}


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_taken_geometries_are_those_of_the_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = np.array(
        [
            shapely.Point(1, 2),
            None,
            shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.Point(5, 5).buffer(1)]),
            shapely.Point(3, 3).buffer(2).difference(shapely.Point(3, 3).buffer(1)),
            shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 4), (5, 5)]]),
        ],
        object,
    )
    numbers = rng.integers(0, len(shapes), size=int(rng.integers(0, 9))).astype(np.int32)
    found = to_shapely(taken(from_shapely(shapes), numbers), np.arange(len(numbers), dtype=np.int32))
    assert [None if one is None else one.wkt for one in found] == [
        None if shapes[n] is None else shapes[n].wkt for n in numbers
    ]


def test_rows_of_web_mercator_are_handed_on_as_they_are() -> None:
    rows = rows_of(table_of([shapely.Point(1, 2)]))
    assert in_matrix_set(rows, WEB_MERCATOR_QUAD) is rows
