"""One bad collection, or one bad duty, never stops the keeper."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from geoshare.errors import BadRequest, NotPublished
from geoshare.model.collections import from_schema
from geoshare.publish import Keeper, Packs, patience, read_manifest, wait_published
from geoshare.publish.keeper import read_state
from geoshare.publish.manifest import pack_folder, published_names
from geoshare.store import open_record
from geoshare.store.record_tables import CHANGESET_COLLECTIONS
from tests.ingest.bench import Workbench, batch
from tests.names import UNLAWFUL

EVIL = "../../evil"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    record = open_record(tmp_path / "record.db")
    yield Workbench(record, tmp_path)
    record.close()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is due again at once."""
    monkeypatch.setattr(patience, "FIRST_S", 0.0)


def block(bench: Workbench, collection: str) -> Path:
    """Make a collection one that cannot be published."""
    path = bench.data / "packs" / collection
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("a file where a folder should be")
    return path


def poison(bench: Workbench, name: str) -> int:
    """A record that holds an unlawful name, as one written before there was a rule; its sequence."""
    result = bench.contribute([batch("water", {name: {"class": "sea"}})], content=f"poison {name!a}")
    with bench.record.database.write() as connection:
        row = {
            "changeset": result.changeset,
            "collection": name,
            "added": 1,
            "changed": 0,
            "removed": 0,
        }
        connection.execute(insert(CHANGESET_COLLECTIONS).values(row))
    assert result.sequence is not None
    return result.sequence


def until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def two(bench: Workbench, number: int) -> int:
    items = [
        batch("places", {"a": {"rank": number}}),
        batch("water", {"w": {"class": f"sea{number}"}}),
    ]
    sequence = bench.contribute(items, content=str(number)).sequence
    assert sequence is not None
    return sequence


@pytest.mark.usefixtures("at_once")
def test_one_bad_collection_does_not_hold_up_the_others(bench: Workbench) -> None:
    blocked, packs_dir = block(bench, "places"), bench.data / "packs"
    sequence = two(bench, 1)
    told: list[set[str] | None] = []
    keeper = Keeper(bench.record, bench.data, bench.counting, [told.append])
    with keeper.lock():
        assert keeper.publish() == {"water"}
    assert read_state(packs_dir).sequence == sequence
    assert read_state(packs_dir).failed == {"places": 0}
    assert told == [{"water"}]
    blocked.unlink()
    with keeper.lock():
        assert keeper.publish() == {"places"}
    assert told == [{"water"}, {"places"}]
    assert read_state(packs_dir).failed == {}
    assert read_manifest(packs_dir, "places") is not None


