"""Time and identifiers as values that are handed in, so that answers can be repeated to the byte."""

from __future__ import annotations

import secrets
import time
from typing import Protocol


class Clock(Protocol):
    """Says what time it is."""

    def now_us(self) -> int:
        """Microseconds since 1970, UTC."""
        ...


class Ids(Protocol):
    """Makes identifiers nobody can guess."""

    def new(self) -> str:
        """16 letters and digits."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_us(self) -> int:
        """Microseconds since 1970, UTC."""
        return time.time_ns() // 1000


_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case


class RandomIds:
    """Identifiers of 80 random bits."""

    def new(self) -> str:
        """16 letters and digits."""
        return "".join(secrets.choice(_ALPHABET) for _ in range(16))
