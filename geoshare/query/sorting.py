"""Pages of features in the order of their properties (OGC API Features Part 8).

Texts go by the code points of their first hundred letters. What is unknown comes last whichever way
round, and ties follow the order in which pages come without sorting, so that every page continues where
the one before it ended.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geoshare.access.order import Flat, flatten
from geoshare.access.view import View
from geoshare.errors import BadRequest
from geoshare.filter import Meter
from geoshare.filter.values import Numbers, Spans, Truth, Words, read_column
from tiles.arrays import FeatureTable, Kind, Rows

MAX_KEYS: Final = 5
ID: Final = "id"
_LETTERS: Final = 100  # of a text that count, so that a cursor is short
_PER_ROW, _PER_WORD = 100, 2_000  # units of cost
_SORTABLE: Final = frozenset(Kind) - {Kind.JSON}


@dataclass(frozen=True, slots=True)
class SortKey:
    """A property to sort by."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class _Level:
    """One property of n rows as numbers that sort as it does; unknown ones are 0 and come last."""

    values: NDArray[Any]  # (n,)
    unknown: NDArray[np.bool_]
    words: Sequence[str] | None  # in order, each standing for twice its place, where it is a text
    descending: bool

    def number_of(self, value: Any) -> Any:
        """The number that a value of the property has among the rows', whether one has it or not."""
        if self.words is not None:
            place = bisect_left(self.words, value)
            there = place < len(self.words) and self.words[place] == value
            value = 2 * place if there else 2 * place - 1
        return _turned(np.asarray(value), self.descending)[()]


def sortables(view: View) -> tuple[str, ...]:
    """Names that the view's features can be sorted by."""
    return (*(name for name, kind in view.fields.items() if kind in _SORTABLE and name != ID), ID)


def parse_sortby(view: View, text: str) -> tuple[SortKey, ...]:
    """Read ``name,-other`` (``+`` or nothing: ascending) over the visible columns.

    Raises
    ------
    BadRequest
        for a name that cannot be sorted by, hidden or not existing, a repeated one or too many.
    """
    names = sortables(view)
    keys = [SortKey(part.lstrip("+-")[:200], part.startswith("-")) for part in text.split(",")]
    plain = all(len(part) - len(part.lstrip("+-")) < 2 for part in text.split(","))
    if not plain or any(key.name not in names for key in keys):
        raise _refused("There is nothing of that name to sort by.", names)
    if len(keys) > MAX_KEYS or len({key.name for key in keys}) < len(keys):
        raise _refused(f"Sort by at most {MAX_KEYS} names, each once.", names)
    return tuple(keys)


def _refused(message: str, names: Sequence[str]) -> BadRequest:
    return BadRequest(
        message,
        parameter="sortby",
        allowed=", ".join(names),
        message_ja="並べ替えに使えない名前です",
    )


def sorted_page(
    rows: Rows, keys: Sequence[SortKey], count: int, after: list[Any] | None
) -> tuple[Rows, list[Any] | None]:
    """The first ``count`` rows in the order of the keys, and the place of the last one if more follow.

    Parameters
    ----------
    rows
        Of a view, in any order.
    after
        The place that an earlier page gave: a value of each key (None: unknown), the place on the
        curve and the id.

    Raises
    ------
    ValueError
        for a place of other keys.
    TooLarge
        where sorting so many rows would take too long.
    """
    flat = flatten(rows)
    meter = Meter(parameter="sortby")
    levels = [_level(rows, key, meter) for key in keys]
    places = np.arange(len(flat))
    if after is not None:
        places = _later(flat, levels, after)
    if len(places) > 4 * (count + 1):
        places = _near(levels[0], places, count + 1)
    chosen = _ordered(flat, levels, places)[: count + 1]
    more = len(chosen) > count
    chosen = chosen[:count]
    place = _place(flat, rows, keys, int(chosen[-1])) if more else None
    return flat.rows(chosen), place


