"""Jobs are durable, run at least once, and obey their owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from geoshare.errors import BadData, NotFound, Unavailable
from geoshare.jobs import Job, Progress, Queue, Worker
from geoshare.jobs import worker as worker_module
from geoshare.model.clock import RandomIds, SystemClock
from geoshare.store import Governance, open_governance
from tests.store.databases import KINDS, fresh_url


class HandClock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000_000_000

    def now_us(self) -> int:
        return self.now


@pytest.fixture
def governance(request: pytest.FixtureRequest, tmp_path: Path):
    url = (
        fresh_url(request.param, tmp_path) if hasattr(request, "param") else tmp_path / "governance.db"
    )
    opened = open_governance(url)
    yield opened
    opened.close()


on_both_databases = pytest.mark.parametrize("governance", KINDS, indirect=True)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def queue(governance: Governance, clock: HandClock) -> Queue:
    return Queue(governance.jobs, clock, RandomIds())


@on_both_databases
def test_a_job_runs_and_keeps_its_result(governance, queue, clock):
    job = queue.enqueue("double", {"number": 21}, "shiomi-city")
    worker = Worker(governance.jobs, {"double": lambda job, _: {"is": job.params["number"] * 2}}, clock)
    assert worker.run_one()
    done = queue.get(job.id)
    assert (done.state, done.result, done.progress) == ("done", {"is": 42}, 1.0)
    assert not worker.run_one()


def test_a_worker_takes_only_kinds_it_knows(governance, queue, clock):
    queue.enqueue("unknown", {}, "a")
    assert not Worker(governance.jobs, {"known": lambda *_: None}, clock).run_one()


def test_an_error_meant_for_users_fails_the_job_at_once(governance, queue, clock):
    def refuse(job: Job, progress: Progress) -> None:
        raise BadData("line 3 is no line", parameter="file", allowed="lines")

    job = queue.enqueue("read", {}, "a")
    Worker(governance.jobs, {"read": refuse}, clock).run_one()
    failed = queue.get(job.id)
    assert failed.state == "failed"
    assert failed.error == {
        "code": "bad-data",
        "message": "line 3 is no line",
        "parameter": "file",
        "allowed": "lines",
    }


def test_an_unexpected_error_is_retried_with_growing_pauses_and_says_nothing_of_itself(
    governance, queue, clock
):
    def fail(job: Job, progress: Progress) -> None:
        raise RuntimeError("secret detail")

    job = queue.enqueue("fail", {}, "a")
    worker = Worker(governance.jobs, {"fail": fail}, clock)
    pauses = []
    while not queue.get(job.id).is_over:
        before = clock.now
        while not worker.run_one():
            clock.now += 100_000
        pauses.append(clock.now - before)
    assert queue.get(job.id).attempts == worker_module.MAX_ATTEMPTS
    assert pauses == sorted(pauses)
    assert pauses[-1] >= 8_000_000
    assert "secret" not in str(queue.get(job.id).error)


def test_a_job_that_met_an_unavailable_part_succeeds_later(governance, queue, clock):
    tries = []

    def flaky(job: Job, progress: Progress) -> dict[str, int]:
        tries.append(job.attempts)
        if len(tries) == 1:
            raise Unavailable("not now")
        return {"tries": len(tries)}

    job = queue.enqueue("flaky", {}, "a")
    worker = Worker(governance.jobs, {"flaky": flaky}, clock)
    assert worker.run_one()
    clock.now += 2_000_000
    assert worker.run_one()
    assert queue.get(job.id).result == {"tries": 2}
    assert tries == [1, 2]


@on_both_databases
def test_a_waiting_job_is_cancelled_at_once(governance, queue, clock):
    job = queue.enqueue("work", {}, "a")
    assert queue.cancel(job.id).state == "cancelled"
    assert not Worker(governance.jobs, {"work": lambda *_: None}, clock).run_one()


def test_a_running_job_is_cancelled_at_its_next_step(governance):
    clock = SystemClock()
    queue = Queue(governance.jobs, clock, RandomIds())
    started = threading.Event()

    def endless(job: Job, progress: Progress) -> None:
        started.set()
        while True:
            progress(0.5, "half way")
            time.sleep(0.01)

    job = queue.enqueue("endless", {}, "a")
    worker = Worker(governance.jobs, {"endless": endless}, clock, threads=1, lease_s=0.3)
    worker.start()
    assert started.wait(10)
    queue.cancel(job.id)
    deadline = time.monotonic() + 20
    while not queue.get(job.id).is_over and time.monotonic() < deadline:
        time.sleep(0.02)
    worker.stop()
    ended = queue.get(job.id)
    assert (ended.state, ended.message) == ("cancelled", "half way")


@on_both_databases
def test_a_job_that_was_cancelled_never_ends_as_done_whatever_it_has_made(governance, queue, clock):
    def late(job: Job, progress: Progress) -> dict[str, int]:
        assert queue.cancel(job.id).state == "running"
        assert queue.is_to_end(job.id)
        return {"made": 1}

    job = queue.enqueue("late", {}, "a")
    assert not queue.is_to_end(job.id)
    assert Worker(governance.jobs, {"late": late}, clock).run_one()
    ended = queue.get(job.id)
    assert (ended.state, ended.result) == ("cancelled", None)


def test_another_owners_job_does_not_exist(queue):
    job = queue.enqueue("work", {}, "a")
    with pytest.raises(NotFound):
        queue.get(job.id, owner="b")
    with pytest.raises(NotFound):
        queue.cancel(job.id, owner="b")
    assert queue.newest("b") == []


@on_both_databases
def test_a_worker_that_lost_its_lease_changes_nothing(governance, queue, clock):
    job = queue.enqueue("work", {}, "a")
    store = governance.jobs
    assert store.lease(["work"], "first", clock.now, clock.now + 10) is not None
    assert store.lease(["work"], "second", clock.now + 5, clock.now + 20) is None
    assert store.lease(["work"], "second", clock.now + 11, clock.now + 20) is not None
    assert store.beat(job.id, "first", clock.now + 99, 0.9, "x") == "lost"
    assert not store.finish(job.id, "first", "done", clock.now, result="{}", error=None)
    assert store.finish(job.id, "second", "done", clock.now, result="{}", error=None)


@on_both_databases
def test_two_workers_never_run_a_job_together(governance):
    clock = SystemClock()
    queue = Queue(governance.jobs, clock, RandomIds())
    seen: list[str] = []
    jobs = [queue.enqueue("count", {}, "a") for _ in range(30)]
    workers = [
        Worker(
            governance.jobs,
            {"count": lambda job, _: seen.append(job.id)},
            clock,
            threads=2,
            idle_s=0.01,
        )
        for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    deadline = time.monotonic() + 30
    while len(seen) < len(jobs) and time.monotonic() < deadline:
        time.sleep(0.02)
    for worker in workers:
        worker.stop()
    assert sorted(seen) == sorted(job.id for job in jobs)


@on_both_databases
def test_a_worker_that_is_told_of_changes_takes_what_comes_and_what_falls_due(governance):
    clock = SystemClock()
    queue = Queue(governance.jobs, clock, RandomIds())
    failed: list[str] = []

    def once_away(job: Job, progress: Progress) -> None:
        if job.params["away"] and not failed:
            failed.append(job.id)
            raise Unavailable("away")

    changed = governance.signal().changed
    worker = Worker(governance.jobs, {"work": once_away}, clock, changed=changed)
    worker.start()
    jobs = []
    for away in (False, True, False):  # the second falls due again a second later, unannounced
        jobs.append(queue.enqueue("work", {"away": away}, "a").id)
        time.sleep(0.1)
    deadline = time.monotonic() + 30
    while not all(queue.get(job).is_over for job in jobs) and time.monotonic() < deadline:
        time.sleep(0.02)
    worker.stop()
    assert [(queue.get(job).state, queue.get(job).attempts) for job in jobs] == [
        ("done", 1),
        ("done", 2),
        ("done", 1),
    ]


def test_a_job_whose_worker_is_killed_runs_again(tmp_path, governance):
    """kill -9 in the middle: the job is still there and the next worker ends it."""
    clock = SystemClock()
    queue = Queue(governance.jobs, clock, RandomIds())
    job = queue.enqueue("slow", {}, "a")
    script = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from geoshare.jobs import Worker
        from geoshare.model.clock import SystemClock
        from geoshare.store import open_governance

        def slow(job, progress):
            Path(sys.argv[2]).write_text("started")
            time.sleep(600)

        governance = open_governance(Path(sys.argv[1]))
        Worker(governance.jobs, {"slow": slow}, SystemClock(), lease_s=0.5).run_one()
        """
    )
    mark = tmp_path / "started"
    child = subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "governance.db"), str(mark)])
    try:
        deadline = time.monotonic() + 60
        while not mark.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert queue.get(job.id).state == "running"
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    worker = Worker(governance.jobs, {"slow": lambda *_: {"ended": True}}, clock)
    deadline = time.monotonic() + 30
    while not worker.run_one() and time.monotonic() < deadline:
        time.sleep(0.05)
    done = queue.get(job.id)
    assert (done.state, done.attempts, done.result) == ("done", 2, {"ended": True})


