"""The log as files and rows: complete, no change unnoticed, one tree whatever is interrupted."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.audit import COMMAND_LINE, Party, trail
from geoshare.access.audit.adopt import adopt
from geoshare.access.audit.entries import parse, prepare
from geoshare.access.audit.files import LogFolder, parse_name, tile_name, tiles_of, unbundle
from geoshare.access.audit.notes import Checkpoint
from geoshare.access.audit.sequence import Busy
from geoshare.access.audit.tree import leaf_hash
from geoshare.access.audit.verify import verify_files
from geoshare.errors import BadData, Conflict, NotFound, Unavailable
from geoshare.model.clock import RandomIds
from tests.access.audit.conftest import NOW_US, Log
from tests.access.audit.test_tree import mth


def head_of(log: Log) -> Checkpoint:
    return Checkpoint.open(log.audit.folder.read("checkpoint") or b"", log.audit.vkey)


def all_entries(log: Log) -> list[bytes]:
    """Entries as a stranger reads them from the files."""
    folder, found = log.audit.folder, []
    head = head_of(log)
    for number in range(-(-head.size // 256)):
        width = min(256, head.size - number * 256)
        found += unbundle(folder.tile("entries", number, width))[:width]
    return found


@pytest.mark.parametrize("steps", [[1], [255, 1], [256], [256, 1, 300], [40, 700, 5]])
def test_the_files_are_those_that_the_format_prescribes(log: Log, steps: list[int]) -> None:
    total = 0
    for step in steps:
        log.append(step, start=total)
        assert log.sequence() == step
        total += step
        head = head_of(log)
        entries = all_entries(log)
        assert [parse(entry)["detail"]["number"] for entry in entries] == list(range(total))
        assert (head.size, head.root) == (total, mth(entries))
        for level, number, width in tiles_of(total):
            tile = log.audit.folder.read(tile_name(level, number, width))
            span = 256**level
            hashes = [mth(entries[(number * 256 + i) * span :][:span]) for i in range(width)]
            assert tile == b"".join(hashes)
    assert log.findings() == []


def test_tile_names_are_those_of_the_specification() -> None:
    assert tile_name(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_name("entries", 0, 3) == "tile/entries/000.p/3"
    sizes = [(level, number, width) for level, number, width in tiles_of(70_000) if width < 256]
    assert sizes == [(0, 273, 112), (1, 1, 17), (2, 0, 1)]
    for name in (tile_name(2, 1000), tile_name("entries", 999_999, 255)):
        assert tile_name(*(parse_name(name) or ())) == name
    for name in ("tile/0/1", "tile/0/x000/001", "tile/0/000.p/256", "tile/00/000", "../checkpoint"):
        assert parse_name(name) is None


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Log:
    folder = tmp_path_factory.mktemp("grown")
    log = Log(folder / "data", folder / "governance.db")
    for step in (3, 300, 9):
        log.append(step, start=step)
        log.sequence()
    return log


@settings(max_examples=50)
@given(st.data())
def test_any_changed_byte_of_any_file_is_found(grown: Log, data: st.DataObject) -> None:
    folder = grown.audit.folder
    name = data.draw(st.sampled_from(sorted(folder.names())))
    path = folder.folder / name
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    kind = data.draw(st.sampled_from(["flipped", "cut", "longer", "gone"]))
    changed = {
        "flipped": content[:at] + bytes([content[at] ^ (1 << data.draw(st.integers(0, 7)))])
        + content[at + 1 :],
        "cut": content[:at],
        "longer": content + content[at : at + 1],
    }  # fmt: skip
    try:
        path.write_bytes(changed[kind]) if kind != "gone" else path.unlink()
        found = verify_files(folder, grown.audit.vkey).findings
        # An older partial tile may go: the log may delete it, and a full or wider one has its hashes.
        said = parse_name(name)
        spare = said is not None and not any(
            tile_name(said[0] if said[0] == "entries" else int(said[0]), number, width) == name
            for level, number, width in tiles_of(312)
            if said[0] in (str(level), "entries")
        )
        assert found or (kind == "gone" and spare)
    finally:
        path.write_bytes(content)
    assert verify_files(folder, grown.audit.vkey).findings == []


def test_a_file_that_does_not_belong_to_the_log_is_found(grown: Log) -> None:
    grown.audit.folder.write("tile/readme.txt", b"hello")
    assert verify_files(grown.audit.folder, grown.audit.vkey).findings
    (grown.audit.folder.folder / "tile/readme.txt").unlink()


@pytest.mark.parametrize("statement", [
    "UPDATE audit_entries SET leaf = (SELECT leaf FROM audit_entries WHERE place = 8) WHERE place = 7",
    "UPDATE audit_openings SET value = 'rival' WHERE entry = 5 AND what = 'organisation'",
    "UPDATE audit_openings SET salt = zeroblob(32) WHERE entry = 9",
    "DELETE FROM audit_entries WHERE place = 11",
    "UPDATE audit_log SET root = zeroblob(32)",
    "UPDATE audit_log SET size = size - 1",
])  # fmt: skip
def test_a_change_of_the_database_is_found(log: Log, statement: str) -> None:
    log.append(20)
    log.sequence()
    assert log.findings() == []
    with log.governance.database.write() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        connection.exec_driver_sql("DELETE FROM audit_openings WHERE entry = 12")
        connection.exec_driver_sql(statement)
    assert log.findings()


class Killed(BaseException):
    """What stands for kill -9 between two steps."""


def sequence_until(log: Log, step: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Sequence; end, as killed, before that file is written or that commit made. Whether it was not."""
    events = 0

    def killed_before(original: Callable) -> Callable:
        def run(self, *arguments):
            nonlocal events
            if events == step:
                log.audit.folder.folder.joinpath(".0123abcd").write_bytes(b"torn")
                raise Killed
            events += 1
            return original(self, *arguments)

        return run

    with monkeypatch.context() as patch:
        for owner, name in ((LogFolder, "write"), (type(log.audit.rows), "place")):
            patch.setattr(owner, name, killed_before(getattr(owner, name)))
        try:
            log.sequence()
        except Killed:
            return False
    return True


