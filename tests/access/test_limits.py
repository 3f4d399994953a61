from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoshare.access.leases import FileLeases, MemoryLeases, Taken
from geoshare.access.limits import (
    MINUTE_US,
    Limit,
    Limiter,
    limits_of,
    minute_at,
    month_at,
    month_begins,
    stricter,
)
from geoshare.access.months import Months
from geoshare.errors import TooMany, Unavailable
from geoshare.model.policy import Rated
from geoshare.store.governance import open_governance
from tests.clocks import SetClock

NOON_US = int(datetime(2026, 2, 27, 12, tzinfo=UTC).timestamp()) * 1_000_000
DAY_US = 86_400_000_000


def minute(credential: str, most: int, unit="requests") -> Limit:
    return Limit(credential, unit, "minute", most)


def month(credential: str, most: int, unit="requests") -> Limit:
    return Limit(credential, unit, "month", most)


def allowed(limiter: Limiter, limit: Limit, tries: int, cost: int = 1) -> int:
    count = 0
    for _ in range(tries):
        try:
            limiter.spend([(limit, cost)])
        except TooMany:
            continue
        count += 1
    return count


def worker(clock: SetClock, governance, processes: int = 2) -> Limiter:
    """A process of its own: what it shares is the database."""
    months = Months(governance.quotas, clock, processes)
    made = Limiter(clock, {"minute": MemoryLeases(), "month": months})
    months.gives(made.idle, lambda: made.idle(0))
    made.months = months
    return made


def left(limiter: Limiter, limit: Limit) -> tuple[int, int]:
    (found,) = limiter.left([limit])
    return found


@pytest.fixture
def governance(tmp_path):
    found = open_governance(tmp_path / "governance.db")
    yield found
    found.close()


def test_a_rate_holds_and_starts_anew_with_the_minute():
    clock = SetClock(NOON_US)
    limiter = Limiter(clock)
    assert allowed(limiter, minute("a", 50), 80) == 50
    assert allowed(limiter, minute("b", 50), 10) == 10
    with pytest.raises(TooMany) as caught:
        limiter.spend([(minute("a", 50), 1)])
    assert caught.value.retry_after_s == 60
    assert caught.value.parameter == "requests-minute"
    clock.us += MINUTE_US - 1
    with pytest.raises(TooMany) as caught:
        limiter.spend([(minute("a", 50), 1)])
    assert caught.value.retry_after_s == 1
    clock.us += 1
    assert allowed(limiter, minute("a", 50), 80) == 50


def test_a_rate_does_not_multiply_by_workers_nor_end_with_one(tmp_path):
    clock = SetClock(NOON_US)
    workers = [
        Limiter(clock, {"minute": FileLeases(tmp_path / "l.db"), "month": MemoryLeases()})
        for _ in range(3)
    ]
    assert sum(allowed(one, minute("a", 100), 60) for one in workers) == 100
    reborn = Limiter(clock, {"minute": FileLeases(tmp_path / "l.db"), "month": MemoryLeases()})
    assert allowed(reborn, minute("a", 100), 10) == 0
    assert allowed(reborn, minute("b", 100), 10) == 10


def test_a_costly_request_needs_its_whole_cost():
    limiter = Limiter(SetClock(NOON_US))
    limiter.spend([(minute("a", 100, "cost"), 90)])
    with pytest.raises(TooMany):
        limiter.spend([(minute("a", 100, "cost"), 20)])
    limiter.spend([(minute("a", 100, "cost"), 10)])


def test_what_one_limit_refuses_costs_the_others_nothing():
    limiter = Limiter(SetClock(NOON_US))
    own, above = minute("own", 10), minute("above", 3)
    assert sum(1 for _ in range(8) if _passes(limiter, own, above)) == 3
    assert left(limiter, own) == (7, 60)
    assert left(limiter, above) == (0, 60)


def _passes(limiter: Limiter, *limits: Limit) -> bool:
    try:
        limiter.spend([(limit, 1) for limit in limits])
    except TooMany:
        return False
    return True


def test_who_goes_on_asking_above_a_limit_costs_the_store_nothing():
    class Counting(MemoryLeases):
        asked = 0

        def take(self, *said):
            self.asked += 1
            return super().take(*said)

    clock, store = SetClock(NOON_US), Counting()
    limiter = Limiter(clock, {"minute": MemoryLeases(), "month": store})
    assert allowed(limiter, month("a", 10), 500) == 10
    assert store.asked <= 20
    before = store.asked
    clock.us += 5_000_000  # somebody may have given something back
    assert allowed(limiter, month("a", 10), 500) == 0
    assert store.asked == before + 1


def test_a_month_ends_with_the_calendar_and_says_when():
    clock = SetClock(NOON_US)
    limiter = Limiter(clock)
    assert allowed(limiter, month("a", 5), 9) == 5
    with pytest.raises(TooMany) as caught:
        limiter.spend([(month("a", 5), 1)])
    assert caught.value.retry_after_s == 36 * 3600  # noon of the 27th to the end of a short month
    clock.us += DAY_US + DAY_US // 2
    assert allowed(limiter, month("a", 5), 9) == 5


