"""A fence across 180 degrees: boxes, systems and tiles on either side know nothing from beyond it."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from geoshare.access.grant_faults import area_faults
from geoshare.model.crs import CRS84, EPSG
from geoshare.query.cursors import Cursors
from geoshare.query.items import ItemsQuery, items
from geoshare.query.tiles import max_zoom, vector_tile
from geoshare.query.tilesets import tilejson
from geoshare.query.windows import read_window
from tests.access.test_never_more import by_items
from tests.access.town import Row, Town, policy
from tiles.matrices import MATRIX_SETS

SOUTH, NORTH, FAR = 35.0, 35.04, 0.03  # the fence reaches so many degrees from the antimeridian
BEYOND = {"type": "Polygon", "coordinates": [[
    [180 - FAR, SOUTH], [180 + FAR, SOUTH], [180 + FAR, NORTH], [180 - FAR, NORTH], [180 - FAR, SOUTH],
]]}  # fmt: skip
FENCE = shapely.MultiPolygon(
    [shapely.box(180 - FAR, SOUTH, 180, NORTH), shapely.box(-180, SOUTH, FAR - 180, NORTH)]
)
SPLIT = json.loads(shapely.to_geojson(FENCE))
CURSORS = Cursors(b"secret")
BOXES = {  # west, south, east, north around 180 degrees
    "across": (179.985, 35.005, -179.98, 35.03),
    "to it": (179.98, 35.01, 180, 35.05),
    "from it": (-180, 34.99, -179.99, 35.02),
    "all": (-180, -90, 180, 90),
}


def wrapped(shape: BaseGeometry) -> BaseGeometry:
    """A shape around 180 degrees, cut there as contributions are."""
    west = shapely.intersection(shape, shapely.box(0, -90, 180, 90))
    east = shapely.intersection(shape, shapely.box(180, -90, 360, 90))
    moved = shapely.transform(east, lambda lon_lat: lon_lat - [360, 0])
    parts = [part for side in (west, moved) for part in shapely.get_parts(side) if not part.is_empty]
    many = {0: shapely.multipoints, 1: shapely.multilinestrings, 2: shapely.multipolygons}
    return parts[0] if len(parts) == 1 else many[shapely.get_dimensions(parts[0])](parts)


def drawn(rng: random.Random, count: int, reach: float) -> list[BaseGeometry]:
    found: list[BaseGeometry] = []
    for number in range(count):
        at = np.array([180 + rng.uniform(-reach, reach), rng.uniform(SOUTH - 0.02, NORTH + 0.02)])
        to = at + np.array([rng.uniform(-0.03, 0.03), rng.uniform(-0.02, 0.02)])
        shapes = (shapely.Point(at), shapely.LineString([at, to]), shapely.box(*at, *(at + 0.01)))
        found.append(wrapped(shapes[number % 3]))
    return found


def rows(full: bool) -> list[Row]:
    """What meets the fence; the full record has more beyond it."""
    found = [
        (f"e{number}", shape, {"name": f"n{number}"})
        for number, shape in enumerate(drawn(random.Random(4), 60, 0.05))
        if shapely.intersects(shape, FENCE) and not shapely.touches(shape, FENCE)
    ]
    hidden = [
        (f"{'dx'[number % 2]}{number}", shape, {"name": "hidden"})
        for number, shape in enumerate(drawn(random.Random(5), 90, 0.08))
        if shapely.disjoint(shape, FENCE)
    ]
    mixed = [*found, *hidden] if full else found
    random.Random(6).shuffle(mixed)
    return mixed


@pytest.fixture(scope="module", params=["beyond 180", "split"])
def views(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    said = {"collections": ["events"], "columns": ["name"]}
    holds = policy({**said, "area": BEYOND if request.param == "beyond 180" else SPLIT})
    made = []
    for full in (False, True):
        town = Town(tmp_path_factory.mktemp("town"))
        town.packs.publish("events", rows(full))
        made.append(town.view(holds, "events"))
    return made


def allowed() -> dict[str, BaseGeometry]:
    return {key: shapely.intersection(shape, FENCE) for key, shape, _ in rows(full=False)}


def test_what_is_shown_is_what_lies_in_the_fence_on_both_sides(views: Any) -> None:
    plain, full = views
    found = by_items(full)
    assert set(found) == set(allowed())
    for key, shape in allowed().items():
        assert found[key].difference(shape.buffer(1e-7)).is_empty
        assert shape.difference(found[key].buffer(1e-7)).is_empty
    assert any(shape.bounds[0] < 0 for shape in found.values())
    assert any(shape.bounds[2] > 0 for shape in found.values())
    assert (plain.count, plain.extent, plain.token) == (full.count, full.extent, full.token)
    assert tilejson([plain], "a", "b") == tilejson([full], "a", "b")


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("code", [None, 4326, 3857, 6677])
def test_boxes_across_it_find_what_they_should_in_every_system(
    views: Any, box: str, code: int | None
) -> None:
    west, south, east, north = BOXES[box]
    crs = CRS84 if code is None else f"{EPSG}{code}"
    numbers: tuple[float, ...] = {4326: (south, west, north, east)}.get(code or 0, BOXES[box])
    if code in (3857, 6677):
        if box != "to it":
            return  # systems of metres have no box that crosses it, or none of the world
        from_degrees = {3857: (20035281.2, 4163881.1, 20037508.3, 4169318.2), 6677: (0, 0, 1, 1)}
        numbers = from_degrees[code]
    window = read_window(",".join(map(str, numbers)), crs)
    query = ItemsQuery(bbox=window.box, area=window.area, limit=1000)
    plain, full = (items(view, query, CURSORS) for view in views)
    assert plain.geojson() == full.geojson()
    assert plain.number_matched == full.number_matched
    if code in (None, 4326):
        sides = [(west, east)] if west <= east else [(west, 180), (-180, east)]
        asked = shapely.union_all([shapely.box(a, south, b, north) for a, b in sides])
        expected = {key for key, shape in allowed().items() if shape.intersects(asked)}
        assert {item["id"] for item in json.loads(b"[" + full.geojson() + b"]")} == expected


def test_tiles_on_both_sides_are_the_same_whatever_lies_beyond_the_fence(views: Any) -> None:
    found = 0
    for matrices in MATRIX_SETS.values():
        for z in range(0, max_zoom(matrices) + 1, 2):
            for box in ((179.96, 34.99, 180, 35.05), (-180, 34.99, -179.96, 35.05)):
                covering = matrices.covering(z, box)
                if covering is None:
                    continue
                (first, last), (top, bottom) = covering
                for x in {first, last, (first + last) // 2}:
                    for y in {top, bottom, (top + bottom) // 2}:
                        said = [vector_tile([view], z, x, y, matrices) for view in views]
                        assert said[0] == said[1]
                        found += bool(said[1])
    assert found > 40


def test_an_edge_half_around_the_world_is_refused_where_a_fence_is_written() -> None:
    ring = [[179, 35], [-179, 35], [-179, 36], [179, 36], [179, 35]]  # a belt, or a strip at 180?
    ((key, message, may),) = area_faults({"type": "Polygon", "coordinates": [ring]})
    assert key == "area"
    assert "half around the world" in message
    assert "beyond 180" in may
    belt = [[-180, 35], [180, 35], [180, 36], [-180, 36], [-180, 35]]
    for said in (BEYOND, SPLIT, {"type": "Polygon", "coordinates": [belt]}):
        assert list(area_faults(said)) == []
