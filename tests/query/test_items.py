"""Pages against a brute-force reading of everything the view shows."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.view import View
from geoshare.errors import BadRequest
from geoshare.model.box import Box
from geoshare.query.cursors import Cursors
from geoshare.query.items import ItemsPage, ItemsQuery, items, matching
from tests.access.town import Town, policy

CURSORS = Cursors(b"secret")
COORDINATE = st.integers(-4, 4).map(lambda number: number / 2)
POINT = st.tuples(COORDINATE, COORDINATE).map(shapely.Point)
LINE = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=2, max_size=3, unique=True).map(
    shapely.LineString
)
DAY_US = 86_400_000_000
DAYS = st.none() | st.integers(0, 6)


def ids(page: ItemsPage) -> list[str]:
    return [feature["id"] for feature in features(page)]


def features(page: ItemsPage) -> list[dict]:
    return json.loads(b"[" + page.geojson() + b"]")


def every_page(view: View, **query: object) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        page = items(view, ItemsQuery(cursor=cursor, **query), CURSORS)
        pages.append(ids(page))
        cursor = page.next_cursor
        if cursor is None:
            return pages


@settings(max_examples=40, deadline=None)
@given(
    shapes=st.lists(POINT | LINE | st.none(), max_size=25),
    split=st.integers(0, 25),
    limit=st.integers(1, 7),
    corners=st.tuples(COORDINATE, COORDINATE, COORDINATE, COORDINATE),
)
def test_pages_hold_every_match_once_in_an_order_of_their_own(
    tmp_path_factory, shapes, split, limit, corners
):
    town = Town(tmp_path_factory.mktemp("town"))
    rows = [(f"f{at:02d}", shape, {"name": f"n{at}"}) for at, shape in enumerate(shapes)]
    town.packs.publish("places", rows[:split], rows[split:])
    view = town.view(policy({"collections": ["places"], "columns": ["name"]}), "places")
    pages = every_page(view, limit=limit)
    assert sorted(chain.from_iterable(pages)) == [row[0] for row in rows]
    assert all(len(page) == limit for page in pages[:-1])
    box = Box(min(corners[0::2]), min(corners[1::2]), max(corners[0::2]), max(corners[1::2]))
    area = shapely.box(*box)
    expected = [row[0] for row in rows if row[1] is not None and row[1].intersects(area)]
    page = items(view, ItemsQuery(bbox=box, limit=limit), CURSORS)
    assert page.number_matched == len(expected)
    boxed = list(chain.from_iterable(every_page(view, bbox=box, limit=limit)))
    assert sorted(boxed) == expected
    assert boxed == [name for name in list(chain.from_iterable(pages)) if name in expected]
    every = view.materialise(matching(view, box), [], None).column("id").to_pylist()
    assert every == boxed  # whichever part a row lies in


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(DAYS, DAYS), max_size=12),
    ends=st.tuples(DAYS, DAYS).filter(lambda ends: ends != (None, None)),
)
def test_a_time_selects_what_meets_it_with_both_ends_closed(tmp_path_factory, rows, ends):
    town = Town(tmp_path_factory.mktemp("town"))
    here = shapely.Point(0, 0)
    events = []
    for number, (start, end) in enumerate(rows):
        said = {
            "kind": "closure",
            "valid_from": start and start * DAY_US,
            "valid_to": end and end * DAY_US,
        }
        events.append((f"e{number:02d}", here, said))
    town.packs.publish("events", events)
    view = town.view(
        policy({"collections": ["events"], "columns": ["kind", "valid_from", "valid_to"]}), "events"
    )
    first, last = ends
    if first is not None and last is not None and first > last:
        first, last = last, first
    text = "/".join(
        ".." if day is None else f"1970-01-{1 + day:02d}T00:00:00Z" for day in (first, last)
    )
    page = items(view, ItemsQuery(datetime=text, limit=100), CURSORS)
    low, high = (-1 if first is None else first), (99 if last is None else last)
    expected = [
        f"e{number:02d}"
        for number, (start, end) in enumerate(rows)
        if (start or -9 if start != 0 else 0) <= high and (99 if end is None else end) >= low
    ]
    assert sorted(ids(page)) == expected


@pytest.fixture
def view(tmp_path: Path) -> View:
    town = Town(tmp_path)
    rows = [
        (f"p{n}", shapely.Point(179 + n / 5, 10), {"name": f"駅 {n}", "rank": n, "class": "station"})
        for n in range(5)
    ]
    rows += [("far", shapely.Point(-179.5, 10), {"name": "far", "rank": 9})]
    town.packs.publish("places", rows)
    return town.view(policy({"collections": ["places"], "columns": ["name", "rank"]}), "places")


def test_a_box_may_cross_the_antimeridian(view):
    assert sorted(ids(items(view, ItemsQuery(bbox=Box(179.5, 0, -179, 20)), CURSORS))) == [
        "far",
        "p3",
        "p4",
    ]


def test_a_filter_and_chosen_properties_work_on_visible_columns(view):
    page = items(
        view, ItemsQuery(filter="rank >= 3 AND name LIKE '駅%'", properties=("rank",)), CURSORS
    )
    assert sorted(feature["properties"]["rank"] for feature in features(page)) == [3, 4]
    assert all(set(feature["properties"]) == {"rank"} for feature in features(page))


@pytest.mark.parametrize("name", ["class", "nonsense"])
def test_hidden_and_unknown_properties_are_refused_in_the_same_words(view, name):
    for query in (ItemsQuery(properties=(name,)), ItemsQuery(filter=f"{name} = 'x'")):
        with pytest.raises(BadRequest) as caught:
            items(view, query, CURSORS)
        assert name not in f"{caught.value.message} {caught.value.allowed}"


def test_a_cursor_belongs_to_its_request_and_cannot_be_made_up(view):
    page = items(view, ItemsQuery(limit=2), CURSORS)
    assert page.next_cursor is not None
    asked = ItemsQuery().digest(view)
    other = Cursors(b"other").seal(asked, *CURSORS.open(asked, page.next_cursor))
    wrong = [
        ItemsQuery(limit=2, cursor=page.next_cursor, bbox=Box(0, 0, 180, 80)),
        ItemsQuery(limit=2, cursor=page.next_cursor[:-1]),
        ItemsQuery(limit=2, cursor="x"),
        ItemsQuery(limit=2, cursor=other),
    ]
    for query in wrong:
        with pytest.raises(BadRequest) as caught:
            items(view, query, CURSORS)
        assert caught.value.parameter == "cursor"
    assert len(items(view, ItemsQuery(limit=3, cursor=page.next_cursor), CURSORS).rows) == 3


def test_paging_goes_on_where_it_was_while_rows_come_and_go(tmp_path):
    town = Town(tmp_path)
    held = policy({"collections": ["places"], "columns": ["name"]})
    rows = [(f"p{n}", shapely.Point(n, 0), {"name": str(n)}) for n in range(8)]
    town.packs.publish("places", rows)
    page = items(town.view(held, "places"), ItemsQuery(limit=3), CURSORS)
    first = ids(page)
    town.packs.change("places", [("new", rows[0][1], {"name": "new"})], removed=[first[-1]])
    rest = []
    while page.next_cursor is not None:
        page = items(town.view(held, "places"), ItemsQuery(limit=3, cursor=page.next_cursor), CURSORS)
        rest += ids(page)
    assert set(rest) - {"new"} == {row[0] for row in rows} - set(first)
    assert len(set(rest)) == len(rest)
