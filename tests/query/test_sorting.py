"""Sorted pages against Python's own sorting of everything that the view shows."""

from __future__ import annotations

import json

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.view import View
from geoshare.errors import BadRequest, TooLarge
from geoshare.query import items as pages
from geoshare.query import sorting
from geoshare.query.cursors import Cursors
from geoshare.query.items import ItemsQuery, items
from tests.access.town import Town, policy

CURSORS = Cursors(b"secret")
TEXTS = st.none() | st.sampled_from(["", "a", "A", "Å", "b", "駅", "駅前", "zz"])
NUMBERS = st.none() | st.integers(-3, 3)


def every_page(view: View, **query: object) -> list[dict]:
    found, cursor = [], None
    while True:
        page = items(view, ItemsQuery(cursor=cursor, **query), CURSORS)
        found += json.loads(b"[" + page.geojson() + b"]")
        cursor = page.next_cursor
        if cursor is None:
            return found


def sort(features: list[dict], text: str) -> list[dict]:
    """Stable, one key after the other from the last one on; what is unknown comes last."""
    for part in reversed(text.split(",")):
        name = part.lstrip("+-")

        def value(feature: dict, name: str = name) -> object:
            return feature["id"] if name == "id" else feature["properties"][name]

        known = [feature for feature in features if value(feature) is not None]
        rest = [feature for feature in features if value(feature) is None]
        features = sorted(known, key=value, reverse=False)
        if part.startswith("-"):
            groups: dict[object, list[dict]] = {}
            for feature in features:
                groups.setdefault(value(feature), []).append(feature)
            features = [feature for group in reversed(groups.values()) for feature in group]
        features += rest
    return features


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(st.tuples(TEXTS, NUMBERS), max_size=20),
    split=st.integers(0, 20),
    limit=st.integers(1, 6),
    sortby=st.sampled_from(["name", "-name", "rank,-name", "-rank,name", "+rank", "-id", "-rank,id"]),
)
def test_sorted_pages_hold_every_match_once_in_the_order_asked_for(
    tmp_path_factory, rows, split, limit, sortby
):
    town = Town(tmp_path_factory.mktemp("town"))
    made = [
        (f"f{at:02d}", shapely.Point(at % 3, 0), {"name": name, "rank": rank})
        for at, (name, rank) in enumerate(rows)
    ]
    town.packs.publish("places", made[:split], made[split:])
    view = town.view(policy({"collections": ["places"], "columns": ["name", "rank"]}), "places")
    expected = sort(every_page(view, limit=100), sortby)
    found = every_page(view, limit=limit, sortby=sortby)
    assert [feature["id"] for feature in found] == [feature["id"] for feature in expected]


@pytest.fixture
def view(tmp_path) -> View:
    town = Town(tmp_path)
    rows = [
        (f"p{n:02d}", shapely.Point(n, 10), {"name": f"{n % 3}" * 300, "rank": n, "class": "x"})
        for n in range(12)
    ]
    town.packs.publish("places", rows)
    return town.view(policy({"collections": ["places"], "columns": ["name", "rank"]}), "places")


def test_long_texts_have_short_cursors_and_are_paged_through(view):
    page = items(view, ItemsQuery(limit=2, sortby="name"), CURSORS)
    assert len(page.next_cursor) < 800
    found = every_page(view, limit=2, sortby="-name,-rank")
    assert [feature["properties"]["rank"] for feature in found] == [
        11,
        8,
        5,
        2,
        10,
        7,
        4,
        1,
        9,
        6,
        3,
        0,
    ]


@pytest.mark.parametrize(
    "text", ["class", "nonsense", "name,class", "", "geometry", "--rank", "+-rank"]
)
def test_what_cannot_be_sorted_by_is_refused_in_the_same_words(view, text):
    with pytest.raises(BadRequest) as caught:
        items(view, ItemsQuery(sortby=text), CURSORS)
    assert caught.value.parameter == "sortby"
    assert caught.value.allowed == "name, rank, id"
    assert "class" not in caught.value.message


def test_a_cursor_is_of_one_order(view):
    page = items(view, ItemsQuery(limit=2, sortby="name"), CURSORS)
    for sortby in ("-name", "name,rank", None):
        with pytest.raises(BadRequest, match="cursor"):
            items(view, ItemsQuery(limit=2, sortby=sortby, cursor=page.next_cursor), CURSORS)


def test_a_page_is_found_though_counting_every_match_costs_too_much(view, monkeypatch):
    query = {"filter": "rank > 2 AND name IS NOT NULL", "limit": 2}
    expected = every_page(view, **query)
    assert items(view, ItemsQuery(**query), CURSORS).number_matched == len(expected) == 9
    monkeypatch.setattr(pages, "COUNTING", 500)
    monkeypatch.setattr(pages, "_STRIDE", 2)
    assert items(view, ItemsQuery(**query), CURSORS).number_matched is None
    assert every_page(view, **query) == expected
    monkeypatch.setattr(pages, "WALKING", 500)
    with pytest.raises(TooLarge):
        every_page(view, **query)


def test_sorting_has_a_price_as_well(view, monkeypatch):
    monkeypatch.setattr(sorting, "_PER_ROW", 10**9)
    with pytest.raises(TooLarge) as caught:
        items(view, ItemsQuery(sortby="rank"), CURSORS)
    assert caught.value.parameter == "sortby"
