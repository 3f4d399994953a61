"""What is committed becomes packs: equal to the record, version by version, never half of one."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geoshare.ingest.complete import Complete
from geoshare.model.batch import FeatureBatch
from geoshare.publish import (
    Keeper,
    KeeperBusy,
    Packs,
    Publisher,
    read_manifest,
    wait_published,
)
from geoshare.publish.schema import properties_table
from geoshare.store import open_record
from tests.ingest.bench import Workbench, batch
from tests.ingest.test_contribute import raster
from tiles.arrays import Kind, Rows
from tiles.pack import lookup, materialise, scan

MANY = 1_500


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    record = open_record(tmp_path / "record.db")
    yield Workbench(record, tmp_path)
    record.close()


def publish(bench: Workbench, **options: Any) -> set[str]:
    return Publisher(bench.record, bench.data / "packs", **options).publish()


def shown(packs: Packs, collection: str) -> dict[str, dict[str, Any]]:
    """Every property that has a value, of every row that is alive, by id."""
    published = packs.source(collection)
    assert published is not None
    names = [*published.manifest.kinds]
    table = materialise(scan(published.pack, None), ["id", *names], geometry=None)
    rows = {}
    for row in table.to_pylist():
        id_ = row.pop("id")
        assert id_ not in rows
        rows[id_] = {name: value for name, value in row.items() if value is not None}
    return rows


def many(change: dict[int, int] | None = None, count: int = MANY) -> FeatureBatch:
    ranks = {number: number % 7 for number in range(count)} | (change or {})
    rows = {f"r{number}": {"name": f"n{number}", "rank": rank} for number, rank in ranks.items()}
    return batch("places", rows)


def test_a_pack_shows_what_the_record_holds(bench: Workbench) -> None:
    rows = {"a": {"name": "潮見", "rank": 1, "colour": "赤"}, "b": {"name": "港"}, "c": {}}
    bench.contribute([batch("places", rows)])
    assert publish(bench) == {"places"}
    packs = Packs(bench.data / "packs")
    record = bench.visible("places")
    found = shown(packs, "places")
    assert {
        id_: row | ({"extra": json.loads(row["extra"])} if "extra" in row else {})
        for id_, row in found.items()
    } == record
    published = packs.source("places")
    assert published is not None
    assert published.version == "1"
    assert published.manifest.count == 3
    assert published.manifest.extent == pytest.approx((139.0, 35.0, 139.002, 35.0))
    assert list(published.manifest.kinds) == [
        "name",
        "name_kana",
        "name_en",
        "class",
        "rank",
        "extra",
    ]


def test_nothing_new_publishes_nothing(bench: Workbench) -> None:
    bench.contribute([batch("places", {"a": {"rank": 1}})])
    assert publish(bench) == {"places"}
    assert publish(bench) == set()
    bench.contribute([batch("water", {"w": {"class": "sea"}})], content="2")
    assert publish(bench) == {"water"}


def test_what_is_not_committed_is_not_published(bench: Workbench) -> None:
    def read(path, request, report):
        yield batch("places", {"a": {"rank": 1}})
        assert publish(bench) == set()
        yield batch("places", {"b": {"rank": 2}})

    bench.contribute([], read=read)
    assert publish(bench) == {"places"}


def test_a_small_change_of_a_large_collection_is_a_delta(bench: Workbench) -> None:
    bench.contribute([many()], content="1")
    publish(bench)
    packs = Packs(bench.data / "packs")
    before = packs.source("places")
    assert before is not None
    bench.contribute([many({3: 99, MANY: 100})], content="2")
    publish(bench)
    after = packs.source("places")
    assert after is not None
    base, delta = after.manifest.parts
    assert base == before.manifest.parts[0]
    assert (delta.is_delta, delta.rows) == (True, 2)
    assert after.pack.parts[0] is before.pack.parts[0]
    assert after.manifest.count == MANY + 1
    assert shown(packs, "places") == bench.visible("places")
    assert (before.version, after.version) == ("1", "2")


def test_removed_features_are_tombstones(bench: Workbench) -> None:
    bench.contribute([many()], content="1")
    publish(bench)
    bench.contribute([many(count=MANY - 50)], content="2", complete=Complete())
    publish(bench)
    packs = Packs(bench.data / "packs")
    published = packs.source("places")
    assert published is not None
    assert published.manifest.parts[-1].tombstones == 50
    assert published.manifest.count == MANY - 50
    assert shown(packs, "places") == bench.visible("places")
    bench.contribute([many()], content="3")
    publish(bench)
    assert shown(packs, "places") == bench.visible("places")
    assert len(bench.visible("places")) == MANY


def test_a_small_collection_and_a_large_change_are_written_anew(bench: Workbench) -> None:
    bench.contribute([many(count=100)], content="1")
    publish(bench)
    bench.contribute([many({1: 50}, count=100)], content="2")
    publish(bench)
    manifest = read_manifest(bench.data / "packs", "places")
    assert manifest is not None
    assert [part.is_delta for part in manifest.parts] == [False]
    bench.contribute([many()], content="3")
    publish(bench)
    manifest = read_manifest(bench.data / "packs", "places")
    assert manifest is not None
    assert [part.is_delta for part in manifest.parts] == [False]
    assert manifest.version == 3


def test_parts_are_cut_along_the_curve_and_hold_every_row_once(bench: Workbench) -> None:
    bench.contribute([many(count=1_000)])
    publish(bench, part_rows=300)
    published = Packs(bench.data / "packs").source("places")
    assert published is not None
    assert [info.rows for info in published.manifest.parts] == [300, 300, 300, 100]
    ends = [(part.order_key[0], part.order_key[-1]) for part in published.pack.parts]
    assert all(one[1] <= other[0] for one, other in pairwise(ends))
    assert set(shown(Packs(bench.data / "packs"), "places")) == set(bench.visible("places"))


def test_old_parts_stay_for_their_readers_and_go_after_the_grace(bench: Workbench) -> None:
    packs_dir, folder = bench.data / "packs", bench.data / "packs" / "places"
    for number in range(3):
        bench.contribute([many({1: 100 + number}, count=50)], content=str(number))
        publish(bench)
        manifest = read_manifest(packs_dir, "places")
        assert manifest is not None
        os.utime(folder / manifest.parts[0].name, (0, 0))  # however old it is when it is replaced
    Publisher(bench.record, packs_dir, grace_s=3_600.0).sweep()
    parts = {path.name for path in folder.glob("*.arrow")}
    assert len(parts) == 3
    (folder / "base-of-a-killed-keeper.arrow").write_bytes(b"torn")
    (folder / ".fold-of-a-killed-keeper").mkdir()
    (folder / ".fold-at-work").mkdir()
    assert manifest is not None
    current = {part.name for part in manifest.parts}
    other = min(parts - current)
    swept = Publisher(bench.record, packs_dir, grace_s=0.0, named=lambda: {f"places/{other}"})
    swept.sweep(busy={"places/.fold-at-work"})
    assert {path.name for path in folder.iterdir()} == {
        *current,
        other,
        "manifest.json",
        ".fold-at-work",
    }


def test_a_schema_that_became_wider_is_published_anew(bench: Workbench) -> None:
    bench.contribute([batch("benches", {"a": {"seats": 3}})], content="1")
    publish(bench)
    bench.contribute([batch("benches", {"b": {"seats": "many", "wood": True}})], content="2")
    publish(bench)
    packs = Packs(bench.data / "packs")
    published = packs.source("benches")
    assert published is not None
    assert published.manifest.kinds == {"seats": Kind.STRING, "wood": Kind.BOOL}
    rows = shown(packs, "benches").values()
    assert sorted(row["seats"] for row in rows) == ["3", "many"]
    assert "benches" in packs.collections()
    assert [item.name for item in packs.collections()["benches"].properties] == ["seats", "wood"]


def test_times_are_typed_and_span_the_manifest(bench: Workbench) -> None:
    rows = {
        "a": {"valid_from": "2026-01-01T00:00:00Z", "valid_to": "2026-01-05T00:00:00Z"},
        "b": {"valid_from": "2026-01-03T00:00:00.250000Z"},
    }
    bench.contribute([batch("events", rows)])
    publish(bench)
    published = Packs(bench.data / "packs").source("events")
    assert published is not None
    start, end = published.manifest.time_extent
    assert (start, end) == (1767225600000000, 1767571200000000)
    table = materialise(scan(published.pack, None), ["id", "valid_from"], geometry=None)
    assert table.schema.field("valid_from").type == pa.timestamp("us", tz="UTC")
    assert sorted(table.column("valid_from").cast(pa.int64()).to_pylist()) == [
        1767225600000000,
        1767398400250000,
    ]


def test_geometry_comes_out_as_it_went_in(bench: Workbench) -> None:
    shapes = [
        shapely.Point(139, 35, 12.5),
        shapely.LineString([(139, 35), (139.1, 35.1)]),
        shapely.MultiPolygon([shapely.box(139, 35, 139.1, 35.1), shapely.box(140, 36, 140.1, 36.1)]),
        shapely.Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [[(1, 1), (1, 2), (2, 2), (2, 1)]]),
        None,
    ]
    names = [f"g{number}" for number in range(len(shapes))]
    items = FeatureBatch("junctions", names, np.array(shapes, dtype=object), pa.table({"name": names}))
    bench.contribute([items])
    publish(bench)
    published = Packs(bench.data / "packs").source("junctions")
    assert published is not None
    table = materialise(scan(published.pack, None), ["id", "name"])
    found = dict(
        zip(table.column("name").to_pylist(), table.column("geometry").to_pylist(), strict=True)
    )
    for name, shape in zip(names, shapes, strict=True):
        assert found[name] == (None if shape is None else shapely.to_wkb(shape, flavor="iso"))


def test_rasters_are_published_by_time_with_paths_that_exist(bench: Workbench) -> None:
    packs = Packs(bench.data / "packs")
    assert packs.rasters("satellite") == ("0", ())
    bench.contribute([raster(bench.folder, "first", 9)], content="1")
    publish(bench)
    version, assets = packs.rasters("satellite")
    assert version == "1"
    [asset] = assets
    assert Path(asset.path).read_text() == "first"
    assert (asset.kind, asset.datetime_us, asset.bands[0].name) == ("scene", 9, "B1")
    bench.contribute([raster(bench.folder, "second", 10)], content="2")
    publish(bench)
    version, assets = packs.rasters("satellite")
    assert (version, [asset.datetime_us for asset in assets]) == ("2", [10])


def test_only_one_process_is_the_keeper(bench: Workbench) -> None:
    one = Keeper(bench.record, bench.data, bench.counting)
    other = Keeper(bench.record, bench.data, bench.counting)
    with one.lock(), pytest.raises(KeeperBusy), other.lock():
        pass
    with other.lock():
        pass


def test_a_commit_counts_as_published_only_when_the_callbacks_are_done(bench: Workbench) -> None:
    told = []

    def slow(names: set[str] | None) -> None:
        time.sleep(0.1)
        told.append(names)

    keeper = Keeper(bench.record, bench.data, bench.counting, [slow])
    result = bench.contribute([many(count=10)])
    assert result.sequence is not None
    wait_published(keeper, bench.record, bench.data, result.sequence)
    assert told == [{"places"}]
    wait_published(keeper, bench.record, bench.data, result.sequence)
    assert told == [{"places"}]


def test_a_callback_that_fails_is_told_again(bench: Workbench) -> None:
    told = []

    def flaky(names: set[str] | None) -> None:
        told.append(names)
        if len(told) == 1:
            raise OSError("disk full")

    keeper = Keeper(bench.record, bench.data, bench.counting, [flaky])
    bench.contribute([many(count=10)])
    with keeper.lock():
        with pytest.raises(OSError, match="disk full"):
            keeper.publish()
        keeper.publish()
        keeper.publish()
    assert told == [{"places"}, {"places"}]


def test_the_keeper_publishes_commits_of_others_while_readers_read(bench: Workbench) -> None:
    """Every read sees one whole version: all ranks of a version are the same number."""
    stop, told = threading.Event(), []
    keeper = Keeper(bench.record, bench.data, bench.counting, [told.append])
    thread = threading.Thread(target=keeper.run, args=(stop, 0.01))
    thread.start()
    packs = Packs(bench.data / "packs")
    seen: list[int] = []
    failures: list[object] = []

    def read() -> None:
        while not stop.is_set():
            published = packs.source("places")
            if published is not None:
                ranks = materialise(scan(published.pack, None), ["rank"], geometry=None)
                distinct = set(ranks.column("rank").to_pylist())
                if len(distinct) != 1 or ranks.num_rows != 200:
                    failures.append((distinct, ranks.num_rows))
                seen.append(distinct.pop())

    reader = threading.Thread(target=read)
    reader.start()
    waiter = Keeper(bench.record, bench.data, bench.counting)
    try:
        for version in range(6):
            ranks = dict.fromkeys(range(200), version)
            result = bench.contribute([many(ranks, count=200)], content=str(version))
            assert result.sequence is not None
            wait_published(waiter, bench.record, bench.data, result.sequence)
            published = packs.source("places")
            assert published is not None
            assert published.manifest.sequence == result.sequence
            assert len(lookup(published.pack, None, [next(iter(bench.visible("places")))])) == 1
    finally:
        stop.set()
        thread.join()
        reader.join()
    assert failures == []
    assert seen == sorted(seen)
    assert told[0] is None
    assert told.count({"places"}) >= 5


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "text": st.text(st.characters(codec="utf-8"), max_size=8),
        "whole": st.integers(-(2**63), 2**63 - 1),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "truth": st.booleans(),
        "nested": st.recursive(
            st.none() | st.booleans() | st.text(max_size=3),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=4,
        ).filter(lambda value: value is not None),
        "unknown": st.integers(),
    },
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(VALUES, max_size=6))
def test_columns_hold_exactly_the_values_of_the_json(rows: list[dict[str, Any]]) -> None:
    kinds = {
        "text": Kind.STRING,
        "whole": Kind.INT,
        "number": Kind.FLOAT,
        "truth": Kind.BOOL,
        "nested": Kind.JSON,
        "never": Kind.TIMESTAMP,
    }
    texts = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    table = properties_table(texts, kinds)
    assert table.num_rows == len(rows)
    for row, found in zip(rows, table.to_pylist(), strict=True):
        assert found["never"] is None
        for name in ("text", "whole", "number", "truth"):
            assert found[name] == row.get(name)
        nested = found["nested"]
        assert (json.loads(nested) if nested is not None else None) == row.get("nested")


def test_rows_at_one_place_are_cut_too_and_keep_their_order(bench: Workbench) -> None:
    rows = {f"r{number:03d}": {"rank": number} for number in range(250)}
    spread, heap = (
        batch("places", rows),
        batch("places", {f"s{name}": row for name, row in rows.items()}),
    )
    heap.geometry[:] = shapely.Point(139.5, 35.5)
    nowhere = batch("places", {f"n{number}": {"rank": number} for number in range(120)})
    nowhere.geometry[:] = None
    bench.contribute([spread, heap, nowhere])
    publish(bench, part_rows=100)
    packs = Packs(bench.data / "packs")
    published = packs.source("places")
    assert published is not None
    assert max(info.rows for info in published.manifest.parts) <= 100
    assert shown(packs, "places") == bench.visible("places")
    order = [
        (int(key), id_)
        for part in published.pack.parts
        for key, id_ in zip(
            part.order_key,
            materialise(Rows((part.table,), (np.arange(len(part), dtype=np.int32),)), ["id"], None)
            .column("id")
            .to_pylist(),
            strict=True,
        )
    ]
    assert order == sorted(order)
    assert not [
        path for path in (bench.data / "packs" / "places").iterdir() if path.name.startswith(".")
    ]


@pytest.mark.parametrize("changed", [True, False], ids=["with a change", "without any"])
def test_a_collection_whose_pack_is_damaged_is_built_anew(bench: Workbench, changed: bool) -> None:
    bench.contribute([many()], content="1")
    publish(bench)
    manifest = read_manifest(bench.data / "packs", "places")
    assert manifest is not None
    (bench.data / "packs" / "places" / manifest.parts[0].name).write_bytes(b"torn")
    if changed:
        bench.contribute([many({1: 99})], content="2")
    assert publish(bench) == {"places"}
    assert shown(Packs(bench.data / "packs"), "places") == bench.visible("places")


KEEP = """
import sys, threading
from pathlib import Path
from geoshare.model.clock import SystemClock
from geoshare.publish import Keeper
from geoshare.store import open_record

folder = Path(sys.argv[1])
print("ready", flush=True)
Keeper(open_record(folder / "record.db"), folder / "data", SystemClock()).run(threading.Event(), 0.001)
"""


def test_a_killed_keeper_leaves_a_whole_version_and_the_next_one_goes_on(bench: Workbench) -> None:
    packs = Packs(bench.data / "packs")
    dice = random.Random(1)
    for version in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", KEEP, str(bench.folder)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == "ready\n"
            ranks = dict.fromkeys(range(MANY), version)
            bench.contribute([many(ranks)], content=str(version))
            time.sleep(dice.uniform(0, 0.2))
        finally:
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            child.stdout.close()
        published = packs.source("places")
        if published is not None:
            found = {row["rank"] for row in shown(packs, "places").values()}
            assert len(found) == 1
            assert len(published.pack) == MANY
    keeper = Keeper(bench.record, bench.data, bench.counting)
    with keeper.lock():
        keeper.publish()
    assert shown(packs, "places") == bench.visible("places")
    assert {path.name for path in (bench.data / "packs" / "places").iterdir()} >= {"manifest.json"}
    assert not list((bench.data / "packs" / "places").glob(".*"))
