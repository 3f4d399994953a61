"""Turns: how many threads of a worker one consumer may hold, so that nobody keeps the others out.

A consumer may hold at most twice as many threads as are free (the dynamic threshold that Choudhury and
Hahne, "Dynamic queue length thresholds for shared-memory packet switches", 1998, use for buffers):
alone, two thirds of them; the more are held by others, the fewer. So some are always free for who comes
next, and no number of consumers has to be known. Who asks for more waits a moment, which costs nobody
anything while answers are quick; where one's own are slow, it is refused at once, so that the others do
not wait behind it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from geoshare.errors import TooMany

SHARE: Final = 2  # threads that one may hold for each one that is free
QUICK_S: Final = 0.5  # an answer that takes longer is slow
RETRY_AFTER_S: Final = 1


class Turn:
    """One request of a consumer that is being answered."""

    __slots__ = ("consumer", "since_s")

    def __init__(self, consumer: str, since_s: float) -> None:
        self.consumer = consumer
        self.since_s = since_s


class Turns:
    """The threads of one worker. Safe to use from all of them."""

    def __init__(self, threads: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._threads = threads
        self._now_s = now_s
        self._held: dict[Turn, None] = {}  # in order of their beginning
        self._counts: Counter[str] = Counter()
        self._left = threading.Condition()

    def enter(self, consumer: str) -> Turn:
        """Take a thread for a request.

        Raises
        ------
        TooMany
            where the consumer holds as many as it may, and they do not end soon.
        """
        with self._left:
            while not self._may(consumer):
                wait_s = self._oldest_s(consumer) + QUICK_S - self._now_s()
                if wait_s <= 0:
                    raise TooMany(
                        "Too many requests at once.",
                        code="too-many-at-once",
                        retry_after_s=RETRY_AFTER_S,
                    )
                self._left.wait(wait_s)
            turn = Turn(consumer, self._now_s())
            self._held[turn] = None
            self._counts[consumer] += 1
            return turn

    def leave(self, turn: Turn) -> None:
        """Give a thread back."""
        with self._left:
            del self._held[turn]
            self._counts[turn.consumer] -= 1
            if not self._counts[turn.consumer]:
                del self._counts[turn.consumer]
            self._left.notify_all()  # each of those who wait may be held up by its own requests

    def lasts(self, turn: Turn) -> None:
        """Note that a request goes on for as long as its client likes, which says nothing of speed."""
        with self._left:
            turn.since_s = math.inf

    def _may(self, consumer: str) -> bool:
        held = self._counts.get(consumer, 0)
        return not held or held < SHARE * (self._threads - len(self._held))

    def _oldest_s(self, consumer: str) -> float:
        """When the oldest began of the requests that a consumer is waiting for; -inf for none."""
        since_s = (turn.since_s for turn in self._held if turn.consumer == consumer)
        return min((since for since in since_s if since < math.inf), default=-math.inf)