def _level(rows: Rows, key: SortKey, meter: Meter) -> _Level:
    read = [read_column(_column(table, key.name), numbers) for table, numbers in rows.pairs]
    meter.charge(len(rows) * _PER_ROW)
    words: Sequence[str] | None = None
    if any(isinstance(value, Words) for value in read):
        found = [value for value in read if isinstance(value, Words)]
        meter.charge(sum(len(value.words) for value in found) * _PER_WORD)
        words = sorted({_head(word) for value in found for word in value.words})
        numbers = {word: 2 * place for place, word in enumerate(words)}
        parts = [_by_word(value, numbers) for value in found]
    else:
        parts = [_plain(value) for value in read]
    values = np.concatenate([part for part, _ in parts])
    unknown = ~np.concatenate([valid for _, valid in parts])
    values = _turned(values, key.descending)
    values[unknown] = 0
    return _Level(values, unknown, words, key.descending)


def _head(word: object) -> str:
    return str(word)[:_LETTERS]


def _column(table: FeatureTable, name: str) -> Any:
    return table.ids if name == ID else table.column(name)


def _by_word(value: Words, numbers: dict[str, int]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    ranks = np.array([numbers[_head(word)] for word in value.words] or [0], np.int64)
    return ranks[value.codes if len(value.words) else np.zeros_like(value.codes)], value.valid


def _plain(value: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    if isinstance(value, Truth):
        return value.true.astype(np.int64), value.known
    if isinstance(value, Spans):
        return value.start, value.valid
    if isinstance(value, Numbers):
        return value.values, value.valid
    raise TypeError("this cannot be sorted")


def _turned(values: NDArray[Any], descending: bool) -> NDArray[Any]:
    if not descending:
        return values.copy()
    return -values if values.dtype.kind == "f" else ~values


def _later(flat: Flat, levels: Sequence[_Level], after: list[Any]) -> NDArray[np.intp]:
    """Places that come after a place."""
    if len(after) != len(levels) + 2:
        raise ValueError("this place is of other keys")
    later, same = np.zeros(len(flat), bool), np.ones(len(flat), bool)

    def compare(values: NDArray[Any], bound: Any) -> None:
        later[:] |= same & (values > bound)
        same[:] &= values == bound

    for level, value in zip(levels, after, strict=False):
        compare(level.unknown, value is None)
        compare(level.values, 0 if value is None else level.number_of(value))
    compare(flat.key, np.uint64(after[-2]))
    tied = np.flatnonzero(same)
    if len(tied):
        later[tied] = [name > after[-1] for name in flat.ids(tied)]
    return np.flatnonzero(later)


def _near(level: _Level, places: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Places that may be among the first ``count``, by the first key alone."""
    known = places[~level.unknown[places]]
    if len(known) < count:
        return places
    values = level.values[known]
    last = np.partition(values, count - 1)[count - 1]
    near: NDArray[np.intp] = known[values <= last]
    return near


def _ordered(flat: Flat, levels: Sequence[_Level], places: NDArray[np.intp]) -> NDArray[np.intp]:
    numbers: list[NDArray[Any]] = []
    for level in levels:
        numbers += [level.unknown[places], level.values[places]]
    numbers.append(flat.key[places])
    order = np.lexsort(numbers[::-1])
    places = places[order]
    tied = np.zeros(len(places), bool)
    if len(places) > 1:
        same = np.all([part[order][1:] == part[order][:-1] for part in numbers], axis=0)
        tied[1:] |= same
        tied[:-1] |= same
    if tied.any():
        at = np.flatnonzero(tied)
        names = np.array(flat.ids(places[at]), object)
        groups = np.cumsum(np.r_[True, ~same])[at]
        places[at] = places[at][np.lexsort((names, groups))]
    return places


def _place(flat: Flat, rows: Rows, keys: Sequence[SortKey], at: int) -> list[Any]:
    """What a cursor keeps of a row."""
    table, row = rows.tables[int(flat.table[at])], flat.row[at : at + 1]
    found: list[Any] = []
    for key in keys:
        value = read_column(_column(table, key.name), row)
        if isinstance(value, Words):
            found.append(_head(value.words[value.codes[0]]) if value.valid[0] else None)
        else:
            numbers, valid = _plain(value)
            found.append(numbers[0].item() if valid[0] else None)
    return [*found, int(flat.key[at]), flat.ids(np.array([at]))[0]]
