"""References from one feature to others: those that lead out of a view are not given out.

A feature that is hidden and one that does not exist look the same, so both are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geoshare.filter.values import dictionary_words
from tiles.arrays import Column, Kind
from tiles.pack import Part
from tiles.pack.bits import Bits, apart, rows_set
from tiles.pack.identity import id_hashes, mark_present
from tiles.pack.model import count_set

Mask = NDArray[np.bool_]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class ShownPart:
    """One part of a collection and the rows of it that are shown, as they are or rewritten."""

    checksum: str
    part: Part
    shown: Bits


@dataclass(frozen=True)
class VisibleIds:
    """Ids of the features that a policy shows of a collection."""

    parts: tuple[ShownPart, ...] = ()

    @cached_property
    def some(self) -> bool:
        """Whether any feature is shown."""
        return any(count_set(item.shown, len(item.part)) for item in self.parts)

    def has(self, hashes: Hashes) -> Mask:
        """Which of the ids, given by hash (n,), are visible; quickest where they are in order."""
        found = np.zeros(len(hashes), bool)
        for item in self.parts:
            table = item.part.table
            mark_present(table.id_hash, item.part.id_order, item.shown, hashes, found)
        return found

    def moved_since(self, before: VisibleIds) -> Hashes:
        """Hashes of all ids that may have become visible or hidden, in order."""
        old = {item.checksum: item for item in before.parts}
        new = {item.checksum: item for item in self.parts}
        found = [np.zeros(0, np.uint64)]
        for key in {*old, *new}:
            item, other = new.get(key, old.get(key)), old.get(key)
            if item is None:
                continue
            length, hashes = len(item.part), item.part.table.id_hash
            if other is None or key not in new:
                found.append(hashes[rows_set(item.shown, length)])
            else:
                found += [hashes[rows] for rows in apart(other.shown, item.shown, length)]
        return np.unique(np.concatenate(found))


Targets = Callable[[str], VisibleIds]


@dataclass(frozen=True)
class Links:
    """Ids that the texts of one column of a part name: k in all, in the order of their hashes."""

    hashes: Hashes  # (k,)
    word: NDArray[np.int32]  # (k,) the text in the column's dictionary that names it
    empty: Mask  # (words,) texts that name nothing

    @classmethod
    def of(cls, column: Column) -> Links:
        """Read all texts of a column."""
        count = 0 if column.dictionary_offsets is None else len(column.dictionary_offsets) - 1
        words = dictionary_words(column, np.arange(count))
        lists = [[word] for word in words] if column.kind is Kind.STRING else [_ids(w) for w in words]
        lengths = [len(items) for items in lists]
        hashes = id_hashes([item for items in lists for item in items])
        order = np.argsort(hashes, kind="stable")
        named = np.repeat(np.arange(count, dtype=np.int32), lengths)
        return cls(hashes[order], named[order], np.array(lengths, np.int64) == 0)

    def lost(self, target: VisibleIds) -> Mask:
        """Which of the ids (k,) are not visible."""
        return ~target.has(self.hashes)

    def lost_after(self, lost: Mask, before: VisibleIds, target: VisibleIds) -> Mask:
        """The same for another state of the target; the very array where nothing is different."""
        moved = target.moved_since(before)
        first = np.searchsorted(self.hashes, moved, side="left")
        last = np.searchsorted(self.hashes, moved, side="right")
        places = np.concatenate(
            [
                np.zeros(0, np.int64),
                *(np.arange(a, b) for a, b in zip(first, last, strict=True) if b > a),
            ]
        )
        now = ~target.has(self.hashes[places])
        if (lost[places] == now).all():
            return lost
        changed = lost.copy()
        changed[places] = now
        return changed

    def dangling(self, column: Column, lost: Mask, rows: NDArray[np.int32]) -> Mask:
        """Which of the rows refer, in this column, to something that is not visible."""
        words = self.empty.copy()
        words[self.word[lost]] = True
        if not words.any():
            return np.zeros(len(rows), bool)
        found: Mask = words[column.values[rows].astype(np.int64)]
        return found if column.valid is None else found & column.valid[rows].astype(bool)


def without_dangling(texts: pa.ChunkedArray, kind: Kind, target: VisibleIds) -> pa.Array:
    """Leave out of a column of texts what is not visible; null where nothing stays."""
    unique = texts.unique()
    kept = pa.array(_kept(unique.to_pylist(), kind, target), pa.utf8())
    return kept.take(pc.index_in(texts.combine_chunks(), unique))


def _kept(words: Sequence[str | None], kind: Kind, target: VisibleIds) -> list[str | None]:
    """Say what stays of each word: the word itself where all of it is visible."""
    if kind is Kind.STRING:
        seen = target.has(id_hashes([word or "" for word in words]))
        return [word if visible else None for word, visible in zip(words, seen, strict=True)]
    lists = [_ids(word) for word in words]
    seen = target.has(id_hashes([item for items in lists for item in items]))
    left, at = [], 0
    for word, items in zip(words, lists, strict=True):
        found = seen[at : at + len(items)]
        at += len(items)
        if len(items) and found.all():
            left.append(word)
        else:
            visible = {item for item, one in zip(items, found, strict=True) if one}
            left.append(_only(word, visible) if visible else None)
    return left


def _only(word: str | None, visible: set[str]) -> str:
    """A JSON list of ids, or an object of such lists, without those that are not visible."""
    ids = orjson.loads(word or "[]")
    if isinstance(ids, list):
        return orjson.dumps([item for item in ids if item in visible]).decode()
    lists = {name: [item for item in _texts(value) if item in visible] for name, value in ids.items()}
    return orjson.dumps({name: items for name, items in lists.items() if items}).decode()


def _ids(word: str | None) -> list[str]:
    """Ids in a JSON list, or in the lists of a JSON object; none in anything else."""
    ids = orjson.loads(word) if word else None
    if isinstance(ids, dict):
        return [item for items in ids.values() for item in _texts(items)]
    return _texts(ids)


def _texts(items: object) -> list[str]:
    return [item for item in items if isinstance(item, str)] if isinstance(items, list) else []
