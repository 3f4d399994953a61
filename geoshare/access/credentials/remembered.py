"""What was read of a credential, kept for a moment: a revocation counts within half a second."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from geoshare.errors import Unavailable

CACHED_FOR_US: Final = 500_000  # a revocation is seen by every worker within this time
ALONE_US: Final = 10_000_000  # so long is taken what was read, where it cannot be read again
CACHED: Final = 4_096

T = TypeVar("T")


class Remembered(Generic[T]):
    """The newest of what was read by id. Safe to use from several threads.

    ``read`` returns what is stored, or None; it may raise Unavailable. Then what was read last counts
    for ``ALONE_US``, so that a short outage of the database is not one of the service.
    """

    def __init__(self, read: Callable[[str], T | None]) -> None:
        self._read = read
        self._kept: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, name: str, now_us: int) -> T | None:
        """What is stored under an id; None for nothing. Raises Unavailable where it cannot be told."""
        with self._lock:
            known = self._kept.get(name)
        age_us = None if known is None else now_us - known[1]
        if known is not None and age_us is not None and 0 <= age_us < CACHED_FOR_US:
            return known[0]
        try:
            stored = self._read(name)
        except Unavailable:
            if known is None or age_us is None or not 0 <= age_us < ALONE_US:
                raise
            return known[0]
        with self._lock:
            if stored is None:  # unknown ids are not kept: anybody can make them up
                self._kept.pop(name, None)
            else:
                self._kept[name] = (stored, now_us)
                self._kept.move_to_end(name)
                if len(self._kept) > CACHED:
                    self._kept.popitem(last=False)
        return stored

    def forget(self) -> None:
        """Drop everything, so that the next question reads again."""
        with self._lock:
            self._kept.clear()
