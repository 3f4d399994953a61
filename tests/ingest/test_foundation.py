"""One foundation of several providers: the same whatever came first, and without whoever leaves."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geoshare.ingest.claims import CLAIMS
from geoshare.ingest.withdraw import withdraw
from geoshare.merge import Identities
from geoshare.model.batch import FeatureBatch
from geoshare.model.collections import known
from geoshare.model.foundation import parse
from geoshare.store import open_record, reading
from tests.ingest.bench import Workbench, on_both_databases

M = 1 / 111_319.49  # degrees of latitude
SECRET = bytes(range(32))
ORDERED = parse('[default]\nproviders = ["mapco", "maker-a"]\nkind = ["class"]')


def signs(rows: dict[str, tuple[float, float, dict[str, Any]]]) -> FeatureBatch:
    """Points, metres east and north of a corner, with their properties, by record id."""
    names = sorted({name for _, _, said in rows.values() for name in said}) or ["class"]
    table = pa.table(
        {
            name: pa.array([said.get(name) for _, _, said in rows.values()], _kind(name))
            for name in names
        }
    )
    east = 139.0 + np.array([row[0] for row in rows.values()]) * M / np.cos(np.radians(35.0))
    north = 35.0 + np.array([row[1] for row in rows.values()]) * M
    points = shapely.points(east, north)
    return FeatureBatch("roadside_features", list(rows), np.asarray(points, dtype=object), table)


def _kind(name: str) -> pa.DataType:
    return pa.float64() if name == "height_m" else pa.string()


def line(collection: str, rows: dict[str, tuple[Sequence[tuple[float, float]], dict[str, Any]]]):
    """Lines of metres east and north of a corner, with their properties, by record id."""
    names = sorted({name for _, said in rows.values() for name in said})
    table = pa.table({name: pa.array([said.get(name) for _, said in rows.values()]) for name in names})
    shapes = [
        shapely.LineString([(139 + x * M / np.cos(np.radians(35)), 35 + y * M) for x, y in at])
        for at, _ in rows.values()
    ]
    return FeatureBatch(collection, list(rows), np.asarray(shapes, dtype=object), table)


def told(bench: Workbench) -> dict[str, dict[str, Any]]:
    """What is told of claims, without the times at which they came."""
    found = bench.visible(CLAIMS)
    for said in found.values():
        for claim in said["ranking"]:
            del claim["received_us"]
    return found


def geometries(bench: Workbench, collection: str) -> dict[str, str]:
    with bench.record.snapshot() as connection:
        chunks = list(reading.scan_features(connection, collection))
    return {
        id_: shapely.from_wkb(wkb).wkt
        for chunk in chunks
        for id_, wkb in zip(chunk.ids, chunk.geometry, strict=True)
    }


@on_both_databases
def test_one_sign_seen_by_two_makers_is_one_feature_with_ranked_claims(bench: Workbench) -> None:
    bench.contribute(
        [signs({"a1": (0, 0, {"class": "sign", "subtype": "327"}), "a2": (50, 0, {"class": "pole"})})],
        "maker-a",
        content="1",
        accuracy_m=1.0,
    )
    result = bench.contribute(
        [
            signs(
                {"b1": (0.4, 0.3, {"class": "sign", "height_m": 2.5}), "b2": (80, 0, {"class": "sign"})}
            )
        ],
        "maker-b",
        content="2",
        accuracy_m=0.2,
    )
    assert len(bench.visible("roadside_features")) == 3
    [(feature, row)] = [
        (id_, row) for id_, row in bench.visible("roadside_features").items() if "height_m" in row
    ]
    assert row == {"class": "sign", "subtype": "327", "height_m": 2.5}
    said = told(bench)[feature]
    assert said["providers"] == ["maker-b", "maker-a"]  # the more accurate gives the geometry
    assert said["chosen"]["@geometry"] == {"place": 0, "reason": "accuracy", "rivals": [1]}
    assert said["chosen"]["subtype"]["place"] == 1
    [point] = [wkt for id_, wkt in geometries(bench, "roadside_features").items() if id_ == feature]
    _, north = shapely.get_coordinates(shapely.from_wkt(point))[0]
    assert (north - 35.0) / M == pytest.approx(0.3, abs=1e-6)
    # one is new; the other is the one that was there, under its id or the new one's
    added, changed, removed = result.counts["roadside_features"]
    assert added - removed == 1
    assert changed + removed == 1


@pytest.mark.parametrize(
    ("mine", "other", "accuracy_m", "same"),
    [
        ((0, 0, {"class": "sign"}), (1.5, 0, {"class": "sign"}), (1.0, 1.0), True),
        ((0, 0, {"class": "sign"}), (2.5, 0, {"class": "sign"}), (1.0, 1.0), False),
        ((0, 0, {"class": "sign"}), (0.5, 0, {"class": "pole"}), (1.0, 1.0), False),
        ((0, 0, {"class": "sign"}), (0.5, 0, {}), (1.0, 1.0), True),
        ((0, 0, {"class": "sign"}), (0, 0, {"class": "sign"}), (1.0, None), False),
        ((0, 0, {"class": "sign"}), (0, 0, {"class": "sign"}), (1.0, 500.0), False),
    ],
)
def test_two_records_are_one_only_within_both_accuracies_and_of_one_kind(
    bench: Workbench, mine: Any, other: Any, accuracy_m: Any, same: bool
) -> None:
    bench.contribute([signs({"a": mine})], "maker-a", content="1", accuracy_m=accuracy_m[0])
    bench.contribute([signs({"b": other})], "maker-b", content="2", accuracy_m=accuracy_m[1])
    assert len(bench.visible("roadside_features")) == (1 if same else 2)
    assert len(told(bench)) == (1 if same else 0)


def test_what_could_be_either_of_two_stays_apart(bench: Workbench) -> None:
    pair = {"a1": (0, 0, {"class": "pole"}), "a2": (1, 0, {"class": "pole"})}
    bench.contribute([signs(pair)], "maker-a", content="1", accuracy_m=1.0)
    between = {"b": (0.55, 0, {"class": "pole"})}
    bench.contribute([signs(between)], "maker-b", content="2", accuracy_m=1.0)
    assert len(bench.visible("roadside_features")) == 3


def test_a_lane_the_other_way_is_another_lane_and_a_boundary_drawn_backwards_is_not(
    bench: Workbench,
) -> None:
    way = [(0, 0), (20, 0), (40, 1)]
    for name, provider, at in (("a", "maker-a", way), ("b", "maker-b", way[::-1])):
        batches = [
            line("lanes", {name: (at, {"subtype": "road"})}),
            line("lane_boundaries", {name: (at, {"type": "line_thin"})}),
        ]
        bench.contribute(batches, provider, content=name, accuracy_m=0.5)
    assert (len(bench.visible("lanes")), len(bench.visible("lane_boundaries"))) == (2, 1)


def test_references_lead_to_the_feature_that_a_record_has_come_to_stand_on(bench: Workbench) -> None:
    for name, provider, shift in (("a", "maker-a", 0.0), ("b", "maker-b", 0.1)):
        edge, middle = [(0, 2 + shift), (30, 2 + shift)], 50.0 * (shift > 0)
        lane = [(0, middle), (30, middle)], {"left_boundary_id": f"edge-{name}"}
        batches = [
            line("lane_boundaries", {f"edge-{name}": (edge, {"type": "line_thin"})}),
            line("lanes", {name: lane}),
        ]
        bench.contribute(batches, provider, content=name, accuracy_m=0.5)
    [edge] = bench.visible("lane_boundaries")
    assert [lane["left_boundary_id"] for lane in bench.visible("lanes").values()] == [edge, edge]
    bench.contribute(
        [line("lane_boundaries", {"edge-a": ([(0, 9), (30, 9)], {"type": "line_thin"})})],
        "maker-a",
        content="moved",
        accuracy_m=0.5,
    )
    assert {lane["left_boundary_id"] for lane in bench.visible("lanes").values()} == set(
        bench.visible("lane_boundaries")
    )


def test_a_declared_first_provider_gives_its_ids_and_keeps_them(bench: Workbench) -> None:
    for name, provider in (("b", "maker-b"), ("a", "maker-a"), ("m", "mapco")):
        row = {name: (0, 0, {"class": "sign"})}
        bench.contribute([signs(row)], provider, content=name, accuracy_m=1.0, foundation=ORDERED)
    ids = Identities(bench.record.secret, known()).of_records("roadside_features", "mapco", ["m"])
    assert list(bench.visible("roadside_features")) == ids
    assert told(bench)[ids[0]]["chosen"]["class"]["reason"] == "precedence"


def test_a_record_that_moves_away_leaves_the_feature_and_one_that_comes_back_joins_it(
    bench: Workbench,
) -> None:
    def send(provider: str, east: float, content: str, accuracy_m: float | None = 1.0) -> None:
        row = {"r": (east, 0, {"class": "sign"})}
        bench.contribute([signs(row)], provider, content=content, accuracy_m=accuracy_m)

    send("maker-a", 0, "1")
    send("maker-b", 0.5, "2")
    before = bench.visible("roadside_features"), geometries(bench, "roadside_features")
    send("maker-b", 30, "3")
    assert (len(bench.visible("roadside_features")), told(bench)) == (2, {})
    send("maker-b", 0.5, "4")
    assert (bench.visible("roadside_features"), geometries(bench, "roadside_features")) == before
    send("maker-b", 0.5, "5", None)  # and one that no longer says how accurate it is
    assert (len(bench.visible("roadside_features")), told(bench)) == (2, {})


@dataclass(frozen=True)
class Sent:
    """One provider's file."""

    provider: str
    accuracy_m: float
    observed_us: int
    rows: dict[str, tuple[float, float, dict[str, Any]]]


