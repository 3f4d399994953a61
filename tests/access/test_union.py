"""Several grants together give what each of them gives, and nothing that none of them gives.

A world of few places, columns and hours is small enough to ask each grant about each of them by itself;
that is the judge. What is judged is what views are built from.
"""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.compile import treatments
from geoshare.filter import fields_of
from geoshare.model.collections import RELEASE, known
from geoshare.model.policy import Grant
from tiles.arrays import Kind
from tiles.geometry.convert import from_shapely, to_shapely
from tiles.pack import Part, open_part, write_part

HOUR_US = 3_600_000_000
TICK_US = 1_000 * HOUR_US
PLACES, AGES = range(5), (0, 3, 9, 30)  # places lie at x + 0.5; ages are in hours
COLUMNS = ("kind", "status", "name", "reason")
KINDS = ("closure", "roadwork")
EVENTS = known()["events"]
EVERY = list(itertools.product(PLACES, AGES, KINDS))
CLASSES = ("open", "partners", "staff")  # in turns


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Part:
    """One event of each kind and age at each place."""
    shapes = [shapely.Point(place + 0.5, 0.5) for place, _, _ in EVERY]
    return make(tmp_path_factory.mktemp("points"), shapes)


@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> Part:
    """The same, each as long as three places."""
    shapes = [shapely.LineString([(place - 1.3, 0.5), (place + 1.3, 0.5)]) for place, _, _ in EVERY]
    return make(tmp_path_factory.mktemp("roads"), shapes)


def make(folder: Path, shapes: list[Any]) -> Part:
    times = [TICK_US - age * HOUR_US for _, age, _ in EVERY]
    table = pa.table(
        {
            "id": [str(number) for number in range(len(EVERY))],
            "kind": [kind for _, _, kind in EVERY],
            "valid_from": pa.array(times, pa.timestamp("us", "UTC")),
            RELEASE: [None if name == "open" else name for name in map(released, range(len(EVERY)))],
        }
    )
    path = folder / "events.part"
    kinds = fields_of(EVENTS) | {RELEASE: Kind.STRING}
    write_part(path, table, from_shapely(np.array(shapes, object)), kinds)
    return open_part(path)


def released(number: int) -> str:
    """The release class of an event."""
    return CLASSES[number % 3]


def strip(west: int, east: int) -> dict[str, Any]:
    ring = [[west, 0], [east, 0], [east, 1], [west, 1], [west, 0]]
    return {"type": "Polygon", "coordinates": [ring]}


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    west = draw(st.integers(0, 4))
    east = draw(st.integers(west + 1, 5))
    hours = st.sampled_from([1, 6, 20])
    delay = draw(st.none() | hours)
    window = draw(st.none() | st.sampled_from([24, 48]))
    rows = {"op": "=", "args": [{"property": "kind"}, draw(st.sampled_from(KINDS))]}
    return Grant(
        collections=("events",),
        columns=tuple(draw(st.sets(st.sampled_from(COLUMNS)))),
        area=draw(st.none() | st.just(strip(west, east))),
        area_mode=draw(st.sampled_from(["clip", "whole"])),
        delay=None if delay is None else timedelta(hours=delay),
        window=None if window is None else timedelta(hours=window),
        rows=draw(st.none() | st.just(rows)),
        release_classes=tuple(draw(st.sets(st.sampled_from(CLASSES), min_size=1))),
    )


def gives(grant: Grant, place: float, age: float, kind: str, release_class: str) -> bool:
    """The judge: whether a grant shows what lies at a place, is so old, of that kind and class."""
    if release_class not in grant.release_classes:
        return False
    if grant.delay is not None and age < grant.delay.total_seconds() / 3600:
        return False
    if grant.window is not None and age > grant.window.total_seconds() / 3600:
        return False
    if grant.rows is not None and grant.rows["args"][1] != kind:
        return False
    if grant.area is None:
        return True
    ring = grant.area["coordinates"][0]
    return ring[0][0] < place < ring[1][0]


def shown(held: list[Grant], part: Part) -> dict[int, tuple[Any, frozenset[str]]]:
    """Geometry and columns of every row that a view would show."""
    found = {}
    alive = np.ones(len(part), bool)
    for group in treatments(held, EVENTS, part.table, alive, TICK_US):
        for row in group.rows:
            shape = to_shapely(part.table.geometries, np.array([row], np.int32))[0]
            area = shape if group.area is None else shapely.intersection(shape, group.area)
            number = int(ids(part)[row])
            assert number not in found
            found[number] = area, group.columns
    return found


def ids(part: Part) -> list[str]:
    from tiles.arrays import Rows
    from tiles.pack import materialise

    rows = np.arange(len(part), dtype=np.int32)
    return materialise(Rows((part.table,), (rows,)), ["id"], None).column("id").to_pylist()


HELD = st.lists(grants(), min_size=1, max_size=4)


@settings(max_examples=50, deadline=None)
@given(HELD)
def test_at_every_place_and_time_a_column_is_shown_exactly_if_some_grant_gives_it(points, held):
    found = shown(held, points)
    for number, (place, age, kind) in enumerate(EVERY):
        giving = [grant for grant in held if gives(grant, place + 0.5, age, kind, released(number))]
        assert (number in found) == bool(giving)
        if giving:
            columns = {name for grant in giving for name in grant.columns}
            assert found[number][1] == columns


@settings(max_examples=50, deadline=None)
@given(HELD, HELD)
def test_together_two_policies_show_the_union_of_what_each_shows(points, one, two):
    both, first, second = (shown(held, points) for held in (one + two, one, two))
    for number in range(len(EVERY)):
        columns = [part[number][1] for part in (first, second) if number in part]
        assert (number in both) == bool(columns)
        if columns:
            assert both[number][1] == frozenset().union(*columns)


@settings(max_examples=50, deadline=None)
@given(HELD)
def test_of_what_crosses_fences_no_column_is_shown_where_no_grant_gives_it(roads, held):
    found = shown(held, roads)
    for number, (middle, age, kind) in enumerate(EVERY):
        whole = [  # grants that choose whole features, or whose fence holds all of it
            grant for grant in held if _covers(grant, middle, age, kind, released(number))
        ]
        shape, columns = found.get(number, (shapely.Point(), frozenset()))
        for x in np.arange(middle - 1.25, middle + 1.3, 0.25):
            giving = [grant for grant in held if gives(grant, x, age, kind, released(number))] + whole
            if shapely.distance(shape, shapely.Point(x, 0.5)) < 1e-9 and x % 1:
                assert giving
                for name in columns:
                    assert any(name in grant.columns for grant in giving)
            elif x % 1:
                assert not giving
        if whole:
            assert columns == {name for grant in whole for name in grant.columns}


def _covers(grant: Grant, middle: float, *about: Any) -> bool:
    ends = [gives(grant, middle + step, *about) for step in (-1.3, 1.3)]
    if all(ends):
        return True
    inside = any(gives(grant, x, *about) for x in np.arange(middle - 1.3, middle + 1.3, 0.05))
    return grant.area_mode == "whole" and inside


@settings(max_examples=50, deadline=None)
@given(HELD, st.permutations(range(4)))
def test_the_order_of_grants_says_nothing(points, held, order):
    turned = [held[place] for place in order if place < len(held)]
    assert {key: value[1] for key, value in shown(held, points).items()} == {
        key: value[1] for key, value in shown(turned, points).items()
    }
