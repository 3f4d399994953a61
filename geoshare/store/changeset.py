"""Writing to the record: one change set, many short transactions, one small commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import Connection, select, update

from geoshare.errors import Conflict
from geoshare.model.clock import Clock
from geoshare.model.collections import Collection
from geoshare.store.chunk import Chunk
from geoshare.store.contributions import save_schema
from geoshare.store.database import Database
from geoshare.store.places import Busy
from geoshare.store.record_tables import CHANGESET_COLLECTIONS, CHANGESETS, HEAD
from geoshare.store.writer import this_writer

WAIT_S = 120.0
_PAUSE_S = 0.05
Result = TypeVar("Result")


class ChangeSet:
    """A change set under way. Nobody sees it before :meth:`commit`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        author: str,
        comment: str,
        on_busy: Callable[[], object] = lambda: None,
        on_commit: Callable[[], object] = lambda: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._on_commit = on_commit
        self._on_busy = on_busy  # a chance to clear away writers that have died
        self._counts: dict[str, list[int]] = {}
        with database.write() as connection:
            self.id = _open(connection, clock, author, comment)

    def apply(self, work: Callable[[Chunk], Result], wait_s: float = WAIT_S) -> Result:
        """Run ``work`` in one transaction; again, from the start, after a wait for a busy row.

        Raises Conflict when the row is still held after ``wait_s`` seconds, and when the change set
        itself was discarded.
        """
        deadline = time.monotonic() + wait_s
        while True:
            try:
                with self._database.write(durable=False) as connection:
                    chunk = Chunk(connection, self.id)
                    result = work(chunk)
                    self._update(connection, heartbeat_us=self._clock.now_us())
                break
            except Busy:
                if time.monotonic() > deadline:
                    raise Conflict(
                        "another contribution of the same features is under way; try again later"
                    ) from None
                self._on_busy()
                time.sleep(_PAUSE_S)
        for collection, counts in chunk.counts.items():
            total = self._counts.setdefault(collection, [0, 0, 0])
            self._counts[collection] = [a + b for a, b in zip(total, counts, strict=True)]
        return result

    @property
    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Added, changed and removed so far, by collection."""
        return {name: (a, c, r) for name, (a, c, r) in self._counts.items() if a or c or r}

    def commit(self, schemas: Sequence[Collection] = ()) -> int:
        """Make all of it visible at once; returns its place in the order of commits.

        ``schemas`` are those of collections that are no part of the product, new or widened.
        """
        with self._database.write() as connection:
            for collection in schemas:
                save_schema(connection, collection, self._clock.now_us())
            sequence = _close(connection, self.id, self._clock, self.counts)
        self._on_commit()
        return sequence

    def _update(self, connection: Connection, **values: int) -> None:
        _update(connection, self.id, **values)


def at_once(
    database: Database,
    clock: Clock,
    author: str,
    comment: str,
    work: Callable[[Chunk], Result],
    wait_s: float,
) -> Result:
    """Open, fill and commit a change set in one transaction: all of it is kept, or nothing.

    For few rows, and for who waits for them: one transaction is one wait for the disk.

    Raises
    ------
    Conflict
        when a change set under way still holds one of the rows after ``wait_s`` seconds.
    """
    deadline = time.monotonic() + wait_s
    while True:
        try:
            with database.write() as connection:
                changeset = _open(connection, clock, author, comment)
                chunk = Chunk(connection, changeset)
                result = work(chunk)
                counts = {name: (a, c, r) for name, (a, c, r) in chunk.counts.items() if a or c or r}
                _close(connection, changeset, clock, counts)
            return result
        except Busy:
            if time.monotonic() > deadline:
                raise Conflict(
                    "a file with the same features is being read in; try again later",
                    message_ja="同じ地物を含むファイルを取り込み中です。しばらくしてからもう一度お試しください",
                ) from None
            time.sleep(_PAUSE_S)


def _open(connection: Connection, clock: Clock, author: str, comment: str) -> int:
    now_us = clock.now_us()
    number: int = connection.execute(
        CHANGESETS.insert()
        .values(
            author=author,
            comment=comment,
            opened_us=now_us,
            heartbeat_us=now_us,
            writer=this_writer(),
        )
        .returning(CHANGESETS.c.id)
    ).scalar_one()
    return number


def _close(
    connection: Connection, changeset: int, clock: Clock, counts: Mapping[str, tuple[int, int, int]]
) -> int:
    """Give a change set its place in the order of commits."""
    sequence: int = connection.execute(
        update(HEAD).values(sequence=HEAD.c.sequence + 1).returning(HEAD.c.sequence)
    ).scalar_one()
    # The order of times is the order of commits even when the clock is set back.
    newest = select(CHANGESETS.c.committed_us).where(CHANGESETS.c.sequence.is_not(None))
    newest = newest.order_by(CHANGESETS.c.sequence.desc()).limit(1)
    last = connection.execute(newest).scalar() or 0
    _update(connection, changeset, sequence=sequence, committed_us=max(clock.now_us(), last + 1))
    if counts:
        connection.execute(
            CHANGESET_COLLECTIONS.insert(),
            [
                {
                    "changeset": changeset,
                    "collection": name,
                    "added": added,
                    "changed": changed,
                    "removed": removed,
                }
                for name, (added, changed, removed) in counts.items()
            ],
        )
    return sequence


def _update(connection: Connection, changeset: int, **values: int) -> None:
    mine = update(CHANGESETS).where(CHANGESETS.c.id == changeset, CHANGESETS.c.sequence.is_(None))
    if connection.execute(mine.values(**values)).rowcount != 1:
        raise Conflict("the change set was taken over or discarded")
