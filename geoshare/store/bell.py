"""Waking the keeper at once when something is committed, whichever process commits it.

A named pipe in the data folder: who commits writes a byte into it, the keeper waits on it. Nothing
depends on it but the moment: the keeper also looks at the record now and then, so that a byte that
is lost, a file system without pipes or a writer on another machine cost a look's time and no more.
"""

from __future__ import annotations

import contextlib
import os
import select
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BELL = "keeper.bell"  # in the data folder
_DRAIN_BYTES = 65_536


def ring(path: Path) -> None:
    """Wake whoever listens; does nothing where nobody does."""
    with contextlib.suppress(OSError):  # nobody listens, or so many rang that the pipe is full
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, b"!")
        finally:
            os.close(descriptor)


class Listener:
    """The end that waits; without a pipe it just sleeps."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def wait(self, seconds: float) -> bool:
        """Sleep until the bell rings or the time is over; tells whether it rang."""
        if self._descriptor is None:
            time.sleep(seconds)
            return False
        if not select.select([self._descriptor], [], [], seconds)[0]:
            return False
        with contextlib.suppress(BlockingIOError):
            while len(os.read(self._descriptor, _DRAIN_BYTES)) == _DRAIN_BYTES:
                pass
        return True


@contextmanager
def listening(path: Path) -> Iterator[Listener]:
    """Hang the bell up; it is taken down again at the end."""
    descriptor = _open(path)
    try:
        yield Listener(descriptor)
    finally:
        if descriptor is not None:
            path.unlink(missing_ok=True)
            os.close(descriptor)


def _open(path: Path) -> int | None:
    """A new pipe, open for both sides so that it never ends; None where there can be none."""
    try:
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
        return os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
