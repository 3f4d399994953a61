"""What a row of a sheet looked like when it was read, as marks that tell nobody else anything.

Each cell leaves a short keyed hash of organisation, feature, column and value in the row's last column.
With these it is known which cells somebody has changed since, and which have changed here meanwhile,
without the values themselves: a column that is deleted before a sheet is handed on is really gone, and
another organisation can compare nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import orjson

FORM: Final = "1"
_BYTES: Final = 6
_LETTERS: Final = 8  # of a mark, as base64
_LONGEST: Final = 4_000


@dataclass(frozen=True, slots=True)
class Kept:
    """The last column of a row as it came back: the version that was read, and marks of its cells."""

    feature: str
    version: str
    marks: frozenset[str]


class Marks:
    """Makes and reads the marks of one organisation's sheets of one collection."""

    def __init__(self, secret: bytes, organisation: str, collection: str) -> None:
        self._secret, self._about = secret, (organisation, collection)

    def of(self, feature: str, column: str, said: str) -> str:
        """Return the mark of a cell with this text form."""
        content = orjson.dumps([*self._about, feature, column, said])
        digest = hashlib.blake2b(content, key=self._secret, digest_size=_BYTES, person=b"sheet")
        return base64.urlsafe_b64encode(digest.digest()).decode()

    def written(self, feature: str, version: str, cells: Iterable[tuple[str, str]]) -> str:
        """Return the last column of a row: its version and its cells' marks (column, text form)."""
        marks = "".join(self.of(feature, column, said) for column, said in cells)
        return f"{FORM}.{version}.{marks}.{feature}"

    def read(self, written: str) -> Kept | None:
        """Read the last column of a row; None for what is none."""
        parts = written.strip().split(".", 3)
        if len(written) > _LONGEST or len(parts) != 4 or parts[0] != FORM:
            return None
        _, version, marks, feature = parts
        some = (marks[at : at + _LETTERS] for at in range(0, len(marks), _LETTERS))
        return Kept(feature, version, frozenset(some))
