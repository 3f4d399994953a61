"""Lanes of several makers as one network: every way that one of them knows is still there."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geoshare.ingest.claims import CLAIMS
from geoshare.ingest.withdraw import withdraw
from geoshare.merge import Identities
from geoshare.model.collections import known
from geoshare.store import open_record, places
from tests.ingest.bench import Workbench
from tests.ingest.test_foundation import line

OFF_M = {"maker-a": 0.0, "maker-b": 0.3, "maker-c": -0.2}
ACCURACY_M = {"maker-a": 0.3, "maker-b": 0.5, "maker-c": 0.4}
PIECE_M = 40.0
Way = list[tuple[int, int]]  # pieces of a street: from one post to another


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with nothing in it, to be copied: making its tables takes a while."""
    path = tmp_path_factory.mktemp("empty") / "record.db"
    open_record(path).close()
    return path


def drawn(provider: str, ways: Mapping[int, Way]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A maker's lanes by street, and what holds on them: each names what comes before and after."""
    lanes: dict[str, Any] = {}
    rules: dict[str, Any] = {}
    for street, way in ways.items():
        names = [f"{street}-{start}-{end}" for start, end in way]
        y = 20.0 * street + OFF_M[provider]
        for place, ((start, end), name) in enumerate(zip(way, names, strict=True)):
            said = {
                "subtype": "road",
                "predecessor_ids": names[max(place - 1, 0) : place],
                "successor_ids": names[place + 1 : place + 2],
                "regulatory_element_ids": [f"rule-{street}"],
            }
            lanes[name] = ([(PIECE_M * start, y), (PIECE_M * end, y)], said)
        rule = {
            "subtype": provider,
            "lane_ids": names,
            "refers_ids": [f"lanes/{names[0]}"],
            "roles": {"refers": [f"lanes/{names[-1]}"]},
        }
        rules[f"rule-{street}"] = ([(0, y + 5), (4, y + 5)], rule)
    return lanes, rules


def send(bench: Workbench, provider: str, ways: Mapping[int, Way]) -> None:
    lanes, rules = drawn(provider, ways)
    bench.contribute(
        [line("regulatory_elements", rules), line("lanes", lanes)],
        provider,
        content=provider,
        accuracy_m=ACCURACY_M[provider],
    )


def homes(bench: Workbench, collection: str, provider: str, records: list[str]) -> dict[str, str]:
    """The feature that each record of a maker stands on."""
    members = Identities(bench.record.secret, known()).of_records(collection, provider, records)
    with bench.record.snapshot() as connection:
        moved = places.homes(connection).get(collection, {})
    return {record: moved.get(member, member) for record, member in zip(records, members, strict=True)}


def check_whole(bench: Workbench, sent: Mapping[str, Mapping[int, Way]]) -> None:
    """Whatever leads from one to the other in a maker's map does so in the foundation, both ways."""
    shown, elements = bench.visible("lanes"), bench.visible("regulatory_elements")
    for lane in shown.values():
        for name in ("predecessor_ids", "successor_ids"):
            assert set(lane.get(name) or ()) <= set(shown)
            assert len(set(lane.get(name) or ())) == len(lane.get(name) or ())
        assert set(lane["regulatory_element_ids"]) <= set(elements)
    for provider, ways in sent.items():
        lanes, rules = drawn(provider, ways)
        home = homes(bench, "lanes", provider, list(lanes))
        rule_home = homes(bench, "regulatory_elements", provider, list(rules))
        for name, (_, said) in lanes.items():
            for after in said["successor_ids"]:
                assert home[after] in shown[home[name]]["successor_ids"]
                assert home[name] in shown[home[after]]["predecessor_ids"]
            [rule] = said["regulatory_element_ids"]
            assert rule_home[rule] in shown[home[name]]["regulatory_element_ids"]
        for name, (_, said) in rules.items():
            element = elements[rule_home[name]]
            assert {home[lane] for lane in said["lane_ids"]} <= set(element["lane_ids"])
            assert element["refers_ids"] == [home[said["lane_ids"][0]]]
            assert element["roles"]["refers"] == [home[said["lane_ids"][-1]]]


def test_a_way_goes_on_where_only_the_other_maker_has_been(bench: Workbench) -> None:
    first: dict[int, Way] = {0: [(0, 1), (1, 2)]}
    second: dict[int, Way] = {0: [(1, 2), (2, 3)]}
    send(bench, "maker-a", first)
    send(bench, "maker-b", second)
    check_whole(bench, {"maker-a": first, "maker-b": second})
    shown = bench.visible("lanes")
    [start] = [id_ for id_, lane in shown.items() if not lane["predecessor_ids"]]
    [middle] = shown[start]["successor_ids"]
    [end] = shown[middle]["successor_ids"]
    assert {start, middle, end} == set(shown)
    said = bench.visible(CLAIMS)[middle]["chosen"]
    assert said["successor_ids"] == {"place": 0, "reason": "joined", "rivals": [1]}
    assert said["@geometry"]["reason"] == "accuracy"
    withdraw(bench.record, "maker-a", clock=bench.counting, data_dir=bench.data)
    check_whole(bench, {"maker-b": second})
    assert len(bench.visible("lanes")) == 2


def test_a_lane_that_one_maker_draws_as_two_stays_apart_and_leads_to_what_is_one(
    bench: Workbench,
) -> None:
    sent: dict[str, dict[int, Way]] = {
        "maker-a": {0: [(0, 1), (1, 2), (2, 3)]},
        "maker-b": {0: [(0, 2), (2, 3)]},
    }
    for provider, ways in sent.items():
        send(bench, provider, ways)
    check_whole(bench, sent)
    shown = bench.visible("lanes")
    [end] = [id_ for id_, lane in shown.items() if not lane["successor_ids"]]
    assert (len(shown), len(shown[end]["predecessor_ids"])) == (4, 2)


@st.composite
def surveys(draw: st.DrawFn) -> dict[str, dict[int, Way]]:
    """Two streets as makers have cut them, each where it has been."""
    found: dict[str, dict[int, Way]] = {}
    for provider in draw(st.permutations(list(OFF_M)))[: draw(st.integers(2, 3))]:
        ways = {}
        for street in (0, 1):
            cuts = sorted(draw(st.sets(st.integers(0, 5), min_size=2, max_size=5)))
            ways[street] = list(pairwise(cuts))
        found[provider] = ways
    return found


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=surveys())
def test_the_network_has_every_way_of_every_maker_however_they_cut_it(
    empty: Path, tmp_path: Path, sent: dict[str, dict[int, Way]]
) -> None:
    folder = tmp_path / "record"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(empty, folder / "record.db")
    record = open_record(folder / "record.db")
    bench = Workbench(record, folder)
    try:
        for provider, ways in sent.items():
            send(bench, provider, ways)
        check_whole(bench, sent)
        gone = next(iter(sent))
        withdraw(record, gone, clock=bench.counting, data_dir=bench.data)
        check_whole(bench, {name: ways for name, ways in sent.items() if name != gone})
    finally:
        record.close()
