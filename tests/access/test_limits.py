from __future__ import annotations

import pytest

from geoshare.access.limits import MINUTE_US, FileLeases, Limiter
from geoshare.errors import TooMany


class Clock:
    def __init__(self) -> None:
        self.us = 1_000 * MINUTE_US

    def now_us(self) -> int:
        return self.us


def allowed(limiter: Limiter, key: str, rate: int, tries: int) -> int:
    count = 0
    for _ in range(tries):
        try:
            limiter.count(key, rate)
        except TooMany:
            continue
        count += 1
    return count


def test_a_rate_holds_and_starts_anew_with_the_minute():
    clock = Clock()
    limiter = Limiter(clock)
    assert allowed(limiter, "a", 50, 80) == 50
    assert allowed(limiter, "b", 50, 10) == 10
    with pytest.raises(TooMany) as caught:
        limiter.count("a", 50)
    assert caught.value.retry_after_s == 60
    clock.us += MINUTE_US
    assert allowed(limiter, "a", 50, 80) == 50


def test_a_rate_does_not_multiply_by_workers_nor_end_with_one(tmp_path):
    clock = Clock()
    workers = [Limiter(clock, FileLeases(tmp_path / "limits.db")) for _ in range(3)]
    total = sum(allowed(worker, "a", 100, 60) for worker in workers)
    assert total == 100
    reborn = Limiter(clock, FileLeases(tmp_path / "limits.db"))
    assert allowed(reborn, "a", 100, 10) == 0
    assert allowed(reborn, "b", 100, 10) == 10


def test_a_costly_request_needs_its_whole_cost():
    limiter = Limiter(Clock())
    limiter.count("a", 100, cost=90)
    with pytest.raises(TooMany):
        limiter.count("a", 100, cost=20)
    limiter.count("a", 100, cost=10)