def test_an_interruption_at_any_step_leads_to_the_same_tree(tmp_path: Path, monkeypatch) -> None:
    for step in range(100):
        log = Log(tmp_path / f"data{step}", tmp_path / f"g{step}.db")
        log.append(250)
        log.sequence()
        log.append(300, start=250)
        done = sequence_until(log, step, monkeypatch)
        signed = head_of(log)
        log.open()
        log.append(1, start=550)
        log.sequence()
        entries = all_entries(log)
        assert (head_of(log).size, head_of(log).root) == (551, mth(entries))
        assert mth(entries[: signed.size]) == signed.root
        assert log.findings() == []
        if done:
            break
    assert 8 < step < 99


def _append_and_sequence(data: Path, url: Path, seed: int) -> None:
    log = Log(data, url)
    while True:
        log.append(7, organisation=f"child-{seed}")
        try:
            log.sequence()
        except Busy:
            continue


def test_processes_killed_at_any_moment_leave_one_tree(tmp_path: Path) -> None:
    url, data = tmp_path / "governance.db", tmp_path / "data"
    log = Log(data, url)
    log.sequence()
    log.governance.close()
    context, chosen = multiprocessing.get_context("fork"), random.Random(7)
    seen: dict[int, bytes] = {}
    for seed in range(4):
        children = [
            context.Process(target=_append_and_sequence, args=(data, url, seed)) for _ in range(2)
        ]
        for child in children:
            child.start()
        until = time.monotonic() + 0.2 + chosen.random() / 3
        while time.monotonic() < until:
            head = Checkpoint.open((data / "audit/checkpoint").read_bytes(), log.audit.vkey)
            assert seen.setdefault(head.size, head.root) == head.root
            time.sleep(0.005)
        for child in children:
            os.kill(child.pid or 0, signal.SIGKILL)
            child.join()
    log = Log(data, url)
    log.sequence()
    entries = all_entries(log)
    assert len(seen) > 2
    for size, root in seen.items():
        assert mth(entries[:size]) == root
    assert log.findings() == []


def test_only_one_process_sequences(log: Log) -> None:
    log.append(3)
    with log.audit.sequencer.alone(), pytest.raises(Busy):
        log.sequence()
    assert log.sequence() == 3


def test_places_are_given_once_also_without_the_lock(make_log, database_url: str) -> None:
    first = make_log(database_url)
    first.append(4)
    head, rows = first.audit.head(), first.audit.rows.pending(10)
    numbers = [row.number for row in rows]
    first.audit.rows.place(head, numbers[:2], b"r" * 32)
    with pytest.raises(Conflict):
        first.audit.rows.place(head, numbers[2:], b"s" * 32)
    with pytest.raises(Conflict):
        first.audit.rows.place(first.audit.head(), numbers[1:], b"s" * 32)
    assert [row.place for row in first.audit.rows.placed(0, 10)] == [0, 1]
    first.governance.close()


def test_both_databases_keep_a_log(make_log, database_url: str) -> None:
    log = make_log(database_url)
    log.append(5)
    assert log.audit.append_once("x 1", "test.once", COMMAND_LINE, Party(), {})
    assert not log.audit.append_once("x 1", "test.once", COMMAND_LINE, Party(), {})
    assert log.audit.rows.newest_once("x ") == "x 1"
    assert log.audit.rows.newest_once("y ") is None
    assert log.sequence() == 6
    assert log.audit.forget("organisation", "mapco", COMMAND_LINE) == 5
    assert log.sequence() == 1
    assert log.findings() == []
    log.governance.close()


