"""Writes of several threads in one transaction: all of them wait for the disk once.

A commit waits until the disk has it, some milliseconds in which nobody else may write. Whoever comes
in that time waits; when it is over one of them writes for all. So the more come, the more share a
wait, and who comes alone waits for nobody. What ``run`` has returned from is on the disk, as with a
transaction of one's own.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

from sqlalchemy import Connection

from geoshare.store.database import Database

T = TypeVar("T")
MOST: Final = 64  # in one transaction: others may write in between


class _Write:
    """One thread's part."""

    __slots__ = ("error", "leads", "over", "result", "turn", "work")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
        self.turn = threading.Event()  # it is over, or this thread is to write for those who wait
        self.leads = self.over = False
        self.result: Any = None
        self.error: BaseException | None = None


class Joint:
    """Shared write transactions of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Write] = deque()
        self._busy = False
        self._lock = threading.Lock()

    def run(self, work: Callable[[Connection], T]) -> T:
        """Do ``work`` in a durable transaction, perhaps with that of others; what it returns.

        What it raises undoes its own part only. It must not open a transaction of its own, and is
        perhaps done by another thread.
        """
        mine = _Write(work)
        with self._lock:
            self._waiting.append(mine)
            mine.leads, self._busy = not self._busy, True
        if not mine.leads:
            mine.turn.wait()
        if not mine.over:
            self._lead()
        if mine.error is not None:
            raise mine.error
        result: T = mine.result
        return result

    def _lead(self) -> None:
        """Write for those who have come until now, and hand on to one of those who came since."""
        with self._lock:
            some = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        try:
            self._write(some)
        except BaseException as error:
            for one in some:
                one.error = one.error or error
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._busy = following is not None
            for one in some:
                one.over = True
                one.turn.set()
            if following is not None:
                following.turn.set()

    def _write(self, some: list[_Write]) -> None:
        with self._database.write() as connection:
            if len(some) == 1:
                some[0].result = some[0].work(connection)
                return
            for one in some:
                try:
                    with connection.begin_nested():
                        one.result = one.work(connection)
                except Exception as error:  # of this one alone; its own thread raises it
                    one.error = error
