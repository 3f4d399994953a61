"""Rows of the job queue: the store behind ``geoshare.jobs`` (its ``JobStore`` protocol).

A running job has a lease: a token and a time until which its worker promises a heartbeat. Every
statement of a worker names the token, so a worker that has lost its lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from geoshare.errors import Conflict
from geoshare.store.database import Database, chunks
from geoshare.store.governance_tables import JOB_BODIES, JOBS
from geoshare.store.joint import Joint

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
# Written out in the statement: an index of these alone is taken for no other form of it.
_OPEN: BindParameter[Any] = bindparam(
    "open_states", (QUEUED, RUNNING), expanding=True, literal_execute=True
)


class JobRows:
    """Reads and writes rows of jobs. JSON stays text here."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._joint = Joint(database)

    def insert(
        self,
        job: str,
        kind: str,
        owner: str,
        params: str,
        now_us: int,
        due_us: int,
        body: bytes | None = None,
        also: Callable[[Connection], object] | None = None,
    ) -> None:
        """Queue a job, perhaps with what it is to read and with what is told of it, or nothing at all.

        Raises Conflict where there is one of that id.
        """
        values = {
            "id": job,
            "kind": kind,
            "owner": owner,
            "params": params,
            "state": QUEUED,
            "created_us": now_us,
            "due_us": due_us,
        }

        def write(connection: Connection) -> None:
            try:
                connection.execute(JOBS.insert().values(values))
            except IntegrityError as error:
                raise Conflict("There is a job of that id") from error
            if body is not None:
                connection.execute(JOB_BODIES.insert().values(job=job, content=body))
            if also is not None:
                also(connection)

        self._joint.run(write)

    def body(self, job: str) -> bytes | None:
        """What was queued with a job; None where nothing was, or it is done."""
        wanted = select(JOB_BODIES.c.content).where(JOB_BODIES.c.job == job)
        with self._database.read() as connection:
            found = connection.execute(wanted).scalar()
        return None if found is None else bytes(found)

    def lease(
        self,
        kinds: Sequence[str],
        token: str,
        now_us: int,
        until_us: int,
        in_turn: Collection[str] = (),
    ) -> dict[str, Any] | None:
        """Take the job that has waited longest, or one whose worker has gone silent.

        A job of a kind ``in_turn`` waits until every earlier one of its kind and owner has ended.
        """
        waiting = and_(JOBS.c.state == QUEUED, JOBS.c.due_us <= now_us)
        orphaned = and_(JOBS.c.state == RUNNING, JOBS.c.lease_until_us < now_us)
        candidate = (
            select(JOBS.c.id)
            .where(JOBS.c.kind.in_(kinds), or_(waiting, orphaned), _its_turn(in_turn))
            .order_by(JOBS.c.due_us, JOBS.c.created_us, JOBS.c.id)
            .limit(1)
        )
        # Looking takes no writer's turn; only taking does.
        with self._database.read() as connection:
            if connection.execute(candidate).first() is None:
                return None
        with self._database.write() as connection:
            chosen = connection.execute(candidate.with_for_update(skip_locked=True)).scalar()
            if chosen is None:
                return None
            connection.execute(
                update(JOBS)
                .where(JOBS.c.id == chosen)
                .values(
                    state=RUNNING,
                    lease=token,
                    lease_until_us=until_us,
                    attempts=JOBS.c.attempts + 1,
                    started_us=func.coalesce(JOBS.c.started_us, now_us),
                )
            )
            return _values(connection.execute(select(JOBS).where(JOBS.c.id == chosen)).one())

    def beat(self, job: str, token: str, until_us: int, progress: float, message: str) -> str:
        """Extend a lease; answers ``go``, ``cancel`` when that was asked, or ``lost``."""
        mine = and_(JOBS.c.id == job, JOBS.c.lease == token, JOBS.c.state == RUNNING)
        with self._database.write() as connection:
            kept = connection.execute(
                update(JOBS)
                .where(mine)
                .values(lease_until_us=until_us, progress=progress, message=message)
            ).rowcount
            if not kept:
                return "lost"
            asked = connection.execute(select(JOBS.c.cancel_asked).where(JOBS.c.id == job)).scalar_one()
        return "cancel" if asked else "go"

    def finish(
        self, job: str, token: str, state: str, now_us: int, *, result: str | None, error: str | None
    ) -> bool:
        """End a job, as cancelled where somebody was promised that; false when the lease is lost."""
        mine = and_(JOBS.c.id == job, JOBS.c.lease == token, JOBS.c.state == RUNNING)
        values: dict[str, Any] = {
            "state": state,
            "result": result,
            "error": error,
            "finished_us": now_us,
            "lease": None,
            "lease_until_us": None,
        }
        if state == DONE:
            values["progress"] = 1.0
        instead = {**values, "state": CANCELLED, "result": None, "error": None}
        instead.pop("progress", None)
        with self._database.write() as connection:
            as_it_is = update(JOBS).where(mine, JOBS.c.cancel_asked == 0).values(**values)
            ended = bool(connection.execute(as_it_is).rowcount)
            if not ended:
                cancelled = update(JOBS).where(mine).values(**instead)
                ended = bool(connection.execute(cancelled).rowcount)
            if ended and state != FAILED:
                connection.execute(JOB_BODIES.delete().where(JOB_BODIES.c.job == job))
        return ended

    def settle(
        self,
        results: Mapping[str, str],
        now_us: int,
        also: Callable[[Connection, Collection[str]], object],
    ) -> list[str]:
        """End jobs that still wait as done, with what is ``also`` to be done; ids of those."""
        waiting = and_(JOBS.c.id.in_(results), JOBS.c.state == QUEUED)
        with self._database.write() as connection:
            chosen = select(JOBS.c.id).where(waiting).with_for_update(skip_locked=True)
            found = list(connection.execute(chosen).scalars())
            for job in found:
                connection.execute(
                    update(JOBS)
                    .where(JOBS.c.id == job)
                    .values(
                        state=DONE,
                        progress=1.0,
                        attempts=JOBS.c.attempts + 1,
                        started_us=func.coalesce(JOBS.c.started_us, now_us),
                        finished_us=now_us,
                        result=results[job],
                        error=None,
                    )
                )
            connection.execute(JOB_BODIES.delete().where(JOB_BODIES.c.job.in_(found)))
            also(connection, found)
        return found

    def retry(self, job: str, token: str, due_us: int, error: str) -> bool:
        """Put a job back into the queue; false when the lease is lost."""
        mine = and_(JOBS.c.id == job, JOBS.c.lease == token, JOBS.c.state == RUNNING)
        with self._database.write() as connection:
            return bool(
                connection.execute(
                    update(JOBS)
                    .where(mine)
                    .values(state=QUEUED, due_us=due_us, error=error, lease=None, lease_until_us=None)
                ).rowcount
            )

    def ask_cancel(self, job: str, now_us: int) -> bool:
        """Cancel a job that waits, or ask the worker of one that runs; false when it is over."""
        with self._database.write() as connection:
            waiting = update(JOBS).where(JOBS.c.id == job, JOBS.c.state == QUEUED)
            if connection.execute(waiting.values(state=CANCELLED, finished_us=now_us)).rowcount:
                connection.execute(JOB_BODIES.delete().where(JOB_BODIES.c.job == job))
                return True
            running = update(JOBS).where(JOBS.c.id == job, JOBS.c.state == RUNNING)
            return bool(connection.execute(running.values(cancel_asked=1)).rowcount)

    def get(self, job: str) -> dict[str, Any] | None:
        """One job, as it stands."""
        with self._database.read() as connection:
            row = connection.execute(select(JOBS).where(JOBS.c.id == job)).first()
        return None if row is None else _values(row)

    def newest(self, owner: str | None, limit: int) -> list[dict[str, Any]]:
        """Jobs of one owner, or all, newest first."""
        statement = select(JOBS).order_by(JOBS.c.created_us.desc(), JOBS.c.id).limit(limit)
        if owner is not None:
            statement = statement.where(JOBS.c.owner == owner)
        with self._database.read() as connection:
            return [_values(row) for row in connection.execute(statement).all()]

    def following(self, job: str, limit: int) -> list[dict[str, Any]]:
        """Jobs of the same kind and owner that wait for their turn after one, in their order."""
        mine, other = JOBS.c, JOBS.alias().c
        after = or_(
            mine.created_us > other.created_us,
            and_(mine.created_us == other.created_us, mine.id > other.id),
        )
        same = and_(mine.kind == other.kind, mine.owner == other.owner)
        statement = (
            select(JOBS)
            .where(other.id == job, same, after, mine.state.in_(_OPEN), mine.state == QUEUED)
            .order_by(mine.created_us, mine.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_values(row) for row in connection.execute(statement).all()]

    def drop(self, jobs: Sequence[str]) -> None:
        """Forget jobs, whatever has become of them."""
        with self._database.write() as connection:
            for some in chunks(jobs, 500):
                connection.execute(JOBS.delete().where(JOBS.c.id.in_(some)))
                connection.execute(JOB_BODIES.delete().where(JOB_BODIES.c.job.in_(some)))

    def forget(self, finished_before_us: int) -> list[str]:
        """Delete jobs that ended before a time; returns their ids."""
        old = JOBS.c.finished_us < finished_before_us
        with self._database.write() as connection:
            gone = list(connection.execute(select(JOBS.c.id).where(old)).scalars())
            theirs = select(JOBS.c.id).where(old)
            connection.execute(JOB_BODIES.delete().where(JOB_BODIES.c.job.in_(theirs)))
            connection.execute(JOBS.delete().where(old))
        return gone


def _its_turn(kinds: Collection[str]) -> ColumnElement[bool]:
    earlier = JOBS.alias()
    before = or_(
        earlier.c.created_us < JOBS.c.created_us,
        and_(earlier.c.created_us == JOBS.c.created_us, earlier.c.id < JOBS.c.id),
    )
    open_one = (
        select(earlier.c.id)
        .where(
            earlier.c.kind == JOBS.c.kind,
            earlier.c.owner == JOBS.c.owner,
            earlier.c.state.in_(_OPEN),
            before,
        )
        .exists()
    )
    return or_(JOBS.c.kind.not_in(list(kinds)), not_(open_one))


def _values(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)
