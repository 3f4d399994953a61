"""Clocks of tests."""

from __future__ import annotations


class SetClock:
    """A clock that stands, at a time in microseconds since 1970 (UTC), until it is moved."""

    def __init__(self, us: int = 1_800_000_000_000_000) -> None:
        self.us = us

    def now_us(self) -> int:
        """The time that it is set to."""
        return self.us
