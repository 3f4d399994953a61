"""Writes of several threads in one transaction."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, select, text

from geoshare.errors import Conflict, Unavailable
from geoshare.store import Governance, open_governance
from geoshare.store.governance_tables import JOB_BODIES, JOBS
from geoshare.store.joint import Joint


@pytest.fixture
def governance(database_url: str):
    found = open_governance(database_url)
    yield found
    found.database.close()


def put(governance: Governance, name: str, also=None) -> None:
    governance.jobs.insert(name, "k", "o", "{}", 1, 1, b"body of " + name.encode(), also)


def kept(governance: Governance) -> set[str]:
    with governance.database.read() as connection:
        jobs = set(connection.execute(select(JOBS.c.id)).scalars())
        assert jobs == set(connection.execute(select(JOB_BODIES.c.job)).scalars())
    return jobs


def test_whoever_comes_while_another_writes_shares_the_next_transaction(governance, monkeypatch):
    database, begun, go, transactions = governance.database, threading.Event(), threading.Event(), []
    write = type(database).write

    @contextmanager
    def counted(self, **said):
        transactions.append(threading.get_ident())
        with write(self, **said) as connection:
            yield connection

    monkeypatch.setattr(type(database), "write", counted)

    def held(connection: Connection) -> None:
        begun.set()
        go.wait(10)

    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(put, governance, "first", held)
        begun.wait(10)
        others = [pool.submit(put, governance, f"other-{at}") for at in range(8)]
        while len(governance.jobs._joint._waiting) < 8:
            pass
        go.set()
        for one in (first, *others):
            one.result(10)
    assert len(transactions) == 2
    assert kept(governance) == {"first", *(f"other-{at}" for at in range(8))}


def test_what_fails_undoes_its_own_part_alone_and_only_its_sender_is_told(governance):
    put(governance, "twice")

    def refuse(connection: Connection) -> None:
        raise Unavailable("the log cannot be written")

    def send(at: int) -> str:
        try:
            put(governance, "twice" if at % 3 == 1 else f"n{at}", refuse if at % 3 == 2 else None)
        except (Conflict, Unavailable) as error:
            return type(error).__name__
        return "kept"

    with ThreadPoolExecutor(12) as pool:
        told = list(pool.map(send, range(60)))
    assert told == ["kept", "Conflict", "Unavailable"] * 20
    assert kept(governance) == {"twice", *(f"n{at}" for at in range(0, 60, 3))}


def test_where_the_commit_fails_nobody_is_told_that_it_was_kept(governance, monkeypatch):
    joint = Joint(governance.database)

    @contextmanager
    def broken(**_):
        with type(governance.database).write(governance.database) as connection:
            yield connection
            raise Unavailable("no room")

    monkeypatch.setattr(governance.database, "write", broken)
    with ThreadPoolExecutor(6) as pool:
        waits = [
            pool.submit(joint.run, lambda c: c.execute(text("SELECT 1")).scalar()) for _ in "123456"
        ]
        assert all(isinstance(one.exception(10), Unavailable) for one in waits)
    monkeypatch.undo()
    assert joint.run(lambda connection: connection.execute(text("SELECT 7")).scalar()) == 7


def test_a_body_goes_with_its_job_when_that_is_done_and_stays_where_it_failed(governance):
    jobs = governance.jobs
    for name, state in (("a", "done"), ("b", "failed"), ("c", "cancelled")):
        put(governance, name)
        assert jobs.lease(["k"], "t", 5, 10)["id"] == name
        assert jobs.finish(name, "t", state, 6, result=None, error=None)
    put(governance, "d")
    jobs.ask_cancel("d", 7)
    assert [jobs.body(name) for name in "abcd"] == [None, b"body of b", None, None]
    jobs.forget(100)
    assert jobs.body("b") is None
    put(governance, "e")
    jobs.drop(["e"])
    assert jobs.body("e") is None
