"""Folds in the background: a child process of low priority, one fold at a time.

A child, because a fold of a million rows holds the interpreter's lock for tens of milliseconds at a
time, and because its memory is given back when it ends.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from geoshare.publish.build import PART_ROWS
from geoshare.publish.fold import Fold, Folded, run
from geoshare.publish.manifest import pack_folder
from geoshare.publish.patience import Patience

NICENESS = 5
IDLE_S = 60.0  # a child with nothing to do ends then
SPAWN = multiprocessing.get_context("spawn")  # the keeper has threads, whose locks a fork would inherit

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """A fold that has been made."""

    work: Fold
    folded: Folded


class Folding:
    """Starts folds and hands over what they made; of one thread."""

    def __init__(self, packs_dir: Path, part_rows: int = PART_ROWS) -> None:
        self._packs_dir = packs_dir
        self._part_rows = part_rows
        self._patience = Patience()
        self._link: Connection | None = None
        self._end: Callable[[], None] = lambda: None
        self._used_s = 0.0
        self._aside = ""
        self.work: Fold | None = None  # under way

    @property
    def free(self) -> bool:
        """Whether another fold may be started."""
        return self.work is None and self._patience.due

    @property
    def busy(self) -> tuple[str, ...]:
        """Folders, as ``collection/name``, that are being written to."""
        return () if self.work is None else (f"{self.work.collection}/{self._aside}",)

    def start(self, work: Fold) -> None:
        """Begin a fold."""
        folder = pack_folder(self._packs_dir, work.collection)
        self._aside = f".fold-{secrets.token_hex(4)}"
        self.work = work
        try:
            if self._link is None:
                self._link = self._launch()
            self._link.send((work, folder, folder / self._aside, self._part_rows))
        except OSError as error:
            self._failed(error)

    def finished(self) -> Done | None:
        """What has been made since the last question; a fold that failed is logged and forgotten."""
        if self.work is None:
            if self._link is not None and time.monotonic() - self._used_s > IDLE_S:
                self.close()
            return None
        if self._link is None or not self._link.poll():
            return None
        try:
            said = self._link.recv()
        except (OSError, EOFError) as error:
            said = error
        if isinstance(said, BaseException):
            self._failed(said)
            return None
        done, self.work = Done(self.work, said), None
        self._used_s = time.monotonic()
        self._patience.done()
        return done

    def close(self) -> None:
        """End the child, whatever it is doing."""
        self._end()
        if self._link is not None:
            self._link.close()
        self._link, self._end, self.work = None, lambda: None, None

    def _failed(self, error: BaseException) -> None:
        name = "" if self.work is None else self.work.collection
        failure = error if isinstance(error, Exception) else RuntimeError(repr(error))
        self._patience.failed(log, f"{name} cannot be folded", failure)
        self.close()

    def _launch(self) -> Connection:
        mine, other = SPAWN.Pipe()
        child = SPAWN.Process(target=_serve, args=(other,), name="folding", daemon=True)
        child.start()
        other.close()

        def end() -> None:
            child.kill()
            child.join()

        self._end = end
        return mine


def _serve(link: Connection) -> None:
    """Fold what is asked for until the other end is gone, however it went."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
        Path("/proc/self/comm").write_text("geoshare fold")
    with contextlib.suppress(EOFError, OSError):
        while True:
            work, folder, aside, part_rows = link.recv()
            try:
                link.send(run(work, folder, aside, part_rows))
            except Exception as error:
                link.send(error)
