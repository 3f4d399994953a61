"""One consumer that asks without end holds some threads, never all of them."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.turns import QUICK_S, Turns
from geoshare.errors import TooMany

THREADS = 16


class Watch:
    def __init__(self) -> None:
        self.s = 100.0

    def now_s(self) -> float:
        return self.s


def slow(watch: Watch) -> Turns:
    """Turns in which nobody waits, since whatever runs is slow already."""

    class Impatient(Turns):
        def _oldest_s(self, consumer: str) -> float:
            return watch.s - QUICK_S

    return Impatient(THREADS, watch.now_s)


def enter(turns: Turns, consumer: str, most: int = THREADS) -> list:
    found = []
    for _ in range(most):
        try:
            found.append(turns.enter(consumer))
        except TooMany:
            break
    return found


def test_one_consumer_holds_two_thirds_and_others_share_the_rest():
    turns = slow(Watch())
    assert [len(enter(turns, name)) for name in "abc"] == [11, 4, 1]


def test_what_is_given_back_can_be_taken_again_and_a_refusal_says_when():
    turns = slow(Watch())
    held = enter(turns, "a")
    with pytest.raises(TooMany) as caught:
        turns.enter("a")
    assert caught.value.retry_after_s == 1
    turns.leave(held.pop())
    turns.enter("a")


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans()), max_size=200))
@settings(max_examples=50, deadline=None)
def test_whoever_holds_nothing_gets_a_turn_while_a_thread_is_free(steps):
    turns, held = slow(Watch()), {name: [] for name in "abcdef"}
    for name, coming in steps:
        if not coming and held[name]:
            turns.leave(held[name].pop())
        busy = sum(map(len, held.values()))
        if coming and busy < THREADS:
            before = len(held[name])
            held[name] += enter(turns, name, 1)
            assert len(held[name]) == before + 1 or before >= 2 * (THREADS - busy)
            assert len(held[name]) <= 11


def test_streams_take_threads_and_are_not_waited_for():
    turns = Turns(THREADS)
    for turn in enter(turns, "a", 11):
        turns.lasts(turn)
    turns._left.wait = None  # whoever waited would fail
    with pytest.raises(TooMany):
        turns.enter("a")
    turns.enter("b")


def test_quick_answers_are_waited_for_and_slow_ones_are_not():
    """Twenty threads of one consumer whose answers take a moment: all are answered in the end."""
    turns, answered = Turns(THREADS), []

    def ask(seconds: float) -> None:
        turn = turns.enter("a")
        time.sleep(seconds)
        turns.leave(turn)
        answered.append(seconds)

    threads = [threading.Thread(target=ask, args=(0.02,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answered) == 20


def test_a_hammering_consumer_leaves_threads_to_another():
    """Workers of a server that all take what comes first: one consumer asks slow things without end."""
    turns, stop, waiting = Turns(THREADS), threading.Event(), threading.Semaphore(0)
    queue: list[tuple[str, threading.Event]] = []
    lock, release, refused = threading.Lock(), threading.Event(), []

    def serve() -> None:
        while not stop.is_set():
            if not waiting.acquire(timeout=0.05):
                continue
            with lock:
                consumer, done = queue.pop(0)
            try:
                turn = turns.enter(consumer)
            except TooMany:
                refused.append(consumer)
                done.set()
                continue
            if consumer == "greedy":
                release.wait(20)
            turns.leave(turn)
            done.set()

    def ask(consumer: str) -> threading.Event:
        done = threading.Event()
        with lock:
            queue.append((consumer, done))
        waiting.release()
        return done

    workers = [threading.Thread(target=serve) for _ in range(THREADS)]
    for worker in workers:
        worker.start()
    try:
        hammered = [ask("greedy") for _ in range(200)]
        assert all(ask("modest").wait(10) for _ in range(5))
        assert "greedy" in refused
        assert "modest" not in refused
    finally:
        release.set()
        for done in hammered:
            done.wait(10)
        stop.set()
        for worker in workers:
            worker.join()
