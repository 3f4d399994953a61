from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import shapely
from shapely import LineString, Point, box

from geoshare.access import views
from geoshare.access.build import build_views, sweep_views
from geoshare.access.precision import snap
from geoshare.access.views import Views, open_view
from geoshare.errors import NotFound, Unavailable
from geoshare.model.box import Box
from tests.access.town import Town, features, policy
from tiles.arrays import Kind

HERE = Point(139.7, 35.6)


def shelter(number: int, **properties: object) -> tuple[str, object, dict[str, object]]:
    return f"s{number}", Point(139.7 + number / 1000, 35.6), {"name": f"shelter {number}", **properties}


def test_a_view_shows_listed_columns_alone(town: Town) -> None:
    town.packs.publish("shelters", [shelter(1, max_capacity=10, notes="secret")])
    view = town.view(
        policy({"collections": ["shelters"], "columns": ["name", "max_capacity"]}), "shelters"
    )
    assert features(view) == {
        "s1": {"id": "s1", "name": "shelter 1", "max_capacity": 10, "geometry": "POINT (139.701 35.6)"}
    }
    assert list(view.schema()["properties"]) == ["name", "max_capacity"]
    assert "secret" not in repr(view.scan().tables[0].columns)
    with pytest.raises(KeyError):
        view.materialise(view.scan(), ["notes"])


def test_a_view_shows_rows_that_its_rule_holds_for(town: Town) -> None:
    town.packs.publish(
        "shelters", [shelter(1, max_capacity=10), shelter(2, max_capacity=50), shelter(3)]
    )
    rows = {"op": ">=", "args": [{"property": "max_capacity"}, 20]}
    held = policy({"collections": ["shelters"], "columns": ["name"], "rows": rows})
    view = town.view(held, "shelters")
    assert list(features(view)) == ["s2"]
    assert view.count == 1
    assert len(view.lookup(["s1", "s2", "s9"])) == 1
    assert len(view.search(Box(139, 35, 140, 36))) == 1
    assert len(view.search(Box(139.7005, 35, 139.7015, 36))) == 0
    assert view.extent is not None
    assert view.extent.west == pytest.approx(139.702, abs=1e-6)


def test_a_hidden_collection_and_an_unknown_one_are_not_told_apart(town: Town) -> None:
    town.packs.publish("lanes", [("a", LineString([(139, 35), (139.1, 35)]), {})])
    held = policy({"collections": ["shelters"], "columns": ["name"]})
    build_views([held], town.packs, town.views_dir)
    answers = []
    for name in ("lanes", "nonsense", "../../etc/passwd", "x" * 5000, ""):
        with pytest.raises(NotFound) as caught:
            town.views.get(held, name)
        answers.append((caught.value.message, caught.value.code, caught.value.allowed))
    assert len(set(answers)) == 1


def test_a_granted_collection_without_data_is_an_empty_one(town: Town) -> None:
    view = town.view(policy({"collections": ["shelters"], "columns": ["name"]}), "shelters")
    assert (view.count, view.extent, len(view.scan())) == (0, None, 0)
    assert view.materialise(view.scan()).column_names == ["id", "name", "geometry"]


def test_a_view_that_is_not_built_yet_is_unavailable(town: Town) -> None:
    with pytest.raises(Unavailable) as caught:
        town.views.get(policy({"collections": ["shelters"], "columns": ["name"]}), "shelters")
    assert caught.value.retry_after_s == 1


def test_a_view_that_is_damaged_is_unavailable_and_shows_nothing(town: Town) -> None:
    town.packs.publish("shelters", [shelter(1)])
    held = policy({"collections": ["shelters"], "columns": ["name"]})
    town.view(held, "shelters")
    manifest = town.views_dir / held.hash / "shelters.json"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    with pytest.raises(Unavailable):
        Views(town.views_dir, town.packs.folder).get(held, "shelters")


