"""Kept tiles: what a fresh one would be, made again where a change shows, shared where views agree."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.content import content_digest
from geoshare.access.view import View
from geoshare.model.policy import Policy
from geoshare.query.tiles import BUFFER, EXTENT, Place, rows_shown, search_boxes, vector_tile
from geoshare.services import tiles as module
from geoshare.services.bodies import Kept
from geoshare.services.contents import ENTRY_BYTES, Contents
from geoshare.services.tiles import MAX_WAIT_S, Tiles
from tests.access.town import Row, Town, policy
from tiles.matrices import MATRIX_SETS

LON, LAT = 139.7, 35.6
SETS = {"WebMercatorQuad": range(5, 17), "WorldCRS84Quad": range(4, 16), "JGD2011Plane9": range(1, 13)}


def places(lon: float = LON, lat: float = LAT, around: int = 0) -> list[Place]:
    """Tiles of every set and several zooms at a point, and their neighbours."""
    found = []
    for name, zooms in SETS.items():
        matrices = MATRIX_SETS[name]
        for z in zooms:
            (column, _), (row, _) = matrices.covering(z, (lon, lat, lon, lat)) or ((0, 0), (0, 0))
            for x, y in itertools.product(range(-around, around + 1), repeat=2):
                if 0 <= column + x < matrices.columns(z) and 0 <= row + y < matrices.rows(z):
                    found.append(Place(name, z, column + x, row + y))
    return found


def finish(content: bytes) -> Kept:
    return Kept(f"tag {hash(content)}", "", content)


class Counting(Tiles):
    """Tiles that note what is encoded and how long anybody is kept waiting."""

    def __init__(self, budget_bytes: int = 50_000_000) -> None:
        self.made: list[bytes] = []
        self.waits: list[float] = []
        self.now = 0.0
        super().__init__(budget_bytes, timer=lambda: self.now, sleep=self.waits.append)

    def ask(self, views: list[View], place: Place) -> Kept:
        def make(content: bytes) -> Kept:
            self.made.append(content)
            return finish(content)

        known = self.known(views, place, "")
        answer = self.answer(views, place, "", make)
        assert known is None or (known.tag, known.payload) == (answer.tag, answer.payload)
        return answer


def fresh(views: list[View], place: Place) -> bytes:
    return vector_tile(views, place.z, place.x, place.y, place.matrices)


def street(key: str, lon: float, lat: float, **said: Any) -> Row:
    line = shapely.LineString([(lon, lat), (lon + 0.004, lat + 0.003)])
    return key, line, {"class": "primary", "name": key, **said}


def scattered(rng: np.random.Generator, count: int, reach: float) -> list[Row]:
    starts = rng.uniform((LON - reach, LAT - reach), (LON + reach, LAT + reach), size=(count, 2))
    return [street(f"s{n}", lon, lat) for n, (lon, lat) in enumerate(starts)]


def place_at(lon: float, lat: float, z: int) -> Place:
    """A tile of WebMercatorQuad."""
    spans = MATRIX_SETS["WebMercatorQuad"].covering(z, (lon, lat, lon, lat))
    assert spans is not None
    return Place("WebMercatorQuad", z, spans[0][0], spans[1][0])


def held(**grant: Any) -> Policy:
    return policy({"collections": ["segments", "shelters"], "columns": ["name", "class"], **grant})


def fence(*box: float) -> dict[str, Any]:
    return shapely.geometry.mapping(shapely.box(*box))


# Invalidation

positions = st.tuples(st.floats(LON - 0.02, LON + 0.02), st.floats(LAT - 0.02, LAT + 0.02))
HIDDEN = {"class": "private"}


@st.composite
def steps(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Changes: rows added, moved, renamed, removed; hidden ones too; or all parts written anew."""
    found = []
    for _ in range(draw(st.integers(1, 4))):
        some = draw(st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True))
        rows = [
            street(f"s{n}", *draw(positions), **(HIDDEN if draw(st.booleans()) else {"name": f"n{n}"}))
            for n in some
        ]
        removed = draw(
            st.lists(st.integers(0, 9).filter(lambda n, some=some: n not in some), max_size=2)
        )
        collection = draw(st.sampled_from(["segments", "segments", "shelters"]))
        found.append({"in": collection, "rows": rows, "removed": [f"s{n}" for n in set(removed)]})
    return found


