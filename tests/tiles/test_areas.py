"""What numbers decide about an area agrees with shapely, and what they leave open is left open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiles.conftest import table_of
from tests.tiles.test_near import DEGREES, POINT, SHAPES
from tiles.geometry.areas import prepare_area
from tiles.geometry.convert import world_boxes
from tiles.geometry.meeting import meeting_area

EVERYWHERE = st.tuples(DEGREES, DEGREES)
FREE = st.one_of(
    EVERYWHERE.map(shapely.Point),
    st.lists(EVERYWHERE, min_size=2, max_size=5, unique=True).map(shapely.LineString),
    st.lists(EVERYWHERE, min_size=2, max_size=4, unique=True).map(shapely.MultiPoint),
)
STAR = shapely.Polygon([(0, 0), (3, 1), (4, 4), (2, 2), (-2, 3), (-1, 1)])


def _area_of(corners: list[tuple[float, float]]) -> shapely.Geometry:
    found = shapely.make_valid(shapely.Polygon(corners))
    polygons = [part for part in shapely.get_parts(found) if part.geom_type == "Polygon"]
    return shapely.MultiPolygon(polygons) if len(polygons) != 1 else polygons[0]


AREAS = st.lists(st.one_of(POINT, EVERYWHERE), min_size=3, max_size=9, unique=True).map(_area_of)


def _met(
    shapes: list[shapely.Geometry | None], area: shapely.Geometry, *, boxed: bool
) -> tuple[np.ndarray, np.ndarray]:
    table = table_of(shapes)
    boxes = world_boxes(table.geometries, table.world_xy) if boxed else None
    ready = prepare_area(area)
    assert ready is not None
    return meeting_area(replace(table, boxes=boxes), np.arange(len(shapes), dtype=np.int32), ready)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.one_of(SHAPES, FREE), min_size=1, max_size=12),
    AREAS.filter(lambda area: prepare_area(area) is not None),
    st.booleans(),
)
def test_decided_relations_are_those_of_shapely(
    shapes: list[shapely.Geometry], area: shapely.Geometry, boxed: bool
) -> None:
    met, unsure = _met(shapes, area, boxed=boxed)
    decided = np.delete(np.arange(len(shapes)), unsure)
    truth = shapely.intersects(area, np.array(shapes, dtype=object))
    assert met[decided].tolist() == truth[decided].tolist()
    assert not met[unsure].any()


def test_nearly_everything_is_decided_and_holes_are_no_part_of_an_area() -> None:
    random = np.random.default_rng(3)
    turns = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    rims = [np.column_stack([np.cos(turns), np.sin(turns)]) * far + (139.7, 35.6) for far in (0.2, 0.1)]
    ring = shapely.Polygon(rims[0], [rims[1]])
    starts = random.uniform((139.4, 35.3), (140.0, 35.9), (2000, 2))
    lines = [shapely.LineString([at, at + random.normal(0, 0.01, 2)]) for at in starts]
    met, unsure = _met(lines, ring, boxed=True)
    assert met.tolist() == shapely.intersects(ring, lines).tolist()
    assert len(unsure) == 0
    assert 0 < met.sum() < len(lines)


def test_touching_is_left_open_and_so_are_polygons_that_may_surround_the_area() -> None:
    shapes = [
        shapely.Point(0, 0),
        shapely.LineString([(3, 1), (5, 1)]),
        shapely.box(-9, -9, 9, 9),
        shapely.box(10, 10, 11, 11),
        shapely.Point(1, 1),
        None,
    ]
    met, unsure = _met(shapes, STAR, boxed=True)
    assert unsure.tolist() == [0, 1, 2]
    assert met.tolist() == [False, False, False, False, True, False]


def test_what_would_take_too_long_is_left_open() -> None:
    teeth = [(place * 1e-3, float(place % 2)) for place in range(1201)]
    comb = shapely.Polygon([*teeth, (1.2, -0.01), (0.0, -0.01)])
    between_teeth = [shapely.Point(0.6 + place * 2e-3, 0.9) for place in range(4)]
    met, unsure = _met(between_teeth, comb, boxed=False)
    assert not shapely.intersects(comb, between_teeth).any()
    assert unsure.tolist() == [1, 2, 3]
    assert not met.any()


def test_areas_too_small_or_too_near_the_poles_are_not_made_ready() -> None:
    assert prepare_area(shapely.box(0, 0, 1e-9, 1e-9)) is None
    assert prepare_area(shapely.box(0, 80, 1, 89)) is None
    assert prepare_area(shapely.LineString([(0, 0), (1, 1)])) is None
    assert prepare_area(shapely.Polygon()) is None
    assert prepare_area(shapely.box(0, 0, 1, 1)) is not None