def test_a_worker_notices_a_replaced_view(town: Town) -> None:
    held = policy({"collections": ["shelters"], "columns": ["name"]})
    town.packs.publish("shelters", [shelter(1)])
    first = town.view(held, "shelters")
    town.packs.change("shelters", [shelter(2)], removed=["s1"])
    second = town.view(held, "shelters")
    assert list(features(second)) == ["s2"]
    assert list(features(first)) == ["s1"]
    assert first.token != second.token


def test_one_thread_opens_a_replaced_view_for_all_who_ask(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = policy({"collections": ["shelters"], "columns": ["name"]})
    town.packs.publish("shelters", [shelter(1)])
    town.view(held, "shelters")
    town.packs.change("shelters", [shelter(2)], removed=["s1"])
    build_views([held], town.packs, town.views_dir)
    opened, begun = [], threading.Event()

    def slow(*said: object) -> object:
        opened.append(said)
        begun.wait(0.2)  # the others come meanwhile
        return open_view(*said)

    monkeypatch.setattr(views, "open_view", slow)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: town.views.get(held, "shelters"), range(8)))
    assert len(opened) == 1
    assert len(set(map(id, found))) == 1
    assert list(features(found[0])) == ["s2"]


def test_only_a_change_that_a_view_shows_moves_its_token(town: Town) -> None:
    held = policy(
        {
            "collections": ["shelters"],
            "columns": ["name"],
            "rows": {"op": "=", "args": [{"property": "status"}, "open"]},
        }
    )
    town.packs.publish("shelters", [shelter(1, status="open", notes="a"), shelter(2, status="closed")])
    first = town.view(held, "shelters").token
    town.packs.change("shelters", [shelter(1, status="open", notes="b"), shelter(3, status="closed")])
    assert town.view(held, "shelters").token == first
    town.packs.change("shelters", [shelter(1, status="open", name="another name")])
    assert town.view(held, "shelters").token != first


def test_coarse_geometry_says_no_more_than_its_grid(town: Town) -> None:
    nodes = snap(np.array([[139.7, 35.6], [139.702, 35.6], [139.703, 35.602]]), 25.0)
    held = policy({"collections": ["segments"], "columns": ["name"], "precision_m": 25})
    shown = []
    for shift in (0.0, 2e-5, -3e-5):
        line = LineString(nodes + shift)
        town.packs.publish("segments", [("a", line, {"name": "x"})])
        shown.append(features(town.view(held, "segments"))["a"]["geometry"])
    assert shown == [LineString(nodes).wkt] * 3


def test_a_measure_of_a_cut_feature_is_null_and_the_cut_is_exact(town: Town) -> None:
    line = LineString([(139.0, 35.0), (139.2, 35.0)])
    town.packs.publish(
        "segments",
        [
            ("a", line, {"name": "x", "length_m": 99.0}),
            ("b", shapely.transform(line, lambda xy: xy + np.array([0, 5])), {"name": "far"}),
        ],
    )
    fence = shapely.geometry.mapping(box(138.9, 34.9, 139.1, 35.1))
    held = policy({"collections": ["segments"], "columns": ["name", "length_m"], "area": fence})
    assert features(town.view(held, "segments")) == {
        "a": {"id": "a", "name": "x", "length_m": None, "geometry": "LINESTRING (139 35, 139.1 35)"}
    }


def test_a_column_and_a_row_that_no_grant_allows_together_do_not_meet(town: Town) -> None:
    town.packs.publish(
        "shelters", [shelter(1, status="open", notes="n1"), shelter(2, status="closed", notes="n2")]
    )
    opened = {"op": "=", "args": [{"property": "status"}, "open"]}
    held = policy(
        {"collections": ["shelters"], "columns": ["name"]},
        {"collections": ["shelters"], "columns": ["name", "notes"], "rows": opened},
    )
    found = features(town.view(held, "shelters"))
    assert found["s1"]["notes"] == "n1"
    assert found["s2"]["notes"] is None
    assert found["s2"]["name"] == "shelter 2"


