"""Reads of items and tiles: counted in memory, flushed each second, one entry a minute.

A request costs one look into a table under a lock that nobody holds for longer than that. Counts of a
second go to the database in one small write, so a crash loses a second at most; a read belongs to the
minute in which it was flushed. The keeper makes one entry for each credential and collection of a
minute that is over, taking its counts away in the same transaction: nothing is counted twice.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from itertools import groupby
from typing import Final

from geoshare.access.audit.entries import Party, Prepared, store
from geoshare.access.credentials import Principal
from geoshare.errors import Unavailable
from geoshare.model.clock import Clock
from geoshare.store.audit_rows import AuditRows

FLUSH_S: Final = 1.0
STALE_S: Final = 10.0  # counts that cannot be written for so long: keyed reads are refused
MINUTE_US: Final = 60_000_000
GRACE_US: Final = 3_000_000  # after its end, a minute's last counts are on their way
AT_ONCE: Final = 1_000
ANONYMOUS: Final = "anonymous"

log = logging.getLogger(__name__)

Key = tuple[str, str, str, str]  # organisation, credential, collection, action
Make = Callable[[Party, dict[str, object]], Prepared]


class Reads:
    """Counts of one process."""

    def __init__(self, rows: AuditRows, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock
        self._counts: dict[Key, int] = {}
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._failing_since_s: float | None = None

    def count(self, who: Principal, collection: str, action: str) -> None:
        """Count one read, before it is answered.

        Raises
        ------
        Unavailable
            for holders of keys, where counts have not been written for ``STALE_S`` seconds.
        """
        if self._failing_since_s is not None and who.key_id:
            self._refuse_when_stale(self._failing_since_s)
        key = who.organisation, who.key_id, collection, action
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + 1
            if self._timer is None:
                self._start()

    def flush(self) -> None:
        """Write what was counted. Where that cannot be, it is kept and Unavailable raised."""
        with self._lock:
            counts, self._counts = self._counts, {}
        if not counts:
            return
        minute = self._clock.now_us() // MINUTE_US
        try:
            self._rows.note_reads([(minute, *key, number) for key, number in counts.items()])
        except Unavailable:
            with self._lock:
                for key, number in counts.items():
                    self._counts[key] = self._counts.get(key, 0) + number
            raise

    def close_minutes(self, now_us: int, make: Make) -> int:
        """Make entries of the minutes that are over; how many were made."""
        before = (now_us - GRACE_US) // MINUTE_US
        made = 0
        while self._rows.minutes_to_close(before):
            with self._rows.write() as connection:
                taken = self._rows.take_reads(connection, before, AT_ONCE)
                for (minute, organisation, credential, collection), rows in groupby(
                    taken, key=lambda row: row[:4]
                ):
                    party = Party(organisation=organisation, credential=credential or ANONYMOUS)
                    counts = {row[4]: row[5] for row in rows}
                    said = {"minute": minute, "collection": collection, "reads": counts}
                    store(self._rows, connection, make(party, said))
                    made += 1
        return made

    def _start(self) -> None:
        """Flush in a second; the lock is held."""
        atexit.register(self._last)
        self._timer = threading.Timer(FLUSH_S, self._due)
        self._timer.daemon = True
        self._timer.start()

    def _due(self) -> None:
        try:
            self.flush()
            self._failing_since_s = None
        except Unavailable:
            if self._failing_since_s is None:
                self._failing_since_s = time.monotonic()
                log.exception("reads cannot be noted in the audit log")
        with self._lock:
            atexit.unregister(self._last)
            self._timer = None
            if self._counts:
                self._start()

    def _last(self) -> None:
        with contextlib.suppress(Unavailable):
            self.flush()

    @staticmethod
    def _refuse_when_stale(since_s: float) -> None:
        if time.monotonic() - since_s > STALE_S:
            raise Unavailable("reads cannot be noted in the audit log", retry_after_s=2)
