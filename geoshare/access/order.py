"""One order for the rows of a view: along the Hilbert curve through visible geometry, ties by id.

Which part a row lies in depends on when hidden rows changed and when parts were folded together; this
order does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geoshare.filter.values import dictionary_words, text_of
from tiles.arrays import FeatureTable, Rows
from tiles.index.hilbert import GROUP_SHIFT, KEY_MASK

Place = tuple[int, str]  # key and id of a row
_SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")


@dataclass(frozen=True)
class Flat:
    """Rows of several tables as flat arrays of n: number of the table, row in it, order key."""

    tables: tuple[FeatureTable, ...]
    table: NDArray[np.int32]
    row: NDArray[np.int32]
    key: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.row)

    def ids(self, places: NDArray[np.intp]) -> list[str]:
        """Ids of the rows at these places."""
        found = [""] * len(places)
        at_table = self.table[places]
        for number in np.unique(at_table):
            here = np.flatnonzero(at_table == number)
            column = self.tables[number].ids
            codes = column.values[self.row[places[here]]].astype(np.int64)
            for place, text in zip(here, dictionary_words(column, codes), strict=True):
                found[place] = text
        return found

    def rows(self, places: NDArray[np.intp]) -> Rows:
        """Rows at these places, in this order: one pair for each run of one table."""
        table, row = self.table[places], self.row[places]
        starts = [0, *(np.flatnonzero(np.diff(table)) + 1).tolist(), len(places)]
        runs = [slice(first, last) for first, last in pairwise(starts) if last > first]
        if not runs:
            return Rows(self.tables[:1], (np.zeros(0, np.int32),))
        return Rows(
            tuple(self.tables[table[run.start]] for run in runs), tuple(row[run] for run in runs)
        )

    def first(self, places: NDArray[np.intp], count: int) -> NDArray[np.intp]:
        """Choose the ``count`` places that come first by (key, id), in that order."""
        keys = self.key[places]
        if len(places) > count > 0:
            last = np.partition(keys, count - 1)[count - 1]
            places = places[keys <= last]  # all of a tie, since ids decide within it
            keys = self.key[places]
        order = np.argsort(keys, kind="stable")
        places, keys = places[order], keys[order]
        tied = np.zeros(len(keys), bool)
        tied[1:] = keys[1:] == keys[:-1]
        tied[:-1] |= tied[1:]
        if tied.any():
            at = np.flatnonzero(tied)
            names = np.array(self.ids(places[at]), object)
            places[at] = places[at][np.lexsort((names, keys[at]))]
        return places[:count]


def leading(rows: Rows, count: int, after: Place | None = None) -> Rows:
    """Return the first rows in the order, at most ``count`` of them, that come after a place.

    Each table gives as many as the page could take of it, so that what is sorted is no larger than a
    few pages, however many rows there are.
    """
    pairs = [(table, _leading(table, numbers, count, after)) for table, numbers in rows.pairs]
    pairs = [pair for pair in pairs if len(pair[1])]
    if len(pairs) == 1 and _along_curve(pairs[0][0]):
        return Rows((pairs[0][0],), (pairs[0][1],))
    if not pairs:
        return Rows(rows.tables[:1], (np.zeros(0, np.int32),))
    flat = flatten(Rows(tuple(table for table, _ in pairs), tuple(numbers for _, numbers in pairs)))
    return flat.rows(flat.first(np.arange(len(flat)), count))


def place_of(rows: Rows, at: int) -> Place:
    """Return the place in the order of the row ``at``."""
    for table, numbers in rows.pairs:
        if at < len(numbers) and table.order_key is not None:
            row = int(numbers[at])
            return int(table.order_key[row]) & KEY_MASK, text_of(table.ids, row)
        at -= len(numbers)
    raise IndexError("there are fewer rows")


def _along_curve(table: FeatureTable) -> bool:
    """Whether the table's rows are in order, as they are in parts with one group of detail."""
    keys = table.order_key
    group = np.uint64(GROUP_SHIFT)
    return keys is not None and (len(keys) == 0 or keys[0] >> group == keys[-1] >> group)


def _leading(
    table: FeatureTable, numbers: NDArray[np.int32], count: int, after: Place | None
) -> NDArray[np.int32]:
    """Rows of one table, in ascending order, that may be among the first ``count`` after a place."""
    keys = table.order_key
    if keys is None or not len(numbers):
        return numbers
    if not _along_curve(table):
        return numbers if after is None else _after(table, numbers, keys[numbers], after)
    if after is None:
        return numbers[:count]
    group = keys[0] & ~np.uint64(KEY_MASK)
    key = np.uint64(after[0]) | group
    ends = np.array([np.searchsorted(keys, key, side) for side in _SIDES], numbers.dtype)
    first, last = np.searchsorted(numbers, ends)
    tied = _after(table, numbers[first:last], keys[numbers[first:last]], after)
    return np.concatenate([tied, numbers[last : last + count]])[:count]


def _after(
    table: FeatureTable, numbers: NDArray[np.int32], keys: NDArray[np.uint64], after: Place
) -> NDArray[np.int32]:
    """Those of the rows that come after a place."""
    keys = keys & np.uint64(KEY_MASK)
    later = keys > np.uint64(after[0])
    same = np.flatnonzero(keys == np.uint64(after[0]))
    if len(same):
        names = dictionary_words(table.ids, table.ids.values[numbers[same]].astype(np.int64))
        later[same] = [name > after[1] for name in names]
    return numbers[later]


def flatten(rows: Rows) -> Flat:
    """Rows of tables that have order keys as flat arrays."""
    pairs = rows.pairs
    table = np.repeat(np.arange(len(pairs), dtype=np.int32), [len(numbers) for _, numbers in pairs])
    row = np.concatenate([numbers for _, numbers in pairs]).astype(np.int32, copy=False)
    return Flat(rows.tables, table, row, keys_of(rows))


def keys_of(rows: Rows) -> NDArray[np.uint64]:
    """Place of each row on the curve (n,), without the group of its level of detail."""
    keys = [
        table.order_key[numbers] & np.uint64(KEY_MASK)
        for table, numbers in rows.pairs
        if table.order_key is not None
    ]
    return np.concatenate([np.zeros(0, np.uint64), *keys])


def in_order(rows: Rows) -> Rows:
    """Put rows into the order; parts that follow one another along the curve cost a look each.

    Rows of one table must be in order among themselves, as parts keep them.
    """
    pairs = rows.pairs
    if len(pairs) < 2 or _follow(pairs):
        return rows
    flat = flatten(rows)
    return flat.rows(flat.first(np.arange(len(flat)), len(flat)))


def _follow(pairs: Sequence[tuple[FeatureTable, NDArray[np.int32]]]) -> bool:
    """Whether each table's rows come after those of the table before it."""
    mask = np.uint64(KEY_MASK)
    ends = [
        (table.order_key[numbers[0]] & mask, table.order_key[numbers[-1]] & mask)
        for table, numbers in pairs
        if table.order_key is not None and len(numbers)
    ]
    return all(before[1] < after[0] for before, after in pairwise(ends))
