"""A view tells where it changed: exactly the places of rows that somebody may see to have changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.changes import MAX_STEPS, Step, merged, touched_since
from geoshare.access.memory import Memory
from geoshare.access.view import View
from geoshare.model.collections import Collection, from_schema, known
from geoshare.model.policy import Policy
from tests.access.town import Row, Town, features, policy
from tiles.grid import lon_lat_to_world

OPEN = {"op": "=", "args": [{"property": "status"}, "open"]}


def shelter(number: int, at: float = 0.0, status: str = "open", **said: Any) -> Row:
    place = shapely.Point(139.7 + number / 1000 + at, 35.6)
    return f"s{number}", place, {"name": f"shelter {number}", "status": status, **said}


def world(*lon_lats: tuple[float, float]) -> list[list[int]]:
    """Boxes of points, in order."""
    found = lon_lat_to_world(np.array([[*lon_lat, 0.0] for lon_lat in lon_lats]))
    return sorted([x, y, x, y] for x, y in found.tolist())


def told(view: View, token: str) -> list[list[int]] | None:
    boxes = view.changes_since(token)
    return None if boxes is None else sorted(boxes.tolist())


def held(**grant: Any) -> Policy:
    return policy({"collections": ["shelters"], "columns": ["name"], **grant})


def test_added_changed_and_removed_rows_are_told_with_their_places_before_and_after(town: Town) -> None:
    town.packs.publish("shelters", [shelter(number) for number in range(5)])
    first = town.view(held(), "shelters")
    town.packs.change("shelters", [shelter(1, at=0.01), shelter(9)], removed=["s3"])
    second = town.view(held(), "shelters")
    assert told(second, second.token) == []
    assert told(second, first.token) == world(
        (139.701, 35.6), (139.711, 35.6), (139.709, 35.6), (139.703, 35.6)
    )
    assert told(second, "something else") is None
    assert told(first, second.token) is None


def test_what_is_hidden_and_what_says_the_same_elsewhere_is_no_change(town: Town) -> None:
    seen = held(rows=OPEN)
    rows = [shelter(number, status="open" if number % 2 else "shut") for number in range(6)]
    town.packs.publish("shelters", rows)
    first = town.view(seen, "shelters")
    # a hidden row, a hidden column, a row as it was
    town.packs.change(
        "shelters", [shelter(2, at=0.1, status="shut"), shelter(1, notes="x"), shelter(3)]
    )
    second = town.view(seen, "shelters")
    assert second.token == first.token
    assert told(second, first.token) == []
    town.packs.change("shelters", [shelter(1, notes="y"), shelter(5, status="shut")])
    third = town.view(seen, "shelters")
    assert told(third, first.token) == world((139.705, 35.6))
    town.packs.publish("shelters", [row for row in rows if row[0] != "s5"])  # all parts written anew
    assert told(town.view(seen, "shelters"), first.token) == world((139.705, 35.6))


def test_cut_rows_are_told_with_their_cut_boxes(town: Town) -> None:
    area = {
        "type": "Polygon",
        "coordinates": [[[139, 35], [139.7, 35], [139.7, 36], [139, 36], [139, 35]]],
    }
    seen = policy({"collections": ["segments"], "columns": ["name"], "area": area})
    line = shapely.LineString([(139.6, 35.5), (139.8, 35.5)])
    town.packs.publish("segments", [("a", line, {"name": "x"}), ("b", line, {"name": "y"})])
    first = town.view(seen, "segments")
    town.packs.change("segments", [("a", line, {"name": "z"})])
    boxes = town.view(seen, "segments").changes_since(first.token)
    (west, south), (east, _) = lon_lat_to_world(np.array([[139.6, 35.5, 0], [139.7, 35.5, 0]])).tolist()
    assert boxes is not None
    assert np.abs(boxes - [west, south, east, south]).max() <= 1


def test_other_columns_touch_everything(town: Town) -> None:
    town.packs.publish("shelters", [shelter(1)])
    full = known()["shelters"]
    town.packs._extra["shelters"] = shortened(full, "name", "status")
    first = town.view(held(), "shelters")
    seen = held(columns=["name", "status"])
    before = town.view(seen, "shelters")
    town.packs._extra["shelters"] = shortened(full, "name")
    assert town.view(held(), "shelters").token == first.token  # it never saw the column that is gone
    after = town.view(seen, "shelters")
    assert after.token != before.token
    assert told(after, before.token) is None


def shortened(collection: Collection, *names: str) -> Collection:
    properties = {name: collection.schema["properties"][name] for name in names}
    return from_schema(collection.name, collection.schema | {"properties": properties})


def test_only_the_last_tokens_are_remembered(town: Town) -> None:
    town.packs.publish("shelters", [shelter(0)])
    tokens = [town.view(held(), "shelters").token]
    for number in range(1, MAX_STEPS + 3):
        town.packs.change("shelters", [shelter(number)])
        tokens.append(town.view(held(), "shelters").token)
    view = town.view(held(), "shelters")
    known = [told(view, token) is not None for token in tokens]
    assert known == [False, False, *[True] * (MAX_STEPS + 1)]
    assert told(view, tokens[-3]) == world(*((139.7 + n / 1000, 35.6) for n in (17, 18)))


def test_a_view_whose_old_parts_are_gone_has_changed_everywhere(town: Town) -> None:
    town.packs.publish("shelters", [shelter(1)])
    first = town.view(held(), "shelters")
    for path in (town.packs.folder / "shelters").iterdir():
        path.unlink()
    town.packs.publish("shelters", [shelter(2)])
    town.memory = Memory()  # the keeper was started anew
    assert told(town.view(held(), "shelters"), first.token) is None


def test_many_boxes_become_few_that_cover_them() -> None:
    rng = np.random.default_rng(4)
    low = rng.integers(-(2**31), 2**31 - 1000, (5000, 2))
    boxes = np.concatenate([low, low + rng.integers(0, 900, (5000, 2))], axis=1).astype(np.int32)
    few = merged(boxes, 64).astype(np.int64)
    assert len(few) == 64
    inside = (boxes[:, None, :2] >= few[None, :, :2]) & (boxes[:, None, 2:] <= few[None, :, 2:])
    assert inside.all(axis=2).any(axis=1).all()
    assert len(merged(np.array([[2**31 - 1, 2**31 - 1, -(2**31), -(2**31)]], np.int32))) == 0


def test_a_step_that_touched_everything_hides_the_ones_after_it() -> None:
    box = np.array([[1, 2, 3, 4]], np.int32)
    steps = [Step.of("a", box), Step.of("b", None), Step.of("c", box)]
    assert touched_since(steps, "d", "a") is None
    assert touched_since(steps, "d", "b") is None
    assert touched_since(steps, "d", "c").tolist() == box.tolist()


PLACE = st.integers(0, 20).map(lambda x: shapely.Point(139.7 + x / 1000, 35.6))
ROWS = st.lists(
    st.tuples(
        st.sampled_from([f"s{number}" for number in range(8)]),
        PLACE,
        st.fixed_dictionaries(
            {
                "name": st.sampled_from(["a", "b", None]),
                "status": st.sampled_from(["open", "shut"]),
                "notes": st.sampled_from(["p", "q"]),
            }
        ),
    ),
    max_size=8,
    unique_by=lambda row: row[0],
)
CHANGE = st.tuples(
    st.booleans(), ROWS, st.lists(st.sampled_from([f"s{number}" for number in range(8)]), unique=True)
)


@settings(max_examples=25, deadline=None)
@given(first=ROWS, changes=st.lists(CHANGE, min_size=1, max_size=3), started_anew=st.booleans())
def test_boxes_are_those_of_the_features_that_somebody_sees_to_differ(
    tmp_path_factory, first, changes, started_anew
):
    town = Town(tmp_path_factory.mktemp("town"))
    town.packs.publish("shelters", first)
    before = town.view(held(rows=OPEN), "shelters")
    for anew, rows, removed in changes:
        was = features(before)
        if started_anew:
            town.memory = Memory()
        if anew:
            town.packs.publish("shelters", rows)
        else:
            town.packs.change("shelters", rows, [key for key in removed if key not in dict_of(rows)])
        after = town.view(held(rows=OPEN), "shelters")
        now = features(after)
        places = {
            said[key]["geometry"]
            for said, other in ((was, now), (now, was))
            for key in said
            if said[key] != other.get(key)
        }
        points = [shapely.from_wkt(place) for place in places]
        expected = world(*((point.x, point.y) for point in points)) if points else []
        assert told(after, before.token) == expected
        assert (after.token == before.token) == (was == now)
        before = after


def dict_of(rows: list[Row]) -> dict[str, Any]:
    return {key: said for key, _, said in rows}