def test_references_to_features_outside_the_view_are_left_out(town: Town) -> None:
    line = LineString([(139.0, 35.0), (139.2, 35.0)])
    town.packs.publish(
        "segments", [("seen", line, {"class": "primary"}), ("hidden", line, {"class": "private"})]
    )
    town.packs.publish(
        "events",
        [
            ("e1", HERE, {"kind": "closure", "segment_ids": '["hidden","seen","nowhere"]'}),
            ("e2", HERE, {"kind": "closure", "segment_ids": '["seen"]'}),
            ("e3", HERE, {"kind": "closure", "segment_ids": '["hidden"]'}),
        ],
    )
    primary = {"op": "=", "args": [{"property": "class"}, "primary"]}
    held = policy(
        {"collections": ["events"], "columns": ["kind", "segment_ids"]},
        {"collections": ["segments"], "columns": ["class"], "rows": primary},
    )
    found = {key: value["segment_ids"] for key, value in features(town.view(held, "events")).items()}
    assert found == {"e1": '["seen"]', "e2": '["seen"]', "e3": None}
    whole = town.view(held, "events")
    for rows in (whole.scan(), whole.search((0, 0, 2**31 - 1, 2**31 - 1))):  # e2 alone is not rewritten
        assert whole.materialise(rows, [], None).column("id").to_pylist() == ["e1", "e2", "e3"]
    blind = policy({"collections": ["events"], "columns": ["kind", "segment_ids"]})
    assert {row["segment_ids"] for row in features(town.view(blind, "events")).values()} == {None}


def test_one_collection_that_cannot_be_read_does_not_hold_up_the_others(town: Town) -> None:
    town.packs.publish("shelters", [shelter(1)])
    town.packs.publish("places", [("p", HERE, {"name": "x"})])
    held = policy(
        {"collections": ["places"], "columns": ["name"]},
        {"collections": ["shelters"], "columns": ["name"]},
    )
    path = town.packs.folder / "places" / "1.part"
    path.write_bytes(path.read_bytes()[:100])
    assert list(features(town.view(held, "shelters"))) == ["s1"]
    with pytest.raises(Unavailable):
        town.views.get(held, "places")


def test_views_that_nobody_holds_any_more_are_swept(town: Town) -> None:
    town.packs.publish("shelters", [shelter(1)])
    one, two = (policy({"collections": ["shelters"], "columns": [name]}) for name in ("name", "notes"))
    build_views([one, two], town.packs, town.views_dir)
    assert sweep_views([one], town.views_dir, grace_s=3600) == []
    assert sweep_views([one], town.views_dir, grace_s=-1) == [two.hash]
    assert list(features(town.view(one, "shelters"))) == ["s1"]


def test_a_part_from_before_a_column_shows_it_as_null(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.access.town.fields_of", lambda about: {"name": Kind.STRING})
    town.packs.publish("shelters", [shelter(1)])
    empty = {"op": "isNull", "args": [{"property": "status"}]}
    held = policy({"collections": ["shelters"], "columns": ["name", "status"], "rows": empty})
    assert features(town.view(held, "shelters"))["s1"]["status"] is None


def test_collections_are_not_listed_until_the_views_of_a_new_policy_are_all_made(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.packs.publish("shelters", [shelter(1)])
    town.packs.publish("water", [])
    held = policy({"collections": ["shelters", "water"]})
    asked, source = [], town.packs.source

    def asking(collection: str):
        if town.views.names(held):
            with pytest.raises(Unavailable):
                town.views.check_whole(held)
            asked.append(collection)
        return source(collection)

    monkeypatch.setattr(town.packs, "source", asking)
    town.view(held, "shelters")
    assert asked == ["water"]
    town.views.check_whole(held)
    assert town.views.names(held) == ["shelters", "water"]
