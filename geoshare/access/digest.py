"""A digest of what a view shows, whatever the order and the files its rows lie in.

It is made of sums over hashes of visible values (``tiles.pack.sums``): a visible value that changes
moves it, and nothing else does. What is hidden adds nothing to it, so it tells nothing of it.
"""

from __future__ import annotations

import hashlib

import numpy as np

from tiles.arrays import Rows
from tiles.pack.sums import sums_of


def rows_digest(rows: Rows) -> tuple[int, int]:
    """Add up, modulo 2^64, two hashes per value over ids, columns and geometry."""
    first = second = 0
    for table, numbers in rows.pairs:
        names = [column.name for column in table.columns]
        for sums in sums_of(table, names, np.ascontiguousarray(numbers, np.int32)).values():
            first, second = first + sums[0], second + sums[1]
    return first % 2**64, second % 2**64


def token(*parts: object) -> str:
    """Return an opaque text that differs where any of the parts differs."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()
