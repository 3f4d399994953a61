"""Which ends of lines are one place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

End = tuple[str, int]  # name of a line, 0 or -1


class Groups:
    """Ends of lines that are one place; both ends of one line are never."""

    def __init__(self) -> None:
        self._of: dict[End, list[End]] = {}

    def join(self, one: End, two: End) -> bool:
        """Make two ends one; false where that would close a line."""
        a, b = self._of.setdefault(one, [one]), self._of.setdefault(two, [two])
        if a is b:
            return True
        at: dict[str, set[int]] = defaultdict(set)
        for name, place in (*a, *b):
            at[name].add(place)
        if any(len(places) > 1 for places in at.values()):
            return False
        a.extend(b)
        for end in b:
            self._of[end] = a
        return True

    def found(self) -> Iterator[list[End]]:
        """All groups, once each."""
        seen: set[int] = set()
        for group in self._of.values():
            if id(group) not in seen:
                seen.add(id(group))
                yield sorted(group)
