"""As known at a time: what a view showed then, and nothing that it never showed."""

from __future__ import annotations

import json

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access import kept
from geoshare.access.as_of import AsOf
from geoshare.access.kept import Keeping, kept_path
from geoshare.access.memory import Memory
from geoshare.access.purge import purge_views
from geoshare.access.view import View
from geoshare.errors import Gone
from geoshare.model.policy import Policy
from tests.access.test_incremental import (
    COLLECTIONS,
    FILL,
    HOUR_US,
    NOW_US,
    POLICIES,
    built,
    changes,
    held,
    rows_of,
)
from tests.access.town import Town, features, policy

WINDOWED = ("fenced and coarse", "events")


def opened(town: Town, holds: Policy, name: str) -> View:
    view = town.views.get(holds, name)
    assert isinstance(view, View)
    return view


@settings(max_examples=5, deadline=None)
@given(
    kind=st.sampled_from(sorted(POLICIES)),
    first=st.fixed_dictionaries({name: rows_of(name, 8) for name in COLLECTIONS}),
    series=st.lists(changes(), min_size=2, max_size=4),
    hours=st.lists(st.integers(0, 3), min_size=6, max_size=6),
)
def test_as_known_at_a_time_is_what_was_shown_at_that_time(
    tmp_path_factory, kind, first, series, hours
):
    folder = tmp_path_factory.mktemp("town")
    town, holds, memory = Town(folder), held(kind), Memory()
    past = AsOf(town.views_dir, folder / "scratch")
    tick_us = NOW_US - 4 * HOUR_US
    for name, rows in first.items():
        town.packs.publish(name, [*FILL[name], *rows])
    built(town, holds, town.views_dir, memory, tick_us)
    shown = {(tick_us, name): told(opened(town, holds, name)) for name in COLLECTIONS}
    for step, (name, anew, rows, gone) in enumerate(series):
        if anew:
            town.packs.publish(name, [*FILL[name], *rows])
        else:
            town.packs.change(name, rows, gone)
        tick_us += hours[step] * HOUR_US + 1
        built(town, holds, town.views_dir, memory, tick_us)
        shown |= {(tick_us, name): told(opened(town, holds, name)) for name in COLLECTIONS}
    for (moment_us, name), then in shown.items():
        now = opened(town, holds, name)
        if (kind, name) == WINDOWED:
            with pytest.raises(Gone):
                past.view(now, moment_us)
            continue
        assert told(past.view(now, moment_us)) == then
    assert not list((folder / "scratch").glob("*"))


def told(view: View) -> tuple[object, ...]:
    """All that is told of a view, and of what lies in a box of it."""
    box = view.search((-(2**31), -(2**31), 2**31 - 1, 2**31 - 1))
    texts = json.loads(b"[" + view.geojson(view.scan()) + b"]")
    return view.count, {item["id"]: item for item in texts}, len(box)


@pytest.fixture
def places(tmp_path):
    """A town whose places are published, and moved at the second and third hour."""
    town, holds = Town(tmp_path), policy({"collections": ["places"], "columns": ["name"]})
    town.packs.publish(
        "places", [(f"p{at}", shapely.Point(139.7, 35.6), {"name": "a"}) for at in range(50)]
    )
    built(town, holds, town.views_dir, town.memory, HOUR_US)
    for hour in (2, 3):
        town.packs.change(
            "places", [("p1", shapely.Point(139.7 + hour / 10, 35.6), {"name": str(hour)})]
        )
        built(town, holds, town.views_dir, town.memory, hour * HOUR_US)
    return town, holds, AsOf(town.views_dir, tmp_path / "scratch")


def name_at(places, hour: float) -> str:
    town, holds, past = places
    return features(past.view(opened(town, holds, "places"), int(hour * HOUR_US)))["p1"]["name"]


def test_each_moment_has_the_newest_state_before_it_and_the_future_is_now(places):
    assert [name_at(places, hour) for hour in (1, 1.9, 2, 2.5, 3, 99)] == ["a", "a", "2", "2", "3", "3"]
    with pytest.raises(Gone):
        name_at(places, 0.9)


def test_what_a_crash_tore_is_not_read_and_what_is_erased_is_not_known(places):
    town, holds, _ = places
    path = kept_path(town.views_dir, holds.hash, "places")
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(Gone):
        name_at(places, 2.5)
    purge_views(town.views_dir, [holds.hash], ["places"], [])
    assert not path.exists()
    with pytest.raises(Gone):
        name_at(places, 2.5)
    assert name_at_now(places) == "3"


def name_at_now(places) -> str:
    town, holds, _ = places
    return features(opened(town, holds, "places"))["p1"]["name"]


def test_old_steps_go_and_what_came_after_them_is_still_known(places, monkeypatch):
    town, holds, _ = places
    path = kept_path(town.views_dir, holds.hash, "places")
    before = path.stat().st_size
    monkeypatch.setattr(kept, "MAX_BYTES", before + 100)
    for hour in range(4, 12):
        town.packs.change("places", [("p1", shapely.Point(139.7, 35.6), {"name": str(hour)})])
        built(town, holds, town.views_dir, town.memory, hour * HOUR_US)
        assert path.stat().st_size <= before + 1000
    assert name_at(places, 10) == "10"
    with pytest.raises(Gone):
        name_at(places, 3)


def test_other_rights_begin_anew(tmp_path):
    writer = Keeping(kept_path(tmp_path, "p", "events"))
    (tmp_path / "p").mkdir()
    writer.begin("a", 1, "area 1")
    writer.add("a", "b", 2, None, "area 1")
    assert kept.way_back(tmp_path / "p" / "events.past", "b", 1) is None
    assert kept.way_back(tmp_path / "p" / "events.past", "b", 2).ids == frozenset()
