"""The keeper: the one process of a record that publishes. Others ask, or wait for it."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from geoshare.errors import Unavailable
from geoshare.model.clock import Clock
from geoshare.publish.files import read_json, write_json
from geoshare.publish.publisher import PublishingFailed, publish_pending
from geoshare.store import Record

POLL_S = 0.02
STATE = "published.json"
LOCK = "keeper.lock"
_AFTER_ERROR_S = 1.0

log = logging.getLogger(__name__)

AfterPublish = Callable[[set[str] | None], None]
Tick = Callable[[int], None]


class KeeperBusy(Exception):
    """Another process is the keeper."""


class Keeper:
    """Publishes what is committed, then tells those who make things of it.

    Parameters
    ----------
    data_dir
        Folder of ``packs/`` and of the lock.
    after_publish
        Called with the names of the collections that have a new version, in order; with None when
        the keeper starts, because any may have changed while there was none. What they make is
        part of being published: only then does :func:`wait_published` return.
    ticks
        Called with the time (microseconds) in every round of :meth:`run`.
    """

    def __init__(
        self,
        record: Record,
        data_dir: Path,
        clock: Clock,
        after_publish: Sequence[AfterPublish] = (),
        ticks: Sequence[Tick] = (),
    ) -> None:
        self._record = record
        self._data_dir = data_dir
        self._packs_dir = data_dir / "packs"
        self._clock = clock
        self._after_publish = tuple(after_publish)
        self._ticks = tuple(ticks)
        self._pending: set[str] | None = set()  # published, but not yet told; None: all

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the keeper's lock. Raises KeeperBusy where another process has it.

        The operating system gives it back when the process ends, however it ends.
        """
        self._data_dir.mkdir(parents=True, exist_ok=True)
        with (self._data_dir / LOCK).open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise KeeperBusy from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    def publish(self, *, everything: bool = False) -> set[str]:
        """Publish what is pending and tell the callbacks; returns the collections. Needs the lock.

        ``everything`` tells the callbacks that all may have changed.
        """
        sequence = self._record.head()
        before = 0 if everything else max(published_sequence(self._packs_dir), 0)
        failure = None
        try:
            changed = publish_pending(self._record, self._packs_dir, self._clock, after=before)
        except PublishingFailed as error:
            changed, failure = error.changed, error
        if everything or self._pending is None:
            self._pending = None
        else:
            self._pending |= changed
        if self._pending is None or self._pending:
            for callback in self._after_publish:
                callback(None if self._pending is None else set(self._pending))
        self._pending = set()
        if failure is not None:
            raise failure
        if sequence != before or everything:
            write_json(self._packs_dir / STATE, {"sequence": sequence})
        return changed

    def run(self, stop: threading.Event, poll_s: float = POLL_S) -> None:
        """Publish until ``stop`` is set; waits for the lock first.

        An error is logged and the work tried again: the map goes on with what is published.
        """
        while not stop.is_set():
            try:
                with self.lock():
                    self._keep(stop, poll_s)
            except KeeperBusy:
                stop.wait(0.5)

    def _keep(self, stop: threading.Event, poll_s: float) -> None:
        signal = self._record.signal()
        first, due = True, True
        try:
            while not stop.is_set():
                try:
                    due = signal.changed() or due
                    if due:
                        self.publish(everything=first)
                        first, due = False, False
                    now_us = self._clock.now_us()
                    for tick in self._ticks:
                        tick(now_us)
                except Exception:
                    log.exception("publishing failed; it is tried again")
                    due = True
                    stop.wait(_AFTER_ERROR_S)
                stop.wait(poll_s)
        finally:
            signal.close()


def published_sequence(packs_dir: Path) -> int:
    """Sequence number up to which everything is published and told; -1 where nothing is."""
    state = read_json(packs_dir / STATE)
    return -1 if state is None else int(state["sequence"])


def wait_published(
    keeper: Keeper, record: Record, data_dir: Path, sequence: int, wait_s: float = 60.0
) -> None:
    """Return when a commit is visible: published by the keeper at work, or by this process.

    Raises Unavailable when the keeper at work does not get there in time.
    """
    deadline = time.monotonic() + wait_s
    while published_sequence(data_dir / "packs") < sequence:
        try:
            with keeper.lock():
                keeper.publish()
                continue
        except KeeperBusy:
            pass
        if time.monotonic() > deadline:
            raise Unavailable(
                "it is recorded, but not yet visible: the keeper is slow", retry_after_s=5
            )
        time.sleep(POLL_S / 2)
