"""Encoded answers that are kept: a budget of bytes, each answer made once at a time.

A key names everything an answer depends on: the content that goes into it, the resource, and the
content coding. Where something else is shown there is another key, so an answer that no longer holds is
never found again, and goes when room is needed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple

OVERHEAD_BYTES = 650  # of an entry besides its body: key, tag and places in tables
MAX_SHARE = 16  # no answer takes more than this part of the budget
WAIT_S = 30.0


class Kept(NamedTuple):
    """An encoded answer: entity tag, content coding and bytes; no bytes where there is nothing."""

    tag: str
    coding: str
    payload: bytes
    cost_s: float = 0.0  # how long it took to make


class Bodies:
    """Answers of one process, the ones not asked for longest going first."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._used = 0
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._making: dict[Hashable, threading.Event] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Kept | None:
        """Return what is kept under a key."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def get_or_make(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """Return what is kept, or make it; who asks meanwhile waits for the same making."""
        if self._budget <= 0:
            return make()
        while True:
            found = self.get(key)
            if found is not None:
                return found
            with self._lock:
                under_way = self._making.get(key)
                if under_way is None:
                    self._making[key] = threading.Event()
            if under_way is None:
                break
            if not under_way.wait(WAIT_S):
                return make()
        try:
            found = make()
            self._put(key, found)
            return found
        finally:
            with self._lock:
                self._making.pop(key).set()

    def _put(self, key: Hashable, made: Kept) -> None:
        size = len(made.payload) + OVERHEAD_BYTES
        if size > self._budget // MAX_SHARE:
            return
        with self._lock:
            self._kept[key] = made
            self._used += size
            while self._used > self._budget:
                _, gone = self._kept.popitem(last=False)
                self._used -= len(gone.payload) + OVERHEAD_BYTES
