"""What a builder of views remembers from one publication to the next, within a budget of bytes.

Everything in it can be worked out again; what is built with it is the same as without.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

BUDGET_BYTES: Final = 192 << 20
OVERHEAD_BYTES: Final = 1_000  # of an entry besides its arrays

Found = TypeVar("Found")


class Memory:
    """Entries by key, those not asked for longest going first. For one thread."""

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self._budget = budget_bytes
        self._used = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        """What is kept under a key; None where nothing is."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, value: Found, array_bytes: int = 0) -> Found:
        """Keep a value that holds arrays of so many bytes, and return it."""
        size = array_bytes + OVERHEAD_BYTES
        before = self._kept.pop(key, None)
        self._used += size - (0 if before is None else before[1])
        self._kept[key] = value, size
        while self._used > self._budget and len(self._kept) > 1:
            _, (_, gone) = self._kept.popitem(last=False)
            self._used -= gone
        return value

    def get_or_make(self, key: Hashable, make: Callable[[], Found], array_bytes: int = 0) -> Found:
        """What is kept under a key, made where nothing is."""
        found: Found | None = self.get(key)
        return self.put(key, make(), array_bytes) if found is None else found
