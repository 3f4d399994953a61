"""What expressions evaluate to: nullable arrays of one value per row, and three-valued truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geoshare.filter.literals import DAY_US
from tiles.arrays import Column, Kind

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Truth:
    """True, false or unknown for each of n rows; ``true`` is a part of ``known``."""

    true: Mask
    known: Mask

    @staticmethod
    def of(true: Mask, known: Mask) -> Truth:
        """Truth whose unknown rows are not true."""
        return Truth(true & known, known)

    @staticmethod
    def constant(value: bool, n: int) -> Truth:
        """Return the same known truth n times."""
        return Truth(np.full(n, value), np.ones(n, bool))

    def __and__(self, other: Truth) -> Truth:
        known = (self.known & other.known) | self._false | other._false
        return Truth(self.true & other.true, known)

    def __or__(self, other: Truth) -> Truth:
        true = self.true | other.true
        return Truth(true, true | (self.known & other.known))

    def __invert__(self) -> Truth:
        return Truth(self._false, self.known)

    @property
    def _false(self) -> Mask:
        return self.known & ~self.true


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers, or instants in microseconds (``instants``); null where not valid."""

    values: NDArray[Any]  # (n,)
    valid: Mask
    instants: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """Texts or JSON values: row i holds ``words[codes[i]]``; null where not valid."""

    codes: NDArray[np.int64]  # (n,)
    words: NDArray[np.object_]  # (d,) only words that some row uses
    valid: Mask

    def map(self, function: Callable[[Any], Any]) -> Words:
        """Each word changed once, however many rows use it."""
        words = np.empty(len(self.words), object)
        words[:] = [function(word) for word in self.words]
        return Words(self.codes, words, self.valid)

    def test(self, function: Callable[[Any], bool]) -> Truth:
        """A question asked once per word."""
        answers = np.fromiter((function(word) for word in self.words), bool, len(self.words))
        if len(answers) == 0:
            return Truth(np.zeros(len(self.codes), bool), self.valid)
        return Truth.of(answers[self.codes], self.valid)

    def measure(self, function: Callable[[Any], float | None]) -> Numbers:
        """A number of each word; null where it has none."""
        found = [function(word) for word in self.words] or [None]
        known = np.array([number is not None for number in found])
        numbers = np.array([number or 0 for number in found], np.float64)
        codes = self.codes if len(self.words) else np.zeros(len(self.codes), np.int64)
        return Numbers(numbers[codes], self.valid & known[codes])

    def each(self) -> NDArray[np.object_]:
        """One object per row; anything where null."""
        if len(self.words) == 0:
            return np.full(len(self.codes), "", object)
        return self.words[self.codes]


@dataclass(frozen=True, slots=True)
class Spans:
    """Intervals in microseconds, closed at both ends; an open end is the last possible instant.

    ``days`` says that both ends are dates: the end is the last microsecond of its day.
    """

    start: NDArray[np.int64]  # (n,)
    end: NDArray[np.int64]
    valid: Mask
    days: bool = False


@dataclass(frozen=True, slots=True)
class Shapes:
    """Shapely geometries, None where null."""

    values: NDArray[np.object_]  # (n,)

    @property
    def valid(self) -> Mask:
        """Rows that have a geometry."""
        return ~shapely.is_missing(self.values)


Value = Truth | Numbers | Words | Spans | Shapes


def read_column(column: Column, rows: NDArray[np.int32]) -> Truth | Numbers | Words | Spans:
    """Read chosen rows of a column; a date is the interval of its day."""
    values = column.values[rows]
    valid = np.ones(len(rows), bool) if column.valid is None else column.valid[rows].astype(bool)
    if column.kind is Kind.BOOL:
        return Truth.of(values.astype(bool), valid)
    if column.kind is Kind.DATE:
        start = values.astype(np.int64) * DAY_US
        return Spans(start, start + DAY_US - 1, valid, days=True)
    if column.kind in (Kind.STRING, Kind.JSON):
        return _read_words(column, values.astype(np.int64), valid)
    if column.kind is Kind.FLOAT:
        valid = valid & ~np.isnan(values.astype(np.float64))
    return Numbers(values, valid, instants=column.kind is Kind.TIMESTAMP)


def _read_words(column: Column, codes: NDArray[np.int64], valid: Mask) -> Words:
    """Only words of chosen rows are read, so that a shared dictionary tells nothing of others."""
    used, inverse = _used(codes[valid])
    words = np.empty(len(used), object)
    words[:] = dictionary_words(column, used)
    if column.kind is Kind.JSON:
        words[:] = [orjson.loads(word) for word in words]
    new_codes = np.zeros(len(codes), np.int64)
    new_codes[valid] = inverse
    return Words(new_codes, words, valid)


def _used(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Codes in use, in order, and the place of each code among them; counted where that is quicker."""
    if not len(codes) or codes.max() > len(codes):
        return np.unique(codes, return_inverse=True)
    counts = np.bincount(codes)
    used = np.flatnonzero(counts)
    return used, (np.cumsum(counts > 0) - 1)[codes]


def text_of(column: Column, row: int) -> str:
    """Text of one row of a dictionary-encoded column, where it is not null."""
    if column.dictionary_offsets is None or column.dictionary_bytes is None:
        raise TypeError(f"column {column.name} has no dictionary")
    code = int(column.values[row])
    first, last = column.dictionary_offsets[code], column.dictionary_offsets[code + 1]
    return column.dictionary_bytes[first:last].tobytes().decode()


def dictionary_words(column: Column, codes: NDArray[np.int64]) -> list[str]:
    """Texts of some codes of a dictionary-encoded column."""
    if column.dictionary_offsets is None or column.dictionary_bytes is None:
        raise TypeError(f"column {column.name} has no dictionary")
    texts = pa.StringArray.from_buffers(
        len(column.dictionary_offsets) - 1,
        pa.py_buffer(np.ascontiguousarray(column.dictionary_offsets)),
        pa.py_buffer(np.ascontiguousarray(column.dictionary_bytes)),
    )
    found: list[str] = texts.take(pa.array(codes)).to_pylist()
    return found