def test_an_older_copy_of_the_database_is_not_gone_on_with(tmp_path: Path) -> None:
    log = Log(tmp_path / "data", tmp_path / "governance.db")
    log.append(5)
    log.sequence()
    log.governance.close()
    shutil.copy(tmp_path / "governance.db", tmp_path / "backup.db")
    log.open()
    log.append(5, start=5)
    log.sequence()
    note = log.audit.folder.read("checkpoint")
    log.url = tmp_path / "backup.db"
    log.open()
    log.append(9, start=90)
    with pytest.raises(BadData):
        log.sequence()
    assert log.audit.folder.read("checkpoint") == note
    assert log.findings()
    taken = adopt(log.audit, lambda said: f"once {said['id']}", lambda fraction, text: None)
    assert taken == 5
    assert log.findings() == []
    assert log.sequence() == 9
    numbers = [parse(entry)["detail"]["number"] for entry in all_entries(log)]
    assert numbers == [*range(10), *range(90, 99)]
    assert log.findings() == []


def test_another_history_is_not_adopted(tmp_path: Path) -> None:
    log = Log(tmp_path / "data", tmp_path / "governance.db")
    log.append(5)
    log.sequence()
    log.append(3, start=5)
    head, rows = log.audit.head(), log.audit.rows
    rows.place(head, [row.number for row in rows.pending(3)], b"x" * 32)
    with pytest.raises(BadData):
        adopt(log.audit, lambda said: None, lambda fraction, text: None)
    (log.audit.folder.folder / "tile/0/000.p/5").write_bytes(b"")
    with pytest.raises(BadData):
        adopt(log.audit, lambda said: None, lambda fraction, text: None)


@pytest.mark.parametrize("name", ["tile/0/000.p/5", "tile/entries/000.p/5", "checkpoint"])
def test_a_log_whose_files_were_changed_is_not_gone_on_with(log: Log, name: str) -> None:
    log.append(5)
    log.sequence()
    path = log.audit.folder.folder / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    log.append(5, start=5)
    with pytest.raises(BadData):
        log.sequence()
    path.write_bytes(content)
    assert log.sequence() == 5


def test_lost_files_are_written_again_as_they_were(log: Log) -> None:
    log.append(300)
    log.sequence()
    before = {name: log.audit.folder.read(name) for name in log.audit.folder.names()}
    shutil.rmtree(log.audit.folder.folder)
    log.sequence()
    assert {name: log.audit.folder.read(name) for name in log.audit.folder.names()} == before


def test_the_keepers_loop_gives_a_place_within_a_second_and_mends_itself(log: Log, monkeypatch) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=log.audit.keep, args=(stop, 0.01))
    monkeypatch.setattr(trail, "_AGAIN_S", 0.05)
    broken = threading.Event()
    sequence = log.audit.sequencer.sequence

    def failing(head):
        if not broken.is_set():
            broken.set()
            raise Unavailable("the database is away")
        return sequence(head)

    monkeypatch.setattr(log.audit.sequencer, "sequence", failing)
    thread.start()
    try:
        receipt = log.audit.append("test.entry", COMMAND_LINE)
        assert broken.wait(20)  # the loop met the fault, not who asks for the proof
        proof = log.audit.proof(receipt.id, wait_s=20)
        assert proof.check(receipt.leaf, log.audit.vkey).size == 1
    finally:
        stop.set()
        thread.join()


def test_a_proof_is_of_one_entry_and_no_other(log: Log) -> None:
    log.append(40)
    receipt = log.audit.append("test.entry", COMMAND_LINE)
    log.append(40)
    proof = log.audit.proof(receipt.id, wait_s=5)
    assert proof.index == 40
    assert proof.path == tuple(log.audit.proof(receipt.id).path)
    with pytest.raises(BadData):
        proof.check(receipt.leaf.replace(b"test", b"tost"), log.audit.vkey)
    with pytest.raises(NotFound):
        log.audit.proof("nothing")


def test_what_cannot_be_written_is_not_released(log: Log) -> None:
    with log.governance.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_entries RENAME TO away")
    with pytest.raises(Unavailable):
        log.audit.append("key.create", COMMAND_LINE)


@pytest.mark.parametrize("detail", [{"x": 1.5}, {"x": None}, {"x": b""}, {1: "x"}, {"x": "y" * 70_000}])
def test_an_entry_says_only_what_has_one_form(detail: dict) -> None:
    with pytest.raises(ValueError, match="entry"):
        prepare("a.b", COMMAND_LINE, detail=detail, at_us=NOW_US, ids=RandomIds())


def test_two_entries_that_say_the_same_cannot_be_told_from_their_hashes(log: Log) -> None:
    party = Party(organisation="mapco")
    one, two = (log.audit.prepare("key.create", party) for _ in range(2))
    assert parse(one.leaf)["by"] != parse(two.leaf)["by"]
    assert leaf_hash(one.leaf) != leaf_hash(two.leaf)
    assert b"mapco" not in one.leaf
