"""Where two versions of one view differ, found from the parts that they do not share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geoshare.access.changes import Boxes
from geoshare.access.view import View
from geoshare.filter.values import dictionary_words
from tiles.pack import Part
from tiles.pack.bits import Bits, apart, both, rows_set
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

Features = dict[str, int]
"""Features by id, each with a hash of what is shown of it."""

Places = dict[str, tuple[int, int, int, int]]
"""Features by id, each with its box in world units: west, south, east, north."""

_Pairs = list[tuple[Rows, NDArray[np.int32]]]


@dataclass(frozen=True, eq=False)
class Side:
    """Rows of one of two versions, with a hash (n,) of what is shown of each."""

    pairs: tuple[tuple[Rows, NDArray[np.int32]], ...]
    hashes: NDArray[np.uint64]

    @classmethod
    def of(cls, pairs: _Pairs) -> Side:
        """Hash what is shown of the rows."""
        hashes = [np.zeros(0, np.uint64)]
        for item, rows in pairs:
            present = [name for name in item.columns if name in item.part.sums]
            hashes.append(row_hashes(item.part.table, present, rows))
        return cls(tuple(pairs), np.concatenate(hashes))

    @property
    def boxes(self) -> Boxes:
        """World boxes (n, 4) of the rows."""
        found = [item.part.boxes[rows] for item, rows in self.pairs]
        return np.concatenate([np.zeros((0, 4), np.int32), *found])

    def without(self, other: Side) -> Side:
        """Those of the rows that the other version does not show just so."""
        left, pairs, at = ~np.isin(self.hashes, other.hashes), [], 0
        for item, rows in self.pairs:
            pairs.append((item, rows[left[at : at + len(rows)]]))
            at += len(rows)
        return Side(tuple(pairs), self.hashes[left])

    @cached_property
    def features(self) -> Features:
        """The rows by id."""
        return dict(zip(self._ids, self.hashes.tolist(), strict=True))

    @property
    def places(self) -> Places:
        """Boxes of the rows by id; a row without geometry has an empty one (west > east)."""
        boxes = ((west, south, east, north) for west, south, east, north in self.boxes.tolist())
        return dict(zip(self._ids, boxes, strict=True))

    @cached_property
    def _ids(self) -> list[str]:
        ids: list[str] = []
        for item, rows in self.pairs:
            column = item.part.table.ids
            ids += dictionary_words(column, column.values[rows].astype(np.int64))
        return ids


@dataclass(frozen=True)
class Difference:
    """Rows that only the version before shows just so, and rows that only the one after does.

    A row that was changed is on both sides.
    """

    gone: Side
    come: Side

    @property
    def boxes(self) -> Boxes:
        """World boxes (n, 4) of all of them."""
        return np.concatenate([self.gone.boxes, self.come.boxes])


def shown_by(view: View) -> Shown:
    """All that an opened view shows."""
    found = {}
    for layer in view.layers:
        bitmaps = layer.selection.bits(layer.pack)
        triples = zip(layer.pack.parts, layer.pack.alive, bitmaps, strict=True)
        for checksum, (part, alive, bits) in zip(layer.checksums, triples, strict=True):
            found[checksum, *layer.columns] = Rows(part, layer.columns, both(alive, bits))
    return found


def difference(before: Shown, after: Shown, most: int = MAX_ROWS) -> Difference | None:
    """Compare two versions; rows that moved to another part and still say the same do not count.

    Returns
    -------
    None where more than ``most`` rows would have to be compared.
    """
    was: _Pairs = []
    now: _Pairs = []
    for key in {*before, *after}:
        old, new = before.get(key), after.get(key)
        rows = old or new
        if rows is None:
            continue
        old_bits = rows.none if old is None else old.bits
        new_bits = rows.none if new is None else new.bits
        length = len(rows.part)
        if abs(count_set(old_bits, length) - count_set(new_bits, length)) > most:
            return None
        gone, come = apart(old_bits, new_bits, length)
        was.append((rows, gone))
        now.append((rows, come))
    if sum(len(rows) for _, rows in (*was, *now)) > most:
        return None
    old_side, new_side = Side.of(was), Side.of(now)
    return Difference(old_side.without(new_side), new_side.without(old_side))


def everything(before: Shown, after: Shown, most: int = MAX_ROWS) -> Difference | None:
    """All rows of both versions, where what is told of each is another thing; None for too many."""
    sides = [
        [(rows, rows_set(rows.bits, len(rows.part))) for rows in shown.values()]
        for shown in (before, after)
    ]
    if sum(len(rows) for side in sides for _, rows in side) > most:
        return None
    return Difference(Side.of(sides[0]), Side.of(sides[1]))
