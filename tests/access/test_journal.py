"""Journals of views: what is written is read, whoever writes, and what is torn is not."""

from __future__ import annotations

import os
import time

import pytest

from geoshare.access import build, journal
from geoshare.access.journal import Journals, State, Writer, journal_path


@pytest.fixture
def path(tmp_path):
    found = journal_path(tmp_path, "p" * 8, "events")
    found.parent.mkdir()
    return found


def read(path):
    return Journals(path.parent.parent).get(path.parent.name, "events")


def test_steps_are_read_as_they_were_written(path):
    writer = Writer(path)
    writer.add("a", "b", 1, ({"x": 1}, {"x": 2**64 - 1, "本": 3}))
    writer.add("b", "a", 2, ({}, {"y": 4}))
    found = read(path)
    assert found.first == State(0, "a")
    assert [step.state for step in found.steps] == [State(1, "b"), State(2, "a")]
    assert found.steps[0].come == {"x": 2**64 - 1, "本": 3}
    assert found.state_of("a") == State(2, "a")
    assert len(found.between(State(0, "a"), State(2, "a"))) == 2
    assert found.between(State(0, "b"), State(2, "a")) is None
    assert found.between(State(2, "a"), State(1, "b")) is None
    assert found.between(State(3, "a"), State(3, "a")) is None


def test_a_reader_goes_on_with_what_is_new_and_notices_a_file_of_another_beginning(path):
    journals, writer = Journals(path.parent.parent), Writer(path)
    assert journals.get(path.parent.name, "events") is None
    for number in range(5):
        writer.add(str(number), str(number + 1), number, ({}, {"x": number}))
        found = journals.get(path.parent.name, "events")
        assert found.last == State(number + 1, str(number + 1))
        assert len(found.steps) == number + 1
    writer.add("5", "6", 9, None)  # nothing is known of the change
    found = journals.get(path.parent.name, "events")
    assert (found.first, found.steps) == (State(6, "6"), ())


def test_a_torn_end_is_not_read_and_written_over(path):
    Writer(path).add("a", "b", 1, ({}, {"x": 1}))
    whole = path.read_bytes()
    Writer(path).add("b", "c", 1, ({}, {"y": 1}))
    torn = path.read_bytes()[:-3]
    path.write_bytes(torn)
    assert read(path).last == State(1, "b")
    Writer(path).add("b", "d", 1, ({}, {"z": 1}))
    assert read(path).last == State(2, "d")
    assert path.read_bytes().startswith(whole)


def test_two_who_write_in_turn_know_of_each_other(path):
    one, other = Writer(path), Writer(path)
    one.add("a", "b", 1, ({}, {"x": 1}))
    other.add("b", "c", 1, ({}, {"y": 1}))
    one.add("c", "d", 1, ({}, {"z": 1}))
    assert read(path).last == State(3, "d")


def test_a_step_from_elsewhere_begins_anew(path):
    writer = Writer(path)
    writer.add("a", "b", 1, ({}, {"x": 1}))
    writer.add("c", "d", 1, ({}, {"x": 1}))
    found = read(path)
    assert (found.first, found.steps) == (State(2, "d"), ())
    writer.begin("d")
    assert read(path).last == State(2, "d")
    writer.begin("e")
    assert read(path) is None


def test_old_steps_and_steps_beyond_the_most_go(path, monkeypatch):
    monkeypatch.setattr(journal, "MAX_ENTRIES", 40)
    writer = Writer(path, kept_us=1_000)
    for number in range(100):
        writer.add(str(number), str(number + 1), 5, ({}, {"x": 1}))
    found = read(path)
    assert 30 < len(found.steps) <= 40
    assert found.last == State(100, "100")
    writer.add("100", "101", 2_000, ({}, {"x": 1}))
    assert [step.state.number for step in read(path).steps] == [101]


def test_of_policies_that_nobody_holds_the_youngest_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "MOST_FORMER", 2)
    for number in range(4):
        (tmp_path / f"p{number}").mkdir()
        os.utime(tmp_path / f"p{number}", (time.time() - 100 * (number + 1),) * 2)
    assert sorted(build.sweep_views([], tmp_path, 1_000)) == ["p2", "p3"]
    assert build.sweep_views([], tmp_path, 150) == ["p1"]