def test_a_failing_collection_is_left_alone_until_it_is_due_or_changes(
    bench: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = _failing(bench, caplog)
    assert len(caplog.records) == 1
    two(bench, 2)
    _look(keeper, caplog)
    assert len(caplog.records) == 2
    assert read_state(bench.data / "packs").failed == {"places": 0}


@pytest.mark.usefixtures("at_once")
def test_the_same_failure_tried_again_is_logged_once(
    bench: Workbench, caplog: pytest.LogCaptureFixture
) -> None:
    _failing(bench, caplog)
    assert len(caplog.records) == 1


def _failing(bench: Workbench, caplog: pytest.LogCaptureFixture) -> Keeper:
    """A keeper that has looked at a collection that fails five times."""
    block(bench, "places")
    keeper = Keeper(bench.record, bench.data, bench.counting)
    two(bench, 1)
    _look(keeper, caplog)
    return keeper


def _look(keeper: Keeper, caplog: pytest.LogCaptureFixture) -> None:
    with keeper.lock(), caplog.at_level(logging.ERROR):
        for _ in range(5):
            keeper.publish()


def test_waits_grow_to_a_limit() -> None:
    held, log = patience.Patience(most_s=4.0), logging.getLogger("nobody")
    log.disabled = True
    waits = []
    for _ in range(5):
        held.failed(log, "it", OSError("no"))
        waits.append(held._wait_s)
    assert waits == [1.0, 2.0, 4.0, 4.0, 4.0]
    assert not held.due
    held.done()
    assert held.due


def test_a_running_keeper_with_a_poisoned_collection_publishes_the_others_and_ticks(
    bench: Workbench,
) -> None:
    for name in (EVIL, "a\0b", "gone"):
        poison(bench, name)
    outside = sorted(path for path in bench.folder.iterdir())
    ticks: list[int] = []

    def bad_tick(now_us: int) -> None:
        raise RuntimeError("a duty that fails")

    stop = threading.Event()
    keeper = Keeper(bench.record, bench.data, bench.counting, [], [bad_tick, ticks.append])
    thread = threading.Thread(target=keeper.run, args=(stop, 0.005))
    thread.start()
    try:
        waiter = Keeper(bench.record, bench.data, bench.counting)
        for number in range(3):
            sequence = two(bench, number)
            wait_published(waiter, bench.record, bench.data, sequence)
            manifest = read_manifest(bench.data / "packs", "places")
            assert manifest is not None
            assert manifest.sequence == sequence
        before = len(ticks)
        until(lambda: len(ticks) > before + 5)
    finally:
        stop.set()
        thread.join()
    assert set(read_state(bench.data / "packs").failed) == {EVIL, "a\0b", "gone"}
    assert sorted(Packs(bench.data / "packs").names()) == ["places", "water"]
    assert sorted(path for path in bench.folder.iterdir()) == outside


def test_ticks_go_on_where_a_callback_fails(bench: Workbench) -> None:
    def bad(names: set[str] | None) -> None:
        raise RuntimeError("views cannot be built")

    ticks: list[int] = []
    stop = threading.Event()
    keeper = Keeper(bench.record, bench.data, bench.counting, [bad], [ticks.append])
    two(bench, 1)
    thread = threading.Thread(target=keeper.run, args=(stop, 0.005))
    thread.start()
    try:
        until(lambda: len(ticks) > 10)
    finally:
        stop.set()
        thread.join()
    assert read_state(bench.data / "packs").sequence == -1


def test_who_waits_for_a_collection_that_cannot_be_published_is_told(bench: Workbench) -> None:
    keeper = Keeper(bench.record, bench.data, bench.counting)
    shown = two(bench, 1)
    wait_published(keeper, bench.record, bench.data, shown)
    sequence = poison(bench, EVIL)
    with pytest.raises(NotPublished) as refused:
        wait_published(keeper, bench.record, bench.data, sequence)
    assert EVIL in refused.value.message
    wait_published(keeper, bench.record, bench.data, shown)
    wait_published(keeper, bench.record, bench.data, two(bench, 2))


def test_a_failure_that_is_soon_over_is_none_to_who_waits(bench: Workbench) -> None:
    blocked = block(bench, "places")
    keeper = Keeper(bench.record, bench.data, bench.counting)
    sequence = two(bench, 1)
    with keeper.lock():
        keeper.publish()
    blocked.unlink()
    wait_published(keeper, bench.record, bench.data, sequence)
    assert read_manifest(bench.data / "packs", "places") is not None


@pytest.mark.parametrize("name", UNLAWFUL.values(), ids=UNLAWFUL)
def test_no_path_is_made_of_an_unlawful_name(tmp_path: Path, name: str) -> None:
    packs = Packs(tmp_path)
    for ask in (packs.source, packs.rasters, packs.manifest):
        with pytest.raises(BadRequest):
            ask(name)
    with pytest.raises(BadRequest):
        pack_folder(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_an_unlawful_name_is_no_collection(tmp_path: Path) -> None:
    for name in ("places", "街路樹", "Evil", ".tmp"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    assert published_names(tmp_path, "manifest.json") == ["places"]


@pytest.mark.parametrize("name", UNLAWFUL.values(), ids=UNLAWFUL)
def test_the_record_refuses_unlawful_names_whoever_writes(bench: Workbench, name: str) -> None:
    counts = bench.record.row_counts()
    with pytest.raises(BadRequest):
        bench.contribute([batch(name, {"a": {"rank": 1}})])
    assert bench.record.row_counts() == counts
    assert bench.files() == set()
    changeset = bench.record.begin(bench.counting, "mapco")
    with pytest.raises(BadRequest):
        changeset.apply(lambda chunk: chunk.put_features(name, "c", [], {}))
    with pytest.raises(BadRequest):
        changeset.apply(lambda chunk: chunk.put_claims(name, "c", "mapco", [], []))
    with pytest.raises(BadRequest):
        changeset.commit([from_schema(name, {"properties": {}})])
    bench.record.discard(changeset.id)
    assert bench.record.row_counts() == counts