def as_points(collection: str, rows: list[Row]) -> list[Row]:
    if collection == "segments":
        return rows
    return [(key, shapely.Point(shape.coords[0]), {"name": said["name"]}) for key, shape, said in rows]


@settings(max_examples=12, deadline=None)
@given(changes=steps(), seed=st.integers(0, 2**32))
def test_after_any_changes_kept_tiles_are_fresh_and_untouched_ones_are_not_made_again(
    tmp_path_factory: pytest.TempPathFactory, changes: list[dict[str, Any]], seed: int
) -> None:
    town = Town(tmp_path_factory.mktemp("town"))
    rng = np.random.default_rng(seed)
    start = [
        street(f"s{n}", *rng.uniform((LON - 0.02, LAT - 0.02), (LON + 0.02, LAT + 0.02)))
        for n in range(10)
    ]
    holds = held(
        rows={"op": "in", "args": [{"property": "name"}, ["n1", "s1", "s2", "n4", "s4", "s7", "n9"]]}
    )
    for name in ("segments", "shelters"):
        town.packs.publish(name, as_points(name, start))
    kept = Counting()
    asked = places() + places(LON + 0.015, LAT - 0.01)

    def views() -> dict[str, View]:
        return {name: town.view(holds, name) for name in ("segments", "shelters")}

    mixes = [("segments",), ("segments", "shelters")]
    before = views()
    was = {(mix, place): kept.ask([before[n] for n in mix], place) for mix in mixes for place in asked}
    for change in changes:
        rows = as_points(change["in"], change["rows"])
        town.packs.change(change["in"], rows, removed=change["removed"])
        now = views()
        for mix, place in itertools.product(mixes, asked):
            seen = [now[name] for name in mix]
            made = len(kept.made)
            answer = kept.ask(seen, place)
            assert answer.payload == fresh(seen, place)
            if all(not meets(now[n].changes_since(before[n].token), place) for n in mix):
                assert len(kept.made) == made, "what no change touched is not made again"
                assert answer.tag == was[mix, place].tag
            was[mix, place] = answer
        before = now


def meets(boxes: Any, place: Place) -> bool:
    assert boxes is not None
    west, south, east, north = np.asarray(search_boxes(place))[0]
    return bool(
        (
            (boxes[:, 0] <= east)
            & (boxes[:, 2] >= west)
            & (boxes[:, 1] <= north)
            & (boxes[:, 3] >= south)
        ).any()
    )


def test_a_change_in_the_buffer_of_a_tile_is_seen_in_it(town: Town) -> None:
    place = place_at(LON, LAT, 16)
    west, south, east, north = place.matrices.degrees(place.z, place.x, place.y)
    side = east - west
    beside = shapely.Point(east + side * BUFFER / EXTENT / 2, (south + north) / 2)
    beyond = shapely.Point(east + side * BUFFER / EXTENT * 2, (south + north) / 2)
    rows = [("far", shapely.Point(LON + 1, LAT), {"name": "far"})]
    town.packs.publish("shelters", rows)
    kept = Counting()
    empty = kept.ask([town.view(held(), "shelters")], place)
    assert empty.payload == b""
    town.packs.change("shelters", [("beyond", beyond, {"name": "beyond"})])
    assert kept.ask([town.view(held(), "shelters")], place).payload == b""
    town.packs.change("shelters", [("beside", beside, {"name": "beside"})])
    assert b"beside" in kept.ask([town.view(held(), "shelters")], place).payload


def test_an_answer_to_a_view_that_has_been_replaced_is_not_taken_for_the_new_ones(town: Town) -> None:
    place = place_at(LON, LAT, 14)
    town.packs.publish("segments", [street("old", LON, LAT)])
    first = town.view(held(), "segments")
    town.packs.change("segments", [street("new", LON, LAT)], removed=["old"])
    second = town.view(held(), "segments")
    kept = Counting()
    assert b"old" in kept.ask([first], place).payload
    assert b"new" in kept.ask([second], place).payload
    assert b"old" in kept.ask([first], place).payload
    assert b"new" in kept.ask([second], place).payload
    assert len(kept.made) == 2


