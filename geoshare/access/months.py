"""What is used of months: leased in blocks where it is limited, noted every few seconds where not.

Both end up in the same rows of governance, so that a month survives restarts. A crash loses what was
noted in the last seconds, and what was taken of a limited month and not used counts as used: at most a
twentieth for each worker that was killed. A worker that ends in order gives back what it has not used.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Protocol

from geoshare.access.leases import Taken, block
from geoshare.access.limits import Limit, Unit, month_at
from geoshare.errors import Unavailable
from geoshare.model.clock import Clock

FLUSH_S: Final = 5.0
Give = Callable[[], Iterable[tuple[str, int, int]]]


class Use(NamedTuple):
    """What a credential has used of a month."""

    requests: int
    cost: int


class MonthRows(Protocol):
    """The table that workers share."""

    def take(self, month: int, key: str, decide: Callable[[int], Taken]) -> Taken:
        """Add what ``decide`` grants, given what is used, in one transaction."""
        ...

    def add(self, rows: Iterable[tuple[int, str, int]]) -> None:
        """Add to what is used: month, key, how much; less where it is negative."""
        ...

    def used(self, month: int, key: str) -> int:
        """What is used."""
        ...


class Months:
    """Leases and notes of months, of one process."""

    def __init__(self, rows: MonthRows, clock: Clock, processes: int = 1) -> None:
        self._rows = rows
        self._clock = clock
        self._processes = processes
        self._noted: dict[tuple[int, str], int] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._timer: threading.Timer | None = None
        self._give: Give = tuple
        self._give_all: Give = tuple

    def gives(self, idle: Give, everything: Give) -> None:
        """Say where what is not used comes back from: now and then, and at the end."""
        self._give, self._give_all = idle, everything

    def take(self, key: str, period: int, most: int, wanted: int) -> Taken:
        """Take at least ``wanted`` of a month, or nothing. Raises Unavailable."""
        self._awake()
        return self._rows.take(period, key, lambda used: block(most, used, wanted, self._processes))

    def left(self, key: str, period: int, most: int) -> int:
        """What nobody has taken yet. Raises Unavailable."""
        return max(0, most - self._rows.used(period, key))

    def note(self, limit: Limit, number: int) -> None:
        """Note what a credential has used that is not limited; never waits for a database."""
        key = month_at(self._clock.now_us()).number, limit.key
        with self._lock:
            self._noted[key] = self._noted.get(key, 0) + number
        self._awake()

    def used(self, credential: str) -> Use:
        """What a credential has used of this month, as far as is known here. Raises Unavailable."""
        month = month_at(self._clock.now_us()).number
        units: tuple[Unit, Unit] = ("requests", "cost")
        keys = [Limit(credential, unit, "month", 1).key for unit in units]
        with self._writing:
            stored = [self._rows.used(month, key) for key in keys]
            with self._lock:
                noted = [self._noted.get((month, key), 0) for key in keys]
        return Use(*(one + other for one, other in zip(stored, noted, strict=True)))

    def flush(self, give: Give = tuple) -> None:
        """Write what was noted and give back. Raises Unavailable where that cannot be; it is kept."""
        with self._writing:
            back = [(month, key, -left) for key, month, left in give()]
            with self._lock:
                noted, self._noted = self._noted, {}
            rows = [*((month, key, number) for (month, key), number in noted.items()), *back]
            if not rows:
                return
            try:
                self._rows.add(rows)
            except Unavailable:
                with self._lock:
                    for month, key, number in rows:
                        self._noted[month, key] = self._noted.get((month, key), 0) + number
                raise

    def close(self) -> None:
        """Write, and give back everything that is not used."""
        with contextlib.suppress(Unavailable):
            self.flush(self._give_all)

    def _awake(self) -> None:
        """See that there is a flush in a few seconds."""
        with self._lock:
            if self._timer is None:
                atexit.register(self.close)
                self._timer = threading.Timer(FLUSH_S, self._due)
                self._timer.daemon = True
                self._timer.start()

    def _due(self) -> None:
        with contextlib.suppress(Unavailable):
            self.flush(self._give)
        with self._lock:
            atexit.unregister(self.close)
            self._timer = None
        if self._noted:
            self._awake()
