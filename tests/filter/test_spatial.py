"""Relations of place through boxes and prepared literals, against each geometry asked on its own."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.errors import BadRequest, TooLarge
from geoshare.filter import Meter, check, evaluate, parse_text
from geoshare.filter.spatial import SPATIAL
from tests.filter.test_evaluate import table_of
from tiles.arrays import Kind
from tiles.grid import lon_lat_box_to_world

KINDS = {"number": Kind.INT}
TURNED = {"s_within": "contains", "s_contains": "within"}
# a grid of few places, so that edges and corners meet often
PLACE = st.integers(-3, 3).map(float)
POINT = st.tuples(PLACE, PLACE)
BOX = st.tuples(PLACE, PLACE, st.integers(1, 4), st.integers(1, 4)).map(
    lambda said: shapely.box(said[0], said[1], said[0] + said[2], said[1] + said[3])
)
LINE = st.lists(POINT, min_size=2, max_size=4, unique=True).map(shapely.LineString)
SHAPE = st.one_of(
    POINT.map(shapely.Point),
    BOX,
    LINE,
    st.lists(POINT, min_size=1, max_size=3, unique=True).map(shapely.MultiPoint),
    st.tuples(BOX, POINT).map(lambda two: two[0].difference(shapely.Point(two[1]).buffer(0.5, 1))),
).filter(lambda shape: not shape.is_empty and shape.geom_type != "GeometryCollection")


@settings(max_examples=20, deadline=None)
@given(shapes=st.lists(st.none() | SHAPE, max_size=6), literal=SHAPE)
def test_every_relation_is_that_of_the_two_geometries(tmp_path_factory, shapes, literal):
    table = table_of(
        [{"number": at, "geometry": shape} for at, shape in enumerate(shapes)],
        tmp_path_factory.getbasetemp(),
        KINDS,
    )
    order = np.argsort(table.column("number").values)
    for op in SPATIAL:
        relate = getattr(shapely, op.removeprefix("s_"))
        answers = {}
        for text in (f"{op}(geometry, {literal.wkt})", f"{op}({literal.wkt}, geometry)"):
            expression = check(parse_text(text), KINDS)
            answers[text] = list(evaluate(expression, table)[order])
            inverse = evaluate(check(parse_text(f"NOT ({text})"), KINDS), table)[order]
            known = np.array([shape is not None for shape in shapes], bool)
            assert list(inverse) == list(known & ~np.array(answers[text], bool))
        forward, backward = answers.values()
        assert forward == [shape is not None and bool(relate(shape, literal)) for shape in shapes], op
        assert backward == [shape is not None and bool(relate(literal, shape)) for shape in shapes], op


@settings(max_examples=20, deadline=None)
@given(
    points=st.lists(POINT, min_size=1, max_size=8),
    sides=st.tuples(*[st.integers(1, 3)] * 4),
)
def test_a_box_and_its_polygons_find_the_same_across_the_antimeridian(tmp_path_factory, points, sides):
    west, south, east, north = 180 - sides[0], -sides[1], 180 + sides[2], sides[3]
    rows = [
        {"number": at, "geometry": shapely.Point(x - 180 if x > 0 else x + 180, y)}
        for at, (x, y) in enumerate(points)
    ]
    table = table_of(rows, tmp_path_factory.getbasetemp(), KINDS)
    texts = (
        f"BBOX({west}, {south}, {east - 360}, {north})",
        shapely.box(west, south, east, north).wkt,
        shapely.box(west - 360, south, east - 360, north).wkt,
    )
    found = [
        list(evaluate(check(parse_text(f"S_INTERSECTS(geometry, {text})"), KINDS), table))
        for text in texts
    ]
    assert found[0] == found[1] == found[2]
    met = [-sides[0] <= x <= sides[2] and -sides[1] <= y <= sides[3] for x, y in points]
    assert found[0] == [met[int(number)] for number in table.column("number").values]


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("S_WITHIN(geometry, BBOX(1, 2, 3, 4))", [(1, 2, 3, 4)]),
        ("number = 1 AND S_TOUCHES(POINT(1 2), geometry)", [(1, 2, 1, 2)]),
        ("S_INTERSECTS(geometry, BBOX(0, 0, 9, 9)) AND S_EQUALS(geometry, POINT(1 2))", [(1, 2, 1, 2)]),
        (
            "S_CROSSES(geometry, BBOX(1, 2, 3, 4)) OR S_EQUALS(geometry, POINT(7 8))",
            [(1, 2, 3, 4), (7, 8, 7, 8)],
        ),
        ("S_INTERSECTS(geometry, BBOX(179, 0, -179, 1))", [(-180, 0, -179, 1), (179, 0, 180, 1)]),
        ("S_DISJOINT(geometry, BBOX(1, 2, 3, 4))", None),
        ("NOT (S_WITHIN(geometry, BBOX(1, 2, 3, 4)))", None),
        ("S_WITHIN(geometry, BBOX(1, 2, 3, 4)) OR number = 1", None),
        ("S_WITHIN(geometry, geometry)", None),
    ],
)
def test_the_r_tree_is_asked_where_a_filter_says_a_place(text, near):
    found = check(parse_text(text), KINDS).boxes
    if near is None:
        assert found is None
        return
    expected = {tuple(map(int, world)) for box in near for world in lon_lat_box_to_world(*box)}
    assert set(found) == expected


def test_a_filter_that_costs_too_much_is_refused_the_same_way_each_time(tmp_path):
    ring = shapely.Point(0, 0).buffer(5, 60)
    rows = [{"number": at, "geometry": ring} for at in range(20)]
    table = table_of(rows, tmp_path, KINDS)
    text = shapely.to_wkt(ring, rounding_precision=-1)
    hard = check(parse_text(f"number >= 0 AND S_OVERLAPS(geometry, {text})"), KINDS)
    easy = check(parse_text("number >= 0 AND S_OVERLAPS(geometry, BBOX(8, 8, 9, 9))"), KINDS)
    refused = []
    for _ in range(2):
        with pytest.raises(TooLarge) as caught:
            evaluate(hard, table, meter=Meter(50_000))
        refused.append((caught.value.message, caught.value.allowed, caught.value.parameter))
    assert refused[0] == refused[1]
    assert not evaluate(easy, table, meter=Meter(50_000)).any()
    assert len(evaluate(hard, table)) == len(rows)


def test_logic_asks_no_more_than_it_must(tmp_path):
    rows = [{"number": at, "geometry": shapely.box(0, 0, 1, 1)} for at in range(100)]
    table = table_of(rows, tmp_path, KINDS)
    area = "area_m2(geometry) > 1"
    for text, hits in ((f"{area} AND number = 3", 1), (f"NOT ({area}) OR number <> 3", 99)):
        found = evaluate(check(parse_text(text), KINDS), table, meter=Meter(60_000))
        assert np.count_nonzero(found) == hits
    with pytest.raises(TooLarge):
        evaluate(check(parse_text(f"{area} OR number = 3"), KINDS), table, meter=Meter(60_000))


@pytest.mark.parametrize(
    "text", ["POINT(1 91)", "BBOX(0, 5, 1, 4)", "POLYGON((0 0, 1 1))", "BBOX(1, 2, 3)"]
)
def test_a_geometry_that_is_none_is_refused(text):
    with pytest.raises(BadRequest):
        check(parse_text(f"S_INTERSECTS(geometry, {text})"), KINDS)


def test_shapes_that_a_vertex_settles_and_those_that_none_does_are_told_as_by_geometry(tmp_path):
    random = np.random.default_rng(4)
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    far = np.where(np.arange(24) % 2, 2.0, 5.0)
    star = shapely.Polygon(np.column_stack([np.cos(turns) * far, np.sin(turns) * far]))
    star = shapely.set_precision(star.difference(shapely.Point(0, 0).buffer(1.5, 4)), 1e-6)
    text = shapely.to_wkt(star, rounding_precision=6)
    star = shapely.from_wkt(text)
    starts = random.uniform(-6, 6, (800, 1, 2))
    lines = shapely.linestrings(starts + random.normal(0, 1, (800, 4, 2)).cumsum(axis=1) * 0.6)
    shapes = [*lines, *shapely.convex_hull(lines[:200]), *shapely.points(starts[:200, 0])]
    shapes += [shapely.Point(corner) for corner in star.exterior.coords]
    shapes += [shapely.LineString([(-9, 1), (9, 1.2)]), shapely.box(-9, -9, 9, 9), None]
    table = table_of(
        [{"number": at, "geometry": shape} for at, shape in enumerate(shapes)], tmp_path, KINDS
    )
    met = evaluate(check(parse_text(f"S_INTERSECTS(geometry, {text})"), KINDS), table)
    numbers = table.column("number").values
    expected = {at for at, shape in enumerate(shapes) if shape is not None and shape.intersects(star)}
    assert set(numbers[met].tolist()) == expected
    assert 100 < len(expected) < len(shapes) - 100
