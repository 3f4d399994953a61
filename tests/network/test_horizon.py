"""What lies ahead on a lane, on a network that fits on a page.

::

    a -> b -> c          b and d are beside one another; b is 100 m, c leads back to a
      \\-> d -> e        e ends
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import dijkstra

from geoshare.access.view import View
from geoshare.errors import BadRequest, NotFound
from geoshare.model.policy import Policy
from geoshare.network.along import Measured
from geoshare.network.horizon import horizon
from tests.access.town import Town, policy
from tests.network.test_locate import placed

COLLECTIONS = ["lanes", "segments", "lane_boundaries", "regulatory_elements", "structures", "events"]
EVERYTHING = policy({"collections": COLLECTIONS, "columns": "all"})
BESIDE = ("neighbours", "lane_boundaries", "regulatory_elements", "structures", "events")


def lane(name: str, line: list[tuple[float, float]], **said: object) -> tuple:
    return name, placed(line), {key: written(value) for key, value in said.items()}


def written(value: object) -> object:
    return json.dumps(value) if isinstance(value, list) else value


LANES = [
    lane("a", [(0, 0), (50, 0)], successor_ids=["b", "d"], segment_id="s1"),
    lane(
        "b",
        [(50, 0), (150, 0)],
        successor_ids=["c"],
        right_lane_id="d",
        left_boundary_id="left",
        regulatory_element_ids=["stop"],
        segment_id="s2",
    ),
    lane("c", [(150, 0), (150, 80), (0, 0)], successor_ids=["a"]),
    lane("d", [(50, 0), (150, -4)], successor_ids=["e"], left_lane_id="b", segment_id="s2"),
    lane("e", [(150, -4), (200, -4)]),
    lane("far", [(1000, 0), (1100, 0)], left_lane_id="a"),
]


@pytest.fixture
def town(tmp_path: Path) -> Town:
    made = Town(tmp_path)
    made.packs.publish("lanes", LANES)
    roads = [(name, placed([(0, 0), (150, 0)]), {}) for name in ("s1", "s2")]
    made.packs.publish("segments", roads)
    made.packs.publish("lane_boundaries", [("left", placed([(50, 2), (150, 2)]), {})])
    made.packs.publish("regulatory_elements", [("stop", None, {})])
    made.packs.publish("structures", [("bridge", placed([(90, 0), (110, 0)]), {"segment_id": "s2"})])
    closed = {"segment_ids": json.dumps(["s2"])}
    made.packs.publish("events", [("closed", placed([(120, 1), (130, 1)]), closed)])
    return made


def ask(town: Town, held: Policy, start: str, at: float, distance: float, beside=BESIDE):
    def view_of(name: str) -> View | None:
        return town.view(held, name) if held.may("read", name) else None

    return horizon(view_of, "lanes", start, at, distance, beside)


def test_lanes_come_in_the_order_they_are_reached_with_their_ranges(town):
    found = ask(town, EVERYTHING, "a", 0.5, 500, ())
    assert [item.id for item in found.lanes] == ["a", "b", "d", "c", "e"]
    first, second = found.lanes[:2]
    assert (first.from_m, first.to_m) == pytest.approx((-25, 25), abs=0.001)
    assert (second.from_m, second.to_m, second.previous) == (
        pytest.approx(25, abs=0.001),
        pytest.approx(125, abs=0.001),
        "a",
    )
    assert found.whole


def test_what_begins_beyond_the_distance_is_not_told(town):
    assert [item.id for item in ask(town, EVERYTHING, "a", 0.5, 100, ()).lanes] == ["a", "b", "d"]


def test_lanes_beside_those_ahead_are_told_once(town):
    found = ask(town, EVERYTHING, "d", 0, 10, ("neighbours",))
    assert [(item.id, item.beside) for item in found.lanes] == [("d", ""), ("b", "d")]


def test_what_belongs_to_lanes_comes_with_where_it_is(town):
    found = ask(town, EVERYTHING, "a", 0.5, 500).along
    assert set(found["lane_boundaries"]) == {"left"}
    assert found["regulatory_elements"]["stop"].id == "b"
    bridge = found["structures"]["bridge"]
    assert (bridge.id, bridge.from_m, bridge.to_m) == (
        "b",
        pytest.approx(65, abs=0.01),
        pytest.approx(85, abs=0.01),
    )
    assert found["events"]["closed"].from_m == pytest.approx(95, abs=0.01)


def test_a_hidden_lane_is_as_one_that_is_not_there(town, tmp_path):
    rows = {"op": "<>", "args": [{"property": "segment_id"}, "s1"]}
    fenced = policy(
        {"collections": ["lanes"], "columns": "all", "rows": rows},
        {"collections": COLLECTIONS[1:], "columns": "all"},
    )
    without = Town(tmp_path / "other")
    without.packs.publish(
        "lanes", [row for row in LANES if row[2].get("segment_id") not in (None, "s1")]
    )
    assert ask(town, fenced, "b", 0, 500, ()) == ask(without, EVERYTHING, "b", 0, 500, ())
    for start in ("a", "nothing"):
        with pytest.raises(NotFound):
            ask(town, fenced, start, 0, 500, ())


def test_a_view_without_successors_says_so(town):
    narrow = policy({"collections": ["lanes"], "columns": ["segment_id"]})
    with pytest.raises(BadRequest, match="follow one another"):
        ask(town, narrow, "a", 0, 500, ())


@settings(max_examples=30, deadline=None)
@given(
    edges=st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25),
    lengths=st.lists(st.integers(1, 90), min_size=10, max_size=10),
)
def test_distances_are_the_shortest(tmp_path_factory, edges, lengths):
    """Judged by Dijkstra on a graph of lanes whose edges weigh as much as the lane they leave."""
    town = Town(tmp_path_factory.mktemp("town"))
    following = {number: sorted(f"l{b}" for a, b in edges if a == number) for number in range(10)}
    rows = [
        lane(f"l{number}", [(0, number * 5), (lengths[number], number * 5)], successor_ids=ids)
        for number, ids in following.items()
    ]
    town.packs.publish("lanes", rows)
    length = {name: Measured(line).length_m for name, line, _ in rows}
    graph = np.zeros((10, 10))
    for start, end in edges:
        graph[start, end] = length[f"l{start}"]
    reached = enumerate(dijkstra(graph, indices=0))
    wanted = {f"l{number}": metres for number, metres in reached if np.isfinite(metres)}
    found = {item.id: item.from_m for item in ask(town, EVERYTHING, "l0", 0, 1e4, ()).lanes}
    assert found == pytest.approx(wanted, abs=1e-6)