def test_a_view_that_cannot_tell_what_changed_is_looked_at_again_and_made_only_if_it_differs(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(View, "changes_since", lambda view, token: None)
    town.packs.publish("segments", [street("here", LON, LAT), street("there", LON + 0.5, LAT)])
    kept, asked = Counting(), places()
    first = [kept.ask([town.view(held(), "segments")], place) for place in asked]
    made = len(kept.made)
    town.packs.change("segments", [street("there", LON + 0.6, LAT)])
    again = [kept.ask([town.view(held(), "segments")], place) for place in asked]
    assert len(kept.made) - made < len(asked) / 2, "deep tiles show nothing of it"
    assert [a.tag for a in again][-3:] == [a.tag for a in first][-3:]


# Sharing


def test_views_that_agree_inside_a_tile_share_one_making_and_others_do_not(town: Town) -> None:
    rows = [street(f"s{n}", LON + 0.01 * n, LAT) for n in range(6)]
    town.packs.publish("segments", rows)
    wide = town.view(held(area=fence(LON - 1, LAT - 1, LON + 1, LAT + 1)), "segments")
    narrow = town.view(held(area=fence(LON - 1, LAT - 1, LON + 0.021, LAT + 1)), "segments")
    nameless = town.view(policy({"collections": ["segments"], "columns": ["class"]}), "segments")
    inside, across = place_at(LON + 0.002, LAT + 0.001, 16), place_at(LON + 0.021, LAT, 14)
    kept = Counting()
    for place, shared in ((inside, True), (across, False)):
        kept.made.clear()
        one, other = kept.ask([wide], place), kept.ask([narrow], place)
        assert one.payload == fresh([wide], place)
        assert other.payload == fresh([narrow], place)
        assert (len(kept.made) == 1) is shared
    kept.made.clear()
    assert kept.ask([nameless], inside).payload == fresh([nameless], inside)
    assert len(kept.made) == 1, "other columns are another content"


GRANTS: list[dict[str, Any]] = [
    {},
    {"columns": ["class"]},
    {"columns": ["class", "name"]},
    {"rows": {"op": "=", "args": [{"property": "name"}, "s1"]}},
    {"rows": {"op": "=", "args": [{"property": "name"}, "s2"]}},
    {"rows": {"op": "in", "args": [{"property": "name"}, ["s3", "s21"]]}},
    {"rows": {"op": "in", "args": [{"property": "name"}, ["s4", "s21"]]}},
    {"area": fence(LON - 0.01, LAT - 1, LON + 0.01, LAT + 1)},
    {"area": fence(LON - 0.02, LAT - 1, LON + 0.01, LAT + 1)},
    {"area": fence(LON - 0.01, LAT - 1, LON + 0.01, LAT + 1), "area_mode": "whole"},
    {"precision_m": 30},
    {"transforms": {"name": {"kind": "null"}}},
]


def test_equal_names_are_equal_contents_whatever_the_policies(town: Town) -> None:
    rng = np.random.default_rng(3)
    rows = [
        street(f"s{n}", *rng.uniform((LON - 0.03, LAT - 0.02), (LON + 0.03, LAT + 0.02)))
        for n in range(30)
    ]
    town.packs.publish("segments", rows[:20], rows[20:])
    views = [town.view(held(**grant), "segments") for grant in GRANTS]
    shared = 0
    for place in places(around=1):
        contents: dict[bytes, bytes] = {}
        for view in views:
            name, content = content_digest(view, rows_shown(view, place)), fresh([view], place)
            assert contents.setdefault(name, content) == content
            shared += 1
        shared -= len(contents)
    assert shared > 100, "and there is much to share"


@pytest.mark.parametrize("where", ["anywhere", "in their own area"])
def test_fifty_fenced_consumers_reach_nine_tenths_of_the_hits_of_one(town: Town, where: str) -> None:
    """A seeded trace of places and zooms, each asked for by one of 50 organisations.

    Either all of them look at the same few places, or each at its own area, some far more than others.
    """
    rng = np.random.default_rng(11)
    side = 0.02  # of 10 x 5 municipalities, about 2 km
    corners = [(LON + x * side, LAT + y * side) for x in range(10) for y in range(5)]
    starts = rng.uniform((LON, LAT), (LON + 10 * side, LAT + 5 * side), size=(1500, 2))
    rows = [street(f"s{n}", lon, lat) for n, (lon, lat) in enumerate(starts)]
    town.packs.publish("segments", rows)
    whole = town.view(held(), "segments")
    fenced = [town.view(held(area=fence(x, y, x + side, y + side)), "segments") for x, y in corners]
    centres = rng.uniform((LON, LAT), (LON + 10 * side, LAT + 5 * side), size=(12, 2))
    one, many = Counting(), Counting()
    for _ in range(6000):
        if where == "anywhere":
            consumer = int(rng.integers(50))
            lon, lat = centres[int(rng.zipf(1.5)) % 12] + rng.normal(size=2) * side
        else:
            consumer = int(rng.zipf(1.3)) % 50
            lon, lat = np.array(corners[consumer]) + rng.uniform(0, side, size=2)
        zoom = int(rng.choice([11, 12, 13, 14, 15, 16], p=[0.03, 0.07, 0.15, 0.25, 0.25, 0.25]))
        place = place_at(lon, lat, zoom)
        one.ask([whole], place)
        many.ask([fenced[consumer]], place)
    assert 6000 - len(many.made) >= 0.9 * (6000 - len(one.made)), (len(many.made), len(one.made))


def test_who_meets_a_tile_first_waits_as_long_as_for_a_making(town: Town) -> None:
    place = place_at(LON + 0.002, LAT + 0.001, 15)
    town.packs.publish("segments", [street("s", LON, LAT)])
    first = town.view(held(area=fence(LON - 1, LAT - 1, LON + 1, LAT + 1)), "segments")
    second = town.view(held(area=fence(LON - 2, LAT - 1, LON + 1, LAT + 1)), "segments")
    kept = Counting()

    def slow(content: bytes) -> Kept:
        kept.now += 0.05
        return finish(content)

    kept.answer([first], place, "", slow)
    kept.answer([first], place, "", slow)
    assert kept.waits == [], "who made it has waited, and who has met it before need not"
    kept.answer([second], place, "", slow)
    assert kept.waits == [pytest.approx(0.05)]
    kept.answer([second], place, "", slow)
    assert len(kept.waits) == 1
    assert max(kept.waits) <= MAX_WAIT_S


def test_nothing_is_one_answer_for_every_tile_and_view(town: Town) -> None:
    town.packs.publish("segments", [street("s", LON, LAT)])
    views = [town.view(held(**grant), "segments") for grant in ({}, {"precision_m": 10})]
    kept = Counting()
    far = [place for place in places(LON + 3, LAT + 3) if place.zoom > 10]
    answers = {kept.ask([view], place) for view in views for place in far}
    assert {answer.payload for answer in answers} == {b""}
    assert len(kept.made) == 1
    assert kept.waits == []


# Budget


def test_no_budget_keeps_nothing_and_looks_at_no_digest(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.packs.publish("segments", [street("s", LON, LAT)])
    view, place = town.view(held(), "segments"), place_at(LON, LAT, 13)
    monkeypatch.setattr(module, "content_digest", None)
    kept = Counting(0)
    assert kept.ask([view], place).payload == kept.ask([view], place).payload == fresh([view], place)
    assert len(kept.made) == 2


def test_tiles_and_what_is_remembered_of_them_stay_within_the_budget(town: Town) -> None:
    town.packs.publish("segments", [street("s", LON, LAT)])
    view = town.view(held(), "segments")
    budget = 3_000_000
    kept = Tiles(budget)
    tracemalloc.start()
    for number in range(20_000):
        place = Place("WebMercatorQuad", 20, number, number)
        kept.bodies.get_or_make(((bytes([number % 256]) * 16,), place, ""), lambda: finish(bytes(200)))
        kept._contents.put(view, place, number.to_bytes(16, "little"))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < budget


def test_digests_not_asked_for_longest_are_forgotten_first(town: Town) -> None:
    town.packs.publish("segments", [street("s", LON, LAT)])
    view = town.view(held(), "segments")
    contents = Contents(2 * ENTRY_BYTES)
    first, second, third = (Place("WebMercatorQuad", 9, x, 0) for x in range(3))
    contents.put(view, first, b"1")
    contents.put(view, second, b"2")
    assert contents.get(view, first) == b"1"
    contents.put(view, third, b"3")
    assert [contents.get(view, place) for place in (first, second, third)] == [b"1", None, b"3"]
