"""References from one feature to others: those that lead out of a view are not given out.

A feature that is hidden and one that does not exist look the same, so both are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geoshare.filter.values import dictionary_words
from tiles.arrays import FeatureTable, Kind
from tiles.pack.identity import id_hashes

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class VisibleIds:
    """Ids of the features that a view shows, as sorted hashes."""

    hashes: NDArray[np.uint64]

    def has(self, ids: list[str]) -> Mask:
        """Which of the ids are visible."""
        if not ids or not len(self.hashes):
            return np.zeros(len(ids), bool)
        wanted = id_hashes(ids)
        at = np.minimum(np.searchsorted(self.hashes, wanted), len(self.hashes) - 1)
        found: Mask = self.hashes[at] == wanted
        return found


Targets = Callable[[str], VisibleIds]


def dangling(table: FeatureTable, column: str, rows: NDArray[np.int32], target: VisibleIds) -> Mask:
    """Which of the rows refer, in this column, to something that is not visible."""
    values = table.column(column)
    present = np.ones(len(rows), bool) if values.valid is None else values.valid[rows].astype(bool)
    used, inverse = np.unique(values.values[rows][present].astype(np.int64), return_inverse=True)
    words = dictionary_words(values, used)
    kept = _kept(words, values.kind, target)
    bad = np.array([word != left for word, left in zip(words, kept, strict=True)], bool)
    out = np.zeros(len(rows), bool)
    if len(used):
        out[present] = bad[inverse]
    return out


def without_dangling(texts: pa.ChunkedArray, kind: Kind, target: VisibleIds) -> pa.Array:
    """Leave out of a column of texts what is not visible; null where nothing stays."""
    unique = texts.unique()
    kept = pa.array(_kept(unique.to_pylist(), kind, target), pa.utf8())
    return kept.take(pc.index_in(texts.combine_chunks(), unique))


def _kept(words: Sequence[str | None], kind: Kind, target: VisibleIds) -> list[str | None]:
    """Say what stays of each word: the word itself where all of it is visible."""
    if kind is Kind.STRING:
        seen = target.has([word or "" for word in words])
        return [word if visible else None for word, visible in zip(words, seen, strict=True)]
    lists = [_texts(word) for word in words]
    seen = target.has([item for items in lists for item in items])
    left, at = [], 0
    for word, items in zip(words, lists, strict=True):
        visible = [
            item for item, seen_one in zip(items, seen[at : at + len(items)], strict=True) if seen_one
        ]
        at += len(items)
        whole = len(visible) == len(items) and bool(items)
        left.append(word if whole else orjson.dumps(visible).decode() if visible else None)
    return left


def _texts(word: str | None) -> list[str]:
    """Ids in a JSON list; none in anything else."""
    ids = orjson.loads(word) if word else None
    return [item for item in ids if isinstance(item, str)] if isinstance(ids, list) else []