@st.composite
def contributions(draw: st.DrawFn) -> list[Sent]:
    found = []
    for place, provider in enumerate(("maker-a", "maker-b", "mapco", "maker-c")):
        rows = {}
        for number in range(4):
            if draw(st.integers(0, 3)):
                east, north = draw(
                    st.tuples(st.floats(-1.5, 1.5, width=32), st.floats(-1.5, 1.5, width=32))
                )
                said = {"class": draw(st.sampled_from(["sign", "sign", "pole"]))}
                if draw(st.booleans()):
                    said["subtype"] = draw(st.sampled_from(["x", "y"]))
                rows[f"{provider}{number}"] = (number * 2.5 + east, north, said)
        if rows:
            accuracy_m = draw(st.sampled_from([0.3, 0.8, 1.5]))
            found.append(Sent(provider, accuracy_m, draw(st.integers(1, 3)) * 10**15 + place, rows))
    return found


def foundation(empty: Path, folder: Path, sent: Sequence[Sent], without: str | None = None) -> Any:
    """What comes out of contributions in this order, without whoever withdraws afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(empty, folder / "record.db")
    record = open_record(folder / "record.db")
    record.secret = SECRET
    bench = Workbench(record, folder)
    try:
        for one in sent:
            bench.contribute(
                [signs(one.rows)],
                one.provider,
                content=one.provider,
                accuracy_m=one.accuracy_m,
                observed_us=one.observed_us,
            )
        if without is not None:
            withdraw(record, without, clock=bench.counting, data_dir=bench.data)
        return (
            bench.visible("roadside_features"),
            geometries(bench, "roadside_features"),
            told(bench),
        )
    finally:
        record.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "record.db"
    open_record(path).close()
    return path


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=contributions(), data=st.data())
def test_the_foundation_is_the_same_in_any_order_and_without_one_what_it_would_be_without(
    empty: Path, tmp_path: Path, sent: list[Sent], data: st.DataObject
) -> None:
    usual = foundation(empty, tmp_path / "usual", sent)
    order = data.draw(st.permutations(sent))
    assert foundation(empty, tmp_path / "other", order) == usual
    for gone in sent[:1]:
        rest = [one for one in sent if one is not gone]
        without = foundation(empty, tmp_path / "without", rest)
        assert foundation(empty, tmp_path / "left", order, gone.provider) == without


def test_every_order_of_three_makers_of_one_street_gives_one_foundation(
    empty: Path, tmp_path: Path
) -> None:
    sent = [
        Sent(
            provider,
            accuracy_m,
            10**15,
            {f"{provider}{n}": (4.0 * n + d, d, {"class": "sign"}) for n in range(3)},
        )
        for provider, accuracy_m, d in (
            ("maker-a", 0.5, 0.0),
            ("maker-b", 0.8, 0.4),
            ("mapco", 1.5, -0.6),
        )
    ]
    found = [foundation(empty, tmp_path / "order", order) for order in itertools.permutations(sent)]
    assert len(found[0][0]) == 3
    assert all(len(said["providers"]) == 3 for said in found[0][2].values())
    assert len({orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in found}) == 1
