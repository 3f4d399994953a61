"""Asks the plain conditions of a filter of a table's columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from geoshare.filter.check import Expression
from geoshare.filter.conditions import Plain
from geoshare.filter.cost import Meter, weight_of
from geoshare.filter.evaluate import evaluate
from tiles.arrays import Column, FeatureTable, Geometries
from tiles.passing import Condition, passing

MAX_WORDS: Final = 4_096  # of a dictionary whose every word is asked, and remembered
_REMEMBERED: Final = 64  # answers of a column
_answers: WeakKeyDictionary[Column, dict[bytes, Condition]] = WeakKeyDictionary()


def narrow(
    expression: Expression, table: FeatureTable, rows: NDArray[np.int32], meter: Meter
) -> NDArray[np.int32]:
    """Those of the rows for which every plain condition is true; ``expression.rest`` is not asked.

    What it costs depends on the rows and the filter alone: not on dictionaries, which may hold words
    of rows that nobody sees.

    Raises
    ------
    TooLarge
        where it costs more than the meter has left.
    """
    if not expression.plain:
        return rows
    meter.charge(len(rows) * sum(weight_of(item.node) for item in expression.plain))
    conditions, wordy = [], []
    for item in expression.plain:
        found = item.condition or _by_words(item, table.column(item.column))
        if found is None:
            wordy.append(item)
        else:
            conditions.append(found)
    left = passing(table, rows, conditions)
    for item in wordy:
        only = Expression(item.node, frozenset((item.column,)))
        left = left[evaluate(only, table, left)]
    return left


def _by_words(item: Plain, column: Column) -> Condition | None:
    """A condition that has asked each word of the dictionary; None where these are too many."""
    known = _answers.setdefault(column, {})
    found = known.get(item.key)
    if found is not None:
        return found
    offsets = column.dictionary_offsets
    words = 0 if offsets is None else max(len(offsets) - 1, 0)
    if words > MAX_WORDS:
        return None
    codes = np.append(np.arange(words, dtype=np.int32), np.int32(0))
    valid = np.append(np.ones(words, np.uint8), np.uint8(0))
    every = replace(column, values=codes, valid=valid)
    true = _asked(item, every)
    answers = np.zeros(max(words, 1), np.uint8)
    answers[:words] = true[:words]
    if len(known) >= _REMEMBERED:
        known.clear()
    known[item.key] = found = Condition(item.column, answers=answers, null=bool(true[words]))
    return found


def _asked(item: Plain, column: Column) -> NDArray[np.bool_]:
    """The answer for each value of a column, as if it were all there is of its table."""
    rows = len(column)
    none = np.zeros(rows + 1, np.int32)
    shapes = Geometries(np.zeros(rows, np.uint8), none, none[:1], none[:1], np.zeros((0, 3)))
    table = FeatureTable(
        column, np.zeros(rows, np.uint64), shapes, np.zeros((0, 2), np.int32), (column,)
    )
    return evaluate(Expression(item.node, frozenset((item.column,))), table)
