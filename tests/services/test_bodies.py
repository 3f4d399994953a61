"""Kept answers: never another key's, never over the budget, made once however many ask."""

from __future__ import annotations

import threading
import time

import pytest

from geoshare.services.bodies import MAX_SHARE, OVERHEAD_BYTES, Bodies, Kept


def _kept(size: int, tag: str = "t") -> Kept:
    return Kept(tag, "", b"x" * size)


def test_an_answer_is_kept_under_its_own_key_alone() -> None:
    bodies = Bodies(1_000_000)
    bodies.get_or_make(("a", 1), lambda: _kept(5, "one"))
    assert bodies.get(("a", 1)) == _kept(5, "one")
    assert bodies.get(("a", 2)) is None


def test_answers_not_asked_for_longest_go_when_room_is_needed() -> None:
    size = 1_000
    bodies = Bodies(20 * (size + OVERHEAD_BYTES))
    for number in range(20):
        bodies.get_or_make(number, lambda: _kept(size))
    assert bodies.get(0) is not None
    bodies.get_or_make(20, lambda: _kept(size))
    assert bodies.get(0) is not None
    assert bodies.get(1) is None


def test_an_answer_too_large_for_its_share_is_handed_out_and_not_kept() -> None:
    bodies = Bodies(16_000)
    assert len(bodies.get_or_make("large", lambda: _kept(16_000 // MAX_SHARE)).payload) == 1_000
    assert bodies.get("large") is None


def test_no_budget_keeps_nothing() -> None:
    bodies = Bodies(0)
    assert bodies.get_or_make("a", lambda: _kept(3)) == _kept(3)
    assert bodies.get("a") is None


def test_many_that_ask_at_once_make_an_answer_once() -> None:
    bodies, made = Bodies(1_000_000), []

    def make() -> Kept:
        time.sleep(0.05)
        made.append(1)
        return _kept(3)

    threads = [threading.Thread(target=bodies.get_or_make, args=("a", make)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_a_making_that_fails_is_tried_by_the_next_one() -> None:
    bodies = Bodies(1_000_000)

    def fail() -> Kept:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        bodies.get_or_make("a", fail)
    assert bodies.get_or_make("a", lambda: _kept(3)) == _kept(3)
