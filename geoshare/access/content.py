"""A name for what rows of a view say: equal names are equal contents, whoever asks.

A part is immutable and known by a BLAKE2b checksum of its file, and a view shows it through nothing but
its list of columns. So part, columns and row numbers, in order, determine every value and every vertex.
Rows that a policy cuts or rewrites lie in parts of their own and have another name.
"""

from __future__ import annotations

import hashlib
from weakref import WeakKeyDictionary

import numpy as np

from geoshare.access.view import View
from tiles.arrays import Rows

NOTHING = b""
"""Content of no rows, of whatever view."""

_marks: WeakKeyDictionary[View, dict[int, bytes]] = WeakKeyDictionary()


def content_digest(view: View, rows: Rows) -> bytes:
    """Sixteen bytes that differ where rows, their order, columns, values or geometry differ.

    Parameters
    ----------
    view
        Whose tables the rows are of.
    rows
        As its ``search``, ``scan`` or ``lookup`` gave them, or fewer.

    Returns
    -------
    ``NOTHING`` for no rows. Two views may show the same under two names (after their parts have been
    folded), but never two contents under one.
    """
    if not len(rows):
        return NOTHING
    marks = _marks.get(view)
    if marks is None:
        marks = _marks[view] = _marks_of(view)
    digest = hashlib.blake2b(digest_size=16)
    for table, numbers in rows.pairs:
        if len(numbers):
            digest.update(marks[id(table)])
            digest.update(len(numbers).to_bytes(8, "little"))
            digest.update(np.ascontiguousarray(numbers, np.int32).tobytes())
    return digest.digest()


def _marks_of(view: View) -> dict[int, bytes]:
    """Name of each table that a view shows, by identity; all of one length."""
    columns = [(column.name, str(column.kind)) for column in view.columns]
    found = {}
    for layer in view.layers:
        for part, checksum in zip(layer.pack.parts, layer.checksums, strict=True):
            said = repr((view.collection.name, columns, layer.columns, checksum))
            mark = hashlib.blake2b(said.encode(), digest_size=16).digest()
            found[id(layer.shown[id(part.table)])] = mark
    return found
