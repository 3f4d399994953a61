"""Reads are counted exactly, lose a second at most, and become one entry of their minute."""

from __future__ import annotations

import threading

import pytest

from geoshare.access.audit import reads as module
from geoshare.access.audit.reads import GRACE_US, MINUTE_US
from geoshare.access.credentials import ANONYMOUS, Principal
from geoshare.errors import Unavailable
from tests.access.audit.conftest import NOW_US, Log

WHO = Principal("mapco", ("partner",), "key-1")


def entries(log: Log) -> list[dict]:
    return log.audit.opened(log.audit.rows.newest(1000)[::-1], None)


def test_reads_of_many_threads_are_counted_once_each(make_log, database_url: str) -> None:
    log = make_log(database_url)

    def read() -> None:
        for number in range(500):
            log.audit.reads.count(WHO, "segments", "items")
            if number % 100 == 0:
                log.audit.reads.flush()

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.audit.reads.count(WHO, "segments", "tiles")
    log.audit.reads.count(WHO, "lanes", "tiles")
    log.audit.reads.count(ANONYMOUS, "segments", "tiles")
    log.audit.reads.flush()
    log.clock.us = NOW_US + MINUTE_US + GRACE_US - 1
    log.sequence()
    assert entries(log) == []  # the minute's last counts may still be on their way
    log.clock.us += 1
    log.sequence()
    log.sequence()
    said = [(item["entry"]["detail"], {o["value"] for o in item["opened"]}) for item in entries(log)]
    minute = NOW_US // MINUTE_US
    assert said == [
        ({"collection": "segments", "minute": minute, "reads": {"tiles": 1}}, {"anonymous"}),
        ({"collection": "lanes", "minute": minute, "reads": {"tiles": 1}}, {"mapco", "key-1"}),
        (
            {"collection": "segments", "minute": minute, "reads": {"items": 4000, "tiles": 1}},
            {"mapco", "key-1"},
        ),
    ]
    assert log.findings() == []
    log.governance.close()


def test_how_much_others_read_does_not_divide_what_one_reads(
    make_log, database_url: str, monkeypatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)
    log = make_log(database_url)
    other = Principal("another", ("partner",), "key-0")
    for number in range(3):
        log.audit.reads.count(other, f"collection-{number}", "items")
        for action in ("changes", "items", "tiles"):
            log.audit.reads.count(WHO, f"collection-{number}", action)
    log.audit.reads.flush()
    log.clock.us += MINUTE_US + GRACE_US
    log.sequence()
    every = {"changes": 1, "items": 1, "tiles": 1}
    mine = [entry["entry"]["detail"] for entry in entries(log) if "mapco" in str(entry["opened"])]
    assert sorted(((said["collection"], said["reads"]) for said in mine), key=str) == [
        (f"collection-{number}", every) for number in range(3)
    ]
    log.governance.close()


def test_counts_are_written_within_a_second_without_being_asked(log: Log, monkeypatch) -> None:
    monkeypatch.setattr(module, "FLUSH_S", 0.01)
    written = threading.Event()
    note = log.audit.rows.note_reads
    monkeypatch.setattr(log.audit.rows, "note_reads", lambda rows: (note(rows), written.set()))
    for _ in range(2):
        log.audit.reads.count(WHO, "segments", "items")
        assert written.wait(20)
        written.clear()


def test_a_crash_loses_what_was_not_flushed_and_nothing_else(log: Log) -> None:
    log.audit.reads.count(WHO, "segments", "items")
    log.audit.reads.flush()
    log.audit.reads.count(WHO, "segments", "items")
    log.open()  # another process: the memory of the first is gone
    log.clock.us += 3 * MINUTE_US
    log.sequence()
    assert [item["entry"]["detail"]["reads"] for item in entries(log)] == [{"items": 1}]


def test_while_counts_cannot_be_written_they_are_kept_and_keys_refused_in_the_end(log, monkeypatch):
    def away(rows):
        raise Unavailable("away")

    monkeypatch.setattr(module, "FLUSH_S", 60)
    log.audit.reads.count(WHO, "segments", "items")
    with monkeypatch.context() as patch:
        patch.setattr(log.audit.rows, "note_reads", away)
        log.audit.reads._due()
        log.audit.reads.count(WHO, "segments", "items")
        patch.setattr(module, "STALE_S", -1)
        with pytest.raises(Unavailable):
            log.audit.reads.count(WHO, "segments", "items")
        log.audit.reads.count(ANONYMOUS, "segments", "items")
    log.audit.reads._due()
    log.audit.reads.count(WHO, "segments", "items")
    log.audit.reads.flush()
    log.clock.us += 3 * MINUTE_US
    log.sequence()
    assert [item["entry"]["detail"]["reads"] for item in entries(log)] == [{"items": 1}, {"items": 3}]
