"""Rows of the release classes that a grant shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geoshare.filter.values import dictionary_words
from geoshare.model.collections import RELEASE
from geoshare.model.policy import OPEN_CLASS, Names
from tiles.arrays import FeatureTable


def released(classes: Names, table: FeatureTable, rows: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which of the rows (n,) were contributed under one of some release classes.

    A table has a column of classes only where some row of its collection is of another class than the
    open one; where a row's is null, it is of the open one.
    """
    column = next((item for item in table.columns if item.name == RELEASE), None)
    shows_open = classes == "all" or OPEN_CLASS in classes
    if column is None:
        return np.full(len(rows), shows_open)
    known = np.ones(len(rows), bool) if column.valid is None else column.valid[rows].astype(bool)
    codes = column.values[rows].astype(np.int64)
    found = np.full(len(rows), shows_open)
    used = np.unique(codes[known])
    words = dictionary_words(column, used)
    shown = np.array([classes == "all" or word in classes for word in words], bool)
    if len(used):
        found[known] = shown[np.searchsorted(used, codes[known])]
    return found
