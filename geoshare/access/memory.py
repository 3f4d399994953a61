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
    """Entries by key, those not asked for longest going first. For one thread.

    An entry that belongs to a part goes when no view has the part any more: it holds the part open, and
    its mapping of a file that is gone, and nobody will ask for it.
    """

    def __init__(self, budget_bytes: int = BUDGET_BYTES) -> None:
        self._budget = budget_bytes
        self._used = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._of_part: dict[str, set[Hashable]] = {}
        self._parts: dict[Hashable, frozenset[str]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> Any:
        """What is kept under a key; None where nothing is."""
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: Hashable, value: Found, array_bytes: int = 0, part: str = "") -> Found:
        """Keep a value that holds arrays of so many bytes, and return it.

        ``part`` is the checksum of the part that the entry belongs to, where it belongs to one.
        """
        if part:
            self._of_part.setdefault(part, set()).add(key)
        size = array_bytes + OVERHEAD_BYTES
        before = self._kept.pop(key, None)
        self._used += size - (0 if before is None else before[1])
        self._kept[key] = value, size
        while self._used > self._budget and len(self._kept) > 1:
            _, (_, gone) = self._kept.popitem(last=False)
            self._used -= gone
        return value

    def has_parts(self, view: Hashable, parts: frozenset[str]) -> None:
        """Note by their checksums which parts a view has now, and forget those it had before."""
        gone = self._parts.get(view, frozenset()) - parts
        self._parts[view] = parts
        for part in gone:
            for key in self._of_part.pop(part, ()):
                _, size = self._kept.pop(key, (None, 0))
                self._used -= size

    def get_or_make(self, key: Hashable, make: Callable[[], Found], array_bytes: int = 0) -> Found:
        """What is kept under a key, made where nothing is."""
        found: Found | None = self.get(key)
        return self.put(key, make(), array_bytes) if found is None else found
