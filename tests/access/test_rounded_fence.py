"""Where a tier rounds places and has a fence, the rounded places alone decide what is shown."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from tests.access.test_never_more import MODE, areas, held
from tests.access.town import Town, features
from tests.leaks.shaken_town import shaken

SIZE_M = 150.0
HALF_DEG = 0.5 * SIZE_M / 90_000
SIDE = 0.016  # degrees, of the square that areas lie in
SPOT = st.tuples(st.floats(0, SIDE), st.floats(0, SIDE)).map(lambda at: (139.7 + at[0], 35.6 + at[1]))
SHAPE = st.one_of(
    SPOT.map(shapely.Point),
    st.lists(SPOT, min_size=2, max_size=4, unique=True).map(shapely.LineString),
    SPOT.map(lambda at: shapely.box(*at, at[0] + 0.003, at[1] + 0.004)),
)


def elsewhere(shape: BaseGeometry, rng: random.Random) -> BaseGeometry:
    said = shaken(json.loads(shapely.to_geojson(shape)), rng, SIZE_M)
    return shapely.from_geojson(json.dumps(said))


def shown(folder: Path, shapes: list[BaseGeometry], fence: BaseGeometry, mode: str) -> Any:
    town = Town(folder)
    town.packs.publish("events", [(f"e{n}", shape, {"name": "x"}) for n, shape in enumerate(shapes)])
    return features(town.view(held(fence, mode, SIZE_M), "events"))


@settings(max_examples=25, deadline=None)
@given(
    shapes=st.lists(SHAPE, min_size=1, max_size=8),
    fence=areas(),
    mode=MODE,
    seed=st.integers(0, 99),
    edge=st.booleans(),
)
def test_exact_places_that_are_told_the_same_are_shown_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    shapes: list[BaseGeometry],
    fence: BaseGeometry,
    mode: str,
    seed: int,
    edge: bool,
) -> None:
    rng = random.Random(seed)
    if edge:  # nearly on the edge of the fence, where one step more is beyond it
        ring = shapely.get_coordinates(fence)
        shapes = [*shapes, *(shapely.Point(at + rng.uniform(-1, 1) * HALF_DEG) for at in ring)]
    moved = [elsewhere(shape, rng) for shape in shapes]
    folder = tmp_path_factory.mktemp("town")
    found = shown(folder / "one", shapes, fence, mode)
    assert found == shown(folder / "other", moved, fence, mode)
    for key in found:
        number = int(key[1:])
        assert fence.intersects(shapes[number])
        assert fence.intersects(moved[number])


def test_what_lies_well_inside_a_fence_is_shown_though_it_is_rounded(tmp_path: Path) -> None:
    fence = shapely.box(139.7, 35.6, 139.72, 35.62)
    grid = np.linspace(0.0025, 0.0175, 12)
    shapes = [shapely.Point(139.7 + x, 35.6 + y) for x in grid for y in grid]
    assert len(shown(tmp_path, shapes, fence, "clip")) == len(shapes)
