"""Rates: how many requests a minute one credential may make."""

from __future__ import annotations

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from geoshare.errors import TooMany
from geoshare.model.clock import Clock


class Limiter:
    """Counts requests of one process against a rate per minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count(self, key: str, per_minute: int, cost: int = 1) -> None:
        """Count a request.

        Raises
        ------
        TooMany
            above the rate, with the seconds to wait.
        """
        item = RateLimitItemPerMinute(per_minute)
        if not self._limiter.hit(item, key, cost=cost):
            reset = self._limiter.get_window_stats(item, key).reset_time
            wait = max(1, round(reset - self._clock.now_us() / 1e6))
            raise TooMany("Too many requests.", retry_after_s=min(wait, 60))
