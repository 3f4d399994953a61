"""When keys were used last: noted in memory, written every few seconds by a thread of its own."""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import Final

from geoshare.errors import Unavailable

FLUSH_S: Final = 5.0


class Uses:
    """Last uses of one process. What a crash loses is seconds; what cannot be written is kept."""

    def __init__(self, write: Callable[[Mapping[str, int]], None]) -> None:
        self._write = write
        self._last: dict[str, int] = {}
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def note(self, key_id: str, now_us: int) -> None:
        """Note that a key was used; never waits for a database."""
        with self._lock:
            self._last[key_id] = now_us
            if self._timer is None:
                self._start()

    def flush(self) -> None:
        """Write what was noted. Raises Unavailable where that cannot be; it is kept then."""
        with self._lock:
            found, self._last = self._last, {}
        if not found:
            return
        try:
            self._write(found)
        except Unavailable:
            with self._lock:
                self._last = found | self._last
            raise

    def _start(self) -> None:
        """Write in a few seconds; the lock is held."""
        atexit.register(self._at_exit)
        self._timer = threading.Timer(FLUSH_S, self._due)
        self._timer.daemon = True
        self._timer.start()

    def _due(self) -> None:
        self._at_exit()
        with self._lock:
            atexit.unregister(self._at_exit)
            self._timer = None
            if self._last:
                self._start()

    def _at_exit(self) -> None:
        with contextlib.suppress(Unavailable):
            self.flush()
