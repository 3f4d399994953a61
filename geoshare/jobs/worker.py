"""Runs jobs in threads, keeps their leases alive and puts them back when something outside fails."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import orjson

from geoshare.errors import GeoshareError, Unavailable
from geoshare.jobs.queue import Job, JobStore, as_job
from geoshare.model.clock import Clock

LEASE_S = 15.0
MAX_ATTEMPTS = 5
_IDLE_S = 0.05
_LOOK_S = 0.5  # jobs come due, and workers fall silent, without anybody's word
_BEAT_S = 0.5
_RETRY_FIRST_S = 1.0

log = logging.getLogger(__name__)


class JobCancelled(Exception):
    """Raised inside a handler when its job is to stop."""


class JobLost(Exception):
    """Raised inside a handler when another worker has taken the job over."""


class Progress(Protocol):
    """What a handler calls between its steps."""

    def __call__(self, fraction: float, message: str = "") -> None:
        """Say how far the job is, 0..1. Raises JobCancelled or JobLost when it is to stop."""
        ...


Handler = Callable[[Job, Progress], dict[str, Any] | None]


class _Run:
    """One job under way: its lease, and what its handler has said last."""

    def __init__(self, store: JobStore, clock: Clock, job: Job, token: str, lease_s: float) -> None:
        self.job = job
        self.token = token
        self._store = store
        self._clock = clock
        self._lease_us = int(lease_s * 1_000_000)
        self._fraction = job.progress
        self._message = job.message
        self._answer = "go"
        self._lock = threading.Lock()

    def __call__(self, fraction: float, message: str = "") -> None:
        self._fraction = min(max(fraction, 0.0), 1.0)
        self._message = message or self._message
        if self._answer == "cancel":
            raise JobCancelled
        if self._answer == "lost":
            raise JobLost

    def beat(self) -> None:
        with self._lock:
            if self._answer == "lost":
                return
            until_us = self._clock.now_us() + self._lease_us
            self._answer = self._store.beat(
                self.job.id, self.token, until_us, self._fraction, self._message
            )


class Worker:
    """Takes jobs of the kinds it has handlers for.

    Parameters
    ----------
    handlers
        By kind of job. A handler returns the job's result, and calls its ``Progress`` between steps.
        A GeoshareError fails the job with its message; Unavailable and unexpected errors are
        retried with growing pauses, ``MAX_ATTEMPTS`` runs in all.
    in_turn
        Kinds of which an owner's jobs run one after the other, in the order they were queued, also
        past a failed attempt: a later file must not be overtaken by an earlier one.
    changed
        Tells whether the queue may have changed since it was last asked, where looking at it costs
        more than asking. Of one thread at a time.
    lease_s
        How long a silent worker keeps a job. Heartbeats go out three times as often.
    """

    def __init__(
        self,
        store: JobStore,
        handlers: Mapping[str, Handler],
        clock: Clock,
        *,
        in_turn: Collection[str] = (),
        changed: Callable[[], bool] = lambda: True,
        threads: int = 2,
        lease_s: float = LEASE_S,
        idle_s: float = _IDLE_S,
    ) -> None:
        self._store = store
        self._handlers = dict(handlers)
        self._clock = clock
        self._in_turn = frozenset(in_turn)
        self._changed = changed
        self._threads = threads
        self._lease_s = lease_s
        self._idle_s = idle_s
        self._stop = threading.Event()
        self._looking = threading.Lock()
        self._look_at = 0.0  # on the monotonic clock
        self._runs: dict[str, _Run] = {}
        self._running: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads and return."""
        self._running = [
            threading.Thread(target=self._loop, name=f"job-{number}", daemon=True)
            for number in range(self._threads)
        ]
        self._running.append(threading.Thread(target=self._beats, name="job-beat", daemon=True))
        for thread in self._running:
            thread.start()

    def stop(self, wait_s: float = 30.0) -> None:
        """Take no more jobs, and wait for those under way."""
        self._stop.set()
        for thread in self._running:
            thread.join(wait_s)

    def run_one(self) -> bool:
        """Run one job in this thread; false when none is due. Only :meth:`start` sends heartbeats."""
        found = self._lease()
        if found is None:
            return False
        self._work(*found)
        return True

    def _lease(self) -> tuple[_Run, bool] | None:
        """Take a job that is due, and whether it is to be cancelled."""
        token = secrets.token_hex(8)
        until_us = (now_us := self._clock.now_us()) + int(self._lease_s * 1e6)
        row = self._store.lease(list(self._handlers), token, now_us, until_us, self._in_turn)
        if row is None:
            return None
        run = _Run(self._store, self._clock, as_job(row), token, self._lease_s)
        self._runs[token] = run
        return run, bool(row["cancel_asked"])

    def _work(self, run: _Run, cancelled: bool) -> None:
        try:
            self._run(run, cancelled)
        finally:
            del self._runs[run.token]

    def _run(self, run: _Run, cancelled: bool) -> None:
        job = run.job
        if cancelled:
            self._finish(run, "cancelled")
            return
        if job.attempts > MAX_ATTEMPTS:
            self._finish(
                run, "failed", error=_error("interrupted", "the work was interrupted too often")
            )
            return
        try:
            result = self._handlers[job.kind](job, run)
        except JobCancelled:
            self._finish(run, "cancelled")
        except JobLost:
            log.warning("job %s was taken over by another worker", job.id)
        except Unavailable as error:
            self._again(run, _error(error.code, error.message))
        except GeoshareError as error:
            self._finish(run, "failed", error=_error(error.code, error.message, error))
        except Exception:
            # What a user may see of an unexpected error is that it happened; the log has the rest.
            log.exception("job %s (%s) failed", job.id, job.kind)
            self._again(run, _error("internal", "an unexpected error; the log says more"))
        else:
            self._finish(run, "done", result=orjson.dumps(result or {}).decode())

    def _again(self, run: _Run, error: str) -> None:
        if run.job.attempts >= MAX_ATTEMPTS:
            self._finish(run, "failed", error=error)
            return
        pause_us = int(_RETRY_FIRST_S * 2 ** (run.job.attempts - 1) * 1e6)
        self._store.retry(run.job.id, run.token, self._clock.now_us() + pause_us, error)

    def _finish(
        self, run: _Run, state: str, *, result: str | None = None, error: str | None = None
    ) -> None:
        kept = self._store.finish(
            run.job.id, run.token, state, self._clock.now_us(), result=result, error=error
        )
        if not kept:
            log.warning("job %s ended here, but another worker has it", run.job.id)

    def _loop(self) -> None:
        while not self._stop.is_set():
            with self._looking:  # where nothing is to do, one thread looks for all
                found = self._found()
                if found is None:
                    self._stop.wait(self._idle_s)
            if found is not None:
                self._guarded(found)

    def _found(self) -> tuple[_Run, bool] | None:
        """A job, where the queue has changed or has not been looked at for a while."""
        try:
            if not self._changed() and time.monotonic() < self._look_at:
                return None
            found = self._lease()
        except Exception:  # a database that is away must not end the worker
            log.exception("the queue did not answer")
            return None
        self._look_at = 0.0 if found else time.monotonic() + _LOOK_S
        return found

    def _guarded(self, found: tuple[_Run, bool]) -> None:
        try:
            self._work(*found)
        except Exception:
            log.exception("the queue did not answer")

    def _beats(self) -> None:
        while any(thread.is_alive() for thread in self._running[:-1]):
            for run in list(self._runs.values()):
                try:
                    run.beat()
                except Exception:
                    log.exception("no heartbeat for job %s", run.job.id)
            time.sleep(min(self._lease_s / 3, _BEAT_S))


def _error(code: str, message: str, error: GeoshareError | None = None) -> str:
    found: dict[str, Any] = {"code": code, "message": message}
    if error is not None and error.parameter:
        found["parameter"] = error.parameter
    if error is not None and error.allowed:
        found["allowed"] = error.allowed
    return orjson.dumps(found).decode()
