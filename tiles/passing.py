"""Rows whose values pass simple conditions, one column at a time.

A condition is a range of numbers, or an answer for each entry of a column's dictionary; it says what
becomes of nulls. Each leaves fewer rows to the next. One signature serves every schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tiles.addresses import (
    BOOL,
    DATE,
    FLOAT,
    JSON,
    KIND,
    STRING,
    VALID,
    VALUES,
    column_addresses,
    float64_view,
    int32_view,
    int64_view,
    uint8_view,
)
from tiles.arrays import FeatureTable


class Condition(NamedTuple):
    """What the values of one column must be.

    ``low`` and ``high`` are the ends of a range, both included: of whole numbers for INT, TIMESTAMP,
    DATE and BOOL, of floats for FLOAT, where NaN counts as null. ``answers``, which columns with a
    dictionary need, hold 1 for each entry of it that passes; then the range is not looked at.
    ``outside`` turns the answer of values round; ``null`` is that of nulls.
    """

    column: str
    low: float = 0
    high: float = 0
    answers: NDArray[np.uint8] | None = None
    outside: bool = False
    null: bool = False


@njit(nogil=True, cache=True)
def _by_numbers(
    column: NDArray[np.int64],
    n: int,
    low: int,
    high: int,
    outside: bool,
    null: bool,
    rows: NDArray[np.int32],
    count: int,
) -> int:
    """Keep the rows whose whole numbers pass at the front; how many these are."""
    kept, kind, nulls = 0, column[KIND], column[VALID] != 0
    valid = uint8_view(column[VALID], n)
    bytes_, shorts, longs = (
        uint8_view(column[VALUES], n),
        int32_view(column[VALUES], n),
        int64_view(column[VALUES], n),
    )
    for i in range(count):
        row = rows[i]
        if nulls and valid[row] == 0:
            passes = null
        else:
            value = np.int64(0)
            if kind == BOOL:
                value = np.int64(bytes_[row])
            elif kind == DATE:
                value = np.int64(shorts[row])
            else:
                value = longs[row]
            passes = (low <= value and value <= high) != outside
        rows[kept] = row
        kept += passes
    return kept


@njit(nogil=True, cache=True)
def _by_floats(
    column: NDArray[np.int64],
    n: int,
    low: float,
    high: float,
    outside: bool,
    null: bool,
    rows: NDArray[np.int32],
    count: int,
) -> int:
    kept, nulls = 0, column[VALID] != 0
    valid, values = uint8_view(column[VALID], n), float64_view(column[VALUES], n)
    for i in range(count):
        row = rows[i]
        value = values[row]
        if value != value or (nulls and valid[row] == 0):
            passes = null
        else:
            passes = (low <= value and value <= high) != outside
        rows[kept] = row
        kept += passes
    return kept


@njit(nogil=True, cache=True)
def _by_answers(
    column: NDArray[np.int64],
    n: int,
    answers: NDArray[np.uint8],
    null: bool,
    rows: NDArray[np.int32],
    count: int,
) -> int:
    kept, nulls, entries = 0, column[VALID] != 0, answers.shape[0]
    valid, codes = uint8_view(column[VALID], n), int32_view(column[VALUES], n)
    for i in range(count):
        row = rows[i]
        code = codes[row]
        if (nulls and valid[row] == 0) or code < 0 or code >= entries:
            passes = null
        else:
            passes = answers[code] != 0
        rows[kept] = row
        kept += passes
    return kept


def passing(
    table: FeatureTable, rows: NDArray[np.int32], conditions: Sequence[Condition]
) -> NDArray[np.int32]:
    """Those of the rows that pass every condition, in their order.

    Parameters
    ----------
    rows
        (n,) row numbers of the table.

    Raises
    ------
    KeyError
        The table has no column of that name.
    ValueError
        A condition has answers and the column no dictionary, or the other way round.
    """
    left, count, n = np.array(rows, dtype=np.int32), len(rows), len(table)
    for said in conditions:
        column = column_addresses(table, said.column)
        if (column[KIND] in (STRING, JSON)) != (said.answers is not None):
            raise ValueError(f"a condition on {said.column} is not of its kind")
        if said.answers is not None:
            count = _by_answers(column, n, said.answers, said.null, left, count)
        elif column[KIND] == FLOAT:
            low, high = float(said.low), float(said.high)
            count = _by_floats(column, n, low, high, said.outside, said.null, left, count)
        else:
            low, high = int(said.low), int(said.high)
            count = _by_numbers(column, n, low, high, said.outside, said.null, left, count)
    return left[:count]
