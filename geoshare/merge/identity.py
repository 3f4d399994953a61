"""Ids of foundation features: the same whenever the same thing is said again, and telling nothing.

An id is 80 bits of BLAKE2b keyed with the record's secret, in 16 letters and digits. Without the
secret nobody can compute the id of a feature whose provider and record id one guesses, so an id
that a consumer holds proves nothing about what is hidden. Each release class has ids of its own: what
is contributed under one never stands on a feature of another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from geoshare.model.collections import Collection
from geoshare.model.policy import OPEN_CLASS

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_BYTES = 10
_OF_RECORD, _OF_VALUE, _OF_CLASS = b"r", b"v", b"c"


class Identities:
    """Gives ids to features of one record, and of one release class."""

    def __init__(
        self,
        secret: bytes,
        collections: Mapping[str, Collection],
        release_class: str = OPEN_CLASS,
    ) -> None:
        self._root = hashlib.blake2b(key=secret, digest_size=_BYTES)
        if release_class != OPEN_CLASS:
            self._step(self._root, _OF_CLASS)
            self._step(self._root, release_class.encode())
        self._collections = collections

    def of_records(self, collection: str, provider: str, record_ids: Sequence[str]) -> list[str]:
        """Ids of features known by their provider's own record ids."""
        return self._make((_OF_RECORD, collection.encode(), provider.encode()), record_ids)

    def of_values(self, collection: str, values: Sequence[str]) -> list[str]:
        """Ids of features that a value identifies, whoever sends it (a common shelter id)."""
        return self._make((_OF_VALUE, collection.encode()), values)

    def of_reference(self, collection: str, provider: str, values: Sequence[str]) -> list[str]:
        """Ids of the features that a provider refers to by its own ids, or by identifying values."""
        target = self._collections.get(collection)
        if target is not None and target.identity:
            return self.of_values(collection, values)
        return self.of_records(collection, provider, values)

    def _make(self, path: Sequence[bytes], names: Sequence[str]) -> list[str]:
        start = self._root.copy()
        for step in path:
            self._step(start, step)
        found = []
        for name in names:
            state = start.copy()
            state.update(name.encode())
            number = int.from_bytes(state.digest(), "big")
            found.append("".join([_PAIRS[number >> shift & 1023] for shift in range(70, -1, -10)]))
        return found

    @staticmethod
    def _step(state: hashlib.blake2b, step: bytes) -> None:
        state.update(len(step).to_bytes(4, "little") + step)
