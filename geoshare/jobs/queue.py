"""The queue as its users see it: put work in, ask how it stands, cancel it.

A job runs at least once: one whose worker dies is given to another, so what handlers do must be
safe to do again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from geoshare.errors import NotFound
from geoshare.model.clock import Clock, Ids

FINAL = ("done", "failed", "cancelled")


class JobStore(Protocol):
    """Where jobs are kept. JSON is text here; times are microseconds."""

    def insert(
        self,
        job: str,
        kind: str,
        owner: str,
        params: str,
        now_us: int,
        due_us: int,
        body: bytes | None = None,
        also: Callable[[Any], object] | None = None,
    ) -> None:
        """Queue a job; raises Conflict where there is one of that id."""
        ...

    def body(self, job: str) -> bytes | None:
        """What was queued with a job."""
        ...

    def lease(
        self,
        kinds: Sequence[str],
        token: str,
        now_us: int,
        until_us: int,
        in_turn: Collection[str] = (),
    ) -> dict[str, Any] | None:
        """Take a job that is due, or one whose lease has run out; one at a time for kinds in turn."""
        ...

    def beat(self, job: str, token: str, until_us: int, progress: float, message: str) -> str:
        """Extend a lease; ``go``, ``cancel`` or ``lost``."""
        ...

    def finish(
        self, job: str, token: str, state: str, now_us: int, *, result: str | None, error: str | None
    ) -> bool:
        """End a job, as cancelled where that was asked; false when the lease is lost."""
        ...

    def settle(
        self,
        results: Mapping[str, str],
        now_us: int,
        also: Callable[[Any, Collection[str]], object],
    ) -> list[str]:
        """End jobs that still wait as done, and what is ``also`` to be; ids of those that did."""
        ...

    def retry(self, job: str, token: str, due_us: int, error: str) -> bool:
        """Queue a job again; false when the lease is lost."""
        ...

    def ask_cancel(self, job: str, now_us: int) -> bool:
        """Cancel, or ask to; false when the job is over."""
        ...

    def get(self, job: str) -> dict[str, Any] | None:
        """One job."""
        ...

    def newest(self, owner: str | None, limit: int) -> list[dict[str, Any]]:
        """Jobs of one owner, or all, newest first."""
        ...

    def following(self, job: str, limit: int) -> list[dict[str, Any]]:
        """Jobs of the same kind and owner that wait for their turn after one, in their order."""
        ...

    def forget(self, finished_before_us: int) -> list[str]:
        """Delete jobs that ended before a time; their ids."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of long work and how it stands.

    ``state`` is queued, running, done, failed or cancelled; ``progress`` runs from 0 to 1;
    ``error`` is ``{"code", "message"}`` with a message fit for the owner's eyes.
    """

    id: str
    kind: str
    owner: str
    params: dict[str, Any]
    state: str
    progress: float
    message: str
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    attempts: int
    created_us: int
    started_us: int | None
    finished_us: int | None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINAL


class Queue:
    """Puts jobs in and tells how they stand."""

    def __init__(self, store: JobStore, clock: Clock, ids: Ids) -> None:
        self.store = store
        self._clock = clock
        self._ids = ids

    def enqueue(
        self,
        kind: str,
        params: dict[str, Any],
        owner: str,
        *,
        job_id: str | None = None,
        delay_us: int = 0,
        body: bytes | None = None,
        also: Callable[[Any], object] | None = None,
    ) -> Job:
        """Queue a job; it is on disk when this returns.

        Parameters
        ----------
        body
            What it is to read, where that is small: kept with it until it is done.
        also
            What is done in the same transaction, with its connection.

        Raises
        ------
        Conflict
            where there is a job of that id.
        """
        now_us = self._clock.now_us()
        job = job_id or self._ids.new()
        text = orjson.dumps(params, option=orjson.OPT_SORT_KEYS).decode()
        self.store.insert(job, kind, owner, text, now_us, now_us + delay_us, body, also)
        return Job(
            id=job,
            kind=kind,
            owner=owner,
            params=orjson.loads(text),
            state="queued",
            progress=0.0,
            message="",
            result=None,
            error=None,
            attempts=0,
            created_us=now_us,
            started_us=None,
            finished_us=None,
        )

    def body(self, job: Job) -> bytes | None:
        """What was queued with a job; None where nothing was, or it is done."""
        return self.store.body(job.id)

    def get(self, job: str, owner: str | None = None) -> Job:
        """One job; NotFound where there is none, or it is another owner's."""
        row = self.store.get(job)
        if row is None or (owner is not None and row["owner"] != owner):
            raise NotFound("no such job")
        return as_job(row)

    def newest(self, owner: str | None = None, limit: int = 100) -> list[Job]:
        """Jobs of one owner, or all, newest first."""
        return [as_job(row) for row in self.store.newest(owner, limit)]

    def is_to_end(self, job: str) -> bool:
        """Whether somebody has asked to cancel a job."""
        row = self.store.get(job)
        return row is None or bool(row["cancel_asked"])

    def following(self, job: Job, limit: int) -> list[Job]:
        """Jobs of the same kind and owner that wait for their turn after this one, in their order."""
        return [as_job(row) for row in self.store.following(job.id, limit)]

    def settle(
        self,
        results: Mapping[str, dict[str, Any]],
        also: Callable[[Any, Collection[str]], object],
    ) -> list[str]:
        """End jobs whose work another one has done, with their results by id.

        Only those that still wait; others' results are dropped. ``also`` is called in the same
        transaction with its connection and the ids of those that end, which are returned.
        """
        texts = {job: orjson.dumps(result).decode() for job, result in results.items()}
        return self.store.settle(texts, self._clock.now_us(), also)

    def cancel(self, job: str, owner: str | None = None) -> Job:
        """Cancel a job; one that runs stops at its next step, and ends as cancelled whatever it made.

        A job that is over stays as it is.
        """
        self.get(job, owner)
        self.store.ask_cancel(job, self._clock.now_us())
        return self.get(job, owner)


def as_job(row: dict[str, Any]) -> Job:
    """A job from its stored row."""
    return Job(
        id=row["id"],
        kind=row["kind"],
        owner=row["owner"],
        params=orjson.loads(row["params"]),
        state=row["state"],
        progress=row["progress"],
        message=row["message"],
        result=None if row["result"] is None else orjson.loads(row["result"]),
        error=None if row["error"] is None else orjson.loads(row["error"]),
        attempts=row["attempts"],
        created_us=row["created_us"],
        started_us=row["started_us"],
        finished_us=row["finished_us"],
    )
