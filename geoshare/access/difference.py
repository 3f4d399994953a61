"""Where two versions of one view differ, found from the parts that they do not share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geoshare.access.changes import Boxes
from geoshare.access.view import View
from tiles.pack import Part
from tiles.pack.bits import Bits, apart, both
from tiles.pack.model import count_set
from tiles.pack.sums import row_hashes

MAX_ROWS: Final = 50_000  # that may differ; beyond it everything counts as changed


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a part that a view shows, and the columns of it that it shows of them."""

    part: Part
    columns: tuple[str, ...]
    bits: Bits

    @property
    def none(self) -> Bits:
        """A bitmap of no row."""
        return np.zeros((len(self.part) + 7) // 8, np.uint8)


Shown = Mapping[tuple[str, ...], Rows]
"""All that a view shows: rows by checksum of the part and columns."""


def shown_by(view: View) -> Shown:
    """All that an opened view shows."""
    found = {}
    for layer in view.layers:
        bitmaps = layer.selection.bits(layer.pack)
        triples = zip(layer.pack.parts, layer.pack.alive, bitmaps, strict=True)
        for checksum, (part, alive, bits) in zip(layer.checksums, triples, strict=True):
            found[checksum, *layer.columns] = Rows(part, layer.columns, both(alive, bits))
    return found


def difference(before: Shown, after: Shown) -> Boxes | None:
    """World boxes (n, 4) of the rows that one of the two views shows and the other one does not.

    A row that was changed counts with its old and its new geometry. Rows that moved to another part
    and still say the same do not count. None where too many rows differ.
    """
    was: list[tuple[Rows, NDArray[np.int32]]] = []
    now: list[tuple[Rows, NDArray[np.int32]]] = []
    for key in {*before, *after}:
        old, new = before.get(key), after.get(key)
        rows = old or new
        if rows is None:
            continue
        old_bits = rows.none if old is None else old.bits
        new_bits = rows.none if new is None else new.bits
        length = len(rows.part)
        if abs(count_set(old_bits, length) - count_set(new_bits, length)) > MAX_ROWS:
            return None
        gone, come = apart(old_bits, new_bits, length)
        was.append((rows, gone))
        now.append((rows, come))
    if sum(len(rows) for _, rows in (*was, *now)) > MAX_ROWS:
        return None
    return _apart(*_said(was), *_said(now))


def _said(pairs: list[tuple[Rows, NDArray[np.int32]]]) -> tuple[NDArray[np.uint64], Boxes]:
    """Hash and box of each row."""
    hashes, boxes = [np.zeros(0, np.uint64)], [np.zeros((0, 4), np.int32)]
    for item, rows in pairs:
        if len(rows):
            present = [name for name in item.columns if name in item.part.sums]
            hashes.append(row_hashes(item.part.table, present, rows))
            boxes.append(item.part.boxes[rows])
    return np.concatenate(hashes), np.concatenate(boxes)


def _apart(
    was: NDArray[np.uint64], boxes_was: Boxes, now: NDArray[np.uint64], boxes_now: Boxes
) -> Boxes:
    """Boxes of rows that are not on both sides."""
    gone, come = ~np.isin(was, now), ~np.isin(now, was)
    return np.concatenate([boxes_was[gone], boxes_now[come]])