@given(st.datetimes(datetime(1971, 1, 1), datetime(2199, 12, 31)))
@settings(max_examples=50, deadline=None)
def test_every_moment_is_in_one_month_and_one_minute(moment):
    moment = moment.replace(tzinfo=UTC)
    now_us = int(moment.timestamp() * 1_000_000)
    found = month_at(now_us)
    assert found.begins_us <= now_us < found.ends_us
    begins = month_begins(found.number)
    assert (begins.year, begins.month, begins.day) == (moment.year, moment.month, 1)
    assert month_at(found.ends_us).number == found.number + 1
    assert minute_at(now_us).begins_us <= now_us < minute_at(now_us).ends_us


def test_a_month_survives_the_end_of_a_worker_to_the_unit(governance):
    clock, limit = SetClock(NOON_US), month("a", 1_000)
    first = worker(clock, governance)
    assert allowed(first, limit, 333) == 333
    first.months.close()
    second = worker(clock, governance)
    assert left(second, limit)[0] == 667
    assert allowed(second, limit, 700) == 667


def test_a_killed_worker_loses_at_most_a_twentieth(governance):
    clock, limit = SetClock(NOON_US), month("a", 1_000)
    assert allowed(worker(clock, governance), limit, 101) == 101  # and it is never heard of again
    known = left(worker(clock, governance), limit)[0]
    assert 1_000 - 101 - 50 <= known <= 1_000 - 101


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), max_size=120), st.integers(1, 200))
@settings(max_examples=40, deadline=None)
def test_workers_together_never_give_more_than_there_is(tmp_path_factory, asked, most):
    store = MemoryLeases(3)
    workers = [Limiter(SetClock(NOON_US), {"minute": store, "month": store}) for _ in range(3)]
    limit, given_out = minute("a", most, "cost"), 0
    for number, cost in asked:
        given_out += cost * allowed(workers[number], limit, 1, cost)
    assert given_out <= most
    refused = allowed(workers[0], limit, most, 1)
    held = sum(worker._at(limit, NOON_US).left for worker in workers)
    assert given_out + refused + held == most
    # what the others hold and do not use is less than a twentieth each
    assert held <= 2 * max(1, most // 20, 9)


def test_what_is_idle_comes_back_and_others_may_have_it(governance):
    clock, limit = SetClock(NOON_US), month("a", 1_000)
    one, other = worker(clock, governance), worker(clock, governance)
    one.spend([(limit, 1)])
    held = 1_000 - left(other, limit)[0] - 1
    assert held > 0
    clock.us += 59_000_000
    one.months.flush(one.idle)
    assert left(other, limit)[0] == 1_000 - 1 - held
    clock.us += 1_000_000
    one.months.flush(one.idle)
    assert left(worker(clock, governance), limit)[0] == 999


def test_what_is_not_limited_is_noted_and_known_after_a_restart(governance):
    clock = SetClock(NOON_US)
    one = worker(clock, governance)
    one.months.note(month("a", 1), 3)
    one.months.note(month("a", 1, "cost"), 40)
    assert one.months.used("a") == (3, 40)
    assert worker(clock, governance).months.used("a") == (0, 0)
    one.months.close()
    assert worker(clock, governance).months.used("a") == (3, 40)
    clock.us += 3 * DAY_US
    assert worker(clock, governance).months.used("a") == (0, 0)


def test_a_month_that_cannot_be_read_is_never_an_allow():
    class Gone:
        def take(self, month, key, decide) -> Taken:
            raise Unavailable("no")

    limiter = Limiter(
        SetClock(NOON_US), {"minute": MemoryLeases(), "month": Months(Gone(), SetClock(NOON_US))}
    )
    with pytest.raises(Unavailable):
        limiter.spend([(month("a", 10), 1)])


def test_notes_that_cannot_be_written_are_kept():
    written: list = []

    class Flaky:
        gone = True

        def add(self, rows) -> None:
            if self.gone:
                raise Unavailable("no")
            written.extend(rows)

    rows = Flaky()
    months = Months(rows, SetClock(NOON_US))
    months.note(month("a", 1), 2)
    with pytest.raises(Unavailable):
        months.flush()
    rows.gone = False
    months.flush()
    assert [(key, number) for _, key, number in written] == [(month("a", 1).key, 2)]


def test_threads_share_one_limit_to_the_unit():
    limiter, limit, passed = Limiter(SetClock(NOON_US)), minute("a", 700), []

    def ask() -> None:
        passed.append(allowed(limiter, limit, 200))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 700


def test_a_limit_that_is_changed_counts_from_then_on():
    limiter = Limiter(SetClock(NOON_US))
    assert allowed(limiter, month("a", 100), 60) == 60
    assert allowed(limiter, month("a", 80), 60) == 20


def test_the_stricter_of_two_rates_counts_sort_by_sort():
    one = Rated(requests_per_minute=5, cost_per_month=9)
    other = Rated(requests_per_minute=7, requests_per_month=3)
    found = stricter(one, other)
    assert found == Rated(requests_per_minute=5, requests_per_month=3, cost_per_month=9)
    names = [limit.name for limit in limits_of(found, "a", "mark")]
    assert names == ["requests-minute-mark", "requests-month-mark", "cost-month-mark"]


def test_a_block_of_a_larger_limit_does_not_use_a_smaller_one_up():
    clock, shared = SetClock(NOON_US), MemoryLeases()
    workers = [Limiter(clock, {"minute": shared, "month": MemoryLeases()}) for _ in range(2)]
    for limiter in workers:
        assert allowed(limiter, minute("a", 60_000), 1) == 1
    assert sum(allowed(limiter, minute("a", 6_000), 100) for limiter in workers) == 200
