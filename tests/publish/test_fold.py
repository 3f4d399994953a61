"""Folding changes where rows lie and nothing of what they are, and never stands in the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.publish import Keeper, Packs, fold, read_manifest, wait_published
from geoshare.publish.fold import Folded, plan, run
from geoshare.publish.folding import Folding
from geoshare.publish.keeper import MOST_DELTAS
from geoshare.publish.manifest import Manifest
from geoshare.publish.vectors import swap
from geoshare.store import open_record
from tests.ingest.bench import Workbench
from tests.publish.test_publish import many, shown
from tests.publish.versions import Versions, content
from tiles.pack import PartInfo


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    record = open_record(tmp_path / "record.db")
    yield Workbench(record, tmp_path)
    record.close()


CHANGES = st.lists(
    st.dictionaries(
        st.integers(0, 29),
        st.none() | st.tuples(st.integers(0, 5), st.floats(-170, 170), st.floats(-80, 80)),
        min_size=1,
        max_size=8,
    ),
    min_size=1,
    max_size=6,
)
BASE = {number: (0, 10.0 * (number % 6), 5.0 * (number // 6)) for number in range(25)}


@settings(max_examples=30, deadline=None)
@given(CHANGES, st.sampled_from((4, 9, 30)), st.booleans())
def test_whatever_is_folded_the_pack_holds_what_the_last_changes_said(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[dict[int, Any]],
    part_rows: int,
    into_base: bool,
) -> None:
    """The oracle is a dictionary that the changes were applied to one after the other."""
    versions = Versions(tmp_path_factory.mktemp("packs"), part_rows)
    state: dict[int, Any] = dict(BASE)
    versions.base(state)
    for change in changes:
        versions.delta(change)
        state = {number: said for number, said in (state | change).items() if said is not None}
    published = versions.packs.source("places")
    assert published is not None
    work = plan(published.manifest, most=1, into_base=into_base)
    if work is None:
        return
    folded = run(work, versions.folder, versions.folder / ".fold", part_rows)
    versions.delta({0: (99, 1.0, 1.0)})  # published while the fold was made
    state[0] = (99, 1.0, 1.0)
    assert swap(versions.packs, work, folded)
    after = versions.packs.source("places")
    assert after is not None
    assert content(after.pack) == state
    assert after.manifest.count == len(state)
    assert len(after.manifest.parts) <= len(published.manifest.parts) + 1
    if work.into_base:
        base = [part for part in after.pack.parts if not part.is_delta]
        assert [len(part) <= part_rows for part in base] == [True] * len(base)
        order = [
            (int(key), f"f{number:02d}")
            for part in base
            for key, number in zip(part.order_key, content_order(part), strict=True)
        ]
        assert order == sorted(order)
        assert len(after.manifest.deltas) == 1


def content_order(part: Any) -> list[int]:
    starts, text = part.table.ids.dictionary_offsets, part.table.ids.dictionary_bytes
    return [int(bytes(text[begin + 1 : end])) for begin, end in pairwise(starts)]


def infos(*weights: int) -> tuple[PartInfo, ...]:
    box = (0.0, 0.0, 1.0, 1.0)
    return tuple(
        PartInfo(f"{'delta' if at else 'base'}-{at}-{rows}", rows, 0, 0, "", "", 0, at > 0, box)
        for at, rows in enumerate(weights)
    )


def test_parts_stay_few_and_rows_are_rarely_written_again_under_a_steady_stream() -> None:
    """Ten thousand change sets of a hundred rows on two million: sizes alone, as the plan sees them."""
    parts, base_rows, written, most = infos(2_000_000), 2_000_000, 0, 0
    for step in range(10_000):
        parts = (*parts, replace(parts[0], name=f"delta-{step}", rows=100, is_delta=True))
        most = max(most, len(parts))
        work = plan(Manifest("places", step, step, 0, {}, {}, parts, 0, None))
        if work is None:
            continue
        rows = sum(info.rows for info in work.taken)
        written += rows
        new = replace(work.taken[-1], name=f"fold-{step}", rows=rows, is_delta=not work.into_base)
        done = Folded(Path(), (new,), order=(new.name,))
        rebased = work.rebased(parts, done)
        assert rebased is not None
        parts = rebased
    assert most <= 2 + fold.MOST_DELTAS
    assert sum(info.rows for info in parts) == base_rows + 10_000 * 100
    assert written / (10_000 * 100) < 20  # each row: a few levels, and the base every tenth of it


def test_deltas_that_are_being_folded_are_left_alone() -> None:
    parts = infos(1_000_000, *([10] * 40))
    manifest = Manifest("places", 1, 1, 0, {}, {}, parts, 0, None)
    held = parts[:20]
    work = plan(manifest, held, 8, into_base=False)
    assert work is not None
    assert {info.name for info in work.taken}.isdisjoint(info.name for info in held)
    done = Folded(Path(), (replace(work.taken[0], name="new"),))
    after = work.rebased(parts, done)
    assert after is not None
    assert [info.name for info in after] == [info.name for info in (*held, done.parts[0])]


def stacked(folder: Path) -> Versions:
    versions = Versions(folder, 100)
    versions.base(BASE)
    for number in range(3):
        versions.delta({number: (7, 1.0, 1.0)})
    return versions


def test_a_fold_of_parts_that_are_no_longer_there_is_dropped(tmp_path: Path) -> None:
    versions = stacked(tmp_path)
    work = plan(versions.manifest, most=1, into_base=False)
    assert work is not None
    first, second = (
        run(work, versions.folder, versions.folder / f".fold-{number}") for number in range(2)
    )
    assert swap(versions.packs, work, first)
    assert not swap(versions.packs, work, second)
    after = versions.packs.source("places")
    assert after is not None
    assert content(after.pack) == BASE | dict.fromkeys(range(3), (7, 1.0, 1.0))


def test_a_fold_that_fails_is_logged_and_tried_again_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    versions = stacked(tmp_path)
    work = plan(versions.manifest, most=1, into_base=False)
    assert work is not None
    (versions.folder / work.taken[0].name).unlink()
    with closing(Folding(tmp_path)) as folding:
        folding.start(work)
        deadline = time.monotonic() + 60
        while folding.work is not None:
            assert folding.finished() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert not folding.free
    assert "places cannot be folded" in caplog.text


def test_folding_goes_on_in_a_process_of_its_own(bench: Workbench) -> None:
    """Many small change sets, one after the other: few deltas stay, and nothing gets lost."""
    stop = threading.Event()
    keeper = Keeper(bench.record, bench.data, bench.counting)
    thread = threading.Thread(target=keeper.run, args=(stop, 0.005))
    waiter = Keeper(bench.record, bench.data, bench.counting)
    bench.contribute([many()], content="0")
    thread.start()
    try:
        for step in range(1, 41):
            result = bench.contribute([many({step: 1_000 + step})], content=str(step))
            assert result.sequence is not None
            wait_published(waiter, bench.record, bench.data, result.sequence)
            manifest = read_manifest(bench.data / "packs", "places")
            assert manifest is not None
            assert len(manifest.deltas) <= MOST_DELTAS + fold.MOST_DELTAS + 1
        deadline = time.monotonic() + 60
        while len(manifest.deltas) > fold.MOST_DELTAS:
            assert time.monotonic() < deadline
            time.sleep(0.05)
            manifest = read_manifest(bench.data / "packs", "places")
            assert manifest is not None
    finally:
        stop.set()
        thread.join()
    assert manifest.version > 41
    assert shown(Packs(bench.data / "packs"), "places") == bench.visible("places")
