from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiles.packs import geometries
from tiles.arrays import GeometryType
from tiles.errors import BadGeometry
from tiles.geometry.convert import from_shapely, from_wkb, take, to_shapely, to_wkb, world_boxes
from tiles.grid import lon_lat_to_world

shape_lists = st.lists(geometries, max_size=12)


def array_of(shapes):
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return array


def same(left, right):
    """Equal to the last bit, NaN heights included."""
    return shapely.to_wkb(left, flavor="iso") == shapely.to_wkb(right, flavor="iso")


def normal(shape):
    """What a shape is kept as: empty is none, heights that are all unknown are no heights."""
    if shape is None or shape.is_empty:
        return None
    if shape.has_z and np.isnan(shapely.get_coordinates(shape, include_z=True)[:, 2]).all():
        return shapely.force_2d(shape)
    return shape


@settings(max_examples=60, deadline=None)
@given(shape_lists)
def test_every_geometry_comes_back_as_it_was(shapes):
    expected = [normal(shape) for shape in shapes]
    for got, want in zip(to_shapely(from_shapely(array_of(shapes))), expected, strict=True):
        assert same(got, want)


@settings(max_examples=60, deadline=None)
@given(shape_lists)
def test_wkb_is_what_shapely_writes(shapes):
    expected = [
        None if shape is None else shapely.to_wkb(shape, flavor="iso") for shape in map(normal, shapes)
    ]
    assert to_wkb(from_shapely(array_of(shapes))) == expected


@settings(max_examples=60, deadline=None)
@given(shape_lists, st.sampled_from(["iso", "extended"]), st.booleans())
def test_reading_wkb_gives_the_same_arrays_as_reading_shapes(shapes, flavor, as_arrow):
    wkb = [None if shape is None else shapely.to_wkb(shape, flavor=flavor) for shape in shapes]
    got = from_wkb(pa.array(wkb, pa.binary()) if as_arrow else wkb)
    want = from_shapely(array_of(shapes))
    for name in ("types", "part_starts", "ring_starts", "vertex_starts"):
        np.testing.assert_array_equal(getattr(got, name), getattr(want, name))
    axes = got.lon_lat_z.shape[1]  # two where there are no heights
    np.testing.assert_array_equal(got.lon_lat_z, want.lon_lat_z[:, :axes])
    assert axes == 3 or np.isnan(want.lon_lat_z[:, 2]).all()


@settings(max_examples=60, deadline=None)
@given(geometries, st.data())
def test_damaged_wkb_is_refused_or_read_as_something_whole(shape, data):
    wkb = bytearray(shapely.to_wkb(shape if shape is not None else shapely.Point(1, 2)))
    for _ in range(data.draw(st.integers(0, 3))):
        wkb[data.draw(st.integers(0, len(wkb) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(wkb[: data.draw(st.integers(1, len(wkb)))])
    try:
        got = from_wkb([damaged])
    except BadGeometry:
        return
    assert got.vertex_starts[-1] == len(got.lon_lat_z)
    assert len(to_shapely(got)) == 1


def test_wkb_with_an_srid_or_big_endian_is_read_all_the_same():
    point = shapely.set_srid(shapely.Point(1, 2), 4326)
    wkb = [shapely.to_wkb(point, include_srid=True), shapely.to_wkb(point, byte_order=0)]
    assert to_shapely(from_wkb(wkb)).tolist() == [shapely.Point(1, 2)] * 2


@settings(max_examples=40, deadline=None)
@given(st.lists(geometries, min_size=1, max_size=8), st.data())
def test_taking_rows_copies_them_and_their_world_coordinates(shapes, data):
    rows = np.array(data.draw(st.permutations(range(len(shapes)))))
    whole = from_shapely(array_of(shapes))
    taken, taken_xy = take(whole, lon_lat_to_world(whole.lon_lat_z), rows)
    assert to_wkb(taken) == to_wkb(whole, rows)
    assert (taken_xy == lon_lat_to_world(taken.lon_lat_z)).all()


@settings(max_examples=40, deadline=None)
@given(shape_lists)
def test_boxes_span_the_vertices(shapes):
    flat = from_shapely(array_of(shapes))
    world = lon_lat_to_world(flat.lon_lat_z)
    for shape, box in zip(shapes, world_boxes(flat, world), strict=True):
        if normal(shape) is None:
            assert box[0] > box[2]
            continue
        own = lon_lat_to_world(shapely.get_coordinates(shape))
        assert box.tolist() == [*own.min(axis=0), *own.max(axis=0)]


def test_empty_parts_of_a_multi_geometry_are_left_out():
    shape = shapely.from_wkt("MULTIPOLYGON (EMPTY, ((0 0, 1 0, 1 1, 0 0)))")
    assert to_shapely(from_shapely([shape]))[0].wkt == "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))"


def test_a_ring_is_a_line():
    assert (
        from_shapely([shapely.LinearRing([(0, 0), (1, 0), (1, 1)])]).types[0] == GeometryType.LINESTRING
    )


def test_a_collection_is_refused_by_its_place():
    with pytest.raises(BadGeometry, match="geometry 1 is a collection"):
        from_shapely([None, shapely.GeometryCollection([shapely.Point(0, 0)])])


def test_nothing_in_is_nothing_out():
    assert to_shapely(from_shapely([])).tolist() == []
    assert to_wkb(from_wkb([])) == []
