"""Trying again what failed: soon at first, then ever less often, and said once."""

from __future__ import annotations

import logging
import time
from collections.abc import Hashable

FIRST_S = 1.0
MOST_S = 300.0


class Patience:
    """When something that failed is due again, and whether its failure is news.

    Parameters
    ----------
    most_s
        The longest wait; each is twice the one before, the first :data:`FIRST_S`.
    """

    def __init__(self, most_s: float = MOST_S) -> None:
        self._most_s = most_s
        self._wait_s = 0.0
        self._at_s = 0.0
        self._said: Hashable = None

    @property
    def due(self) -> bool:
        """Whether it is time to try."""
        return time.monotonic() >= self._at_s

    def done(self) -> None:
        """It went well: from now on it is due always, and any failure is news."""
        self._wait_s, self._at_s, self._said = 0.0, 0.0, None

    def failed(self, log: logging.Logger, what: str, error: Exception, key: Hashable = None) -> None:
        """Wait longer; log the error unless the last one was the same and for the same ``key``."""
        news = (type(error), str(error), key)
        if news != self._said:
            log.error("%s; it is tried again", what, exc_info=error)
        self._said = news
        self._wait_s = min(max(FIRST_S, 2 * self._wait_s), self._most_s)
        self._at_s = time.monotonic() + self._wait_s
