"""Transforms, delays and windows as a view shows them, and how they move with the tick."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import shapely

from geoshare.model.policy import Policy
from tests.access.test_rasters import asset, view_of
from tests.access.town import Town, features, policy
from tiles.arrays import Kind

NOW_US = 1_790_000_000_000_000
HOUR_US = 3_600_000_000
HERE = shapely.Point(139.7, 35.6)


def bound(agreement: str, **grant: Any) -> Policy:
    found = policy({"collections": ["shelters"], **grant})
    return Policy(tuple(grant.bound(agreement) for grant in found.grants))


def at(hours: int) -> datetime:
    return datetime.fromtimestamp((NOW_US + hours * HOUR_US) / 1e6, UTC)


def test_a_column_is_shown_as_its_transform_leaves_it(town: Town) -> None:
    rows = [("a", HERE, {"name": "x", "max_capacity": 117}), ("b", HERE, {"name": "y"})]
    town.packs.publish("shelters", rows)
    seen = bound(
        "one",
        columns=["name", "max_capacity"],
        transforms={"max_capacity": {"kind": "round", "step": 10}, "name": {"kind": "null"}},
    )
    view = town.view(seen, "shelters")
    found = features(view)
    assert [found[key]["max_capacity"] for key in "ab"] == [120, None]
    assert [found[key]["name"] for key in "ab"] == [None, None]
    assert view.unchanged == frozenset()
    town.packs.change("shelters", [("a", HERE, {"name": "z", "max_capacity": 121})])
    assert town.view(seen, "shelters").token == view.token  # nothing that is shown has changed


def test_a_number_that_is_hashed_is_a_text_in_values_and_schema_and_differs_by_agreement(town: Town):
    town.packs.publish("shelters", [("a", HERE, {"max_capacity": 117}), ("b", HERE, {})])
    hashed = {"columns": ["max_capacity"], "transforms": {"max_capacity": {"kind": "hash"}}}
    found = []
    for agreement in ("one", "two"):
        view = town.view(bound(agreement, **hashed), "shelters")
        assert view.fields == {"max_capacity": Kind.STRING}
        assert view.schema()["properties"]["max_capacity"]["type"] == ["string", "null"]
        values = {key: row["max_capacity"] for key, row in features(view).items()}
        assert values["b"] is None
        found.append(values["a"])
        assert b"117" not in view.geojson(view.scan())
    assert found[0] != found[1]
    unbound = town.view(bound("", **hashed), "shelters")  # nobody's: no key, no value
    assert {row["max_capacity"] for row in features(unbound).values()} == {None}


def test_rows_of_one_grant_are_rounded_and_those_of_another_stay(town: Town) -> None:
    rows = [("a", HERE, {"name": "x", "max_capacity": 117}), ("b", HERE, {"max_capacity": 118})]
    town.packs.publish("shelters", rows)
    rule = {"op": "isNull", "args": [{"property": "name"}]}
    rounded = {"transforms": {"max_capacity": {"kind": "round", "step": 10}}}
    both = policy(
        {"collections": ["shelters"], "columns": ["max_capacity"], **rounded},
        {"collections": ["shelters"], "columns": ["max_capacity"], "rows": rule},
    )
    found = features(town.view(both, "shelters"))
    assert {key: row["max_capacity"] for key, row in found.items()} == {"a": 120, "b": 118}


def test_a_delay_and_a_window_move_with_the_tick_and_tell_where_they_did(town: Town) -> None:
    rows = [(f"e{hour}", shapely.Point(139 + hour, 35), {"valid_from": at(hour)}) for hour in range(4)]
    rows.append(("when", HERE, {"name": "at some time"}))
    town.packs.publish("events", rows)
    seen = policy(
        {"collections": ["events"], "columns": ["name"], "delay": "PT1H", "window": "PT3H"},
    )
    assert features(town.view(seen, "events")) == {}  # without a tick nothing is old enough
    shown, tokens, moved = [], [], []
    for hour in range(5):
        before = tokens[-1] if tokens else ""
        view = town.view(seen, "events", NOW_US + hour * HOUR_US)
        shown.append("".join(sorted(key[1:] for key in features(view))))
        tokens.append(view.token)
        boxes = view.changes_since(before)
        moved.append(None if boxes is None else len(boxes))
    assert shown == ["", "0", "01", "012", "123"]
    assert moved == [None, 1, 1, 1, 2]
    later = town.view(seen, "events", NOW_US + 4 * HOUR_US + 1)  # a moment later
    assert sorted(features(later)) == ["e2", "e3"]


def test_a_property_of_a_raster_that_is_made_null_is_not_shown(tmp_path) -> None:
    columns = {"columns": ["datetime", "cloud_cover"], "bands": "all"}
    nulled = columns | {"transforms": {"cloud_cover": {"kind": "null"}}}
    view = view_of(tmp_path, policy({"collections": ["satellite"], **nulled}), asset(1, 33.0))
    assert view.count == 1
    assert not view.has_column("cloud_cover")
    assert "33" not in repr(view.assets[0].properties)