@on_both_databases
def test_jobs_that_wait_are_ended_by_another_with_what_is_told_of_it_or_not_at_all(
    governance, queue, clock
):
    first, second, gone = (queue.enqueue("dig", {}, "shiomi-city", body=b"b") for _ in range(3))
    queue.cancel(gone.id)
    told: list[str] = []
    results = {job.id: {"of": job.id} for job in (first, second, gone)}

    def fail(_, ended):
        raise Unavailable(", ".join(ended))

    with pytest.raises(Unavailable):
        queue.settle(results, fail)
    assert [queue.get(job.id).state for job in (first, second, gone)] == [
        "queued",
        "queued",
        "cancelled",
    ]
    found = queue.settle(results, lambda _, ended: told.extend(ended))
    assert sorted(found) == sorted(told) == sorted([first.id, second.id])
    ended = queue.get(first.id)
    assert (ended.state, ended.result, ended.progress) == ("done", {"of": first.id}, 1.0)
    assert queue.body(first) is None
    assert queue.get(gone.id).state == "cancelled"
    assert queue.settle(results, lambda _, ended: told.extend(ended)) == []


@on_both_databases
def test_jobs_in_turn_wait_for_earlier_ones_of_their_owner_and_nobody_else_does(
    governance, queue, clock
):
    turns = {"in_turn": ("work",)}
    queued = []
    for owner, kind in (("a", "work"), ("a", "work"), ("b", "work"), ("a", "other")):
        queued.append(queue.enqueue(kind, {}, owner).id)
        clock.now += 1
    store, until = governance.jobs, clock.now + 10
    taken = [store.lease(["work", "other"], f"t{n}", clock.now, until, **turns) for n in range(4)]
    assert [row and row["id"] for row in taken] == [queued[0], queued[2], queued[3], None]
    store.retry(queued[0], "t0", clock.now + 5, "again")
    assert store.lease(["work"], "t5", clock.now, until, **turns) is None, "the first is not over yet"
    again = store.lease(["work"], "t6", clock.now + 5, until, **turns)
    assert again["id"] == queued[0]
    store.finish(queued[0], "t6", "done", clock.now, result=None, error=None)
    assert store.lease(["work"], "t7", clock.now, until, **turns)["id"] == queued[1]
